// The restore drill: back up, destroy, restore to an empty place; every byte, every row, the ledger going on. Then what is
// damaged, forged, interrupted, pruned.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { sql } from 'kysely'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { startS3Server } from '../../apps/gateway/src/archive/blobs/s3-server.ts'
import { certificateKey, disposeStudy } from '../../apps/gateway/src/archive/dispose.ts'
import { placeHold } from '../../apps/gateway/src/archive/holds.ts'
import { openIntake } from '../../apps/gateway/src/archive/ingest/intake.ts'
import { setPolicy } from '../../apps/gateway/src/archive/retention.ts'
import { openInstance } from '../../apps/gateway/src/archive/retrieve.ts'
import { backUp, nameAfter } from '../../apps/gateway/src/backup/backup.ts'
import { TABLES } from '../../apps/gateway/src/backup/dump.ts'
import { backups, check, prune } from '../../apps/gateway/src/backup/read.ts'
import { restore } from '../../apps/gateway/src/backup/restore.ts'
import { openTarget, type Target } from '../../apps/gateway/src/backup/target.ts'
import { publishCheckpoint } from '../../apps/gateway/src/ledger/checkpoint.ts'
import { ledgerSigner } from '../../apps/gateway/src/ledger/signer.ts'
import { verifyDatabase } from '../../apps/gateway/src/ledger/verify.ts'
import { fileWitness } from '../../apps/gateway/src/ledger/witness-file.ts'
import { SENDER } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { made, uidOf } from '../support/instances.ts'
import { roentgate } from '../support/terminal.ts'

const scratch = passable('roentgate-backup-')
const passphrase = Buffer.from('for tests')
const keys = async () => ({ passphrase })
const INSTANCES = 60
const by = SENDER
const source = join(scratch, 'data')
const witness = fileWitness({ path: join(scratch, 'witness'), dataFolder: source })
const open: { archive?: Archive } = {}
const archive = (): Archive => open.archive ?? assert.fail()
const at = (name: string): string => join(scratch, name)

before(async () => {
  open.archive = await openArchive({ dataFolder: source, keys: { passphrase } })
  const intake = openIntake(archive())
  await Promise.all(
    Array.from({ length: INSTANCES }, (_, number) => intake.submitBytes(made(number), { sender: SENDER })),
  )
  const db = archive().database.kysely
  await setPolicy(db, { name: 'p', jurisdiction: '', basis: '', years: 7 }, 'ana')
  await placeHold(db, { matter: 'm', owner: 'ana', studies: ['2.25.80'] })
  await publishCheckpoint(db, await ledgerSigner(db, archive().custodians), [witness])
})
after(async () => {
  await open.archive?.close()
  rmSync(scratch, { recursive: true, force: true })
})

async function instance(from: Archive, number: number): Promise<Buffer | undefined> {
  await using stored = await openInstance(from, uidOf(number))
  if (stored === undefined) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of stored.read()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** Every row of every table, as PostgreSQL writes it. */
async function rowsOf({ database }: Archive, tables: readonly string[]): Promise<readonly string[]> {
  const all: string[] = []
  for (const table of tables) {
    const { rows } = await sql<{
      row: string
    }>`select to_json(t)::text as row from ${sql.table(table)} t order by 1`.execute(database.kysely)
    all.push(...rows.map(({ row }) => `${table} ${row}`))
  }
  return all
}

test('the dump knows every table of the database', async () => {
  const { rows } = await sql<{ name: string }>`
    select table_name as name from information_schema.tables where table_schema = 'public'`.execute(
    archive().database.kysely,
  )
  assert.deepEqual(rows.map(({ name }) => name).sort(), [...TABLES].sort())
})

async function drill(target: Target, name: string): Promise<void> {
  const unchanged = TABLES.filter((table) => !['ledger_head', 'ledger_entries', 'instances'].includes(table))
  const had = await rowsOf(archive(), unchanged)
  const first = await backUp(archive(), target, { dataFolder: source, by })
  assert.deepEqual([first.manifest.blobs, first.copied, first.missing], [INSTANCES, INSTANCES, 0])
  const second = await backUp(archive(), target, { dataFolder: source, by })
  assert.equal(second.copied, 0)
  await check(target, second.manifest)
  const signer = await ledgerSigner(archive().database.kysely, archive().custodians)
  const place = { dataFolder: at(`${name}-restored`), keys }
  const { scrubbed } = await restore(target, place, { by, trusted: [signer.key] })
  assert.equal(scrubbed.intact, INSTANCES)
  await using back = await openArchive({ ...place, keys: { passphrase } })
  for (let number = 0; number < INSTANCES; number++)
    assert.ok((await instance(back, number))?.equals(Buffer.from(made(number))))
  const has = new Set(await rowsOf(back, unchanged))
  assert.deepEqual(
    had.filter((row) => !has.has(row)),
    [],
  )
  const db = back.database.kysely
  const notes = await witness.read()
  const judged = await verifyDatabase(db, { keys: [signer.key], witnesses: [notes] })
  assert.equal(judged.verdict.kind, 'unsigned-tail')
  assert.deepEqual(judged.differences, [])
  const [outcome] = await Promise.all([openIntake(back).submitBytes(made(500), { sender: SENDER })])
  assert.equal(outcome?.kind, 'stored')
  const again = await publishCheckpoint(db, await ledgerSigner(db, back.custodians), [])
  const after_ = await verifyDatabase(db, { keys: [signer.key], witnesses: [[...notes, again.text]] })
  assert.equal(after_.verdict.kind, 'intact', 'the same ledger, under the same key, goes on')
}

test('the drill, from a folder', async () => {
  await using target = await openTarget({ url: at('target') })
  await drill(target, 'folder')
})

test('the drill, from a bucket', async () => {
  const server = await startS3Server()
  const had = { ...process.env }
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b', AWS_REGION: 'us-east-1' })
  try {
    await using target = await openTarget({ url: 's3://images/backup/', endpoint: server.endpoint })
    await drill(target, 'bucket')
  } finally {
    process.env = had
    await server.close()
  }
})

test('nothing of a patient is in the target in clear', () => {
  for (const entry of readdirSync(at('target'), { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const bytes = readFileSync(join(entry.parentPath, entry.name))
    for (const secret of ['Zephyrine', 'QX7731402']) assert.equal(bytes.indexOf(secret), -1, entry.name)
  }
})

const CODES = new Set(['DAMAGED', 'FORGED'])

test('a changed byte is found wherever it is, and what is gone too', async () => {
  const objects = join(at('target'), 'objects')
  const signer = await ledgerSigner(archive().database.kysely, archive().custodians)
  const files = readdirSync(at('target'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
  await using whole = await openTarget({ url: at('target') })
  const [, { manifest: last } = assert.fail()] = await backups(whole, [signer.key])
  assert.ok(files.some((file) => file.includes(last.dump.id)) && existsSync(objects))
  let found = 0
  for (const [turn, file] of files.entries()) {
    const copy = at(`copy-${turn}`)
    cpSync(at('target'), copy, { recursive: true })
    const there = file.replace(at('target'), copy)
    const bytes = readFileSync(there)
    rmSync(there)
    if (turn % 3 > 0) {
      const place = Math.floor(bytes.length / 2)
      bytes.writeUInt8(bytes.readUInt8(place) ^ 4, place)
      writeFileSync(there, bytes)
    }
    await using target = await openTarget({ url: copy })
    const outcome = await backups(target, [signer.key])
      .then(async (all) => {
        for (const { manifest } of all) await check(target, manifest)
        return all.length
      })
      .catch((error: { code?: string }) => error.code ?? String(error))
    if (typeof outcome === 'string' && CODES.has(outcome)) found++
    else assert.ok(turn % 3 === 0 && file.endsWith('.note') && outcome === 1, `${file}: ${outcome}`)
    rmSync(copy, { recursive: true, force: true })
  }
  assert.ok(found >= 6, `${found}`)
})

test('another key, another passphrase, a place that is not empty', async () => {
  await using target = await openTarget({ url: at('target') })
  const other = await openArchive({ dataFolder: at('other'), keys: { passphrase } })
  const stranger = await ledgerSigner(other.database.kysely, other.custodians)
  await other.close()
  const place = (name: string) => ({ dataFolder: at(name), keys })
  await assert.rejects(restore(target, place('r1'), { by, trusted: [stranger.key] }), { code: 'FORGED' })
  await assert.rejects(restore(target, place('other'), { by }), { code: 'NOT_EMPTY' })
  const guess = { dataFolder: at('r2'), keys: async () => ({ passphrase: Buffer.from('guess') }) }
  await assert.rejects(restore(target, guess, { by }), { code: 'WRONG_PASSPHRASE' })
  await assert.rejects(restore(target, place('r3'), { by, backup: 'none' }), { code: 'NO_BACKUP' })
})

test('names are in the order in which the backups were made, whatever the clock says', () => {
  const times = [5, 5, 5, 9, 2, 2, 9, 10]
  const names: string[] = []
  for (const ms of times) names.push(nameAfter(names.at(-1), new Date(ms).toISOString()))
  assert.deepEqual(names.toSorted(), names)
  assert.equal(new Set(names).size, times.length)
})

test('a study that was destroyed goes from the backups when the old ones are pruned', async () => {
  await using target = await openTarget({ url: at('target') })
  const signer = await ledgerSigner(archive().database.kysely, archive().custodians)
  await openIntake(archive()).submitBytes(made(100), { sender: SENDER })
  await backUp(archive(), target, { dataFolder: source, by })
  const order = { study: '2.25.81', by: 'ana', second: 'ben', reason: 'test' }
  await disposeStudy(archive(), order, certificateKey(Buffer.alloc(32, 1)))
  const { manifest } = await backUp(archive(), target, { dataFolder: source, by })
  assert.equal(manifest.blobs, INSTANCES)
  const { backups: removed, objects } = await prune(target, [signer.key], 1)
  assert.ok(removed === 3 && objects >= 6, `${removed} ${objects}`)
  assert.equal((await backups(target, [signer.key])).length, 1)
  await check(target, manifest)
})

test('the commands: backup, list, check, keep, restore; and nothing opens what is half restored', async () => {
  await archive().close()
  const passphraseFile = at('passphrase')
  writeFileSync(passphraseFile, passphrase)
  const here = { data: source, passphraseFile }
  const target = at('by-command')
  assert.equal((await roentgate(['ca', 'init', '--name', 'Network'], here)).code, 0)
  assert.match((await roentgate(['backup', target], here)).out, /: 60 blobs, 60 of them copied now/)
  assert.match(
    (await roentgate(['backup', target, '--keep', '1'], here)).out,
    /, 0 of them copied now\n1 older backup/,
  )
  assert.match((await roentgate(['backup', target, '--check'], here)).out, /60 blobs .* whole\n$/)
  const there = { data: at('commanded'), passphraseFile }
  mkdirSync(at('commanded'))
  writeFileSync(join(at('commanded'), 'RESTORE-UNFINISHED'), '')
  assert.match((await roentgate(['scrub'], there)).err, /was begun and not finished/)
  const restored = await roentgate(['restore', target], there)
  assert.match(restored.out, /60 blobs, 60 instances read and hashed/)
  assert.match((await roentgate(['scrub'], there)).out, /^60 instances intact, 0 damaged/)
  assert.equal(
    (await roentgate(['ca', 'issue', 'CT1', '--out', at('ct1')], there)).code,
    0,
    'the authority too',
  )
  const none = await roentgate(['restore', at('nowhere')], { ...there, data: at('x') })
  assert.match(none.err, /NO_BACKUP/)
  open.archive = await openArchive({ dataFolder: source, keys: { passphrase } })
})

test('killed at any moment, the command is given again', { timeout: 180_000 }, async () => {
  await archive().close()
  const passphraseFile = at('passphrase')
  const program = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))
  const run = async (args: readonly string[], data: string, killAfter?: number): Promise<number | null> => {
    const env = { ...process.env, ROENTGATE_DATA: data, ROENTGATE_PASSPHRASE_FILE: passphraseFile }
    const child = spawn(process.execPath, [program, ...args], { env, stdio: 'ignore' })
    const ended = once(child, 'exit')
    if (killAfter !== undefined) {
      await Promise.race([sleep(killAfter), ended])
      child.kill('SIGKILL')
    }
    await ended
    return child.exitCode
  }
  const target = at('killed-target')
  const data = at('killed-data')
  for (const killAfter of [500, 900, 1300, 1700, 2100]) await run(['backup', target], source, killAfter)
  assert.equal(await run(['backup', target], source), 0)
  for (const killAfter of [700, 1200, 1700, 2200, 2700]) await run(['restore', target], data, killAfter)
  if (existsSync(join(data, 'RESTORE-UNFINISHED'))) assert.equal(await run(['restore', target], data), 0)
  const { out } = await roentgate(['scrub'], { data, passphraseFile })
  assert.match(out, /^60 instances intact, 0 damaged, 0 missing/)
  open.archive = await openArchive({ dataFolder: source, keys: { passphrase } })
})
