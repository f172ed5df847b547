// What a worker does for each kind of job. An exception of the stages becomes a result here; its message, which may
// quote a value, goes no further.

import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Transferable } from 'node:worker_threads'
import type { FaceCut, Refused } from '@roentgate/pixel/faces'
import { unreadable } from '../ingress/folder.ts'
import { openSource, type Stamp, stampOf } from '../ingress/source.ts'
import { type Entry, entryLine, fingerprint } from '../pipeline/journal-lines.ts'
import type { FacePlan, Input, InstanceResult, Reason, Scan, VerifyResult } from '../pipeline/types.ts'
import { type Bench, news } from './bench.ts'
import type { Job, Processed, ProcessItem, RehashItem, Reply, Scanned, VerifyItem } from './messages.ts'

type ProcessJob = Extract<Job, { kind: 'process' }>
type VerifyJob = Extract<Job, { kind: 'verify' }>

export async function perform(job: Job, bench: Bench): Promise<Reply> {
  switch (job.kind) {
    case 'describe':
      return describe(bench)
    case 'scan':
      return { kind: 'scanned', scans: job.inputs.map((input) => scan(input, bench)) }
    case 'digest':
      return { kind: 'digests', digests: job.inputs.map(digestOf) }
    case 'rehash':
      return { kind: 'rehashed', same: job.files.map((file) => isSame(file, bench.settings.out)) }
    case 'explain':
      return { kind: 'explained', lines: bench.stages.explainInstance?.(job.task, bench.settings) ?? [] }
    case 'plan-face':
      return { kind: 'face-planned', cuts: await planFaces(job.plans, bench) }
    case 'process':
      return processAll(job, bench)
    case 'verify':
      return verifyAll(job, bench)
    default:
      return job satisfies never
  }
}

export function transferable(reply: Reply): Transferable[] {
  return reply.kind === 'processed' ? [reply.lines.buffer] : []
}

/** A recipe that does not compile is the user's to correct: its message quotes the recipe, never a data set. */
function describe({ stages, settings }: Bench): Reply {
  try {
    return { kind: 'described', description: stages.describeRun(settings) }
  } catch (error) {
    if (error instanceof Error && error.name === 'RecipeError')
      return { kind: 'refused', message: error.message }
    throw error
  }
}

function scan(input: Input, bench: Bench): Scanned {
  try {
    const stamp = stampOf(input.path)
    const found = bench.stages.scanFile(input, bench.settings)
    if (found.kind !== 'instance') return { scan: found, stamp }
    const identifiers = news(bench, found.patientKey, found.identifiers)
    return { scan: { ...found, identifiers }, stamp }
  } catch (error) {
    const unread: Scan = { kind: 'unreadable', index: input.index, reason: reasonOf(error) }
    return { scan: unread }
  }
}

/** The system's errors have a code in capitals; all others are our own bugs or a library's. */
function reasonOf(error: unknown): Reason {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') {
    if (error.code === 'ENOSPC' || error.code === 'EDQUOT')
      return { code: 'DISK_FULL', what: 'no space left' }
    if (error.code.startsWith('ZIP_')) return { code: error.code, what: error.message }
    if (/^E[A-Z0-9]+$/.test(error.code)) return unreadable(error)
  }
  const name = error instanceof Error ? error.name : typeof error
  return { code: 'INTERNAL', what: `an error of the program itself (${name})` }
}

const CHUNK = 1 << 20

function digestOf(input: Input): string | undefined {
  try {
    using source = openSource(input)
    const hash = createHash('sha256')
    for (let at = 0; at < source.size; at += CHUNK) hash.update(source.read(at, CHUNK))
    return hash.digest('hex')
  } catch {
    return undefined
  }
}

function isSame(file: RehashItem, out: string): boolean {
  const path = join(out, file.output)
  try {
    if (statSync(path).size !== file.bytes) return false
    return hashFile(path) === file.sha256
  } catch {
    return false
  }
}

function hashFile(path: string): string {
  const fd = openSync(path, 'r')
  try {
    const hash = createHash('sha256')
    const chunk = Buffer.allocUnsafe(CHUNK)
    for (;;) {
      const count = readSync(fd, chunk, 0, CHUNK, null)
      if (count === 0) return hash.digest('hex')
      hash.update(chunk.subarray(0, count))
    }
  } finally {
    closeSync(fd)
  }
}

/** A plan that fails is a refusal: the slices it was for stay back, and the run goes on. */
async function planFaces(
  plans: readonly FacePlan[],
  { stages, settings }: Bench,
): Promise<(FaceCut | Refused)[]> {
  const cuts: (FaceCut | Refused)[] = []
  for (const plan of plans) {
    try {
      if (stages.planFace === undefined) throw new Error('no planFace')
      cuts.push(await stages.planFace(plan, settings))
    } catch (error) {
      cuts.push({ kind: 'refused', what: `the cut could not be planned: ${reasonOf(error).code}` })
    }
  }
  return cuts
}

function learn(job: ProcessJob | VerifyJob, bench: Bench): void {
  if (job.forget) bench.words.clear()
  if (job.forget) bench.cuts.clear()
  if (job.kind === 'process') for (const [key, cut] of job.cuts) bench.cuts.set(key, cut)
  for (const words of job.patients) bench.words.set(words.patientKey, words)
}

async function processAll(job: ProcessJob, bench: Bench): Promise<Reply> {
  learn(job, bench)
  const chunks: Buffer[] = []
  const items: Processed[] = []
  let mapping = ''
  let at = 0
  for (const item of job.items) {
    const result = await processOne(item, bench)
    const { index, outcome } = result
    if (result.reasons.some(({ code }) => code === 'DISK_FULL')) {
      items.push({ index, outcome: 'failed', start: at, end: at, diskFull: true })
      continue
    }
    const { before, line, spool } = record(item, result, bench)
    mapping += spool
    const start = at + before.length
    at = start + line.length
    chunks.push(before, line)
    items.push({ index, outcome, start, end: at, diskFull: false })
  }
  const lines = new Uint8Array(at)
  let offset = 0
  for (const chunk of chunks) {
    lines.set(chunk, offset)
    offset += chunk.length
  }
  return { kind: 'processed', lines, items, mapping }
}

async function processOne({ input, patientKey, stamp }: ProcessItem, bench: Bench): Promise<InstanceResult> {
  bench.stages.drainCounts()
  try {
    if (!unchanged(input, stamp)) return failed(input, CHANGED)
    const identifiers = bench.words.get(patientKey)?.identifiers ?? []
    const result = await bench.stages.processInstance(
      { input, patientKey, identifiers, cuts: bench.cuts },
      bench.settings,
    )
    return unchanged(input, stamp) ? result : { ...result, outcome: 'failed', reasons: [CHANGED] }
  } catch (error) {
    return failed(input, reasonOf(error))
  }
}

const CHANGED: Reason = { code: 'FILE_CHANGED', what: 'it was changed while the run was reading it' }

function unchanged(input: Input, stamp: Stamp): boolean {
  const now = stampOf(input.path)
  return now.size === stamp.size && now.changed === stamp.changed
}

export function failed(input: Input, reason: Reason): InstanceResult {
  return {
    index: input.index,
    outcome: 'failed',
    reasons: [reason],
    warnings: [],
    methods: [],
    references: [],
    nanos: {},
  }
}

type Recorded = { readonly before: Buffer; readonly line: Buffer; readonly spool: string }

function record(item: ProcessItem, result: InstanceResult, bench: Bench): Recorded {
  const { mapping, index: _, ...rest } = result
  const { set, lines } = bench.sets.name(bench.stages.drainCounts())
  const { input, stamp, patientKey } = item
  const words = bench.words.get(patientKey)?.digest ?? ''
  const name = fingerprint({ key: bench.settings.key, input, stamp, words })
  const entry: Entry = { f: name, set, r: rest }
  const spool = mapping === undefined ? '' : `${JSON.stringify({ f: name, ...mapping })}\n`
  return { before: Buffer.from(lines), line: Buffer.from(entryLine(entry)), spool }
}

async function verifyAll(job: VerifyJob, bench: Bench): Promise<Reply> {
  learn(job, bench)
  const results: VerifyResult[] = []
  for (const item of job.items) results.push(await verifyOne(item, bench))
  return { kind: 'verified', results }
}

async function verifyOne(item: VerifyItem, bench: Bench): Promise<VerifyResult> {
  const { index } = item.input
  try {
    const identifiers = bench.words.get(item.patientKey)?.identifiers ?? []
    const verify = bench.stages.verifyInstance
    if (verify === undefined) throw new Error('no verifyInstance')
    return await verify({ ...item, identifiers }, bench.settings)
  } catch (error) {
    return { index, findings: [reasonOf(error)] }
  }
}
