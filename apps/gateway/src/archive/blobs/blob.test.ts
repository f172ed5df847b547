// Sealing and opening: what comes back is what went in, or CORRUPT; by property, for every way to tamper.

import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { newKeyId, newObjectId } from '../ids.ts'
import { isStoreError } from './errors.ts'
import { blobSize, frameSpan, geometryOf, HEADER_BYTES, TAG_BYTES } from './format.ts'
import { openBlob, openBytes } from './open.ts'
import { type SealOptions, sealBlob, sealBytes } from './seal.ts'
import { type ReadAt, readerOf } from './store.ts'
import { patternOf } from './vectors.ts'

/** The smallest frame, so that a few kilobytes are several frames. */
const LOG2 = 12
const FRAME = 2 ** LOG2

function options(): SealOptions {
  return { objectId: newObjectId(), keyId: newKeyId(), dataKey: randomBytes(32), frameLog2: LOG2 }
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const part of source) parts.push(part)
  return Buffer.concat(parts)
}

function* chopped(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1
    yield bytes.subarray(at, at + size)
    at += size
  }
}

const isCorrupt = (error: unknown): boolean => isStoreError(error, 'CORRUPT')
const lengths = fc.oneof(
  fc.constantFrom(0, 1, FRAME - 1, FRAME, FRAME + 1, 2 * FRAME, 3 * FRAME, 3 * FRAME + 5),
  fc.integer({ min: 0, max: 5 * FRAME }),
)
const chunkSizes = fc.array(fc.integer({ min: 1, max: 3 * FRAME }), { minLength: 1, maxLength: 5 })

test('blob: open(seal(x)) = x, whatever the chunks, and the stream equals the fast path', async () => {
  await fc.assert(
    fc.asyncProperty(lengths, chunkSizes, async (length, sizes) => {
      const plain = patternOf(length)
      const seal = { ...options(), salt: randomBytes(32) }
      const sealed = sealBlob(seal, chopped(plain, sizes))
      const blob = await all(sealed)
      const bytes = sealBytes(seal, plain)
      assert.ok(blob.equals(bytes.blob))
      assert.equal(blob.length, blobSize(length, LOG2))
      const expected = {
        sha256: createHash('sha256').update(plain).digest('hex'),
        size: length,
        stored: blob.length,
      }
      assert.deepEqual(await sealed.done, expected)
      assert.deepEqual({ sha256: bytes.sha256, size: bytes.size, stored: bytes.stored }, expected)
      assert.ok((await openBytes(blob, seal)).equals(plain))
    }),
    { numRuns: 60 },
  )
})

test('blob: a range is the slice, from the frames that hold it and no other', async () => {
  const seal = options()
  await fc.assert(
    fc.asyncProperty(lengths, fc.nat(), fc.nat(), async (length, a, b) => {
      const [start = 0, end = 0] = [a % (length + 1), b % (length + 1)].sort((x, y) => x - y)
      const plain = patternOf(length)
      const { blob } = sealBytes(seal, plain)
      const touched: [number, number][] = []
      const reader: ReadAt = {
        size: blob.length,
        readAt: async (offset, size) => {
          touched.push([offset, offset + size])
          return blob.subarray(offset, offset + size)
        },
      }
      using opened = await openBlob(reader, seal)
      assert.equal(opened.size, length)
      touched.length = 0
      assert.ok((await all(opened.read({ start, end }))).equals(plain.subarray(start, end)))
      const span = frameSpan(geometryOf(blob.length, LOG2), { start, end })
      for (const [from, to] of touched) {
        assert.ok(from >= span.offset && to <= span.offset + span.length)
      }
    }),
    { numRuns: 100 },
  )
})

test('blob: any flipped bit is CORRUPT and hands out nothing wrong', async () => {
  const seal = options()
  const plain = patternOf(2 * FRAME + 100)
  const { blob } = sealBytes(seal, plain)
  await fc.assert(
    fc.asyncProperty(fc.nat(blob.length - 1), fc.nat(7), async (at, bit) => {
      const bad = Buffer.from(blob)
      bad[at] = (bad[at] ?? 0) ^ (1 << bit)
      await refusedOrBegins(bad, seal, plain)
    }),
    { numRuns: 200 },
  )
  for (let at = 0; at < HEADER_BYTES; at++) {
    const bad = Buffer.from(blob)
    bad[at] = (bad[at] ?? 0) ^ 1
    await assert.rejects(openBlob(readerOf(bad), seal), isCorrupt, `header byte ${at}`)
  }
})

/** Reading fails, and whatever came before the failure is the beginning of the object. */
async function refusedOrBegins(bad: Buffer, seal: SealOptions, plain: Buffer): Promise<void> {
  const given: Uint8Array[] = []
  await assert.rejects(async () => {
    using opened = await openBlob(readerOf(bad), seal)
    for await (const bytes of opened.read()) given.push(bytes)
  }, isCorrupt)
  const got = Buffer.concat(given)
  assert.ok(got.equals(plain.subarray(0, got.length)))
}

test('blob: a cut at any byte is refused when it is opened', async () => {
  const seal = options()
  const { blob } = sealBytes(seal, patternOf(3 * FRAME))
  const stored = FRAME + TAG_BYTES
  const edges = [0, 1, 2].map((i) => HEADER_BYTES + i * stored)
  for (const at of [...edges, 0, 1, 79, 81, HEADER_BYTES + 15, HEADER_BYTES + 16, blob.length - 1]) {
    await assert.rejects(openBlob(readerOf(blob.subarray(0, at)), seal), isCorrupt, `cut at ${at}`)
  }
  await fc.assert(
    fc.asyncProperty(fc.nat(blob.length - 1), async (at) => {
      await assert.rejects(openBlob(readerOf(blob.subarray(0, at)), seal), isCorrupt)
    }),
    { numRuns: 100 },
  )
  const extended = Buffer.concat([blob, blob.subarray(-stored)])
  await assert.rejects(openBlob(readerOf(extended), seal), isCorrupt)
  await assert.rejects(openBlob(readerOf(Buffer.concat([blob, Buffer.alloc(1)])), seal), isCorrupt)
})

test('blob: frames exchanged, repeated or taken from another object are refused', async () => {
  const seal = options()
  const plain = patternOf(4 * FRAME)
  const { blob } = sealBytes(seal, plain)
  const other = sealBytes({ ...seal, objectId: newObjectId() }, plain).blob
  const again = sealBytes(seal, plain).blob
  const stored = FRAME + TAG_BYTES
  const frame = (from: Buffer, i: number): Buffer =>
    from.subarray(HEADER_BYTES + i * stored, HEADER_BYTES + (i + 1) * stored)
  const built = (frames: readonly Buffer[]): Buffer =>
    Buffer.concat([blob.subarray(0, HEADER_BYTES), ...frames])
  const own = [0, 1, 2, 3].map((i) => frame(blob, i))
  await fc.assert(
    fc.asyncProperty(fc.nat(3), fc.nat(3), fc.constantFrom(blob, other, again), async (to, from, source) => {
      fc.pre(!(source === blob && to === from))
      await refusedOrBegins(built(own.with(to, frame(source, from))), seal, plain)
    }),
    { numRuns: 48 },
  )
  await refusedOrBegins(built([own[0], own[2], own[1], own[3]].map((one) => one ?? blob)), seal, plain)
  await refusedOrBegins(built(own.slice(1)), seal, plain)
})

test('blob: a whole blob under another name, of another study, or with another key is refused', async () => {
  const seal = options()
  const { blob } = sealBytes(seal, patternOf(10))
  await assert.rejects(openBytes(blob, { ...seal, objectId: newObjectId() }), isCorrupt)
  await assert.rejects(openBytes(blob, { ...seal, keyId: newKeyId() }), isCorrupt)
  await assert.rejects(openBytes(blob, { ...seal, dataKey: randomBytes(32) }), isCorrupt)
  const renamed = Buffer.from(blob)
  const objectId = newObjectId()
  Buffer.from(objectId.replaceAll('-', ''), 'hex').copy(renamed, 8)
  await assert.rejects(openBytes(renamed, { ...seal, objectId }), isCorrupt)
})

test('blob: two blobs of the same bytes have nothing in common', () => {
  const seal = options()
  const [a, b] = [sealBytes(seal, patternOf(100)).blob, sealBytes(seal, patternOf(100)).blob]
  assert.ok(!a.subarray(40).equals(b.subarray(40)))
  assert.ok(!a.subarray(HEADER_BYTES).equals(b.subarray(HEADER_BYTES)))
})

test('blob: a failing source fails the iteration and `done`; an abandoned one fails `done`', async () => {
  const broken = sealBlob(
    options(),
    (async function* () {
      yield patternOf(10)
      throw new Error('the network')
    })(),
  )
  await assert.rejects(all(broken), /the network/)
  await assert.rejects(broken.done, /the network/)
  const left = sealBlob(options(), [patternOf(5 * FRAME)])
  for await (const _ of left) break
  await assert.rejects(left.done)
})

test('blob: the data key may be wiped once sealing has begun; a closed blob is CLOSED', async () => {
  const seal = options()
  const kept = Buffer.from(seal.dataKey)
  const sealed = sealBlob(seal, [patternOf(100)])
  seal.dataKey.fill(0)
  const blob = await all(sealed)
  const opened = await openBlob(readerOf(blob), { ...seal, dataKey: kept })
  opened.close()
  await assert.rejects(all(opened.read()), (error) => isStoreError(error, 'CLOSED'))
  assert.throws(() => opened.read({ start: 0, end: 101 }), RangeError)
})
