// The custodian that is HashiCorp Vault's (or OpenBao's) transit engine, by its HTTP API.
//
//   wrap    POST /v1/MOUNT/encrypt/KEY  plaintext, associated_data → ciphertext "vault:vN:…"
//   unwrap  POST /v1/MOUNT/decrypt/KEY  ciphertext, associated_data → plaintext
//
// Invariants: the key's type is one that takes associated data (aes256-gcm96, the default); the token goes to the one
// address and never along a redirect; no answer's text gets into an error. The transit engine's own /rewrap has no
// parameter for associated data, so that keys move to a new version by unwrap and wrap (Keyring.rewrapAll).

import { CustodyError } from './errors.ts'
import { asDataKey, assertOwn, type KeyProvider, type Status, type Wrapped } from './provider.ts'

export type VaultOptions = {
  /** https://vault.example:8200; http only to this machine itself. */
  readonly address: string
  readonly mount?: string
  readonly key: string
  /** Asked for each call: tokens are renewed by somebody else. */
  readonly token: () => Promise<string>
  readonly namespace?: string
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
/** A key with thousands of versions answers in less. */
const MAX_ANSWER = 1 << 20
const NAME = /^[\w.-]+$/
const MOUNT = /^[\w.-]+(?:\/[\w.-]+)*$/
const CIPHERTEXT = /^vault:v(\d+):/
/** Types with associated data: AES-GCM and ChaCha20-Poly1305. */
const TYPES = new Set(['aes128-gcm96', 'aes256-gcm96', 'chacha20-poly1305', 'xchacha20-poly1305'])
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]'])

type Vault = Required<Omit<VaultOptions, 'namespace'>> & Pick<VaultOptions, 'namespace'>
type Fields = Readonly<Record<string, unknown>>

export function vaultProvider(options: VaultOptions): KeyProvider {
  const vault: Vault = { mount: 'transit', timeoutMs: TIMEOUT_MS, ...options }
  const url = new URL(vault.address)
  const safe = url.protocol === 'https:' || LOOPBACK.has(url.hostname)
  if (!safe || !MOUNT.test(vault.mount) || !NAME.test(vault.key)) {
    throw new RangeError('vault: an address with https, a mount and a key name are needed')
  }
  const { mount, key } = vault
  const id = `vault:${mount}/${key}`
  return {
    kind: 'vault',
    id,
    describe: () => describe(vault, id),
    wrap: (dataKey, aad) => wrap(vault, { id, dataKey, aad }),
    unwrap: async (wrapped, aad) => {
      assertOwn(wrapped, id)
      const data = await call(vault, `decrypt/${key}`, {
        ciphertext: wrapped.bytes.toString('utf8'),
        associated_data: aad.toString('base64'),
      })
      return asDataKey(Buffer.from(textOf(data.plaintext), 'base64'))
    },
    rotate: async () => {
      await call(vault, `keys/${key}/rotate`, {})
      return await describe(vault, id)
    },
    close: async () => undefined,
  }
}

type Wrap = { readonly id: string; readonly dataKey: Buffer; readonly aad: Buffer }

async function wrap(vault: Vault, { id, dataKey, aad }: Wrap): Promise<Wrapped> {
  const data = await call(vault, `encrypt/${vault.key}`, {
    plaintext: dataKey.toString('base64'),
    associated_data: aad.toString('base64'),
  })
  const ciphertext = textOf(data.ciphertext)
  const version = CIPHERTEXT.exec(ciphertext)?.[1]
  if (version === undefined) throw unexpected()
  return { provider: id, kek: `v${version}`, bytes: Buffer.from(ciphertext, 'utf8') }
}

async function describe(vault: Vault, id: string): Promise<Status> {
  const data = await call(vault, `keys/${vault.key}`)
  if (!TYPES.has(textOf(data.type))) {
    throw new CustodyError('UNSUPPORTED', 'the transit key is of a type without associated data')
  }
  const keys = typeof data.keys === 'object' && data.keys !== null ? (data.keys as Fields) : {}
  const versions = Object.entries(keys)
    .map(([version, created]) => ({ version: Number(version), created }))
    .toSorted((a, b) => a.version - b.version)
    .map(({ version, created }) => ({
      kek: `v${version}`,
      ...(typeof created === 'number' ? { created: new Date(created * 1000) } : {}),
    }))
  const where = `Vault at ${new URL(vault.address).host}, transit key ${vault.mount}/${vault.key}`
  return { kind: 'vault', id, kek: `v${Number(data.latest_version)}`, versions, where }
}

/** POST with a body, GET without; the answer's `data`. */
async function call(vault: Vault, path: string, body?: Fields): Promise<Fields> {
  const token = await vault.token()
  const url = new URL(`/v1/${vault.mount}/${path}`, vault.address)
  const headers = {
    'X-Vault-Token': token,
    'X-Vault-Request': 'true',
    'Content-Type': 'application/json',
    ...(vault.namespace === undefined ? {} : { 'X-Vault-Namespace': vault.namespace }),
  }
  let response: Response
  let text: string
  try {
    response = await fetch(url, {
      method: body === undefined ? 'GET' : 'POST',
      headers,
      redirect: 'error',
      signal: AbortSignal.timeout(vault.timeoutMs),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    text = await limited(response)
  } catch (cause) {
    throw cause instanceof CustodyError
      ? cause
      : new CustodyError('UNAVAILABLE', 'Vault does not answer', { cause })
  }
  if (!response.ok) throw refusal(response.status, path)
  // A rotation answers with 204 in older versions.
  return text === '' ? {} : dataOf(text)
}

async function limited(response: Response): Promise<string> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > MAX_ANSWER) throw unexpected()
    parts.push(part)
  }
  return Buffer.concat(parts).toString('utf8')
}

function dataOf(text: string): Fields {
  try {
    const { data } = JSON.parse(text) as { readonly data?: unknown }
    if (typeof data === 'object' && data !== null) return data as Fields
    return {}
  } catch {
    throw unexpected()
  }
}

/** Vault says 400 for a ciphertext that is not authentic, for another's associated data, and for a version below the minimum. */
function refusal(status: number, path: string): CustodyError {
  if (status === 403 || status === 401) return new CustodyError('DENIED', 'Vault refuses the token')
  if (status === 404) return new CustodyError('UNKNOWN_KEK', 'Vault has no such transit key')
  if (status === 400 && path.startsWith('decrypt/')) {
    return new CustodyError('CORRUPT', 'Vault does not take the wrap for authentic')
  }
  if (status === 400) return new CustodyError('UNSUPPORTED', 'Vault cannot do that with this key')
  return new CustodyError('UNAVAILABLE', `Vault answers with ${status}`)
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  throw unexpected()
}

function unexpected(): CustodyError {
  return new CustodyError('UNAVAILABLE', 'Vault answers in a form that we do not know')
}
