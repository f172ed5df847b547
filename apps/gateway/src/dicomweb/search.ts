// QIDO-RS (PS3.18 10.6):  parameters ─► the index's query, within what may be seen ─► a page ─► DICOM JSON
//
// An attribute that the index does not search by, or that the view does not show, is no condition: the answer says so in a
// Warning, and is within what may be seen all the same.

import { type Dataset, type JsonDataset, lookup, type NewValue, Tags, toJson } from '@roentgate/dicom'
import { type Match, type Query as Parameters, parseQuery, type Test } from '@roentgate/dicomweb'
import type { Archive } from '../archive/archive.ts'
import { findInstances, findSeries, findStudies, type Page } from '../archive/index/find.ts'
import { type Condition, isKeyword, type Level, levelOf, type Query } from '../archive/index/matching.ts'
import type { Texts } from '../archive/index/more.ts'
import { sees, type View } from '../policy/views.ts'
import { type Fields, type Found, fieldsOf } from '../serve/answers.ts'
import { identifier, type Pair } from '../serve/identifier.ts'

export type Seen = { readonly view: View; readonly visible: Condition }
export type Wanted = {
  readonly level: Exclude<Level, 'patient'>
  /** Of the path. */
  readonly within: { readonly StudyInstanceUID?: string; readonly SeriesInstanceUID?: string }
  readonly parameters: URLSearchParams
  /** Of the service: https://gateway.example/dicomweb */
  readonly base: string
}
export type Answered = {
  readonly matches: readonly JsonDataset[]
  /** Something was asked for that was no condition. */
  readonly ignored: boolean
  /** There are more than were answered. */
  readonly more: boolean
}

const EXPLICIT = '1.2.840.10008.1.2.1'
const DEFAULT_LIMIT = 1000
const MAX_LIMIT = 5000
const DEPTH: readonly Level[] = ['patient', 'study', 'series', 'instance']
const FINDERS = { study: findStudies, series: findSeries, instance: findInstances }

/** @throws WebError BAD_QUERY; IndexError where a value is of no form of its VR, or too much would be searched */
export async function searched(archive: Archive, { view, visible }: Seen, wanted: Wanted): Promise<Answered> {
  const { level, within, base } = wanted
  const parameters = parseQuery(wanted.parameters, { limit: MAX_LIMIT })
  const { query, ignored } = queryOf(parameters, { level, view })
  const index = { db: archive.database.kysely, columns: archive.columns, visible }
  const limit = parameters.limit ?? DEFAULT_LIMIT
  const all = { ...query, ...within }
  if (limit === 0) return { matches: [], ignored, more: false }
  const window = { limit, offset: parameters.offset }
  const page = (await FINDERS[level](index, all, window)) as Page<never>
  const matches = page.rows.map((row) => jsonOf({ level, [level]: row } as unknown as Found, { view, base }))
  return { matches, ignored: ignored || parameters.unknown > 0, more: page.next !== undefined }
}

type Reading = { readonly level: Level; readonly view: View }

function queryOf(
  { match }: Parameters,
  { level, view }: Reading,
): { readonly query: Query; readonly ignored: boolean } {
  const query: Record<string, string> = {}
  let ignored = false
  for (const one of match) {
    if (one.tests.length === 0) continue
    const keyword = one.path.map((tag) => lookup(tag)?.keyword ?? '').join('.')
    const text = textOf(one)
    const isSearched =
      text !== undefined &&
      isKeyword(keyword) &&
      DEPTH.indexOf(levelOf(keyword)) <= DEPTH.indexOf(level) &&
      sees(view, keyword)
    if (isSearched) query[keyword] = text
    else ignored = true
  }
  return { query, ignored }
}

/** As a key of C-FIND has it; undefined: there is no such matching in the index. */
function textOf({ tests }: Match): string | undefined {
  const texts = tests.map(keyOf)
  return texts.includes(undefined) ? undefined : texts.join('\\')
}

function keyOf(test: Test): string | undefined {
  switch (test.kind) {
    case 'single':
      return test.value
    case 'pattern':
      return test.pattern
    case 'range':
      return `${test.from ?? ''}-${test.to ?? ''}`
    case 'empty':
      return undefined
    default:
      return test satisfies never
  }
}

function jsonOf(found: Found, { view, base }: { readonly view: View; readonly base: string }): JsonDataset {
  const fields = fieldsOf(found)
  const pairs = Object.entries(fields).flatMap(([keyword, value]): readonly Pair[] => {
    const tag = Tags[keyword as keyof typeof Tags]
    if (tag === undefined || !sees(view, keyword) || isEmpty(value)) return []
    return [[tag, isItems(value) ? value.map(itemOf) : value]]
  })
  const where: Pair = [Tags.RetrieveURL, urlOf(fields, base)]
  const known = sees(view, 'StudyInstanceUID') ? [...pairs, where] : pairs
  return toJson(identifier(known, EXPLICIT))
}

function isEmpty(value: Fields[string]): boolean {
  return value === '' || (Array.isArray(value) && value.length === 0)
}

function isItems(value: Fields[string]): value is readonly Texts[] {
  return Array.isArray(value) && typeof value[0] === 'object' && !('elements' in value[0])
}

function itemOf(item: Texts): Dataset {
  const pairs = Object.entries(item).flatMap(([keyword, text]): readonly Pair[] => {
    const tag = Tags[keyword as keyof typeof Tags]
    return tag === undefined || text === '' ? [] : [[tag, text]]
  })
  return identifier(pairs, EXPLICIT)
}

function urlOf(
  {
    StudyInstanceUID,
    SeriesInstanceUID,
    SOPInstanceUID,
  }: Readonly<Record<string, NewValue | readonly Texts[] | undefined>>,
  base: string,
): string {
  const parts = [
    ['studies', StudyInstanceUID],
    ['series', SeriesInstanceUID],
    ['instances', SOPInstanceUID],
  ] as const
  return base + parts.map(([name, uid]) => (uid === undefined ? '' : `/${name}/${String(uid)}`)).join('')
}
