// Where blobs lie: one interface for a directory, an object store, and whatever comes next. Every failure is a StoreError.
//
// Invariants: a blob that `put` acknowledged survives a loss of power; a blob is there as a whole or not at all; an id is
// written once. What is inside is no concern of a store: it sees ciphertext and random names.

import type { ObjectId } from '../ids.ts'

/** Random access to bytes that do not change. */
export type ReadAt = {
  readonly size: number
  /** Exactly so many bytes, or CORRUPT where they have gone; the caller stays within `size`. */
  readonly readAt: (offset: number, length: number) => Promise<Uint8Array>
}

export type BlobHandle = ReadAt & AsyncDisposable & { readonly close: () => Promise<void> }

export type BlobInfo = { readonly id: ObjectId; readonly size: number; readonly modified: Date }
/** As a stream, in one piece, or in several. */
export type BlobBytes = AsyncIterable<Uint8Array> | Uint8Array | readonly Uint8Array[]
export type NewBlob = { readonly id: ObjectId; readonly bytes: BlobBytes }

export type BlobStore = {
  /** For the administrator: never holds a secret. */
  readonly name: string
  /** A write takes as long as a flush of the disk: rows may be written beside it, and wait for it. */
  readonly isNear: boolean
  /** Durable when it resolves; EXISTS where the id is taken. */
  readonly put: (id: ObjectId, bytes: BlobBytes) => Promise<{ readonly size: number }>
  /** All of them or none; for many small ones this is cheaper than one after the other. */
  readonly putMany: (blobs: readonly NewBlob[]) => Promise<void>
  /** NOT_FOUND where there is none. */
  readonly open: (id: ObjectId) => Promise<BlobHandle>
  readonly size: (id: ObjectId) => Promise<number>
  /** What is not there stays away: no error, so that a deletion can be repeated. */
  readonly delete: (id: ObjectId) => Promise<void>
  /** In no order. What is not ours is left out. */
  readonly list: () => AsyncIterable<BlobInfo>
  readonly close: () => Promise<void>
}

/** A blob in memory, as a store would give it. */
export function readerOf(bytes: Uint8Array): ReadAt {
  return { size: bytes.length, readAt: async (offset, length) => bytes.subarray(offset, offset + length) }
}
