// Is this ledger what was signed?  lines ─check→ Verdict        (docs/formats/audit.md, "The verdict")
//
// The adversary administers the machine that the ledger comes from. Believed are the opened checkpoints alone; the lines
// are read once, in constant memory. The check itself never waits: verifyLedger only hands it the lines.

import type { Checkpoint } from './checkpoint.ts'
import { leafHash, MAX_LINE, parseEntry } from './entry.ts'
import { AuditError, type AuditErrorCode } from './errors.ts'
import { scanIndex } from './scan.ts'
import { append, EMPTY, type Frontier, isSameHash, root, type TreeHead } from './tree.ts'

/** Indices are from 0, lines from 1: the entry with index n is on line n + 1. */
export type Verdict =
  | { readonly kind: 'intact'; readonly size: number; readonly root: Uint8Array }
  /** Information: the entries after `signed` have no witness yet. */
  | {
      readonly kind: 'unsigned-tail'
      readonly size: number
      readonly signed: number
      readonly root: Uint8Array
    }
  | { readonly kind: 'gap'; readonly line: number; readonly expected: number; readonly found: number }
  | { readonly kind: 'reordered'; readonly line: number; readonly expected: number; readonly found: number }
  | { readonly kind: 'malformed'; readonly line: number; readonly code: AuditErrorCode }
  | { readonly kind: 'truncated'; readonly signed: number; readonly found: number }
  /** The change lies in the lines from `after` + 1 to `before`. */
  | {
      readonly kind: 'rewritten'
      readonly after: number
      readonly before: number
      readonly signed: Uint8Array
      readonly computed: Uint8Array
    }
  | {
      readonly kind: 'rolled-back'
      readonly how: 'backwards' | 'fork' | 'old-copy'
      /** The size that was signed or held before, and the one that contradicts it. */
      readonly from: number
      readonly to: number
    }

export type Evidence = {
  /** One list for each witness, in the order in which it received them. */
  readonly witnesses: readonly (readonly Checkpoint[])[]
  /** The list that came with the ledger: its keeper had it in hand, so it vouches for nothing. */
  readonly own?: readonly Checkpoint[]
}

export type Line = Uint8Array | string

/** `lines` come without their LF. */
export async function verifyLedger(lines: AsyncIterable<Line>, evidence: Evidence): Promise<Verdict> {
  const check = ledgerCheck(evidence)
  for await (const line of lines) if (check.push(line) === 'enough') break
  return check.verdict()
}

export type LedgerCheck = {
  /** One line without its LF; with its leaf hash, where the caller has computed it from that line. 'enough': the verdict
   *  stands, the rest need not be read. */
  readonly push: (line: Line, leaf?: Uint8Array) => 'more' | 'enough'
  /** Of the lines so far, up to a fault. */
  readonly frontier: () => Frontier
  /** After the last line there are bytes without LF. */
  readonly torn: () => void
  readonly verdict: () => Verdict
}

type Heads = { readonly all: readonly TreeHead[]; readonly own: number; readonly contradiction?: Verdict }

export function ledgerCheck(evidence: Evidence): LedgerCheck {
  const heads = gathered(evidence)
  let frontier: Frontier = EMPTY
  let next = 0
  let agreed = 0
  let found: Verdict | undefined = heads.contradiction
  let skipped: Extract<Verdict, { kind: 'gap' }> | undefined

  /** Against every checkpoint of the size that is reached. */
  const compare = (): void => {
    for (let head = heads.all[next]; head?.size === frontier.size; head = heads.all[++next]) {
      const computed = root(frontier)
      if (!isSameHash(computed, head.root)) {
        found ??= { kind: 'rewritten', after: agreed, before: head.size, signed: head.root, computed }
      }
      if (found === undefined) agreed = head.size
    }
  }
  const push = (line: Line, leaf?: Uint8Array): 'more' | 'enough' => {
    if (found !== undefined) return 'enough'
    if (skipped !== undefined) {
      // A gap so far. If the missing entry comes later it was not deleted but moved.
      if (isEntry(line, skipped.expected)) found = { ...skipped, kind: 'reordered' }
      return found === undefined ? 'more' : 'enough'
    }
    const index = judged(line, frontier.size)
    if (typeof index !== 'number') found = index
    else if (index < frontier.size) found = misplaced('reordered', frontier.size, index)
    else if (index > frontier.size) skipped = misplaced('gap', frontier.size, index)
    else {
      frontier = append(frontier, leaf ?? leafHash(line))
      compare()
    }
    return found === undefined ? 'more' : 'enough'
  }
  const torn = (): void => {
    if (skipped === undefined) found ??= { kind: 'malformed', line: frontier.size + 1, code: 'NO_LF' }
  }
  compare()
  return {
    push,
    torn,
    frontier: () => frontier,
    verdict: () => found ?? skipped ?? concluded(frontier, heads),
  }
}

function concluded(frontier: Frontier, { all, own }: Heads): Verdict {
  const { size } = frontier
  const signed = all.at(-1)?.size ?? 0
  if (signed > size) {
    // Whoever brings back an old copy brings its checkpoints along, and those agree.
    const isOldCopy = own >= 0 && own <= size && own < signed
    return isOldCopy
      ? { kind: 'rolled-back', how: 'old-copy', from: signed, to: size }
      : { kind: 'truncated', signed, found: size }
  }
  if (signed < size) return { kind: 'unsigned-tail', size, signed, root: root(frontier) }
  return { kind: 'intact', size, root: root(frontier) }
}

function judged(line: Line, at: number): number | Verdict {
  try {
    return indexOf(line)
  } catch (error) {
    if (!(error instanceof AuditError)) throw error
    return { kind: 'malformed', line: at + 1, code: error.code }
  }
}

function isEntry(line: Line, index: number): boolean {
  return judged(line, index) === index
}

function misplaced<K extends 'gap' | 'reordered'>(kind: K, expected: number, found: number) {
  return { kind, line: expected + 1, expected, found }
}

/** Throws for what is no entry. Bytes of ASCII are read alike as Latin-1; others fall through to the full reading. */
function indexOf(line: Line): number {
  const isShort = line.length <= MAX_LINE
  const text = typeof line === 'string' ? line : isShort ? latin1(line) : ''
  return (isShort ? scanIndex(text) : undefined) ?? parseEntry(line).index
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

/** All heads that must be met, by size; and the first contradiction among them. */
function gathered({ witnesses, own = [] }: Evidence): Heads {
  const lists = [...witnesses, own]
  oneOrigin(lists.flat())
  const all = lists.flat().sort((a, b) => a.size - b.size)
  const contradiction = lists.map(backwards).find((one) => one !== undefined) ?? forked(all)
  const last = own.at(-1)?.size ?? -1
  return contradiction === undefined ? { all, own: last } : { all, own: last, contradiction }
}

function oneOrigin(checkpoints: readonly Checkpoint[]): void {
  const [first, ...others] = checkpoints
  if (others.some(({ origin }) => origin !== first?.origin)) {
    throw new AuditError('BAD_CHECKPOINT', 'checkpoints of different ledgers')
  }
}

function backwards(list: readonly Checkpoint[]): Verdict | undefined {
  const at = list.findIndex(({ size }, i) => size < (list[i - 1]?.size ?? 0))
  const to = list[at]?.size
  return to === undefined ? undefined : rolledBack('backwards', list[at - 1]?.size ?? 0, to)
}

/** `all` is sorted by size. */
function forked(all: readonly TreeHead[]): Verdict | undefined {
  const fork = all.find((head, i) => {
    const before = all[i - 1]
    return before !== undefined && before.size === head.size && !isSameHash(before.root, head.root)
  })
  return fork === undefined ? undefined : rolledBack('fork', fork.size, fork.size)
}

function rolledBack(how: 'backwards' | 'fork', from: number, to: number): Verdict {
  return { kind: 'rolled-back', how, from, to }
}
