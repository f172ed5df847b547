// Legal holds: an object with a matter and an owner. What is under one is not disposed of, and only somebody other than
// its owner lets it go (45 CFR 164.316(b)(2), and the duty to preserve).

import { randomUUID } from 'node:crypto'
import type { Db, Tx } from '../db/database.ts'
import { transact } from '../db/database.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { ArchiveError } from './errors.ts'

export type Hold = { readonly matter: string; readonly owner: string; readonly studies: readonly string[] }

/** Its id. @throws ArchiveError NO_STUDY */
export async function placeHold(db: Db, { matter, owner, studies }: Hold): Promise<string> {
  const id = randomUUID()
  const at = new Date()
  await transact(db, async (tx) => {
    const rows = await tx
      .selectFrom('studies')
      .select(['id', 'study_uid'])
      .where('study_uid', 'in', [...studies])
      .orderBy('id')
      .forUpdate()
      .execute()
    if (rows.length === 0 || rows.length !== new Set(studies).size)
      throw new ArchiveError('NO_STUDY', 'not every study of the hold is in the archive')
    await tx
      .insertInto('holds')
      .values({ id, matter, owner, second: null, placed_at: at, released_by: null })
      .execute()
    await tx
      .insertInto('hold_studies')
      .values(rows.map((row) => ({ hold_id: id, study_id: row.id })))
      .execute()
    await addToCounts(tx, id, 1)
    await appendEvents(tx, [eventOf({ event: 'hold-placed', hold: id, by: owner, studies })], at)
  })
  return id
}

/** @throws ArchiveError NO_HOLD, SECOND_PERSON */
export async function releaseHold(db: Db, id: string, by: string): Promise<void> {
  const at = new Date()
  await transact(db, async (tx) => {
    const hold = await tx
      .selectFrom('holds')
      .selectAll()
      .where('id', '=', id)
      .where('released_at', 'is', null)
      .forUpdate()
      .executeTakeFirst()
    if (hold === undefined) throw new ArchiveError('NO_HOLD', 'no hold of this id is in force')
    if (hold.owner === by)
      throw new ArchiveError('SECOND_PERSON', 'its owner does not release a hold: another person does')
    await addToCounts(tx, id, -1)
    await tx.updateTable('holds').set({ released_at: at, released_by: by }).where('id', '=', id).execute()
    await appendEvents(tx, [eventOf({ event: 'hold-released', hold: id, by, studies: [] })], at)
  })
}

async function addToCounts(tx: Tx, hold: string, by: 1 | -1): Promise<void> {
  await tx
    .updateTable('studies')
    .set(({ eb }) => ({ hold_count: eb('hold_count', '+', by) }))
    .where('id', 'in', tx.selectFrom('hold_studies').select('study_id').where('hold_id', '=', hold))
    .execute()
}

type Said = {
  readonly event: 'hold-placed' | 'hold-released'
  readonly hold: string
  readonly by: string
  readonly studies: readonly string[]
}

function eventOf({ event, hold, by, studies }: Said): NewEvent {
  return {
    event,
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: studies.map((uid) => ({ kind: 'study', id: uid }) as const),
    detail: { hold },
  }
}
