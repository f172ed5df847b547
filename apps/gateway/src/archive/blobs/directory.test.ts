// The directory store: what every store does, and what is its own: folders, sweeping, full and failing disks, power cuts.

import assert from 'node:assert/strict'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { after, test } from 'node:test'
import { newObjectId, type ObjectId, objectIds } from '../ids.ts'
import { collected, conforms, is, stored } from './conformance.ts'
import { openDirectoryStore } from './directory.ts'
import { StoreError, systemCode } from './errors.ts'
import { type FileSystem, nodeFileSystem } from './file-system.ts'

const base = mkdtempSync(join(tmpdir(), 'roentgate-store-'))
after(() => rmSync(base, { recursive: true, force: true }))
const freshRoot = (): string => join(mkdtempSync(join(base, 's-')), 'blobs')

conforms('directory', () => openDirectoryStore({ root: freshRoot() }))

test('directory: two gateways make the same one at once', async () => {
  const root = freshRoot()
  const stores = await Promise.all([1, 2, 3].map(() => openDirectoryStore({ root })))
  for (const store of stores) await store.put(newObjectId(), Buffer.from('x'))
  const [first] = stores
  assert.equal(first && (await collected(first.list())).length, 3)
})

test('directory: two levels by the id, private, nothing left in tmp', async () => {
  const root = freshRoot()
  const store = await openDirectoryStore({ root })
  const id = 'abcdef01-0000-4000-8000-000000000000' as ObjectId
  await store.put(id, Buffer.from('x'))
  const path = join(root, 'ab', 'cd', `${id}.blob`)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(dirname(path)).mode & 0o777, 0o700)
  assert.equal(statSync(path).nlink, 1)
  assert.deepEqual(readdirSync(join(root, 'tmp')), [])
  writeFileSync(join(root, 'ab', 'cd', 'README'), 'not ours')
  writeFileSync(join(root, 'lost+found'), 'not ours')
  assert.deepEqual(
    (await collected(store.list())).map((one) => one.id),
    [id],
  )
  assert.deepEqual((await collected((await openDirectoryStore({ root })).list())).length, 1)
})

test('directory: what lies in tmp for an hour is swept, what is younger may be in use', async () => {
  const root = freshRoot()
  await openDirectoryStore({ root })
  for (const [name, age] of [['old', 7200], ['young', 60]] as const) {
    writeFileSync(join(root, 'tmp', name), 'x')
    const at = Date.now() / 1000 - age
    utimesSync(join(root, 'tmp', name), at, at)
  } // biome-ignore format: pairs
  await openDirectoryStore({ root })
  assert.deepEqual(readdirSync(join(root, 'tmp')), ['young'])
})

test('directory: a file that was cut while it was open is CORRUPT', async () => {
  const root = freshRoot()
  const store = await openDirectoryStore({ root })
  const id = newObjectId()
  await store.put(id, Buffer.alloc(100))
  await using handle = await store.open(id)
  truncateSync(join(root, id.slice(0, 2), id.slice(2, 4), `${id}.blob`), 50)
  await assert.rejects(handle.readAt(0, 100), is('CORRUPT'))
})

test('directory: without hard links the name is still never overwritten', async () => {
  const link = () => Promise.reject(Object.assign(new Error('no links here'), { code: 'EPERM' }))
  const root = freshRoot()
  const store = await openDirectoryStore({ root, fs: { ...nodeFileSystem, link } })
  const id = newObjectId()
  await store.put(id, Buffer.from('first'))
  await assert.rejects(store.put(id, Buffer.from('second')), is('EXISTS'))
  assert.equal((await stored(store, id)).toString(), 'first')
  assert.deepEqual(readdirSync(join(root, 'tmp')), [])
})

type Call = keyof FileSystem | 'write' | 'overwrite' | 'sync' | 'read' | 'close'

/** The real file system, where `before` may throw instead of a call. */
function watched(before: (call: Call, path: string) => void): FileSystem {
  const wrap =
    <A extends readonly [string, ...unknown[]], R>(call: Call, act: (...args: A) => Promise<R>) =>
    async (...args: A) => {
      before(call, ['r', 'r+', 'wx'].includes(String(args.at(-1))) ? args[0] : String(args.at(-1)))
      return await act(...args)
    }
  return {
    open: async (path, flags) => {
      before('open', path)
      const file = await nodeFileSystem.open(path, flags)
      const call =
        <A extends readonly unknown[], R>(name: Call, act: (...args: A) => Promise<R>) =>
        async (...args: A) => {
          before(name, path)
          return await act(...args)
        }
      return {
        write: call('write', file.write),
        overwrite: call('overwrite', file.overwrite),
        read: call('read', file.read),
        sync: call('sync', async () => undefined),
        size: file.size,
        close: file.close,
      }
    },
    syncFolder: wrap('syncFolder', async () => undefined),
    mkdir: wrap('mkdir', nodeFileSystem.mkdir),
    link: wrap('link', nodeFileSystem.link),
    rename: wrap('rename', nodeFileSystem.rename),
    unlink: wrap('unlink', nodeFileSystem.unlink),
    names: wrap('names', nodeFileSystem.names),
    stat: wrap('stat', nodeFileSystem.stat),
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

for (const code of ['ENOSPC', 'EIO', 'EDQUOT']) {
  for (const call of ['open', 'write', 'sync', 'mkdir', 'link', 'syncFolder'] as const) {
    test(`directory: ${code} in ${call} is an IO error with its cause, and leaves nothing`, async () => {
      const root = freshRoot()
      let armed = false
      const fs = watched((name) => {
        if (armed && name === call) throw failure(code)
      })
      const store = await openDirectoryStore({ root, fs })
      armed = true
      const id = newObjectId()
      const isIo = (error: unknown) =>
        error instanceof StoreError && error.code === 'IO' && systemCode(error.cause) === code
      await assert.rejects(store.put(id, Buffer.from('x')), isIo)
      await assert.rejects(store.putMany([{ id, bytes: Buffer.from('x') }]), isIo)
      armed = false
      assert.deepEqual(await collected(store.list()), [])
      assert.deepEqual(readdirSync(join(root, 'tmp')), [])
      await store.put(id, Buffer.from('again'))
      assert.equal((await stored(store, id)).toString(), 'again')
    })
  }
}

/** A disk that loses, with the power, whatever was not synced: contents of files, names in folders. */
function mortalDisk(dies: number, keepsNames: boolean): { fs: FileSystem; reboot: () => boolean } {
  let calls = 0
  let dead = false
  const dirty = new Set<string>()
  const unnamed = new Set<string>()
  const fs = watched((call, path) => {
    if (dead || ++calls > dies) {
      dead = true
      throw failure('EIO')
    }
    if (call === 'write') dirty.add(path)
    if (call === 'sync') dirty.delete(path)
    if (call === 'mkdir' || call === 'link') unnamed.add(path)
    if (call === 'syncFolder') {
      for (const name of unnamed) if (dirname(name) === path) unnamed.delete(name)
    }
  })
  const reboot = () => {
    for (const path of dirty) if (existsSync(path)) truncateSync(path, 0)
    for (const path of keepsNames ? [] : unnamed) rmSync(path, { recursive: true, force: true })
    return dead
  }
  return { fs, reboot }
}

for (const keepsNames of [false, true]) {
  test(`directory: power lost after any call (unsynced names ${keepsNames ? 'kept' : 'lost'})`, async () => {
    let died = true
    for (let dies = 0; died; dies++) {
      assert.ok(dies < 500)
      const root = freshRoot()
      const disk = mortalDisk(dies, keepsNames)
      const acknowledged = new Map<ObjectId, Buffer>()
      const offered = new Map<ObjectId, Buffer>()
      await work(root, disk.fs, { acknowledged, offered }).catch((error) => assert.ok(is('IO')(error), error))
      died = disk.reboot()
      const store = await openDirectoryStore({ root, sweepOlderThan: -HOUR })
      for (const [id, bytes] of acknowledged) assert.ok((await stored(store, id)).equals(bytes))
      for (const { id } of await collected(store.list())) {
        assert.ok((await stored(store, id)).equals(offered.get(id) ?? Buffer.alloc(0)), basename(id))
      }
      assert.deepEqual(readdirSync(join(root, 'tmp')), [])
    }
  })
}

const HOUR = 3_600_000
type Told = { readonly acknowledged: Map<ObjectId, Buffer>; readonly offered: Map<ObjectId, Buffer> }

async function work(root: string, fs: FileSystem, { acknowledged, offered }: Told): Promise<void> {
  const store = await openDirectoryStore({ root, fs })
  const blob = (text: string) => {
    const one = { id: newObjectId(), bytes: Buffer.from(text) }
    offered.set(one.id, one.bytes)
    return one
  }
  const [a, b, c, d] = [blob('a'), blob('b'), blob('c'), blob('d')]
  await store.put(a.id, a.bytes)
  acknowledged.set(a.id, a.bytes)
  await store.put(b.id, Readable.from([b.bytes]))
  acknowledged.set(b.id, b.bytes)
  await store.putMany([c, d])
  acknowledged.set(c.id, c.bytes)
  acknowledged.set(d.id, d.bytes)
  acknowledged.delete(a.id)
  await store.delete(a.id)
  const pack = objectIds()(3).map((id) => ({ id, bytes: Buffer.from(`packed ${id}`) }))
  for (const one of pack) offered.set(one.id, one.bytes)
  await store.putMany(pack)
  for (const one of pack) acknowledged.set(one.id, one.bytes)
  for (const one of pack) {
    acknowledged.delete(one.id)
    await store.delete(one.id)
  }
}

test('directory: blobs that belong together are one file, found, listed and deleted one by one', async () => {
  const root = freshRoot()
  const store = await openDirectoryStore({ root })
  const pack = objectIds()(5).map((id, i) => ({ id, bytes: Buffer.from('x'.repeat(i + 1)) }))
  await store.putMany(pack)
  const files = () =>
    readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(pack|blob)$/.test(name))
  assert.equal(files().length, 1)
  await assert.rejects(store.putMany(pack), is('EXISTS'))
  const [first, second, ...rest] = pack
  assert.ok(first && second)
  await store.delete(first.id)
  await store.delete(first.id)
  // Another process, which has nothing in memory.
  const other = await openDirectoryStore({ root })
  await assert.rejects(other.open(first.id), is('NOT_FOUND'))
  await assert.rejects(other.size(first.id), is('NOT_FOUND'))
  assert.equal(await other.size(second.id), 2)
  assert.equal((await stored(other, second.id)).toString(), 'xx')
  const listed = (await collected(other.list())).map(({ id, size }) => `${id} ${size}`)
  assert.deepEqual(listed.sort(), [second, ...rest].map(({ id, bytes }) => `${id} ${bytes.length}`).sort())
  await using handle = await store.open(second.id)
  await assert.rejects(handle.readAt(1, 2), is('CORRUPT'))
  const [file] = files()
  const path = join(root, file ?? '')
  const bytes = readFileSync(path)
  writeFileSync(join(root, 'copy'), bytes)
  truncateSync(path, bytes.length - 1)
  await assert.rejects((await openDirectoryStore({ root })).open(second.id), is('CORRUPT'))
  writeFileSync(path, bytes)
  for (const { id } of [second, ...rest]) await other.delete(id)
  assert.deepEqual(files(), [])
})
