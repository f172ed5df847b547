// Guessing is slowed down, and nobody is locked out by it:
//
//   failures of one person from one address ─► a wait that doubles, 15 minutes at most
//   failures of one person from anywhere, many in an hour ─► only addresses where they signed in lately go on
//
// There is no lock for a site, and none that another person can close: whoever guesses at an account from elsewhere leaves
// the place where its owner works open.

import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { IdentityError } from './errors.ts'

const FREE_FAILURES = 5
const MAX_WAIT_S = 900
/** Of one person, from all addresses, in an hour. */
const MAX_FAILURES = 50
const HOUR_MS = 3_600_000
const KNOWN_DAYS = 90
/** Rows of those who guess at many names are forgotten after this. */
const FORGET_DAYS = 90

export type Attempt = { readonly person: string; readonly address: string }

/** @throws IdentityError WAIT */
export async function assertMayTry(db: Db, { person, address }: Attempt, at: Date): Promise<void> {
  const { rows } = await sql<{ failures: number; last: Date | null; known: boolean; all: number }>`
    select
      coalesce(max(failures) filter (where address = ${address}), 0)::int as failures,
      max(last_at) filter (where address = ${address}) as last,
      coalesce(bool_or(address = ${address} and succeeded_at > ${at}::timestamptz - make_interval(days => ${KNOWN_DAYS})), false) as known,
      coalesce(sum(failures) filter (where last_at > ${at}::timestamptz - interval '1 hour'), 0)::int as all
    from sign_in_attempts where person = ${person}`.execute(db)
  const [row] = rows
  if (row === undefined) return
  const waits = row.failures < FREE_FAILURES ? 0 : Math.min(2 ** (row.failures - FREE_FAILURES), MAX_WAIT_S)
  const left = row.last === null ? 0 : Math.ceil(waits - (at.getTime() - row.last.getTime()) / 1000)
  if (left > 0) throw new IdentityError('WAIT', 'too many attempts: wait before the next', left)
  if (row.all > MAX_FAILURES && !row.known)
    throw new IdentityError('WAIT', 'too many attempts: wait before the next', HOUR_MS / 1000)
}

export async function failed(db: Db, { person, address }: Attempt, at: Date): Promise<void> {
  await sql`
    insert into sign_in_attempts (person, address, failures, last_at) values (${person}, ${address}, 1, ${at})
    on conflict (person, address) do update set failures = sign_in_attempts.failures + 1, last_at = ${at}`.execute(
    db,
  )
  await sql`delete from sign_in_attempts where last_at < ${at}::timestamptz - make_interval(days => ${FORGET_DAYS})`.execute(
    db,
  )
}

export async function succeeded(db: Db, { person, address }: Attempt, at: Date): Promise<void> {
  await sql`
    insert into sign_in_attempts (person, address, failures, last_at, succeeded_at)
    values (${person}, ${address}, 0, ${at}, ${at})
    on conflict (person, address) do update set failures = 0, last_at = ${at}, succeeded_at = ${at}`.execute(
    db,
  )
}
