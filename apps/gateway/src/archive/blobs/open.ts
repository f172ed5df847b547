// A blob ─authenticate─► its plaintext: all of it or a range, from the frames that hold it and no other.
//
//   await using handle = await store.open(id)
//   using opened = await openBlob(handle, { objectId, keyId, dataKey })
//   for await (const bytes of opened.read({ start, end })) …
//
// Adversary: whoever can write the disk. The last frame is authenticated before `size` is said, which rules out a cut or
// an extension; each frame is authenticated before a byte of it is handed out. Anything else is CORRUPT.

import { createDecipheriv } from 'node:crypto'
import type { KeyId, ObjectId } from '../ids.ts'
import { corrupt, StoreError } from './errors.ts'
import {
  blobSize,
  DEFAULT_FRAME_LOG2,
  decodeHeader,
  frameSeal,
  frameSpan,
  type Geometry,
  geometryOf,
  HEADER_BYTES,
  objectKey,
  type Range,
  TAG_BYTES,
} from './format.ts'
import { type ReadAt, readerOf } from './store.ts'

/** What the index says that the blob is. */
export type Expected = {
  readonly objectId: ObjectId
  readonly keyId: KeyId
  readonly dataKey: Uint8Array
}

export type OpenBlob = Disposable & {
  /** Of the plaintext. */
  readonly size: number
  /** Bytes [start, end); all of them without a range. A range outside the object is a RangeError. */
  readonly read: (range?: Range) => AsyncGenerator<Uint8Array>
  /** Wipes the key; reading ends. The handle below stays the caller's. */
  readonly close: () => void
}

/** Read in one go: such a small blob is not worth two trips. */
const ONE_TRIP = blobSize(2 ** DEFAULT_FRAME_LOG2)
/** Frames fetched at once: a megabyte hides the latency of a disk or bucket and is still little memory. */
const FETCH_BYTES = 1 << 20

type Opened = {
  readonly blob: ReadAt
  readonly header: Buffer
  readonly key: Buffer
  readonly geometry: Geometry
  /** The last frame, in plaintext. */
  readonly tail: Buffer
}

export async function openBlob(blob: ReadAt, expected: Expected): Promise<OpenBlob> {
  const opened = await authenticate(blob, expected)
  const { geometry, key, tail } = opened
  let closed = false
  const stillOpen = () => {
    if (closed) throw new StoreError('CLOSED', 'the blob is closed')
  }
  const close = () => {
    closed = true
    key.fill(0)
    tail.fill(0)
  }
  return {
    size: geometry.size,
    read: (range = { start: 0, end: geometry.size }) => {
      checkRange(range, geometry.size)
      return readRange(opened, range, stillOpen)
    },
    close,
    [Symbol.dispose]: close,
  }
}

async function authenticate(blob: ReadAt, { objectId, keyId, dataKey }: Expected): Promise<Opened> {
  if (blob.size < HEADER_BYTES) throw corrupt('shorter than its header')
  const begin = await readExactly(blob, 0, blob.size <= ONE_TRIP ? blob.size : HEADER_BYTES)
  const header = Buffer.from(begin.subarray(0, HEADER_BYTES))
  const decoded = decodeHeader(header)
  if (decoded.objectId !== objectId) throw corrupt('another object')
  if (decoded.keyId !== keyId) throw corrupt('of another study')
  const geometry = geometryOf(blob.size, decoded.frameLog2)
  const key = objectKey(dataKey, decoded)
  const last = geometry.frames - 1
  const { offset, length } = frameSpan(geometry, { start: last * geometry.frame, end: geometry.size })
  const at = length === 0 ? HEADER_BYTES : offset
  const stored = begin.length === blob.size ? begin.subarray(at) : await readExactly(blob, at, blob.size - at)
  const tail = openFrame({ header, key, index: last, last: true }, stored)
  return { blob, header, key, geometry, tail }
}

async function* readRange(
  opened: Opened,
  { start, end }: Range,
  stillOpen: () => void,
): AsyncGenerator<Uint8Array> {
  stillOpen()
  const { geometry, tail, header, key, blob } = opened
  const { frame, frames } = geometry
  const span = frameSpan(geometry, { start, end })
  const atOnce = Math.max(1, Math.floor(FETCH_BYTES / frame))
  const beforeTail = Math.min(span.after, frames - 1)
  const cut = (bytes: Buffer, index: number): Buffer =>
    bytes.subarray(Math.max(0, start - index * frame), Math.max(0, end - index * frame))
  for (let from = span.first; from < beforeTail; from += atOnce) {
    const to = Math.min(beforeTail, from + atOnce)
    const length = (to - from) * (frame + TAG_BYTES)
    const fetched = await readExactly(blob, HEADER_BYTES + from * (frame + TAG_BYTES), length)
    for (let index = from; index < to; index++) {
      const at = (index - from) * (frame + TAG_BYTES)
      const stored = fetched.subarray(at, at + frame + TAG_BYTES)
      stillOpen()
      yield cut(openFrame({ header, key, index, last: false }, stored), index)
    }
  }
  stillOpen()
  // A copy: closing wipes the tail.
  if (span.after === frames && end > start) yield Buffer.from(cut(tail, frames - 1))
}

/** For what is in memory anyway. */
export async function openBytes(blob: Uint8Array, expected: Expected): Promise<Buffer> {
  using opened = await openBlob(readerOf(blob), expected)
  const parts: Uint8Array[] = []
  for await (const bytes of opened.read()) parts.push(bytes)
  return Buffer.concat(parts)
}

type FramePlace = {
  readonly header: Buffer
  readonly key: Buffer
  readonly index: number
  readonly last: boolean
}

function openFrame({ header, key, index, last }: FramePlace, stored: Uint8Array): Buffer {
  const { nonce, aad } = frameSeal(header, index, last)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  const length = stored.length - TAG_BYTES
  decipher.setAAD(aad)
  decipher.setAuthTag(stored.subarray(length))
  const bytes = decipher.update(stored.subarray(0, length))
  try {
    decipher.final()
  } catch {
    bytes.fill(0)
    throw corrupt(`frame ${index} is not authentic`)
  }
  return bytes
}

async function readExactly(blob: ReadAt, offset: number, length: number): Promise<Uint8Array> {
  const bytes = await blob.readAt(offset, length)
  if (bytes.length !== length) throw corrupt('shorter than it was')
  return bytes
}

function checkRange({ start, end }: Range, size: number): void {
  const fits = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && end <= size
  if (!fits || start > end) throw new RangeError('a range outside the object')
}
