// The packs of a directory: their tables as they are asked for, the most recent ones remembered.

import type { ObjectId } from '../ids.ts'
import { systemCode } from './errors.ts'
import type { FileSystem, OpenFile } from './file-system.ts'
import {
  decodeTable,
  lengthPlace,
  PACK_HEADER_BYTES,
  type PackEntry,
  type PackTable,
  packOf,
  suffixOf,
  tableBytes,
} from './pack.ts'

/** A table of 64 takes some kilobytes. */
const REMEMBERED = 1024

export type Packs = {
  /** Where a blob is in its pack; undefined where there is no such pack, or it has no such blob. */
  readonly find: (id: ObjectId) => Promise<PackEntry | undefined>
  readonly table: (pack: string) => Promise<PackTable | undefined>
  /** False: there was none. */
  readonly remove: (id: ObjectId) => Promise<boolean>
}

export function packsOf(fs: FileSystem, pathOf: (pack: string) => string): Packs {
  const tables = new Map<string, PackTable>()
  const table = async (pack: string): Promise<PackTable | undefined> => {
    const known = tables.get(pack)
    if (known !== undefined) return known
    const read = await readTable(fs, pathOf(pack))
    if (read === undefined) return undefined
    tables.set(pack, read)
    const [oldest] = tables.keys()
    if (tables.size > REMEMBERED && oldest !== undefined) tables.delete(oldest)
    return read
  }
  const find = async (id: ObjectId) => (await table(packOf(id)))?.get(suffixOf(id))
  return {
    find,
    table,
    remove: async (id) => {
      const entry = await find(id)
      if (entry === undefined) return false
      const path = pathOf(packOf(id))
      const entries = tables.get(packOf(id))
      entries?.delete(suffixOf(id))
      if (entries?.size === 0) {
        tables.delete(packOf(id))
        await fs.unlink(path)
        return true
      }
      const file = await fs.open(path, 'r+')
      try {
        await file.overwrite(Buffer.alloc(8), lengthPlace(entry.slot))
        await file.sync()
      } finally {
        await file.close()
      }
      return true
    },
  }
}

async function readTable(fs: FileSystem, path: string): Promise<PackTable | undefined> {
  const file = await fs.open(path, 'r').catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const size = await file.size()
    const length = tableBytes(await exactly(file, 0, PACK_HEADER_BYTES))
    return decodeTable(await exactly(file, PACK_HEADER_BYTES, length), size)
  } finally {
    await file.close()
  }
}

/** Less at the end of the file. */
async function exactly(file: OpenFile, position: number, length: number): Promise<Uint8Array> {
  const into = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const read = await file.read(into, done, { length: length - done, position: position + done })
    if (read === 0) break
    done += read
  }
  return into.subarray(0, done)
}
