// Sessions, on the server:  password ─► a token that opens the second step alone ─► second factor ─► a new token
//
//   idle 15 minutes, 12 hours in all ─► over            ended one by one, or all of a person at once
//   another browser ─► over, and an alert               another address ─► a second factor again for what wants one
//
// The browser has a random token, the database its hash. Nothing about a session is in the token.

import type { Columns } from '../archive/index/columns.ts'
import { uuid7 } from '../archive/index/uuid.ts'
import { type Db, transact } from '../db/database.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import type { Grant, Subject } from '../policy/subject.ts'
import { type Attempt, assertMayTry, failed, succeeded } from './attempts.ts'
import { IdentityError } from './errors.ts'
import { isPassword } from './passwords.ts'
import { showSecond } from './second-factor.ts'
import { newToken, tokenHash } from './secrets.ts'

export type Limits = { readonly idleMs: number; readonly absoluteMs: number }
export const LIMITS: Limits = { idleMs: 15 * 60_000, absoluteMs: 12 * 3_600_000 }
/** Between password and second factor. */
const PENDING_MS = 5 * 60_000
/** Each use would be a write. */
const TOUCH_MS = 30_000
const MAX_AGENT = 200
const LONG_AGO = new Date(0)

export type Client = { readonly address: string; readonly agent: string }
export type Signing = Client & { readonly person: string; readonly password: string }
export type Store = { readonly db: Db; readonly columns: Columns }

/** A token for the second step. @throws IdentityError REFUSED, WAIT */
export async function showPassword({ db }: Store, { person, password, ...client }: Signing): Promise<string> {
  const at = new Date()
  const attempt = { person, address: client.address }
  await assertMayTry(db, attempt, at)
  const row = await db
    .selectFrom('people')
    .innerJoin('passwords', 'person', 'id')
    .select(['hash', 'state'])
    .where('id', '=', person)
    .executeTakeFirst()
  const isRight = await isPassword(row?.hash, password)
  if (!isRight || row?.state !== 'active') return await refuse(db, attempt, at)
  return await begin(db, { person, methods: ['pwd'], at, client })
}

async function refuse(db: Db, attempt: Attempt, at: Date): Promise<never> {
  await failed(db, attempt, at)
  await record(db, loginEvent(attempt, 'minor', 'refused'))
  throw new IdentityError('REFUSED', 'user ID, password or code is not right')
}

function loginEvent({ person, address }: Attempt, outcome: NewEvent['outcome'], status: string): NewEvent {
  return {
    event: 'login',
    action: 'E',
    outcome,
    actor: { kind: 'person', id: person, address },
    objects: [],
    detail: { status },
  }
}

async function record(db: Db, event: NewEvent): Promise<void> {
  await transact(db, (tx) => appendEvents(tx, [event], new Date()))
}

type Beginning = {
  readonly person: string
  readonly methods: readonly string[]
  readonly at: Date
  readonly client: Client
  /** Of the factors, where that was not here and now. */
  readonly shownAt?: Date
}

async function begin(db: Db, { person, methods, at, client, shownAt = at }: Beginning): Promise<string> {
  const token = newToken()
  await db
    .insertInto('sessions')
    .values({
      id: uuid7(at.getTime()),
      hash: tokenHash(token) ?? Buffer.alloc(0),
      person,
      begun_at: at,
      last_at: at,
      shown_at: shownAt,
      methods: [...methods],
      address: client.address,
      agent: agentOf(client),
    })
    .execute()
  return token
}

/** As it is kept. */
function agentOf({ agent }: Pick<Client, 'agent'>): string {
  return agent.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_AGENT)
}

export type Shown = Client & { readonly token: string | undefined; readonly show: Show }
/** Of the person of a session: how a second factor was shown; undefined: it was not. */
export type Show = (of: { readonly person: string; readonly session: string }) => Promise<string | undefined>

/** A code of an app, or for recovery. */
export function byCode({ db, columns }: Store, code: string): Show {
  return ({ person }) => transact(db, (tx) => showSecond(tx, columns, { person, code }))
}

/** Whose password was shown, a moment ago. @throws IdentityError REFUSED */
export async function pendingOf(
  db: Db,
  token: string | undefined,
): Promise<{ readonly person: string; readonly session: string }> {
  const row = await rowOf(db, token)
  const isPending =
    row !== undefined && !row.methods.includes('mfa') && Date.now() - row.begun_at.getTime() < PENDING_MS
  if (!isPending) throw new IdentityError('REFUSED', 'sign in again: it took too long')
  return { person: row.person, session: row.id }
}

/** The token of a session, another one than that of the first step. @throws IdentityError REFUSED, WAIT */
export async function finishSignIn({ db }: Store, { token, show, ...client }: Shown): Promise<string> {
  const at = new Date()
  const { person, session } = await pendingOf(db, token)
  const attempt = { person, address: client.address }
  await assertMayTry(db, attempt, at)
  const how = await show({ person, session })
  if (how === undefined) return await refuse(db, attempt, at)
  await end(db, session)
  await succeeded(db, attempt, at)
  const whole = await begin(db, { person, methods: ['pwd', how, 'mfa'], at, client })
  await record(db, loginEvent(attempt, 'success', how))
  return whole
}

/** A second factor, once more, for what wants a fresh one. @throws IdentityError REFUSED, WAIT */
export async function stepUp(
  { db }: Store,
  { token, show, address }: Omit<Shown, 'agent'>,
  limits = LIMITS,
): Promise<void> {
  const at = new Date()
  const session = await liveRow(db, token, limits)
  if (session === undefined) throw new IdentityError('REFUSED', 'sign in again')
  const attempt = { person: session.person, address }
  await assertMayTry(db, attempt, at)
  const how = await show({ person: session.person, session: session.id })
  if (how === undefined) return await refuse(db, attempt, at)
  await db.updateTable('sessions').set({ shown_at: at, last_at: at }).where('id', '=', session.id).execute()
  await record(db, loginEvent(attempt, 'success', 'step-up'))
}

export type FromElsewhere = Client & {
  readonly person: string
  /** As the other provider said it: amr. */
  readonly methods: readonly string[]
  /** When they showed who they are, there. */
  readonly at: Date
}

/** Of one whom another provider knows. With `mfa` among the methods it is a session; without, a second factor is to be
 * shown here. */
export async function beginElsewhere(
  { db }: Store,
  { person, methods, at, ...client }: FromElsewhere,
): Promise<string> {
  const token = await begin(db, { person, methods, at: new Date(), client, shownAt: at })
  const attempt = { person, address: client.address }
  if (methods.includes('mfa')) await succeeded(db, attempt, new Date())
  await record(
    db,
    loginEvent(attempt, 'success', methods.includes('mfa') ? 'elsewhere' : 'elsewhere, second wanted'),
  )
  return token
}

/** Shown once more, elsewhere. @throws IdentityError REFUSED */
export async function steppedUpElsewhere(
  { db }: Store,
  { session, person, at, address }: { session: string; person: string; at: Date; address: string },
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('sessions')
    .set({ shown_at: at, last_at: new Date() })
    .where('id', '=', session)
    .where('person', '=', person)
    .where('ended_at', 'is', null)
    .executeTakeFirst()
  if (numUpdatedRows === 0n) throw new IdentityError('REFUSED', 'sign in again')
  await record(db, loginEvent({ person, address }, 'success', 'step-up'))
}

/** Somebody whom another provider sent, and who does not come in. */
export async function refusedElsewhere({ db }: Store, attempt: Attempt): Promise<void> {
  await record(db, loginEvent(attempt, 'minor', 'refused'))
}

async function rowOf(db: Db, token: string | undefined) {
  const hash = tokenHash(token)
  if (hash === undefined) return undefined
  return await db
    .selectFrom('sessions')
    .innerJoin('people', 'people.id', 'person')
    .select(['sessions.id', 'person', 'begun_at', 'last_at', 'shown_at', 'methods', 'address', 'agent'])
    .where('hash', '=', hash)
    .where('ended_at', 'is', null)
    .where('state', '=', 'active')
    .executeTakeFirst()
}

async function liveRow(db: Db, token: string | undefined, { idleMs, absoluteMs }: Limits) {
  const row = await rowOf(db, token)
  const now = Date.now()
  if (row === undefined || !row.methods.includes('mfa')) return undefined
  if (now - row.begun_at.getTime() < absoluteMs && now - row.last_at.getTime() < idleMs) return row
  await end(db, row.id)
  return undefined
}

export type Looking = {
  /** Of the policy. */
  readonly grantsOf: (person: string) => Promise<readonly Grant[]>
  readonly limits?: Limits
  /** Who asks now; absent: it is not looked at. */
  readonly client?: Client
}

/** Who has this token now; undefined: nobody. */
export async function whoIs(
  { db }: Store,
  token: string | undefined,
  { grantsOf, limits = LIMITS, client }: Looking,
): Promise<Extract<Subject, { kind: 'person' }> | undefined> {
  const row = await liveRow(db, token, limits)
  if (row === undefined) return undefined
  if (client && agentOf(client) !== row.agent) {
    await stolen(db, row, client)
    return undefined
  }
  // Whoever goes from room to room goes on; what wants a fresh factor wants it at the new place.
  const hasMoved = client !== undefined && client.address !== row.address
  if (hasMoved)
    await db
      .updateTable('sessions')
      .set({ address: client.address, shown_at: LONG_AGO, last_at: new Date() })
      .where('id', '=', row.id)
      .execute()
  else if (Date.now() - row.last_at.getTime() > TOUCH_MS)
    await db.updateTable('sessions').set({ last_at: new Date() }).where('id', '=', row.id).execute()
  const at = hasMoved ? LONG_AGO : row.shown_at
  return {
    kind: 'person',
    id: row.person,
    grants: await grantsOf(row.person),
    authentication: { at, methods: row.methods },
    session: row.id,
  }
}

/** A browser does not become another one: its cookie was taken. */
async function stolen(
  db: Db,
  { id, person }: { readonly id: string; readonly person: string },
  { address }: Client,
): Promise<void> {
  await end(db, id)
  await record(db, {
    event: 'user-security-changed',
    action: 'E',
    outcome: 'serious',
    actor: { kind: 'person', id: person, address },
    objects: [],
    detail: { subject: person, status: 'session used by another browser' },
  })
}

async function end(db: Db, id: string): Promise<void> {
  await db.updateTable('sessions').set({ ended_at: new Date() }).where('id', '=', id).execute()
}

/** By its own token: sign out. */
export async function signOut({ db }: Store, token: string | undefined, address: string): Promise<void> {
  const row = await rowOf(db, token)
  if (row === undefined) return
  await end(db, row.id)
  const actor = { kind: 'person', id: row.person, address } as const
  await record(db, { event: 'logout', action: 'E', outcome: 'success', actor, objects: [], detail: {} })
}

export type OpenSession = {
  readonly id: string
  readonly address: string
  readonly agent: string
  readonly begunAt: Date
  readonly lastAt: Date
}

/** Those of a person that are open. */
export async function sessionsOf(
  { db }: Store,
  person: string,
  { idleMs, absoluteMs } = LIMITS,
): Promise<readonly OpenSession[]> {
  const now = Date.now()
  const rows = await db
    .selectFrom('sessions')
    .select(['id', 'address', 'agent', 'begun_at', 'last_at', 'methods'])
    .where('person', '=', person)
    .where('ended_at', 'is', null)
    .where('begun_at', '>', new Date(now - absoluteMs))
    .where('last_at', '>', new Date(now - idleMs))
    .orderBy('begun_at')
    .execute()
  return rows
    .filter(({ methods }) => methods.includes('mfa'))
    .map(({ id, address, agent, begun_at, last_at }) => ({
      id,
      address,
      agent,
      begunAt: begun_at,
      lastAt: last_at,
    }))
}

/** One of a person, or all; how many. */
export async function revokeSessions(
  { db }: Store,
  { person, id, by }: { readonly person: string; readonly id?: string; readonly by: string },
): Promise<number> {
  return await transact(db, async (tx) => {
    const open = tx
      .updateTable('sessions')
      .set({ ended_at: new Date() })
      .where('person', '=', person)
      .where('ended_at', 'is', null)
    const ended = await (id === undefined ? open : open.where('id', '=', id)).returning('id').execute()
    if (ended.length === 0) return 0
    const event = {
      event: 'user-security-changed',
      action: 'E',
      outcome: 'success',
      actor: { kind: 'person', id: by },
      objects: [],
      detail: { subject: person, status: 'sessions ended', count: ended.length },
    } as const
    await appendEvents(tx, [event], new Date())
    return ended.length
  })
}
