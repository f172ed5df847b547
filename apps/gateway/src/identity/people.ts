// People:  invited ─one-time link─► password, second factor ─► active ─► suspended, or removed for good
//
// A user ID is one person's, also after that person has gone. What opens an account is a link that works once, for a
// while; nobody but its receiver sees the password. Each step is an entry of the ledger.

import type { Columns } from '../archive/index/columns.ts'
import { type Db, type Tx, transact } from '../db/database.ts'
import type { PersonState } from '../db/schema.ts'
import { appendEvents } from '../ledger/append.ts'
import { IdentityError } from './errors.ts'
import { assertStrong, passwordHash } from './passwords.ts'
import { keepSecond, newRecoveryCodes, stepOfCode } from './second-factor.ts'
import { newToken, tokenHash } from './secrets.ts'

export type Purpose = 'invite' | 'recover'
export type Person = {
  readonly id: string
  readonly name: string
  readonly state: PersonState
  readonly createdAt: Date
}

const ID = /^[a-z][a-z0-9._-]{1,62}[a-z0-9]$/
const MAX_NAME = 120
const INVITE_MS = 72 * 3_600_000
const RECOVER_MS = 3_600_000

export type NewPerson = Pick<Person, 'id' | 'name'> & {
  /** Who answers for their roles. */
  readonly manager?: string
}

/** The token of the link. @throws IdentityError BAD_PERSON, TAKEN, NO_PERSON */
export async function invite(db: Db, { id, name, manager }: NewPerson, by: string): Promise<string> {
  if (!ID.test(id))
    throw new IdentityError('BAD_PERSON', 'a user ID has 3 to 64 letters, digits, points, lines: ana.keller')
  if (name.trim() === '' || name.length > MAX_NAME)
    throw new IdentityError('BAD_PERSON', `a name has 1 to ${MAX_NAME} characters`)
  const token = newToken()
  await transact(db, async (tx) => {
    if (manager !== undefined) await stateOf(tx, manager, ['invited', 'active'])
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('people')
      .values({ id, name: name.trim(), created_by: by, manager: manager ?? null })
      .onConflict((on) => on.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows === 0n)
      throw new IdentityError('TAKEN', 'this user ID is, or was, somebody: they are not given twice')
    await makeLink(tx, { token, person: id, purpose: 'invite', by })
    await told(tx, { by, person: id, status: 'invited' })
  })
  return token
}

/** The same person, another link. @throws IdentityError NO_PERSON */
export async function inviteAgain(db: Db, person: string, by: string): Promise<string> {
  const token = newToken()
  await transact(db, async (tx) => {
    await stateOf(tx, person, ['invited'])
    await makeLink(tx, { token, person, purpose: 'invite', by })
    await told(tx, { by, person, status: 'invited' })
  })
  return token
}

type Link = {
  readonly token: string
  readonly person: string
  readonly purpose: Purpose
  readonly by: string
}

/** Links of before work no more. */
async function makeLink(tx: Tx, { token, person, purpose, by }: Link): Promise<void> {
  await tx.deleteFrom('one_time_links').where('person', '=', person).where('used_at', 'is', null).execute()
  const lasts = purpose === 'invite' ? INVITE_MS : RECOVER_MS
  await tx
    .insertInto('one_time_links')
    .values({
      hash: tokenHash(token) ?? Buffer.alloc(0),
      person,
      purpose,
      made_by: by,
      expires_at: new Date(Date.now() + lasts),
    })
    .execute()
}

type Told = { readonly by: string; readonly person: string; readonly status: string }

async function told(tx: Tx, { by, person, status }: Told): Promise<void> {
  const event = {
    event: 'account-changed',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [],
    detail: { subject: person, status },
  } as const
  await appendEvents(tx, [event], new Date())
}

/** For one who lost password or second factor; another person gives it. Sessions end. @throws IdentityError NO_PERSON */
export async function recover(db: Db, person: string, by: string): Promise<string> {
  const token = newToken()
  await transact(db, async (tx) => {
    await stateOf(tx, person, ['active', 'invited'])
    if (person === by) throw new IdentityError('REFUSED', 'another person recovers an account')
    await makeLink(tx, { token, person, purpose: 'recover', by })
    await endAll(tx, person)
    await told(tx, { by, person, status: 'recovery' })
  })
  return token
}

/** Whose link it is. @throws IdentityError BAD_LINK */
export async function linkOf(db: Db | Tx, token: string | undefined) {
  const hash = tokenHash(token)
  const row =
    hash &&
    (await db
      .selectFrom('one_time_links')
      .select(['person', 'purpose', 'expires_at', 'used_at'])
      .where('hash', '=', hash)
      .executeTakeFirst())
  if (!row || row.used_at !== null || row.expires_at <= new Date())
    throw new IdentityError('BAD_LINK', 'this link was used, or is too old: ask for another')
  return { person: row.person, purpose: row.purpose, hash: hash ?? Buffer.alloc(0) }
}

export type Enrolment = {
  readonly token: string | undefined
  readonly password: string
  /** As newSecond made it, and the code that the app shows for it. */
  readonly secret: string
  readonly code: string
}

/** The recovery codes, to be shown once. @throws IdentityError BAD_LINK, WEAK_PASSWORD, BAD_CODE */
export async function enrol(
  db: Db,
  columns: Columns,
  { token, password, secret, code }: Enrolment,
): Promise<{ readonly person: string; readonly codes: readonly string[] }> {
  const { person } = await linkOf(db, token)
  assertStrong(password, person)
  const step = await stepOfCode(secret, code)
  if (step === undefined)
    throw new IdentityError('BAD_CODE', 'this is not the code that the app shows now: is the clock right?')
  const hash = await passwordHash(password)
  return await transact(db, async (tx) => {
    const link = await linkOf(tx, token)
    const { numUpdatedRows } = await tx
      .updateTable('one_time_links')
      .set({ used_at: new Date() })
      .where('hash', '=', link.hash)
      .where('used_at', 'is', null)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw new IdentityError('BAD_LINK', 'this link was used: ask for another')
    await stateOf(tx, person, ['invited', 'active'])
    await tx.updateTable('people').set({ state: 'active' }).where('id', '=', person).execute()
    await tx
      .insertInto('passwords')
      .values({ person, hash })
      .onConflict((on) => on.column('person').doUpdateSet({ hash, changed_at: new Date() }))
      .execute()
    await keepSecond(tx, columns, { person, secret, step })
    // What was lost may be with somebody else: a recovery begins anew.
    await tx.deleteFrom('passkeys').where('person', '=', person).execute()
    const codes = await newRecoveryCodes(tx, person)
    await endAll(tx, person)
    await told(tx, { by: person, person, status: 'enrolled' })
    return { person, codes }
  })
}

/** Sessions end at once; the ID stays taken. @throws IdentityError NO_PERSON */
export async function setState(
  db: Db,
  person: string,
  { state, by }: { readonly state: 'active' | 'suspended' | 'removed'; readonly by: string },
): Promise<void> {
  await transact(db, async (tx) => {
    const was = await stateOf(tx, person, ['invited', 'active', 'suspended'])
    if (state === 'active' && was !== 'suspended')
      throw new IdentityError('NO_PERSON', 'only a suspension is taken back')
    await tx.updateTable('people').set({ state }).where('id', '=', person).execute()
    if (state === 'removed') {
      await tx.deleteFrom('passwords').where('person', '=', person).execute()
      await tx.deleteFrom('totp').where('person', '=', person).execute()
      await tx.deleteFrom('recovery_codes').where('person', '=', person).execute()
      await tx.deleteFrom('passkeys').where('person', '=', person).execute()
    }
    if (state !== 'active') {
      await tx
        .deleteFrom('one_time_links')
        .where('person', '=', person)
        .where('used_at', 'is', null)
        .execute()
      await endAll(tx, person)
    }
    await told(tx, { by, person, status: state })
  })
}

async function stateOf(tx: Tx, person: string, allowed: readonly PersonState[]): Promise<PersonState> {
  const row = await tx
    .selectFrom('people')
    .select('state')
    .where('id', '=', person)
    .forUpdate()
    .executeTakeFirst()
  if (row === undefined || !allowed.includes(row.state))
    throw new IdentityError('NO_PERSON', 'there is nobody of this user ID for whom that can be done')
  return row.state
}

async function endAll(tx: Tx, person: string): Promise<void> {
  await tx
    .updateTable('sessions')
    .set({ ended_at: new Date() })
    .where('person', '=', person)
    .where('ended_at', 'is', null)
    .execute()
}

export async function listPeople(db: Db): Promise<readonly Person[]> {
  const rows = await db
    .selectFrom('people')
    .select(['id', 'name', 'state', 'created_at'])
    .orderBy('id')
    .execute()
  return rows.map(({ created_at, ...row }) => ({ ...row, createdAt: created_at }))
}
