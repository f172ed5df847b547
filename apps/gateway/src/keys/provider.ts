// A custodian of key-encryption keys (KEK): it wraps data keys and unwraps them, and never gives its own key away.
//
//   data key + aad ─wrap─► Wrapped ─text─► a row of the index      (docs/formats/store.md)
//
// Invariants: unwrap with another aad fails; a version that has wrapped something is kept until nothing needs it; Buffers
// that hold a key belong to whoever received them, who wipes them.

import { CustodyError } from './errors.ts'

export const DATA_KEY_BYTES = 32

export type ProviderKind = 'passphrase' | 'pkcs11' | 'aws-kms' | 'vault' | 'dual'

export type Wrapped = {
  /** The id of the provider that can unwrap it. */
  readonly provider: string
  /** Which version of its KEK. */
  readonly kek: string
  readonly bytes: Buffer
}

export type KekVersion = { readonly kek: string; readonly created?: Date }

/** For the administrator and for evidence: says nothing secret. */
export type Status = {
  readonly kind: ProviderKind
  readonly id: string
  /** The version that wraps now. */
  readonly kek: string
  /** Those it can unwrap, as far as it tells, oldest first. */
  readonly versions: readonly KekVersion[]
  /** In words: which file, token, key. */
  readonly where: string
}

export type KeyProvider = {
  readonly kind: ProviderKind
  readonly id: string
  readonly describe: () => Promise<Status>
  readonly wrap: (dataKey: Buffer, aad: Buffer) => Promise<Wrapped>
  readonly unwrap: (wrapped: Wrapped, aad: Buffer) => Promise<Buffer>
  /** A new version wraps from now on; the old ones still unwrap. */
  readonly rotate: () => Promise<Status>
  /** Wipes what is in memory. */
  readonly close: () => Promise<void>
}

const FORM = 'rgk1'

export function wrappedText({ provider, kek, bytes }: Wrapped): string {
  return [FORM, encoded(provider), encoded(kek), bytes.toString('base64url')].join('.')
}

export function parseWrapped(text: string): Wrapped {
  const [form, provider = '', kek = '', bytes = '', ...more] = text.split('.')
  const parts = [provider, kek, bytes]
  if (form !== FORM || more.length > 0 || !parts.every((part) => /^[\w-]+$/.test(part))) {
    throw new CustodyError('FORMAT', 'not a wrapped key')
  }
  return { provider: decoded(provider), kek: decoded(kek), bytes: Buffer.from(bytes, 'base64url') }
}

/** A provider is asked for what it did not wrap: our mistake or a row that was tampered with. */
export function assertOwn(wrapped: Wrapped, id: string): void {
  if (wrapped.provider !== id) throw new CustodyError('UNKNOWN_PROVIDER', 'wrapped by another provider')
}

/** After unwrapping. */
export function asDataKey(bytes: Buffer): Buffer {
  if (bytes.length === DATA_KEY_BYTES) return bytes
  bytes.fill(0)
  throw new CustodyError('CORRUPT', 'what was wrapped is no data key')
}

function encoded(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64url')
}

function decoded(text: string): string {
  return Buffer.from(text, 'base64url').toString('utf8')
}
