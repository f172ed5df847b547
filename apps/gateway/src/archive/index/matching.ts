// Attribute matching (PS3.4 C.2.2.2): a query's values ─► conditions in SQL, and tests for what only decryption tells.
//
//   single value, list of UID, wildcard, range, universal (absent, '' or '*')
//
// Case matters except in names (C.2.2.2.1). A list, separated by a backslash, is taken for CS as well as for UI.

import { type RawBuilder, sql } from 'kysely'
import type { Columns } from './columns.ts'
import { IndexError } from './errors.ts'
import { accessionBlind, dayOf, patientBlind } from './facts.ts'
import type { PatientFound, SeriesFound, StudyFound } from './found.ts'
import { REQUEST, type SERIES_MORE, type Texts } from './more.ts'
import { nameMatcher, wildcard } from './names.ts'
import { dateRange, type Range, type TimeRange, timeRange } from './ranges.ts'

/** Studies newest first, those without a date last: the expression of the index studies_newest. */
export const STUDY_DAY = sql`coalesce(s.study_date, '-infinity'::date)`

export type Level = 'patient' | 'study' | 'series' | 'instance'
export type Condition = RawBuilder<unknown>
export type Test<T> = (found: T) => boolean

export type Matching = {
  /** Over patients p alone; whether one of them is by an index, so that few patients are left. */
  readonly patient: readonly Condition[]
  readonly isSelective: boolean
  /** Over studies s, series r and instances i, as far as the level reaches. */
  readonly below: readonly Condition[]
  readonly tests: {
    readonly patient: readonly Test<PatientFound>[]
    readonly study: readonly Test<StudyFound>[]
    readonly series: readonly Test<SeriesFound>[]
  }
}

type Clause =
  | { readonly kind: 'condition'; readonly condition: Condition; readonly isSelective?: boolean }
  | {
      readonly kind: 'patient-test'
      readonly test: Test<PatientFound>
      readonly condition?: Condition | undefined
    }
  | { readonly kind: 'study-test'; readonly test: Test<StudyFound> }
  | { readonly kind: 'series-test'; readonly test: Test<SeriesFound> }

type Value = {
  readonly keyword: string
  readonly text: string
  readonly columns: Columns
  /** What else is asked for. */
  readonly query: Query
  readonly combines: boolean
}
type Rule = { readonly of: Level; readonly match: (value: Value) => Clause }

/** What can be searched for: PS3.18 Table 10.6.1-5 and PS3.4 Tables C.6-1 to C.6-3, as far as the index has it. */
const RULES = {
  PatientID: { of: 'patient', match: patientId },
  IssuerOfPatientID: { of: 'patient', match: plain(sql`p.issuer`) },
  PatientName: { of: 'patient', match: patientName },
  PatientBirthDate: { of: 'patient', match: birthDate },
  PatientSex: { of: 'patient', match: plain(sql`p.sex`) },
  StudyInstanceUID: { of: 'study', match: plain(sql`s.study_uid`) },
  StudyDate: { of: 'study', match: studyDate },
  StudyTime: { of: 'study', match: studyTime },
  AccessionNumber: { of: 'study', match: accession },
  StudyDescription: { of: 'study', match: studyText((study) => study.description) },
  ReferringPhysicianName: { of: 'study', match: referrer },
  ModalitiesInStudy: { of: 'study', match: modalities },
  StudyID: { of: 'study', match: studyText(({ more }) => more.StudyID ?? '') },
  NameOfPhysiciansReadingStudy: { of: 'study', match: reader },
  SeriesInstanceUID: { of: 'series', match: plain(sql`r.series_uid`) },
  Modality: { of: 'series', match: plain(sql`r.modality`) },
  SeriesNumber: { of: 'series', match: whole(sql`r.number`) },
  SeriesDescription: { of: 'series', match: seriesText(({ description }) => description) },
  SeriesDate: { of: 'series', match: seriesDay('SeriesDate') },
  SeriesTime: { of: 'series', match: seriesMoment('SeriesTime') },
  ProtocolName: { of: 'series', match: seriesText(({ more }) => more.texts.ProtocolName ?? '') },
  Laterality: { of: 'series', match: seriesText(({ more }) => more.texts.Laterality ?? '') },
  PerformedProcedureStepStartDate: { of: 'series', match: seriesDay('PerformedProcedureStepStartDate') },
  PerformedProcedureStepStartTime: { of: 'series', match: seriesMoment('PerformedProcedureStepStartTime') },
  'RequestAttributesSequence.ScheduledProcedureStepID': { of: 'series', match: request },
  'RequestAttributesSequence.RequestedProcedureID': { of: 'series', match: request },
  BodyPartExamined: { of: 'series', match: plain(sql`r.body_part`) },
  SOPInstanceUID: { of: 'instance', match: plain(sql`i.sop_uid`) },
  SOPClassUID: { of: 'instance', match: plain(sql`i.sop_class`) },
  InstanceNumber: { of: 'instance', match: whole(sql`i.number`) },
} as const satisfies Readonly<Record<string, Rule>>

export type Keyword = keyof typeof RULES
/** Values as the identifier or the URL has them. */
export type Query = { readonly [K in Keyword]?: string | undefined }

const DEPTH = { patient: 0, study: 1, series: 2, instance: 3 } as const

export function levelOf(keyword: Keyword): Level {
  return RULES[keyword].of
}

export function isKeyword(text: string): text is Keyword {
  return Object.hasOwn(RULES, text)
}

export type How = {
  readonly columns: Columns
  /** A range of dates and one of times are one range of moments (PS3.4 C.2.2.2.5.4), as was negotiated. */
  readonly combines?: boolean
}

export function matchingOf(query: Query, level: Level, { columns, combines = false }: How): Matching {
  const patient: Condition[] = []
  const below: Condition[] = []
  const tests = {
    patient: [] as Test<PatientFound>[],
    study: [] as Test<StudyFound>[],
    series: [] as Test<SeriesFound>[],
  }
  let isSelective = false
  for (const [keyword, raw = ''] of Object.entries(query)) {
    const text = trimmed(raw)
    if (!isKeyword(keyword))
      throw new IndexError('BAD_QUERY', 'not an attribute that can be searched', keyword)
    const rule: Rule = RULES[keyword]
    if (DEPTH[rule.of] > DEPTH[level]) throw new IndexError('BAD_QUERY', `below the ${level} level`, keyword)
    if (isUniversal(text)) continue
    const clause = rule.match({ keyword, text, columns, query, combines })
    switch (clause.kind) {
      case 'condition':
        ;(rule.of === 'patient' ? patient : below).push(clause.condition)
        isSelective ||= clause.isSelective === true
        break
      case 'patient-test':
        tests.patient.push(clause.test)
        if (clause.condition !== undefined) patient.push(clause.condition)
        isSelective ||= clause.condition !== undefined
        break
      case 'study-test':
        tests.study.push(clause.test)
        break
      case 'series-test':
        tests.series.push(clause.test)
        break
      default:
        clause satisfies never
    }
  }
  return { patient, isSelective, below, tests }
}

const trimmed = (raw: string): string => raw.replace(/[ \0]+$/, '').trimStart()
const isUniversal = (text: string): boolean => text === '' || text === '*'
const isWildcard = (text: string): boolean => /[*?]/.test(text)

/** A column as the data set had it: values, or patterns, of which one must match. */
function plain(column: Condition): Rule['match'] {
  return ({ text }) => {
    const values = text.split('\\').map((value) => value.trim())
    const exact = values.filter((value) => !isWildcard(value))
    const conditions = values.filter(isWildcard).map((pattern) => sql`${column} like ${likeOf(pattern)}`)
    if (exact.length > 0) conditions.unshift(sql`${column} = any(${exact}::text[])`)
    return { kind: 'condition', condition: sql`(${sql.join(conditions, sql` or `)})` }
  }
}

function likeOf(pattern: string): string {
  return pattern
    .replace(/[\\%_]/g, '\\$&')
    .replaceAll('*', '%')
    .replaceAll('?', '_')
}

function whole(column: Condition): Rule['match'] {
  return ({ text, keyword }) => {
    // IS: 12 characters, and what PostgreSQL's integer holds.
    const number = /^[+-]?\d{1,11}$/.test(text) ? Number(text) : Number.NaN
    if (!Number.isInteger(number) || Math.abs(number) > 0x7fff_ffff) throw bad(keyword, 'not a number')
    return { kind: 'condition', condition: sql`${column} = ${number}` }
  }
}

function modalities({ text }: Value): Clause {
  const values = text.split('\\').map((value) => value.trim())
  const patterns = values.filter(isWildcard).map(likeOf)
  const exact = values.filter((value) => !isWildcard(value))
  const condition = sql`(s.modalities && ${exact}::text[]
    or exists (select from unnest(s.modalities) m where m like any(${patterns}::text[])))`
  return { kind: 'condition', condition }
}

function patientId({ text, columns }: Value): Clause {
  if (isWildcard(text)) {
    const matches = wildcard(text.normalize('NFC'))
    return { kind: 'patient-test', test: ({ id }) => matches(id.normalize('NFC').trim()) }
  }
  return {
    kind: 'condition',
    condition: sql`p.pid_blind = ${patientBlind(columns, text)}`,
    isSelective: true,
  }
}

function patientName({ text, columns }: Value): Clause {
  const matches = nameMatcher(text)
  const tokens = columns.patternTokens(text)
  return {
    kind: 'patient-test',
    test: ({ name }) => matches(name),
    condition: tokens.length === 0 ? undefined : sql`p.name_tokens @> ${tokens}::bigint[]`,
  }
}

function birthDate(value: Value): Clause {
  const { from = '', to = '9999-12-31' } = dateRangeOf(value)
  const isWithin = (day: string) => day >= from && day <= to
  return { kind: 'patient-test', test: ({ birthDate }) => isWithin(dayOf(birthDate) ?? '~') }
}

function accession({ text, columns }: Value): Clause {
  if (isWildcard(text)) {
    const matches = wildcard(text.normalize('NFC'))
    return { kind: 'study-test', test: ({ accession }) => matches(accession.normalize('NFC').trim()) }
  }
  return { kind: 'condition', condition: sql`s.accession_blind = ${accessionBlind(columns, text)}` }
}

function studyText(textOf: (study: StudyFound) => string): Rule['match'] {
  return ({ text }) => {
    const matches = wildcard(text)
    return { kind: 'study-test', test: (study) => matches(textOf(study).trim()) }
  }
}

function referrer({ text }: Value): Clause {
  const matches = nameMatcher(text)
  return { kind: 'study-test', test: ({ referrer }) => matches(referrer) }
}

function reader({ text }: Value): Clause {
  const matches = nameMatcher(text)
  return { kind: 'study-test', test: ({ more }) => matches(more.NameOfPhysiciansReadingStudy ?? '') }
}

function seriesText(textOf: (series: SeriesFound) => string): Rule['match'] {
  return ({ text }) => {
    const matches = wildcard(text)
    return { kind: 'series-test', test: (series) => matches(textOf(series).trim()) }
  }
}

/** One item has all that is asked for of items (PS3.4 C.2.2.2.6). */
function request({ query }: Value): Clause {
  const wanted = REQUEST.map((keyword) => {
    const text = trimmed(query[`RequestAttributesSequence.${keyword}`] ?? '')
    return { keyword, matches: isUniversal(text) ? () => true : wildcard(text) }
  })
  const isWanted = (item: Texts): boolean =>
    wanted.every(({ keyword, matches }) => matches((item[keyword] ?? '').trim()))
  return { kind: 'series-test', test: ({ more }) => more.requests.some(isWanted) }
}

function seriesDay(keyword: (typeof SERIES_MORE)[number]): Rule['match'] {
  return (value) => {
    const { from = '', to = '9999-12-31' } = dateRangeOf(value)
    const isWithin = (day: string) => day >= from && day <= to
    return {
      kind: 'series-test',
      test: ({ more }) => isWithin(dayOf(more.texts[keyword] ?? '') ?? '~'),
    }
  }
}

function seriesMoment(keyword: (typeof SERIES_MORE)[number]): Rule['match'] {
  return (value) => {
    const { from, upper } = timeRangeOf(value)
    return {
      kind: 'series-test',
      test: ({ more }) => {
        const time = (more.texts[keyword] ?? '').replaceAll(':', '').trim()
        return time !== '' && time >= from && time <= upper
      },
    }
  }
}

function studyDate(value: Value): Clause {
  const { from, to } = dateRangeOf(value)
  const time = combinedTime(value)
  if (time) return { kind: 'condition', condition: momentRange({ from, to }, time) }
  // The expression of the index that also gives the order; a study without a date is in no range.
  const low = from === undefined ? sql`${STUDY_DAY} > '-infinity'` : sql`${STUDY_DAY} >= ${from}::date`
  const high = to === undefined ? sql`true` : sql`${STUDY_DAY} <= ${to}::date`
  return { kind: 'condition', condition: sql`(${low} and ${high})` }
}

function dateRangeOf({ text, keyword }: Value): Range {
  const range = dateRange(text)
  if (range === undefined) throw bad(keyword, 'not a date or a range of dates')
  return range
}

/** The range of times that goes with the range of dates, where they are one. */
function combinedTime({ query, combines }: Value): TimeRange | undefined {
  const [date, text] = [query.StudyDate ?? '', query.StudyTime ?? ''].map(trimmed)
  const areRanges = date?.includes('-') && text?.includes('-')
  if (!combines || !areRanges || text === undefined) return undefined
  return timeRangeOf({ keyword: 'StudyTime', text })
}

function momentRange({ from, to }: Range, time: TimeRange): Condition {
  const after = (day: string) =>
    sql`(${STUDY_DAY} > ${day}::date or (${STUDY_DAY} = ${day}::date and s.study_time >= ${time.from}))`
  const before = (day: string) =>
    sql`(${STUDY_DAY} < ${day}::date or (${STUDY_DAY} = ${day}::date and s.study_time <= ${time.upper}))`
  const low = from === undefined ? sql`${STUDY_DAY} > '-infinity'` : after(from)
  return sql`(${low} and ${to === undefined ? sql`true` : before(to)})`
}

function studyTime(value: Value): Clause {
  if (combinedTime(value)) return { kind: 'condition', condition: sql`true` }
  const { from, upper } = timeRangeOf(value)
  return { kind: 'condition', condition: sql`(s.study_time >= ${from} and s.study_time <= ${upper})` }
}

function timeRangeOf({ text, keyword }: Pick<Value, 'text' | 'keyword'>): TimeRange {
  const range = timeRange(text)
  if (range === undefined) throw bad(keyword, 'not a time or a range of times')
  return range
}

function bad(keyword: string, what: string): IndexError {
  return new IndexError('BAD_QUERY', what, keyword)
}
