// Entries and ledgers for the tests, by number.

import { type Entry, entryLine } from './entry.ts'
import type { LeafAt } from './tree.ts'

const FIRST = Date.UTC(2026, 0, 1)
const MINUTE = 60_000

export function plainEntry(index: number, change: Partial<Entry> = {}): Entry {
  return {
    v: 1,
    index,
    at: new Date(FIRST + index * MINUTE).toISOString(),
    event: 'instances-accessed',
    action: 'R',
    outcome: 'success',
    actor: { kind: 'person', id: 'ada@example.org' },
    objects: [{ kind: 'study', id: `2.25.${1000 + index}`, count: 3 }],
    detail: { purpose: 'treatment' },
    ...change,
  }
}

export function plainLines(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => entryLine(plainEntry(index)))
}

export function leavesOf(hashes: readonly Uint8Array[]): LeafAt {
  return (index) => hashes[index] ?? new Uint8Array()
}
