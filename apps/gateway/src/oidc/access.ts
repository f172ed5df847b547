// Access tokens at our doors:  header ─► signature by a key of ours ─► issuer, audience, time ─► bound to who shows it ─► alive
//
// Invariants: the algorithm is ours to choose; a token that is bound to nothing is refused, so that a stolen one is useless;
// a session that has ended, a person suspended, an app revoked end its tokens at their next use. Memory is bounded.

import { createHash, createPublicKey, type KeyObject, type X509Certificate } from 'node:crypto'
import { decodeProtectedHeader, type JWTPayload, jwtVerify } from 'jose'
import { z } from 'zod'
import type { Db } from '../db/database.ts'
import type { Limits } from '../identity/sessions.ts'
import { grantsOf } from '../policy/grants.ts'
import type { Subject } from '../policy/subject.ts'
import { thumbprintOf } from './certificate.ts'
import { clientOf } from './clients.ts'
import { consentOf, touchSession } from './consents.ts'
import { AccessError } from './errors.ts'
import type { Proofs } from './proofs.ts'
import { ALGORITHM, type SigningKey } from './signing.ts'

export type Presented = {
  readonly authorization: string | undefined
  readonly proof: string | undefined
  readonly method: string
  /** Of the request, without its query. */
  readonly url: string
  readonly certificate: X509Certificate | undefined
}
export type Doors = {
  readonly db: Db
  readonly issuer: string
  readonly audience: string
  readonly limits: Limits
  readonly keys: () => Promise<readonly SigningKey[]>
  readonly proofs: Proofs
}
export type Access = {
  /** Whose token it is, and what for. @throws AccessError */
  readonly subjectOf: (presented: Presented) => Promise<Subject>
  /** As long as it is alive, also once the token has expired: for an association, which shows it once. Each call looks
   * again what its owner may. @throws AccessError, also later */
  readonly holderOf: (presented: Presented) => Promise<() => Promise<Subject>>
}

const MAX_TOKEN = 8192
/** Seconds that clocks of several gateways may differ. */
const TOLERANCE_S = 5
const MAX_AGE = '15m'
const MAX_VERIFIED = 5000
const CLAIMS = z.object({
  sub: z.string(),
  client_id: z.string(),
  scope: z.string().default(''),
  exp: z.number(),
  grant: z.string().optional(),
  cnf: z.object({ jkt: z.string().optional(), 'x5t#S256': z.string().optional() }),
})
type Claims = z.infer<typeof CLAIMS>

export function openAccess(doors: Doors): Access {
  const verified = new Map<string, Claims>()
  const objects = new Map<string, KeyObject>()

  const keyOf = async (kid: string | undefined): Promise<KeyObject> => {
    const found = (await doors.keys()).find((key) => key.kid === kid)
    if (found === undefined) throw bad()
    const object = objects.get(found.kid) ?? publicOf(found)
    objects.set(found.kid, object)
    return object
  }

  const claimsOf = async (token: string): Promise<Claims> => {
    // Also of one that was verified: a key may have been dropped since.
    const key = await keyOf(kidOf(token))
    const id = createHash('sha256').update(token).digest('base64')
    const known = verified.get(id)
    if (known) {
      if (known.exp + TOLERANCE_S <= Date.now() / 1000) throw bad()
      return known
    }
    const claims = await verifiedClaims(token, doors, key)
    if (verified.size >= MAX_VERIFIED) verified.delete(verified.keys().next().value ?? '')
    verified.set(id, claims)
    return claims
  }

  const holderOf: Access['holderOf'] = async (presented) => {
    const { scheme, token } = tokenOf(presented)
    const claims = await claimsOf(token)
    await assertBound(claims, { presented, scheme, token, proofs: doors.proofs })
    return () => aliveOf(claims, doors)
  }
  return { holderOf, subjectOf: async (presented) => await (await holderOf(presented))() }
}

function bad(what = 'the token is not valid here, or not any more'): AccessError {
  return new AccessError('BAD_TOKEN', what)
}

function publicOf({ jwk }: SigningKey): KeyObject {
  const { d: _, ...open } = jwk
  return createPublicKey({ key: open as Record<string, string>, format: 'jwk' })
}

function tokenOf({ authorization }: Presented): {
  readonly scheme: 'dpop' | 'bearer'
  readonly token: string
} {
  if (authorization === undefined)
    throw new AccessError('NO_TOKEN', 'a token is wanted, in the Authorization header')
  const [, scheme = '', token = ''] = /^(dpop|bearer) ([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization) ?? []
  if (token === '' || token.length > MAX_TOKEN) throw bad()
  return { scheme: scheme.toLowerCase() as 'dpop' | 'bearer', token }
}

async function verifiedClaims(token: string, { issuer, audience }: Doors, key: KeyObject): Promise<Claims> {
  let payload: JWTPayload
  try {
    const options = {
      algorithms: [ALGORITHM],
      typ: 'at+jwt',
      issuer,
      audience,
      clockTolerance: TOLERANCE_S,
      maxTokenAge: MAX_AGE,
      requiredClaims: ['sub', 'exp', 'client_id', 'jti'],
    }
    payload = (await jwtVerify(token, key, options)).payload
  } catch {
    throw bad()
  }
  const parsed = CLAIMS.safeParse(payload)
  if (!parsed.success) throw bad('the token is bound to nothing: ask for one with a proof (RFC 9449)')
  return parsed.data
}

function kidOf(token: string): string | undefined {
  try {
    return decodeProtectedHeader(token).kid
  } catch {
    throw bad()
  }
}

type Showing = {
  readonly presented: Presented
  readonly scheme: 'dpop' | 'bearer'
  readonly token: string
  readonly proofs: Proofs
}

async function assertBound({ cnf }: Claims, { presented, scheme, token, proofs }: Showing): Promise<void> {
  const { 'x5t#S256': x5t, jkt } = cnf
  const { certificate, proof, method, url } = presented
  if (x5t !== undefined) {
    if (scheme !== 'bearer' || certificate === undefined || thumbprintOf(certificate) !== x5t)
      throw bad('the token is bound to another certificate than that of this connection')
  } else if (jkt !== undefined) {
    if (scheme !== 'dpop' || proof === undefined)
      throw new AccessError('BAD_PROOF', 'the token wants a proof, in the DPoP header')
    if ((await proofs.check({ proof, method, url, token, at: new Date() })) !== jkt)
      throw new AccessError('BAD_PROOF', 'the token is bound to another key than that of the proof')
  } else throw bad('the token is bound to nothing: ask for one with a proof (RFC 9449)')
}

async function aliveOf({ sub, client_id, scope, grant }: Claims, { db, limits }: Doors): Promise<Subject> {
  const scopes = scope.split(' ')
  if (grant === undefined) {
    const client = sub === client_id ? await clientOf(db, client_id) : undefined
    if (client === undefined) throw bad()
    return { kind: 'service', id: client.id, grants: await grantsOf(db, client.id), token: { scopes } }
  }
  const [consent, grants] = await Promise.all([consentOf(db, grant, limits), grantsOf(db, sub)])
  if (consent === undefined || consent.person !== sub || consent.client !== client_id) throw bad()
  const { patient, session, shownAt: at, methods, lastAt } = consent
  if (Date.now() - lastAt.getTime() > limits.idleMs / 30) await touchSession(db, session)
  return {
    kind: 'person',
    id: sub,
    grants,
    authentication: { at, methods },
    session,
    token: { scopes, ...(patient === undefined ? {} : { patient }) },
  }
}
