// Proofs for who does not have the ledger: that an entry is in it, and that it only grew.
//
//   RFC 6962 range of leaves ─► perfect subtrees, left to right ─► hashes: of level ≥ 8 from ledger_nodes, below it
//   from leaves, of which a range has fewer than 256 ─► root of the range
//
// The database is not trusted here and need not be: a wrong hash makes a proof that its reader refuses.

import {
  append,
  type Consistency,
  consistencyRanges,
  EMPTY,
  type Inclusion,
  inclusionRanges,
  type LeafRange,
  nodeHash,
  root,
} from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import { NODE_LEVEL } from './append.ts'
import { LedgerError } from './errors.ts'

/** Of the tree with `size` leaves. */
export async function proveInclusion(db: Db, index: number, size: number): Promise<Inclusion> {
  const ranges = index < size ? inclusionRanges(index, size) : []
  if (index >= size) throw new LedgerError('NO_SUCH_ENTRY', 'the ledger of that size has no such entry')
  const own = { from: index, to: index + 1 }
  const [leaf, whole, ...proof] = await rangeRoots(db, [own, { from: 0, to: size }, ...ranges])
  return { index, leaf: present(leaf), proof, head: { size, root: present(whole) } }
}

export async function proveConsistency(db: Db, first: number, second: number): Promise<Consistency> {
  if (first > second) throw new LedgerError('NO_SUCH_ENTRY', 'the first size is larger than the second')
  const heads = [first, second].map((size) => ({ from: 0, to: size }))
  const ranges = consistencyRanges(first, second)
  const [before, after, ...proof] = await rangeRoots(db, [...heads, ...ranges])
  return {
    first: { size: first, root: present(before) },
    second: { size: second, root: present(after) },
    proof,
  }
}

/** The root of the subtree of 2^level leaves, the index-th of its level. */
export async function nodeAt(db: Db, level: number, index: number): Promise<Uint8Array> {
  const [hash] = await rangeRoots(db, [{ from: index * 2 ** level, to: (index + 1) * 2 ** level }])
  return present(hash)
}

type Subtree = { readonly level: number; readonly from: number }

async function rangeRoots(db: Db, ranges: readonly LeafRange[]): Promise<readonly Uint8Array[]> {
  const parts = ranges.map(subtreesOf)
  const hashes = await readHashes(db, parts.flat())
  return parts.map((subtrees) => {
    const found = subtrees.map((one) => present(hashes.get(nameOf(one))))
    return found.length === 0 ? root(EMPTY) : joined(found)
  })
}

/** Largest first: those that the range has a set bit for. */
function subtreesOf({ from, to }: LeafRange): readonly Subtree[] {
  const parts: Subtree[] = []
  for (let at = from; at < to; ) {
    let level = 0
    while (at % 2 ** (level + 1) === 0 && at + 2 ** (level + 1) <= to) level++
    parts.push({ level, from: at })
    at += 2 ** level
  }
  return parts
}

/** From right to left, as the right ones are the smaller. */
function joined(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right))
}

async function readHashes(db: Db, subtrees: readonly Subtree[]): Promise<ReadonlyMap<string, Uint8Array>> {
  const kept = subtrees.filter(({ level }) => level >= NODE_LEVEL)
  const small = subtrees.filter(({ level }) => level < NODE_LEVEL)
  const hashes = new Map<string, Uint8Array>()
  if (kept.length > 0) {
    const rows = await db
      .selectFrom('ledger_nodes')
      .select(['level', 'index', 'hash'])
      .where((all) => all.or(kept.map(({ level, from }) => all.and({ level, index: from / 2 ** level }))))
      .execute()
    for (const { level, index, hash } of rows) hashes.set(nameOf({ level, from: index * 2 ** level }), hash)
  }
  const leaves = await readLeaves(db, small)
  for (const { level, from } of small) {
    let frontier = EMPTY
    for (let i = from; i < from + 2 ** level; i++) frontier = append(frontier, present(leaves.get(i)))
    hashes.set(nameOf({ level, from }), root(frontier))
  }
  return hashes
}

async function readLeaves(db: Db, subtrees: readonly Subtree[]): Promise<ReadonlyMap<number, Uint8Array>> {
  if (subtrees.length === 0) return new Map()
  const rows = await db
    .selectFrom('ledger_entries')
    .select(['index', 'leaf'])
    .where((all) =>
      all.or(
        subtrees.map(({ level, from }) =>
          all.and([all('index', '>=', from), all('index', '<', from + 2 ** level)]),
        ),
      ),
    )
    .execute()
  return new Map(rows.map(({ index, leaf }) => [index, leaf]))
}

function nameOf({ level, from }: Subtree): string {
  return `${level} ${from}`
}

function present(hash: Uint8Array | undefined): Uint8Array {
  if (hash === undefined)
    throw new LedgerError('BROKEN_TREE', 'the ledger lacks an entry or a subtree of the proof')
  return hash
}
