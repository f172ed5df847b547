// New entries, in the transaction of the acts that they record:
//
//   events ─lock head─► indices ─► lines, leaves ─► one statement: entries, complete subtrees, new frontier ─► commit
//
// The lock on ledger_head is what makes indices gapless: it is held until the caller's transaction ends, and all writers
// wait for it. So appendEvents is the last thing that a transaction does before it commits. What takes long, or takes
// other locks, comes before; then no two transactions wait for each other, and a writer holds the others up for one
// round trip and a flush.

import {
  append,
  EMPTY,
  ENTRY_VERSION,
  type Entry,
  entryLine,
  type Frontier,
  frontierBytes,
  leafHash,
  nodeHash,
  parseFrontier,
} from '@roentgate/audit'
import { sql } from 'kysely'
import type { Db, Tx } from '../db/database.ts'
import { THEN_COMMIT } from '../db/pool.ts'
import { LedgerError } from './errors.ts'

export type NewEvent = Omit<Entry, 'v' | 'index' | 'at'>

/** Where they stand: the first one's index, and the size of the ledger with them. */
export type Appended = { readonly first: number; readonly size: number }

/** Complete subtrees from this level on are kept: a proof reads at most 2⁸ leaves where one ends. */
export const NODE_LEVEL = 8
/** Of one call: what one statement takes without holding the others up. */
export const MAX_EVENTS = 1000

export type Node = { readonly level: number; readonly index: number; readonly hash: Uint8Array }

/** The caller commits next; nothing else is done in the transaction after this. */
export async function appendEvents(tx: Tx, events: readonly NewEvent[], at: Date): Promise<Appended> {
  return await appendAfter(tx, await readHead(tx, 'lock'), { events, at })
}

/** `before`: the head, which this transaction has locked. */
export async function appendAfter(
  tx: Tx,
  before: Frontier,
  { events, at }: { readonly events: readonly NewEvent[]; readonly at: Date },
): Promise<Appended> {
  if (events.length > MAX_EVENTS) {
    throw new LedgerError('TOO_MANY_EVENTS', `more than ${MAX_EVENTS} events at once`)
  }
  const first = before.size
  if (events.length === 0) return { first, size: first }
  const time = at.toISOString()
  const lines = events.map((event, i) =>
    entryLine({ ...event, v: ENTRY_VERSION, index: first + i, at: time }),
  )
  const leaves = lines.map((line) => leafHash(line))
  const nodes: Node[] = []
  let frontier = before
  for (const leaf of leaves) {
    nodes.push(...completedNodes(frontier, leaf))
    frontier = append(frontier, leaf)
  }
  await store(tx, { first, lines, leaves, nodes, frontier })
  return { first, size: frontier.size }
}

/** 'look': without a lock; entries may follow at any time. */
export async function readHead(db: Db, how: 'lock' | 'look'): Promise<Frontier> {
  const head = db.selectFrom('ledger_head').select(['size', 'frontier'])
  const row = await (how === 'lock' ? head.forUpdate() : head).executeTakeFirst()
  return headOf(row)
}

/** Of a row of ledger_head. @throws LedgerError */
export function headOf(row: { readonly size: number; readonly frontier: Buffer } | undefined): Frontier {
  if (row === undefined) throw new LedgerError('BROKEN_HEAD', 'the ledger has no head')
  const frontier = row.frontier.length === 0 ? EMPTY : parseFrontier(row.frontier)
  if (frontier.size !== row.size) {
    throw new LedgerError('BROKEN_HEAD', "the ledger's head says two different sizes")
  }
  return frontier
}

/** The subtrees from NODE_LEVEL on that this leaf completes. */
export function completedNodes({ size, hashes }: Frontier, leaf: Uint8Array): readonly Node[] {
  const nodes: Node[] = []
  if ((size + 1) % 2 ** NODE_LEVEL !== 0) return nodes
  let top = leaf
  let level = 0
  for (let rest = size; rest % 2 === 1; rest = Math.floor(rest / 2)) {
    top = nodeHash(hashes[hashes.length - 1 - level] ?? leaf, top)
    level++
    if (level >= NODE_LEVEL) nodes.push({ level, index: (size + 1) / 2 ** level - 1, hash: top })
  }
  return nodes
}

type Growth = {
  readonly first: number
  readonly lines: readonly string[]
  readonly leaves: readonly Buffer[]
  readonly nodes: readonly Node[]
  readonly frontier: Frontier
}

/** One round trip, and one text of a statement whatever the number of events. */
async function store(tx: Tx, { first, lines, leaves, nodes, frontier }: Growth): Promise<void> {
  const levels = nodes.map(({ level }) => level)
  const indices = nodes.map(({ index }) => index)
  const hashes = nodes.map(({ hash }) => hash)
  await sql`${sql.raw(THEN_COMMIT)}
    with entries as (
      insert into ledger_entries (index, line, leaf)
      select ${first}::bigint + place - 1, line, leaf
      from unnest(${lines}::text[], ${leaves}::bytea[]) with ordinality as new (line, leaf, place)
    ), nodes as (
      insert into ledger_nodes (level, index, hash)
      select * from unnest(${levels}::smallint[], ${indices}::bigint[], ${hashes}::bytea[])
    )
    update ledger_head set size = ${frontier.size}, frontier = ${frontierBytes(frontier)}`.execute(tx)
}
