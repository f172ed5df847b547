// Whose certificate is believed: each is of the right authority, with the right name, and wrong in one way.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode } from '../../apps/gateway/src/nodes/registry.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { connect, DimseError } from '../../packages/dimse/src/index.ts'
import { passable } from '../support/data-folder.ts'

const folder = passable('roentgate-certificates-')
const DAY_MS = 86_400_000
const EC = { name: 'ECDSA', namedCurve: 'P-256' }
const RSA = { name: 'RSASSA-PKCS1-v1_5', publicExponent: Uint8Array.of(1, 0, 1) }
const { clientAuth, serverAuth } = x509.ExtendedKeyUsage
type Made = { readonly cert: string; readonly key: string }
type Keys = CryptoKeyPair
type Algorithm = RsaHashedKeyGenParams | EcKeyGenParams
type Way = {
  readonly from?: number
  readonly to?: number
  readonly use?: x509.ExtendedKeyUsage
  readonly keys?: Algorithm
  readonly hash?: string
}

async function pair(how: Algorithm = EC): Promise<Keys> {
  return await crypto.subtle.generateKey(how, true, ['sign', 'verify'])
}

async function pem(keys: Keys): Promise<string> {
  const bytes = await crypto.subtle.exportKey('pkcs8', keys.privateKey)
  return x509.PemConverter.encode(bytes, 'PRIVATE KEY')
}

suite('certificates', () => {
  const open: { archive?: Archive; port?: OpenPort; ca?: x509.X509Certificate; keys?: Keys } = {}

  /** A key of Web Crypto signs with one hash: the same key, for another. */
  async function signingKey(hash: string): Promise<CryptoKey> {
    const bytes = await crypto.subtle.exportKey('pkcs8', open.keys?.privateKey ?? assert.fail())
    return await crypto.subtle.importKey('pkcs8', bytes, { ...RSA, hash }, true, ['sign'])
  }

  async function issue({ from = -1, to = 1, use = clientAuth, keys, hash = 'SHA-256' }: Way): Promise<Made> {
    const own = await pair(keys)
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: createHash('sha256')
        .update(JSON.stringify([from, to, use, keys, hash]))
        .digest('hex')
        .slice(0, 16),
      subject: 'CN=CT1',
      issuer: open.ca?.subject ?? '',
      notBefore: new Date(Date.now() + from * DAY_MS),
      notAfter: new Date(Date.now() + to * DAY_MS),
      signingAlgorithm: { ...RSA, hash },
      publicKey: own.publicKey,
      signingKey: await signingKey(hash),
      extensions: [
        new x509.ExtendedKeyUsageExtension([use]),
        new x509.SubjectAlternativeNameExtension([
          { type: 'dns', value: 'ct1.example' },
          { type: 'ip', value: '127.0.0.1' },
        ]),
      ],
    })
    return { cert: certificate.toString('pem'), key: await pem(own) }
  }

  before(async () => {
    x509.cryptoProvider.set(crypto)
    open.keys = await pair({ ...RSA, modulusLength: 3072, hash: 'SHA-256' })
    open.ca = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: '01',
      name: 'CN=Network',
      notBefore: new Date(Date.now() - 2 * DAY_MS),
      notAfter: new Date(Date.now() + 9 * DAY_MS),
      signingAlgorithm: { ...RSA, hash: 'SHA-256' },
      keys: open.keys,
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      ],
    })
    const server = await issue({ use: serverAuth })
    open.archive = await openArchive({
      dataFolder: join(folder, 'data'),
      keys: { passphrase: Buffer.from('x') },
    })
    const node = { ae: 'CT1', addresses: ['127.0.0.1'], fingerprints: [], names: ['DNS:ct1.example'] }
    await addNode(open.archive.database.kysely, { ...node, services: ['echo'], outside: false }, 'ana')
    const tls = { ...server, ca: open.ca.toString('pem') }
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION, tls }
    open.port = await openDicomPort(open.archive, { host: '127.0.0.1', port: 0, self, tls })
  })

  after(async () => {
    await open.port?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** 0000, or why there is no association. */
  async function echo(own: Made): Promise<string> {
    try {
      const association = await connect({
        host: '127.0.0.1',
        port: open.port?.port ?? 0,
        callingAe: 'CT1',
        calledAe: 'RG',
        implementation: IMPLEMENTATION,
        contexts: [{ abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] }],
        // Its own library would not load a weak key; the gateway is to be the one that refuses.
        tls: { ...own, ca: open.ca?.toString('pem') ?? '', ciphers: 'DEFAULT@SECLEVEL=0' },
      })
      const status = await association.echo()
      await association.release()
      return status.toString(16).padStart(4, '0')
    } catch (error) {
      if (error instanceof DimseError) return error.code
      throw error
    }
  }

  test('one that is as it should be is believed', async () => {
    assert.equal(await echo(await issue({})), '0000')
    assert.equal(await echo(await issue({ keys: { ...RSA, modulusLength: 2048, hash: 'SHA-256' } })), '0000')
  })

  const WRONG: readonly (readonly [what: string, way: Way])[] = [
    ['one that has expired', { from: -2, to: -1 }],
    ['one that is not valid yet', { from: 1, to: 2 }],
    ['one for servers alone', { use: serverAuth }],
    ['an RSA key of 1024 bits', { keys: { ...RSA, modulusLength: 1024, hash: 'SHA-256' } }],
    ['a signature with SHA-1', { hash: 'SHA-1' }],
  ]
  for (const [what, way] of WRONG) {
    test(`not believed: ${what}`, async () => {
      const before = await alerts()
      assert.notEqual(await echo(await issue(way)), '0000')
      for (let tries = 0; tries < 50 && (await alerts()) === before; tries++) await sleep(20)
      assert.equal(await alerts(), before + 1, 'and in the ledger')
    })
  }

  async function alerts(): Promise<number> {
    const rows = await open.archive?.database.kysely.selectFrom('ledger_entries').select('line').execute()
    return (rows ?? []).filter(({ line }) => line.includes('"event":"node-authentication"')).length
  }
})
