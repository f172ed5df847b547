// Attribute matching over whole data sets (PS3.4 C.2.2.2, K.2.2.1), for what is few enough to be looked at one by one.
//
//   item, keys ─► does it match? ─► the attributes of it that the keys ask for
//
// Keys of any attribute match, at any depth. An item of a sequence matches if all keys of the identifier's one item do.

import { type Dataset, dataset, type Element, find, make, strings, type Tag, Tags } from '@roentgate/dicom'
import { dayOf } from '../archive/index/facts.ts'
import { nameMatcher, wildcard } from '../archive/index/names.ts'
import { dateRange, timeRange } from '../archive/index/ranges.ts'

/** Of a sequence within a sequence; a worklist has two. */
const MAX_DEPTH = 8

export type Problem = { readonly tag: Tag }

/** A key whose value its VR does not have, if there is one. */
export function problemOf(keys: Dataset, depth = 0): Problem | undefined {
  for (const key of keys.elements) {
    if (key.value.kind === 'items') {
      const [item] = key.value.items
      const problem = depth < MAX_DEPTH && item ? problemOf(item, depth + 1) : undefined
      if (depth >= MAX_DEPTH) return { tag: key.tag }
      if (problem) return problem
      continue
    }
    const text = textOf(keys, key)
    if (isUniversal(text)) continue
    const isBad =
      (key.vr === 'DA' && dateRange(text) === undefined) || (key.vr === 'TM' && timeRange(text) === undefined)
    if (isBad) return { tag: key.tag }
  }
  return undefined
}

export function matches(item: Dataset, keys: Dataset): boolean {
  return keys.elements.every((key) => isAboutTheQuery(key) || matchesOne(item, keys, key))
}

function isAboutTheQuery({ tag }: Element): boolean {
  return (
    (tag & 0xffff) === 0 ||
    tag === Tags.SpecificCharacterSet ||
    tag === Tags.TimezoneOffsetFromUTC ||
    tag === Tags.QueryRetrieveLevel
  )
}

function matchesOne(item: Dataset, keys: Dataset, key: Element): boolean {
  const own = find(item, key.tag)
  if (key.value.kind === 'items') {
    const [wanted] = key.value.items
    if (wanted === undefined || wanted.elements.length === 0) return true
    const items = own?.value.kind === 'items' ? own.value.items : []
    // Without items, keys that ask for anything at all still match.
    return items.length === 0 ? matches(dataset([]), wanted) : items.some((one) => matches(one, wanted))
  }
  const text = textOf(keys, key)
  if (isUniversal(text)) return true
  const values = own ? strings(item, own).map((value) => value.trim()) : []
  const test = testOf(key.vr, text)
  return (values.length === 0 ? [''] : values).some(test)
}

function testOf(vr: string, text: string): (value: string) => boolean {
  switch (vr) {
    case 'PN':
      return nameMatcher(text)
    case 'UI': {
      const wanted = new Set(text.split('\\').map((one) => one.trim()))
      return (value) => wanted.has(value)
    }
    case 'DA': {
      const range = dateRange(text)
      const [from, to] = [range?.from ?? '', range?.to ?? '9999-12-31']
      return (value) => {
        const day = dayOf(value)
        return day !== undefined && day >= from && day <= to
      }
    }
    case 'TM': {
      const range = timeRange(text)
      return (value) => {
        const time = value.replaceAll(':', '')
        return range !== undefined && time !== '' && time >= range.from && time <= range.upper
      }
    }
    default:
      return wildcard(text)
  }
}

function textOf(from: Dataset, element: Element): string {
  return strings(from, element)
    .map((one) => one.trim())
    .join('\\')
}

function isUniversal(text: string): boolean {
  return text === '' || text === '*'
}

/** What the keys ask for, as the item has it; empty where it has not. In the item's own character set. */
export function answerOf(item: Dataset, keys: Dataset): Dataset {
  const charset = find(item, Tags.SpecificCharacterSet)
  const elements = keys.elements
    .filter((key) => !isAboutTheQuery(key))
    .map((key) => wantedOf(item, key) ?? absent(item, key))
  return dataset(charset ? [...elements, charset] : elements, {
    encoding: item.encoding,
    charset: item.charset,
  })
}

function wantedOf(item: Dataset, key: Element): Element | undefined {
  const own = find(item, key.tag)
  if (own === undefined || key.value.kind !== 'items' || own.value.kind !== 'items') return own
  const [wanted] = key.value.items
  if (wanted === undefined || wanted.elements.length === 0) return own
  // Of several items, those that were meant.
  const items = own.value.items.filter((one) => matches(one, wanted)).map((one) => answerOf(one, wanted))
  return { ...own, value: { ...own.value, items } }
}

function absent(item: Dataset, { tag, vr }: Element): Element {
  return make(item, tag, vr, vr === 'SQ' ? [] : '')
}
