// Instances of any size as they arrive, and many who store at once: what comes back, what is refused without a trace,
// what a disk, a bucket or a sender that fails leaves behind.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { openDirectoryStore } from '../../apps/gateway/src/archive/blobs/directory.ts'
import type { StoreError } from '../../apps/gateway/src/archive/blobs/errors.ts'
import { type FileSystem, nodeFileSystem } from '../../apps/gateway/src/archive/blobs/file-system.ts'
import { openS3Store } from '../../apps/gateway/src/archive/blobs/s3.ts'
import { startS3Server } from '../../apps/gateway/src/archive/blobs/s3-server.ts'
import type { BlobStore } from '../../apps/gateway/src/archive/blobs/store.ts'
import { certificateKey, disposeStudy } from '../../apps/gateway/src/archive/dispose.ts'
import { openFrames } from '../../apps/gateway/src/archive/frames.ts'
import type { Sender } from '../../apps/gateway/src/archive/ingest/commit.ts'
import { openIntake } from '../../apps/gateway/src/archive/ingest/intake.ts'
import { ingestStream, SMALL_BYTES } from '../../apps/gateway/src/archive/ingest/stream.ts'
import { openInstance } from '../../apps/gateway/src/archive/retrieve.ts'
import { scrub } from '../../apps/gateway/src/archive/scrub.ts'
import { search } from '../../apps/gateway/src/ledger/read.ts'
import { parseEntry } from '../../packages/audit/src/index.ts'
import {
  join as bytesOf,
  DEFLATED,
  EXPLICIT,
  forge,
  IMPLICIT,
  JPEG_BASELINE,
  part10,
} from '../../packages/dicom/src/forge.ts'
import { ingestAll, SENDER } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'

const scratch = passable('roentgate-stream-')
const le = forge({ explicit: true, bigEndian: false })
const implicit = forge({ explicit: false, bigEndian: false })
const LARGE = SMALL_BYTES + 3_000_001

type Numbers = { readonly study: number; readonly number: number }

function header(
  make: typeof le,
  { study, number }: Numbers,
  more: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const uid = (text: string) => (text.length % 2 === 0 ? text : `${text}\0`)
  return bytesOf(
    make.element(0x00080016, 'UI', uid('1.2.840.10008.5.1.4.1.1.2')),
    make.element(0x00080018, 'UI', uid(`2.25.7${study}${number}`)),
    make.element(0x00080060, 'CS', 'CT'),
    make.element(0x00100020, 'LO', 'ID'),
    make.element(0x0020000d, 'UI', uid(`2.25.8${study}`)),
    make.element(0x0020000e, 'UI', uid(`2.25.9${study}`)),
    more,
  )
}

/** Does not compress. */
const NOISE = randomBytes(LARGE + 2)
const noise = (length: number): Buffer => NOISE.subarray(0, length)

const small = (numbers: Numbers): Uint8Array =>
  part10(EXPLICIT, header(le, numbers), le.element(0x7fe00010, 'OW', noise(2000)))
const native = (numbers: Numbers): Uint8Array =>
  part10(EXPLICIT, header(le, numbers), le.element(0x7fe00010, 'OW', noise(LARGE + 1)))
const fragments = (numbers: Numbers): Uint8Array =>
  part10(
    JPEG_BASELINE,
    header(le, numbers),
    le.frames(0x7fe00010, [new Uint8Array(0), noise(LARGE / 2), noise(7), noise(LARGE / 2)]),
  )

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

async function back(archive: Archive, uid: string): Promise<Buffer | undefined> {
  await using stored = await openInstance(archive, uid)
  if (stored === undefined) return undefined
  const chunks: Uint8Array[] = []
  for await (const chunk of stored.read()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function countOf(blobs: BlobStore): Promise<number> {
  let count = 0
  for await (const _ of blobs.list()) count++
  return count
}

suite('streams', () => {
  const open: { archive?: Archive } = {}
  before(async () => {
    open.archive = await openArchive({
      dataFolder: join(scratch, 'data'),
      keys: { passphrase: Buffer.from('for tests') },
    })
  })
  after(async () => {
    await open.archive?.close()
    rmSync(scratch, { recursive: true, force: true })
  })
  const archive = (): Archive => open.archive ?? assert.fail()
  const stored = async (bytes: Uint8Array, chunk = 70_001) =>
    await ingestStream(archive(), inChunks(bytes, chunk), { sender: SENDER })

  const LARGE_ONES: readonly (readonly [string, Uint8Array, string])[] = [
    ['native', native({ study: 1, number: 1 }), '2.25.711'],
    ['fragments', fragments({ study: 1, number: 2 }), '2.25.712'],
    [
      'implicit, with a header of megabytes',
      part10(
        IMPLICIT,
        header(implicit, { study: 1, number: 3 }, implicit.element(0x00211001, 'UN', noise(LARGE + 1))),
        implicit.element(0x7fe00010, 'OW', noise(5000)),
      ),
      '2.25.713',
    ],
    [
      'no pixel data at all',
      part10(EXPLICIT, header(le, { study: 1, number: 4 }, le.element(0x00420011, 'OB', noise(LARGE + 1)))),
      '2.25.714',
    ],
    [
      'deflated',
      part10(
        DEFLATED,
        deflateRawSync(
          bytesOf(header(le, { study: 1, number: 5 }), le.element(0x7fe00010, 'OW', noise(LARGE + 1))),
        ),
      ),
      '2.25.715',
    ],
  ]
  for (const [name, bytes, uid] of LARGE_ONES) {
    test(`large: ${name}`, async () => {
      const first = await stored(bytes)
      assert.deepEqual(first, { kind: 'outcome', outcome: { kind: 'stored', sopUid: uid, collisions: [] } })
      assert.ok((await back(archive(), uid))?.equals(Buffer.from(bytes)))
      const again = await stored(bytes, 1_000_000)
      assert.equal(again.kind === 'outcome' && again.outcome.kind, 'duplicate')
    })
  }

  test('an item header in any place of the chunks is found', async () => {
    const bytes = fragments({ study: 2, number: 1 })
    for (const chunk of [1021, 4093, 65_537]) {
      const { kind } = await stored(bytes, chunk)
      assert.equal(kind, 'outcome')
    }
    assert.ok((await back(archive(), '2.25.721'))?.equals(Buffer.from(bytes)))
  })

  const whole = native({ study: 3, number: 1 })
  const encapsulated = fragments({ study: 3, number: 2 })
  const REFUSED: readonly (readonly [string, Uint8Array, string])[] = [
    ['cut off in native pixel data', whole.subarray(0, whole.length - 1), 'TRUNCATED'],
    ['cut off in a fragment', encapsulated.subarray(0, encapsulated.length - 100), 'TRUNCATED'],
    ['without the delimiter', encapsulated.subarray(0, encapsulated.length - 8), 'TRUNCATED'],
    ['no DICOM', noise(LARGE), 'NOT_DICOM'],
    [
      'without a study',
      part10(EXPLICIT, le.element(0x00080018, 'UI', '1.2\0'), le.element(0x7fe00010, 'OW', noise(LARGE + 1))),
      'NO_UID',
    ],
  ]
  for (const [name, bytes, code] of REFUSED) {
    test(`refused without a trace: ${name}`, async () => {
      const blobs = await countOf(archive().blobs)
      const result = await stored(bytes)
      assert.ok(result.kind === 'outcome' && result.outcome.kind === 'refused', JSON.stringify(result))
      assert.equal(result.outcome.code, code)
      assert.equal(await countOf(archive().blobs), blobs)
    })
  }

  test('a sender that breaks off leaves nothing', async () => {
    const blobs = await countOf(archive().blobs)
    const gone = new Error('connection reset')
    const breaking = async function* () {
      yield whole.subarray(0, LARGE - 5)
      throw gone
    }
    await assert.rejects(ingestStream(archive(), breaking(), { sender: SENDER }), (error) => error === gone)
    assert.equal(await countOf(archive().blobs), blobs)
    assert.equal(await openInstance(archive(), '2.25.731'), undefined)
  })

  test('many who store at once: each has its outcome, and the ledger says who sent what', async () => {
    const intake = openIntake(archive())
    const senders: readonly Sender[] = ['CT1', 'CT2', 'MR1'].map((id) => ({ kind: 'node', id }))
    const before = await archive()
      .database.kysely.selectFrom('ledger_head')
      .select('size')
      .executeTakeFirstOrThrow()
    const outcomes = await Promise.all(
      Array.from({ length: 150 }, (_, number) =>
        intake.submit(inChunks(small({ study: 4, number }), 900), { sender: senders[number % 3] ?? SENDER }),
      ),
    )
    assert.ok(outcomes.every(({ kind }) => kind === 'stored'))
    const { lines } = await search(archive().database.kysely, { object: '2.25.84' }, { limit: 1000 })
    const counts = new Map<string, number>()
    for (const { actor, objects } of lines.map(parseEntry))
      counts.set(actor.id, (counts.get(actor.id) ?? 0) + (objects[0]?.count ?? 0))
    assert.deepEqual([...counts].sort(), [
      ['CT1', 50],
      ['CT2', 50],
      ['MR1', 50],
    ])
    const after_ = await archive()
      .database.kysely.selectFrom('ledger_head')
      .select('size')
      .executeTakeFirstOrThrow()
    assert.ok(after_.size - before.size < 60, 'instances that came together are entries together')
  })

  test('one that the database refuses spoils nothing for the others', async () => {
    const intake = openIntake(archive())
    const poison = part10(
      EXPLICIT,
      header(le, { study: 5, number: 99 }, le.element(0x00200010, 'SH', 'a\0b ')),
      le.element(0x7fe00010, 'OW', noise(100)),
    )
    const nul = Buffer.from(poison)
    nul.write('2.25.7\x00', nul.indexOf('2.25.75'), 'latin1')
    const results = await Promise.allSettled([
      ...Array.from({ length: 20 }, (_, number) =>
        intake.submitBytes(small({ study: 5, number }), { sender: SENDER }),
      ),
      intake.submitBytes(nul, { sender: SENDER }),
    ])
    assert.ok(results.slice(0, 20).every((one) => one.status === 'fulfilled' && one.value.kind === 'stored'))
    const last = results[20]
    const isHarmless =
      last?.status === 'rejected' || last?.value.kind === 'refused' || last?.value.kind === 'stored'
    assert.ok(isHarmless)
  })

  test('a study that is destroyed while its instance arrives: the instance is kept under a key that lives', async () => {
    const numbers = { study: 6, number: 1 }
    await ingestAll(archive(), [small(numbers)])
    const key = certificateKey(Buffer.alloc(32, 1))
    const order = { study: '2.25.86', by: 'ana', second: 'ben', reason: 'test' }
    const once = { done: false }
    const blobs: BlobStore = {
      ...archive().blobs,
      // Before the rows: beside them, the destruction would wait for the end of their transaction.
      isNear: false,
      putMany: async (all) => {
        await archive().blobs.putMany(all)
        if (!once.done) await disposeStudy(archive(), order, key)
        once.done = true
      },
    }
    const [outcome] = await ingestAll({ ...archive(), blobs }, [small({ ...numbers, number: 2 })])
    assert.ok(once.done)
    assert.equal(outcome?.kind, 'stored')
    assert.ok(await back(archive(), '2.25.762'))
    assert.equal(await back(archive(), '2.25.761'), undefined)
  })

  for (const code of ['ENOSPC', 'EIO'] as const) {
    test(`${code} at every call of the file system: nothing is acknowledged, nothing is seen, and then it goes on`, async () => {
      const faulty = { at: Number.POSITIVE_INFINITY, calls: 0 }
      const fs = failing(faulty, code)
      const blobs = await openDirectoryStore({ root: join(scratch, 'data', 'blobs'), fs })
      const broken = { ...archive(), blobs }
      let failures = 0
      for (let at = 1, study = code === 'EIO' ? 700 : 800; ; at++, study++) {
        const files = [1, 2, 3].map((number) => small({ study, number }))
        Object.assign(faulty, { at, calls: 0 })
        const result = await ingestAll(broken, files).catch((error: StoreError) => error)
        faulty.at = Number.POSITIVE_INFINITY
        if (Array.isArray(result)) break
        failures++
        assert.equal((result as StoreError).code, 'IO')
        for (const number of [1, 2, 3])
          assert.equal(await back(archive(), `2.25.7${study}${number}`), undefined)
        const retried = await ingestAll(broken, files)
        assert.ok(retried.every(({ kind }) => kind === 'stored'))
      }
      assert.ok(failures >= 5, `${failures}`)
      const { damaged, missing } = await scrub(archive())
      assert.deepEqual([damaged, missing], [0, 0])
    })
  }

  test('one frame is read without the rest, whatever says where it is', async () => {
    const shape = (frames: number) =>
      bytesOf(
        le.element(0x00280002, 'US', le.u16(1)),
        le.element(0x00280008, 'IS', String(frames).padEnd(4)),
        le.element(0x00280010, 'US', le.u16(512)),
        le.element(0x00280011, 'US', le.u16(512)),
        le.element(0x00280100, 'US', le.u16(8)),
      )
    const size = 512 * 512
    const many = 40
    const at = (frame: number): Buffer => noise(LARGE).subarray(frame * 1000, frame * 1000 + size)
    const all = Array.from({ length: many }, (_, frame) => at(frame))
    const offsets = bytesOf(...all.map((_, frame) => le.u32(frame * (size + 8))))
    const kinds = [
      [1, EXPLICIT, le.element(0x7fe00010, 'OB', Buffer.concat(all))],
      [2, JPEG_BASELINE, le.frames(0x7fe00010, [offsets, ...all])],
      [3, JPEG_BASELINE, le.frames(0x7fe00010, [new Uint8Array(0), ...all])],
    ] as const
    for (const [number, syntax, pixels] of kinds) {
      await stored(part10(syntax, header(le, { study: 10, number }, shape(many)), pixels))
      const read = { bytes: 0 }
      const blobs: BlobStore = {
        ...archive().blobs,
        open: async (id) => {
          const handle = await archive().blobs.open(id)
          const readAt = async (offset: number, length: number) => {
            read.bytes += length
            return await handle.readAt(offset, length)
          }
          return { ...handle, readAt }
        },
      }
      await using frames = (await openFrames({ ...archive(), blobs }, `2.25.710${number}`)) ?? assert.fail()
      assert.equal(frames.count, many)
      for (const frame of [17, 0, many - 1]) assert.ok(at(frame).equals(await frames.frame(frame)))
      const before = read.bytes
      await frames.frame(20)
      assert.ok(read.bytes - before < 2 * size, `${read.bytes - before} bytes for a frame of ${size}`)
    }
    await ingestAll(archive(), [part10(EXPLICIT, header(le, { study: 10, number: 9 }))])
    assert.equal(await openFrames(archive(), '2.25.7109'), undefined)
  })

  test('the bucket is gone, and comes back', async () => {
    const server = await startS3Server()
    const blobs = await openS3Store({ bucket: 'b', client: clientOf(server.endpoint) })
    const bucketed = { ...archive(), blobs }
    const file = small({ study: 9, number: 1 })
    server.failing.method = 'PUT'
    server.failing.times = Number.POSITIVE_INFINITY
    await assert.rejects(ingestAll(bucketed, [file]), { code: 'IO' })
    assert.equal(await openInstance(bucketed, '2.25.791'), undefined)
    server.failing.times = 0
    assert.equal((await ingestAll(bucketed, [file]))[0]?.kind, 'stored')
    assert.ok((await back(bucketed, '2.25.791'))?.equals(Buffer.from(file)))
    await server.close()
    await assert.rejects(ingestAll(bucketed, [small({ study: 9, number: 2 })]), { code: 'IO' })
    assert.equal(await openInstance(archive(), '2.25.792'), undefined)
    await blobs.close()
  })
})

function clientOf(endpoint: string) {
  const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
  return { endpoint, region: 'us-east-1', forcePathStyle: true, credentials, maxAttempts: 1 }
}

/** Fails its `at`th call. */
function failing(faulty: { at: number; calls: number }, code: string): FileSystem {
  const strike = (): void => {
    faulty.calls++
    if (faulty.calls === faulty.at) throw Object.assign(new Error(code), { code })
  }
  const wrapped =
    <A extends readonly unknown[], R>(act: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      strike()
      return await act(...args)
    }
  return {
    open: wrapped(async (path, flags) => {
      const file = await nodeFileSystem.open(path, flags)
      return { ...file, write: wrapped(file.write), sync: wrapped(file.sync) }
    }),
    syncFolder: wrapped(nodeFileSystem.syncFolder),
    mkdir: wrapped(nodeFileSystem.mkdir),
    link: wrapped(nodeFileSystem.link),
    rename: wrapped(nodeFileSystem.rename),
    unlink: nodeFileSystem.unlink,
    names: nodeFileSystem.names,
    stat: nodeFileSystem.stat,
  }
}
