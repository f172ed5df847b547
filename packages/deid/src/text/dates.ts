// Full dates in free text.  text ─findDates→ spans ─shiftDatesInText | removeDatesInText→ text
//
// Invariants: only what is a valid civil date between 1850 and 2100 counts; a run of digits that is part of a longer
// number, of a UID or of a version number does not; a shifted date keeps its spelling (order, separators, leading
// zeros, language and case of the month). Where 05/06/2019 can be read both ways it is marked ambiguous and read
// month first (US), with dots day first (Europe): by whole days it then stays a plausible date of the same spelling.

import { type CivilDate, isCivilDate, pad, shiftCivil } from '../dates.ts'
import { MONTH_PATTERN, monthLike, monthNumber } from './months.ts'
import { type TextSpan, withoutOverlaps } from './spans.ts'

const FIRST_YEAR = 1850
const LAST_YEAR = 2100
/** Two digits: 50 to 99 are 19xx. */
const PIVOT = 50

type Field = 'year' | 'month' | 'day'
type Part = { readonly field: Field; readonly start: number; readonly text: string }

export type DateSpan = TextSpan & {
  readonly kind: 'date'
  readonly date: CivilDate
  /** Day and month could be exchanged and it were still a date. */
  readonly ambiguous: boolean
  /** The other reading of an ambiguous date. */
  readonly other?: CivilDate
  /** Where year, month and day stand in the text. */
  readonly parts: readonly Part[]
}

type Spelling = {
  readonly name: string
  readonly pattern: RegExp
  /** Which capture is which field; 'dm' and 'md' are decided by value. */
  readonly fields: readonly Field[] | 'numeric'
}

const DAY = '(\\d{1,2})(?:st|nd|rd|th|er|º|\\.)?'
const MONTH = `(${MONTH_PATTERN})`
const GAP = '(?:[\\s.,/_-]{1,2}|\\s(?:of|de|del|den)\\s)'
/** Not inside a longer number: UID arcs, decimals. */
const NOT_AFTER = '(?<![\\d])(?<!\\d\\.)'
const NOT_BEFORE = '(?!\\d)(?!\\.\\d)'
/** A version is announced as one. */
const NO_VERSION =
  '(?<!\\b(?:v|v[a-z]\\d*[a-z]?|ver|vers|version|rev|rel|release|sw|software|build|fw)[\\s.:#]{0,3})'
const CLOCK = '(?:[01]\\d|2[0-3])[0-5]\\d[0-5]\\d'
const YMD: readonly Field[] = ['year', 'month', 'day']

const SPELLINGS: readonly Spelling[] = [
  {
    name: '20190521, 20190521143022, 20190521.143022',
    pattern: new RegExp(
      `${NOT_AFTER}(\\d{4})(\\d{2})(\\d{2})(?:${CLOCK}(?!\\d)|(?=\\.${CLOCK})|${NOT_BEFORE})`,
      'dgiu',
    ),
    fields: YMD,
  },
  {
    name: '2019-05-21, 2019.5.21, 2019/05/21, 2019_05_21',
    pattern: new RegExp(`${NOT_AFTER}(\\d{4})([-./_])(\\d{1,2})\\2(\\d{1,2})(?!\\d)`, 'dgiu'),
    fields: YMD,
  },
  {
    name: '2019 05 21',
    pattern: new RegExp(`${NOT_AFTER}(?<![\\d] )(\\d{4}) (\\d{2}) (\\d{2})${NOT_BEFORE}(?! \\d)`, 'dgiu'),
    fields: YMD,
  },
  {
    name: '2019年5月21日',
    pattern: /(?<!\d)(\d{4})\s?[年년]\s?(\d{1,2})\s?[月월]\s?(\d{1,2})(?!\d)/dgu,
    fields: YMD,
  },
  {
    name: '05/21/2019, 21.05.2019, 5-21-19',
    pattern: new RegExp(
      `${NO_VERSION}(?<!\\d)(?<!\\d[-./_])(\\d{1,2})([-./_])(\\d{1,2})\\2(\\d{4}|\\d{2})(?!\\d|[-./_]\\d)`,
      'dgiu',
    ),
    fields: 'numeric',
  },
  {
    name: '21-May-2019, 21 May 2019, 21MAY2019, 21. Mai 2019, 21 de mayo de 2019, 21-May-19',
    pattern: new RegExp(
      `(?<!\\d)(?<!\\d[.,])${DAY}${GAP}?${MONTH}(?:${GAP}?(\\d{4})(?!\\d)|[-./ ]?'?(\\d{2})(?![\\d:%]|[.,]\\d))`,
      'dgiu',
    ),
    fields: ['day', 'month', 'year', 'year'],
  },
  {
    name: 'May 21, 2019, MAY-21-2019, May 21 10:30:00 CET 2019',
    pattern: new RegExp(
      `(?<!\\p{L})${MONTH}${GAP}?${DAY}(?:,\\s?|${GAP}|(?<=\\d\\d)(?=\\d{4}))(?:\\d{2}:\\d{2}(?::\\d{2})?(?:\\s[A-Z]{2,4})?\\s)?(\\d{4})(?!\\d)`,
      'dgiu',
    ),
    fields: ['month', 'day', 'year'],
  },
  {
    name: '2019-May-21, 2019 May 21, 2019MAY21',
    pattern: new RegExp(`(?<!\\d)(?<!\\d\\.)(\\d{4})${GAP}?${MONTH}${GAP}?(\\d{1,2})(?![\\d:])`, 'dgiu'),
    fields: YMD,
  },
]

const NUMERIC_HINT = /\d{8}|\d[-./_]\d{1,2}[-./_]\d|\d{4} \d\d \d\d|\d\s?[年년]/
const MONTH_HINT = new RegExp(`(?:${MONTH_PATTERN})`, 'iu')

/** Full dates, in order, none overlapping. */
export function findDates(text: string): readonly DateSpan[] {
  if (text.length < 6 || !/\d/.test(text)) return []
  const numeric = NUMERIC_HINT.test(text)
  const named = MONTH_HINT.test(text)
  if (!numeric && !named) return []
  const spans: DateSpan[] = []
  SPELLINGS.forEach(({ pattern, fields }, index) => {
    if (index < 5 ? !numeric : !named) return
    for (const match of text.matchAll(pattern)) {
      const span = fields === 'numeric' ? readNumeric(match) : readOrdered(match, fields)
      if (span !== undefined) spans.push(span)
    }
  })
  return withoutOverlaps(spans)
}

/** The same spelling, whole days later; undefined where the calendar ends. */
export function shiftedSpelling(text: string, span: DateSpan, days: number): string | undefined {
  const shifted = shiftCivil(span.date, days)
  if (shifted === undefined) return undefined
  let out = ''
  let at = span.start
  for (const part of [...span.parts].sort((a, b) => a.start - b.start)) {
    out += text.slice(at, part.start) + respell(part, shifted)
    at = part.start + part.text.length
  }
  return out + text.slice(at, span.end)
}

export function shiftDatesInText(text: string, days: number): string {
  return rewrite(text, (span) => shiftedSpelling(text, span, days) ?? '')
}

export function removeDatesInText(text: string, placeholder: string): string {
  return rewrite(text, () => placeholder)
}

function rewrite(text: string, replace: (span: DateSpan) => string): string {
  let out = ''
  let at = 0
  for (const span of findDates(text)) {
    out += text.slice(at, span.start) + replace(span)
    at = span.end
  }
  return out + text.slice(at)
}

function respell(part: Part, date: CivilDate): string {
  const number = date[part.field]
  if (part.field === 'month' && /\p{L}/u.test(part.text)) return monthLike(part.text, number)
  if (part.field === 'year') return pad(part.text.length === 2 ? number % 100 : number, part.text.length)
  const padded = part.text.length === 2 && (part.text.startsWith('0') || Number(part.text) > 9)
  return padded ? pad(number, 2) : String(number)
}

function readOrdered(match: RegExpExecArray, fields: readonly Field[]): DateSpan | undefined {
  const all = captures(match)
  const groups = all.filter(({ text }) => !/^[-./_]$/.test(text))
  const parts: Part[] = []
  groups.forEach((group, index) => {
    const field = fields[index]
    if (field !== undefined) parts.push({ ...group, field })
  })
  const date = dateFrom(parts)
  return date && spanOf(match, parts, { date, ambiguous: false })
}

function readNumeric(match: RegExpExecArray): DateSpan | undefined {
  const [first, separator, second, year] = captures(match)
  if (first === undefined || second === undefined || separator === undefined || year === undefined)
    return undefined
  // Two digits of a year with dots or hyphens are as likely a version or a range, unless all are two digits.
  if (year.text.length === 2 && separator.text !== '/' && (first.text.length < 2 || second.text.length < 2))
    return undefined
  const read = (a: Field, b: Field): Part[] => [
    { ...first, field: a },
    { ...second, field: b },
    { ...year, field: 'year' },
  ]
  const monthFirst = read('month', 'day')
  const dayFirst = read('day', 'month')
  const us = dateFrom(monthFirst)
  const eu = dateFrom(dayFirst)
  const european = eu !== undefined && (us === undefined || separator.text === '.')
  const date = european ? eu : us
  if (date === undefined) return undefined
  const other = european ? us : eu
  const ambiguous = other !== undefined && first.text !== second.text
  const reading = ambiguous ? { date, ambiguous, other } : { date, ambiguous }
  return spanOf(match, european ? dayFirst : monthFirst, reading)
}

type Reading = Pick<DateSpan, 'date' | 'ambiguous' | 'other'>

function spanOf(match: RegExpExecArray, parts: readonly Part[], reading: Reading): DateSpan {
  const end = parts.reduce((last, part) => Math.max(last, part.start + part.text.length), 0)
  const start = parts.reduce((least, part) => Math.min(least, part.start), match.index + match[0].length)
  return { kind: 'date', start, end, parts, ...reading }
}

function captures(match: RegExpExecArray): readonly { readonly start: number; readonly text: string }[] {
  const found: { start: number; text: string }[] = []
  for (let i = 1; i < match.length; i++) {
    const start = match.indices?.[i]?.[0]
    const text = match[i]
    if (start !== undefined && text !== undefined) found.push({ start, text })
  }
  return found
}

function dateFrom(parts: readonly Part[]): CivilDate | undefined {
  let year = 0
  let month = 0
  let day = 0
  for (const { field, text } of parts) {
    if (field === 'year') year = fullYear(text)
    else if (field === 'month') month = /^\d/.test(text) ? Number(text) : (monthNumber(text) ?? 0)
    else day = Number(text)
  }
  const date = { year, month, day }
  return year >= FIRST_YEAR && year <= LAST_YEAR && isCivilDate(date) ? date : undefined
}

function fullYear(text: string): number {
  const number = Number(text)
  if (text.length > 2) return number
  return number + (number >= PIVOT ? 1900 : 2000)
}
