// The ledger read: in order, by pages, and searched. The rows are the ledger; nothing is kept beside them.

import {
  type Entry,
  openCheckpoint,
  parseEntry,
  type Verdict,
  type VerifierKey,
  verifyLedger,
} from '@roentgate/audit'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

const PAGE = 5000

/** Lines from index `from`, without LF. */
export async function* ledgerLines(db: Db, from = 0): AsyncGenerator<string> {
  for (let next = from; ; ) {
    const rows = await db
      .selectFrom('ledger_entries')
      .select(['index', 'line'])
      .where('index', '>=', next)
      .orderBy('index')
      .limit(PAGE)
      .execute()
    for (const { line } of rows) yield line
    const last = rows.at(-1)
    if (last === undefined || rows.length < PAGE) return
    next = last.index + 1
  }
}

/** `notes`: of each witness, as it has them. @throws AuditError where a checkpoint is not signed by the key. */
export async function verifyDatabase(
  db: Db,
  key: VerifierKey,
  notes: readonly (readonly string[])[],
): Promise<Verdict> {
  const own = await db.selectFrom('checkpoints').select('text').orderBy('size').execute()
  const opened = (list: readonly string[]) => list.map((note) => openCheckpoint(note, [key]))
  return await verifyLedger(ledgerLines(db), {
    witnesses: notes.map(opened),
    own: opened(own.map(({ text }) => text)),
  })
}

export type Search = {
  readonly event?: string
  readonly actor?: string
  /** A UID or id among an entry's objects. */
  readonly object?: string
  /** RFC 3339; an entry's time is compared as text, which is in order. */
  readonly from?: string
  readonly to?: string
  readonly limit: number
}

/** Newest first. */
export async function searchLedger(db: Db, search: Search): Promise<readonly Entry[]> {
  const json = sql<string>`(line::jsonb)`
  let query = db.selectFrom('ledger_entries').select('line').orderBy('index', 'desc').limit(search.limit)
  if (search.event) query = query.where(sql<boolean>`${json} ->> 'event' = ${search.event}`)
  if (search.actor) query = query.where(sql<boolean>`${json} -> 'actor' ->> 'id' = ${search.actor}`)
  if (search.object) {
    const wanted = JSON.stringify([{ id: search.object }])
    query = query.where(sql<boolean>`${json} -> 'objects' @> ${wanted}::jsonb`)
  }
  if (search.from) query = query.where(sql<boolean>`${json} ->> 'at' >= ${search.from}`)
  if (search.to) query = query.where(sql<boolean>`${json} ->> 'at' < ${search.to}`)
  return (await query.execute()).map(({ line }) => parseEntry(line))
}
