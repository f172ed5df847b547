// Kills under the ledger: of a writer between insert and commit, and of the database under four of them.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseEntry } from '@roentgate/audit'
import { type Database, type Db, openDatabase, transact } from '../../apps/gateway/src/db/database.ts'
import { DbError } from '../../apps/gateway/src/db/errors.ts'
import { appendEvents } from '../../apps/gateway/src/ledger/append.ts'
import { eventOf, grow, START } from '../../apps/gateway/src/ledger/cases.ts'
import { openSigner, ownKeys, publishCheckpoint } from '../../apps/gateway/src/ledger/checkpoint.ts'
import { entries } from '../../apps/gateway/src/ledger/read.ts'
import { verifyDatabase } from '../../apps/gateway/src/ledger/verify.ts'

const SOURCES = new URL('../../apps/gateway/src/', import.meta.url).href
const KILLS = 3
const folder = mkdtempSync(join(tmpdir(), 'rg-ledger-faults-'))
const opened: { database?: Database } = {}

before(async () => {
  chmodSync(folder, 0o711)
  opened.database = await openDatabase({ dataFolder: join(folder, 'data') })
})

after(async () => {
  await opened.database?.close()
  rmSync(folder, { recursive: true, force: true })
})

function db(): Db {
  return opened.database?.kysely ?? assert.fail()
}

test('a writer that is killed between insert and commit leaves no entry, no gap and no lock', async () => {
  await grow(db(), 10)
  const script = `
    const { openDatabase, transact } = await import('${SOURCES}db/database.ts')
    const { appendEvents } = await import('${SOURCES}ledger/append.ts')
    const { eventOf } = await import('${SOURCES}ledger/cases.ts')
    const database = await openDatabase({ connection: ${JSON.stringify(opened.database?.embedded?.connection)} })
    await transact(database.kysely, async (tx) => {
      const { size } = await appendEvents(tx, [eventOf(1), eventOf(2)], new Date())
      console.log(size)
      await new Promise((done) => setTimeout(done, 60_000))
    })`
  const writer = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await once(writer.stdout, 'data')) as [Buffer]
  assert.equal(said.toString('utf8').trim(), '12')
  // Waits for the lock, and gets it when the other one is gone.
  const waiting = transact(db(), (tx) => appendEvents(tx, [eventOf(3)], START))
  await sleep(200)
  writer.kill('SIGKILL')
  assert.deepEqual(await waiting, { first: 10, size: 11 })
  await isWhole(11)
})

test(`4 writers and ${KILLS} kills of the database: all that was acknowledged is there, in one row`, async () => {
  const control = { running: true }
  const acknowledged = new Map<number, string>()
  const write = async (_: unknown, writer: number): Promise<void> => {
    for (let n = 0; control.running; n++) {
      const events = [0, 1, 2].map((i) => eventOf(writer * 1_000_000 + n * 10 + i))
      try {
        const { first } = await transact(db(), (tx) => appendEvents(tx, events, START))
        for (const [i, { objects }] of events.entries()) acknowledged.set(first + i, objects[0]?.id ?? '')
      } catch (error) {
        assert.ok(error instanceof DbError && error.code === 'UNAVAILABLE', String(error))
      }
    }
  }
  const writers = Array.from({ length: 4 }, write)
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(300)
    const pid = opened.database?.embedded?.pid()
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
    await sleep(600)
  }
  control.running = false
  await Promise.all(writers)
  const ids: string[] = []
  for await (const line of entries(db())) ids.push(parseEntry(line).objects[0]?.id ?? '')
  assert.ok(acknowledged.size > 0)
  for (const [index, id] of acknowledged) assert.equal(ids[index], id)
  await isWhole(ids.length)
})

async function isWhole(size: number): Promise<void> {
  await publishCheckpoint(db(), await openSigner(db(), Buffer.alloc(32, 7)), [])
  const { verdict, differences } = await verifyDatabase(db(), { keys: await ownKeys(db()), witnesses: [] })
  assert.deepEqual([verdict.kind, 'size' in verdict && verdict.size, differences], ['intact', size, []])
}
