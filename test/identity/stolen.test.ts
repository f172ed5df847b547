// Tokens that were stolen, replayed or forged: refused, and in the ledger.

import assert from 'node:assert/strict'
import { createHmac, generateKeyPairSync, sign } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import * as client from 'openid-client'
import { openProofs } from '../../apps/gateway/src/oidc/proofs.ts'
import { signingKeys } from '../../apps/gateway/src/oidc/signing.ts'
import {
  asked,
  type Keys,
  openWorld,
  proofBy,
  type Tokens,
  tokensFor,
  type World,
  whoami,
} from '../support/app.ts'
import { ledgerLines } from '../support/browser.ts'

suite('tokens of others', { timeout: 120_000 }, () => {
  const open: { world?: World } = {}
  const world = (): World => open.world ?? assert.fail()
  const db = () => world().archive.database.kysely

  before(async () => {
    open.world = await openWorld('roentgate-others-')
  })
  after(() => open.world?.close())

  test('a token alone, or with another key, is of no use', async () => {
    const { tokens, key } = await tokensFor(world())
    const token = tokens.access_token
    const stranger = await client.randomDPoPKeyPair('ES256')
    const dpop = { authorization: `DPoP ${token}` }
    assert.equal(
      (await asked(world(), { ...dpop, dpop: await proofBy(world(), key, { token }) })).status,
      200,
    )
    for (const [what, headers] of [
      ['bearer', { authorization: `Bearer ${token}` }],
      [
        'bearer with a proof',
        { authorization: `Bearer ${token}`, dpop: await proofBy(world(), key, { token }) },
      ],
      ['no proof', dpop],
      ['another key', { ...dpop, dpop: await proofBy(world(), stranger, { token }) }],
      ['another method', { ...dpop, dpop: await proofBy(world(), key, { token, claims: { htm: 'POST' } }) }],
      [
        'another address',
        { ...dpop, dpop: await proofBy(world(), key, { token, claims: { htu: `${world().origin}/other` } }) },
      ],
      ['another token', { ...dpop, dpop: await proofBy(world(), key, { token: `${token}x` }) }],
      ['of long ago', { ...dpop, dpop: await proofBy(world(), key, { token, claims: { iat: 1 } }) }],
      ['of tomorrow', { ...dpop, dpop: await proofBy(world(), key, { token, claims: { iat: 4e9 } }) }],
      ['no id', { ...dpop, dpop: await proofBy(world(), key, { token, claims: { jti: '' } }) }],
      ['another type', { ...dpop, dpop: await proofBy(world(), key, { token, header: { typ: 'jwt' } }) }],
      [
        'two proofs',
        {
          ...dpop,
          dpop: `${await proofBy(world(), key, { token })}, ${await proofBy(world(), key, { token })}`,
        },
      ],
      ['no proof at all', { ...dpop, dpop: 'x.y.z' }],
      ['basic', { authorization: 'Basic cml0YTp4' }],
      ['none', {}],
    ] as const)
      assert.equal((await asked(world(), headers)).status, 401, what)
    const proof = await proofBy(world(), key, { token })
    assert.equal((await asked(world(), { ...dpop, dpop: proof })).status, 200)
    assert.equal((await asked(world(), { ...dpop, dpop: proof })).status, 401, 'a proof works once')
    assert.ok(
      (await ledgerLines(world().archive, 'access-denied')).some((line) => line.includes('BAD_PROOF')),
    )
  })

  test('a proof with a private key in it, or a key of another kind, is none', async () => {
    const { tokens, key } = await tokensFor(world())
    const token = tokens.access_token
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const whole = await proofBy(
      world(),
      { publicKey, privateKey },
      { token, header: { jwk: await exportJWK(privateKey) } },
    )
    assert.equal((await asked(world(), { authorization: `DPoP ${token}`, dpop: whole })).status, 401)
    const [head = '', body = ''] = (await proofBy(world(), key, { token })).split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
    for (const alg of ['none', 'HS256', 'RS256']) {
      const changed = Buffer.from(JSON.stringify({ ...header, alg })).toString('base64url')
      const mac = createHmac('sha256', JSON.stringify(header.jwk))
        .update(`${changed}.${body}`)
        .digest('base64url')
      for (const signature of [mac, ''])
        assert.equal(
          (await asked(world(), { authorization: `DPoP ${token}`, dpop: `${changed}.${body}.${signature}` }))
            .status,
          401,
          alg,
        )
    }
  })

  /** What somebody could make of a token: with the key that signed it, and without. */
  async function workshop(tokens: Tokens) {
    const [head = '', body = ''] = tokens.access_token.split('.')
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as Record<string, unknown>
    const claims = decodeJwt(tokens.access_token)
    const [ours] = await signingKeys({ db: db(), columns: world().archive.columns })
    const secret = ours?.jwk ?? assert.fail()
    const { d: _, ...shown } = secret
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const signed = async (
      changes: Record<string, unknown>,
      more: Record<string, unknown> = {},
    ): Promise<string> =>
      await new SignJWT({ ...claims, ...changes })
        .setProtectedHeader({ ...(header as { alg: string }), ...more })
        .sign(await importJWK(secret, 'ES256'))
    const forged = (change: Record<string, unknown>, signature: (input: string) => string): string => {
      const input = `${Buffer.from(JSON.stringify({ ...header, ...change })).toString('base64url')}.${body}`
      return `${input}.${signature(input)}`
    }
    const hmac = (with_: string) => (input: string) =>
      createHmac('sha256', with_).update(input).digest('base64url')
    return { signed, forged, hmac, header: header as { alg: string }, claims, shown, stranger }
  }

  async function refused(tokens: readonly (readonly [string, string])[], key: Keys): Promise<void> {
    for (const [what, token] of tokens) {
      const dpop = await proofBy(world(), key, { token })
      assert.equal((await asked(world(), { authorization: `DPoP ${token}`, dpop })).status, 401, what)
    }
  }

  test('a token that we did not sign is refused', async () => {
    const { tokens, key } = await tokensFor(world())
    const { forged, hmac, header, claims, shown, stranger } = await workshop(tokens)
    const all = [
      ['alg none', forged({ alg: 'none' }, () => '')],
      ['alg None', forged({ alg: 'None' }, () => 'AA')],
      ['HMAC with the public key', forged({ alg: 'HS256' }, hmac(JSON.stringify(shown)))],
      [
        'another key',
        forged({}, (input) =>
          sign('sha256', Buffer.from(input), {
            key: stranger.privateKey,
            dsaEncoding: 'ieee-p1363',
          }).toString('base64url'),
        ),
      ],
      [
        'a key that it brings',
        await new SignJWT(claims)
          .setProtectedHeader({
            ...header,
            jwk: stranger.publicKey.export({ format: 'jwk' }) as Record<string, string>,
          })
          .sign(stranger.privateKey),
      ],
      ['cut', tokens.access_token.slice(0, -4)],
      ['very long', `${tokens.access_token}${'A'.repeat(9000)}`],
    ] as const
    await refused(all, key)
    await world().site.oidc?.refusals.flush()
    const told = await ledgerLines(world().archive, 'access-denied')
    assert.ok(told.some((line) => line.includes('BAD_TOKEN')))
    const secret = tokens.access_token.slice(-20)
    assert.ok(
      told.every((line) => !line.includes(secret)),
      'no token is in the ledger',
    )
  })

  test('a token that we signed for something else, or for another time, is refused', async () => {
    const { tokens, key } = await tokensFor(world())
    const { signed } = await workshop(tokens)
    const now = Math.floor(Date.now() / 1000)
    const all = [
      ['a kid that is a path', await signed({}, { kid: '../../../etc/passwd' })],
      ['a kid of a prototype', await signed({}, { kid: '__proto__' })],
      ['no kid', await signed({}, { kid: undefined })],
      ['another type', await signed({}, { typ: 'JWT' })],
      ['another issuer', await signed({ iss: 'https://other.example' })],
      ['another audience', await signed({ aud: 'https://other.example/dicomweb' })],
      ['the ID token', tokens.id_token ?? ''],
      ['expired', await signed({ exp: now - 60 })],
      ['not yet', await signed({ nbf: now + 60 })],
      ['of long ago', await signed({ iat: now - 86_400 })],
      ['without an end', await signed({ exp: undefined })],
      ['bound to nothing', await signed({ cnf: undefined })],
      ['bound to a certificate', await signed({ cnf: { 'x5t#S256': 'A'.repeat(43) } })],
      ['somebody else', await signed({ sub: 'administrator' })],
      ['another app', await signed({ client_id: 'app:other' })],
      ['another consent', await signed({ grant: 'x' })],
      ['a service', await signed({ grant: undefined })],
    ] as const
    await refused(all, key)
    const token = await signed({})
    const dpop = await proofBy(world(), key, { token })
    assert.equal((await asked(world(), { authorization: `DPoP ${token}`, dpop })).status, 200)
  })

  test('nothing takes a token in an address', async () => {
    const { tokens } = await tokensFor(world())
    for (const name of ['access_token', 'token', 'id_token']) {
      const answer = await fetch(`${whoami(world()).href}?${name}=${tokens.access_token}`)
      assert.equal(answer.status, 400, name)
    }
  })

  test('what is remembered of proofs has an end, and beyond it nothing is let through', async () => {
    const proofs = openProofs(3)
    const key = await generateKeyPair('ES256')
    const check = async () => {
      const url = whoami(world()).href
      return await proofs.check({
        proof: await proofBy(world(), key, { token: 't' }),
        method: 'GET',
        url,
        token: 't',
        at: new Date(),
      })
    }
    for (let n = 0; n < 3; n++) assert.match(await check(), /^[\w-]{43}$/)
    await assert.rejects(check(), (error: unknown) => (error as { code: string }).code === 'BUSY')
  })
})
