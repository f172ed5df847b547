// The ledger on the embedded PostgreSQL: growth, searches, proofs, checkpoints.

import assert from 'node:assert/strict'
import { appendFileSync, chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  append,
  checkpointsInSyslog,
  EMPTY,
  type Entry,
  leafHash,
  openCheckpoint,
  parseEntry,
  root,
  verifyConsistency,
  verifyInclusion,
} from '@roentgate/audit'
import { type Database, type Db, openDatabase, transact } from '../db/database.ts'
import { appendEvents, MAX_EVENTS, readHead } from './append.ts'
import { eventOf, grow, START } from './cases.ts'
import { type NamedWitness, openSigner, ownCheckpoints, ownKeys, publishCheckpoint } from './checkpoint.ts'
import { openCursor } from './cursor.ts'
import { auditEventsFor } from './fhir.ts'
import { keepProjection, type ProjectionEvent } from './project.ts'
import { nodeAt, proveConsistency, proveInclusion } from './proofs.ts'
import { entries, search } from './read.ts'
import { type CheckpointEvent, keepCheckpoints } from './schedule.ts'
import { enqueue, spooled } from './spool.ts'
import type { Connection } from './syslog.ts'
import { fileWitness } from './witness-file.ts'
import { syslogWitness } from './witness-syslog.ts'

const folder = mkdtempSync(join(tmpdir(), 'rg-ledger-'))
const opened: { database?: Database } = {}

before(async () => {
  // The database's account passes through where the test is root.
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

async function allLines(): Promise<readonly string[]> {
  const lines: string[] = []
  for await (const line of entries(db())) lines.push(line)
  return lines
}

test('an empty ledger has a root, and takes no events at all', async () => {
  const none = await transact(db(), (tx) => appendEvents(tx, [], START))
  assert.deepEqual(none, { first: 0, size: 0 })
  const { first } = await proveConsistency(db(), 0, 0)
  assert.deepEqual(first, { size: 0, root: root(EMPTY) })
})

test('indices, lines, leaves and the head are those of the format', async () => {
  const at = await transact(db(), (tx) => appendEvents(tx, [eventOf(0), eventOf(1)], START))
  assert.deepEqual(at, { first: 0, size: 2 })
  const more = await transact(db(), (tx) => appendEvents(tx, [eventOf(2)], START))
  assert.deepEqual(more, { first: 2, size: 3 })
  const read = await allLines()
  assert.deepEqual(
    read.map((line) => parseEntry(line)),
    [0, 1, 2].map((n): Entry => ({ ...eventOf(n), v: 1, index: n, at: START.toISOString() })),
  )
  const rows = await db().selectFrom('ledger_entries').select(['line', 'leaf']).execute()
  for (const { line, leaf } of rows) assert.deepEqual(leaf, leafHash(line))
  const frontier = read.map((line) => leafHash(line)).reduce(append, EMPTY)
  assert.deepEqual(root(await readHead(db(), 'look')), root(frontier))
})

test('what the format refuses leaves no trace, nor does a transaction that fails', async () => {
  const bad = eventOf(0, { objects: [{ kind: 'study', id: '' }] })
  await assert.rejects(
    transact(db(), (tx) => appendEvents(tx, [eventOf(0), bad], START)),
    { code: 'BAD_MEMBER' },
  )
  const failing = transact(db(), async (tx) => {
    await appendEvents(tx, [eventOf(9)], START)
    throw new RangeError('changed my mind')
  })
  await assert.rejects(failing, RangeError)
  const many = Array.from({ length: MAX_EVENTS + 1 }, (_, n) => eventOf(n))
  await assert.rejects(
    transact(db(), (tx) => appendEvents(tx, many, START)),
    { code: 'TOO_MANY_EVENTS' },
  )
  assert.equal((await allLines()).length, 3)
})

test('4 writers at once: no gap, each batch in one piece', async () => {
  const writer = async (n: number): Promise<void> => {
    for (let i = 0; i < 10; i++) {
      const events = Array.from({ length: 8 }, () => eventOf(n))
      const { first, size } = await transact(db(), (tx) => appendEvents(tx, events, START))
      assert.equal(size, first + 8)
    }
  }
  await Promise.all([1, 2, 3, 4].map(writer))
  const read = (await allLines()).map((line) => parseEntry(line))
  assert.deepEqual(
    read.map(({ index }) => index),
    Array.from({ length: 3 + 4 * 10 * 8 }, (_, i) => i),
  )
  for (let i = 3; i < read.length; i += 8) {
    assert.equal(new Set(read.slice(i, i + 8).map(({ objects }) => objects[0]?.id)).size, 1)
  }
})

test('proofs over stored subtrees are those of RFC 6962', async () => {
  await grow(db(), 1300)
  const leaves = (await allLines()).map((line) => leafHash(line))
  const rootOf = (size: number) => root(leaves.slice(0, size).reduce(append, EMPTY))
  const sizes = [1, 2, 255, 256, 257, 511, 512, 600, 1024, 1300, leaves.length]
  for (const size of sizes) {
    for (const index of [0, 1, 254, 255, 256, 300, 511, 512, 1023, size - 1].filter((n) => n < size)) {
      const proof = await proveInclusion(db(), index, size)
      assert.deepEqual(Buffer.from(proof.head.root), rootOf(size))
      assert.deepEqual(Buffer.from(proof.leaf), leaves[index])
      assert.ok(verifyInclusion(proof), `${index} in ${size}`)
    }
    for (const first of sizes.filter((one) => one <= size)) {
      const proof = await proveConsistency(db(), first, size)
      assert.deepEqual(Buffer.from(proof.first.root), rootOf(first))
      assert.ok(verifyConsistency(proof), `${first} to ${size}`)
    }
  }
  assert.deepEqual(Buffer.from(await nodeAt(db(), 10, 0)), rootOf(1024))
  await assert.rejects(proveInclusion(db(), leaves.length, leaves.length), { code: 'NO_SUCH_ENTRY' })
  await assert.rejects(proveInclusion(db(), 0, leaves.length + 1), { code: 'BROKEN_TREE' })
})

test('searches: by event, actor, object and time, the latest first, page by page', async () => {
  const login = eventOf(0, {
    event: 'login',
    action: 'E',
    actor: { kind: 'person', id: 'ada@example.org' },
    objects: [],
    detail: {},
  })
  const late = new Date('2027-01-01T00:00:00.000Z')
  await transact(db(), (tx) => appendEvents(tx, [login, eventOf(4242), login], late))
  const indices = async (...wanted: Parameters<typeof search> extends [Db, ...infer R] ? R : never) =>
    (await search(db(), ...wanted)).lines.map((line) => parseEntry(line).index)
  const { size } = await readHead(db(), 'look')
  const page = { limit: 10 }
  assert.deepEqual(await indices({ event: 'login' }, page), [size - 1, size - 3])
  assert.deepEqual(await indices({ actor: 'ada@example.org' }, page), [size - 1, size - 3])
  assert.deepEqual(await indices({ object: '2.25.5242' }, page), [size - 2])
  assert.deepEqual(await indices({ from: late }, page), [size - 1, size - 2, size - 3])
  assert.deepEqual(await indices({ from: late, to: late }, page), [])
  assert.deepEqual(await indices({ event: 'logout' }, page), [])
  const one = await search(db(), { event: 'login' }, { limit: 1 })
  const two = await search(db(), { event: 'login' }, { limit: 1, after: one.next ?? '' })
  assert.equal(parseEntry(two.lines[0] ?? '').index, size - 3)
  assert.equal(two.next, undefined)
  await assert.rejects(search(db(), {}, { limit: 1, after: 'x' }), { code: 'BAD_CURSOR' })
})

const SEED = Buffer.alloc(32, 7)

test('a checkpoint is signed over the head, kept, and told to the witnesses', async () => {
  const signer = await openSigner(db(), SEED)
  const witness = fileWitness({ path: join(folder, 'witness'), dataFolder: join(folder, 'data') })
  const away: NamedWitness = { ...witness, name: 'away', publish: () => Promise.reject(new Error('away')) }
  const { text, size, failures } = await publishCheckpoint(db(), signer, [witness, away])
  assert.deepEqual(
    failures.map((failure) => failure.witness),
    ['away'],
  )
  const head = await readHead(db(), 'look')
  const opened = openCheckpoint(text, await ownKeys(db()))
  assert.deepEqual([opened.size, opened.root], [size, root(head)])
  assert.equal(head.size, size)
  await publishCheckpoint(db(), signer, [witness])
  assert.deepEqual(await witness.read(), [text])
  assert.deepEqual(await ownCheckpoints(db()), [text])
})

test("a witness's file: a torn end is cut off, another file is left alone, the data folder refused", async () => {
  const path = join(folder, 'witness')
  const witness = fileWitness({ path, dataFolder: join(folder, 'data') })
  const [first = ''] = await witness.read()
  appendFileSync(path, first.slice(0, -20))
  await grow(db(), 1)
  const { text } = await publishCheckpoint(db(), await openSigner(db(), SEED), [witness])
  assert.equal(readFileSync(path, 'utf8'), first + text)
  const other = join(folder, 'other')
  writeFileSync(other, 'letters\n')
  const wrong = fileWitness({ path: other, dataFolder: join(folder, 'data') })
  await assert.rejects(wrong.publish(text), { code: 'WITNESS_FAILED' })
  assert.equal(readFileSync(other, 'utf8'), 'letters\n')
  const inside = { path: join(folder, 'data/x/witness'), dataFolder: join(folder, 'data') }
  assert.throws(() => fileWitness(inside), { code: 'WITNESS_INSIDE' })
})

test('the schedule: by entries, by time, again to a witness that was away, and once more at the end', async () => {
  const told: string[] = []
  const events: CheckpointEvent[] = []
  let isAway = true
  const witness: NamedWitness = {
    name: 'moody',
    publish: async (text) => {
      if (isAway) throw new Error('away')
      told.push(text)
    },
    read: async () => told,
  }
  const signer = await openSigner(db(), SEED)
  const options = { db: db(), signer, witnesses: [witness], everyMs: 60, everyEntries: 1000 }
  const checkpoints = keepCheckpoints({ ...options, onEvent: (event) => events.push(event) })
  await grow(db(), 1)
  await until(() => events.some(({ kind }) => kind === 'witness-failed'))
  isAway = false
  await until(() => told.length === 1)
  await grow(db(), 2)
  await checkpoints.stop()
  const { size } = await readHead(db(), 'look')
  const keys = await ownKeys(db())
  assert.equal(openCheckpoint(told.at(-1) ?? '', keys).size, size)
  assert.ok(events.every(({ kind }) => kind !== 'failed'))
})

const PACE = { pollMs: 5, settleMs: 30, firstDelayMs: 5, maxDelayMs: 20 }

test('a sink that breaks and loses what it had: all entries in the end, in order, and the checkpoints', async () => {
  const kept: string[] = []
  let lives = 0
  const connect = async (): Promise<Connection> => {
    const lost = new AbortController()
    const life = ++lives
    let sends = 0
    if (life % 3 === 0) throw new Error('away')
    return {
      lost: lost.signal,
      send: async (frames) => {
        const isBreaking = life < 12 && ++sends > life / 2
        if (isBreaking) lost.abort(new Error('broken'))
        // Taken by the system, and gone with the connection.
        else kept.push(...frames.map(String))
      },
      end: async () => !lost.signal.aborted,
    }
  }
  const sink = { name: 'moody', connect, render: (line: string) => Buffer.from(line) }
  await enqueue(db(), 'moody', Buffer.from('checkpoint'))
  const { size } = await readHead(db(), 'look')
  const events: ProjectionEvent[] = []
  const projection = keepProjection({ db: db(), sink, pace: PACE, onEvent: (event) => events.push(event) })
  await until(() => lives >= 12 && kept.at(-1)?.includes(`"index":${size - 1},`) === true)
  await projection.stop()
  const sent = kept.filter((line) => line !== 'checkpoint').map((line) => parseEntry(line).index)
  let expected = 0
  for (const index of sent) {
    assert.ok(index <= expected, `${index} came before ${expected}`)
    if (index === expected) expected++
  }
  assert.equal(expected, size)
  assert.equal(kept[0], 'checkpoint')
  assert.deepEqual(await spooled(db(), 'moody', { after: 0, limit: 1 }), [])
  const cursor = await db().selectFrom('ledger_cursors').selectAll().executeTakeFirstOrThrow()
  assert.deepEqual(cursor, { sink: 'moody', next: size, holder: null, held_until: null })
  assert.ok(events.some(({ kind }) => kind === 'failed'))
})

test('one gateway at a time sends to a sink, another takes over', async () => {
  const heard: string[] = []
  const sinkOf = (name: string) => ({
    name: 'shared',
    render: () => Buffer.from(name),
    connect: async (): Promise<Connection> => ({
      lost: new AbortController().signal,
      send: async (frames) => void heard.push(...frames.map(String)),
      end: async () => true,
    }),
  })
  const { size } = await readHead(db(), 'look')
  const options = { db: db(), pace: PACE, first: size - 1 }
  const one = keepProjection({ ...options, sink: sinkOf('one') })
  await until(() => heard.length === 1)
  const two = openCursor(db(), 'shared', 0)
  assert.equal(await two.take(), undefined)
  await one.stop()
  assert.equal(await two.take(), size)
  assert.equal(await two.advance(size), true)
  await two.release()
  assert.equal(await two.advance(size), false)
})

test('a checkpoint for a collector waits in the spool', async () => {
  const witness = syslogWitness({ db: db(), sink: 'siem', header: { host: 'gw', app: 'roentgate' } })
  const { text } = await publishCheckpoint(db(), await openSigner(db(), SEED), [witness])
  const [letter] = await spooled(db(), 'siem', { after: 0, limit: 10 })
  assert.deepEqual(checkpointsInSyslog(letter?.payload.toString('utf8') ?? ''), [text])
})

test('entries as FHIR AuditEvents', async () => {
  const context = { source: { id: 'rg' }, application: { id: 'gateway' }, ledger: 'urn:x-test' }
  const events: unknown[] = []
  for await (const event of auditEventsFor(db(), { from: 1, to: 3 }, context)) events.push(event.recorded)
  assert.deepEqual(events, [START.toISOString(), START.toISOString()])
})

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !holds(); i++) await sleep(20)
  assert.ok(holds(), 'in 4 s')
}
