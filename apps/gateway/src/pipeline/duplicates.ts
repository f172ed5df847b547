// Two inputs under one SOP Instance UID: the same bytes are one instance; different bytes are two claims to be it,
// and neither is believed. Nothing is overwritten, whatever the order of arrival.

import type { Pool } from '../jobs/pool.ts'
import type { Settled } from './census.ts'
import type { Input } from './types.ts'

type Corpus = { readonly inputs: readonly Input[]; readonly settled: Map<number, Settled> }

const BATCH = 16

const CONFLICT: Settled = {
  outcome: 'quarantined',
  reasons: [
    { code: 'SOP_INSTANCE_CONFLICT', what: 'other bytes in this input have the same SOP Instance UID' },
  ],
}
const UNREAD: Settled = {
  outcome: 'failed',
  reasons: [{ code: 'READ_FAILED', what: 'it could not be read for comparison' }],
}

export async function settleDuplicates(
  corpus: Corpus,
  sops: ReadonlyMap<string, number | readonly number[]>,
  pool: Pool,
): Promise<void> {
  const groups: number[][] = []
  for (const indexes of sops.values()) {
    if (typeof indexes !== 'number') groups.push([...indexes].sort((a, b) => a - b))
  }
  if (groups.length === 0) return
  const digests = await digestsOf(corpus, groups.flat(), pool)
  for (const group of groups) settleGroup(corpus, group, digests)
}

async function digestsOf(
  corpus: Corpus,
  indexes: readonly number[],
  pool: Pool,
): Promise<ReadonlyMap<number, string | undefined>> {
  const digests = new Map<number, string | undefined>()
  const inputs = indexes.flatMap((index) => corpus.inputs[index] ?? [])
  await pool.run<Input>({
    batches: slices(inputs, BATCH),
    pack: (batch) => ({ kind: 'digest', inputs: batch }),
    done: (batch, reply) => {
      if (reply.kind !== 'digests') return
      for (const [place, input] of batch.entries()) digests.set(input.index, reply.digests[place])
    },
    crashed: () => {},
  })
  return digests
}

function settleGroup(
  corpus: Corpus,
  group: readonly number[],
  digests: ReadonlyMap<number, string | undefined>,
): void {
  const known = group.filter((index) => {
    if (digests.get(index) !== undefined) return true
    corpus.settled.set(index, UNREAD)
    return false
  })
  const [first, ...others] = known
  if (first === undefined) return
  // One that could not be read might differ: what is left of the group is not believed either.
  const same =
    known.length === group.length && others.every((index) => digests.get(index) === digests.get(first))
  if (!same) for (const index of known) corpus.settled.set(index, CONFLICT)
  else {
    const duplicate: Settled = {
      outcome: 'duplicate',
      reasons: [{ code: 'DUPLICATE', what: 'the same bytes came before in this input' }],
      duplicateOf: first,
    }
    for (const index of others) corpus.settled.set(index, duplicate)
  }
}

export function* slices<T>(all: readonly T[], size: number): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size)
}
