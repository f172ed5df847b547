// Blobs in a bucket of any store that speaks S3: one object a blob, under a prefix, by its random name.
//
// Invariants: as for every store. An id is written once because each write carries If-None-Match (conditional writes, as
// AWS, MinIO, Ceph and others have them); a store that ignores it is found out when the archive opens it.

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { newObjectId, type ObjectId, parseObjectId } from '../ids.ts'
import { corrupt, isStoreError, StoreError } from './errors.ts'
import { atTheDoor, type Closed, fromSource, guarded, storeFailure } from './source.ts'
import type { BlobBytes, BlobHandle, BlobInfo, BlobStore, NewBlob } from './store.ts'

export type S3Options = {
  readonly bucket: string
  /** With its slash; '' for none. */
  readonly prefix?: string
  /** Endpoint, region, credentials, path style. */
  readonly client: S3ClientConfig
}

/** S3 takes no smaller parts but the last, and at most 10,000: 160 GB a blob. */
const PART_BYTES = 16 << 20
/** Requests of putMany at a time. */
const AT_ONCE = 16

type Place = {
  readonly s3: S3Client
  readonly bucket: string
  readonly prefix: string
  readonly closed: Closed
}

/** @throws StoreError IO where the bucket cannot be reached, or does not refuse to write over what is there. */
export async function openS3Store({ bucket, prefix = '', client }: S3Options): Promise<BlobStore> {
  const s3 = new S3Client({
    ...client,
    // Bytes prove themselves by AES-GCM; checksums in trailers are what other stores trip over.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  })
  const place: Place = { s3, bucket, prefix, closed: { is: false } }
  await assertConditional(place)
  return {
    name: `bucket ${bucket}${prefix === '' ? '' : ` under ${prefix}`}`,
    isNear: false,
    put: asked(place, 'writing a blob', (id: ObjectId, bytes: BlobBytes) => put(place, id, bytes)),
    putMany: asked(place, 'writing blobs', (blobs: readonly NewBlob[]) => putMany(place, blobs)),
    open: asked(place, 'opening a blob', (id: ObjectId) => open(place, id)),
    size: asked(place, 'looking at a blob', (id: ObjectId) => sizeOf(place, id)),
    delete: asked(place, 'deleting a blob', (id: ObjectId) => remove(place, id)),
    list: () => list(place),
    close: async () => {
      place.closed.is = true
      s3.destroy()
    },
  }
}

/** The store's guard, with what the protocol says in its codes told apart. */
function asked<A extends readonly unknown[], R>(
  { closed }: Place,
  doing: string,
  act: (...args: A) => Promise<R>,
): (...args: A) => Promise<R> {
  return guarded(closed, doing, (...args) => act(...args).catch((error) => Promise.reject(explained(error))))
}

/** What the protocol says in its codes. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || !('$metadata' in error)) return error
  const { httpStatusCode: status } = error.$metadata as { readonly httpStatusCode?: number }
  if (status === 404) return new StoreError('NOT_FOUND', 'no such blob', { cause: error })
  if (status === 412 || status === 409) return new StoreError('EXISTS', 'the id is taken', { cause: error })
  return new StoreError('IO', `the bucket answered ${status ?? error.name}`, { cause: error })
}

async function assertConditional(place: Place): Promise<void> {
  const probe = newObjectId()
  await asked(place, 'reaching the bucket', () => put(place, probe, new Uint8Array(1)))()
  const again = await put(place, probe, new Uint8Array(1)).then(
    () => undefined,
    (error) => explained(error),
  )
  await remove(place, probe)
  if (!isStoreError(again, 'EXISTS'))
    throw new StoreError(
      'IO',
      'the bucket writes over what is there: it lacks conditional writes (If-None-Match)',
    )
}

function keyOf({ bucket, prefix }: Place, id: ObjectId): { readonly Bucket: string; readonly Key: string } {
  return { Bucket: bucket, Key: `${prefix}${id}` }
}

async function put(place: Place, id: ObjectId, bytes: BlobBytes): Promise<{ readonly size: number }> {
  if (bytes instanceof Uint8Array) {
    await place.s3.send(
      new PutObjectCommand({
        ...keyOf(place, id),
        Body: bytes,
        ContentLength: bytes.length,
        IfNoneMatch: '*',
      }),
    )
    return { size: bytes.length }
  }
  if (!(Symbol.asyncIterator in bytes)) return await put(place, id, Buffer.concat(bytes))
  const parts = partsOf(fromSource(bytes))
  const first = await parts.next()
  const second = first.done ? first : await parts.next()
  if (first.done) return await put(place, id, new Uint8Array(0))
  if (second.done) return await put(place, id, first.value)
  return await putParts(place, id, chain(first.value, second.value, parts))
}

async function* chain(
  first: Uint8Array,
  second: Uint8Array,
  rest: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield first
  yield second
  yield* rest
}

async function* partsOf(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of source) {
    held.push(chunk)
    bytes += chunk.length
    if (bytes < PART_BYTES) continue
    yield Buffer.concat(held)
    held = []
    bytes = 0
  }
  if (bytes > 0) yield Buffer.concat(held)
}

async function putParts(
  place: Place,
  id: ObjectId,
  parts: AsyncIterable<Uint8Array>,
): Promise<{ readonly size: number }> {
  const key = keyOf(place, id)
  const { UploadId } = await place.s3.send(new CreateMultipartUploadCommand(key))
  const Parts: { ETag: string | undefined; PartNumber: number }[] = []
  let size = 0
  try {
    for await (const Body of parts) {
      const PartNumber = Parts.length + 1
      const { ETag } = await place.s3.send(
        new UploadPartCommand({ ...key, UploadId, PartNumber, Body, ContentLength: Body.length }),
      )
      Parts.push({ ETag, PartNumber })
      size += Body.length
    }
    await place.s3.send(
      new CompleteMultipartUploadCommand({ ...key, UploadId, MultipartUpload: { Parts }, IfNoneMatch: '*' }),
    )
    return { size }
  } catch (error) {
    await place.s3.send(new AbortMultipartUploadCommand({ ...key, UploadId })).catch(() => undefined)
    throw storeFailure('writing a blob', explained(error))
  }
}

/** All or none: what was written before one failed goes again. */
async function putMany(place: Place, blobs: readonly NewBlob[]): Promise<void> {
  const written: ObjectId[] = []
  const failed: unknown[] = []
  let next = 0
  const work = async (): Promise<void> => {
    for (let blob = blobs[next++]; blob !== undefined && failed.length === 0; blob = blobs[next++]) {
      try {
        await put(place, blob.id, blob.bytes)
        written.push(blob.id)
      } catch (error) {
        failed.push(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, blobs.length) }, work))
  if (failed.length === 0) return
  for (const id of written) await remove(place, id)
  throw failed[0]
}

async function sizeOf(place: Place, id: ObjectId): Promise<number> {
  const { ContentLength } = await place.s3.send(new HeadObjectCommand(keyOf(place, id)))
  return ContentLength ?? 0
}

async function open(place: Place, id: ObjectId): Promise<BlobHandle> {
  const size = await sizeOf(place, id)
  const state = { closed: false }
  const close = async () => {
    state.closed = true
  }
  const readAt = async (offset: number, length: number): Promise<Uint8Array> => {
    if (state.closed || place.closed.is) throw new StoreError('CLOSED', 'the blob is closed')
    if (length === 0) return new Uint8Array(0)
    const Range = `bytes=${offset}-${offset + length - 1}`
    const { Body } = await place.s3.send(new GetObjectCommand({ ...keyOf(place, id), Range }))
    const bytes = (await Body?.transformToByteArray()) ?? new Uint8Array(0)
    if (bytes.length !== length) throw corrupt('bytes have gone')
    return bytes
  }
  return {
    size,
    readAt: (offset, length) =>
      atTheDoor('reading a blob', () =>
        readAt(offset, length).catch((error) => Promise.reject(explained(error))),
      ),
    close,
    [Symbol.asyncDispose]: close,
  }
}

async function remove(place: Place, id: ObjectId): Promise<void> {
  await place.s3.send(new DeleteObjectCommand(keyOf(place, id)))
}

async function* list(place: Place): AsyncGenerator<BlobInfo> {
  const page = asked(place, 'listing blobs', (ContinuationToken: string | undefined) =>
    place.s3.send(
      new ListObjectsV2Command({
        Bucket: place.bucket,
        Prefix: place.prefix,
        ...(ContinuationToken ? { ContinuationToken } : {}),
      }),
    ),
  )
  for (let token: string | undefined; ; ) {
    const { Contents = [], NextContinuationToken } = await page(token)
    for (const { Key = '', Size = 0, LastModified = new Date(0) } of Contents) {
      const id = parseObjectId(Key.slice(place.prefix.length))
      if (id !== undefined) yield { id, size: Size, modified: LastModified }
    }
    if (NextContinuationToken === undefined) return
    token = NextContinuationToken
  }
}
