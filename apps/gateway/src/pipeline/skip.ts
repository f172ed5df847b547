// --resume: an input is skipped when the journal has a result for the same source, key, recipe and dictionary, and a
// released output is still on disk with the recorded size and SHA-256.

import type { RehashItem } from '../jobs/messages.ts'
import type { Pool } from '../jobs/pool.ts'
import type { Census } from './census.ts'
import { slices } from './duplicates.ts'
import type { Journal, Place } from './journal.ts'
import { fingerprint } from './journal-lines.ts'
import type { MappingSpool } from './mapping.ts'

export type Skipping = {
  readonly census: Census
  readonly journal: Journal
  readonly known: ReadonlyMap<string, Place>
  /** Filled in for what is skipped. */
  readonly places: (Place | undefined)[]
  readonly pool: Pool
  readonly mapping: MappingSpool | undefined
  readonly key: string
}

const BATCH = 32

/** How many were skipped. */
export async function skipDone(skipping: Skipping): Promise<number> {
  if (skipping.known.size === 0) return 0
  const { places } = skipping
  const found = new Map<number, Place>()
  const files: RehashItem[] = []
  for (const { index } of skipping.census.inputs) {
    const place = lookUp(skipping, index)
    if (place === undefined) continue
    const { r } = skipping.journal.read(place)
    if (r.outcome === 'quarantined') places[index] = place
    const { output, bytes, sha256 } = r
    if (r.outcome !== 'released' || output === undefined || bytes === undefined || sha256 === undefined)
      continue
    found.set(index, place)
    files.push({ index, output, bytes, sha256 })
  }
  await skipping.pool.run<RehashItem>({
    batches: slices(files, BATCH),
    pack: (batch) => ({ kind: 'rehash', files: batch }),
    done: (batch, reply) => {
      if (reply.kind !== 'rehashed') return
      for (const [at, { index }] of batch.entries()) if (reply.same[at]) places[index] = found.get(index)
    },
    crashed: () => {},
  })
  return places.reduce((sum, place) => sum + (place === undefined ? 0 : 1), 0)
}

/** `failed` ones are found, too, and tried again by the caller. */
function lookUp({ census, known, mapping, key }: Skipping, index: number): Place | undefined {
  const input = census.inputs[index]
  const stamp = census.stamps[index]
  const words = census.patients[census.patientOf[index] ?? -1]?.digest
  if (input === undefined || stamp === undefined || words === undefined || census.settled.has(index))
    return undefined
  const name = fingerprint({ key, input, stamp, words })
  return mapping === undefined || mapping.has(name) ? known.get(name) : undefined
}
