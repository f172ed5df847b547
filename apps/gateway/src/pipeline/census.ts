// Pass 1: every input is found and scanned, in memory only.
//
//   folders, files, ZIPs ─find→ inputs ─scan (workers)→ patients, instances ─→ who is whose, and what is settled
//
// Invariants: what is decided here depends on the set of inputs, not on their order of arrival or the number of
// workers; every index is either settled or belongs to a patient.

import { createHmac } from 'node:crypto'
import type { SliceFacts } from '@roentgate/pixel/faces'
import { type Found, findInputs } from '../ingress/folder.ts'
import type { Stamp } from '../ingress/source.ts'
import type { PatientWords, Scanned } from '../jobs/messages.ts'
import type { Pool } from '../jobs/pool.ts'
import { settleDuplicates } from './duplicates.ts'
import { macKey } from './key.ts'
import type { Input, PatientIdentifier, Reason } from './types.ts'

export type Settled = {
  readonly outcome: 'quarantined' | 'failed' | 'ignored' | 'duplicate'
  readonly reasons: readonly Reason[]
  /** The instance whose bytes these are as well. */
  readonly duplicateOf?: number
}

export type Census = {
  readonly inputs: Input[]
  readonly stamps: (Stamp | undefined)[]
  /** Index → place in `patients`; -1 where no patient is known. */
  readonly patientOf: number[]
  /** Output SOP Instance UID by index, where the scan told. */
  readonly instances: (string | undefined)[]
  readonly settled: Map<number, Settled>
  /** Slices that may show a face, where faces are to be removed. */
  readonly faces: { readonly index: number; readonly facts: SliceFacts }[]
  readonly patients: PatientWords[]
  /** Patients whose key stands for more than one name or birth date. */
  readonly collisions: Set<number>
}

export type Asking = {
  readonly roots: readonly string[]
  readonly pool: Pool
  /** Hex. */
  readonly key: string
  readonly signal?: AbortSignal
  readonly progress: (found: number, scanned: number) => void
}

/** A scan reads headers only: many to a message. */
const BATCH = 64
/** Five million inputs: their paths alone are a gigabyte. Split such a job. */
const MAX_INPUTS = 5_000_000
/** A patient with more words than this cannot be searched for in reasonable time: quarantined, not half searched. */
export const MAX_IDENTIFIERS = 20_000

type Patient = {
  readonly place: number
  readonly words: Map<string, PatientIdentifier>
  name: string
  birthDate: string
}

type Draft = Census & {
  readonly byKey: Map<string, Patient>
  readonly sops: Map<string, number | number[]>
  scanned: number
}

export class TooManyInputs extends Error {}

export async function takeCensus(asking: Asking): Promise<Census> {
  const draft: Draft = {
    inputs: [],
    stamps: [],
    patientOf: [],
    instances: [],
    settled: new Map(),
    faces: [],
    patients: [],
    collisions: new Set(),
    byKey: new Map(),
    sops: new Map(),
    scanned: 0,
  }
  await asking.pool.run<Input>({
    batches: batches(asking, draft),
    pack: (inputs) => ({ kind: 'scan', inputs }),
    done: (_, reply) => {
      if (reply.kind !== 'scanned') return
      for (const scanned of reply.scans) take(draft, scanned)
      asking.progress(draft.inputs.length, draft.scanned)
    },
    crashed: (input) => draft.settled.set(input.index, CRASHED),
    ...(asking.signal === undefined ? {} : { signal: asking.signal }),
  })
  if (!asking.signal?.aborted) await settleDuplicates(draft, draft.sops, asking.pool)
  closePatients(draft, asking.key)
  return draft
}

export const CRASHED: Settled = {
  outcome: 'failed',
  reasons: [{ code: 'WORKER_CRASHED', what: 'the worker died while reading it' }],
}

async function* batches(asking: Asking, draft: Draft): AsyncGenerator<readonly Input[]> {
  let batch: Input[] = []
  for await (const found of findInputs(asking.roots)) {
    if (asking.signal?.aborted) return
    admit(draft, found)
    if (found.kind !== 'input') continue
    batch.push(found.input)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

function admit(draft: Draft, found: Found): void {
  if (draft.inputs.length >= MAX_INPUTS) {
    throw new TooManyInputs(`more than ${MAX_INPUTS} files in one run: split it, with the same --key`)
  }
  draft.inputs.push(found.input)
  draft.stamps.push(undefined)
  draft.patientOf.push(-1)
  draft.instances.push(undefined)
  if (found.kind === 'settled') {
    draft.settled.set(found.input.index, { outcome: found.outcome, reasons: [found.reason] })
  }
}

function take(draft: Draft, { scan, stamp }: Scanned): void {
  draft.scanned++
  draft.stamps[scan.index] = stamp
  switch (scan.kind) {
    case 'other':
      draft.settled.set(scan.index, { outcome: 'ignored', reasons: [scan.reason] })
      return
    case 'unreadable':
      draft.settled.set(scan.index, { outcome: 'failed', reasons: [scan.reason] })
      return
    case 'malformed':
      draft.settled.set(scan.index, { outcome: 'quarantined', reasons: [scan.reason] })
      return
    case 'instance': {
      const patient = patientOf(draft, scan.patientKey)
      draft.patientOf[scan.index] = patient.place
      draft.instances[scan.index] = scan.instance
      for (const word of scan.identifiers) addWord(patient, word)
      for (const facts of scan.faces ?? []) draft.faces.push({ index: scan.index, facts })
      if (scan.subject !== undefined && contradicts(patient, scan.subject))
        draft.collisions.add(patient.place)
      addSop(draft.sops, scan.sopInstance, scan.index)
      return
    }
    default:
      scan satisfies never
  }
}

function patientOf(draft: Draft, patientKey: string): Patient {
  const known = draft.byKey.get(patientKey)
  if (known !== undefined) return known
  const patient = { place: draft.patients.length, words: new Map(), name: '', birthDate: '' }
  draft.byKey.set(patientKey, patient)
  draft.patients.push({ patientKey, identifiers: [], digest: '' })
  return patient
}

function addWord(patient: Patient, word: PatientIdentifier): void {
  if (patient.words.size <= MAX_IDENTIFIERS) patient.words.set(`${word.kind}\u0000${word.value}`, word)
}

function addSop(sops: Map<string, number | number[]>, sop: string, index: number): void {
  if (sop === '') return
  const seen = sops.get(sop)
  if (seen === undefined) sops.set(sop, index)
  else if (typeof seen === 'number') sops.set(sop, [seen, index])
  else seen.push(index)
}

/** Spelling, order of the parts and other scripts aside: two of them are two people, or one entered wrongly. */
function contradicts(
  patient: Patient,
  subject: { readonly name: string; readonly birthDate: string },
): boolean {
  const name = plainName(subject.name)
  const { birthDate } = subject
  const differs =
    (name !== '' && patient.name !== '' && name !== patient.name) ||
    (birthDate !== '' && patient.birthDate !== '' && birthDate !== patient.birthDate)
  patient.name ||= name
  patient.birthDate ||= birthDate
  return differs
}

function plainName(name: string): string {
  const [alphabetic = ''] = name.split('=')
  const plain = alphabetic.normalize('NFKD').replace(/\p{M}/gu, '').toUpperCase()
  return plain
    .split(/[\s^,.]+/)
    .filter((part) => part !== '')
    .sort()
    .join(' ')
}

function closePatients(draft: Draft, key: string): void {
  const over = new Set<number>()
  for (const [patientKey, { place, words }] of draft.byKey) {
    if (words.size > MAX_IDENTIFIERS) over.add(place)
    const names = [...words.keys()].sort()
    const identifiers = names.flatMap((name) => words.get(name) ?? [])
    const hmac = createHmac('sha256', macKey(key)).update(`words\u0000${names.join('\u0001')}`)
    draft.patients[place] = { patientKey, identifiers, digest: hmac.digest('hex') }
  }
  if (over.size === 0) return
  for (const [index, place] of draft.patientOf.entries()) {
    if (over.has(place) && !draft.settled.has(index)) draft.settled.set(index, OVER)
  }
}

const OVER: Settled = {
  outcome: 'quarantined',
  reasons: [
    { code: 'IDENTIFIERS_LIMIT', what: `more than ${MAX_IDENTIFIERS} identifiers under one patient ID` },
  ],
}
