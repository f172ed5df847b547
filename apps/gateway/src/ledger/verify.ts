// Is the ledger in the database what was signed?  rows ─► verifyLedger of packages/audit ─► Verdict
//
// Beside it, whether what the database keeps for speed (leaf hashes, subtrees, the head) is that of its lines. The lines
// and the checkpoints decide; a difference there still means that somebody was at the tables.

import {
  type Checkpoint,
  EMPTY,
  type Frontier,
  isSameHash,
  type LedgerCheck,
  leafHash,
  ledgerCheck,
  openCheckpoint,
  root,
  type TreeHead,
  type Verdict,
  type VerifierKey,
} from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import { completedNodes, type Node, readHead } from './append.ts'
import { ownCheckpoints } from './checkpoint.ts'
import { LedgerError } from './errors.ts'

export type Difference = 'leaves' | 'subtrees' | 'head'

export type Judgement = {
  readonly verdict: Verdict
  /** Of the database's tree to its lines, as far as they were read. */
  readonly differences: readonly Difference[]
}

export type Testimony = {
  readonly keys: readonly VerifierKey[]
  /** The notes of each witness, in the order in which it received them. */
  readonly witnesses: readonly (readonly string[])[]
}

const CHUNK = 2000
const MAX_NODES = 512

/** Writers may go on: what is judged was committed before, and the rest is an unsigned tail. */
export async function verifyDatabase(db: Db, { keys, witnesses }: Testimony): Promise<Judgement> {
  const open = (notes: readonly string[]): readonly Checkpoint[] =>
    notes.map((note) => openCheckpoint(note, keys))
  const evidence = { witnesses: witnesses.map(open), own: open(await ownCheckpoints(db)) }
  if ([...evidence.witnesses, evidence.own].every((list) => list.length === 0)) {
    throw new LedgerError('NO_CHECKPOINT', 'there is no checkpoint to judge the ledger by')
  }
  const differences = new Set<Difference>()
  const head = await headOf(db, differences)
  const check = ledgerCheck(evidence)
  await judge(db, { head, check, differences })
  return { verdict: check.verdict(), differences: [...differences] }
}

async function headOf(db: Db, differences: Set<Difference>): Promise<TreeHead> {
  try {
    const frontier = await readHead(db, 'look')
    return { size: frontier.size, root: root(frontier) }
  } catch {
    differences.add('head')
    return { size: 0, root: root(EMPTY) }
  }
}

type Judging = {
  readonly head: TreeHead
  readonly check: LedgerCheck
  readonly differences: Set<Difference>
}

/** Reads the lines once, and compares what is kept beside them on the way; each is hashed once for both. */
async function judge(db: Db, { head, check, differences }: Judging): Promise<void> {
  let frontier: Frontier = EMPTY
  let nodes: Node[] = []
  let isFaulty = false
  for await (const chunk of leafChunks(db)) {
    for (const { line, leaf } of chunk) {
      if (isFaulty) {
        if (check.push(line) === 'enough') return
        continue
      }
      const computed = leafHash(line)
      if (!isSameHash(computed, leaf)) differences.add('leaves')
      nodes.push(...completedNodes(frontier, computed))
      const isEnough = check.push(line, computed) === 'enough'
      if (isEnough && check.frontier().size === frontier.size) return
      // Beyond a gap the tree stands still: there is nothing to compare with any more.
      isFaulty = check.frontier().size === frontier.size
      if (isFaulty) continue
      frontier = check.frontier()
      if (frontier.size === head.size && !isSameHash(root(frontier), head.root)) differences.add('head')
      if (isEnough) return
    }
    if (nodes.length < MAX_NODES) continue
    if (!(await hasNodes(db, nodes))) differences.add('subtrees')
    nodes = []
  }
  if (isFaulty) return
  if (frontier.size < head.size) differences.add('head')
  if (!(await hasNodes(db, nodes))) differences.add('subtrees')
}

type LeafRow = { readonly index: number; readonly line: string; readonly leaf: Buffer }

async function* leafChunks(db: Db): AsyncIterable<readonly LeafRow[]> {
  for (let next = 0; ; ) {
    const chunk = await db
      .selectFrom('ledger_entries')
      .select(['index', 'line', 'leaf'])
      .where('index', '>=', next)
      .orderBy('index')
      .limit(CHUNK)
      .execute()
    yield chunk
    const last = chunk.at(-1)
    if (last === undefined || chunk.length < CHUNK) return
    next = last.index + 1
  }
}

async function hasNodes(db: Db, nodes: readonly Node[]): Promise<boolean> {
  if (nodes.length === 0) return true
  const rows = await db
    .selectFrom('ledger_nodes')
    .select(['level', 'index', 'hash'])
    .where((all) => all.or(nodes.map(({ level, index }) => all.and({ level, index }))))
    .execute()
  const kept = new Map(rows.map(({ level, index, hash }) => [`${level} ${index}`, hash]))
  return nodes.every(({ level, index, hash }) => {
    const found = kept.get(`${level} ${index}`)
    return found !== undefined && isSameHash(found, hash)
  })
}
