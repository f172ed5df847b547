// The custodians that answer over HTTP, against small servers that speak their protocol and really encrypt.

import assert from 'node:assert/strict'
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { newKeyId } from '../archive/ids.ts'
import { kmsProvider } from './aws-kms.ts'
import { type CustodyCode, isCustodyError } from './errors.ts'
import { memoryKeyTable } from './key-table.ts'
import { keyAad, openKeyring } from './keyring.ts'
import type { KeyProvider } from './provider.ts'
import { vaultProvider } from './vault.ts'

const is =
  (code: CustodyCode) =>
  (error: unknown): boolean =>
    isCustodyError(error, code)

type Json = Readonly<Record<string, unknown>>
type Answer = { readonly status: number; readonly json?: unknown }
type Asked = { readonly request: IncomingMessage; readonly body: Json }
const servers: Server[] = []
after(() => {
  for (const server of servers) server.close()
})

async function serve(answer: (asked: Asked) => Answer): Promise<string> {
  const server = createServer((request, response) => void respond(request, response, answer))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (asked: Asked) => Answer,
): Promise<void> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  const text = Buffer.concat(parts).toString('utf8')
  const { status, json } = answer({ request, body: text === '' ? {} : (JSON.parse(text) as Json) })
  response.writeHead(status, { 'Content-Type': request.headers['content-type'] ?? 'application/json' })
  response.end(json === undefined ? '' : JSON.stringify(json))
}

function encrypt(key: Buffer, plain: Buffer, aad: string): Buffer {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(aad))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

function decrypt(key: Buffer, sealed: Buffer, aad: string): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
  decipher.setAAD(Buffer.from(aad))
  decipher.setAuthTag(sealed.subarray(-16))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
  } catch {
    return undefined
  }
}

const TOKEN = 'hvs.test'

/** Vault's transit engine as its API documents it: paths, fields, statuses. */
function transit(): (asked: Asked) => Answer {
  const versions = [randomBytes(32)]
  return ({ request, body }) => {
    if (request.headers['x-vault-token'] !== TOKEN)
      return { status: 403, json: { errors: ['permission denied'] } }
    const aad = String(body.associated_data ?? '')
    switch (`${request.method} ${request.url}`) {
      case 'POST /v1/transit/encrypt/roentgate': {
        const key = versions.at(-1) ?? Buffer.alloc(0)
        const sealed = encrypt(key, Buffer.from(String(body.plaintext), 'base64'), aad)
        const ciphertext = `vault:v${versions.length}:${sealed.toString('base64')}`
        return { status: 200, json: { data: { ciphertext, key_version: versions.length } } }
      }
      case 'POST /v1/transit/decrypt/roentgate': {
        const [, version = '', sealed = ''] = /^vault:v(\d+):(.*)$/.exec(String(body.ciphertext)) ?? []
        const key = versions[Number(version) - 1]
        const plain = key && decrypt(key, Buffer.from(sealed, 'base64'), aad)
        if (plain === undefined)
          return { status: 400, json: { errors: ['cipher: message authentication failed'] } }
        return { status: 200, json: { data: { plaintext: plain.toString('base64') } } }
      }
      case 'POST /v1/transit/keys/roentgate/rotate':
        versions.push(randomBytes(32))
        return { status: 204 }
      case 'GET /v1/transit/keys/roentgate': {
        const keys = Object.fromEntries(versions.map((_, i) => [String(i + 1), 1_767_225_600 + i]))
        return {
          status: 200,
          json: { data: { type: 'aes256-gcm96', latest_version: versions.length, keys } },
        }
      }
      default:
        return { status: 404, json: { errors: [] } }
    }
  }
}

/** What every custodian has to do. */
async function keeps(provider: KeyProvider, foreign: CustodyCode): Promise<void> {
  const dataKey = randomBytes(32)
  const aad = keyAad(newKeyId())
  const old = await provider.wrap(dataKey, aad)
  assert.equal(old.provider, provider.id)
  assert.ok(!old.bytes.includes(dataKey))
  assert.deepEqual(await provider.unwrap(old, aad), dataKey)
  await assert.rejects(provider.unwrap(old, keyAad(newKeyId())), is('CORRUPT'))
  const bytes = Buffer.from(old.bytes)
  bytes[40] = bytes[40] === 65 ? 66 : 65
  await assert.rejects(provider.unwrap({ ...old, bytes }, aad), is('CORRUPT'))
  await assert.rejects(provider.unwrap({ ...old, provider: 'other' }, aad), is(foreign))
  const before = await provider.describe()
  const after = await provider.rotate()
  assert.equal(after.versions.length, before.versions.length + 1)
  assert.deepEqual(await provider.unwrap(old, aad), dataKey)
  const table = memoryKeyTable()
  const ring = openKeyring({ table, providers: [provider] })
  const { keyId, dataKey: made } = await ring.create()
  await provider.rotate()
  await ring.rewrapAll(provider)
  assert.deepEqual(await openKeyring({ table, providers: [provider] }).get(keyId), made)
}

test('vault: wraps, unwraps, rotates, and rewraps', async () => {
  const address = await serve(transit())
  const provider = vaultProvider({ address, key: 'roentgate', token: async () => TOKEN })
  await keeps(provider, 'UNKNOWN_PROVIDER')
  const { kek, versions, where } = await provider.describe()
  assert.equal(kek, 'v3')
  assert.deepEqual(
    versions.map((one) => one.kek),
    ['v1', 'v2', 'v3'],
  )
  assert.ok(!where.includes(TOKEN))
})

test('vault: what it refuses, and silence', async () => {
  const address = await serve(transit())
  const token = async () => TOKEN
  const aad = Buffer.from('aad')
  const wrong = vaultProvider({ address, key: 'roentgate', token: async () => 'hvs.other' })
  await assert.rejects(wrong.describe(), is('DENIED'))
  await assert.rejects(vaultProvider({ address, key: 'none', token }).describe(), is('UNKNOWN_KEK'))
  const sealed = await serve(() => ({ status: 503, json: { errors: ['Vault is sealed'] } }))
  await assert.rejects(
    vaultProvider({ address: sealed, key: 'k', token }).wrap(randomBytes(32), aad),
    is('UNAVAILABLE'),
  )
  const nobody = vaultProvider({ address: 'http://127.0.0.1:1', key: 'k', token })
  await assert.rejects(nobody.describe(), is('UNAVAILABLE'))
  const strange = await serve(() => ({ status: 200, json: { data: { ciphertext: 5 } } }))
  await assert.rejects(
    vaultProvider({ address: strange, key: 'k', token }).wrap(randomBytes(32), aad),
    is('UNAVAILABLE'),
  )
  const rsa = await serve(() => ({
    status: 200,
    json: { data: { type: 'rsa-4096', latest_version: 1, keys: {} } },
  }))
  await assert.rejects(vaultProvider({ address: rsa, key: 'k', token }).describe(), is('UNSUPPORTED'))
  assert.throws(() => vaultProvider({ address: 'http://vault.example', key: 'k', token }), RangeError)
  assert.throws(() => vaultProvider({ address, key: '../sys/seal', token }), RangeError)
})

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

/** KMS's JSON 1.1 protocol: the operation in X-Amz-Target, errors by __type. */
function kms(): (asked: Asked) => Answer {
  const versions = [randomBytes(32)]
  const fail = (type: string): Answer => ({ status: 400, json: { __type: type, message: 'no' } })
  return ({ request, body }) => {
    if (!request.headers.authorization?.includes('Credential=AKIDTEST/'))
      return fail('UnrecognizedClientException')
    if (body.KeyId !== ARN) return fail('NotFoundException')
    const aad = JSON.stringify(body.EncryptionContext ?? {})
    switch (request.headers['x-amz-target']) {
      case 'TrentService.Encrypt': {
        const key = versions.at(-1) ?? Buffer.alloc(0)
        const sealed = encrypt(key, Buffer.from(String(body.Plaintext), 'base64'), aad)
        const blob = Buffer.concat([Buffer.from([versions.length - 1]), sealed])
        return { status: 200, json: { CiphertextBlob: blob.toString('base64'), KeyId: ARN } }
      }
      case 'TrentService.Decrypt': {
        const blob = Buffer.from(String(body.CiphertextBlob), 'base64')
        const key = versions[blob[0] ?? 0]
        const plain = key && decrypt(key, blob.subarray(1), aad)
        if (plain === undefined) return fail('InvalidCiphertextException')
        return { status: 200, json: { Plaintext: plain.toString('base64'), KeyId: ARN } }
      }
      case 'TrentService.RotateKeyOnDemand':
        versions.push(randomBytes(32))
        return { status: 200, json: { KeyId: ARN } }
      case 'TrentService.ListKeyRotations': {
        const Rotations = versions.slice(1).map((_, i) => ({ KeyId: ARN, RotationDate: 1_767_225_601 + i }))
        return { status: 200, json: { Rotations, Truncated: false } }
      }
      case 'TrentService.DescribeKey': {
        const KeyMetadata = {
          KeyId: ARN,
          Arn: ARN,
          KeySpec: 'SYMMETRIC_DEFAULT',
          CreationDate: 1_767_225_600,
        }
        return { status: 200, json: { KeyMetadata } }
      }
      default:
        return fail('UnknownOperationException')
    }
  }
}

function client(endpoint: string): { readonly [name: string]: unknown } {
  const credentials = { accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' }
  return { endpoint, credentials, region: 'eu-central-1', maxAttempts: 1 }
}

test('aws-kms: wraps, unwraps, rotates', async () => {
  const endpoint = await serve(kms())
  const provider = kmsProvider({ key: ARN, client: client(endpoint) })
  await keeps(provider, 'UNKNOWN_PROVIDER')
  const { kek, versions } = await provider.describe()
  assert.equal(kek, ARN)
  assert.equal(versions.length, 3)
  await provider.close()
})

test('aws-kms: the context is a digest of the aad', async () => {
  const seen: unknown[] = []
  const answer = kms()
  const endpoint = await serve((asked) => {
    seen.push(asked.body.EncryptionContext)
    return answer(asked)
  })
  const aad = keyAad(newKeyId())
  await kmsProvider({ key: ARN, client: client(endpoint) }).wrap(randomBytes(32), aad)
  assert.deepEqual(seen, [{ roentgate: createHash('sha256').update(aad).digest('hex') }])
})

test('aws-kms: what it refuses, and silence', async () => {
  const endpoint = await serve(kms())
  const aad = Buffer.from('aad')
  const other = kmsProvider({ key: 'other', client: client(endpoint) })
  await assert.rejects(other.wrap(randomBytes(32), aad), is('UNKNOWN_KEK'))
  const stranger = { ...client(endpoint), credentials: { accessKeyId: 'OTHER', secretAccessKey: 'x' } }
  await assert.rejects(kmsProvider({ key: ARN, client: stranger }).describe(), is('DENIED'))
  const nobody = kmsProvider({ key: ARN, client: client('http://127.0.0.1:1') })
  await assert.rejects(nobody.wrap(randomBytes(32), aad), is('UNAVAILABLE'))
  assert.throws(() => kmsProvider({ key: 'alias/roentgate' }), RangeError)
})
