// The run, in one table:
//
//   describe   the recipe compiles, or the run is refused before the first file
//   census     every input found and scanned; patients, duplicates, what is settled        census.ts
//   faces      --faces remove: one cut for each Frame of Reference                         face-plan.ts
//   skip       --resume: what the journal knows and the disk still holds                   skip.ts
//   process    plan, apply, write, verify: in workers, batch by batch, into the journal    ../jobs/
//   finish     dangling references, manifest, mapping, totals                              finish.ts
//
// The main thread hands out and appends; all work on instances is the workers'.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FaceCut, Refused } from '@roentgate/pixel/faces'
import { hasMany } from '../ingress/folder.ts'
import type { PatientWords, ProcessItem, Reply } from '../jobs/messages.ts'
import { Pool } from '../jobs/pool.ts'
import { failed } from '../jobs/work.ts'
import { type Census, CRASHED, takeCensus } from './census.ts'
import { slices } from './duplicates.ts'
import type { FacePlans } from './face-plan.ts'
import { finish, type ManifestHeader } from './finish.ts'
import { Journal, type JournalHeader, journalPath, type Place } from './journal.ts'
import { entryLine, fingerprint } from './journal-lines.ts'
import { keyedDigest, keyId } from './key.ts'
import { MappingSpool } from './mapping.ts'
import { skipDone } from './skip.ts'
import { sweepUnfinished } from './sweep.ts'
import type { Totals } from './totals.ts'
import type { RunDescription, RunSettings } from './types.ts'

export type RunProgress =
  | { readonly phase: 'scan'; readonly done: number; readonly total: number }
  | { readonly phase: 'process'; readonly done: number; readonly total: number; readonly withheld: number }
  | { readonly phase: 'finish' }

export type RunRequest = {
  readonly roots: readonly string[]
  readonly settings: RunSettings
  readonly jobs: number
  readonly resume: boolean
  readonly version: string
  /** Folder of --mapping. */
  readonly mapping?: string
  /** URL of the InstanceModule; stages.ts unless a test says otherwise. */
  readonly instance?: string
  readonly signal?: AbortSignal
  readonly progress?: (progress: RunProgress) => void
}

export type RunEnd =
  | ({ readonly kind: 'complete'; readonly totals: Totals; readonly header: ManifestHeader } & Described)
  | { readonly kind: 'stopped'; readonly why: 'interrupted' | 'disk-full'; readonly done: number }
type Described = { readonly description: RunDescription; readonly skipped: number }

/** The recipe was refused; the message says where and why. */
export class RecipeRefused extends Error {}

export const INSTANCE_MODULE = new URL('./stages.ts', import.meta.url).href
const MAX_BATCH = 32
/** So that the last batches end together on all workers. */
const BATCHES_PER_WORKER = 4
/** Less than this is done before a second worker has started. */
const SMALL = { files: 8, bytes: 16 << 20 }
/** More than one batch of scans. */
const MANY = 65
/** Dictionaries a worker keeps. */
const MAX_KNOWN = 64
const FLUSH_MS = 500

type State = {
  readonly request: RunRequest
  readonly pool: Pool
  readonly census: Census
  readonly faces: FacePlans
  readonly journal: Journal
  readonly mapping: MappingSpool | undefined
  readonly places: (Place | undefined)[]
  readonly stop: AbortController
  diskFull: boolean
  done: number
  withheld: number
}

export async function run(request: RunRequest): Promise<RunEnd> {
  const { settings } = request
  const instance = request.instance ?? INSTANCE_MODULE
  const pool = new Pool(request.jobs, { settings, instance })
  if (hasMany(request.roots, MANY)) pool.warm()
  const scratch = settings.dryRun ? mkdtempSync(join(tmpdir(), 'roentgate-')) : undefined
  try {
    const description = await describe(pool)
    const header = headerOf(request, description)
    const path = scratch === undefined ? journalPath(settings.out) : join(scratch, 'journal.jsonl')
    const opened = request.resume
      ? Journal.reopen(path, header)
      : { journal: Journal.create(path, header), known: new Map<string, Place>() }
    using journal = opened.journal
    if (request.resume) sweepUnfinished(settings.out)
    using mapping =
      request.mapping === undefined ? undefined : new MappingSpool(request.mapping, request.resume)
    const census = await takeCensus({
      roots: request.roots,
      pool,
      key: settings.key,
      progress: (total, done) => request.progress?.({ phase: 'scan', done, total }),
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    })
    if (request.signal?.aborted) return { kind: 'stopped', why: 'interrupted', done: 0 }
    const places: (Place | undefined)[] = new Array(census.inputs.length).fill(undefined)
    const skipped = await skipDone({
      census,
      places,
      known: opened.known,
      journal,
      pool,
      mapping,
      key: settings.key,
    })
    const faces = await facesOf(census, pool, request.signal)
    const stop = new AbortController()
    const state: State = {
      request, pool, census, faces, journal, mapping, places, stop, diskFull: false, done: skipped, withheld: 0,
    } // biome-ignore format: one line
    const stopped = await processAll(state)
    if (stopped !== undefined) return { kind: 'stopped', why: stopped, done: state.done }
    request.progress?.({ phase: 'finish' })
    if (pool.crashes > 0 && !settings.dryRun) sweepUnfinished(settings.out)
    const manifest = manifestHeader(request, description)
    const totals = finish({
      out: settings.out,
      census,
      journal,
      places,
      header: manifest,
      dryRun: settings.dryRun,
      earlier: opened.known.values(),
      ...(mapping === undefined ? {} : { mapping }),
    })
    return { kind: 'complete', totals, header: manifest, description, skipped }
  } catch (error) {
    if (isDiskFull(error)) return { kind: 'stopped', why: 'disk-full', done: 0 }
    throw error
  } finally {
    await pool.close()
    if (scratch !== undefined) rmSync(scratch, { recursive: true, force: true })
  }
}

/** Loaded where somebody asked for it. */
async function facesOf(census: Census, pool: Pool, signal?: AbortSignal): Promise<FacePlans> {
  if (census.faces.length === 0) return { cuts: new Map(), keysOf: () => [] }
  const { planFaces } = await import('./face-plan.ts')
  return planFaces(census, pool, signal)
}

async function describe(pool: Pool): Promise<RunDescription> {
  const reply = await pool.ask({ kind: 'describe' })
  if (reply.kind === 'refused') throw new RecipeRefused(reply.message)
  if (reply.kind !== 'described') throw new Error('a worker answered another question')
  return reply.description
}

function headerOf(
  { settings, version, mapping }: RunRequest,
  { recipe, edition }: RunDescription,
): JournalHeader {
  const others = JSON.stringify([
    settings.pixels,
    settings.faces ?? '',
    settings.patientTable,
    mapping !== undefined,
  ])
  return {
    recipe: recipe.digest,
    edition,
    version,
    key: keyId(settings.key),
    settings: keyedDigest(settings.key, `settings\u0000${others}`).slice(0, 32),
  }
}

function manifestHeader(
  { settings, version }: RunRequest,
  { recipe, edition }: RunDescription,
): ManifestHeader {
  const { name, digest } = recipe
  const { pixels, faces, key } = settings
  const header = { manifest: 'roentgate/1', version, edition, recipe: { name, digest }, pixels } as const
  return { ...header, ...(faces ? { faces } : {}), key: keyId(key) }
}

/** Undefined: all done. */
async function processAll(state: State): Promise<'interrupted' | 'disk-full' | undefined> {
  const { census, places, request, journal } = state
  const todo = census.inputs.filter(({ index }) => !census.settled.has(index) && places[index] === undefined)
  const total = state.done + todo.length
  const user = request.signal
  const signal = user === undefined ? state.stop.signal : AbortSignal.any([user, state.stop.signal])
  const flushing = setInterval(() => guarded(state, () => journal.flush()), FLUSH_MS)
  try {
    await state.pool.run<ProcessItem>({
      batches: batchesOf(
        todo.map(({ index }) => itemOf(census, index)),
        request.jobs,
      ),
      pack: (items, known) => ({
        kind: 'process',
        items,
        ...dictionaries(census, items, known),
        cuts: cutsFor(state.faces, items, known),
      }),
      done: (_, reply) => {
        guarded(state, () => record(state, reply))
        request.progress?.({ phase: 'process', done: state.done, total, withheld: state.withheld })
      },
      crashed: (item) => guarded(state, () => recordCrash(state, item)),
      signal,
    })
    guarded(state, () => journal.sync())
  } finally {
    clearInterval(flushing)
  }
  if (state.diskFull) return 'disk-full'
  return user?.aborted && state.done < total ? 'interrupted' : undefined
}

function itemOf(census: Census, index: number): ProcessItem {
  const input = census.inputs[index] ?? { index, path: '' }
  const stamp = census.stamps[index] ?? { size: -1, changed: -1 }
  const patientKey = census.patients[census.patientOf[index] ?? -1]?.patientKey ?? ''
  return { input, patientKey, stamp }
}

function batchesOf(items: readonly ProcessItem[], jobs: number): Iterable<readonly ProcessItem[]> {
  const bytes = items.reduce((sum, { stamp }) => sum + stamp.size, 0)
  if (items.length < SMALL.files && bytes < SMALL.bytes) return slices(items, SMALL.files)
  const size = Math.ceil(items.length / (jobs * BATCHES_PER_WORKER))
  return slices(items, Math.max(1, Math.min(MAX_BATCH, size)))
}

/** A cut goes to a worker once, as a dictionary does. */
function cutsFor(
  { cuts, keysOf }: FacePlans,
  items: readonly ProcessItem[],
  known: Set<string>,
): (readonly [string, FaceCut | Refused])[] {
  const sent: (readonly [string, FaceCut | Refused])[] = []
  for (const key of items.flatMap(({ input }) => keysOf(input.index))) {
    const cut = cuts.get(key)
    if (cut === undefined || known.has(key)) continue
    known.add(key)
    sent.push([key, cut])
  }
  return sent
}

type Dictionaries = { readonly forget: boolean; readonly patients: readonly PatientWords[] }

/** Each patient's dictionary goes to a worker once, as long as it remembers. */
export function dictionaries(
  census: Census,
  items: readonly { readonly input: { readonly index: number } }[],
  known: Set<string>,
): Dictionaries {
  const places = new Set(items.map(({ input }) => census.patientOf[input.index] ?? -1))
  const forget = known.size + places.size > MAX_KNOWN
  if (forget) known.clear()
  const patients: PatientWords[] = []
  for (const place of places) {
    const words = census.patients[place]
    if (words === undefined || known.has(words.patientKey)) continue
    known.add(words.patientKey)
    patients.push(words)
  }
  return { forget, patients }
}

function record(state: State, reply: Reply): void {
  if (reply.kind !== 'processed') return
  // The mapping first: what the journal knows must have its mapping.
  state.mapping?.append(reply.mapping)
  const start = state.journal.append(reply.lines)
  for (const item of reply.items) {
    if (item.diskFull) {
      state.diskFull = true
      state.stop.abort()
      continue
    }
    state.places[item.index] = { start: start + item.start, end: start + item.end }
    state.done++
    if (item.outcome !== 'released') state.withheld++
  }
}

function recordCrash(state: State, { input, stamp, patientKey }: ProcessItem): void {
  const [reason = { code: 'WORKER_CRASHED', what: '' }] = CRASHED.reasons
  const { mapping: _, index, ...r } = failed(input, reason)
  const { key } = state.request.settings
  const line = entryLine({ f: fingerprint({ key, input, stamp, words: patientKey }), set: '', r })
  const start = state.journal.append(Buffer.from(line))
  state.places[index] = { start, end: start + Buffer.byteLength(line) }
  state.done++
  state.withheld++
}

/** The disk that is full may be the journal's: stop, and leave what is there for --resume. */
function guarded(state: State, write: () => void): void {
  try {
    write()
  } catch (error) {
    if (!isDiskFull(error)) throw error
    state.diskFull = true
    state.stop.abort()
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
