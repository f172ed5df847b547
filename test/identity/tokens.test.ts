// Tokens, as an app gets them that we did not write (openid-client): code with PKCE, DPoP, refresh; services by key.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { decodeJwt, exportJWK, generateKeyPair } from 'jose'
import * as client from 'openid-client'
import { revokeSessions, sessionsOf } from '../../apps/gateway/src/identity/sessions.ts'
import { addApp, addService, revokeClient } from '../../apps/gateway/src/oidc/clients.ts'
import {
  asked,
  authorized,
  because,
  configOf,
  INSECURE,
  openWorld,
  proofBy,
  REDIRECT,
  SCOPES,
  type Tokens,
  tokensFor,
  type World,
  whoami,
} from '../support/app.ts'
import { browser, granted, ledgerLines } from '../support/browser.ts'

suite('tokens', { timeout: 120_000 }, () => {
  const open: { world?: World } = {}
  const world = (): World => open.world ?? assert.fail()
  const db = () => world().archive.database.kysely

  before(async () => {
    open.world = await openWorld('roentgate-tokens-')
  })
  after(() => open.world?.close())

  test('an app gets a token that is bound to its key, for five minutes and our API alone', async () => {
    const { setting, tokens, DPoP } = await tokensFor(world())
    assert.equal(tokens.token_type, 'dpop')
    assert.equal(tokens.expires_in, 300)
    const claims = decodeJwt(tokens.access_token)
    assert.equal(claims.aud, `${world().origin}/dicomweb`)
    assert.equal(claims.sub, 'rita')
    assert.equal(claims.scope, 'user/ImagingStudy.rs')
    assert.ok((claims.cnf as { jkt: string }).jkt)
    const id = tokens.claims() ?? assert.fail('an ID token')
    assert.deepEqual([id.sub, id.acr, id.amr], ['rita', 'urn:roentgate:mfa', ['pwd', 'otp', 'mfa']])
    const answer = await client.fetchProtectedResource(
      setting,
      tokens.access_token,
      whoami(world()),
      'GET',
      null,
      undefined,
      { DPoP },
    )
    const who = (await answer.json()) as Record<string, unknown>
    assert.deepEqual([who.kind, who.id, who.token], ['person', 'rita', { scopes: ['user/ImagingStudy.rs'] }])
  })

  test('a refresh token works once; used again, it ends all that came of it', async () => {
    const { setting, tokens, key, DPoP } = await tokensFor(world())
    const first = tokens.refresh_token ?? assert.fail()
    const second = await client.refreshTokenGrant(setting, first, undefined, { DPoP })
    assert.notEqual(second.refresh_token, first)
    const use = async (token: string) =>
      (await asked(world(), { authorization: `DPoP ${token}`, dpop: await proofBy(world(), key, { token }) }))
        .status
    assert.equal(await use(second.access_token), 200)
    await assert.rejects(
      client.refreshTokenGrant(setting, first, undefined, { DPoP }),
      because('invalid_grant'),
    )
    assert.equal(await use(second.access_token), 401, 'also the newer one')
    await assert.rejects(
      client.refreshTokenGrant(setting, second.refresh_token ?? '', undefined, { DPoP }),
      because('invalid_grant'),
    )
    const told = await ledgerLines(world().archive, 'user-security-changed')
    assert.ok(
      told.some((line) => line.includes('"status":"tokens revoked"') && line.includes('"subject":"rita"')),
    )
  })

  test('of two that refresh at the same moment, one does, and then neither', async () => {
    const { setting, tokens, DPoP } = await tokensFor(world())
    const refresh = tokens.refresh_token ?? assert.fail()
    const results = await Promise.allSettled(
      Array.from({ length: 6 }, () => client.refreshTokenGrant(setting, refresh, undefined, { DPoP })),
    )
    assert.ok(results.filter(({ status }) => status === 'fulfilled').length <= 1)
  })

  test('a refresh token without the key of its app is of no use', async () => {
    const { setting, tokens } = await tokensFor(world())
    const DPoP = client.getDPoPHandle(setting, await client.randomDPoPKeyPair('ES256'))
    const refresh = tokens.refresh_token ?? assert.fail()
    await assert.rejects(
      client.refreshTokenGrant(setting, refresh, undefined, { DPoP }),
      because('invalid_grant'),
    )
    await assert.rejects(client.refreshTokenGrant(setting, refresh))
  })

  test('a code works once, with its verifier and at its address', async () => {
    const { setting, back, checks, DPoP, tokens, key } = await tokensFor(world())
    await assert.rejects(
      client.authorizationCodeGrant(setting, back, checks, undefined, { DPoP }),
      because('invalid_grant'),
    )
    const use = async (token: string) =>
      (await asked(world(), { authorization: `DPoP ${token}`, dpop: await proofBy(world(), key, { token }) }))
        .status
    assert.equal(await use(tokens.access_token), 401, 'a code that came twice ends what came of it')
    const other = await authorized(world(), setting)
    const wrong = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: other.state }
    await assert.rejects(
      client.authorizationCodeGrant(setting, other.back, wrong, undefined, { DPoP }),
      because('invalid_grant'),
    )
  })

  test('signing out, the end of a session and of an app end their tokens at once', async () => {
    const { tokens, key, from } = await tokensFor(world())
    const use = async ({ access_token: token }: Tokens) =>
      (await asked(world(), { authorization: `DPoP ${token}`, dpop: await proofBy(world(), key, { token }) }))
        .status
    assert.equal(await use(tokens), 200)
    assert.equal((await from.post('/sign-out')).status, 303)
    assert.equal(await use(tokens), 401)
    const again = await tokensFor(world())
    const store = { db: db(), columns: world().archive.columns }
    assert.ok((await sessionsOf(store, 'rita')).length > 0)
    await revokeSessions(store, { person: 'rita', by: 'sam' })
    await assert.rejects(
      client.refreshTokenGrant(again.setting, again.tokens.refresh_token ?? '', undefined, {
        DPoP: again.DPoP,
      }),
      because('invalid_grant'),
    )
    const gone = { id: 'gone', name: 'Viewer', redirects: [REDIRECT], scopes: SCOPES }
    await addApp(db(), gone, 'ana')
    const setting = await configOf(world(), 'app:gone')
    const { back, verifier, state } = await authorized(world(), setting)
    await revokeClient(db(), 'app:gone', 'ana')
    const DPoP = client.getDPoPHandle(setting, await client.randomDPoPKeyPair('ES256'))
    const checks = { pkceCodeVerifier: verifier, expectedState: state }
    await assert.rejects(
      client.authorizationCodeGrant(setting, back, checks, undefined, { DPoP }),
      because('invalid_client'),
    )
  })

  test('an app asks for no more than it was registered for, and goes back to its own address alone', async () => {
    const setting = await configOf(world())
    const verifier = await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier())
    const ask = async (changes: Record<string, string>) => {
      const common = { redirect_uri: REDIRECT, scope: 'openid user/ImagingStudy.rs' }
      const pkce = { code_challenge: verifier, code_challenge_method: 'S256' }
      const url = client.buildAuthorizationUrl(setting, { ...common, ...pkce, ...changes })
      return await browser(world().origin).get(url.href)
    }
    const store = await ask({ scope: 'openid dicomweb:store' })
    assert.match(`${store.onward}`, /error=invalid_scope/)
    for (const redirect_uri of [
      'https://evil.example/',
      `${REDIRECT}/..`,
      `${REDIRECT}?x=1`,
      'javascript:alert(1)',
    ]) {
      const answer = await ask({ redirect_uri })
      assert.equal(answer.status, 400, redirect_uri)
      assert.equal(answer.onward, undefined, 'it is not sent on')
    }
    assert.match(`${(await ask({ code_challenge_method: 'plain' })).onward}`, /error=invalid_request/)
    assert.match(`${(await ask({ prompt: 'none' })).onward}`, /error=login_required/)
    assert.match(`${(await ask({ resource: 'https://other.example/' })).onward}`, /error=invalid_target/)
    assert.equal((await ask({ response_type: 'token' })).onward?.includes('access_token='), false)
  })

  test('a person says no, and the app hears it', async () => {
    const setting = await configOf(world())
    const from = browser(world().origin)
    const url = client.buildAuthorizationUrl(setting, {
      redirect_uri: REDIRECT,
      scope: 'openid user/ImagingStudy.rs',
      code_challenge: await client.calculatePKCECodeChallenge(client.randomPKCECodeVerifier()),
      code_challenge_method: 'S256',
    })
    const page = (await from.get(url.href)).onward ?? assert.fail()
    const no = await from.post(page, { no: '1' })
    assert.match(`${(await from.get(no.onward ?? '')).onward}`, /error=access_denied/)
    const stranger = browser(world().origin)
    assert.equal(
      (await stranger.get(page)).status,
      400,
      'what was asked of one browser is not there for another',
    )
    const forged = await from.post(page, { yes: '1' }, { origin: 'https://evil.example' })
    assert.equal(forged.status, 403)
  })

  test('a token of one patient wants the patient, whom the person may see, and is of that one alone', async () => {
    const scope = 'openid patient/ImagingStudy.rs'
    const rows = await db().selectFrom('patients').select(['id', 'pid_cipher']).execute()
    const [first] = rows
    const pid = world().archive.columns.open(
      { table: 'patients', column: 'pid', row: first?.id ?? '' },
      first?.pid_cipher ?? Buffer.of(),
    )
    const { tokens, key } = await tokensFor(world(), { scope, patient: pid })
    assert.equal(tokens.patient, first?.id)
    const token = tokens.access_token
    const { text } = await asked(world(), {
      authorization: `DPoP ${token}`,
      dpop: await proofBy(world(), key, { token }),
    })
    assert.deepEqual((JSON.parse(text) as { token: unknown }).token, {
      scopes: ['patient/ImagingStudy.rs'],
      patient: first?.id,
    })
    await assert.rejects(
      tokensFor(world(), { scope, patient: 'NOBODY-7' }),
      /no patient of this ID whose studies you may see/,
    )
  })

  test('a service shows its key, and has what it was given', async () => {
    const pair = await generateKeyPair('ES256', { extractable: true })
    const keys = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'k' }] }
    const id = await addService(
      db(),
      { id: 'router', name: 'Router', scopes: ['system/ImagingStudy.rs'], keys },
      'ana',
    )
    await granted(world().archive, { holder: id, role: 'service' })
    const auth = client.PrivateKeyJwt({ key: pair.privateKey, kid: 'k' })
    const setting = await client.discovery(new URL(world().origin), id, undefined, auth, INSECURE)
    const key = await client.randomDPoPKeyPair('ES256')
    const DPoP = client.getDPoPHandle(setting, key)
    const tokens = await client.clientCredentialsGrant(setting, { scope: 'system/ImagingStudy.rs' }, { DPoP })
    assert.equal(tokens.expires_in, 300)
    const answer = await client.fetchProtectedResource(
      setting,
      tokens.access_token,
      whoami(world()),
      'GET',
      null,
      undefined,
      { DPoP },
    )
    const who = (await answer.json()) as Record<string, unknown>
    assert.deepEqual(
      [who.kind, who.id, who.roles],
      ['service', id, [{ role: 'service', scope: 'institution' }]],
    )
    await assert.rejects(
      client.clientCredentialsGrant(setting, { scope: 'system/ImagingStudy.rs' }),
      'without a proof',
    )
    await assert.rejects(
      client.clientCredentialsGrant(setting, { scope: 'dicomweb:store' }, { DPoP }),
      because('invalid_scope'),
    )
    const thief = client.PrivateKeyJwt({ key: (await generateKeyPair('ES256')).privateKey, kid: 'k' })
    const other = await client.discovery(new URL(world().origin), id, undefined, thief, INSECURE)
    await assert.rejects(client.clientCredentialsGrant(other, {}, { DPoP }), because('invalid_client'))
    await revokeClient(db(), id, 'ana')
    const token = tokens.access_token
    assert.equal(
      (await asked(world(), { authorization: `DPoP ${token}`, dpop: await proofBy(world(), key, { token }) }))
        .status,
      401,
    )
  })

  test('what cannot be registered is said', async () => {
    const app = { id: 'x1', name: 'X', redirects: [REDIRECT], scopes: SCOPES }
    const code = (wanted: string) => (error: unknown) => (error as { code: string }).code === wanted
    await addApp(db(), app, 'ana')
    await assert.rejects(addApp(db(), app, 'ana'), code('TAKEN'))
    for (const change of [
      { id: 'X!' },
      { name: ' ' },
      { redirects: [] },
      { redirects: ['http://viewer.example/'] },
      { redirects: ['https://a@viewer.example/'] },
      { redirects: ['https://viewer.example/#x'] },
      { redirects: ['app:back'] },
      { scopes: [] },
      { scopes: ['system/ImagingStudy.rs'] },
      { scopes: ['dicomweb:everything'] },
    ])
      await assert.rejects(addApp(db(), { ...app, id: 'x2', ...change }, 'ana'), code('BAD_CLIENT'))
    const service = { id: 's2', name: 'S', scopes: ['dicomweb:store'] }
    const whole = await exportJWK((await generateKeyPair('ES256', { extractable: true })).privateKey)
    const rsa = await exportJWK((await generateKeyPair('RS256', { extractable: true })).publicKey)
    for (const change of [
      {},
      { keys: { keys: [] } },
      { keys: { keys: [whole] } },
      { keys: { keys: [rsa] } },
      { certificateName: '*.example' },
      { certificateName: '10.0.0.1' },
      { scopes: ['user/ImagingStudy.rs'], certificateName: 'a.example' },
    ])
      await assert.rejects(addService(db(), { ...service, ...change }, 'ana'), code('BAD_CLIENT'))
  })

  test('apps that look for SMART find it', async () => {
    const answer = await fetch(`${world().origin}/.well-known/smart-configuration`)
    const found = (await answer.json()) as Record<string, unknown>
    assert.equal(found.token_endpoint, `${world().origin}/oidc/token`)
    assert.ok((found.scopes_supported as string[]).includes('patient/ImagingStudy.rs'))
  })
})
