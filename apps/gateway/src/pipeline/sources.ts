// A file on disk as a ByteSource: positional reads on one descriptor, closed by `using`.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ByteSource, Span } from '@roentgate/dicom'

/** Files up to this size are read once into memory; larger ones piece by piece. Views on one die with it. */
const WHOLE = 8 * 1024 * 1024

export type OpenFile = ByteSource &
  Disposable & {
    /** Size and modification time now differ from those at opening. */
    readonly changed: () => boolean
    /** The whole file in pieces, in order; each is good until the next. */
    readonly pieces: () => Generator<Uint8Array>
  }

const PIECE = 4 * 1024 * 1024

export function openFile(path: string, how: 'header' | 'whole'): OpenFile {
  const descriptor = openSync(path, 'r')
  try {
    const { size, mtimeMs } = fstatSync(descriptor)
    const whole = how === 'whole' && size <= WHOLE
    const lent = whole || how === 'header' ? borrow() : undefined
    const read =
      whole && lent
        ? fromMemory(fill(descriptor, lent, { offset: 0, length: size }))
        : reader({ descriptor, size, room: lent })
    const lend = whole ? read : lender(descriptor, size)
    return {
      size,
      read,
      lend,
      changed: () => {
        const now = fstatSync(descriptor)
        return now.size !== size || now.mtimeMs !== mtimeMs
      },
      pieces: function* () {
        for (let at = 0; at < size; at += PIECE) yield lend(at, PIECE)
      },
      [Symbol.dispose]: () => {
        closeSync(descriptor)
        if (lent) pool.push(lent)
      },
    }
  } catch (error) {
    closeSync(descriptor)
    throw error
  }
}

/** Bytes that are already in memory: a ZIP entry. */
export function openBytes(bytes: Uint8Array): OpenFile {
  const read = fromMemory(bytes)
  return {
    size: bytes.length,
    read,
    changed: () => false,
    pieces: function* () {
      yield bytes
    },
    [Symbol.dispose]: () => undefined,
  }
}

function fromMemory(bytes: Uint8Array): ByteSource['read'] {
  return (offset, length) => bytes.subarray(offset, Math.min(bytes.length, offset + length))
}

/** Whole files are read into lent buffers: fresh memory for each would cost more than the reading. */
const pool: Buffer[] = []

function borrow(): Buffer {
  return pool.pop() ?? Buffer.allocUnsafeSlow(WHOLE)
}

type Reading = { readonly descriptor: number; readonly size: number; readonly room: Buffer | undefined }

/** Side by side in the room there is, beyond it into fresh memory. */
function reader({ descriptor, size, room }: Reading): ByteSource['read'] {
  let used = 0
  return (offset, length) => {
    const clipped = Math.max(0, Math.min(length, size - offset))
    const fits = room !== undefined && used + clipped <= room.length
    const into = fits ? room.subarray(used, used + clipped) : Buffer.allocUnsafeSlow(clipped)
    if (fits) used += clipped
    return fill(descriptor, into, { offset, length: clipped })
  }
}

/** One buffer for all that passes: as garbage, the pieces of a large file would fill the memory before they go. */
function lender(descriptor: number, size: number): ByteSource['read'] {
  const own: { buffer?: Buffer } = {}
  return (offset, length) => {
    const clipped = Math.max(0, Math.min(length, size - offset))
    if (own.buffer === undefined || own.buffer.length < clipped)
      own.buffer = Buffer.allocUnsafeSlow(Math.max(clipped, Math.min(size, PIECE)))
    return fill(descriptor, own.buffer, { offset, length: clipped })
  }
}

function fill(descriptor: number, into: Buffer, span: Span): Uint8Array {
  let at = 0
  while (at < span.length) {
    const count = readSync(descriptor, into, at, span.length - at, span.offset + at)
    if (count === 0) break
    at += count
  }
  return into.subarray(0, at)
}
