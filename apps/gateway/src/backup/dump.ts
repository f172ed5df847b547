// All rows of the database as text, and back.   begin repeatable read ─► each table's rows as JSON, made by PostgreSQL
//
//   #studies
//   {"id":"…","study_uid":"…",…}
//   …
//   #end
//
// PostgreSQL writes the JSON and reads it again: no number, time or byte passes through a type of ours. Tables stand in
// the order in which their rows may be inserted.

import { sql } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { BackupError } from './errors.ts'

export const TABLES = [
  'schema_migrations',
  'installation',
  'data_keys',
  'patients',
  'studies',
  'series',
  'instances',
  'conflicts',
  'holds',
  'hold_studies',
  'retention_policies',
  'disposals',
  'ledger_entries',
  'ledger_nodes',
  'ledger_head',
  'ledger_keys',
  'ledger_cursors',
  'checkpoints',
  'spool',
  'nodes',
  'scope_lists',
  'scope_members',
  'grants',
  'people',
  'passwords',
  'totp',
  'recovery_codes',
  'one_time_links',
  'sessions',
  'passkeys',
  'sign_in_attempts',
  'clients',
  'oidc_records',
  'consents',
  'signing_keys',
  'identity_providers',
  'people_elsewhere',
  'break_glass',
  'access_reviews',
  'access_review_items',
  'commitment_requests',
  'worklist',
  'performed_steps',
] as const

/** Rows that a new database has, which those of the dump replace. */
const MADE = ['schema_migrations', 'installation', 'ledger_head'] as const
const FETCH = 2000
const END = '#end'

export type Snapshot = {
  readonly migrations: readonly string[]
  /** Of all instances, in order, each once. */
  readonly blobIds: readonly string[]
  readonly lines: AsyncIterable<string>
}

/** All of one moment; `use` reads the lines to their end. */
export async function withSnapshot<T>(db: Db, use: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  return await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async (tx) => {
      await sql`set transaction read only`.execute(tx)
      const migrations = await tx.selectFrom('schema_migrations').select('name').orderBy('name').execute()
      const blobs = await tx.selectFrom('instances').select('blob_id').distinct().orderBy('blob_id').execute()
      return await use({
        migrations: migrations.map(({ name }) => name),
        blobIds: blobs.map(({ blob_id }) => blob_id),
        lines: linesOf(tx),
      })
    })
}

async function* linesOf(tx: Tx): AsyncGenerator<string> {
  for (const table of TABLES) {
    yield `#${table}`
    await sql`declare dump no scroll cursor for select to_json(t)::text as row from ${sql.table(table)} t`.execute(
      tx,
    )
    for (;;) {
      const { rows } = await sql<{ row: string }>`fetch ${sql.lit(FETCH)} from dump`.execute(tx)
      for (const { row } of rows) yield row
      if (rows.length < FETCH) break
    }
    await sql`close dump`.execute(tx)
  }
  yield END
}

/** Into a database that has our tables and no rows. All of it, or nothing. @throws BackupError DAMAGED */
export async function load(db: Db, lines: AsyncIterable<string>): Promise<void> {
  await db.transaction().execute(async (tx) => {
    for (const table of MADE) await sql`delete from ${sql.table(table)}`.execute(tx)
    let table: string | undefined
    let rows: string[] = []
    let hasEnded = false
    const flush = async () => {
      if (rows.length > 0 && table !== undefined) await insert(tx, table, rows)
      rows = []
    }
    for await (const line of lines) {
      if (hasEnded) throw damaged()
      if (!line.startsWith('#')) rows.push(line)
      if (rows.length >= FETCH || line.startsWith('#')) await flush()
      if (line.startsWith('#')) table = TABLES.find((name) => `#${name}` === line)
      hasEnded = line === END
      if (table === undefined && !hasEnded) throw damaged()
    }
    if (!hasEnded) throw damaged()
    await sql`select setval('spool_id_seq', greatest((select max(id) from spool), 1))`.execute(tx)
  })
}

async function insert(tx: Tx, table: string, rows: readonly string[]): Promise<void> {
  const into = sql.table(table)
  await sql`insert into ${into} select * from json_populate_recordset(null::${into}, ${`[${rows.join(',')}]`}::json)`.execute(
    tx,
  )
}

function damaged(): BackupError {
  return new BackupError('DAMAGED', 'the dump of the database is not whole')
}
