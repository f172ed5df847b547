// C-FIND (PS3.4 C.4.1): identifier ─► level, keys ─► index, a page at a time ─► an answer for each match ─► ledger
//
// The entry of the ledger says who asked at which level and how many matched; no key and no value is in it. It is
// written before the last answer: a query that cannot be recorded does not succeed.

import { type Dataset, DicomError, lookup, nameOf, type Tag, Tags } from '@roentgate/dicom'
import { type Answer, type Incoming, MAX_IDENTIFIER_BYTES, STATUS, whole } from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import { IndexError } from '../archive/index/errors.ts'
import { findInstances, findPatients, findSeries, findStudies, type Page } from '../archive/index/find.ts'
import { type Condition, isKeyword, type Level, levelOf, type Query } from '../archive/index/matching.ts'
import type { Texts } from '../archive/index/more.ts'
import type { NewEvent } from '../ledger/append.ts'
import { sees, type View } from '../policy/views.ts'
import { ANSWERED, type Fields, type Found, fieldsOf } from './answers.ts'
import { identifier, itemsOf, keyText, type Pair, readIdentifier, writeIdentifier } from './identifier.ts'
import { askedOf, modelOf } from './models.ts'

export type Asking = {
  readonly archive: Archive
  readonly sender: NewEvent['actor']
  /** Ours: where what is found can be had from. */
  readonly aeTitle: string
  readonly record: (event: NewEvent) => Promise<void>
  /** Relational queries were negotiated (PS3.4 C.5.1.1). */
  readonly isRelational: boolean
  /** Dates and times were, to be one (C.5.1.1). */
  readonly combines: boolean
  /** What of a study is seen, and searched by. */
  readonly view: View
  /** Over studies s: those that may be found. Absent: all. */
  readonly visible?: Condition
}

const PENDING_UNSUPPORTED = 0xff01
const PAGE = 200
/** More than that is a copy of the archive, not a search. */
const MAX_ANSWERS = 100_000
/** About the query itself, or of every answer. */
const OURS = new Set<number>([
  Tags.SpecificCharacterSet,
  Tags.QueryRetrieveLevel,
  Tags.RetrieveAETitle,
  Tags.InstanceAvailability,
  Tags.TimezoneOffsetFromUTC,
])
const DEPTH: readonly Level[] = ['patient', 'study', 'series', 'instance']

export async function* find(incoming: Incoming, asking: Asking): AsyncGenerator<Answer> {
  const { context, data, signal } = incoming
  const model = modelOf(context.abstractSyntax)
  const bytes = await whole(data, MAX_IDENTIFIER_BYTES)
  let asked: Dataset
  try {
    asked = readIdentifier(bytes, context.transferSyntax)
  } catch (error) {
    if (!(error instanceof DicomError)) throw error
    yield failure(STATUS.cannotUnderstand, 'the identifier is no data set')
    return
  }
  const level = model && askedOf(model, asked, asking.isRelational)?.level
  if (level === undefined) {
    yield failure(STATUS.mismatch, 'level, or unique keys above it, are missing')
    return
  }
  if (level === 'patient' && asking.view.attributes !== 'all') {
    yield failure(STATUS.notAuthorized, 'no patients are listed for this purpose')
    return
  }
  const form = formOf(asked, level, asking.view)
  let count = 0
  try {
    for await (const found of matches(asking, { level, query: form.query })) {
      if (signal.aborted || count === MAX_ANSWERS) break
      count++
      const answer = answerOf(found, { asked, form, aeTitle: asking.aeTitle, syntax: context.transferSyntax })
      yield { status: form.unsupported ? PENDING_UNSUPPORTED : STATUS.pending, data: answer }
    }
  } catch (error) {
    if (!(error instanceof IndexError)) throw error
    await asking.record(queryEvent(asking, { level, count, outcome: 'minor' }))
    yield error.code === 'TOO_BROAD'
      ? failure(STATUS.outOfResources, 'too many to search: add an ID or a date')
      : failure(STATUS.mismatch, `a key of a form that its VR does not have: ${error.field ?? ''}`)
    return
  }
  await asking.record(queryEvent(asking, { level, count, outcome: 'success' }))
  if (signal.aborted) yield { status: STATUS.cancel }
  else if (count === MAX_ANSWERS) yield failure(STATUS.outOfResources, 'more matches than one query answers')
  else yield { status: STATUS.success }
}

/** No value of the identifier is in it. */
function failure(status: number, comment: string): Answer {
  return { status, fields: { comment: comment.slice(0, 64) } }
}

type Form = {
  readonly query: Query
  /** Keys that are answered, as keywords; the others come back empty. */
  readonly known: readonly string[]
  readonly empty: readonly Pair[]
  readonly unsupported: boolean
}

function formOf(asked: Dataset, level: Level, view: View): Form {
  const query: Record<string, string> = {}
  const known: string[] = []
  const empty: Pair[] = []
  for (const { tag } of asked.elements) {
    if (OURS.has(tag) || (tag & 0xffff) === 0) continue
    const keyword = lookup(tag)?.keyword ?? ''
    if (!ANSWERED[level].has(keyword) || !sees(view, keyword)) {
      if (lookup(tag)) empty.push([tag, ''])
      continue
    }
    known.push(keyword)
    for (const [path, text] of nested(asked, tag, keyword)) if (isKeyword(path)) query[path] = text
    if (isKeyword(keyword) && DEPTH.indexOf(levelOf(keyword)) <= DEPTH.indexOf(level))
      query[keyword] = keyText(asked, tag)
  }
  return { query, known, empty, unsupported: empty.length > 0 }
}

/** Keys inside a sequence: those of its one item (PS3.4 C.2.2.2.6). */
function nested(asked: Dataset, sequence: Tag, keyword: string): readonly (readonly [string, string])[] {
  const [item] = itemsOf(asked, sequence)
  return (item?.elements ?? []).map(({ tag }) => [
    `${keyword}.${lookup(tag)?.keyword ?? ''}`,
    keyText(item ?? asked, tag),
  ])
}

type Wanted = { readonly level: Level; readonly query: Query }

async function* matches(
  { archive, combines, visible }: Asking,
  { level, query }: Wanted,
): AsyncGenerator<Found> {
  const own = visible ? { visible } : {}
  const index = { db: archive.database.kysely, columns: archive.columns, combines, ...own }
  const pageAfter = async (after: string | undefined): Promise<Page<Found>> => {
    const window = { limit: PAGE, after }
    switch (level) {
      case 'patient':
        return each(await findPatients(index, query, window), (patient) => ({ level, patient }))
      case 'study':
        return each(await findStudies(index, query, window), (study) => ({ level, study }))
      case 'series':
        return each(await findSeries(index, query, window), (series) => ({ level, series }))
      default:
        return each(await findInstances(index, query, window), (instance) => ({ level, instance }))
    }
  }
  for (let after: string | undefined; ; ) {
    const { rows, next } = await pageAfter(after)
    yield* rows
    if (next === undefined) return
    after = next
  }
}

function each<T>({ rows, next }: Page<T>, act: (row: T) => Found): Page<Found> {
  return { rows: rows.map(act), next }
}

type Answering = {
  readonly asked: Dataset
  readonly form: Form
  readonly aeTitle: string
  readonly syntax: string
}

function answerOf(found: Found, { asked, form, aeTitle, syntax }: Answering): Uint8Array {
  const fields = fieldsOf(found)
  const byKeyword = new Map(asked.elements.map(({ tag }) => [lookup(tag)?.keyword ?? nameOf(tag), tag]))
  const values = form.known.flatMap((keyword): readonly Pair[] => {
    const tag = byKeyword.get(keyword)
    const value = fields[keyword] ?? ''
    if (tag === undefined) return []
    return [[tag, isItems(value) ? value.map((item) => itemOf(item, tag, { asked, syntax })) : value]]
  })
  const pairs: Pair[] = [
    ...values,
    ...form.empty,
    [Tags.QueryRetrieveLevel, keyText(asked, Tags.QueryRetrieveLevel)],
    [Tags.RetrieveAETitle, aeTitle],
    [Tags.InstanceAvailability, 'ONLINE'],
  ]
  return writeIdentifier(identifier(pairs, syntax, asked.charset), syntax)
}

function isItems(value: Fields[string]): value is readonly Texts[] {
  return Array.isArray(value) && typeof value[0] === 'object' && !('elements' in value[0])
}

/** All of it where the item of the identifier asks for nothing (PS3.4 C.2.2.2.6). */
function itemOf(item: Texts, sequence: Tag, { asked, syntax }: Pick<Answering, 'asked' | 'syntax'>): Dataset {
  const [keys] = itemsOf(asked, sequence)
  const wanted = new Set(keys?.elements.map(({ tag }) => tag))
  const pairs = Object.entries(item).flatMap(([keyword, text]): readonly Pair[] => {
    const tag = Tags[keyword as keyof typeof Tags]
    return tag === undefined || (wanted.size > 0 && !wanted.has(tag)) ? [] : [[tag, text]]
  })
  return identifier(pairs, syntax, asked.charset)
}

type Told = { readonly level: Level; readonly count: number; readonly outcome: NewEvent['outcome'] }

function queryEvent({ sender }: Asking, { level, count, outcome }: Told): NewEvent {
  return {
    event: 'query',
    action: 'E',
    outcome,
    actor: sender,
    objects: [{ kind: 'query', id: level }],
    detail: { method: 'C-FIND', count },
  }
}
