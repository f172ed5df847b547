// Instances into the archive and back: byte for byte, once, kept where they contradict, in the ledger; and what a kill
// leaves behind. On the embedded PostgreSQL.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { hashOf, openInstance } from '../../apps/gateway/src/archive/retrieve.ts'
import { scrub } from '../../apps/gateway/src/archive/scrub.ts'
import { parseWrapped } from '../../apps/gateway/src/keys/provider.ts'
import { rewrapEverything } from '../../apps/gateway/src/keys/rotation.ts'
import { append, EMPTY, leafHash, parseEntry, parseFrontier, root } from '../../packages/audit/src/index.ts'
import { Tags } from '../../packages/dicom/src/index.ts'
import { damage, ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { el, leaks, slice } from '../support/deid.ts'

const scratch = passable('roentgate-ingest-')
const passphrase = Buffer.from('a passphrase for tests')

function made(number: number, extra: Parameters<typeof slice>[0] = []): Uint8Array {
  return slice(
    [
      el.text(Tags.SOPInstanceUID, 'UI', `2.25.9${String(number).padStart(6, '0')}`),
      el.text(Tags.StudyInstanceUID, 'UI', `2.25.8${number % 3}`),
      el.text(Tags.SeriesInstanceUID, 'UI', `2.25.7${number % 3}`),
      el.text(Tags.Modality, 'CS', 'CT'),
      ...(extra ?? []),
    ],
    { name: 'Zephyrine^Okonkwo', id: 'QX7731402' },
  )
}

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of items) count++
  return count
}

async function bytesOf(archive: Archive, uid: string): Promise<Buffer | undefined> {
  await using stored = await openInstance(archive, uid)
  if (stored === undefined) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of stored.read()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The ledger as the database has it adds up to its own head. */
async function assertLedger({ database }: Archive): Promise<readonly string[]> {
  const rows = await database.kysely.selectFrom('ledger_entries').selectAll().orderBy('index').execute()
  let frontier = EMPTY
  for (const [place, { index, line, leaf }] of rows.entries()) {
    assert.equal(index, place)
    assert.equal(parseEntry(line).index, place)
    assert.deepEqual(leaf, leafHash(line))
    frontier = append(frontier, leaf)
  }
  const head = await database.kysely.selectFrom('ledger_head').selectAll().executeTakeFirstOrThrow()
  assert.equal(head.size, rows.length)
  if (rows.length > 0) assert.deepEqual(root(parseFrontier(head.frontier)), root(frontier))
  return rows.map(({ line }) => line)
}

suite('ingest', () => {
  const dataFolder = join(scratch, 'data')
  const open: { archive?: Archive } = {}
  before(async () => {
    open.archive = await openArchive({ dataFolder, keys: { passphrase } })
  })
  after(async () => {
    await open.archive?.close()
    rmSync(scratch, { recursive: true, force: true })
  })
  const archive = (): Archive => open.archive ?? assert.fail()

  test('what comes back is what came, and the ledger says that it came', async () => {
    const files = Array.from({ length: 70 }, (_, number) => made(number))
    const outcomes = [
      ...(await ingestAll(archive(), files.slice(0, 64))),
      ...(await ingestAll(archive(), files.slice(64))),
    ]
    assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(['stored']))
    for (const [number, file] of files.entries()) {
      const back = await bytesOf(archive(), `2.25.9${String(number).padStart(6, '0')}`)
      assert.ok(back && Buffer.from(file).equals(back))
    }
    const lines = await assertLedger(archive())
    const count = lines
      .map((line) => parseEntry(line))
      .reduce((sum, { objects }) => sum + (objects[0]?.count ?? 0), 0)
    assert.equal(count, 70)
    assert.deepEqual(leaks(Buffer.from(lines.join('\n')), ['Zephyrine', 'QX7731402']), [])
  })

  test('a range is read without the rest', async () => {
    const file = made(1)
    await using stored = (await openInstance(archive(), '2.25.9000001')) ?? assert.fail()
    const chunks: Uint8Array[] = []
    for await (const chunk of stored.read({ start: 100, end: 140 })) chunks.push(chunk)
    assert.deepEqual(Buffer.concat(chunks), Buffer.from(file.subarray(100, 140)))
  })

  test('the same bytes again change nothing; other bytes under the UID are kept beside', async () => {
    const blobs = async (): Promise<number> => await countOf(archive().blobs.list())
    const had = await blobs()
    assert.deepEqual(
      (await ingestAll(archive(), [made(2), made(2)])).map(({ kind }) => kind),
      ['duplicate', 'duplicate'],
    )
    assert.equal(await blobs(), had)
    const other = made(2, [el.text(Tags.SeriesDescription, 'LO', 'another')])
    assert.deepEqual(
      (await ingestAll(archive(), [other])).map(({ kind }) => kind),
      ['conflict'],
    )
    assert.ok((await bytesOf(archive(), '2.25.9000002'))?.equals(Buffer.from(made(2))))
    assert.equal(await blobs(), had + 1)
    const conflicts = await archive().database.kysely.selectFrom('conflicts').select('kind').execute()
    assert.ok(conflicts.some(({ kind }) => kind === 'different-bytes'))
  })

  test('a program before the prefix is zeroed and recorded; what is no instance is refused', async () => {
    const program = made(500)
    program.set([0x4d, 0x5a, 0x90], 0)
    const [stored, refused, without] = await ingestAll(archive(), [
      program,
      Buffer.from('no DICOM at all'),
      slice([el.text(Tags.StudyInstanceUID, 'UI', '')]),
    ])
    assert.deepEqual([stored?.kind, refused?.kind, without?.kind], ['stored', 'refused', 'refused'])
    const back = await bytesOf(archive(), '2.25.9000500')
    assert.ok(back?.subarray(0, 128).every((byte) => byte === 0))
    assert.ok(back?.subarray(128).equals(Buffer.from(program.subarray(128))))
    const row = await archive()
      .database.kysely.selectFrom('instances')
      .select('preamble')
      .where('sop_uid', '=', '2.25.9000500')
      .executeTakeFirst()
    assert.equal(row?.preamble, 'MZ')
  })

  test('nothing in the data folder holds a name in clear', () => {
    const paths = readdirSync(dataFolder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    )
    assert.ok(paths.length > 20)
    for (const entry of paths) {
      const bytes = readFileSync(join(entry.parentPath, entry.name))
      assert.deepEqual(leaks(bytes, ['Zephyrine', 'QX7731402']), [], entry.name)
    }
  })

  test('keys are rotated under the same blobs', async () => {
    const before_ = await bytesOf(archive(), '2.25.9000003')
    const { custodians, database } = archive()
    await custodians[0].rotate()
    const { rewrapped } = await rewrapEverything(database.kysely, custodians)
    assert.ok(rewrapped >= 3)
    assert.equal((await rewrapEverything(database.kysely, custodians)).rewrapped, 0)
    const rows = await database.kysely.selectFrom('data_keys').select('wrapped').execute()
    const { kek } = await custodians[0].describe()
    assert.ok(rows.every(({ wrapped }) => parseWrapped(wrapped ?? '').kek === kek))
    assert.deepEqual(await bytesOf(archive(), '2.25.9000003'), before_)
  })

  test('a flipped byte is found, recorded and refused from then on', async () => {
    const row = await archive()
      .database.kysely.selectFrom('instances')
      .selectAll()
      .where('sop_uid', '=', '2.25.9000004')
      .executeTakeFirstOrThrow()
    damage(dataFolder, row.blob_id)
    await assert.rejects(hashOf(archive(), row), { code: 'CORRUPT' })
    const found = await scrub(archive())
    assert.equal(found.damaged, 1)
    assert.ok(found.intact > 60)
    await assert.rejects(bytesOf(archive(), '2.25.9000004'), { code: 'CORRUPT' })
    const lines = await assertLedger(archive())
    assert.ok(lines.some((line) => parseEntry(line).event === 'scrub-failed'))
  })
})

const CHILD = `
import { openArchive } from '${new URL('../../apps/gateway/src/archive/archive.ts', import.meta.url)}'
import { ingest } from '${new URL('../../apps/gateway/src/archive/ingest/ingest.ts', import.meta.url)}'
import { readdirSync, readFileSync } from 'node:fs'
const [folder, dataFolder] = process.argv.slice(2)
const archive = await openArchive({ dataFolder, keys: { passphrase: Buffer.from('a passphrase for tests') } })
for (const name of readdirSync(folder).sort()) {
  const [outcome] = await ingest(archive, [{ bytes: readFileSync(folder + '/' + name), sender: { kind: 'system', id: 'test' } }])
  process.stdout.write(name + ' ' + outcome.kind + '\\n')
}
await archive.close()
`

/** As many points as a test run affords; \`npm run bench\` and soak runs have the rest. */
const KILLS = 8

test('killed anywhere: what was acknowledged is there and verifies, what was not is invisible or whole', {
  timeout: 240_000,
}, async () => {
  const folder = passable('roentgate-killed-')
  try {
    const input = join(folder, 'in')
    const data = join(folder, 'data')
    mkdirSync(input)
    const total = 400
    for (let number = 0; number < total; number++)
      writeFileSync(join(input, String(number).padStart(6, '0')), made(number))
    const script = join(folder, 'child.ts')
    writeFileSync(script, CHILD)
    const acknowledged = new Set<string>()
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, [script, input, data], {
        stdio: ['ignore', 'pipe', 'inherit'],
        cwd: fileURLToPath(new URL('../..', import.meta.url)),
      })
      let heard = 0
      // Other places each time: so many instances in, and a moment that is not the same twice.
      const wanted = 3 + kill * 9
      child.stdout.on('data', (text: Buffer) => {
        for (const line of text.toString().split('\n')) {
          const [name = '', kind = ''] = line.split(' ')
          if (kind !== '') acknowledged.add(name)
          if (kind === 'stored') heard++
        }
        if (heard >= wanted) setTimeout(() => child.kill('SIGKILL'), (kill * 7) % 23)
      })
      await once(child, 'exit')
    }
    assert.ok(acknowledged.size > KILLS, `${acknowledged.size}`)
    await using archive = await openArchive({ dataFolder: data, keys: { passphrase } })
    await assertLedger(archive)
    for (const name of acknowledged) {
      const back = await bytesOf(archive, `2.25.9${name}`)
      assert.ok(back?.equals(readFileSync(join(input, name))), name)
    }
    const { intact, damaged, missing } = await scrub(archive, { orphansOlderThan: 0 })
    assert.deepEqual([damaged, missing], [0, 0])
    assert.ok(intact >= acknowledged.size)
    // Blobs that no row names are swept; every row has its blob.
    assert.equal(await countOf(archive.blobs.list()), intact)
    // The rest, sent again, is clean.
    const files = readdirSync(input)
      .sort()
      .slice(0, 60)
      .map((name) => new Uint8Array(readFileSync(join(input, name))))
    assert.ok(
      (await ingestAll(archive, files)).every(({ kind }) => kind === 'stored' || kind === 'duplicate'),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
