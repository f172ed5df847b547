// An input's bytes, synchronous, for a worker: a file by position, a ZIP entry in memory.

import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import type { ByteSource } from '@roentgate/dicom'
import type { Input } from '../pipeline/types.ts'
import { readZipEntry } from './zip.ts'

export type OpenSource = ByteSource & Disposable

export function openSource(input: Input): OpenSource {
  if (input.zip !== undefined) {
    const bytes = readZipEntry(input.path, input.zip)
    return {
      size: bytes.length,
      read: (offset, length) => bytes.subarray(offset, offset + length),
      [Symbol.dispose]: () => {},
    }
  }
  const fd = openSync(input.path, 'r')
  return {
    size: fstatSync(fd).size,
    read: (offset, length) => readAt(fd, offset, length),
    [Symbol.dispose]: () => closeSync(fd),
  }
}

function readAt(fd: number, offset: number, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(length)
  let done = 0
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, offset + done)
    if (count === 0) return bytes.subarray(0, done)
    done += count
  }
  return bytes
}

/** What tells that a file was touched: size and time of change. */
export type Stamp = { readonly size: number; readonly changed: number }

export function stampOf(path: string): Stamp {
  const { size, mtimeMs } = statSync(path)
  return { size, changed: mtimeMs }
}
