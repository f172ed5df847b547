// The calls of the file system that the directory store makes, and no other, so that a test can put its own in their
// place: one that fails with ENOSPC, one that loses power after the n-th call.

import type { Stats } from 'node:fs'
import fs from 'node:fs/promises'

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

export const nodeFileSystem: FileSystem = {
  open: async (path, flags) => {
    const file = await fs.open(path, flags, PRIVATE_FILE)
    return {
      write: ([only, ...more]) =>
        only && more.length === 0 ? file.write(only) : file.writev([...(only ? [only] : []), ...more]),
      read: async (into, offset, { length, position }) =>
        (await file.read(into, offset, length, position)).bytesRead,
      overwrite: async (bytes, position) => {
        await file.write(bytes, 0, bytes.length, position)
      },
      sync: () => file.sync(),
      size: async () => (await file.stat()).size,
      close: () => file.close(),
    }
  },
  syncFolder: async (path) => {
    await using folder = await fs.open(path, 'r')
    await folder.sync()
  },
  mkdir: async (path) => {
    await fs.mkdir(path, { mode: PRIVATE_FOLDER })
  },
  link: (from, to) => fs.link(from, to),
  rename: (from, to) => fs.rename(from, to),
  unlink: (path) => fs.unlink(path),
  names: (path) => fs.readdir(path),
  stat: (path) => fs.stat(path),
}
