// The lines of OUT/.roentgate/journal.jsonl. Free of PHI: a source is known by a keyed digest of where it lay, its
// size and time of change, and its patient's dictionary; all else is what the manifest says anyway.
//
//   {"journal":"roentgate/1", …header}      once, first
//   {"row": …} {"set": …}                   see jobs/attribute-sets.ts
//   {"f": fingerprint, "set": …, "r": …}    one per instance

import { createHmac } from 'node:crypto'
import type { Stamp } from '../ingress/source.ts'
import { macKey } from './key.ts'
import type { Input, InstanceResult } from './types.ts'

export const JOURNAL_FORMAT = 'roentgate/1'

/** All of a result but what may not be on disk. */
export type Recorded = Omit<InstanceResult, 'index' | 'mapping'>
export type Entry = { readonly f: string; readonly set: string; readonly r: Recorded }
export type RowLine = {
  readonly row: string
  readonly is: readonly [attribute: string, name: string, vr: string, action: string, because: string]
}
export type SetLine = {
  readonly set: string
  readonly of: readonly (readonly [row: string, count: number])[]
}

export function entryLine(entry: Entry): string {
  return `${JSON.stringify(entry)}\n`
}

export type Identified = {
  /** Hex. */
  readonly key: string
  readonly input: Input
  readonly stamp: Stamp
  /** PatientWords.digest. */
  readonly words: string
}

/** Same fingerprint, same recipe, same key: the same result. */
export function fingerprint({ key, input, stamp, words }: Identified): string {
  const place = `${input.path}\u0000${input.entry ?? ''}\u0000${stamp.size}\u0000${stamp.changed}\u0000${words}`
  return createHmac('sha256', macKey(key)).update(`journal\u0000${place}`).digest('hex').slice(0, 32)
}
