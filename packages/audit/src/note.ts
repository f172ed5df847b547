// Keys and signatures of a C2SP signed note (c2sp.org/signed-note), Ed25519 only.
//
//   text LF  LF  — name base64( key hash (4) ‖ signature (64) ) LF …      the signature is over "text LF"
//
// Who signs is a parameter: `sign` may be a key in memory, or a call into a hardware module.

import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { AuditError } from './errors.ts'
import { sha256 } from './sha256.ts'

export const MAX_NOTE = 65_536
/** What Go's note package allows; a note with more is an attack on patience. */
export const MAX_SIGNATURES = 100
const ED25519 = 1
const KEY_BYTES = 32
const KEY_HASH_BYTES = 4
const SIGNATURE_BYTES = 64
const PRIVATE = 'PRIVATE+KEY+'
/** RFC 8410: what stands before the 32 bytes in PKCS #8 and SubjectPublicKeyInfo. */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex')
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u
const NAME = /^[^\s+]{1,256}$/u

export type VerifierKey = {
  readonly name: string
  /** Key hash, hex. */
  readonly id: string
  readonly publicKey: Uint8Array
}

export type Signer = {
  readonly key: VerifierKey
  /** Ed25519 over these bytes, 64 bytes. */
  readonly sign: (message: Uint8Array) => Uint8Array
}

export function verifierKey(name: string, publicKey: Uint8Array): VerifierKey {
  if (!NAME.test(name) || publicKey.byteLength !== KEY_BYTES) throw badKey('a name without + and 32 bytes')
  return { name, id: keyHash(name, publicKey), publicKey: new Uint8Array(publicKey) }
}

/** `name+hash+base64(01 ‖ key)` */
export function formatVerifierKey({ name, id, publicKey }: VerifierKey): string {
  return `${name}+${id}+${Buffer.from([ED25519, ...publicKey]).toString('base64')}`
}

export function parseVerifierKey(text: string): VerifierKey {
  return parsedKey(text, (name, publicKey) => verifierKey(name, publicKey))
}

/** A signer over a seed in memory. */
export function seedSigner(name: string, seed: Uint8Array): Signer {
  const privateKey = privateKeyOf(seed)
  const key = verifierKey(name, publicBytes(privateKey))
  return { key, sign: (message) => sign(null, message, privateKey) }
}

/** `PRIVATE+KEY+name+hash+base64(01 ‖ seed)`: a secret. */
export function formatSigningKey(name: string, seed: Uint8Array): string {
  const { key } = seedSigner(name, seed)
  return `${PRIVATE}${key.name}+${key.id}+${Buffer.from([ED25519, ...seed]).toString('base64')}`
}

export function parseSigningKey(text: string): Signer {
  if (!text.startsWith(PRIVATE)) throw badKey('it does not begin as a signing key')
  let signer: Signer | undefined
  parsedKey(text.slice(PRIVATE.length), (name, seed) => {
    signer = seedSigner(name, seed)
    return signer.key
  })
  if (signer === undefined) throw badKey('no signer')
  return signer
}

/** One signature line with its LF. `signature` may come from anywhere; it is checked before it is written. */
export function signatureLine(text: string, key: VerifierKey, signature: Uint8Array): string {
  if (!isSignedBy(text, key, signature)) throw new AuditError('BAD_SIGNATURE', 'the signer signed otherwise')
  return `\u2014 ${key.name} ${Buffer.concat([Buffer.from(key.id, 'hex'), signature]).toString('base64')}\n`
}

export type OpenedNote = { readonly text: string; readonly signedBy: readonly VerifierKey[] }

/** Lines of unknown keys are skipped; one of a known key that does not verify refuses the note. */
export function openNote(note: string, keys: readonly VerifierKey[]): OpenedNote {
  if (Buffer.byteLength(note) > MAX_NOTE) throw new AuditError('LIMIT_CHECKPOINT', 'the note is too long')
  const split = note.lastIndexOf('\n\n')
  if (split < 1 || !note.endsWith('\n')) throw badNote('no empty line before the signatures')
  const text = note.slice(0, split + 1)
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > MAX_SIGNATURES) throw new AuditError('LIMIT_CHECKPOINT', 'too many signatures')
  const signedBy = new Set<VerifierKey>()
  for (const line of lines) {
    const key = checkedLine(line, text, keys)
    if (key !== undefined) signedBy.add(key)
  }
  return { text, signedBy: [...signedBy] }
}

function checkedLine(line: string, text: string, keys: readonly VerifierKey[]): VerifierKey | undefined {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? []
  if (name === undefined || encoded === undefined) throw badNote('a line that is no signature')
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.toString('base64') !== encoded || bytes.length <= KEY_HASH_BYTES) throw badNote('bad base64')
  const id = bytes.toString('hex', 0, KEY_HASH_BYTES)
  const key = keys.find((one) => one.name === name && one.id === id)
  if (key !== undefined && !isSignedBy(text, key, bytes.subarray(KEY_HASH_BYTES))) {
    throw new AuditError('BAD_SIGNATURE', 'a signature by a key that we know does not verify')
  }
  return key
}

function isSignedBy(text: string, key: VerifierKey, signature: Uint8Array): boolean {
  if (signature.byteLength !== SIGNATURE_BYTES) return false
  return verify(null, Buffer.from(text), publicKeyOf(key.publicKey), signature)
}

type MakeKey = (name: string, bytes: Uint8Array) => VerifierKey

/** The base64 of a key may itself hold +: the name and the hash may not. */
function parsedKey(text: string, make: MakeKey): VerifierKey {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})$/u.exec(text.trim()) ?? []
  if (name === undefined || encoded === undefined) throw badKey('it is not name+hash+key')
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length !== 1 + KEY_BYTES || bytes[0] !== ED25519) throw badKey('it is not of Ed25519')
  const key = make(name, bytes.subarray(1))
  if (key.id !== id) throw badKey('its hash is of another key')
  return key
}

function keyHash(name: string, publicKey: Uint8Array): string {
  const data = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ED25519]), publicKey])
  return sha256(data).toString('hex', 0, KEY_HASH_BYTES)
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  if (seed.byteLength !== KEY_BYTES) throw badKey('a seed has 32 bytes')
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' })
}

function publicKeyOf(bytes: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' })
}

function publicBytes(privateKey: KeyObject): Uint8Array {
  const spki = createPublicKey(privateKey).export({ format: 'der', type: 'spki' })
  return spki.subarray(SPKI_PREFIX.length)
}

function badKey(what: string): AuditError {
  return new AuditError('BAD_KEY', `not a key: ${what}`)
}

function badNote(what: string): AuditError {
  return new AuditError('BAD_CHECKPOINT', `not a signed note: ${what}`)
}
