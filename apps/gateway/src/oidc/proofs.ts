// Proofs of possession (DPoP, RFC 9449): a token that is bound to a key is of no use to who has the token alone.
//
//   proof ─► typ, algorithm, key ─► signature ─► this method, this address, this token, now ─► not seen before
//
// Memory is bounded: proofs of the last minute are remembered by 16 bytes of a hash, of two generations; when there are more
// than fit, further ones are refused and not forgotten.

import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { AccessError } from './errors.ts'

export type Proof = {
  readonly proof: string
  readonly method: string
  /** Without query and fragment (RFC 9449 4.3). */
  readonly url: string
  readonly token: string
  readonly at: Date
}
export type Proofs = {
  /** The RFC 7638 thumbprint of its key. @throws AccessError BAD_PROOF, BUSY */
  readonly check: (proof: Proof) => Promise<string>
}

const MAX_PROOF = 4096
/** A clock that is late, and one that is early. */
const MAX_AGE_S = 60
const AHEAD_S = 10
const GENERATION_MS = (MAX_AGE_S + AHEAD_S) * 1000
const MAX_JTI = 256
const SEEN_BYTES = 16
const MAX_KEYS = 5000
const ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519']

type Held = { readonly key: KeyObject; readonly thumbprint: string }

/** `remembers`: proofs of a generation, some 100 bytes each. */
export function openProofs(remembers = 150_000): Proofs {
  const state = { began: 0, now: new Set<string>(), before: new Set<string>() }
  const keys = new Map<string, Held>()

  function turn(at: number): void {
    if (at - state.began < GENERATION_MS) return
    state.before = at - state.began < 2 * GENERATION_MS ? state.now : new Set()
    state.now = new Set()
    state.began = at
  }

  function remember(id: string, at: number): void {
    turn(at)
    if (state.now.has(id) || state.before.has(id)) throw bad('this proof was used already')
    if (state.now.size >= remembers)
      throw new AccessError('BUSY', 'too many requests at once: try again in a minute')
    state.now.add(id)
  }

  function heldOf(proof: string): Held {
    const { jwk, typ, alg } = headerOf(proof)
    if (typ !== 'dpop+jwt' || alg === undefined || !ALGORITHMS.includes(alg))
      throw bad('the proof is not one')
    const canonical = canonicalOf(jwk)
    const held = keys.get(canonical)
    if (held) return held
    const made = { key: keyOf(jwk), thumbprint: createHash('sha256').update(canonical).digest('base64url') }
    if (keys.size >= MAX_KEYS) keys.delete(keys.keys().next().value ?? '')
    keys.set(canonical, made)
    return made
  }

  return {
    check: async ({ proof, method, url, token, at }) => {
      if (proof.length > MAX_PROOF) throw bad('the proof is too long')
      const { key, thumbprint } = heldOf(proof)
      const payload = await payloadOf(proof, key)
      const { jti, htm, htu, ath, iat = 0 } = payload
      const age = at.getTime() / 1000 - iat
      if (age > MAX_AGE_S || age < -AHEAD_S) throw bad('the proof is not of now')
      if (htm !== method || bare(htu) !== url) throw bad('the proof is for another request')
      if (ath !== createHash('sha256').update(token).digest('base64url'))
        throw bad('the proof is for another token')
      if (typeof jti !== 'string' || jti === '' || jti.length > MAX_JTI) throw bad('the proof has no id')
      const seen = createHash('sha256').update(`${thumbprint} ${jti}`).digest().subarray(0, SEEN_BYTES)
      remember(seen.toString('latin1'), at.getTime())
      return thumbprint
    },
  }
}

function bad(what: string): AccessError {
  return new AccessError('BAD_PROOF', what)
}

function headerOf(proof: string) {
  try {
    return decodeProtectedHeader(proof)
  } catch {
    throw bad('the proof is not one')
  }
}

/** RFC 7638: the members that make the key, in the order of their names. */
function canonicalOf(jwk: unknown): string {
  const { kty, crv, x, y, d } = (typeof jwk === 'object' ? (jwk ?? {}) : {}) as Record<string, unknown>
  if (d !== undefined) throw bad('a proof has a public key')
  if (kty === 'EC' && crv === 'P-256' && typeof x === 'string' && typeof y === 'string')
    return JSON.stringify({ crv, kty, x, y })
  if (kty === 'OKP' && crv === 'Ed25519' && typeof x === 'string') return JSON.stringify({ crv, kty, x })
  throw bad('the key of a proof is EC on P-256, or Ed25519')
}

function keyOf(jwk: unknown): KeyObject {
  try {
    return createPublicKey({ key: jwk as Record<string, string>, format: 'jwk' })
  } catch {
    throw bad('the key of the proof is none')
  }
}

async function payloadOf(proof: string, key: KeyObject) {
  try {
    return (await jwtVerify(proof, key, { algorithms: ALGORITHMS, typ: 'dpop+jwt', clockTolerance: AHEAD_S }))
      .payload
  } catch {
    throw bad('the proof is not signed by its key')
  }
}

function bare(htu: unknown): string | undefined {
  const url = typeof htu === 'string' ? URL.parse(htu) : null
  return url ? `${url.origin}${url.pathname}` : undefined
}
