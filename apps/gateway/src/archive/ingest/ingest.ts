// Instances enter the archive, a batch at a time:
//
//   bytes → limits, header → SHA-256 and AES-256-GCM in one pass → durable blobs → rows and ledger in one transaction
//
// Invariants: what is acknowledged is durable, indexed and in the ledger; what is not is invisible, and at worst leaves a
// blob that no row names, for the scrub to sweep. What is given back later is byte for byte what came, but for a
// preamble that is a program. No outcome holds a value from a data set.

import { DicomError, fromBytes, readFile } from '@roentgate/dicom'
import { isCustodyError } from '../../keys/errors.ts'
import { inflate } from '../../pipeline/inflate.ts'
import type { Archive } from '../archive.ts'
import { hashOfBytes, sealPieces } from '../blobs/seal.ts'
import type { NewBlob } from '../blobs/store.ts'
import { KeyGone } from '../index/errors.ts'
import type { InstanceFacts } from '../index/facts.ts'
import { commitWith, type From, keysFor, type Outcome, type Sender } from './commit.ts'
import { type HeaderFacts, headerFacts, mismatchOf } from './facts.ts'
import { PREAMBLE_BYTES, programOf } from './preamble.ts'

/** Instances of one transaction. */
export const BATCH = 64

/** An instance as it came, whole. */
export type Arrival = From & { readonly bytes: Uint8Array }

type Read =
  | {
      readonly kind: 'read'
      readonly facts: HeaderFacts
      readonly bytes: Uint8Array
      readonly program: string | undefined
      readonly sender: Sender
    }
  | Extract<Outcome, { kind: 'refused' }>

/** A study is destroyed while its instances arrive: once more, under a key of its own. */
const TRIES = 3

/** In the order of the arrivals. @throws StoreError, DbError, CustodyError: then nothing of the batch is acknowledged. */
export async function ingest(archive: Archive, arrivals: readonly Arrival[]): Promise<readonly Outcome[]> {
  const reads = arrivals.map(readOne)
  for (let attempt = 1; ; attempt++) {
    try {
      return await store(archive, reads)
    } catch (error) {
      const isMended = error instanceof KeyGone || isCustodyError(error, 'NOT_FOUND')
      if (!isMended || attempt === TRIES) throw error
      archive.studyKeys.clear()
    }
  }
}

async function store(archive: Archive, reads: readonly Read[]): Promise<readonly Outcome[]> {
  const uids = reads.flatMap((read) => (read.kind === 'read' ? [read.facts.study.uid] : []))
  const hashes = reads.map((read) =>
    read.kind === 'read' ? hashOfBytes(read.bytes, reads.length > 1) : undefined,
  )
  const keys = await keysFor(archive, uids)
  const ids = archive.nextIds(uids.length).values()
  const receivedAt = new Date()
  const blobs: NewBlob[] = []
  const facts: InstanceFacts[] = []
  const senders: Sender[] = []
  for (const [place, read] of reads.entries()) {
    const hash = hashes[place]
    if (read.kind !== 'read' || hash === undefined) continue
    const key = keys.get(read.facts.study.uid)
    const objectId = ids.next().value
    if (key === undefined || objectId === undefined) throw new Error('a study without a key')
    const sealed = sealPieces({ objectId, keyId: key.keyId, dataKey: key.dataKey }, read.bytes)
    blobs.push({ id: objectId, bytes: sealed.pieces })
    senders.push(read.sender)
    facts.push({
      ...read.facts,
      sha256: await hash,
      size: sealed.size,
      blobId: objectId,
      keyId: key.keyId,
      preamble: read.program ?? '',
      receivedAt,
    })
  }
  for (const { dataKey } of keys.values()) dataKey.fill(0)
  if (facts.length === 0) return reads.map(refusalOf)
  const inserted = await commitWith(archive.blobs.putMany(blobs), archive, {
    facts,
    keys,
    senders,
    receivedAt,
  })
  // A duplicate's bytes are there already, in an older blob.
  const kept = new Set(inserted.map(({ blobId }) => blobId))
  for (const { id } of blobs) if (!kept.has(id)) await archive.blobs.delete(id)
  const results = inserted[Symbol.iterator]()
  return reads.map((read) => {
    if (read.kind !== 'read') return read
    const { outcome, collisions } = results.next().value ?? {}
    if (outcome === undefined) throw new Error('an instance without an outcome')
    return { kind: outcome, sopUid: read.facts.sopUid, collisions: collisions ?? [] }
  })
}

function refusalOf(read: Read): Outcome {
  if (read.kind === 'read') throw new Error('an instance that was not stored')
  return read
}

function readOne({ bytes, sender, expected }: Arrival): Read {
  try {
    const facts = headerFacts(readFile(fromBytes(bytes), { inflate }))
    if (facts === undefined) {
      return { kind: 'refused', code: 'NO_UID', what: 'an instance, series, study or class without its UID' }
    }
    const mismatch = mismatchOf(facts, expected)
    if (mismatch) return mismatch
    const program = programOf(bytes)
    if (program === undefined) return { kind: 'read', facts, bytes, program, sender }
    const harmless = bytes.slice()
    harmless.fill(0, 0, PREAMBLE_BYTES)
    return { kind: 'read', facts, bytes: harmless, program, sender }
  } catch (error) {
    if (error instanceof DicomError) return { kind: 'refused', code: error.code, what: error.message }
    throw error
  }
}
