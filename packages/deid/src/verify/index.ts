// verify: the written file against its source, fail closed. It shares no code with plan and apply; what it shares
// with them is the standard's tables. One violation quarantines the instance; no violation carries a value.

import {
  concat,
  type Dataset,
  type DicomFile,
  type Element,
  sequence,
  type Tag,
  type Uid,
  writeFile,
} from '@roentgate/dicom'
import type { Recipe } from '../model.ts'
import type { Identifier } from '../text/identifiers.ts'
import {
  metaRebuilt,
  pairOf,
  privateSafe,
  profileApplied,
  residualText,
  residualUids,
  typesKept,
  uidsConsistent,
  type Violation,
} from './checks.ts'
import { residualDates } from './dates.ts'
import { type Haystack, haystackOf } from './haystack.ts'
import { needlesOf } from './needles.ts'
import { type Equal, pixelHeadersClean, pixelsUnchanged } from './pixels.ts'
import { latin1 } from './walk.ts'

export type { Violation, ViolationCode } from './checks.ts'
export type { Haystack } from './haystack.ts'

export type Verification = {
  readonly source: DicomFile
  readonly output: DicomFile
  /** Everything in the written file but its top-level pixel data. */
  readonly header: Uint8Array
  readonly recipe: Recipe
  readonly haystack: Haystack
  readonly equal: Equal
  /** The pixels were cleaned: who cleaned them compares them, frame by frame. */
  readonly pixelsCleaned?: boolean
}

/** What to look for, compiled once per patient: the identifiers that the recipe does not keep. */
export function compileHaystack(identifiers: readonly Identifier[], recipe: Recipe): Haystack {
  return haystackOf(needlesOf(identifiers.filter((identifier) => !isKept(identifier, recipe))))
}

/** A recipe that keeps institutions or full dates does not call them residues. The birth date is never kept by dates. */
function isKept({ kind }: Identifier, recipe: Recipe): boolean {
  return kind === 'institution' && recipe.options.has('institution')
}

export function verifyInstance(given: Verification): readonly Violation[] {
  const { source, output, recipe, haystack } = given
  const pair = pairOf(source, output)
  const bytes = latin1(given.header)
  const kept = keptByRule(recipe)
  const inBytes = haystack.inBytes(kept.size === 0 ? bytes : latin1(bytesWithout(output, kept)))
  return [
    ...residualText(pair, haystack, kept),
    ...residualDates(pair, recipe),
    ...(inBytes
      ? [
          {
            code: 'RESIDUAL_IN_BYTES',
            what: `an identifier of the source (${inBytes.kind}) as ${inBytes.channel}`,
          } as const,
        ]
      : []),
    ...(recipe.options.has('uids') ? [] : residualUids(pair, bytes)),
    ...profileApplied(pair, recipe),
    ...privateSafe(pair, recipe),
    ...typesKept(pair),
    ...uidsConsistent(pair),
    ...metaRebuilt(pair),
    ...(given.pixelsCleaned ? [] : pixelsUnchanged(source, output, given.equal)),
    ...pixelHeadersClean(output, haystack),
  ]
}

/** The file as it would be without what the recipe keeps by name, and without pixel data. */
function bytesWithout(output: DicomFile, kept: ReadonlySet<Tag>): Uint8Array {
  return concat([...writeFile({ ...output, transferSyntax: EXPLICIT, dataset: strip(output.dataset, kept) })])
}

const EXPLICIT = '1.2.840.10008.1.2.1' as Uid

function strip(dataset: Dataset, kept: ReadonlySet<Tag>): Dataset {
  const elements: Element[] = []
  for (const element of dataset.elements) {
    const { kind } = element.value
    if (kept.has(element.tag) || kind === 'bulk' || kind === 'fragments') continue
    elements.push(
      element.value.kind === 'items'
        ? sequence(
            element.tag,
            element.value.items.map((item) => strip(item, kept)),
          )
        : element,
    )
  }
  return { kind: 'dataset', elements, encoding: dataset.encoding, charset: dataset.charset }
}

/** A recipe that names an attribute to keep has said that what stands there may stand. */
function keptByRule(recipe: Recipe): ReadonlySet<Tag> {
  const kept = new Set<Tag>()
  for (const { select, action } of recipe.rules) {
    const keeps = action === 'keep' || (typeof action !== 'string' && action.kind === 'constant')
    if (!keeps) continue
    if (select.kind === 'tag') kept.add(select.tag)
    const last = select.kind === 'path' ? select.path[select.path.length - 1] : undefined
    if (last !== undefined) kept.add(last)
  }
  return kept
}
