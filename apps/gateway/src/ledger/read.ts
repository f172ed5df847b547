// The ledger as others read it: all of it as a stream, or page by page what a search matches.
//
// Entries follow each other by index (keyset), so that a reader holds one chunk in memory and no transaction open; as
// nothing is ever changed, what it gets is the ledger at the moment at which it reached the end.

import type { Action, EventName, ObjectKind, Outcome } from '@roentgate/audit'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { LedgerError } from './errors.ts'

/** Indices `from` to `to` − 1; without `to` up to the end. */
export type Range = { readonly from?: number; readonly to?: number }

export type Row = { readonly index: number; readonly line: string }

/** Some 300 bytes an entry, at most 64 KiB. */
const CHUNK = 2000
export const MAX_PAGE = 1000

/** Lines without LF. */
export async function* entries(db: Db, range: Range = {}): AsyncIterable<string> {
  for await (const { line } of rows(db, range)) yield line
}

/** With the index that the database has them under. */
export async function* rows(db: Db, { from = 0, to }: Range): AsyncIterable<Row> {
  for (let next = from; ; ) {
    const chunk = await readRows(db, { from: next, ...(to === undefined ? {} : { to }) }, CHUNK)
    yield* chunk
    const last = chunk.at(-1)
    if (last === undefined || chunk.length < CHUNK) return
    next = last.index + 1
  }
}

export async function readRows(db: Db, { from = 0, to }: Range, limit: number): Promise<readonly Row[]> {
  const query = db
    .selectFrom('ledger_entries')
    .select(['index', 'line'])
    .where('index', '>=', from)
    .orderBy('index')
    .limit(limit)
  return await (to === undefined ? query : query.where('index', '<', to)).execute()
}

export type Search = {
  /** By what the entries say about their time: clocks are set back. */
  readonly from?: Date
  readonly to?: Date
  readonly event?: EventName
  /** One of them. */
  readonly events?: readonly EventName[]
  readonly outcome?: Outcome
  readonly action?: Action
  readonly address?: string
  /** actor.id */
  readonly actor?: string
  /** The id of one of the objects. */
  readonly object?: string
  /** And its kind. */
  readonly kind?: ObjectKind
}

export type Page = {
  readonly limit: number
  /** Of the page before. */
  readonly after?: string
}

export type Found = { readonly lines: readonly string[]; readonly next?: string }

/** The latest first. `from` is included, `to` is not. */
export async function search(db: Db, wanted: Search, page: Page): Promise<Found> {
  const limit = Math.min(Math.max(page.limit, 1), MAX_PAGE)
  const said = sql`(line::jsonb)`
  const at = sql<string>`(${said}->>'at') collate "C"`
  const conditions = [
    ...(page.after === undefined ? [] : [sql<boolean>`index < ${cursorOf(page.after)}`]),
    ...(wanted.from === undefined ? [] : [sql<boolean>`${at} >= ${wanted.from.toISOString()}`]),
    ...(wanted.to === undefined ? [] : [sql<boolean>`${at} < ${wanted.to.toISOString()}`]),
    ...(wanted.event === undefined ? [] : [sql<boolean>`${said}->>'event' = ${wanted.event}`]),
    ...(wanted.events === undefined ? [] : [sql<boolean>`${said}->>'event' = any(${wanted.events})`]),
    ...(wanted.outcome === undefined ? [] : [sql<boolean>`${said}->>'outcome' = ${wanted.outcome}`]),
    ...(wanted.action === undefined ? [] : [sql<boolean>`${said}->>'action' = ${wanted.action}`]),
    ...(wanted.address === undefined ? [] : [sql<boolean>`${said}#>>'{actor,address}' = ${wanted.address}`]),
    ...(wanted.actor === undefined ? [] : [sql<boolean>`${said}#>>'{actor,id}' = ${wanted.actor}`]),
    ...(wanted.object === undefined
      ? []
      : [sql<boolean>`${said}->'objects' @> ${objectWith(wanted.object, wanted.kind)}::jsonb`]),
  ]
  // By an expression where an object is wanted: the primary key's order would lure the planner, which knows nothing of
  // how rare an object is, into reading the ledger from its end until enough are found.
  const order = wanted.object === undefined ? sql`index` : sql`index + 0`
  let query = db.selectFrom('ledger_entries').select(['index', 'line'])
  for (const condition of conditions) query = query.where(condition)
  const found = await query
    .orderBy(order, 'desc')
    .limit(limit + 1)
    .execute()
  const shown = found.slice(0, limit)
  const last = shown.at(-1)
  const lines = shown.map(({ line }) => line)
  return found.length > limit && last !== undefined ? { lines, next: String(last.index) } : { lines }
}

function objectWith(id: string, kind: ObjectKind | undefined): string {
  return JSON.stringify([{ id, ...(kind ? { kind } : {}) }])
}

function cursorOf(text: string): number {
  const index = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(index)) throw new LedgerError('BAD_CURSOR', 'not a cursor of a search')
  return index
}
