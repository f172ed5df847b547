// The end of a run:  journal + settled ─references→ finals ─→ manifest.jsonl, mapping, totals
//
// Invariants: one manifest line per input, in the order of the inputs; memory does not grow with results (they are
// read back from the journal by place); what is withheld here leaves no file behind.

import { rmdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { FaceMode } from '@roentgate/deid'
import { type AtomicFile, openAtomic } from './atomic.ts'
import type { Census } from './census.ts'
import type { Journal, Place } from './journal.ts'
import type { Recorded } from './journal-lines.ts'
import { csvLine, type MappingSpool } from './mapping.ts'
import { ReferenceGraph } from './references.ts'
import { type Final, Tally, type Totals } from './totals.ts'
import type { Input, PixelMode, Reason } from './types.ts'

export type ManifestHeader = {
  readonly manifest: 'roentgate/1'
  readonly version: string
  readonly edition: string
  readonly recipe: { readonly name: string; readonly digest: string }
  readonly pixels: PixelMode
  /** Where the run said other than its recipe. */
  readonly faces?: FaceMode
  /** Key id. */
  readonly key: string
}

export type Ending = {
  readonly out: string
  readonly census: Census
  readonly journal: Journal
  /** By index; undefined where the census settled it. */
  readonly places: readonly (Place | undefined)[]
  readonly header: ManifestHeader
  readonly mapping?: MappingSpool
  readonly dryRun: boolean
  /** What the journal knew when this run began: outputs among it that are no longer released are removed. */
  readonly earlier: Iterable<Place>
}

const DANGLES: Reason = {
  code: 'REFERENCE_DANGLES',
  what: 'it refers to an instance of this input that was not released',
}
const COLLISION: Reason = {
  code: 'PATIENT_ID_COLLISION',
  what: 'its patient ID stands for more than one name or birth date in this input',
}
/** A result that never came: the run ended for another reason. */
const LOST: Recorded = {
  outcome: 'failed',
  reasons: [{ code: 'INTERNAL', what: 'no result was recorded' }],
  warnings: [],
  methods: [],
  references: [],
  nanos: {},
}

export function finish(ending: Ending): Totals {
  ending.journal.flush()
  const dangling = findDangling(ending)
  const tally = new Tally()
  using manifest = ending.dryRun ? undefined : openAtomic(join(ending.out, 'manifest.jsonl'))
  using files = ending.mapping?.openFiles()
  manifest?.write(`${JSON.stringify(ending.header)}\n`)
  for (const input of ending.census.inputs) {
    const final = finalOf(ending, input.index, dangling)
    tally.add(final)
    manifest?.write(manifestLine(final, ending.header.recipe.digest))
    if (files !== undefined) writeFileRow(files, input, final)
  }
  removeStale(ending, dangling)
  const totals = tally.close(ending.journal.lines())
  ending.journal.sync()
  files?.commit()
  ending.mapping?.writeTables()
  manifest?.commit()
  if (totals.outcomes.failed === 0) ending.mapping?.discard()
  return totals
}

function resultOf({ journal, places }: Ending, index: number): { set?: string; r: Recorded } {
  const place = places[index]
  return place === undefined ? { r: LOST } : journal.read(place)
}

function findDangling(ending: Ending): ReadonlySet<number> {
  const graph = new ReferenceGraph()
  const { census } = ending
  for (const { index } of census.inputs) {
    const settled = census.settled.get(index)
    if (settled?.outcome === 'duplicate') continue
    const scanned = census.instances[index]
    if (settled !== undefined) {
      graph.add({ index, instance: scanned, released: false, references: [] })
      continue
    }
    const { r } = resultOf(ending, index)
    const released = r.outcome === 'released'
    graph.add({ index, instance: r.instance ?? scanned, released, references: r.references })
  }
  const dangling = graph.dangling()
  if (!ending.dryRun) for (const index of dangling) withdraw(ending.out, resultOf(ending, index).r.output)
  return dangling
}

/** After --resume over a changed input: what an earlier run released and this one does not. */
function removeStale(ending: Ending, dangling: ReadonlySet<number>): void {
  const earlier = new Set<string>()
  for (const place of ending.earlier) {
    const { output } = ending.journal.read(place).r
    if (output !== undefined) earlier.add(output)
  }
  if (earlier.size === 0) return
  for (const { index } of ending.census.inputs) {
    const { outcome, output } = finalOf(ending, index, dangling)
    if (outcome === 'released' && output !== undefined) earlier.delete(output)
  }
  for (const output of earlier) withdraw(ending.out, output)
}

/** The file and the folders that it leaves empty. */
function withdraw(out: string, output: string | undefined): void {
  if (output === undefined) return
  rmSync(join(out, output), { force: true })
  try {
    for (let folder = dirname(output); folder !== '.'; folder = dirname(folder)) rmdirSync(join(out, folder))
  } catch {
    // Not empty: others still live there.
  }
}

function finalOf(ending: Ending, index: number, dangling: ReadonlySet<number>): Final {
  const { census } = ending
  const settled = census.settled.get(index)
  if (settled !== undefined) {
    const base = { index, outcome: settled.outcome, reasons: settled.reasons, warnings: [], methods: [] }
    if (settled.duplicateOf === undefined) return base
    const { set: _, ...first } = finalOf(ending, settled.duplicateOf, dangling)
    // What befell the first befalls its copies.
    const outcome = first.outcome === 'released' ? 'duplicate' : first.outcome
    const reasons = outcome === 'duplicate' ? settled.reasons : [...first.reasons, ...settled.reasons]
    return { ...first, index, outcome, reasons }
  }
  const { set, r } = resultOf(ending, index)
  const collides = census.collisions.has(census.patientOf[index] ?? -1)
  const warnings = collides ? [...r.warnings, COLLISION] : r.warnings
  const { output, sha256, bytes, methods, nanos: _, references: __, instance: ___, ...rest } = r
  const kept = { ...rest, index, warnings, ...(set === undefined ? {} : { set }) }
  if (dangling.has(index)) {
    return { ...kept, outcome: 'quarantined', reasons: [...r.reasons, DANGLES], methods: [] }
  }
  if (r.outcome !== 'released') return { ...kept, methods: [] }
  return {
    ...kept,
    methods,
    ...(output === undefined ? {} : { output }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(bytes === undefined ? {} : { bytes }),
  }
}

function manifestLine(final: Final, recipe: string): string {
  const { index, outcome, output, sha256, bytes, sourceDigest, methods, pixels, reasons, warnings } = final
  const line = {
    index,
    outcome,
    output,
    sha256,
    bytes,
    sourceDigest,
    recipe,
    methods,
    pixels,
    reasons,
    warnings,
  }
  return `${JSON.stringify(line)}\n`
}

function writeFileRow(files: AtomicFile, input: Input, final: Final): void {
  const reasons = final.reasons.map(({ code }) => code).join(' ')
  files.write(csvLine([input.path, input.entry ?? '', final.outcome, final.output ?? '', reasons]))
}
