// Whoever administers the database can change anything in it. What `roentgate audit verify` says then.
//
// Each case changes the tables in a transaction with all triggers off, is judged in it, and is rolled back.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, before, test } from 'node:test'
import { append, EMPTY, formatVerifierKey, frontierBytes, leafHash, type Verdict } from '@roentgate/audit'
import { sql } from 'kysely'
import { runProgram } from '../../apps/gateway/src/cli/program.ts'
import { type Database, type Db, openDatabase, type Tx } from '../../apps/gateway/src/db/database.ts'
import { grow } from '../../apps/gateway/src/ledger/cases.ts'
import { openSigner, ownKeys, publishCheckpoint } from '../../apps/gateway/src/ledger/checkpoint.ts'
import { entries } from '../../apps/gateway/src/ledger/read.ts'
import { type Difference, type Judgement, verifyDatabase } from '../../apps/gateway/src/ledger/verify.ts'
import { fileWitness } from '../../apps/gateway/src/ledger/witness-file.ts'

const FIRST = 600
const SECOND = 900
const VERIFIER = resolve(import.meta.dirname, '../../packages/audit/bin/verify.js')
const folder = mkdtempSync(join(tmpdir(), 'rg-tamper-'))
const dataFolder = join(folder, 'data')
const witnessPath = join(folder, 'witness')
const keyPath = join(folder, 'keys')
const witness = fileWitness({ path: witnessPath, dataFolder })
const opened: { database?: Database } = {}

before(async () => {
  chmodSync(folder, 0o711)
  opened.database = await openDatabase({ dataFolder })
  const signer = await openSigner(db(), Buffer.alloc(32, 7))
  writeFileSync(keyPath, `# noted down at the start\n${formatVerifierKey(signer.key)}\n`)
  await grow(db(), FIRST)
  await publishCheckpoint(db(), signer, [witness])
  for (const table of TABLES) await sql`create table ${old(table)} as table ${sql.table(table)}`.execute(db())
  await grow(db(), SECOND - FIRST)
  await publishCheckpoint(db(), signer, [witness])
})

after(async () => {
  await opened.database?.close()
  rmSync(folder, { recursive: true, force: true })
})

const TABLES = ['ledger_entries', 'ledger_nodes', 'ledger_head', 'checkpoints']

function db(): Db {
  return opened.database?.kysely ?? assert.fail()
}

function old(table: string) {
  return sql.table(`old_${table}`)
}

type Case = {
  readonly name: string
  readonly tamper: (tx: Tx) => Promise<unknown>
  readonly verdict: Partial<Verdict>
  readonly differences?: readonly Difference[]
}

const CASES: readonly Case[] = [
  { name: 'nothing', tamper: async () => undefined, verdict: { kind: 'intact', size: SECOND } },
  {
    name: 'deleted',
    tamper: (tx) => sql`delete from ledger_entries where index = 100`.execute(tx),
    verdict: { kind: 'gap', line: 101, expected: 100, found: 101 },
  },
  {
    name: 'deleted, the rest renumbered and the tree made anew',
    tamper: async (tx) => {
      await sql`delete from ledger_entries where index = 100`.execute(tx)
      await sql`update ledger_entries set index = index + 1000000, line = replace(line, '"index":' || index, '"index":' || index - 1)
        where index > 100`.execute(tx)
      await sql`update ledger_entries set index = index - 1000001 where index > 1000000`.execute(tx)
      await rebuild(tx)
    },
    verdict: { kind: 'rewritten', after: 0, before: FIRST },
    differences: [],
  },
  {
    name: 'edited',
    tamper: (tx) => edit(tx, 700),
    verdict: { kind: 'rewritten', after: FIRST, before: SECOND },
    differences: ['leaves', 'head'],
  },
  {
    name: 'edited, the tree made anew, our own checkpoints gone',
    tamper: async (tx) => {
      await edit(tx, 10)
      await rebuild(tx)
      await sql`delete from checkpoints`.execute(tx)
    },
    verdict: { kind: 'rewritten', after: 0, before: FIRST },
  },
  {
    name: 'edited to what is no entry',
    tamper: async (tx) => {
      for (const index of ['time', 'event', 'actor', 'object'])
        await tx.schema.dropIndex(`ledger_by_${index}`).execute()
      await sql`update ledger_entries set line = line || ' ' where index = 5`.execute(tx)
    },
    verdict: { kind: 'malformed', line: 6, code: 'NOT_CANONICAL' },
  },
  {
    name: 'reordered',
    tamper: (tx) =>
      sql`update ledger_entries one set line = other.line, leaf = other.leaf from ledger_entries other
        where (one.index, other.index) in ((300, 301), (301, 300))`.execute(tx),
    verdict: { kind: 'reordered', line: 301 },
  },
  {
    name: 'truncated',
    tamper: (tx) => sql`delete from ledger_entries where index >= 750`.execute(tx),
    verdict: { kind: 'truncated', signed: SECOND, found: 750 },
    differences: ['head'],
  },
  {
    name: 'rolled back: all tables as they were',
    tamper: async (tx) => {
      for (const table of TABLES) {
        await sql`delete from ${sql.table(table)}`.execute(tx)
        await sql`insert into ${sql.table(table)} select * from ${old(table)}`.execute(tx)
      }
    },
    verdict: { kind: 'rolled-back', how: 'old-copy', from: SECOND, to: FIRST },
    differences: [],
  },
  {
    name: 'a leaf hash alone',
    tamper: (tx) => sql`update ledger_entries set leaf = sha256('') where index = 3`.execute(tx),
    verdict: { kind: 'intact' },
    differences: ['leaves'],
  },
  {
    name: 'a subtree alone',
    tamper: (tx) => sql`update ledger_nodes set hash = sha256('') where level = 8 and index = 1`.execute(tx),
    verdict: { kind: 'intact' },
    differences: ['subtrees'],
  },
  {
    name: 'the head alone',
    tamper: (tx) => sql`update ledger_head set size = size + 1`.execute(tx),
    verdict: { kind: 'intact' },
    differences: ['head'],
  },
]

for (const { name, tamper, verdict, differences } of CASES) {
  test(name, async () => {
    const { verdict: found, differences: seen } = await judged(tamper)
    assert.deepEqual({ ...found, ...verdict }, found)
    if (differences !== undefined) assert.deepEqual(seen.toSorted(), differences.toSorted())
  })
}

test('a checkpoint of ours with another signature ends it', async () => {
  const judging = judged((tx) =>
    sql`update checkpoints set text = replace(text, ${`\n${SECOND}\n`}, ${`\n${SECOND - 1}\n`})`.execute(tx),
  )
  await assert.rejects(judging, { code: 'BAD_SIGNATURE' })
})

test('without any checkpoint there is no verdict', async () => {
  const judging = db()
    .transaction()
    .execute(async (tx) => {
      await tamperable(tx)
      await sql`delete from checkpoints`.execute(tx)
      return await verifyDatabase(tx, { keys: await ownKeys(tx), witnesses: [] })
    })
  await assert.rejects(judging, { code: 'NO_CHECKPOINT' })
})

test('nothing is signed over a ledger that is not what was signed', async () => {
  const signer = await openSigner(db(), Buffer.alloc(32, 7))
  const honest = await db()
    .selectFrom('ledger_nodes')
    .selectAll()
    .where('level', '=', 9)
    .executeTakeFirstOrThrow()
  const put = (hash: Buffer) =>
    db()
      .transaction()
      .execute(async (tx) => {
        await tamperable(tx)
        await tx.updateTable('ledger_nodes').set({ hash }).where('level', '=', 9).execute()
      })
  await put(Buffer.alloc(32))
  await assert.rejects(publishCheckpoint(db(), signer, []), { code: 'BROKEN_TREE' })
  await put(honest.hash)
  await publishCheckpoint(db(), signer, [])
})

test('roentgate audit verify and export, beside a gateway that runs', async () => {
  const said: string[] = []
  const run = (...args: readonly string[]) =>
    runProgram({
      arguments: ['audit', ...args],
      signal: new AbortController().signal,
      environment: { data: dataFolder },
      terminal: {
        out: (text) => said.push(text),
        err: (text) => said.push(text),
        live: false,
        colour: false,
        columns: () => 80,
      },
    })
  assert.equal(await run('verify', '--witness', witnessPath, '--key', keyPath), 0)
  assert.match(said.join(''), /^INTACT: 900 entries/)
  const out = join(folder, 'ledger.ndjson')
  assert.equal(await run('export', out), 0)
  const args = [VERIFIER, out, '--key', keyPath, '--witness', witnessPath, '--own', `${out}.checkpoints`]
  const offline = spawnSync(process.execPath, args, { encoding: 'utf8' })
  assert.match(offline.stdout, /^INTACT UP TO 900: .* The last 1 of 901/)
  assert.equal(readFileSync(`${out}.keys`, 'utf8').trim(), readFileSync(keyPath, 'utf8').split('\n')[1])
  said.length = 0
  assert.equal(await run('search', '--event', 'ledger-exported'), 0)
  assert.match(said.join(''), /^901 {2}\S+Z {2}ledger-exported {2}R {2}success {2}person \S+ at localhost\n$/)
  said.length = 0
  await db()
    .transaction()
    .execute(async (tx) => {
      await tamperable(tx)
      await sql`delete from ledger_entries where index = 100`.execute(tx)
    })
  assert.equal(await run('verify', '--witness', witnessPath), 1)
  assert.match(said.join(''), /^The key .*\nGAP: line 101/)
})

async function judged(tamper: (tx: Tx) => Promise<unknown>): Promise<Judgement> {
  const kept: { judgement?: Judgement } = {}
  const rollback = new Error('rollback')
  const notes = await witness.read()
  const run = db()
    .transaction()
    .execute(async (tx) => {
      await tamperable(tx)
      await tamper(tx)
      kept.judgement = await verifyDatabase(tx, { keys: await ownKeys(tx), witnesses: [notes] })
      throw rollback
    })
  await assert.rejects(run, (error) => {
    if (error !== rollback) throw error
    return true
  })
  return kept.judgement ?? assert.fail()
}

async function tamperable(tx: Tx): Promise<void> {
  await sql`set local session_replication_role = replica`.execute(tx)
}

function edit(tx: Tx, index: number) {
  return sql`update ledger_entries set line = replace(line, 'CT_ER', 'CT_OR') where index = ${index}`.execute(
    tx,
  )
}

/** Leaves and head as of the lines. */
async function rebuild(tx: Tx): Promise<void> {
  let frontier = EMPTY
  await sql`update ledger_entries set leaf = sha256('\\x00'::bytea || convert_to(line, 'UTF8'))`.execute(tx)
  for await (const line of entries(tx)) frontier = append(frontier, leafHash(line))
  await tx
    .updateTable('ledger_head')
    .set({ size: frontier.size, frontier: frontierBytes(frontier) })
    .execute()
}
