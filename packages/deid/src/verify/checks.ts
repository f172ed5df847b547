// The single checks of verify. Each takes the source and the written file and returns what it found wrong.

import type { Dataset, DicomFile, Element, Tag } from '@roentgate/dicom'
import {
  decodeText,
  elementOf,
  find,
  formatTag,
  groupOf,
  isPrivate,
  isWellKnown,
  numbers,
  string,
  strings,
  Tags,
  usesCharset,
} from '@roentgate/dicom'
import type { Recipe, Rule } from '../model.ts'
import { safePrivate } from '../tables.ts'
import type { Haystack } from './haystack.ts'
import { type Place, places, rootSpot, type Spot, where } from './walk.ts'

export type Violation = { readonly code: ViolationCode; readonly what: string; readonly where?: string }

export type ViolationCode =
  | 'RESIDUAL_IDENTIFIER'
  | 'RESIDUAL_IN_BYTES'
  | 'RESIDUAL_IN_PIXEL_HEADER'
  | 'RESIDUAL_UID'
  | 'PROFILE_NOT_APPLIED'
  | 'PRIVATE_NOT_SAFE'
  | 'UNDECODABLE_TEXT'
  | 'TYPE_1_LOST'
  | 'TYPE_2_LOST'
  | 'UID_INCONSISTENT'
  | 'PIXELS_CHANGED'
  | 'META_NOT_REBUILT'
  | 'NOT_MARKED'
  | 'UNREADABLE'

const FREE: ReadonlySet<string> = new Set(['LO', 'SH', 'ST', 'LT', 'UT', 'UC', 'UR', 'PN', 'AE', 'UN'])
const PLAIN: ReadonlySet<string> = new Set(['CS', 'DS', 'IS', 'AS'])
/** Shorter whole values are everywhere by chance. */
const MIN_PLAIN = 5

export type Side = { readonly file: DicomFile; readonly dataset: Dataset; readonly places: readonly Place[] }
export type Pair = { readonly source: Side; readonly output: Side; readonly root: Spot }

/** Both files walked once, for all checks. */
export function pairOf(source: DicomFile, output: DicomFile): Pair {
  const root = rootSpot()
  return { source: sideOf(source, root), output: sideOf(output, root), root }
}

function sideOf(file: DicomFile, root: Spot): Side {
  return { file, dataset: file.dataset, places: places(file.dataset, root) }
}

/** Decoded values, in every element at every depth. */
export function residualText(
  { output }: Pair,
  haystack: Haystack,
  kept: ReadonlySet<Tag>,
): readonly Violation[] {
  const found: Violation[] = []
  for (const place of output.places) {
    const { dataset, element, vr, spot } = place
    if (element.value.kind !== 'bytes' || element.value.bytes.length === 0 || kept.has(element.tag)) continue
    if (!FREE.has(vr) && !PLAIN.has(vr)) continue
    if (usesCharset(vr) && !decodeText(element.value.bytes, dataset.charset, vr).clean) {
      found.push({
        code: 'UNDECODABLE_TEXT',
        what: 'a text that its character set cannot decode',
        where: where(spot.path),
      })
    }
    for (const value of place.values) {
      const kind = PLAIN.has(vr) ? plainHit(value, haystack) : haystack.inText(value)
      if (kind)
        found.push({
          code: 'RESIDUAL_IDENTIFIER',
          what: `an identifier of the source (${kind}) in a text`,
          where: where(spot.path),
        })
    }
  }
  return found
}

/** Codes and numbers: only as a whole, for digits meet digits by chance. */
function plainHit(value: string, haystack: Haystack): ReturnType<Haystack['whole']> {
  return value.length < MIN_PLAIN ? undefined : haystack.whole(value)
}

const DOTTED = /[0-2](?:\.\d+){3,}/g

/** Original UIDs anywhere in the bytes that are not pixels, inside texts and private values too. */
export function residualUids({ source }: Pair, bytes: string): readonly Violation[] {
  const originals = instanceUids(source)
  const found = new Set<string>()
  for (const [candidate] of bytes.matchAll(DOTTED)) if (originals.has(candidate)) found.add(candidate)
  return [...found].map(() => ({ code: 'RESIDUAL_UID', what: 'an original UID in the output' }))
}

function instanceUids(source: Side): ReadonlySet<string> {
  const uids = new Set<string>()
  for (const place of source.places) {
    if (place.vr !== 'UI' || place.element.value.kind !== 'bytes' || place.spot.namesClass) continue
    for (const value of place.values) if (value !== '' && !isWellKnown(value)) uids.add(value)
  }
  return uids
}

/** What de-identifying writes of its own accord; equal to the source it is no residue. */
const NEUTRAL: ReadonlySet<string> = new Set([
  '', 'REMOVED', '0', '000D', '000000', '19000101', '19000101000000', 'urn:removed', 'YES', 'NO',
]) // biome-ignore format: one row

/** Attributes of Table E.1-1 that no option and no rule keeps must not have their old value. */
export function profileApplied(files: Pair, recipe: Recipe): readonly Violation[] {
  const suspects = files.output.places.filter((place) => mustChange(place, recipe))
  if (suspects.length === 0) return []
  const before = valuesAt(new Set(suspects.map(({ spot }) => spot)), files.source)
  const found: Violation[] = []
  for (const { spot, values, vr } of suspects) {
    if (!before.get(spot)?.has(values.join('\\'))) continue
    if (vr === 'UI' && values.every((each) => isWellKnown(each))) continue
    if (recipe.dates.kind === 'year' && /^\d{4}(0101)?$/.test(values.join('\\'))) continue
    found.push({
      code: 'PROFILE_NOT_APPLIED',
      what: `Table E.1-1 says ${spot.row?.basic}, and the old value stands`,
      where: where(spot.path),
    })
  }
  return found
}

function mustChange(place: Place, recipe: Recipe): boolean {
  const { row } = place.spot
  if (!row || row.basic === 'K' || place.element.value.kind !== 'bytes') return false
  if (row.options.some(([option]) => recipe.options.has(option)) || ruled(recipe, place.element.tag))
    return false
  return !NEUTRAL.has(place.values.join('\\'))
}

/** The source's values at these places, whatever the item they stand in. */
function valuesAt(spots: ReadonlySet<Spot>, source: Side): ReadonlyMap<Spot, ReadonlySet<string>> {
  const values = new Map<Spot, Set<string>>()
  for (const place of source.places) {
    if (!spots.has(place.spot) || place.element.value.kind !== 'bytes') continue
    const known = values.get(place.spot) ?? new Set<string>()
    values.set(place.spot, known.add(place.values.join('\\')))
  }
  return values
}

function ruled(recipe: Recipe, t: Tag): boolean {
  return recipe.rules.some(({ select }) => {
    if (select.kind === 'tag') return select.tag === t
    if (select.kind === 'path') return select.path[select.path.length - 1] === t
    return select.kind === 'vr' || (select.kind === 'group' && select.group === groupOf(t))
  })
}

/** Every private element has somebody who calls it safe. */
export function privateSafe({ source, output }: Pair, recipe: Recipe): readonly Violation[] {
  const found: Violation[] = []
  checkPrivate({ level: output.dataset, path: [] }, { source: source.dataset, recipe }, found)
  return found
}

function checkPrivate(
  at: { readonly level: Dataset; readonly path: readonly Tag[] },
  by: { readonly source: Dataset; readonly recipe: Recipe },
  found: Violation[],
): void {
  const creators = new Map<number, string>()
  for (const element of at.level.elements) {
    const low = elementOf(element.tag)
    if (element.value.kind === 'items') {
      for (const item of element.value.items)
        checkPrivate({ level: item, path: [...at.path, element.tag] }, by, found)
    }
    if (!isPrivate(element.tag)) continue
    if (low >= 0x10 && low <= 0xff) {
      creators.set(groupOf(element.tag) * 0x100 + low, strings(at.level, element)[0] ?? '')
      continue
    }
    const creator = creators.get(groupOf(element.tag) * 0x100 + (low >> 8))
    if (creator && isSafe(creator, element.tag, by)) continue
    found.push({
      code: 'PRIVATE_NOT_SAFE',
      what: 'a private element that nobody calls safe',
      where: where([...at.path, element.tag]),
    })
  }
}

function isSafe(creator: string, t: Tag, by: { readonly source: Dataset; readonly recipe: Recipe }): boolean {
  if (by.recipe.rules.some((rule) => namesPrivate(rule, creator, t))) return true
  if (!by.recipe.options.has('safe-private')) return false
  const known = safePrivate(creator, t)
  return known !== undefined
    ? known.basis === 'E.3.10-1' || by.recipe.knowledgeBase || declared(by.source, creator, t)
    : declared(by.source, creator, t)
}

function namesPrivate({ select }: Rule, creator: string, t: Tag): boolean {
  if (select.kind === 'tag') return select.tag === t
  return select.kind === 'private' && select.creator === creator && select.group === groupOf(t)
}

/** (0008,0300): the block's status, by the sender. */
function declared(source: Dataset, creator: string, t: Tag): boolean {
  const characteristics = find(source, Tags.PrivateDataElementCharacteristicsSequence)
  if (characteristics?.value.kind !== 'items') return false
  return characteristics.value.items.some((item) => {
    const group = find(item, Tags.PrivateGroupReference)
    const status = string(item, Tags.BlockIdentifyingInformationStatus)
    if (
      !group ||
      numbers(item, group)[0] !== groupOf(t) ||
      string(item, Tags.PrivateCreatorReference) !== creator
    )
      return false
    return status === 'SAFE' || status === 'MIXED'
  })
}

/** What the IOD requires and the source had, the output has too (PS3.5 7.4). */
export function typesKept({ source, output, root }: Pair): readonly Violation[] {
  const sopClass = string(source.dataset, Tags.SOPClassUID) ?? ''
  const found: Violation[] = []
  compareLevel({ before: source.dataset, after: output.dataset, at: root }, sopClass, found)
  return found
}

type Level = { readonly before: Dataset; readonly after: Dataset; readonly at: Spot }

function compareLevel(level: Level, sopClass: string, found: Violation[]): void {
  const after = byTag(level.after)
  for (const element of level.before.elements) {
    if (isPrivate(element.tag)) continue
    const now = after.get(element.tag)
    const spot = level.at.child(element.tag)
    if (element.value.kind === 'items' && now?.value.kind === 'items') {
      const items = now.value.items
      // Items that were removed shift the others: only equal counts can be compared one by one.
      if (items.length === element.value.items.length) {
        element.value.items.forEach((item, index) => {
          const other = items[index]
          if (other) compareLevel({ before: item, after: other, at: spot }, sopClass, found)
        })
      }
    }
    if (now && !emptied(element, now)) continue
    if (isEmpty(element)) continue
    const type = spot.typeIn(sopClass)
    if (type === '1')
      found.push({
        code: 'TYPE_1_LOST',
        what: `Type ${type} in its IOD, and no value left`,
        where: where(spot.path),
      })
    if (type === '2' && !now)
      found.push({
        code: 'TYPE_2_LOST',
        what: `Type ${type} in its IOD, and absent`,
        where: where(spot.path),
      })
  }
}

function byTag(dataset: Dataset): ReadonlyMap<Tag, Element> {
  const found = new Map<Tag, Element>()
  for (const element of dataset.elements) found.set(element.tag, element)
  return found
}

function isEmpty({ value }: Element): boolean {
  if (value.kind === 'bytes') return value.bytes.length === 0
  return value.kind === 'items' ? value.items.length === 0 : false
}

function emptied(before: Element, after: Element): boolean {
  return !isEmpty(before) && isEmpty(after)
}

/** Old → new is a function and one to one, over every UID attribute of both files that can be paired. */
export function uidsConsistent({ source, output, root }: Pair): readonly Violation[] {
  const forward = new Map<string, string>()
  const backward = new Map<string, string>()
  let broken = 0
  for (const [before, after] of uidPairs({ before: source.dataset, after: output.dataset, at: root })) {
    if (before === '' || after === '') continue
    if ((forward.get(before) ?? after) !== after || (backward.get(after) ?? before) !== before) broken += 1
    forward.set(before, after)
    backward.set(after, before)
  }
  return broken === 0
    ? []
    : [{ code: 'UID_INCONSISTENT', what: 'one UID with two replacements, or two with one' }]
}

function* uidPairs({ before, after, at }: Level): Generator<readonly [string, string]> {
  const others = byTag(after)
  for (const element of before.elements) {
    if (element.vr !== 'UI' && element.value.kind !== 'items') continue
    const now = others.get(element.tag)
    if (!now) continue
    if (
      element.value.kind === 'items' &&
      now.value.kind === 'items' &&
      element.value.items.length === now.value.items.length
    ) {
      for (const [index, item] of element.value.items.entries()) {
        const other = now.value.items[index]
        if (other) yield* uidPairs({ before: item, after: other, at: at.child(element.tag) })
      }
    } else if (element.vr === 'UI' && now.vr === 'UI' && !at.child(element.tag).namesClass) {
      const [old, made] = [strings(before, element), strings(after, now)]
      if (old.length === made.length && made[0] !== '2.25.0')
        for (const [index, value] of old.entries()) yield [value, made[index] ?? '']
    }
  }
}

const META: ReadonlySet<number> = new Set([
  0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013,
])

/** PS3.15 E.1.1: file meta and preamble are ours, and agree with the data set. */
export function metaRebuilt({ output: { file: output } }: Pair): readonly Violation[] {
  const found: Violation[] = []
  const wrong = (what: string, at?: Tag): void => {
    found.push(
      at === undefined
        ? { code: 'META_NOT_REBUILT', what }
        : { code: 'META_NOT_REBUILT', what, where: formatTag(at) },
    )
  }
  if (output.preamble?.some((byte) => byte !== 0)) wrong('a preamble that is not zero')
  if (!output.meta) wrong('no file meta')
  for (const element of output.meta?.elements ?? [])
    if (!META.has(element.tag)) wrong('file meta of the source', element.tag)
  const instance = output.meta && string(output.meta, Tags.MediaStorageSOPInstanceUID)
  if (instance !== (string(output.dataset, Tags.SOPInstanceUID) ?? ''))
    wrong('another instance in the file meta', Tags.MediaStorageSOPInstanceUID)
  if (output.trailing) wrong('bytes after the data set')
  if (string(output.dataset, Tags.PatientIdentityRemoved) !== 'YES') {
    found.push({
      code: 'NOT_MARKED',
      what: 'Patient Identity Removed is not YES',
      where: formatTag(Tags.PatientIdentityRemoved),
    })
  }
  return found
}
