// Names for those who must stay nameless: value ─HMAC (Keyed)→ 32 bytes ─encode→ a value that fits its VR.
//
// Invariants: same key and same value (padding aside) give the same result, on any machine and in any order; without
// the key nothing can be found by trying candidates; every kind of value has its own HMAC domain, so that an accession
// number equal to a patient ID does not get a related code. Whether a UID is well known is the caller's question.

import type { Uid } from '@roentgate/dicom'
import type { Keyed, PseudonymDomain } from './model.ts'

/** Crockford's base 32: no I, L, O, U, so that a code can be read aloud and typed. */
const BASE32 = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ'
/** PS3.5 Table 6.2-1: LO holds 64 characters. */
const MAX_LO = 64
/** 32 bytes hold 51 groups of five bits; the rest of LO is left to prefix, hyphens and check character. */
const MAX_CODE = 40
const MIN_CODE = 4
const GROUP = 5
/** 13 × 5 = 65 bits: a collision among 10⁸ values has a chance below 2⁻¹² (10¹⁶ / 2⁶⁶). */
const SHORT_CODE = 13
const PERSON_CODE = 8
const UNIT = '\u001f'

/**
 * PS3.5 B.2: '2.25.' and the decimal value of a UUID. 122 bits of the HMAC, shaped as a UUIDv8 (RFC 9562 5.8).
 * At most 44 characters; the version nibble is never at the top, but a decimal number has no leading zero anyway.
 */
export function pseudonymUid(keyed: Keyed, uid: string): Uid {
  const digest = keyed('uid', trimPadding(uid))
  let hex = '0x'
  for (let i = 0; i < 16; i++) {
    const byte = digest[i] ?? 0
    const shaped = i === 6 ? (byte & 0x0f) | 0x80 : i === 8 ? (byte & 0x3f) | 0x80 : byte
    hex += (shaped | 0x100).toString(16).slice(1)
  }
  return `2.25.${BigInt(hex)}` as Uid
}

export type PatientIdForm = {
  /** Written as it stands; letters, digits, '-' and '_' only, so that the code can name a folder. */
  readonly prefix: string
  /** How many base-32 characters. */
  readonly digits: number
  readonly check: boolean
}

/**
 * `RG-` + `7K3QF-9W2AB` + `-X`: base-32 characters in groups of five, then an ISO 7064 MOD 37,36 check character over
 * all letters and digits before it, the prefix included.
 *
 * Collisions: n characters are 5n bits; for p patients the chance of any collision is about p² / 2^(5n+1): with ten
 * characters and 100,000 patients 4·10⁻⁶, with six characters and 1,000 patients 5·10⁻⁴. The run's report counts
 * distinct patients, so a collision within a run shows.
 */
export function patientPseudonym(keyed: Keyed, idKey: string, form: PatientIdForm): string {
  if (!isPatientIdForm(form)) throw new RangeError('patient ID form: prefix or digits out of range')
  const code = base32(keyed('patient-id', idKey), form.digits)
  const body = form.prefix + grouped(code)
  return form.check ? `${body}-${checkCharacter(body)}` : body
}

/** A form whose every code fits LO and names a folder. */
export function isPatientIdForm(form: PatientIdForm): boolean {
  const { prefix, digits } = form
  if (!/^[A-Za-z0-9_-]*$/.test(prefix) || /^-/.test(prefix)) return false
  if (!Number.isInteger(digits) || digits < MIN_CODE || digits > MAX_CODE) return false
  return prefix.length + digits + Math.ceil(digits / GROUP) + 1 <= MAX_LO
}

/** Does the last character check the others (ISO 7064 MOD 37,36)? For people who type a code. */
export function hasValidCheck(pseudonym: string): boolean {
  const match = /^(.+)-([0-9A-Z])$/i.exec(pseudonym.trim())
  return match !== null && checkCharacter(match[1] ?? '') === (match[2] ?? '').toUpperCase()
}

export type PatientIdentity = {
  readonly patientId: string
  readonly issuer: string
  readonly name: string
  readonly birthDate: string
  /** The last resort: without ID, name and birth date a study is its own patient. */
  readonly studyUid: string
}

/**
 * One canonical string per patient. IDs that differ only in case, in runs of blanks, or in leading and trailing
 * padding are the same patient (isVariantId tells, for a note); IDs that differ in leading zeros are not, as
 * sites exist where they are two people. Equal IDs of two issuers are two patients. A blank ID falls back to name
 * and birth date together, and without both to the study, which may split a patient but never merges two.
 */
export function patientKey(identity: PatientIdentity): string {
  const id = canonical(identity.patientId)
  if (id !== '') return ['id', canonical(identity.issuer), id].join(UNIT)
  const name = canonicalName(identity.name)
  const birth = canonical(identity.birthDate).replace(/\D/g, '')
  if (name !== '' && birth !== '') return ['name', name, birth].join(UNIT)
  return ['study', trimPadding(identity.studyUid)].join(UNIT)
}

/** The ID as written is not its canonical form: other spellings of it fall together with it. */
export function isVariantId(patientId: string): boolean {
  return canonical(patientId) !== patientId
}

export type ShortRequest = {
  readonly domain: PseudonymDomain
  readonly value: string
  /** Of the VR: 16 for SH, AE and CS, 64 for LO and PN. */
  readonly maxLength: number
}

const LETTER: Readonly<Record<PseudonymDomain, string>> = {
  'patient-id': 'P',
  accession: 'A',
  'device-serial': 'D',
  'study-id': 'S',
  person: 'Person-',
  uid: 'U',
  'other-id': 'X',
}

/**
 * A code in capital letters and digits (plus 'Person-' for people), so that it fits SH, LO, CS, AE and PN; it begins
 * with a letter, so that nobody takes it for a number. A blank value stays blank.
 */
export function shortPseudonym(keyed: Keyed, request: ShortRequest): string {
  const value = request.domain === 'person' ? canonicalName(request.value) : canonical(request.value)
  if (value === '') return ''
  const letter = LETTER[request.domain]
  const lead = letter.length + MIN_CODE <= request.maxLength ? letter : letter.slice(0, 1)
  const wanted = request.domain === 'person' ? PERSON_CODE : SHORT_CODE
  const room = Math.max(0, Math.min(wanted, request.maxLength - lead.length))
  return (lead + base32(keyed(request.domain, value), room)).slice(0, request.maxLength)
}

/**
 * Whole days into the past, uniform in [-maxDays, -1], never 0: 32-bit words of the HMAC, those above the largest
 * multiple of maxDays refused, so that no day is likelier than another.
 */
export function dateOffsetDays(keyed: Keyed, idKey: string, maxDays: number): number {
  if (!Number.isInteger(maxDays) || maxDays < 1 || maxDays > 0xffff)
    throw new RangeError('maxDays out of range')
  const limit = Math.floor(0x1_0000_0000 / maxDays) * maxDays
  // A word is refused with a chance below 2⁻¹⁶; the loop ends in its first block for every real key.
  for (let block = 0; block < 256; block++) {
    const digest = keyed('date-offset', block === 0 ? idKey : `${idKey}${UNIT}${block}`)
    const view = new DataView(digest.buffer, digest.byteOffset, digest.byteLength)
    for (let at = 0; at + 4 <= view.byteLength; at += 4) {
      const word = view.getUint32(at)
      if (word < limit) return -(1 + (word % maxDays))
    }
  }
  throw new Error('keyed function is not pseudorandom')
}

function base32(digest: Uint8Array, length: number): string {
  let bits = 0
  let held = 0
  let at = 0
  let code = ''
  while (code.length < length) {
    if (held < 5) {
      bits = ((bits << 8) | (digest[at++] ?? 0)) & 0xfff
      held += 8
    }
    held -= 5
    code += BASE32.charAt((bits >> held) & 31)
  }
  return code
}

/** Groups of five, a rest of one or two joined to the group before it. */
function grouped(code: string): string {
  if (code.length < 2 * GROUP) return code
  return (code.match(/.{5}(?=.{3})|.{1,7}$/g) ?? []).join('-')
}

/** ISO 7064 MOD 37,36, hybrid system. */
function checkCharacter(body: string): string {
  let p = 36
  for (const character of body.toUpperCase()) {
    const value = ALPHANUMERIC.indexOf(character)
    if (value < 0) continue
    p = (p + value) % 36 || 36
    p = (p * 2) % 37
  }
  return ALPHANUMERIC.charAt((37 - p) % 36)
}

/** PS3.5 6.2: trailing NUL (UI) and leading or trailing spaces are padding. */
function trimPadding(value: string): string {
  return value.replace(/^[\0 ]+|[\0 ]+$/g, '')
}

function canonical(value: string): string {
  return value
    .normalize('NFKC')
    .toUpperCase()
    .replace(/[\0\s]+/g, ' ')
    .trim()
}

/** PN: trailing delimiters are not significant (PS3.5 6.2.1.1). */
function canonicalName(value: string): string {
  return canonical(value)
    .replace(/ ?([\^=]) ?/g, '$1')
    .replace(/[\^=]+$/, '')
}
