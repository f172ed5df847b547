// Roles that people and services have:  asked for ─► decided on by somebody else ─► granted ─► over by time, or revoked
//
// Each step is an entry of the ledger, in its transaction. Nobody decides on what they asked for (also a constraint of the
// table), and nobody asks for a role that decides about itself.

import { type Selectable, sql } from 'kysely'
import { uuid7 } from '../archive/index/uuid.ts'
import { type Db, type Tx, transact } from '../db/database.ts'
import type { GrantState, Grants } from '../db/schema.ts'
import { appendEvents } from '../ledger/append.ts'
import { PolicyError } from './errors.ts'
import { type Grant, ROLES, type Role, type Scope } from './subject.ts'

export type NewGrant = {
  readonly holder: string
  readonly role: string
  readonly scope: Scope
  readonly reason: string
  readonly until?: Date
}

export type Held = Grant & {
  readonly id: string
  readonly holder: string
  readonly state: GrantState
  readonly reason: string
  readonly requestedBy: string
  readonly decidedBy: string | undefined
}

const NAME = /^[\x21-\x7e](?:[\x20-\x7e]{0,118}[\x21-\x7e])?$/
const MAX_REASON = 500
const MARK_MS = 3_600_000
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** The id of the request. @throws PolicyError BAD_GRANT, NO_LIST */
export async function requestGrant(db: Db, grant: NewGrant, by: string): Promise<string> {
  const { holder, role, scope, reason, until } = grant
  if (!NAME.test(holder)) throw bad('a holder has 1 to 120 printable characters')
  if (!isRole(role)) throw bad(`a role is one of ${ROLES.join(', ')}`)
  if (reason.trim() === '' || reason.length > MAX_REASON) throw bad('a reason is wanted, in a line')
  if (until !== undefined && until.getTime() <= Date.now()) throw bad('it would be over already')
  const id = uuid7(Date.now())
  await transact(db, async (tx) => {
    await assertScope(tx, scope)
    const row = {
      id,
      holder,
      role,
      scope_kind: scope.kind,
      scope_id: scope.kind === 'institution' ? null : scope.id,
      reason,
      requested_by: by,
      until: until ?? null,
    }
    await tx.insertInto('grants').values(row).execute()
    await changed(tx, { id, by, holder, role, status: 'requested' })
  })
  return id
}

function bad(what: string): PolicyError {
  return new PolicyError('BAD_GRANT', what)
}

function isRole(text: string): text is Role {
  return (ROLES as readonly string[]).includes(text)
}

async function assertScope(tx: Tx, scope: Scope): Promise<void> {
  if (scope.kind === 'institution') return
  if (!UUID.test(scope.id)) throw new PolicyError('NO_LIST', 'there is no list of this id')
  const there =
    scope.kind === 'patient'
      ? await tx.selectFrom('patients').select('id').where('id', '=', scope.id).executeTakeFirst()
      : await tx
          .selectFrom('scope_lists')
          .select('id')
          .where('id', '=', scope.id)
          .where('kind', '=', scope.kind)
          .executeTakeFirst()
  if (there === undefined) throw new PolicyError('NO_LIST', 'there is no such list, project or patient')
}

/** @throws PolicyError NO_GRANT, OWN_REQUEST */
export async function decideGrant(
  db: Db,
  id: string,
  { by, granted }: { readonly by: string; readonly granted: boolean },
): Promise<void> {
  await transact(db, async (tx) => {
    const row = await lockGrant(tx, id, 'requested')
    if (row.requested_by === by || row.holder === by)
      throw new PolicyError('OWN_REQUEST', 'nobody decides on a role that they asked for, or are to have')
    const state = granted ? 'granted' : 'denied'
    await tx
      .updateTable('grants')
      .set({ state, decided_by: by, decided_at: new Date() })
      .where('id', '=', id)
      .execute()
    await changed(tx, { id, by, holder: row.holder, role: row.role, status: state })
  })
}

/** Works at the next decision. @throws PolicyError NO_GRANT */
export async function revokeGrant(db: Db, id: string, by: string): Promise<void> {
  await transact(db, (tx) => revokeIn(tx, id, by))
}

/** The last that its transaction does. @throws PolicyError NO_GRANT */
export async function revokeIn(tx: Tx, id: string, by: string): Promise<void> {
  const row = await lockGrant(tx, id, 'granted')
  await tx
    .updateTable('grants')
    .set({ state: 'revoked', revoked_by: by, revoked_at: new Date() })
    .where('id', '=', id)
    .execute()
  await changed(tx, { id, by, holder: row.holder, role: row.role, status: 'revoked' })
}

async function lockGrant(tx: Tx, id: string, state: GrantState) {
  const row = UUID.test(id)
    ? await tx
        .selectFrom('grants')
        .select(['holder', 'role', 'requested_by', 'state'])
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst()
    : undefined
  if (row === undefined || row.state !== state)
    throw new PolicyError('NO_GRANT', `there is no role of this id that is ${state}`)
  return row
}

type Change = {
  readonly id: string
  readonly by: string
  readonly holder: string
  readonly role: string
  readonly status: string
}

async function changed(tx: Tx, { id, by, holder, role, status }: Change): Promise<void> {
  const event = {
    event: 'role-changed',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [],
    detail: { grant: id, subject: holder, status, rule: role },
  } as const
  await appendEvents(tx, [event], new Date())
}

const COLUMNS = [
  'id',
  'holder',
  'role',
  'scope_kind',
  'scope_id',
  'state',
  'reason',
  'requested_by',
  'decided_by',
  'until',
] as const

type Counting = {
  readonly role: Role
  readonly kind: Scope['kind']
  readonly id: string | null
  readonly until: Date | null
  readonly emergency: boolean
}

/** Those that count now, for a Subject: what was granted, and the emergencies that are open. Of every request: in one
 * statement. */
export async function grantsOf(db: Db, holder: string): Promise<readonly Grant[]> {
  const { rows } = await sql<Counting>`
    select role, scope_kind as kind, scope_id as id, until, false as emergency from grants
      where holder = ${holder} and state = 'granted' and (until is null or until > now())
    union all
    select role, 'patient', patient_id, until, true from break_glass
      where person = ${holder} and until > now() and ended_at is null`.execute(db)
  return rows.map(({ role, kind, id, until, emergency }) => ({
    role,
    scope: kind === 'institution' ? { kind } : { kind, id: id ?? '' },
    ...(until === null ? {} : { until }),
    ...(emergency ? { emergency } : {}),
  }))
}

/** A door that a role opened says so, now and then; a review of access asks when that was last. */
export async function markUsed(db: Db, holder: string): Promise<void> {
  await db
    .updateTable('grants')
    .set({ last_used_at: new Date() })
    .where('holder', '=', holder)
    .where('state', '=', 'granted')
    .where((on) =>
      on.or([on('last_used_at', 'is', null), on('last_used_at', '<', new Date(Date.now() - MARK_MS))]),
    )
    .execute()
}

/** All there ever were, newest last. */
export async function listGrants(db: Db): Promise<readonly Held[]> {
  return (await db.selectFrom('grants').select(COLUMNS).orderBy('id').execute()).map(heldOf)
}

function heldOf(row: Pick<Selectable<Grants>, (typeof COLUMNS)[number]>): Held {
  const { scope_kind: kind, scope_id, until } = row
  return {
    id: row.id,
    holder: row.holder,
    // The table's own text: only roles get in.
    role: row.role as Role,
    scope: kind === 'institution' ? { kind } : { kind, id: scope_id ?? '' },
    state: row.state,
    reason: row.reason,
    requestedBy: row.requested_by,
    decidedBy: row.decided_by ?? undefined,
    ...(until === null ? {} : { until }),
  }
}
