// What an output says about itself (PS3.15 E.2, PS3.3 C.12.1.1.12): (0012,0062), (0012,0063), (0012,0064), (0028,0303), (0028,0301),
// (0028,0302).
// A code stands there only where what it names really ran over this instance.

import type { Dataset, Element } from '@roentgate/dicom'
import { dataset, make, sequence, Tags } from '@roentgate/dicom'
import type { Option, Recipe } from './model.ts'
import type { PlanNode } from './plan-model.ts'
import { METHOD_CODES, profileRow } from './tables.ts'

const BASIC = '113100'
/** Clean Pixel Data Option. */
export const CLEAN_PIXELS = '113101'
/** Clean Recognizable Visual Features Option. */
export const CLEAN_FACES = '113102'

/** What was done to the pixels of one instance. */
export type PixelOptions = { readonly searched?: boolean; readonly defaced?: boolean }

const OPTION_CODES: Readonly<Record<Option, string>> = {
  graphics: '113103',
  structured: '113104',
  descriptors: '113105',
  'full-dates': '113106',
  'modified-dates': '113107',
  patient: '113108',
  device: '113109',
  uids: '113110',
  'safe-private': '113111',
  institution: '113112',
}

const MARKS: ReadonlySet<number> = new Set<number>([
  Tags.PatientIdentityRemoved,
  Tags.DeidentificationMethod,
  Tags.DeidentificationMethodCodeSequence,
  Tags.LongitudinalTemporalInformationModified,
])

/** CID 7050 codes for one instance: the profile unless a rule kept what it removes, and each option that was on. */
export function methodsOf(
  recipe: Recipe,
  nodes: readonly PlanNode[],
  { searched, defaced }: PixelOptions = {},
): readonly string[] {
  const asked = [...recipe.options].map((option) => OPTION_CODES[option])
  if (searched) asked.push(CLEAN_PIXELS)
  if (defaced) asked.push(CLEAN_FACES)
  const options = asked.sort()
  return deviates(recipe, nodes) ? options : [BASIC, ...options]
}

/** A rule that keeps what neither Table E.1-1 nor an option keeps: the result is no longer the Basic Profile. */
function deviates(recipe: Recipe, nodes: readonly PlanNode[]): boolean {
  for (const node of nodes) {
    const { decision, element, items } = node
    if (items?.some((item) => item !== undefined && deviates(recipe, item))) return true
    if (decision.because.kind !== 'recipe') continue
    const keeps = decision.action === 'K' || (decision.action === 'C' && !isReplacement(node))
    const row = keeps ? profileRow(element.tag) : undefined
    if (row && row.basic !== 'K' && !row.options.some(([option]) => recipe.options.has(option))) return true
  }
  return false
}

function isReplacement({ decision }: PlanNode): boolean {
  const kind = decision.transform?.kind
  return kind === 'constant' || kind === 'dummy' || kind === 'pseudonym'
}

export function withMarks(source: Dataset, recipe: Recipe, methods: readonly string[]): Dataset {
  const searched = methods.includes(CLEAN_PIXELS)
  const defaced = methods.includes(CLEAN_FACES)
  const kept = source.elements.filter(
    ({ tag }) =>
      !MARKS.has(tag) &&
      !(searched && tag === Tags.BurnedInAnnotation) &&
      !(defaced && tag === Tags.RecognizableVisualFeatures),
  )
  const made: Element[] = [
    make(source, Tags.PatientIdentityRemoved, 'CS', 'YES'),
    make(source, Tags.DeidentificationMethod, 'LO', method(recipe)),
    make(source, Tags.LongitudinalTemporalInformationModified, 'CS', temporal(recipe)),
  ]
  // PS3.15 E.3.1: what was searched and cleaned says so, whatever the source said.
  if (searched) made.push(make(source, Tags.BurnedInAnnotation, 'CS', 'NO'))
  if (defaced) made.push(make(source, Tags.RecognizableVisualFeatures, 'CS', 'NO'))
  if (methods.length > 0) {
    made.push(
      sequence(
        Tags.DeidentificationMethodCodeSequence,
        methods.map((code) => codeItem(source, code)),
      ),
    )
  }
  return { ...source, elements: [...kept, ...made].sort((a, b) => a.tag - b.tag) }
}

function method(recipe: Recipe): readonly string[] {
  return ['Roentgate', `recipe ${recipe.name.slice(0, 50)}`, `digest ${recipe.digest.slice(0, 32)}`]
}

function temporal(recipe: Recipe): 'REMOVED' | 'MODIFIED' | 'UNMODIFIED' {
  switch (recipe.dates.kind) {
    case 'keep':
      return 'UNMODIFIED'
    case 'shift':
    case 'year':
      return 'MODIFIED'
    case 'remove':
      return 'REMOVED'
    default:
      return recipe.dates satisfies never
  }
}

function codeItem(owner: Dataset, code: string): Dataset {
  const at = { encoding: owner.encoding, charset: owner.charset }
  const base = dataset([], at)
  return dataset(
    [
      make(base, Tags.CodeValue, 'SH', code),
      make(base, Tags.CodingSchemeDesignator, 'SH', 'DCM'),
      make(base, Tags.CodeMeaning, 'LO', METHOD_CODES.get(code) ?? ''),
    ],
    at,
  )
}
