// A file on disk as a ByteSource: positional reads on one descriptor, closed by `using`.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { ByteSource } from '@roentgate/dicom'

/** Files up to this size are read once into memory; larger ones piece by piece. */
const WHOLE = 8 * 1024 * 1024

export type OpenFile = ByteSource & Disposable & {
  /** Size and modification time now differ from those at opening. */
  readonly changed: () => boolean
  /** The whole file in pieces, in order. */
  readonly pieces: () => Generator<Uint8Array>
}

const PIECE = 4 * 1024 * 1024

export function openFile(path: string, how: 'header' | 'whole'): OpenFile {
  const descriptor = openSync(path, 'r')
  try {
    const { size, mtimeMs } = fstatSync(descriptor)
    const read = how === 'whole' && size <= WHOLE ? fromMemory(readAll(descriptor, size)) : (offset: number, length: number) => readAt(descriptor, offset, Math.min(length, size - offset))
    return {
      size,
      read,
      changed: () => {
        const now = fstatSync(descriptor)
        return now.size !== size || now.mtimeMs !== mtimeMs
      },
      pieces: function* () {
        for (let at = 0; at < size; at += PIECE) yield read(at, PIECE)
      },
      [Symbol.dispose]: () => closeSync(descriptor),
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

function readAll(descriptor: number, size: number): Uint8Array {
  return readAt(descriptor, 0, size)
}

function readAt(descriptor: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, length))
  let at = 0
  while (at < length) {
    const count = readSync(descriptor, bytes, at, length - at, offset + at)
    if (count === 0) break
    at += count
  }
  return at === length ? bytes : bytes.subarray(0, at)
}
