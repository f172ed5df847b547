// Storage commitment (PS3.4 J): for each instance that is asked about, whether it is kept for good.
//
// Invariant: yes is said only after the bytes were read from the store, decrypted and hashed, and are those that came.

import type { Archive } from './archive.ts'
import { isStoreError } from './blobs/errors.ts'
import { hashOf } from './retrieve.ts'

export type Reference = { readonly sopClass: string; readonly sopUid: string }

/** Failure Reason (0008,1197), PS3.3 C.14.1.1. */
export const FAILURE = {
  processing: 0x0110,
  noSuchInstance: 0x0112,
  classConflict: 0x0119,
  resourceLimitation: 0x0213,
} as const

export type Failed = Reference & { readonly reason: (typeof FAILURE)[keyof typeof FAILURE] }
export type Commitment = { readonly committed: readonly Reference[]; readonly failed: readonly Failed[] }

export async function commitmentOf(
  archive: Archive,
  references: readonly Reference[],
  signal?: AbortSignal,
): Promise<Commitment> {
  const committed: Reference[] = []
  const failed: Failed[] = []
  for (const reference of references) {
    signal?.throwIfAborted()
    const reason = await reasonAgainst(archive, reference)
    if (reason === undefined) committed.push(reference)
    else failed.push({ ...reference, reason })
  }
  return { committed, failed }
}

async function reasonAgainst(
  archive: Archive,
  { sopClass, sopUid }: Reference,
): Promise<Failed['reason'] | undefined> {
  const row = await archive.database.kysely
    .selectFrom('instances')
    .innerJoin('series', 'series.id', 'instances.series_id')
    .innerJoin('studies', 'studies.id', 'series.study_id')
    .select(['instances.blob_id', 'instances.key_id', 'instances.sha256', 'instances.sop_class'])
    .where('sop_uid', '=', sopUid)
    .where('state', '=', 'current')
    .where('studies.trashed_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) return FAILURE.noSuchInstance
  if (row.sop_class !== sopClass) return FAILURE.classConflict
  try {
    return (await hashOf(archive, row)) === row.sha256.toString('hex') ? undefined : FAILURE.processing
  } catch (error) {
    if (isStoreError(error, 'NOT_FOUND')) return FAILURE.noSuchInstance
    if (isStoreError(error, 'CORRUPT')) return FAILURE.processing
    throw error
  }
}
