// The calls of the file system that the directory store makes, and no other, so that a test can put its own in their
// place: one that fails with ENOSPC, one that loses power after the n-th call.

import fs, { type Stats } from 'node:fs'
import { promisify } from 'node:util'

export type OpenFile = {
  /** At the end; perhaps not all of them. */
  readonly write: (pieces: readonly Uint8Array[]) => Promise<{ readonly bytesWritten: number }>
  readonly read: (
    into: Uint8Array,
    offset: number,
    at: { readonly length: number; readonly position: number },
  ) => Promise<number>
  /** Where the file has bytes already. */
  readonly overwrite: (bytes: Uint8Array, position: number) => Promise<void>
  readonly sync: () => Promise<void>
  readonly size: () => Promise<number>
  readonly close: () => Promise<void>
}

export type FileSystem = {
  readonly open: (path: string, flags: 'r' | 'r+' | 'wx') => Promise<OpenFile>
  /** Makes the names in a folder durable. */
  readonly syncFolder: (path: string) => Promise<void>
  /** One level; EEXIST where it is. */
  readonly mkdir: (path: string) => Promise<void>
  /** A second name; EEXIST where it is taken. */
  readonly link: (from: string, to: string) => Promise<void>
  readonly rename: (from: string, to: string) => Promise<void>
  readonly unlink: (path: string) => Promise<void>
  readonly names: (path: string) => Promise<readonly string[]>
  readonly stat: (path: string) => Promise<Pick<Stats, 'size' | 'mtime' | 'isFile'>>
}

const PRIVATE_FILE = 0o600
const PRIVATE_FOLDER = 0o700

/** Written while everybody waits: less than handing it to another thread takes. */
const SHORT_BYTES = 1 << 20

const [read, write, writev, sync] = [
  promisify(fs.read),
  promisify(fs.write),
  promisify(fs.writev),
  promisify(fs.fsync),
]

/**
 * Names are made and files are opened here, in microseconds; a hop to another thread and back takes longer than the call,
 * and storing one instance makes nine. What waits for the disk, flushes and reads and long writes, waits elsewhere.
 */
export const nodeFileSystem: FileSystem = {
  open: async (path, flags) => openFile(fs.openSync(path, flags, PRIVATE_FILE)),
  syncFolder: async (path) => {
    const folder = fs.openSync(path, 'r')
    try {
      await sync(folder)
    } finally {
      fs.closeSync(folder)
    }
  },
  mkdir: async (path) => fs.mkdirSync(path, { mode: PRIVATE_FOLDER }),
  link: async (from, to) => fs.linkSync(from, to),
  rename: async (from, to) => fs.renameSync(from, to),
  unlink: async (path) => fs.unlinkSync(path),
  names: (path) => fs.promises.readdir(path),
  stat: (path) => fs.promises.stat(path),
}

function openFile(file: number): OpenFile {
  return {
    write: async (pieces) => {
      const size = pieces.reduce((sum, { length }) => sum + length, 0)
      if (size <= SHORT_BYTES) return { bytesWritten: fs.writevSync(file, [...pieces]) }
      const [only, ...more] = pieces
      return only && more.length === 0 ? await write(file, only) : await writev(file, [...pieces])
    },
    read: async (into, offset, { length, position }) =>
      (await read(file, into, offset, length, position)).bytesRead,
    overwrite: async (bytes, position) => {
      await write(file, bytes, 0, bytes.length, position)
    },
    sync: () => sync(file),
    size: async () => fs.fstatSync(file).size,
    close: async () => fs.closeSync(file),
  }
}
