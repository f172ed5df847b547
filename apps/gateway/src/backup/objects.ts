// Objects of a target: written once with their hash taken on the way, and read with it checked.

import { createHash } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import { isStoreError } from '../archive/blobs/errors.ts'
import type { BlobHandle, BlobStore } from '../archive/blobs/store.ts'
import { newObjectId, type ObjectId } from '../archive/ids.ts'
import { BackupError } from './errors.ts'
import type { StoredObject } from './manifest.ts'

const CHUNK = 1 << 20

export async function putObject(
  objects: BlobStore,
  source: AsyncIterable<Uint8Array>,
  id: ObjectId = newObjectId(),
): Promise<StoredObject> {
  const hash = createHash('sha256')
  let size = 0
  const passing = async function* () {
    for await (const chunk of source) {
      hash.update(chunk)
      size += chunk.length
      yield chunk
    }
  }
  await objects.put(id, passing())
  return { id, sha256: hash.digest('hex'), size }
}

/** What is there, in pieces; throws at the end where it is not what was written. */
export async function* readObject(
  objects: BlobStore,
  { id, sha256, size }: StoredObject,
): AsyncGenerator<Uint8Array> {
  await using handle = await openObject(objects, id)
  if (handle.size !== size) throw damaged()
  const hash = createHash('sha256')
  for await (const chunk of piecesOf(handle)) {
    hash.update(chunk)
    yield chunk
  }
  if (hash.digest('hex') !== sha256) throw damaged()
}

export async function openObject(objects: BlobStore, id: string): Promise<BlobHandle> {
  try {
    return await objects.open(id as ObjectId)
  } catch (error) {
    if (isStoreError(error, 'NOT_FOUND') || isStoreError(error, 'CORRUPT')) throw damaged(error)
    throw error
  }
}

export async function* piecesOf(handle: BlobHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < handle.size; at += CHUNK)
    yield await handle.readAt(at, Math.min(CHUNK, handle.size - at))
}

export function damaged(cause?: unknown): BackupError {
  return new BackupError('DAMAGED', 'an object of the backup is gone or changed', { cause })
}

/** Lines, compressed. */
export async function* zipped(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Uint8Array> {
  const withEnds = async function* () {
    let held = ''
    for await (const line of lines) {
      held += `${line}\n`
      if (held.length < CHUNK) continue
      yield held
      held = ''
    }
    yield held
  }
  const gzip = createGzip({ level: 1 })
  const out = new PassThrough()
  const running = pipeline(Readable.from(withEnds()), gzip, out)
  running.catch((error) => out.destroy(error))
  yield* out as AsyncIterable<Uint8Array>
  await running
}

/** @throws BackupError DAMAGED */
export async function* unzipped(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const out = new PassThrough()
  const running = pipeline(Readable.from(bytes), createGunzip(), out)
  running.catch((error) => out.destroy(error))
  let rest = ''
  const decoder = new TextDecoder()
  for await (const chunk of out as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
  await running
  if (rest !== '') throw damaged()
}
