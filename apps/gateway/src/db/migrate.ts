// Brings a database to this program's schema. All that is missing is applied in one transaction under an advisory
// lock, so that of N gateways that start together one does it and none sees half of it.

import { sql } from 'kysely'
import type { Db, Tx } from './database.ts'
import { DbError } from './errors.ts'
import { ARCHIVE } from './migrations/0001-archive.ts'
import { LEDGER } from './migrations/0002-ledger.ts'
import { TRASH } from './migrations/0003-trash.ts'
import { NODES } from './migrations/0004-nodes.ts'
import { PEERS } from './migrations/0005-peers.ts'
import { POLICY } from './migrations/0006-policy.ts'
import { IDENTITY } from './migrations/0007-identity.ts'
import { MORE } from './migrations/0008-more.ts'
import { WORKLIST } from './migrations/0009-worklist.ts'
import { OVERSIGHT } from './migrations/0010-oversight.ts'
import { PASSKEYS } from './migrations/0011-passkeys.ts'
import { TOKENS } from './migrations/0012-tokens.ts'
import { PEOPLE_AT_NODES } from './migrations/0013-people-at-nodes.ts'
import { MANAGERS } from './migrations/0014-managers.ts'

export type Migration = { readonly name: string; readonly statements: readonly string[] }

/** In the order in which they apply. An entry is never changed once released, and never removed. */
export const MIGRATIONS: readonly Migration[] = [
  ARCHIVE,
  LEDGER,
  TRASH,
  NODES,
  PEERS,
  POLICY,
  IDENTITY,
  MORE,
  WORKLIST,
  OVERSIGHT,
  PASSKEYS,
  TOKENS,
  PEOPLE_AT_NODES,
  MANAGERS,
]

/** Any number that no other program uses in the same database: 'RGmigrat' in ASCII. */
const LOCK = sql.lit(0x5247_6d69)

export async function migrate(db: Db, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx)
    await sql`create table if not exists schema_migrations (
      name text primary key, applied_at timestamptz not null default now())`.execute(tx)
    const applied = await tx.selectFrom('schema_migrations').select('name').orderBy('name').execute()
    const known = new Set(migrations.map(({ name }) => name))
    if (applied.some(({ name }) => !known.has(name))) {
      throw new DbError('NEWER_SCHEMA', 'a newer version of the program has changed this database')
    }
    const done = new Set(applied.map(({ name }) => name))
    for (const migration of migrations) if (!done.has(migration.name)) await apply(tx, migration)
  })
}

async function apply(tx: Tx, { name, statements }: Migration): Promise<void> {
  for (const statement of statements) await sql.raw(statement).execute(tx)
  await tx.insertInto('schema_migrations').values({ name }).execute()
}
