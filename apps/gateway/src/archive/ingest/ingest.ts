// Instances enter the archive, a batch at a time:
//
//   bytes → limits, header → SHA-256 and AES-256-GCM in one pass → durable blobs → rows and ledger in one transaction
//
// Invariants: what is acknowledged is durable, indexed and in the ledger; what is not is invisible, and at worst leaves a
// blob that no row names, for the scrub to sweep. What is given back later is byte for byte what came, but for a
// preamble that is a program. No outcome holds a value from a data set.

import { DicomError, fromBytes, readFile } from '@roentgate/dicom'
import { transact } from '../../db/database.ts'
import { keyRows } from '../../keys/rows.ts'
import { appendEvents, type NewEvent } from '../../ledger/append.ts'
import { inflate } from '../../pipeline/inflate.ts'
import type { Archive } from '../archive.ts'
import { sealBytes } from '../blobs/seal.ts'
import type { NewBlob } from '../blobs/store.ts'
import { type KeyId, newObjectId } from '../ids.ts'
import type { InstanceFacts } from '../index/facts.ts'
import { insertInstances } from '../index/write.ts'
import { type HeaderFacts, headerFacts } from './facts.ts'
import { PREAMBLE_BYTES, programOf } from './preamble.ts'

export type Outcome =
  | {
      readonly kind: 'stored' | 'duplicate' | 'conflict'
      readonly sopUid: string
      readonly collisions: readonly string[]
    }
  | { readonly kind: 'refused'; readonly code: string; readonly what: string }

export type Sender = NewEvent['actor']

/** Instances of one transaction. */
export const BATCH = 64

type Read =
  | {
      readonly kind: 'read'
      readonly facts: HeaderFacts
      readonly bytes: Uint8Array
      readonly program: string | undefined
    }
  | Extract<Outcome, { kind: 'refused' }>

/** In the order of the bytes. @throws StoreError, DbError, CustodyError: then nothing of the batch is acknowledged. */
export async function ingest(
  archive: Archive,
  files: readonly Uint8Array[],
  sender: Sender,
): Promise<readonly Outcome[]> {
  const reads = files.map(readOne)
  const keys = await keysFor(archive, reads)
  const receivedAt = new Date()
  const blobs: NewBlob[] = []
  const facts: InstanceFacts[] = []
  for (const read of reads) {
    if (read.kind !== 'read') continue
    const key = keys.get(read.facts.study.uid)
    if (key === undefined) throw new Error('a study without a key')
    const objectId = newObjectId()
    const sealed = sealBytes({ objectId, keyId: key.keyId, dataKey: key.dataKey }, read.bytes)
    blobs.push({ id: objectId, bytes: sealed.blob })
    facts.push({
      ...read.facts,
      sha256: Buffer.from(sealed.sha256, 'hex'),
      size: sealed.size,
      blobId: objectId,
      keyId: key.keyId,
      preamble: read.program ?? '',
      receivedAt,
    })
  }
  for (const { dataKey } of keys.values()) dataKey.fill(0)
  if (facts.length === 0) return reads.map(refusalOf)
  await archive.blobs.putMany(blobs)
  const inserted = await commit(archive, { facts, keys, sender, receivedAt })
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

function readOne(bytes: Uint8Array): Read {
  try {
    const facts = headerFacts(readFile(fromBytes(bytes), { inflate }))
    if (facts === undefined) {
      return { kind: 'refused', code: 'NO_UID', what: 'an instance, series, study or class without its UID' }
    }
    const program = programOf(bytes)
    if (program === undefined) return { kind: 'read', facts, bytes, program }
    const harmless = bytes.slice()
    harmless.fill(0, 0, PREAMBLE_BYTES)
    return { kind: 'read', facts, bytes: harmless, program }
  } catch (error) {
    if (error instanceof DicomError) return { kind: 'refused', code: error.code, what: error.message }
    throw error
  }
}

type StudyKey = {
  readonly keyId: KeyId
  readonly dataKey: Buffer
  /** To be inserted with the study that it is made for. */
  readonly wrapped?: Awaited<ReturnType<Archive['keyring']['make']>>['wrapped']
}

/** One a study: the one that it has, or a new one. */
async function keysFor(
  { database, keyring }: Archive,
  reads: readonly Read[],
): Promise<Map<string, StudyKey>> {
  const uids = new Set(reads.flatMap((read) => (read.kind === 'read' ? [read.facts.study.uid] : [])))
  const keys = new Map<string, StudyKey>()
  if (uids.size === 0) return keys
  const known = await database.kysely
    .selectFrom('studies')
    .innerJoin('data_keys', 'data_keys.id', 'studies.key_id')
    .select(['study_uid', 'key_id'])
    .where('study_uid', 'in', [...uids])
    .where('data_keys.destroyed_at', 'is', null)
    .execute()
  for (const { study_uid, key_id } of known) {
    const keyId = key_id as KeyId
    keys.set(study_uid, { keyId, dataKey: await keyring.get(keyId) })
  }
  for (const uid of uids) if (!keys.has(uid)) keys.set(uid, await keyring.make())
  return keys
}

type Committing = {
  readonly facts: readonly InstanceFacts[]
  readonly keys: ReadonlyMap<string, StudyKey>
  readonly sender: Sender
  readonly receivedAt: Date
}

async function commit(archive: Archive, { facts, keys, sender, receivedAt }: Committing) {
  return await transact(archive.database.kysely, async (tx) => {
    for (const { keyId, wrapped } of keys.values()) if (wrapped) await keyRows(tx).insert(keyId, wrapped)
    const inserted = await insertInstances(tx, archive.columns, facts)
    const outcomes = inserted.map(({ outcome }, place) => ({ outcome, uid: facts[place]?.study.uid ?? '' }))
    await appendEvents(tx, eventsOf(outcomes, sender), receivedAt)
    return inserted
  })
}

/** One entry for the instances of a study that came together, and one for those that contradict what is there. */
function eventsOf(
  outcomes: readonly { readonly outcome: string; readonly uid: string }[],
  actor: Sender,
): readonly NewEvent[] {
  return [...new Set(outcomes.map(({ uid }) => uid))].flatMap((uid) => {
    const of = (...kinds: readonly string[]): number =>
      outcomes.filter((one) => one.uid === uid && kinds.includes(one.outcome)).length
    const event = (count: number, outcome: NewEvent['outcome'], status: string): NewEvent[] =>
      count === 0
        ? []
        : [
            {
              event: 'import',
              action: 'C',
              outcome,
              actor,
              objects: [{ kind: 'study', id: uid, count }],
              detail: { status },
            },
          ]
    return [
      ...event(of('stored'), 'success', 'stored'),
      ...event(of('duplicate'), 'success', 'duplicate'),
      ...event(of('conflict'), 'minor', 'conflict'),
    ]
  })
}
