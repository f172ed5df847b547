// The run over stand-in stages: accounting, duplicates, references, crashes, full disks, interruption, resuming.

import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type FakeSource, fakeUid } from './fake-stages.ts'
import { JournalError } from './journal.ts'
import { RecipeRefused, type RunEnd, type RunRequest, run } from './run.ts'

const FAKE = new URL('./fake-stages.ts', import.meta.url).href
const root = mkdtempSync(join(tmpdir(), 'roentgate-run-'))
after(() => rmSync(root, { recursive: true, force: true }))

type Line = {
  readonly index: number
  readonly outcome: string
  readonly output?: string
  readonly reasons: readonly { readonly code: string }[]
  readonly warnings: readonly { readonly code: string }[]
}

function setUp(name: string, sources: Readonly<Record<string, FakeSource | string>>): string {
  const folder = join(root, name)
  mkdirSync(join(folder, 'in'), { recursive: true })
  for (const [file, source] of Object.entries(sources)) {
    writeFileSync(join(folder, 'in', file), typeof source === 'string' ? source : JSON.stringify(source))
  }
  return folder
}

function request(folder: string, changes: Partial<RunRequest> = {}): RunRequest {
  return {
    roots: [join(folder, 'in')],
    settings: {
      out: join(folder, 'out'),
      recipe: { name: 'basic', text: '' },
      key: '00'.repeat(32),
      patientTable: [],
      pixels: 'quarantine',
      dryRun: false,
      mapping: changes.mapping !== undefined,
    },
    jobs: 2,
    resume: false,
    version: '0',
    instance: FAKE,
    ...changes,
  }
}

function manifest(folder: string): readonly Line[] {
  const text = readFileSync(join(folder, 'out', 'manifest.jsonl'), 'utf8')
  return text
    .split('\n')
    .slice(1, -1)
    .map((line) => JSON.parse(line) as Line)
}

function complete(end: RunEnd): Extract<RunEnd, { kind: 'complete' }> {
  assert.equal(end.kind, 'complete')
  return end as Extract<RunEnd, { kind: 'complete' }>
}

const slices = (count: number, more: Partial<FakeSource> = {}): Record<string, FakeSource> =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [
      `f${String(i).padStart(4, '0')}`,
      { patient: 'P1', sop: `1.2.${i}`, ...more },
    ]),
  )

test('every input has one line, in order, and the totals agree', async () => {
  const folder = setUp('plain', {
    ...slices(70),
    zz: 'no DICOM',
    z: { patient: 'P2', sop: '9', do: 'quarantine' },
  })
  const { totals } = complete(await run(request(folder)))
  const lines = manifest(folder)
  assert.deepEqual(
    lines.map(({ index }) => index),
    [...lines.keys()],
  )
  assert.deepEqual(totals.outcomes, { released: 70, quarantined: 1, failed: 0, duplicate: 0, ignored: 1 })
  assert.equal(totals.attributes.find(({ attribute }) => attribute === '(0010,0010)')?.count, 70)
  assert.equal(totals.inventory[0]?.instances, 71)
  assert.equal(totals.patients, 1)
})

test('the manifest does not depend on the number of workers', async () => {
  const folder = setUp('jobs', {
    ...slices(90),
    ref: { patient: 'P1', sop: 'r', refs: ['1.2.3', 'elsewhere'] },
  })
  complete(await run(request(folder, { jobs: 1 })))
  const first = readFileSync(join(folder, 'out', 'manifest.jsonl'), 'utf8')
  rmSync(join(folder, 'out'), { recursive: true })
  complete(await run(request(folder, { jobs: 3 })))
  assert.equal(readFileSync(join(folder, 'out', 'manifest.jsonl'), 'utf8'), first)
})

test('references to what was not released withdraw the referrer, and its referrers', async () => {
  const folder = setUp('dangling', {
    a: { patient: 'P', sop: 'a', do: 'quarantine' },
    b: { patient: 'P', sop: 'b', refs: ['a'] },
    c: { patient: 'P', sop: 'c', refs: ['b', 'c'] },
    d: { patient: 'Q', sop: 'd', refs: ['elsewhere'] },
  })
  complete(await run(request(folder)))
  assert.deepEqual(
    manifest(folder).map(({ outcome }) => outcome),
    ['quarantined', 'quarantined', 'quarantined', 'released'],
  )
  assert.equal(existsSync(join(folder, 'out', 'P')), false)
  assert.equal(manifest(folder)[2]?.reasons[0]?.code, 'REFERENCE_DANGLES')
})

test('the same bytes twice are a duplicate; other bytes under one UID are both withheld', async () => {
  const folder = setUp('duplicates', {
    a: { patient: 'P', sop: 'a' },
    b: { patient: 'P', sop: 'a' },
    c: { patient: 'P', sop: 'c' },
    d: { patient: 'P', sop: 'c', name: 'C^D' },
    e: { patient: 'P', sop: 'e', do: 'quarantine' },
    f: { patient: 'P', sop: 'e', do: 'quarantine' },
    g: { patient: 'P', sop: 'g', refs: ['c'] },
  })
  complete(await run(request(folder)))
  const lines = manifest(folder)
  assert.deepEqual(
    lines.map(({ outcome }) => outcome),
    ['released', 'duplicate', 'quarantined', 'quarantined', 'quarantined', 'quarantined', 'quarantined'],
  )
  assert.equal(lines[1]?.output, lines[0]?.output)
  assert.equal(lines[2]?.reasons[0]?.code, 'SOP_INSTANCE_CONFLICT')
  assert.equal(lines[0]?.warnings[0]?.code, 'PATIENT_ID_COLLISION')
})

test('a worker that dies takes only the culprit with it', async () => {
  const folder = setUp('crash', { ...slices(40), f0007: { patient: 'P1', sop: 'x', do: 'crash' } })
  const { totals } = complete(await run(request(folder)))
  assert.deepEqual([totals.outcomes.released, totals.outcomes.failed], [39, 1])
  assert.equal(manifest(folder)[7]?.reasons[0]?.code, 'WORKER_CRASHED')
})

test('an exception of a stage is a failure without its message', async () => {
  const folder = setUp('throws', {
    a: { patient: 'P', sop: 'a', do: 'throw' },
    b: { patient: 'P', sop: 'b' },
  })
  complete(await run(request(folder)))
  assert.equal(readFileSync(join(folder, 'out', 'manifest.jsonl'), 'utf8').includes('a value'), false)
  assert.deepEqual(
    manifest(folder).map(({ outcome }) => outcome),
    ['failed', 'released'],
  )
})

test('a full disk stops the run, and --resume ends it with the same manifest', async () => {
  const folder = setUp('full', { ...slices(60), f0030: { patient: 'P1', sop: 'full', do: 'full' } })
  const end = await run(request(folder, { jobs: 1 }))
  assert.deepEqual([end.kind, end.kind === 'stopped' && end.why], ['stopped', 'disk-full'])
  assert.equal(existsSync(join(folder, 'out', 'manifest.jsonl')), false)
  writeFileSync(join(folder, 'space'), '')
  const resumed = complete(await run(request(folder, { jobs: 1, resume: true })))
  assert.ok(resumed.skipped > 0)
  assert.equal(resumed.totals.outcomes.released, 60)
  assert.equal(resumed.totals.attributes[0]?.count, 60)
  const text = readFileSync(join(folder, 'out', 'manifest.jsonl'), 'utf8')
  rmSync(join(folder, 'out'), { recursive: true })
  complete(await run(request(folder)))
  assert.equal(readFileSync(join(folder, 'out', 'manifest.jsonl'), 'utf8'), text)
})

test('an interrupted run keeps what is done', async () => {
  const folder = setUp('interrupt', slices(200))
  const interrupt = new AbortController()
  const end = await run(
    request(folder, {
      jobs: 1,
      signal: interrupt.signal,
      progress: (progress) => {
        if (progress.phase === 'process' && progress.done > 0) interrupt.abort()
      },
    }),
  )
  assert.equal(end.kind === 'stopped' && end.why, 'interrupted')
  const resumed = complete(await run(request(folder, { resume: true })))
  assert.ok(resumed.skipped >= 32 && resumed.skipped < 200)
  assert.equal(resumed.totals.outcomes.released, 200)
})

test('--resume redoes what was tampered with, and refuses another key', async () => {
  const folder = setUp('resume', slices(5))
  complete(await run(request(folder)))
  const output = join(folder, 'out', manifest(folder)[2]?.output ?? '')
  const before = readFileSync(output)
  writeFileSync(output, 'tampered')
  const unfinished = join(folder, 'out', 'P1', '.x.dcm.4711.tmp')
  writeFileSync(unfinished, 'half')
  const resumed = complete(await run(request(folder, { resume: true })))
  assert.equal(resumed.skipped, 4)
  assert.deepEqual(readFileSync(output), before)
  assert.equal(existsSync(unfinished), false)
  const other = request(folder, { resume: true })
  const settings = { ...other.settings, key: '11'.repeat(32) }
  await assert.rejects(
    run({ ...other, settings }),
    (error) => error instanceof JournalError && error.code === 'OTHER_RUN',
  )
})

test('--resume removes what is released no longer', async () => {
  const folder = setUp('stale', slices(5))
  complete(await run(request(folder)))
  const output = join(folder, 'out', manifest(folder)[2]?.output ?? '')
  writeFileSync(
    join(folder, 'in', 'other'),
    JSON.stringify({ patient: 'P1', sop: '1.2.2', birth: '19700101' }),
  )
  complete(await run(request(folder, { resume: true })))
  assert.equal(existsSync(output), false)
})

test('the mapping is complete, private, and sorted', async () => {
  const folder = setUp('mapping', slices(5))
  const dir = join(folder, 'map')
  complete(await run(request(folder, { mapping: dir })))
  const uids = readFileSync(join(dir, 'uid_mapping.csv'), 'utf8').split('\r\n')
  assert.equal(uids[0], 'id_old,id_new')
  assert.equal(uids[1], `1.2.0,${fakeUid('1.2.0')}`)
  assert.equal(uids.length, 7)
  assert.equal(statSync(join(dir, 'uid_mapping.csv')).mode & 0o777, 0o600)
  assert.equal(statSync(dir).mode & 0o777, 0o700)
  assert.equal(existsSync(join(dir, 'mapping.spool.jsonl')), false)
  assert.match(readFileSync(join(dir, 'files.csv'), 'utf8'), /f0003,,released,P1\/study/)
})

test('a dry run writes nothing', async () => {
  const folder = setUp('dry', slices(5))
  const dry = request(folder)
  const { totals } = complete(await run({ ...dry, settings: { ...dry.settings, dryRun: true } }))
  assert.equal(totals.outcomes.released, 5)
  assert.equal(existsSync(join(folder, 'out')), false)
})

test('a recipe that does not compile is refused before anything is written', async () => {
  const folder = setUp('recipe', slices(1))
  const bad = request(folder)
  const settings = { ...bad.settings, recipe: { name: 'x', text: 'bad' } }
  await assert.rejects(
    run({ ...bad, settings }),
    (error) => error instanceof RecipeRefused && /line 3/.test(error.message),
  )
  assert.equal(existsSync(join(folder, 'out')), false)
})

test('malformed files are quarantined, unreadable ones fail, links do not loop', async () => {
  const folder = setUp('odd', { a: { patient: 'P', sop: 'a', do: 'malformed' } })
  symlinkSync(join(folder, 'in'), join(folder, 'in', 'loop'))
  symlinkSync(join(folder, 'nowhere'), join(folder, 'in', 'zz'))
  complete(await run(request(folder)))
  assert.deepEqual(
    manifest(folder).map(({ outcome, reasons }) => [outcome, reasons[0]?.code]),
    [
      ['quarantined', 'TRUNCATED'],
      ['ignored', 'FOLDER_SEEN'],
      ['failed', 'READ_FAILED'],
    ],
  )
})
