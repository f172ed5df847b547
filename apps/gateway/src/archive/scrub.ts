// Every instance read and hashed again:  row → blob → SHA-256 = the row's?  intact | damaged | missing
//
// What is found damaged is refused from then on and stands in the ledger. Blobs that no row names, left by a crash
// between blob and row, are swept once they are old enough that no ingest can still be about to name them.

import { transact } from '../db/database.ts'
import type { CheckState } from '../db/schema.ts'
import { appendEvents } from '../ledger/append.ts'
import type { Archive } from './archive.ts'
import { isStoreError } from './blobs/errors.ts'
import { hashOf } from './retrieve.ts'

export type Scrubbed = {
  readonly intact: number
  readonly damaged: number
  readonly missing: number
  readonly swept: number
}

const PAGE = 100
/** Longer than any ingest takes from its blob to its row. */
const ORPHAN_MS = 24 * 3600_000

export type Scrub = {
  readonly signal?: AbortSignal
  readonly orphansOlderThan?: number
  /** Only what was not looked at since. */
  readonly before?: Date
}

export async function scrub(archive: Archive, how: Scrub = {}): Promise<Scrubbed> {
  const { signal, orphansOlderThan = ORPHAN_MS, before } = how
  const count = { intact: 0, damaged: 0, missing: 0, swept: 0 }
  let after = ''
  for (;;) {
    if (signal?.aborted) break
    let query = archive.database.kysely
      .selectFrom('instances')
      .select(['id', 'blob_id', 'key_id', 'sha256', 'sop_uid'])
      .where('state', '<>', 'trashed')
      .orderBy('id')
      .limit(PAGE)
    if (before)
      query = query.where((all) => all.or([all('checked_at', 'is', null), all('checked_at', '<', before)]))
    const rows = await (after === '' ? query : query.where('id', '>', after)).execute()
    for (const row of rows) {
      const state = await stateOf(archive, row)
      if (state === 'intact' || state === 'damaged' || state === 'missing') count[state]++
      await record(archive, row, state)
    }
    after = rows.at(-1)?.id ?? after
    if (rows.length < PAGE) break
  }
  if (!signal?.aborted) count.swept = await sweep(archive, orphansOlderThan)
  return count
}

type Row = {
  readonly id: string
  readonly blob_id: string
  readonly key_id: string
  readonly sha256: Buffer
  readonly sop_uid: string
}

/** A disk that fails says nothing about the bytes: that is thrown, not recorded. */
async function stateOf(archive: Archive, row: Row): Promise<CheckState> {
  try {
    return (await hashOf(archive, row)) === row.sha256.toString('hex') ? 'intact' : 'damaged'
  } catch (error) {
    if (isStoreError(error, 'NOT_FOUND')) return 'missing'
    if (isStoreError(error, 'CORRUPT')) return 'damaged'
    throw error
  }
}

async function record({ database }: Archive, row: Row, state: CheckState): Promise<void> {
  const at = new Date()
  await transact(database.kysely, async (tx) => {
    await tx
      .updateTable('instances')
      .set({ checked_at: at, check_state: state })
      .where('id', '=', row.id)
      .execute()
    if (state === 'intact') return
    const event = {
      event: 'scrub-failed',
      action: 'E',
      outcome: 'serious',
      actor: { kind: 'system', id: 'scrub' },
      objects: [{ kind: 'instance', id: row.sop_uid }],
      detail: { status: state },
    } as const
    await appendEvents(tx, [event], at)
  })
}

async function sweep({ database, blobs }: Archive, olderThan: number): Promise<number> {
  let swept = 0
  const before = Date.now() - olderThan
  for await (const { id, modified } of blobs.list()) {
    if (modified.getTime() > before) continue
    const named = await database.kysely
      .selectFrom('instances')
      .select('id')
      .where('blob_id', '=', id)
      .executeTakeFirst()
    if (named) continue
    await blobs.delete(id)
    swept++
  }
  return swept
}
