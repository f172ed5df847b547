// The ledger grows in the transaction of the act:  events ─→ canonical lines ─→ leaves ─→ rows and the new frontier
//
// Invariants: indices have no gap; an entry is there exactly when its act is. The head's row is locked until the
// transaction ends, so that writers go one after the other from there: call it last, and commit at once.

import {
  append,
  EMPTY,
  type Entry,
  entryLine,
  frontierBytes,
  leafHash,
  parseFrontier,
} from '@roentgate/audit'
import type { Tx } from '../db/database.ts'

export type NewEvent = Omit<Entry, 'v' | 'index' | 'at'>

export type Appended = { readonly first: number; readonly size: number }

export async function appendEvents(tx: Tx, events: readonly NewEvent[], at: Date): Promise<Appended> {
  const head = await tx
    .selectFrom('ledger_head')
    .select(['size', 'frontier'])
    .forUpdate()
    .executeTakeFirstOrThrow()
  const first = head.size
  if (events.length === 0) return { first, size: first }
  let frontier = head.frontier.length === 0 ? EMPTY : parseFrontier(head.frontier)
  const rows = events.map((event, place) => {
    const line = entryLine({ v: 1, index: first + place, at: at.toISOString(), ...event })
    const leaf = leafHash(line)
    frontier = append(frontier, leaf)
    return { index: first + place, line, leaf }
  })
  await tx.insertInto('ledger_entries').values(rows).execute()
  const size = first + events.length
  await tx
    .updateTable('ledger_head')
    .set({ size, frontier: frontierBytes(frontier) })
    .execute()
  return { first, size }
}
