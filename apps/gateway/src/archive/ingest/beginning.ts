// The beginning of a stream, read until the header of its instance is known, and what must hold of the rest.

import { DicomError, fromBytes, type Head, readHead } from '@roentgate/dicom'
import { inflate } from '../../pipeline/inflate.ts'

/** Enough for the headers of nearly all instances. */
const FIRST_BYTES = 256 << 10
/** What one stream may hold in memory; a header is not larger, and a deflated data set is not taken. */
const MAX_BYTES = 64 << 20
const ITEM = 0xfffee000
const SEQUENCE_END = 0xfffee0dd
const UNDEFINED_LENGTH = 0xffffffff
const ITEM_BYTES = 8

export type Beginning = {
  readonly bytes: Buffer
  readonly head: Head
  /** The stream has no more than this. */
  readonly isWhole: boolean
}

/** @throws DicomError where what came is no instance, or its header does not fit. */
export async function beginningOf(source: AsyncIterator<Uint8Array>): Promise<Beginning> {
  const chunks: Uint8Array[] = []
  let size = 0
  let isWhole = false
  for (let wanted = FIRST_BYTES; ; wanted = Math.min(wanted * 2, MAX_BYTES)) {
    while (size < wanted && !isWhole) {
      const next = await source.next()
      if (next.done) isWhole = true
      else {
        chunks.push(next.value)
        size += next.value.length
      }
    }
    const bytes = Buffer.concat(chunks)
    chunks.splice(0, chunks.length, bytes)
    const head = headOf(bytes, isWhole)
    if (head !== undefined) return { bytes, head, isWhole }
    if (wanted === MAX_BYTES)
      throw new DicomError('LIMIT_HEADER', 'more header, or more deflated data, than one stream may have', {
        offset: size,
      })
  }
}

/** Undefined: with more of the stream it may be one. */
function headOf(bytes: Buffer, isWhole: boolean): Head | undefined {
  try {
    const head = readHead(fromBytes(bytes), { inflate })
    // What ends between two elements looks whole.
    return head.pixels === undefined && !isWhole ? undefined : head
  } catch (error) {
    const mayMend =
      error instanceof DicomError && (error.code === 'TRUNCATED' || error.code === 'INFLATE_FAILED')
    if (mayMend && !isWhole) return undefined
    throw error
  }
}

/** Passes a stream on, and throws at its end where pixel data is cut off or its fragments do not add up (PS3.5 A.4). */
export async function* checked(
  source: AsyncIterable<Uint8Array>,
  { file, pixels }: Head,
): AsyncGenerator<Uint8Array> {
  if (pixels === undefined) return yield* source
  const bigEndian = file.dataset.encoding.bigEndian
  const walk = pixels.length === undefined ? new FragmentWalk(pixels.at, bigEndian) : undefined
  let at = 0
  for await (const chunk of source) {
    walk?.pass(chunk, at)
    at += chunk.length
    yield chunk
  }
  const isCut = walk ? !walk.ended : at < pixels.at + (pixels.length ?? 0)
  if (isCut)
    throw new DicomError('TRUNCATED', 'the stream ends inside pixel data: ask its sender for a whole copy', {
      offset: at,
    })
}

/** Item headers found in passing; nothing of the frames is held. */
class FragmentWalk {
  ended = false
  readonly #bigEndian: boolean
  readonly #held = Buffer.alloc(ITEM_BYTES)
  #heldBytes = 0
  /** Where the next item header begins, in the stream. */
  #next: number

  constructor(at: number, bigEndian: boolean) {
    this.#next = at
    this.#bigEndian = bigEndian
  }

  pass(chunk: Uint8Array, at: number): void {
    while (!this.ended) {
      const from = this.#next + this.#heldBytes - at
      if (from >= chunk.length) return
      const part = chunk.subarray(from, from + ITEM_BYTES - this.#heldBytes)
      this.#held.set(part, this.#heldBytes)
      this.#heldBytes += part.length
      if (this.#heldBytes < ITEM_BYTES) return
      this.#item()
    }
  }

  #item(): void {
    const view = new DataView(this.#held.buffer, this.#held.byteOffset, ITEM_BYTES)
    const little = !this.#bigEndian
    const marker = view.getUint16(0, little) * 0x10000 + view.getUint16(2, little)
    const length = view.getUint32(4, little)
    this.ended = marker === SEQUENCE_END
    if (!this.ended && (marker !== ITEM || length === UNDEFINED_LENGTH))
      throw new DicomError('BAD_TAG', 'no fragment where one must stand', { offset: this.#next })
    this.#next += ITEM_BYTES + length
    this.#heldBytes = 0
  }
}
