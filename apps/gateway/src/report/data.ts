// report.json: what a run did, without PHI. It holds nothing but what results hold, and no time: the same input, key
// and recipe give the same bytes.

import type { RunEnd } from '../pipeline/run.ts'
import type { AttributeRow, ReasonCount, Scanner, Totals } from '../pipeline/totals.ts'
import type { RunDescription, RunSettings } from '../pipeline/types.ts'
import { adviceFor } from './advice.ts'
import { type SafeHarborRow, safeHarborTable } from './safe-harbor.ts'

export type Report = {
  readonly report: 'roentgate/1'
  readonly version: string
  readonly dryRun: boolean
  readonly recipe: RunDescription['recipe']
  readonly edition: string
  /** Key id. */
  readonly key: string
  readonly pixels: RunSettings['pixels']
  readonly inputs: number
  readonly outcomes: Totals['outcomes']
  readonly release: Readonly<Record<'patients' | 'studies' | 'series' | 'bytes', number>>
  readonly methods: readonly { readonly code: string; readonly meaning: string; readonly instances: number }[]
  readonly reasons: readonly (ReasonCount & { readonly advice: string })[]
  readonly safeHarbor: readonly SafeHarborRow[]
  readonly attributes: readonly AttributeRow[]
  readonly inventory: readonly Scanner[]
  readonly sopClasses: Readonly<Record<string, number>>
  readonly transferSyntaxes: Readonly<Record<string, number>>
  readonly notSearched: readonly string[]
}

type Complete = Extract<RunEnd, { kind: 'complete' }>

export function reportOf({ totals, header, description }: Complete, settings: RunSettings): Report {
  const meanings = new Map(description.methods)
  return {
    report: 'roentgate/1',
    version: header.version,
    dryRun: settings.dryRun,
    recipe: description.recipe,
    edition: description.edition,
    key: header.key,
    pixels: settings.pixels,
    inputs: totals.inputs,
    outcomes: totals.outcomes,
    release: {
      patients: totals.patients,
      studies: totals.studies,
      series: totals.series,
      bytes: totals.bytes,
    },
    methods: [...totals.methods].map(([code, instances]) => ({
      code,
      meaning: meanings.get(code) ?? '',
      instances,
    })),
    reasons: totals.reasons.map((reason) => ({ ...reason, advice: adviceFor(reason.code) })),
    safeHarbor: safeHarborTable(totals.attributes),
    attributes: totals.attributes,
    inventory: totals.inventory,
    sopClasses: Object.fromEntries(totals.sopClasses),
    transferSyntaxes: Object.fromEntries(totals.transferSyntaxes),
    notSearched: notSearched(settings),
  }
}

/** Said of every run: what nobody looked at cannot be called clean. */
function notSearched({ pixels }: RunSettings): readonly string[] {
  const burnedIn =
    pixels === 'as-is'
      ? 'Text burned into pixels. This run was told to pass pixels as they are (--pixels as-is): images whose kind often shows text were released without anybody looking.'
      : pixels === 'quarantine'
        ? 'Text burned into pixels. Images whose kind often shows text were quarantined; all others were not looked at.'
        : 'Text burned into pixels that are not known to show any. Images whose kind often shows text were searched frame by frame, what was found was blanked, and the result was searched again; handwriting and text smaller than eight pixels may be missed.'
  return [
    burnedIn,
    'Values of native pixels: whether a picture, or numbers hidden in it, tell who it is.',
    'Compressed pixel streams beyond their markers: comments and metadata are removed or looked for, the coded image is not.',
    'Very short names and numbers inside binary values: under six bytes they occur there by chance; as texts they are looked for.',
    'Faces, where they were not cut out (--faces remove): the skin of a head can be rebuilt from thin CT or MR slices and recognised.',
    'Handwriting, signatures, jewellery, implants, tattoos and rare anatomy.',
    'Audio and waveforms, as sound or as a trace that is like no other.',
    'Identifiers that no attribute of the input tells and no pattern fits: a nickname in a comment, a rare event, a small town.',
    'What others know: whether data held elsewhere, combined with this release, tell who somebody is.',
  ]
}
