// What one worker remembers between jobs: dictionaries of patients, and what it has told the main thread already.

import { randomBytes } from 'node:crypto'
import type { FaceCut, Refused } from '@roentgate/pixel/faces'
import type { InstanceModule, PatientIdentifier, RunSettings } from '../pipeline/types.ts'
import { AttributeSets } from './attribute-sets.ts'
import type { PatientWords } from './messages.ts'

export type Bench = {
  readonly stages: InstanceModule
  readonly settings: RunSettings
  readonly words: Map<string, PatientWords>
  readonly cuts: Map<string, FaceCut | Refused>
  readonly sets: AttributeSets
  /** patientKey → identifiers already reported by scans of this worker. */
  readonly told: Map<string, Set<string>>
}

/** Patients whose reported identifiers a worker remembers; beyond it they are reported again, which is harmless. */
const MAX_TOLD = 512

export function emptyBench(): Omit<Bench, 'stages' | 'settings'> {
  return {
    words: new Map(),
    cuts: new Map(),
    sets: new AttributeSets(randomBytes(4).toString('hex')),
    told: new Map(),
  }
}

/** Those that this worker has not reported for the patient yet: thousands of slices share one dictionary. */
export function news(
  bench: Bench,
  patientKey: string,
  all: readonly PatientIdentifier[],
): PatientIdentifier[] {
  let told = bench.told.get(patientKey)
  if (told === undefined) {
    if (bench.told.size >= MAX_TOLD) bench.told.clear()
    told = new Set()
    bench.told.set(patientKey, told)
  }
  const fresh: PatientIdentifier[] = []
  for (const identifier of all) {
    const key = `${identifier.kind} ${identifier.value}`
    if (told.has(key)) continue
    told.add(key)
    fresh.push(identifier)
  }
  return fresh
}
