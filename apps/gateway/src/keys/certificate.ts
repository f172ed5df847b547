// A certificate of destruction, for someone who does not trust us: which key went, when, on whose word, and where the
// ledger says so.   fields ─canonical JSON─► Ed25519 ─► text
//
// Adversary: whoever wants a destruction to have happened that did not, or on somebody else's word. What it cannot prove
// is that no copy of the key is left: that is what the custodian's and the backups' retention is for.

import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto'
import { isUuid, type KeyId } from '../archive/ids.ts'

const FORM = 'roentgate/destruction/1'
/** A certificate is a page; more is not ours. */
const MAX_TEXT = 65_536

export type Destruction = {
  readonly keyId: KeyId
  /** A keyed digest of the study's reference, hex. */
  readonly study: string
  /** ISO 8601, UTC. */
  readonly at: string
  readonly by: string
  /** Another account than `by`. */
  readonly second: string
  readonly reason: string
  readonly ledger: string
}

export type CertificateVerdict =
  | { readonly kind: 'valid'; readonly destruction: Destruction; readonly signer: string }
  | { readonly kind: 'unreadable' }
  /** Signed by a key that the verifier does not trust. */
  | { readonly kind: 'unknown-signer'; readonly signer: string }
  | { readonly kind: 'forged' }
  /** Signed, but says what no certificate may say. */
  | { readonly kind: 'invalid'; readonly field: string }

const FIELDS = ['keyId', 'study', 'at', 'by', 'second', 'reason', 'ledger'] as const
const ALL = new Set<string>([...FIELDS, 'certificate', 'signer', 'signature'])

/** A RangeError names the field that is wrong: one does not sign what would not verify. */
export function signCertificate(destruction: Destruction, privateKey: KeyObject): string {
  const field = wrongField(destruction)
  if (field !== undefined) throw new RangeError(`certificate: ${field} is not in form`)
  const body = {
    ...only(destruction),
    certificate: FORM,
    signer: signerOf(createPublicKey(privateKey)),
  }
  const signature = sign(null, Buffer.from(canonical(body), 'utf8'), privateKey).toString('base64')
  return canonical({ ...body, signature })
}

export function verifyCertificate(text: string, trusted: readonly KeyObject[]): CertificateVerdict {
  const fields = parse(text)
  if (fields === undefined) return { kind: 'unreadable' }
  const { signature = '', ...body } = fields
  const signer = body.signer ?? ''
  const key = trusted.find((one) => signerOf(one) === signer)
  if (key === undefined) return { kind: 'unknown-signer', signer }
  const signed = Buffer.from(canonical(body), 'utf8')
  const bytes = Buffer.from(signature, 'base64')
  // One spelling of a signature, too.
  if (bytes.toString('base64') !== signature || !verify(null, signed, key, bytes)) return { kind: 'forged' }
  const destruction = only(body as unknown as Destruction)
  const field = wrongField(destruction)
  if (field !== undefined) return { kind: 'invalid', field }
  return { kind: 'valid', destruction, signer }
}

/** RFC 8785 for an object of strings: keys by code unit, no white space; JSON.stringify escapes as it demands. */
export function canonical(fields: Readonly<Record<string, string>>): string {
  const keys = Object.keys(fields).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(fields[key])}`).join(',')}}`
}

/** Only the canonical text itself: another spelling of the same fields is not what was signed. */
function parse(text: string): Readonly<Record<string, string>> | undefined {
  if (text.length > MAX_TEXT) return undefined
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return undefined
  }
  if (typeof json !== 'object' || json === null) return undefined
  const fields = json as Readonly<Record<string, unknown>>
  const names = Object.keys(fields)
  const known = names.length === ALL.size && names.every((name) => ALL.has(name))
  if (!known || !Object.values(fields).every((value) => typeof value === 'string')) return undefined
  const strings = fields as Readonly<Record<string, string>>
  return strings.certificate === FORM && canonical(strings) === text.trimEnd() ? strings : undefined
}

function wrongField(destruction: Destruction): string | undefined {
  const { keyId, study, at, by, second } = destruction
  if (!isUuid(keyId)) return 'keyId'
  if (!/^[0-9a-f]{64}$/.test(study)) return 'study'
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z$/.test(at) || Number.isNaN(Date.parse(at))) return 'at'
  if (second === by) return 'second'
  return FIELDS.find((field) => destruction[field] === '' || !destruction[field].isWellFormed())
}

function only(destruction: Destruction): Destruction {
  const { keyId, study, at, by, second, reason, ledger } = destruction
  return { keyId, study, at, by, second, reason, ledger }
}

/** SHA-256 of the public key's SPKI, hex. */
export function signerOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}
