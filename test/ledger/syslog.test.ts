// The ledger to Debian's rsyslog over TLS, with kills on both sides: all entries arrive, in order, once or more.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Context, checkpointsInSyslog } from '@roentgate/audit'
import { type Database, type Db, openDatabase } from '../../apps/gateway/src/db/database.ts'
import { readHead } from '../../apps/gateway/src/ledger/append.ts'
import { grow } from '../../apps/gateway/src/ledger/cases.ts'
import { openSigner, publishCheckpoint } from '../../apps/gateway/src/ledger/checkpoint.ts'
import {
  keepProjection,
  type ProjectionEvent,
  type SyslogSink,
  syslogSink,
} from '../../apps/gateway/src/ledger/project.ts'
import { connectSyslog, type SyslogTarget } from '../../apps/gateway/src/ledger/syslog.ts'
import { syslogWitness } from '../../apps/gateway/src/ledger/witness-syslog.ts'
import { type Collector, collectorIn, NAME } from '../support/collector.ts'
import { peer, rsyslog, skipUnless } from '../support/peers.ts'
import { roentgate } from '../support/terminal.ts'

const rsyslogd = rsyslog()
const openssl = peer('openssl')
const options = skipUnless(rsyslogd, openssl)
const folder = mkdtempSync(join(tmpdir(), 'rg-syslog-'))
const opened: { database?: Database; collector?: Collector } = {}
const HEADER = { host: 'gw.example.org', app: 'roentgate' }
const CONTEXT: Context = { source: { id: 'rg' }, application: { id: 'gateway' }, ledger: 'urn:x-ledger' }
const PACE = { pollMs: 20, settleMs: 1000, firstDelayMs: 50, maxDelayMs: 400 }
const SOURCES = new URL('../../apps/gateway/src/', import.meta.url).href

before(async () => {
  if (options.skip !== false) return
  chmodSync(folder, 0o711)
  const inner = join(folder, 'collector')
  mkdirSync(inner)
  opened.collector = await collectorIn({ rsyslogd: rsyslogd.path, openssl: openssl.path, folder: inner })
  await opened.collector.start()
  opened.database = await openDatabase({ dataFolder: join(folder, 'data') })
})

after(async () => {
  await opened.collector?.end('SIGTERM')
  await opened.database?.close()
  rmSync(folder, { recursive: true, force: true })
})

function db(): Db {
  return opened.database?.kysely ?? assert.fail()
}

function collector(): Collector {
  return opened.collector ?? assert.fail()
}

function target(): SyslogTarget {
  const { port, ca } = collector()
  return { kind: 'tls', host: NAME, port, ca }
}

function settings(): SyslogSink {
  return { name: 'siem', target: target(), header: HEADER, context: CONTEXT }
}

test('the collector is killed, is away, and comes back', options, async () => {
  const events: ProjectionEvent[] = []
  const sink = syslogSink(settings())
  const projection = keepProjection({ db: db(), sink, pace: PACE, onEvent: (event) => events.push(event) })
  await grow(db(), 500, 50)
  await until(() => indices().length > 100)
  await collector().end('SIGKILL')
  await grow(db(), 300, 50)
  await until(() => events.filter(({ kind }) => kind === 'failed').length > 1)
  await collector().start()
  await grow(db(), 50, 50)
  await arrived()
  await collector().end('SIGKILL')
  await collector().start()
  await grow(db(), 5)
  await arrived()
  await projection.stop()
})

test('a checkpoint goes the same way and comes back whole', options, async () => {
  const signer = await openSigner(db(), Buffer.alloc(32, 7))
  const witness = syslogWitness({ db: db(), sink: 'siem', header: HEADER })
  const { text } = await publishCheckpoint(db(), signer, [witness])
  const projection = keepProjection({ db: db(), sink: syslogSink(settings()), pace: PACE })
  await until(() => checkpointsInSyslog(collector().received().join('\n')).includes(text))
  await projection.stop()
  const rest = await db().selectFrom('spool').select('id').execute()
  assert.deepEqual(rest, [])
})

test('the gateway is killed while it sends, and another goes on', options, async () => {
  await grow(db(), 2000)
  const connection = opened.database?.embedded?.connection
  const script = `
    const { openDatabase } = await import('${SOURCES}db/database.ts')
    const { keepProjection, syslogSink } = await import('${SOURCES}ledger/project.ts')
    const database = await openDatabase({ connection: ${JSON.stringify(connection)} })
    const sink = syslogSink(${JSON.stringify(settings())})
    keepProjection({ db: database.kysely, sink, pace: ${JSON.stringify({ ...PACE, settleMs: 50 })} })
    console.log('up')`
  const gateway = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const had = indices().length
  await once(gateway.stdout, 'data')
  await until(() => indices().length > had + 50)
  gateway.kill('SIGKILL')
  await once(gateway, 'exit')
  // Its hold on the sink would end by itself, half a minute later.
  await db()
    .updateTable('ledger_cursors')
    .set({ held_until: new Date(0) })
    .execute()
  const projection = keepProjection({ db: db(), sink: syslogSink(settings()), pace: PACE })
  await arrived()
  await projection.stop()
})

test('a certificate by a stranger, or for another name, is refused', options, async () => {
  const { port, ca } = collector()
  const refused = { code: 'SINK_FAILED' }
  await assert.rejects(connectSyslog({ kind: 'tls', host: NAME, port }), refused)
  await assert.rejects(connectSyslog({ kind: 'tls', host: '127.0.0.1', port, ca }), refused)
})

/** Of the entries, as they came. */
function indices(): readonly number[] {
  return collector()
    .received()
    .flatMap((line) => {
      const [, index] = /urn:x-ledger#(\d+)/.exec(line) ?? []
      return index === undefined ? [] : [Number(index)]
    })
}

async function arrived(): Promise<void> {
  const { size } = await readHead(db(), 'look')
  await until(() => indices().at(-1) === size - 1)
  let expected = 0
  for (const index of indices()) {
    assert.ok(index <= expected, `${index} came before ${expected}`)
    if (index === expected) expected++
  }
  assert.equal(expected, size)
}

async function until(holds: () => boolean): Promise<void> {
  for (let i = 0; i < 300 && !holds(); i++) await sleep(50)
  assert.ok(holds(), 'in 15 s')
}

test(
  'roentgate audit forward: all that is there, beside a gateway that runs, and nothing twice the next time',
  options,
  async () => {
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, collector().ca)
    const environment = { data: join(folder, 'data') }
    const place = `${NAME}:${collector().port}`
    const had = collector().received().length
    const { size } = await readHead(db(), 'look')
    const first = await roentgate(['audit', 'forward', place, '--ca', ca, '--once'], environment)
    assert.deepEqual([first.code, first.out], [0, `Forwarded up to entry ${size}\n`])
    await until(() => collector().received().length >= had + size)
    const again = await roentgate(['audit', 'forward', place, '--ca', ca, '--once'], environment)
    assert.equal(again.code, 0)
    assert.ok(collector().received().length < had + size + 10)
    const wrong = await roentgate(['audit', 'forward', 'somewhere', '--once'], environment)
    assert.match(wrong.err, /HOST:PORT/)
    const fhir = join(folder, 'events.ndjson')
    assert.equal((await roentgate(['audit', 'export', fhir, '--fhir'], environment)).code, 0)
    const [event] = readFileSync(fhir, 'utf8').split('\n')
    assert.equal(JSON.parse(event ?? '').resourceType, 'AuditEvent')
  },
)
