// kill -9 of the gateway in the middle of eight associations, fifty times: every instance for which Success was sent is
// there and verifies; a resend of the rest is clean.
//
// Replay: ROENTGATE_SEED=N. The moments follow from it, as far as a machine has the same moments twice.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { createKeyFile } from '../../apps/gateway/src/keys/passphrase.ts'
import { addNode } from '../../apps/gateway/src/nodes/registry.ts'
import { dataSetStart, fromBytes } from '../../packages/dicom/src/index.ts'
import { connect } from '../../packages/dimse/src/index.ts'
import { passable } from '../support/data-folder.ts'
import { made, uidOf } from '../support/instances.ts'
import { debianPostgres, skipUnless } from '../support/peers.ts'
import { startServer } from '../support/postgres.ts'
import { assertWhole, numbersFrom } from '../support/whole.ts'

const KILLS = 50
const ASSOCIATIONS = 8
/** Numbers of one gateway's life; each association has its own. */
const SPAN = 8000
const SEED = Number(process.env.ROENTGATE_SEED ?? 1)
const PASSPHRASE = 'a passphrase for tests'
const PROGRAM = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))
const CT = '1.2.840.10008.5.1.4.1.1.2'
const EXPLICIT = '1.2.840.10008.1.2.1'

type Gateway = { readonly child: ChildProcess; readonly port: Promise<number> }

function dataSetOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(dataSetStart(fromBytes(bytes)))
}

/** One number after the other, until the association or `count` ends; those for which Success came are in `stored`. */
async function sendFrom(
  port: number,
  first: number,
  { count, stored }: { count: number; stored: Set<number> },
) {
  try {
    const association = await connect({
      host: '127.0.0.1',
      port,
      callingAe: 'MOD',
      calledAe: 'ROENTGATE',
      contexts: [{ abstractSyntax: CT, transferSyntaxes: [EXPLICIT] }],
      implementation: IMPLEMENTATION,
    })
    for (let number = first; number < first + count; number++) {
      const data = dataSetOf(made(number))
      const instance = { sopClass: CT, sopInstance: uidOf(number), transferSyntax: EXPLICIT, data }
      if ((await association.store(instance)) === 0) stored.add(number)
    }
    await association.release()
  } catch {
    // The gateway was killed.
  }
}

/** Twelve of each association of every tenth gateway. */
async function sentAgain(port: number): Promise<ReadonlySet<number>> {
  const again = new Set<number>()
  for (let kill = 0; kill < KILLS; kill += 10)
    for (let place = 0; place < ASSOCIATIONS; place++)
      await sendFrom(port, kill * SPAN + place * 1000, { count: 12, stored: again })
  assert.equal(
    again.size,
    (KILLS / 10) * ASSOCIATIONS * 12,
    'what was cut off, and what was not, is taken again',
  )
  return again
}

async function prepare(data: string, open: () => Promise<Archive>): Promise<void> {
  mkdirSync(data)
  const keys = { path: join(data, 'keys.json'), passphrase: Buffer.from(PASSPHRASE) }
  await (await createKeyFile({ ...keys, cost: { n: 1024, r: 8, p: 1 } })).close()
  const archive = await open()
  const node = { ae: 'MOD', addresses: ['127.0.0.1'], fingerprints: [], outside: false }
  await addNode(archive.database.kysely, { ...node, services: ['store'] }, 'ana')
  await archive.close()
}

const programs = debianPostgres()
test(`${KILLS} kills of a gateway that ${ASSOCIATIONS} associations store in`, {
  ...skipUnless(programs),
  timeout: 600_000,
}, async () => {
  const folder = passable('roentgate-dimse-kills-')
  const server = await startServer(programs.path)
  const data = join(folder, 'data')
  const passphraseFile = join(folder, 'passphrase')
  const open = async (): Promise<Archive> =>
    await openArchive({ dataFolder: data, url: server.url, keys: { passphrase: Buffer.from(PASSPHRASE) } })
  const start = (): Gateway => {
    const env = {
      ...process.env,
      ROENTGATE_DATA: data,
      ROENTGATE_PASSPHRASE_FILE: passphraseFile,
      DATABASE_URL: server.url,
    }
    const child = spawn(process.execPath, [PROGRAM, 'serve', '--plain', '--port', '0'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const port = once(child.stdout, 'data').then(([text]) => Number(/port (\d+)/.exec(String(text))?.[1]))
    return { child, port }
  }
  const waiting: Gateway[] = []
  try {
    writeFileSync(passphraseFile, PASSPHRASE)
    await prepare(data, open)
    const numbers = numbersFrom(SEED)
    const stored = new Set<number>()
    // The next one starts while one is killed.
    waiting.push(start(), start())
    let cut = 0
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, port } = waiting.shift() ?? assert.fail()
      const at = await port
      const had = stored.size
      const sending = Array.from({ length: ASSOCIATIONS }, (_, place) =>
        sendFrom(at, kill * SPAN + place * 1000, { count: 1000, stored }),
      )
      await sleep(20 + numbers() * 300)
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await Promise.all([...sending, ended])
      if (stored.size > had) cut++
      if (kill < KILLS - 2) waiting.push(start())
    }
    assert.ok(cut > KILLS / 2, `${cut} gateways had stored something`)
    const archive = await open()
    await assertWhole(archive, stored, dataSetOf)
    await archive.close()
    const { child, port } = start()
    waiting.push({ child, port })
    const again = await sentAgain(await port)
    child.kill('SIGTERM')
    await once(child, 'exit')
    const after = await open()
    await assertWhole(after, new Set([...stored, ...again]), dataSetOf)
    await after.close()
  } finally {
    for (const { child } of waiting) child.kill('SIGKILL')
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
})
