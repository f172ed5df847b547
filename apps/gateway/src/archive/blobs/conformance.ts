// What every blob store has to do, as tests that a store's own test file runs on a fresh one.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { newKeyId, newObjectId } from '../ids.ts'
import { isStoreError, type StoreCode } from './errors.ts'
import { openBlob } from './open.ts'
import { sealBlob, sealBytes } from './seal.ts'
import type { BlobInfo, BlobStore } from './store.ts'

type Fresh = () => Promise<BlobStore>

export function is(code: StoreCode): (error: unknown) => boolean {
  return (error) => isStoreError(error, code)
}

export async function collected<T>(source: AsyncIterable<T>): Promise<readonly T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}

export async function stored(store: BlobStore, id: BlobInfo['id']): Promise<Buffer> {
  await using handle = await store.open(id)
  return Buffer.from(await handle.readAt(0, handle.size))
}

export function conforms(what: string, fresh: Fresh): void {
  for (const [title, act] of CASES) test(`${what}: ${title}`, () => act(fresh))
}

const CASES: readonly (readonly [title: string, act: (fresh: Fresh) => Promise<void>])[] = [
  ['what was put is there, whole and in parts', whole],
  ['an id is written once, and what failed leaves nothing', once],
  ['deletion, and what is missing', deletion],
  ['many at once, all or none', many],
  ['a sealed object goes in as a stream and comes out by range', sealed],
]

async function whole(fresh: Fresh): Promise<void> {
  const store = await fresh()
  const bytes = randomBytes(200_000)
  const [whole, streamed, empty] = [newObjectId(), newObjectId(), newObjectId()]
  assert.deepEqual(await store.put(whole, bytes), { size: bytes.length })
  const source = (async function* () {
    for (let at = 0; at < bytes.length; at += 70_000) yield bytes.subarray(at, at + 70_000)
  })()
  assert.deepEqual(await store.put(streamed, source), { size: bytes.length })
  await store.put(empty, Buffer.alloc(1))
  for (const id of [whole, streamed]) {
    assert.ok((await stored(store, id)).equals(bytes))
    assert.equal(await store.size(id), bytes.length)
    await using handle = await store.open(id)
    for (const [offset, length] of [[0, 1], [199_999, 1], [65_000, 70_000], [150_000, 10]] as const) {
      const part = await handle.readAt(offset, length)
      assert.ok(Buffer.from(part).equals(bytes.subarray(offset, offset + length)))
    } // biome-ignore format: pairs
  }
  const listed = await collected(store.list())
  assert.deepEqual(listed.map(({ id }) => id).toSorted(), [whole, streamed, empty].toSorted())
  assert.deepEqual(listed.find(({ id }) => id === whole)?.size, bytes.length)
  assert.ok(listed.every(({ modified }) => Math.abs(Date.now() - modified.getTime()) < 600_000))
  await store.close()
}

async function once(fresh: Fresh): Promise<void> {
  const store = await fresh()
  const id = newObjectId()
  await store.put(id, Buffer.from('first'))
  await assert.rejects(store.put(id, Buffer.from('second')), is('EXISTS'))
  assert.equal((await stored(store, id)).toString(), 'first')
  const other = newObjectId()
  const failing = (async function* () {
    yield randomBytes(100)
    throw new Error('the sender went away')
  })()
  await assert.rejects(store.put(other, failing), /the sender went away/)
  await assert.rejects(store.open(other), is('NOT_FOUND'))
  assert.equal((await collected(store.list())).length, 1)
  await store.close()
}

async function deletion(fresh: Fresh): Promise<void> {
  const store = await fresh()
  const id = newObjectId()
  await store.put(id, Buffer.from('x'))
  await store.delete(id)
  await store.delete(id)
  await assert.rejects(store.open(id), is('NOT_FOUND'))
  await assert.rejects(store.size(id), is('NOT_FOUND'))
  await store.put(id, Buffer.from('y'))
  const handle = await store.open(id)
  await handle.close()
  await handle.close()
  await assert.rejects(handle.readAt(0, 1), is('CLOSED'))
  await store.close()
  await assert.rejects(store.put(newObjectId(), Buffer.from('z')), is('CLOSED'))
  await assert.rejects(store.open(id), is('CLOSED'))
  await assert.rejects(collected(store.list()), is('CLOSED'))
}

async function many(fresh: Fresh): Promise<void> {
  const store = await fresh()
  const blobs = Array.from({ length: 40 }, (_, i) => ({
    id: newObjectId(),
    bytes: Buffer.from(`blob ${i}`),
  }))
  await store.putMany(blobs)
  for (const { id, bytes } of blobs) assert.ok((await stored(store, id)).equals(bytes))
  const [taken] = blobs
  assert.ok(taken !== undefined)
  const more = Array.from({ length: 5 }, () => ({ id: newObjectId(), bytes: Buffer.from('new') }))
  await assert.rejects(store.putMany([...more, taken]), is('EXISTS'))
  assert.equal((await collected(store.list())).length, blobs.length)
  await store.putMany([])
  await store.close()
}

async function sealed(fresh: Fresh): Promise<void> {
  const store = await fresh()
  const seal = { objectId: newObjectId(), keyId: newKeyId(), dataKey: randomBytes(32) }
  const plain = randomBytes(500_000)
  const sealed = sealBlob(seal, [plain.subarray(0, 1000), plain.subarray(1000)])
  const { size } = await store.put(seal.objectId, sealed)
  assert.equal((await sealed.done).stored, size)
  await using handle = await store.open(seal.objectId)
  using opened = await openBlob(handle, seal)
  const range = { start: 131_000, end: 400_001 }
  const read = Buffer.concat(await collected(opened.read(range)))
  assert.ok(read.equals(plain.subarray(range.start, range.end)))
  const small = { ...seal, objectId: newObjectId() }
  await store.put(small.objectId, sealBytes(small, plain.subarray(0, 9)).blob)
  await using other = await store.open(small.objectId)
  await assert.rejects(openBlob(other, seal), is('CORRUPT'))
  await store.close()
}
