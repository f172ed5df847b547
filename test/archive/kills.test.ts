// kill -9 of whoever stores, two hundred times, each at another moment; and of PostgreSQL while many store. What was
// acknowledged is there and verifies, what was not is invisible or whole, and no restart needs a hand.
//
// Replay: ROENTGATE_SEED=N. The moments follow from it, as far as a machine has the same moments twice.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { openIntake } from '../../apps/gateway/src/archive/ingest/intake.ts'
import { createKeyFile } from '../../apps/gateway/src/keys/passphrase.ts'
import { SENDER } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { made } from '../support/instances.ts'
import { debianPostgres, skipUnless } from '../support/peers.ts'
import { startServer } from '../support/postgres.ts'
import { assertWhole, numbersFrom } from '../support/whole.ts'

const KILLS = 200
const SEED = Number(process.env.ROENTGATE_SEED ?? 1)
const PASSPHRASE = 'a passphrase for tests'
const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const source = (path: string): string => String(new URL(`../../apps/gateway/src/${path}`, import.meta.url))

/** Waits for a word, then stores until it is killed; says what was acknowledged. */
const CHILD = `
import { openArchive } from '${source('archive/archive.ts')}'
import { openIntake } from '${source('archive/ingest/intake.ts')}'
import { made } from '${new URL('../support/instances.ts', import.meta.url)}'
const [dataFolder, url, first] = process.argv.slice(2)
const archive = await openArchive({ dataFolder, url, keys: { passphrase: Buffer.from('${PASSPHRASE}') } })
const intake = openIntake(archive)
process.stdout.write('ready\\n')
await new Promise((done) => process.stdin.once('data', done))
for (let number = Number(first); ; number += 8) {
  await Promise.all(Array.from({ length: 8 }, async (_, place) => {
    const { kind } = await intake.submitBytes(made(number + place), { sender: { kind: 'system', id: 'test' } })
    process.stdout.write('acknowledged ' + (number + place) + ' ' + kind + '\\n')
  }))
}
`

async function ready(child: ChildProcess): Promise<void> {
  const lines = createInterface({ input: child.stdout ?? assert.fail() })
  for await (const line of lines) if (line === 'ready') return
  assert.fail('the child ended before it was ready')
}

const programs = debianPostgres()
test(`${KILLS} kills of the gateway, each at another moment`, {
  ...skipUnless(programs),
  timeout: 600_000,
}, async () => {
  const folder = passable('roentgate-kills-')
  const server = await startServer(programs.path)
  const data = join(folder, 'data')
  const waiting: ChildProcess[] = []
  try {
    mkdirSync(data)
    const keys = { path: join(data, 'keys.json'), passphrase: Buffer.from(PASSPHRASE) }
    await (await createKeyFile({ ...keys, cost: { n: 1024, r: 8, p: 1 } })).close()
    const script = join(folder, 'child.ts')
    writeFileSync(script, CHILD)
    const numbers = numbersFrom(SEED)
    const acknowledged = new Set<number>()
    const start = (kill: number): ChildProcess =>
      spawn(process.execPath, [script, data, server.url, String(kill * 1000)], {
        stdio: ['pipe', 'pipe', 'inherit'],
        cwd: ROOT,
      })
    // The next ones start while one is killed.
    waiting.push(...[0, 1].map(start))
    for (let kill = 0; kill < KILLS; kill++) {
      const child = waiting.shift() ?? assert.fail()
      await ready(child)
      child.stdout?.on('data', (text: Buffer) => {
        for (const [, number] of text.toString().matchAll(/^acknowledged (\d+) stored$/gm))
          acknowledged.add(Number(number))
      })
      child.stdout?.resume()
      child.stdin?.write('go\n')
      if (kill + 2 < KILLS) waiting.push(start(kill + 2))
      await sleep(1 + Math.floor(numbers() * 90))
      assert.equal(child.exitCode, null, 'a gateway that ended by itself')
      child.kill('SIGKILL')
      await once(child, 'close')
    }
    assert.ok(acknowledged.size > KILLS, `${acknowledged.size} acknowledged`)
    await using archive = await openArchive({ dataFolder: data, url: server.url, keys })
    await assertWhole(archive, acknowledged)
    const again = await openIntake(archive).submitBytes(made(0), { sender: SENDER })
    assert.ok(['stored', 'duplicate'].includes(again.kind))
  } finally {
    for (const child of waiting) child.kill('SIGKILL')
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})

test('PostgreSQL is killed five times while many store', { timeout: 120_000 }, async () => {
  const folder = passable('roentgate-pgkill-')
  const data = join(folder, 'data')
  try {
    await using archive = await openArchive({
      dataFolder: data,
      keys: { passphrase: Buffer.from(PASSPHRASE) },
    })
    const intake = openIntake(archive)
    const acknowledged = new Set<number>()
    const state = { next: 0, isOver: false, failures: 0 }
    const store = async (): Promise<void> => {
      while (!state.isOver) {
        const number = state.next++
        try {
          if ((await intake.submitBytes(made(number), { sender: SENDER })).kind === 'stored')
            acknowledged.add(number)
        } catch (error) {
          assert.equal((error as { name?: string }).name, 'DbError')
          state.failures++
        }
      }
    }
    const storing = Promise.all(Array.from({ length: 8 }, store))
    const numbers = numbersFrom(SEED + 1)
    for (let kill = 0; kill < 5; kill++) {
      await sleep(300 + numbers() * 400)
      const before = acknowledged.size
      process.kill(
        Number(readFileSync(join(data, 'postgres/cluster/postmaster.pid'), 'utf8').split('\n')[0]),
        'SIGKILL',
      )
      for (let wait = 0; acknowledged.size <= before + 8 && wait < 300; wait++) await sleep(100)
      assert.ok(acknowledged.size > before + 8, 'it goes on without a hand')
    }
    state.isOver = true
    await storing
    await assertWhole(archive, acknowledged)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
