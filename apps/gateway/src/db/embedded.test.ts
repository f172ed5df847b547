// The embedded PostgreSQL: what it survives, and who may not have it.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sql } from 'kysely'
import { type Database, openDatabase } from './database.ts'
import { DbError } from './errors.ts'
import { migrate } from './migrate.ts'

const dataFolder = mkdtempSync(join(tmpdir(), 'rg-db-'))
const opened: { database?: Database } = {}

before(async () => {
  opened.database = await openDatabase({ dataFolder })
})

after(async () => {
  await opened.database?.close()
  rmSync(dataFolder, { recursive: true, force: true })
})

function database(): Database {
  assert.ok(opened.database)
  return opened.database
}

test('the folder of the database is for its account alone', () => {
  assert.equal(statSync(join(dataFolder, 'postgres')).mode & 0o777, 0o700)
  assert.equal(statSync(join(dataFolder, 'postgres/password')).mode & 0o777, 0o600)
})

test('a second gateway is refused the folder', async () => {
  await assert.rejects(openDatabase({ dataFolder }), { name: 'DbError', code: 'LOCKED' })
})

test('settings that keep what was acknowledged are on', async () => {
  const { rows } = await sql<{ name: string }>`
    select name from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'data_checksums')
      and setting = 'on'`.execute(database().kysely)
  assert.equal(rows.length, 4)
})

test('migrating again changes nothing, and a newer schema is refused', async () => {
  const { kysely } = database()
  await migrate(kysely)
  await kysely.insertInto('schema_migrations').values({ name: '9999-later' }).execute()
  await assert.rejects(migrate(kysely), { code: 'NEWER_SCHEMA' })
  await kysely.deleteFrom('schema_migrations').where('name', '=', '9999-later').execute()
})

test('killed: what is in flight fails with a code, what was committed is there, what comes next works', async () => {
  const { kysely, embedded } = database()
  await kysely
    .insertInto('spool')
    .values({ sink: 'kept', payload: Buffer.from('x') })
    .execute()
  const inFlight = assert.rejects(sql`select pg_sleep(20)`.execute(kysely), {
    name: 'DbError',
    code: 'UNAVAILABLE',
  })
  await sql`select 1`.execute(kysely)
  process.kill(embedded?.pid() ?? 0, 'SIGKILL')
  await inFlight
  // Idle connections may be as dead: each fails once, with the same code.
  const kept = () => kysely.selectFrom('spool').select('sink').execute()
  for (let broken = 0; broken < 3; broken++) {
    const rows = await kept().catch((error: unknown) => error)
    if (Array.isArray(rows)) break
    assert.ok(rows instanceof DbError && rows.code === 'UNAVAILABLE')
  }
  assert.deepEqual(await kept(), [{ sink: 'kept' }])
})

test('the ledger takes entries and gives none back', async () => {
  const { kysely } = database()
  await kysely
    .insertInto('ledger_entries')
    .values({ index: 0, line: '{}', leaf: Buffer.alloc(32) })
    .execute()
  const refused = { name: 'DbError', code: 'CONSTRAINT', sqlState: '23001' }
  await assert.rejects(kysely.updateTable('ledger_entries').set({ line: '' }).execute(), refused)
  await assert.rejects(kysely.deleteFrom('ledger_entries').execute(), refused)
  await assert.rejects(sql`truncate ledger_entries`.execute(kysely), refused)
})

test('errors do not quote values', async () => {
  const wrong = sql`select ${'CANARY^NAME'}::date`.execute(database().kysely)
  await assert.rejects(wrong, (error: DbError) => {
    assert.equal(error.code, 'QUERY')
    assert.doesNotMatch(`${error.stack} ${JSON.stringify(error)}`, /CANARY/)
    return true
  })
})

test('another machine is reached over TLS only', async () => {
  for (const url of [
    'postgres://db.example/rg',
    'postgres://u:p@10.0.0.1/rg?sslmode=require',
    'mysql://x/y',
    'x',
  ]) {
    await assert.rejects(openDatabase({ url }), { code: 'INSECURE_URL' })
  }
})
