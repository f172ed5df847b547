// The trash: out of sight at once, gone only later.   put ─► grace ─► destroyed (dispose.ts)   or   put ─► taken out
//
// Invariants: what is in the trash is found by no search and retrieved by nobody; an instance that arrives for a study in
// the trash takes the study out again, as its sender was told that it is kept; nothing under a hold goes in.

import { type Tx, transact } from '../db/database.ts'
import type { Appended, NewEvent } from '../ledger/append.ts'
import { appendEvents } from '../ledger/append.ts'
import type { Archive } from './archive.ts'
import { ArchiveError } from './errors.ts'
import { dueStudies } from './retention.ts'

/** Long enough to be back from a holiday. */
export const GRACE_DAYS = 30
const DAY_MS = 24 * 3600_000
const BATCH = 200

/** @throws ArchiveError NO_STUDY, ON_HOLD */
export async function putInTrash(
  { database }: Archive,
  study: string,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<void> {
  await transact(database.kysely, async (tx) => {
    const row = await tx
      .selectFrom('studies')
      .select(['id', 'hold_count', 'instance_count'])
      .where('study_uid', '=', study)
      .where('trashed_at', 'is', null)
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined) throw new ArchiveError('NO_STUDY', 'no study of that UID is in the archive')
    if (row.hold_count > 0) throw new ArchiveError('ON_HOLD', 'the study is under a legal hold: it is kept')
    await tx.updateTable('studies').set({ trashed_at: new Date() }).where('id', '=', row.id).execute()
    await appendEvents(
      tx,
      [deleted({ study, count: row.instance_count, by, detail: { reason } })],
      new Date(),
    )
  })
}

/** @throws ArchiveError NO_STUDY */
export async function takeFromTrash({ database }: Archive, study: string, by: string): Promise<void> {
  await transact(database.kysely, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('studies')
      .set({ trashed_at: null })
      .where('study_uid', '=', study)
      .where('trashed_at', 'is not', null)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) throw new ArchiveError('NO_STUDY', 'no study of that UID is in the trash')
    const event = {
      event: 'object-security-changed',
      action: 'E',
      outcome: 'success',
      actor: { kind: 'person', id: by },
      objects: [{ kind: 'study', id: study }],
      detail: { status: 'taken from the trash' },
    } as const
    await appendEvents(tx, [event], new Date())
  })
}

export type Trashed = { readonly study: string; readonly since: Date }

/** Those that went in before `before`, the oldest first. */
export async function trashed({ database }: Archive, before: Date): Promise<readonly Trashed[]> {
  const rows = await database.kysely
    .selectFrom('studies')
    .select(['study_uid', 'trashed_at'])
    .where('trashed_at', 'is not', null)
    .where('trashed_at', '<=', before)
    .orderBy('trashed_at')
    .orderBy('study_uid')
    .execute()
  return rows.map(({ study_uid, trashed_at }) => ({ study: study_uid, since: trashed_at ?? before }))
}

export function graceEnd(now: Date, days: number): Date {
  return new Date(now.getTime() - days * DAY_MS)
}

/** All that is due goes into the trash: each with an entry of its own, and one for the run. */
export async function runRetention(archive: Archive, by: string, now = new Date()): Promise<number> {
  let count = 0
  let batch: { study: string; rowId: string; policy: string }[] = []
  const flush = async () => {
    if (batch.length > 0) count += await transact(archive.database.kysely, (tx) => trash(tx, batch, by))
    batch = []
  }
  for await (const due of dueStudies(archive, now)) {
    batch.push(due)
    if (batch.length >= BATCH) await flush()
  }
  await flush()
  const event = {
    event: 'retention-run',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [],
    detail: { count },
  } as const
  await transact(archive.database.kysely, (tx): Promise<Appended> => appendEvents(tx, [event], new Date()))
  return count
}

type DueRow = { readonly study: string; readonly rowId: string; readonly policy: string }

/** Looked at again: a hold may have come meanwhile. */
async function trash(tx: Tx, batch: readonly DueRow[], by: string): Promise<number> {
  const rows = await tx
    .selectFrom('studies')
    .select(['id', 'instance_count'])
    .where(
      'id',
      'in',
      batch.map(({ rowId }) => rowId),
    )
    .where('hold_count', '=', 0)
    .where('trashed_at', 'is', null)
    .orderBy('id')
    .forUpdate()
    .execute()
  const counts = new Map(rows.map(({ id, instance_count }) => [id, instance_count]))
  const going = batch.filter(({ rowId }) => counts.has(rowId))
  if (going.length === 0) return 0
  await tx
    .updateTable('studies')
    .set({ trashed_at: new Date() })
    .where('id', 'in', [...counts.keys()])
    .execute()
  const events = going.map(({ study, rowId, policy }) =>
    deleted({ study, count: counts.get(rowId) ?? 0, by, detail: { policy } }),
  )
  await appendEvents(tx, events, new Date())
  return going.length
}

type Deleted = {
  readonly study: string
  readonly count: number
  readonly by: string
  readonly detail: NewEvent['detail']
}

function deleted({ study, count, by, detail }: Deleted): NewEvent {
  return {
    event: 'study-deleted',
    action: 'D',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [{ kind: 'study', id: study, count }],
    detail: { status: 'in the trash', ...detail },
  }
}
