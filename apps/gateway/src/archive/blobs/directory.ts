// Blobs in a directory.   put: tmp/… ─write, fsync─► link to ROOT/ab/cd/ID.blob ─fsync of the folder─► acknowledged
//                         putMany of ids that belong together: the same with one pack (pack.ts)
//
// Invariants: what was acknowledged survives a loss of power; a name under ab/cd is a whole blob, synced before it got
// that name; a taken name is never written to (link(2) refuses). What a crash leaves lies in tmp and is swept when the
// store is opened, an hour after it was last written to, as another process may share the directory.

import { randomBytes } from 'node:crypto'
import { basename, join } from 'node:path'
import { type ObjectId, parseObjectId } from '../ids.ts'
import { corrupt, ioError, isStoreError, StoreError, systemCode } from './errors.ts'
import { type FileSystem, nodeFileSystem, type OpenFile } from './file-system.ts'
import { encodePack, idIn, PACK_SUFFIX, packFromFile, packOf } from './pack.ts'
import { type Packs, packsOf } from './packs.ts'
import { atTheDoor, type Closed, fromSource, guarded, storeFailure } from './source.ts'
import type { BlobBytes, BlobHandle, BlobInfo, BlobStore, NewBlob } from './store.ts'

const SUFFIX = '.blob'
const TMP = 'tmp'
const FAN = /^[0-9a-f]{2}$/
const HOUR = 3_600_000
/** Files that putMany writes at once: enough for a disk's queue, few open files. */
const AT_ONCE = 16
/** Chunks are gathered to this before they are written: fewer calls. */
const WRITE_BYTES = 1 << 18
/** 256 × 256 and the folders above. */
const MAX_KNOWN = 65_536 + 256

export type DirectoryOptions = {
  readonly root: string
  readonly fs?: FileSystem
  /** Only for the age of what lies in tmp. */
  readonly now?: () => number
  readonly sweepOlderThan?: number
}

/** Makes the directory where it is missing, and sweeps it. */
export async function openDirectoryStore(options: DirectoryOptions): Promise<BlobStore> {
  const { root, fs = nodeFileSystem, now = Date.now, sweepOlderThan = HOUR } = options
  const packs = packsOf(fs, (pack) => packPath(root, pack))
  const place: Place = { root, fs, packs, known: new Set(), closed: { is: false } }
  await atTheDoor('making the directory', async () => {
    await ensureRoot(place)
    await sweep(place, now() - sweepOlderThan)
  })
  return {
    name: `directory ${root}`,
    isNear: true,
    put: guarded(place.closed, 'writing a blob', async (id: ObjectId, bytes: BlobBytes) => {
      const staged = await stage(place, { path: pathOf(root, id), bytes })
      await publish(place, [staged])
      return { size: staged.size }
    }),
    putMany: guarded(place.closed, 'writing blobs', (blobs: readonly NewBlob[]) => putMany(place, blobs)),
    open: guarded(place.closed, 'opening a blob', (id: ObjectId) => openBlobFile(place, id)),
    size: guarded(
      place.closed,
      'looking at a blob',
      async (id: ObjectId) => (await packs.find(id))?.length ?? (await fs.stat(pathOf(root, id))).size,
    ),
    delete: guarded(place.closed, 'deleting a blob', (id: ObjectId) => remove(place, id)),
    list: () => list(place),
    close: async () => {
      place.closed.is = true
    },
  }
}

type Place = {
  readonly root: string
  readonly fs: FileSystem
  readonly packs: Packs
  /** Folders whose names are durable. */
  readonly known: Set<string>
  readonly closed: Closed
}

/** `path`: the name that it is to get. */
type Staged = { readonly tmp: string; readonly path: string; readonly size: number }

type New = { readonly path: string; readonly bytes: BlobBytes }

/** Under tmp, whole and synced; nothing is left of it when that fails. */
async function stage({ root, fs }: Place, { path, bytes }: New): Promise<Staged> {
  const tmp = join(root, TMP, `${basename(path)}.${randomBytes(6).toString('hex')}`)
  const file = await fs.open(tmp, 'wx').catch((error) => {
    throw ioError('writing a blob', error)
  })
  try {
    const size = await writeBlob(file, bytes)
    await file.sync()
    await file.close()
    return { tmp, path, size }
  } catch (error) {
    await file.close().catch(() => undefined)
    await fs.unlink(tmp).catch(() => undefined)
    throw storeFailure('writing a blob', error)
  }
}

async function writeBlob(file: OpenFile, bytes: BlobBytes): Promise<number> {
  if (bytes instanceof Uint8Array) return await writeAll(file, [bytes])
  if (!(Symbol.asyncIterator in bytes)) return await writeAll(file, bytes)
  let size = 0
  let held: Uint8Array[] = []
  let heldBytes = 0
  const flush = async () => {
    await writeAll(file, held)
    held = []
    heldBytes = 0
  }
  for await (const chunk of fromSource(bytes)) {
    held.push(chunk)
    heldBytes += chunk.length
    size += chunk.length
    if (heldBytes >= WRITE_BYTES) await flush()
  }
  await flush()
  return size
}

async function writeAll(file: OpenFile, pieces: readonly Uint8Array[]): Promise<number> {
  const size = pieces.reduce((sum, { length }) => sum + length, 0)
  let done = 0
  while (done < size) done += (await file.write(after(pieces, done))).bytesWritten
  return size
}

/** What is left of the pieces after so many bytes. */
function after(pieces: readonly Uint8Array[], done: number): readonly Uint8Array[] {
  let skip = done
  return pieces.flatMap((piece) => {
    const rest = piece.subarray(Math.min(skip, piece.length))
    skip -= piece.length - rest.length
    return rest.length > 0 ? [rest] : []
  })
}

/** Gives staged blobs their names, and syncs each folder once. On failure none of them keeps its name. */
async function publish(place: Place, staged: readonly Staged[]): Promise<void> {
  const { fs } = place
  const named: Staged[] = []
  const folders = new Set<string>()
  try {
    for (const { path } of staged) folders.add(await ensureFan(place, path))
    await each(staged, async (one) => {
      await name(fs, one.tmp, one.path)
      named.push(one)
    })
    await each([...folders], (folder) => fs.syncFolder(folder))
  } catch (error) {
    for (const { path } of named) await fs.unlink(path).catch(() => undefined)
    throw ioError('naming a blob', error)
  } finally {
    // A second name of the same file by now, or what did not get one.
    await each(staged, ({ tmp }) => fs.unlink(tmp).catch(() => undefined))
  }
}

async function name(fs: FileSystem, tmp: string, path: string): Promise<void> {
  try {
    await fs.link(tmp, path)
    return
  } catch (error) {
    const code = systemCode(error)
    if (code === 'EEXIST') throw new StoreError('EXISTS', 'the id is taken', { cause: error })
    if (!['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'].includes(code)) throw error
  }
  // A file system without hard links. Ids are random: two writers of one id are one writer's mistake.
  const taken = await fs.stat(path).then(
    () => true,
    (error) => {
      if (systemCode(error) !== 'ENOENT') throw error
      return false
    },
  )
  if (taken) throw new StoreError('EXISTS', 'the id is taken')
  await fs.rename(tmp, path)
}

async function putMany(place: Place, blobs: readonly NewBlob[]): Promise<void> {
  const staged: Staged[] = []
  try {
    await each(packed(place.root, blobs), async (one) => {
      staged.push(await stage(place, one))
    })
  } catch (error) {
    for (const { tmp } of staged) await place.fs.unlink(tmp).catch(() => undefined)
    throw error
  }
  await publish(place, staged)
}

/** One file for those whose ids are of one pack and whose bytes are at hand; else one each. */
function packed(root: string, blobs: readonly NewBlob[]): readonly New[] {
  const packs = new Set(blobs.map(({ id }) => packOf(id)))
  const [pack] = packs
  const parts = blobs.flatMap(({ id, bytes }) =>
    Symbol.asyncIterator in bytes ? [] : [{ id, pieces: bytes instanceof Uint8Array ? [bytes] : bytes }],
  )
  if (blobs.length > 1 && packs.size === 1 && pack !== undefined && parts.length === blobs.length)
    return [{ path: packPath(root, pack), bytes: encodePack(parts) }]
  return blobs.map(({ id, bytes }) => ({ path: pathOf(root, id), bytes }))
}

/** All of them, a few at once. The first failure is thrown, after those under way have ended. */
async function each<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let next = 0
  let failed = false
  const work = async () => {
    for (let item = items[next++]; item !== undefined && !failed; item = items[next++]) {
      try {
        await act(item)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, items.length) }, work))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

async function openBlobFile({ root, fs, packs }: Place, id: ObjectId): Promise<BlobHandle> {
  const entry = await packs.find(id)
  const file = await fs.open(entry ? packPath(root, packOf(id)) : pathOf(root, id), 'r')
  let closed = false
  const close = async () => {
    if (closed) return
    closed = true
    await file.close()
  }
  const whole = await file.size().catch(async (error) => {
    await close()
    throw error
  })
  const { offset: base, length: size } = entry ?? { offset: 0, length: whole }
  const readAt = async (offset: number, length: number) => {
    if (closed) throw new StoreError('CLOSED', 'the blob is closed')
    if (offset + length > size) throw corrupt('it is shorter than that')
    const into = Buffer.allocUnsafe(length)
    let done = 0
    while (done < length) {
      const read = await file.read(into, done, { length: length - done, position: base + offset + done })
      if (read === 0) throw new StoreError('CORRUPT', 'the blob is shorter than it was')
      done += read
    }
    return into
  }
  const guardedRead = (offset: number, length: number) =>
    atTheDoor('reading a blob', () => readAt(offset, length))
  return { size, readAt: guardedRead, close, [Symbol.asyncDispose]: close }
}

async function remove({ root, fs, packs }: Place, id: ObjectId): Promise<void> {
  if (await packs.remove(id)) return
  try {
    await fs.unlink(pathOf(root, id))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return
    throw error
  }
  await fs.syncFolder(join(root, ...fanOf(id)))
}

async function* list(place: Place): AsyncGenerator<BlobInfo> {
  const { root, fs } = place
  const names = (path: string) =>
    guarded(place.closed, 'listing blobs', async () => (await fs.names(path)).toSorted())()
  for (const first of await names(root)) {
    if (!FAN.test(first)) continue
    for (const second of await names(join(root, first))) {
      if (!FAN.test(second)) continue
      for (const name of await names(join(root, first, second))) {
        const pack = packFromFile(name)
        if (pack !== undefined) yield* listPack(place, pack)
        const id = name.endsWith(SUFFIX) ? parseObjectId(name.slice(0, -SUFFIX.length)) : undefined
        const info = id === undefined ? undefined : await infoOf(place, id)
        if (info !== undefined) yield info
      }
    }
  }
}

async function* listPack({ root, fs, packs }: Place, pack: string): AsyncGenerator<BlobInfo> {
  const found = await atTheDoor('looking at a pack', async () => {
    const table = await packs.table(pack)
    return table && { table, modified: (await fs.stat(packPath(root, pack))).mtime }
  })
  for (const [suffix, { length }] of [...(found?.table ?? [])])
    yield { id: idIn(pack, suffix), size: length, modified: found?.modified ?? new Date() }
}

/** Undefined for what was deleted meanwhile. */
async function infoOf({ root, fs }: Place, id: ObjectId): Promise<BlobInfo | undefined> {
  try {
    const stat = await atTheDoor('looking at a blob', () => fs.stat(pathOf(root, id)))
    return stat.isFile() ? { id, size: stat.size, modified: stat.mtime } : undefined
  } catch (error) {
    if (isStoreError(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

async function sweep({ root, fs }: Place, before: number): Promise<void> {
  for (const name of await fs.names(join(root, TMP))) {
    const path = join(root, TMP, name)
    try {
      if ((await fs.stat(path)).mtime.getTime() <= before) await fs.unlink(path)
    } catch (error) {
      // Another process was faster.
      if (systemCode(error) !== 'ENOENT') throw error
    }
  }
}

async function ensureRoot(place: Place): Promise<void> {
  const { root, fs, known } = place
  await fs.stat(root).catch(async (error) => {
    if (systemCode(error) !== 'ENOENT') throw error
    await fs.mkdir(root).catch((taken) => {
      // Another gateway on the same folder was faster.
      if (systemCode(taken) !== 'EEXIST') throw taken
    })
    await fs.syncFolder(join(root, '..'))
  })
  known.add(root)
  await ensureFolder(place, root, TMP)
}

async function ensureFan(place: Place, path: string): Promise<string> {
  const [first, second] = fanOf(basename(path))
  return await ensureFolder(place, await ensureFolder(place, place.root, first), second)
}

/** There, and its own name durable in the folder above: a folder that a crash may take takes its blobs with it. */
async function ensureFolder({ fs, known }: Place, above: string, folder: string): Promise<string> {
  const path = join(above, folder)
  if (known.has(path)) return path
  try {
    await fs.mkdir(path)
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error
  }
  // Also where it was there already: whoever made it may not have come to this.
  await fs.syncFolder(above)
  if (known.size < MAX_KNOWN) known.add(path)
  return path
}

/** Of an id, or of a pack. */
function fanOf(name: string): readonly [string, string] {
  return [name.slice(0, 2), name.slice(2, 4)]
}

function packPath(root: string, pack: string): string {
  return join(root, ...fanOf(pack), pack + PACK_SUFFIX)
}

function pathOf(root: string, id: ObjectId): string {
  return join(root, ...fanOf(id), id + SUFFIX)
}
