// What kills do to the embedded database: nothing that was acknowledged is lost, and the next start finds its way.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { benchOf, factsOf, insert, newUid } from '../../apps/gateway/src/archive/index/cases.ts'
import { databaseAccount } from '../../apps/gateway/src/db/account.ts'
import { openDatabase } from '../../apps/gateway/src/db/database.ts'
import { DbError } from '../../apps/gateway/src/db/errors.ts'

const DATABASE = new URL('../../apps/gateway/src/db/database.ts', import.meta.url).href
const KILLS = 4
const WRITERS = 3

test(`${KILLS} kills under ${WRITERS} writers: all that was acknowledged is there, once, and counted`, async (t) => {
  const dataFolder = scratch(t)
  await using database = await openDatabase({ dataFolder })
  const bench = await benchOf(database)
  const study = { uid: newUid() }
  const acknowledged: string[] = []
  const control = { running: true }
  const write = async (): Promise<void> => {
    while (control.running) {
      const facts = Array.from({ length: 4 }, () => factsOf(bench, { study }))
      for (let done = false; !done; ) {
        try {
          await insert(bench, ...facts)
          done = true
        } catch (error) {
          assert.ok(error instanceof DbError && error.code === 'UNAVAILABLE', String(error))
        }
      }
      acknowledged.push(...facts.map(({ sopUid }) => sopUid))
    }
  }
  const writers = Array.from({ length: WRITERS }, write)
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(400)
    const pid = database.embedded?.pid()
    if (pid !== undefined) process.kill(pid, 'SIGKILL')
    await sleep(600)
  }
  control.running = false
  await Promise.all(writers)
  const rows = await bench.db.selectFrom('instances').select('sop_uid').execute()
  assert.deepEqual(rows.map(({ sop_uid }) => sop_uid).sort(), acknowledged.toSorted())
  const counted = await bench.db.selectFrom('studies').select('instance_count').executeTakeFirstOrThrow()
  assert.equal(counted.instance_count, acknowledged.length)
})

test('the server of a gateway that was killed is found, ended and followed by ours', async (t) => {
  const dataFolder = scratch(t)
  const script = `const { openDatabase } = await import(${JSON.stringify(DATABASE)})
    const { kysely, embedded } = await openDatabase({ dataFolder: ${JSON.stringify(dataFolder)} })
    await kysely.insertInto('spool').values({ sink: 'kept', payload: Buffer.alloc(1) }).execute()
    console.log(embedded.pid())
    setInterval(() => undefined, 1000)`
  const gateway = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [line] = (await once(gateway.stdout, 'data')) as [Buffer]
  const orphan = Number(line.toString('utf8'))
  await assert.rejects(openDatabase({ dataFolder }), { code: 'LOCKED' })
  gateway.kill('SIGKILL')
  await once(gateway, 'exit')
  process.kill(orphan, 0)
  await using database = await openDatabase({ dataFolder })
  assert.notEqual(database.embedded?.pid(), orphan)
  const rows = await database.kysely.selectFrom('spool').select('sink').execute()
  assert.deepEqual(rows, [{ sink: 'kept' }])
})

test('a stale postmaster.pid is no obstacle, even when another process has the id by now', async (t) => {
  const dataFolder = scratch(t)
  const first = await openDatabase({ dataFolder })
  const path = join(dataFolder, 'postgres/cluster/postmaster.pid')
  const lines = readFileSync(path, 'utf8').split('\n')
  await first.close()
  const stranger = spawn('sleep', ['60'], { ...databaseAccount(), stdio: 'ignore' })
  t.after(() => stranger.kill())
  for (const pid of [String(stranger.pid), '999999', 'torn']) {
    writeFileSync(path, [pid, ...lines.slice(1)].join('\n'))
    await using database = await openDatabase({ dataFolder })
    assert.ok(database.embedded?.pid())
  }
  writeFileSync(path, '')
  await using database = await openDatabase({ dataFolder })
  assert.ok(database.embedded?.pid())
  assert.equal(stranger.exitCode, null)
})

test('a start that was cut off in initdb is begun again', async (t) => {
  const dataFolder = scratch(t)
  const first = await openDatabase({ dataFolder })
  await first.close()
  rmSync(join(dataFolder, 'postgres/cluster'), { recursive: true })
  writeFileSync(join(dataFolder, 'postgres/cluster.new'), 'half')
  await using database = await openDatabase({ dataFolder })
  assert.ok(database.embedded?.pid())
})

test('a data folder with a path too long for a socket works', async (t) => {
  const dataFolder = join(scratch(t), 'x'.repeat(120))
  await using database = await openDatabase({ dataFolder })
  assert.ok(database.embedded?.pid())
})

function scratch(t: { readonly after: (act: () => void) => void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'rg-faults-'))
  // The database's account passes through where the test is root.
  chmodSync(folder, 0o711)
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
