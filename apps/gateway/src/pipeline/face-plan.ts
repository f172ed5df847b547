// Between census and process, where --faces remove asks: every Frame of Reference gets one cut, planned in a worker on
// the best of its series. All series must be known before: a later one could be a better one.

import { type FaceCut, type FaceFrame, faceWork, frameKey, type Refused } from '@roentgate/pixel/faces'
import type { Pool } from '../jobs/pool.ts'
import type { Census } from './census.ts'
import type { Input } from './types.ts'

export type FacePlans = {
  readonly cuts: ReadonlyMap<string, FaceCut | Refused>
  /** Keys of the cuts that an input needs. */
  readonly keysOf: (index: number) => readonly string[]
}

const CRASHED: Refused = { kind: 'refused', what: 'the worker died while planning the cut' }

export async function planFaces(census: Census, pool: Pool, signal?: AbortSignal): Promise<FacePlans> {
  const faces = census.faces.filter(({ index }) => !census.settled.has(index))
  const keys = new Map<number, Set<string>>()
  const inputs = new Map<string, Input>()
  for (const { index, facts } of faces) {
    const input = census.inputs[index]
    if (input) inputs.set(facts.instance, input)
    const own = keys.get(index) ?? new Set()
    keys.set(index, own.add(frameKey(facts)))
  }
  const cuts = new Map<string, FaceCut | Refused>()
  const frames = [...faceWork(faces.map(({ facts }) => facts)).values()]
  const numbered = frames.map((frame, ordinal) => ({ frame, ordinal }))
  await pool.run({
    batches: numbered.map((one) => [one]),
    pack: (batch) => ({
      kind: 'plan-face',
      plans: batch.map(({ frame, ordinal }) => ({ frame, ordinal, inputs: needed(frame, inputs) })),
    }),
    done: (batch, reply) => {
      if (reply.kind !== 'face-planned') return
      for (const [at, { frame }] of batch.entries()) cuts.set(frame.key, reply.cuts[at] ?? CRASHED)
    },
    crashed: ({ frame }) => cuts.set(frame.key, CRASHED),
    ...(signal ? { signal } : {}),
  })
  return { cuts, keysOf: (index) => [...(keys.get(index) ?? [])] }
}

function needed(
  { stacks }: FaceFrame,
  inputs: ReadonlyMap<string, Input>,
): readonly (readonly [string, Input])[] {
  const found = new Map<string, Input>()
  for (const { slices } of stacks) {
    for (const { instance } of slices) {
      const input = inputs.get(instance)
      if (input) found.set(instance, input)
    }
  }
  return [...found]
}
