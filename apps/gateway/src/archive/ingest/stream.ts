// An instance of any size enters the archive as it arrives; a few megabytes of it are in memory at a time.
//
//   stream ─► its header ─► key of its study ─► SHA-256 and AES-256-GCM in one pass ─► durable blob ─► row and ledger
//
// Small ones, which are nearly all, are read whole and take the way of ingest.ts.

import { DicomError } from '@roentgate/dicom'
import type { Archive } from '../archive.ts'
import { sealBlob } from '../blobs/seal.ts'
import { type Beginning, beginningOf, checked } from './beginning.ts'
import { commitWith, type From, keysFor, type Outcome } from './commit.ts'
import { headerFacts, mismatchOf } from './facts.ts'
import { PREAMBLE_BYTES, programOf } from './preamble.ts'

export type Streamed =
  | { readonly kind: 'outcome'; readonly outcome: Outcome }
  /** All of it, for ingest(): no row was written. */
  | { readonly kind: 'small'; readonly bytes: Uint8Array }

/** Read whole up to here. */
export const SMALL_BYTES = 4 << 20

/** @throws what the source throws, StoreError, DbError, CustodyError: then nothing is acknowledged. */
export async function ingestStream(
  archive: Archive,
  source: AsyncIterable<Uint8Array>,
  from: From,
): Promise<Streamed> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    const small = await smallOf(iterator)
    if (small.isWhole) return { kind: 'small', bytes: small.bytes }
    const beginning = await beginningOf(continued(small.bytes, iterator))
    return { kind: 'outcome', outcome: await storeLarge(archive, { beginning, iterator, ...from }) }
  } catch (error) {
    if (error instanceof DicomError)
      return { kind: 'outcome', outcome: { kind: 'refused', code: error.code, what: error.message } }
    throw error
  } finally {
    await iterator.return?.()
  }
}

async function smallOf(
  source: AsyncIterator<Uint8Array>,
): Promise<{ readonly bytes: Buffer; readonly isWhole: boolean }> {
  const chunks: Uint8Array[] = []
  let size = 0
  while (size <= SMALL_BYTES) {
    const next = await source.next()
    if (next.done) return { bytes: Buffer.concat(chunks), isWhole: true }
    chunks.push(next.value)
    size += next.value.length
  }
  return { bytes: Buffer.concat(chunks), isWhole: false }
}

async function* continued(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, undefined> {
  yield first
  for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

type Large = From & {
  readonly beginning: Beginning
  readonly iterator: AsyncIterator<Uint8Array>
}

async function storeLarge(
  archive: Archive,
  { beginning, iterator, sender, expected }: Large,
): Promise<Outcome> {
  const { bytes, head } = beginning
  const facts = headerFacts(head.file)
  if (facts === undefined)
    return {
      kind: 'refused',
      code: 'NO_UID',
      what: 'an instance, series, study or class without its UID',
    }
  const mismatch = mismatchOf(facts, expected)
  if (mismatch) return mismatch
  const program = programOf(bytes)
  if (program !== undefined) bytes.fill(0, 0, PREAMBLE_BYTES)
  const keys = await keysFor(archive, [facts.study.uid])
  const [key] = keys.values()
  if (key === undefined) throw new Error('a study without a key')
  const [objectId] = archive.nextIds(1)
  if (objectId === undefined) throw new Error('no id')
  const sealed = sealBlob(
    { objectId, keyId: key.keyId, dataKey: key.dataKey },
    checked(continued(bytes, iterator), head),
  )
  key.dataKey.fill(0)
  await archive.blobs.put(objectId, sealed)
  const { sha256, size } = await sealed.done
  const receivedAt = new Date()
  const instance = {
    ...facts,
    sha256: Buffer.from(sha256, 'hex'),
    size,
    blobId: objectId,
    keyId: key.keyId,
    preamble: program ?? '',
    receivedAt,
  }
  const what = { facts: [instance], keys, senders: [sender], receivedAt }
  const [inserted] = await commitWith(Promise.resolve(), archive, what)
  if (inserted === undefined) throw new Error('an instance without an outcome')
  // A duplicate's bytes are there already, in an older blob.
  if (inserted.blobId !== objectId) await archive.blobs.delete(objectId)
  return { kind: inserted.outcome, sopUid: facts.sopUid, collisions: inserted.collisions }
}
