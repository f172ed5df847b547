// The index on the embedded PostgreSQL.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { openDatabase } from '../../db/database.ts'
import { type Bench, benchOf, WRITE_CASES } from './cases.ts'
import { FIND_CASES } from './find-cases.ts'

const dataFolder = mkdtempSync(join(tmpdir(), 'rg-index-'))
const opened: { bench?: Bench; close?: () => Promise<void> } = {}

before(async () => {
  const database = await openDatabase({ dataFolder })
  opened.close = database.close
  opened.bench = await benchOf(database)
})

after(async () => {
  await opened.close?.()
  rmSync(dataFolder, { recursive: true, force: true })
})

for (const { name, run } of [...WRITE_CASES, ...FIND_CASES]) {
  test(name, async () => {
    assert.ok(opened.bench)
    await run(opened.bench)
  })
}
