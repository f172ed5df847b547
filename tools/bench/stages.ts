// Where the time of our own runs went: the nanoseconds that the journal of an output keeps per instance and stage.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export type Share = { readonly stage: string; readonly milliseconds: number; readonly share: number }

/** Milliseconds an instance, all workers together, slowest stage first. */
export function stagesOf(output: string): readonly Share[] {
  const sums = new Map<string, number>()
  let instances = 0
  const journal = readFileSync(join(output, '.roentgate', 'journal.jsonl'), 'utf8')
  for (const line of journal.split('\n')) {
    if (!line.startsWith('{"f":')) continue
    const { r } = JSON.parse(line) as { r: { nanos: Readonly<Record<string, number>> } }
    instances += 1
    for (const [stage, nanos] of Object.entries(r.nanos)) sums.set(stage, (sums.get(stage) ?? 0) + nanos)
  }
  const total = [...sums.values()].reduce((sum, nanos) => sum + nanos, 0)
  return [...sums]
    .map(([stage, nanos]) => ({ stage, milliseconds: nanos / 1e6 / instances, share: nanos / total }))
    .sort((a, b) => b.share - a.share)
}
