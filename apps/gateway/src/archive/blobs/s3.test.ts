// The S3 store against a server of ours that answers as the protocol has it.

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { newObjectId } from '../ids.ts'
import { conforms, is, stored } from './conformance.ts'
import { openS3Store } from './s3.ts'
import { startS3Server } from './s3-server.ts'
import type { BlobStore } from './store.ts'

const server = await startS3Server()
after(() => server.close())
const counter = { next: 0 }

function fresh(): Promise<BlobStore> {
  return openS3Store({
    bucket: 'images',
    prefix: `p${counter.next++}/`,
    client: {
      endpoint: server.endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    },
  })
}

conforms('S3', fresh)

test('S3: a long stream goes in parts, and comes back whole', async () => {
  const store = await fresh()
  const bytes = randomBytes((33 << 20) + 5)
  const id = newObjectId()
  const source = (async function* () {
    for (let at = 0; at < bytes.length; at += 1 << 20) yield bytes.subarray(at, at + (1 << 20))
  })()
  assert.deepEqual(await store.put(id, source), { size: bytes.length })
  assert.ok((await stored(store, id)).equals(bytes))
  const again = (async function* () {
    for (let at = 0; at < 3; at++) yield bytes.subarray(0, 12 << 20)
  })()
  await assert.rejects(store.put(id, again), is('EXISTS'))
  assert.equal(server.uploads.size, 0)
  await store.close()
})

test('S3: a server that fails is an IO error, and nothing is left of many', async () => {
  const store = await fresh()
  Object.assign(server.failing, { method: 'PUT', times: 1 })
  const blobs = Array.from({ length: 8 }, () => ({ id: newObjectId(), bytes: Buffer.from('x') }))
  await assert.rejects(store.putMany(blobs), is('IO'))
  for (const { id } of blobs) await assert.rejects(store.open(id), is('NOT_FOUND'))
  Object.assign(server.failing, { method: '', times: 0 })
  await store.close()
})

test('S3: bytes that have gone are damage; a bucket that writes over what is there is refused', async () => {
  const store = await fresh()
  const id = newObjectId()
  await store.put(id, randomBytes(100))
  await using handle = await store.open(id)
  for (const [key, { modified }] of server.objects)
    if (key.endsWith(id)) server.objects.set(key, { bytes: Buffer.alloc(10), modified })
  await assert.rejects(handle.readAt(0, 100), is('CORRUPT'))
  await store.close()
  server.conditional.on = false
  await assert.rejects(fresh(), is('IO'))
  server.conditional.on = true
})
