// Signing in at another OpenID provider (Entra, Keycloak, Okta …), found by discovery:
//
//   page ─► their authorization, with PKCE, state and nonce ─► back with a code ─► ID token, checked ─► a person of ours
//
// Invariants: who comes in was invited here by the user ID that they have there; the first time binds that account to the
// person, and from then on the account counts, not its name. Without a second factor there, one is shown here. Metadata and
// keys are fetched for each sign-in: a key that was replaced counts at once. A provider that does not answer leaves those
// with a password of ours their way in.

import type { Selectable } from 'kysely'
import * as oidc from 'openid-client'
import { type Db, transact } from '../db/database.ts'
import type { IdentityProviders } from '../db/schema.ts'
import { appendEvents } from '../ledger/append.ts'
import { IdentityError } from './errors.ts'
import { newToken } from './secrets.ts'
import { beginElsewhere, type Client, refusedElsewhere, type Store, steppedUpElsewhere } from './sessions.ts'

export type Elsewhere = Selectable<IdentityProviders>
export type NewElsewhere = {
  readonly id: string
  readonly name: string
  readonly issuer: string
  readonly clientId: string
  readonly secret?: string
  /** Of the ID token: what is the user ID here. `email@hospital.example`: the part before @, of that domain alone. */
  readonly idClaim: string
  /** What amr and acr say where a second factor was shown there (RFC 8176). */
  readonly mfaAmr: readonly string[]
  readonly mfaAcr: readonly string[]
}

const TIMEOUT_S = 10
const FLOW_MS = 10 * 60_000
const CLAIM = /^[\w:/.-]{1,100}(?:@[a-z0-9.-]{1,253})?$/
const USER_ID = /^[a-z][a-z0-9._-]{1,62}[a-z0-9]$/
/** Methods of RFC 8176 that go into a session as they are. */
const METHOD = /^[a-z]{2,12}$/

function cell(id: string, column: 'secret' | 'flow') {
  return { table: 'identity_providers', column, row: id } as const
}

/** In place of the one of that id. @throws IdentityError BAD_CLIENT */
export async function setElsewhere({ db, columns }: Store, one: NewElsewhere, by: string): Promise<void> {
  const { id, name, issuer, clientId, secret, idClaim, mfaAmr, mfaAcr } = one
  if (!/^[a-z0-9][a-z0-9-]{0,30}$/.test(id)) throw bad('an id has small letters, digits and lines: entra')
  if (name.trim() === '' || name.length > 60) throw bad('a name has 1 to 60 characters')
  if (!isReachable(issuer)) throw bad('an issuer is https://…, as its discovery document says it')
  if (!CLAIM.test(idClaim)) throw bad('a claim is its name, or NAME@DOMAIN')
  if (mfaAmr.length + mfaAcr.length === 0)
    throw bad('say how a second factor shows in its tokens: --mfa-amr mfa, or --mfa-acr VALUE')
  const row = {
    name,
    issuer,
    client_id: clientId,
    secret_cipher: secret === undefined ? null : columns.seal(cell(id, 'secret'), secret),
    id_claim: idClaim,
    mfa_amr: [...mfaAmr],
    mfa_acr: [...mfaAcr],
    created_by: by,
  }
  await transact(db, async (tx) => {
    await tx
      .insertInto('identity_providers')
      .values({ id, ...row })
      .onConflict((on) => on.column('id').doUpdateSet(row))
      .execute()
    await appendEvents(tx, [changed(by, id, 'set')], new Date())
  })
}

/** Those who signed in there alone get in no more, until they are recovered here. @throws IdentityError NO_CLIENT */
export async function removeElsewhere(db: Db, id: string, by: string): Promise<void> {
  await transact(db, async (tx) => {
    const gone = await tx.deleteFrom('identity_providers').where('id', '=', id).returning('id').execute()
    if (gone.length === 0) throw new IdentityError('NO_CLIENT', 'there is no provider of this id')
    await tx.deleteFrom('people_elsewhere').where('provider', '=', id).execute()
    await appendEvents(tx, [changed(by, id, 'removed')], new Date())
  })
}

export async function listElsewhere(db: Db): Promise<readonly Elsewhere[]> {
  return await db.selectFrom('identity_providers').selectAll().orderBy('id').execute()
}

function bad(what: string): IdentityError {
  return new IdentityError('BAD_CLIENT', what)
}

function changed(by: string, id: string, status: string) {
  return {
    event: 'config-changed',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [],
    detail: { setting: `identity provider ${id}`, status },
  } as const
}

/** In the clear to this machine alone. */
function isReachable(issuer: string): boolean {
  const url = URL.parse(issuer)
  if (url?.search !== '' || url.hash !== '' || url.username !== '') return false
  return url.protocol === 'https:' || isHere(url)
}

function isHere({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && (hostname === '127.0.0.1' || hostname === 'localhost')
}

type Flow = {
  readonly provider: string
  readonly verifier: string
  readonly state: string
  readonly nonce: string
  readonly waits: string
  /** Of a session that wants its factors shown once more. */
  readonly session?: string
  readonly until: number
}
export type Begun = { readonly url: string /** For a cookie. */; readonly flow: string }
export type Beginning = {
  readonly provider: string
  /** Of ours, where they come back to. */
  readonly redirect: string
  readonly waits?: string
  readonly session?: string
}

/** @throws IdentityError ELSEWHERE where the provider does not answer */
export async function beginThere({ db, columns }: Store, beginning: Beginning): Promise<Begun> {
  const { provider, redirect, waits = '', session } = beginning
  const row = await elsewhereOf(db, provider)
  const config = await configOf({ db, columns }, row)
  const verifier = oidc.randomPKCECodeVerifier()
  const flow: Flow = {
    provider,
    verifier,
    state: newToken(),
    nonce: newToken(),
    waits,
    ...(session ? { session } : {}),
    until: Date.now() + FLOW_MS,
  }
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirect,
    scope: 'openid profile email',
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state: flow.state,
    nonce: flow.nonce,
    ...(row.mfa_acr.length > 0 ? { acr_values: row.mfa_acr.join(' ') } : {}),
    ...(session ? { prompt: 'login', max_age: '0' } : {}),
  })
  const sealed = columns.seal(cell('', 'flow'), JSON.stringify(flow))
  return { url: url.href, flow: sealed.toString('base64url') }
}

async function elsewhereOf(db: Db, id: string): Promise<Elsewhere> {
  const row = await db.selectFrom('identity_providers').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) throw new IdentityError('ELSEWHERE', 'there is no such place to sign in')
  return row
}

async function configOf({ columns }: Store, row: Elsewhere): Promise<oidc.Configuration> {
  const { id, issuer, client_id, secret_cipher } = row
  const url = new URL(issuer)
  const auth =
    secret_cipher === null
      ? oidc.None()
      : oidc.ClientSecretPost(columns.open(cell(id, 'secret'), secret_cipher))
  const execute = [oidc.enableNonRepudiationChecks, ...(isHere(url) ? [oidc.allowInsecureRequests] : [])]
  try {
    return await oidc.discovery(url, client_id, undefined, auth, { execute, timeout: TIMEOUT_S })
  } catch {
    throw new IdentityError(
      'ELSEWHERE',
      'the place to sign in does not answer: try again, or use a password of this site',
    )
  }
}

function flowOf({ columns }: Store, sealed: string | undefined): Flow {
  try {
    const flow = JSON.parse(columns.open(cell('', 'flow'), Buffer.from(sealed ?? '', 'base64url'))) as Flow
    if (flow.until > Date.now()) return flow
  } catch {
    // As one that is too old.
  }
  throw new IdentityError('ELSEWHERE', 'it took too long: start again')
}

export type Return = Client & {
  /** Of the cookie. */
  readonly flow: string | undefined
  /** As the browser asked for it, whole. */
  readonly url: URL
}
export type Come =
  | { readonly kind: 'session' | 'pending'; readonly token: string; readonly waits: string }
  | { readonly kind: 'step-up' }

/** @throws IdentityError ELSEWHERE */
export async function comeBack(store: Store, { flow: sealed, url, ...client }: Return): Promise<Come> {
  const flow = flowOf(store, sealed)
  const row = await elsewhereOf(store.db, flow.provider)
  const claims = await claimsOf(store, { row, flow, url })
  const methods = methodsOf(row, claims)
  const person = await personOf(store, { row, claims, address: client.address })
  const at = new Date((claims.auth_time ?? claims.iat) * 1000)
  const isWhole = methods.includes('mfa')
  if (flow.session !== undefined) {
    if (!isWhole) throw await refusal(store, { person, address: client.address })
    await steppedUpElsewhere(store, { session: flow.session, person, at, address: client.address })
    return { kind: 'step-up' }
  }
  if (!isWhole && !(await hasSecond(store.db, person)))
    throw await refusal(store, { person, address: client.address })
  const token = await beginElsewhere(store, { person, methods, at, ...client })
  return { kind: isWhole ? 'session' : 'pending', token, waits: flow.waits }
}

async function refusal(store: Store, attempt: { readonly person: string; readonly address: string }) {
  await refusedElsewhere(store, attempt)
  return new IdentityError(
    'ELSEWHERE',
    'you signed in there with one factor alone: set up a second one there, or ask for an invitation here',
  )
}

type Answer = { readonly row: Elsewhere; readonly flow: Flow; readonly url: URL }

async function claimsOf(store: Store, { row, flow, url }: Answer): Promise<oidc.IDToken> {
  const config = await configOf(store, row)
  try {
    const tokens = await oidc.authorizationCodeGrant(config, url, {
      pkceCodeVerifier: flow.verifier,
      expectedState: flow.state,
      expectedNonce: flow.nonce,
      idTokenExpected: true,
      ...(flow.session ? { maxAge: FLOW_MS / 1000 } : {}),
    })
    const claims = tokens.claims()
    if (claims) return claims
  } catch {
    // Whatever it was: nobody came in, and the page says how to go on.
  }
  throw new IdentityError('ELSEWHERE', 'signing in there did not work: start again')
}

function methodsOf({ mfa_amr, mfa_acr }: Elsewhere, { amr, acr }: oidc.IDToken): readonly string[] {
  const said = Array.isArray(amr) ? amr.filter((one): one is string => typeof one === 'string') : []
  const isWhole =
    said.some((one) => mfa_amr.includes(one)) || (typeof acr === 'string' && mfa_acr.includes(acr))
  const known = said.filter((one) => one !== 'mfa' && METHOD.test(one))
  return ['ext', ...known, ...(isWhole ? ['mfa'] : [])]
}

type Whose = { readonly row: Elsewhere; readonly claims: oidc.IDToken; readonly address: string }

async function personOf(store: Store, { row, claims, address }: Whose): Promise<string> {
  const { db } = store
  const bound = await db
    .selectFrom('people_elsewhere as e')
    .innerJoin('people as p', 'p.id', 'e.person')
    .select(['e.person', 'p.state'])
    .where('e.provider', '=', row.id)
    .where('e.subject', '=', claims.sub)
    .executeTakeFirst()
  if (bound?.state === 'active') return bound.person
  const id = bound ? undefined : userIdOf(row, claims)
  const person =
    id === undefined ? undefined : await bind(db, { provider: row.id, subject: claims.sub, person: id })
  if (person !== undefined) return person
  await refusedElsewhere(store, { person: id ?? 'unknown', address })
  throw new IdentityError('ELSEWHERE', 'nobody was invited here who has this account: ask for an invitation')
}

/** Of a claim that is there, of the domain that was set, and not of an address that nobody confirmed. */
function userIdOf({ id_claim }: Elsewhere, claims: oidc.IDToken): string | undefined {
  const [name = '', domain] = id_claim.split('@')
  const value = claims[name]
  if (typeof value !== 'string' || (name === 'email' && claims.email_verified === false)) return undefined
  const plain = value.toLowerCase()
  const end = domain === undefined ? '' : `@${domain}`
  const id = plain.endsWith(end) ? plain.slice(0, plain.length - end.length) : ''
  return USER_ID.test(id) ? id : undefined
}

type Binding = { readonly provider: string; readonly subject: string; readonly person: string }

/** Undefined: there is nobody to bind, or they have another account there already. */
async function bind(db: Db, { provider, subject, person }: Binding): Promise<string | undefined> {
  return await transact(db, async (tx) => {
    const row = await tx
      .selectFrom('people')
      .select('state')
      .where('id', '=', person)
      .forUpdate()
      .executeTakeFirst()
    const other = await tx
      .selectFrom('people_elsewhere')
      .select('subject')
      .where('provider', '=', provider)
      .where('person', '=', person)
      .executeTakeFirst()
    // Who has a password here is not taken over by a name there.
    const own = await tx
      .selectFrom('passwords')
      .select('person')
      .where('person', '=', person)
      .executeTakeFirst()
    const isOpen = row?.state === 'invited' || (row?.state === 'active' && own === undefined)
    if (!isOpen || other !== undefined) return undefined
    await tx.insertInto('people_elsewhere').values({ provider, subject, person }).execute()
    await tx.updateTable('people').set({ state: 'active' }).where('id', '=', person).execute()
    await tx.deleteFrom('one_time_links').where('person', '=', person).where('used_at', 'is', null).execute()
    const event = {
      event: 'account-changed',
      action: 'E',
      outcome: 'success',
      actor: { kind: 'person', id: person },
      objects: [],
      detail: { subject: person, status: 'bound', rule: provider },
    } as const
    await appendEvents(tx, [event], new Date())
    return person
  })
}

async function hasSecond(db: Db, person: string): Promise<boolean> {
  return (
    (await db.selectFrom('totp').select('person').where('person', '=', person).executeTakeFirst()) !==
    undefined
  )
}
