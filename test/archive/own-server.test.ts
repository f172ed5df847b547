// The same index on a PostgreSQL of one's own: Debian's, by its URL.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Bench, benchOf, WRITE_CASES } from '../../apps/gateway/src/archive/index/cases.ts'
import { FIND_CASES } from '../../apps/gateway/src/archive/index/find-cases.ts'
import { openDatabase } from '../../apps/gateway/src/db/database.ts'
import { MIGRATIONS } from '../../apps/gateway/src/db/migrate.ts'
import { debianPostgres, skipUnless } from '../support/peers.ts'
import { type Server, startServer } from '../support/postgres.ts'

const programs = debianPostgres()
const opened: { server?: Server; bench?: Bench; close?: () => Promise<void> } = {}

before(async () => {
  if (programs.skip !== false) return
  opened.server = await startServer(programs.path)
  const database = await openDatabase({ url: opened.server.url })
  opened.close = database.close
  opened.bench = await benchOf(database)
})

after(async () => {
  await opened.close?.()
  await opened.server?.stop()
})

for (const { name, run } of [...WRITE_CASES, ...FIND_CASES]) {
  test(name, skipUnless(programs), async () => {
    assert.ok(opened.bench)
    await run(opened.bench)
  })
}

test(
  'of gateways that start together on an empty database one migrates it',
  skipUnless(programs),
  async () => {
    const { url } = opened.server ?? assert.fail()
    const bench = opened.bench ?? assert.fail()
    await bench.db.schema.dropSchema('public').cascade().execute()
    await bench.db.schema.createSchema('public').execute()
    const databases = await Promise.all([1, 2, 3].map(() => openDatabase({ url })))
    const rows = await bench.db.selectFrom('schema_migrations').select('name').execute()
    assert.deepEqual(
      rows,
      MIGRATIONS.map(({ name }) => ({ name })),
    )
    await Promise.all(databases.map(({ close }) => close()))
  },
)
