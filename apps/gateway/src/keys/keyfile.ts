// The passphrase provider's file: KEKs under a key that scrypt makes of the passphrase. Layout in docs/formats/store.md.
//
//   passphrase ─scrypt─► key 32 ‖ check 16      KEKs ─AES-256-GCM(key)─► JSON, replaced as a whole, mode 0600

import { scrypt } from 'node:crypto'
import { uuidBytes, uuidText } from '../archive/ids.ts'
import { aesUnwrap, aesWrap } from './aes-wrap.ts'
import { CustodyError } from './errors.ts'

const FORM = 'roentgate/1'
const DOMAIN = Buffer.from('roentgate key file v1', 'ascii')
export const KEK_BYTES = 32
const ID_BYTES = 16
const TIME_BYTES = 8
const ENTRY_BYTES = ID_BYTES + TIME_BYTES + KEK_BYTES
const CHECK_BYTES = 16
const NONCE_BYTES = 12
export const FILE_SALT_BYTES = 32
/** 128 MiB and about a third of a second a guess. */
export const SCRYPT = { n: 131_072, r: 8, p: 1 }
/** A file from elsewhere may not make us take more than a gigabyte. */
const MAX_N = 1 << 20
const MAX_R = 8
const MAX_P = 4
/** A key file of more versions than that is not ours: rotated daily it lasts a decade. */
const MAX_KEKS = 4096

export type ScryptCost = { readonly n: number; readonly r: number; readonly p: number }
export type Kek = { readonly id: string; readonly created: number; readonly key: Buffer }

export type KeyFile = {
  readonly id: string
  readonly cost: ScryptCost
  readonly salt: Buffer
  readonly check: Buffer
  /** nonce ‖ ciphertext ‖ tag */
  readonly sealed: Buffer
}

/** 32 bytes that open the file, and 16 that tell a wrong passphrase from a damaged file. */
export type FileKey = { readonly key: Buffer; readonly check: Buffer }

export async function deriveFileKey(passphrase: Buffer, salt: Buffer, cost: ScryptCost): Promise<FileKey> {
  const { n: N, r, p } = cost
  const normal = Buffer.from(passphrase.toString('utf8').normalize('NFC'), 'utf8')
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const options = { N, r, p, maxmem: 128 * N * r + 128 * r * p + (1 << 20) }
  scrypt(normal, salt, KEK_BYTES + CHECK_BYTES, options, (error, derived) =>
    error === null ? resolve(derived) : reject(error),
  )
  try {
    const derived = await promise
    return { key: derived.subarray(0, KEK_BYTES), check: derived.subarray(KEK_BYTES) }
  } finally {
    normal.fill(0)
  }
}

export type NewKeyFile = Pick<KeyFile, 'id' | 'cost' | 'salt'> & {
  readonly keks: readonly Kek[]
  /** Given by test vectors alone. */
  readonly nonce?: Buffer
}

export function sealKeyFile({ id, cost, salt, keks, nonce }: NewKeyFile, { key, check }: FileKey): KeyFile {
  const plain = Buffer.alloc(keks.length * ENTRY_BYTES)
  for (const [i, kek] of keks.entries()) {
    const at = i * ENTRY_BYTES
    uuidBytes(kek.id).copy(plain, at)
    plain.writeBigUInt64BE(BigInt(kek.created), at + ID_BYTES)
    kek.key.copy(plain, at + ID_BYTES + TIME_BYTES)
  }
  const sealed = aesWrap({ key, aad: aadOf({ id, cost, salt }) }, plain, nonce)
  plain.fill(0)
  return { id, cost, salt, check: Buffer.from(check), sealed }
}

export function openKeyFile(file: KeyFile, { key, check }: FileKey): readonly Kek[] {
  // Nothing secret is compared: the check is in the file.
  if (!file.check.equals(check)) throw new CustodyError('WRONG_PASSPHRASE', 'the passphrase is wrong')
  const plain = aesUnwrap({ key, aad: aadOf(file) }, file.sealed)
  const count = plain.length / ENTRY_BYTES
  if (!Number.isInteger(count) || count < 1) throw new CustodyError('FORMAT', 'a key file without keys')
  const keks = Array.from({ length: count }, (_, i): Kek => {
    const entry = plain.subarray(i * ENTRY_BYTES, (i + 1) * ENTRY_BYTES)
    return {
      id: uuidText(entry.subarray(0, ID_BYTES)),
      created: Number(entry.readBigUInt64BE(ID_BYTES)),
      key: Buffer.from(entry.subarray(ID_BYTES + TIME_BYTES)),
    }
  })
  plain.fill(0)
  return keks
}

export function keyFileText({ id, cost, salt, check, sealed }: KeyFile): string {
  const json = {
    keyfile: FORM,
    id,
    kdf: { name: 'scrypt', ...cost, salt: salt.toString('base64') },
    check: check.toString('base64'),
    nonce: sealed.subarray(0, NONCE_BYTES).toString('base64'),
    keks: sealed.subarray(NONCE_BYTES).toString('base64'),
  }
  return `${JSON.stringify(json, null, 2)}\n`
}

export function parseKeyFile(text: string): KeyFile {
  const json = record(parsed(text))
  const kdf = record(json?.kdf)
  const id = json?.id
  const known = json?.keyfile === FORM && kdf?.name === 'scrypt' && typeof id === 'string' && isId(id)
  if (!known || json === undefined || kdf === undefined) throw new CustodyError('FORMAT', 'not a key file')
  const { n, r, p } = kdf
  const cost = { n: within(n, MAX_N), r: within(r, MAX_R), p: within(p, MAX_P) }
  if ((cost.n & (cost.n - 1)) !== 0) throw new CustodyError('FORMAT', 'a key file with an impossible cost')
  const salt = base64(kdf.salt, FILE_SALT_BYTES)
  const check = base64(json.check, CHECK_BYTES)
  const sealed = Buffer.concat([base64(json.nonce, NONCE_BYTES), base64(json.keks)])
  return { id, cost, salt, check, sealed }
}

function aadOf({ id, cost, salt }: Pick<KeyFile, 'id' | 'cost' | 'salt'>): Buffer {
  const numbers = Buffer.alloc(12)
  numbers.writeUInt32BE(cost.n, 0)
  numbers.writeUInt32BE(cost.r, 4)
  numbers.writeUInt32BE(cost.p, 8)
  return Buffer.concat([DOMAIN, uuidBytes(id), salt, numbers])
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The cause would quote the text.
    throw new CustodyError('FORMAT', 'not a key file')
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}

function isId(id: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id)
}

function within(value: unknown, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) return value
  throw new CustodyError('FORMAT', 'a key file with an impossible cost')
}

function base64(value: unknown, length?: number): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0)
  const fits = length === undefined ? bytes.length <= MAX_KEKS * ENTRY_BYTES + 16 : bytes.length === length
  if (bytes.length === 0 || !fits)
    throw new CustodyError('FORMAT', 'a key file with a field of a wrong length')
  return bytes
}
