// Dates by whole days.  DA, DT ─shift→ DA, DT      DA ─yearOnly→ DA      DA → the spellings it may have in text
//
// Invariants: shift(b) - shift(a) = b - a, and shifting back gives the value again, for every full date of the
// proleptic Gregorian calendar from 0001-01-01 to 9999-12-31; what cannot be read, or would leave those years, is
// undefined, so that the caller fails closed. A blank value stays blank. TM is not here: a shift by whole days leaves
// the time of day, past midnight too, as it is.

import { ENGLISH_LONG, ENGLISH_SHORT } from './text/months.ts'

export type CivilDate = { readonly year: number; readonly month: number; readonly day: number }

const MONTH_LENGTHS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

export function daysInMonth(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0
  return month === 2 && leap ? 29 : (MONTH_LENGTHS[month - 1] ?? 0)
}

export function isCivilDate({ year, month, day }: CivilDate): boolean {
  return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)
}

/** Days since 1970-01-01, in eras of 400 years counted from March. */
export function toDays({ year, month, day }: CivilDate): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146097 + dayOfEra - 719468
}

export function fromDays(days: number): CivilDate {
  const z = days + 719468
  const era = Math.floor(z / 146097)
  const doe = z - era * 146097
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36524) - Math.floor(doe / 146096)) / 365,
  )
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100))
  const mp = Math.floor((5 * doy + 2) / 153)
  const month = mp < 10 ? mp + 3 : mp - 9
  return {
    year: yoe + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: doy - Math.floor((153 * mp + 2) / 5) + 1,
  }
}

export function shiftCivil(date: CivilDate, days: number): CivilDate | undefined {
  const shifted = fromDays(toDays(date) + days)
  return isCivilDate(shifted) ? shifted : undefined
}

/** DA, the legacy 'YYYY.MM.DD' of ACR-NEMA (PS3.5 Table 6.2-1, note 1 of DA) included; no ranges. */
export function parseDa(value: string): CivilDate | undefined {
  const match = /^(\d{4})(\.?)(\d{2})\2(\d{2})$/.exec(bare(value))
  if (match === null) return undefined
  const date = { year: Number(match[1]), month: Number(match[3]), day: Number(match[4]) }
  return isCivilDate(date) ? date : undefined
}

/** One DA value, or a range 'A-B', 'A-', '-B' (PS3.4 C.2.2.2.5), in the form in which it stood. */
export function shiftDa(value: string, days: number): string | undefined {
  return eachOfRange(bare(value), /^([\d.]*)-([\d.]*)$/, (one) => {
    const date = parseDa(one)
    const shifted = date && shiftCivil(date, days)
    return shifted && formatDa(shifted, one.includes('.') ? '.' : '')
  })
}

type DateTime = { readonly digits: string; readonly fraction: string; readonly offset: string }

/**
 * One DT value 'YYYYMMDDHHMMSS.FFFFFF&ZZXX' or a range of two. The local day moves, time and offset stay. A value cut
 * to YYYY or YYYYMM has no day to move: the first day of the period is shifted and cut again, so that such a value
 * keeps its precision and its interval to full dates within one period.
 */
export function shiftDt(value: string, days: number): string | undefined {
  return eachDt(value, ({ digits, fraction, offset }) => {
    const date = dateOf(digits)
    const shifted = date && shiftCivil(date, days)
    if (shifted === undefined) return undefined
    return formatDa(shifted, '').slice(0, digits.length) + digits.slice(8) + fraction + offset
  })
}

/** The first of January of the same year: DA has no way to say a year alone. */
export function yearOnlyDa(value: string): string | undefined {
  return eachOfRange(bare(value), /^([\d.]*)-([\d.]*)$/, (one) => {
    const date = parseDa(one)
    return date && formatDa({ year: date.year, month: 1, day: 1 }, one.includes('.') ? '.' : '')
  })
}

/** 'YYYY0101': DT may say 'YYYY' alone, but too many readers expect at least a day. */
export function yearOnlyDt(value: string): string | undefined {
  return eachDt(value, ({ digits }) => dateOf(digits) && `${digits.slice(0, 4)}0101`)
}

/** Full years between two DA values; undefined where one cannot be read. */
export function ageInYears(birthDa: string, thenDa: string): number | undefined {
  const birth = parseDa(birthDa)
  const then = parseDa(thenDa)
  if (birth === undefined || then === undefined) return undefined
  const before = then.month < birth.month || (then.month === birth.month && then.day < birth.day)
  return then.year - birth.year - (before ? 1 : 0)
}

/**
 * How a known date may be written in free text, lower case, none twice. Two-digit years and day-first, month-first
 * and year-first orders included, with and without leading zeros.
 */
export function dateSpellings(da: string): readonly string[] {
  const date = parseDa(da)
  if (date === undefined) return []
  const y = pad(date.year, 4)
  const yy = y.slice(2)
  const mm = pad(date.month, 2)
  const dd = pad(date.day, 2)
  const m = String(date.month)
  const d = String(date.day)
  const out = new Set<string>([`${y}${mm}${dd}`, `${mm}${dd}${y}`, `${dd}${mm}${y}`])
  for (const s of ['-', '.', '/']) {
    for (const [month, day] of [
      [mm, dd],
      [m, d],
    ] as const) {
      out.add([y, month, day].join(s))
      out.add([month, day, y].join(s)).add([day, month, y].join(s))
      out.add([month, day, yy].join(s)).add([day, month, yy].join(s))
    }
    out.add([yy, mm, dd].join(s))
  }
  for (const name of [ENGLISH_SHORT[date.month - 1] ?? '', ENGLISH_LONG[date.month - 1] ?? '']) {
    for (const day of [dd, d]) {
      for (const year of [y, yy]) for (const s of ['', '-', ' ', '/', '.']) out.add([day, name, year].join(s))
      for (const s of ['', '-', ' ']) out.add([y, name, day].join(s)).add([name, dd, y].join(s))
      out.add(`${name} ${day}, ${y}`).add(`${name} ${day} ${y}`).add(`${name}-${day}-${y}`)
    }
  }
  return [...out]
}

export function formatDa({ year, month, day }: CivilDate, separator: '' | '.' | '-' | '/'): string {
  return pad(year, 4) + separator + pad(month, 2) + separator + pad(day, 2)
}

export function pad(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

/** PS3.5 Table 6.2-1: trailing spaces are padding; files pad with NUL too. */
function bare(value: string): string {
  return value.replace(/^[\0\s]+|[\0\s]+$/g, '')
}

type ShiftOne = (one: string) => string | undefined

function eachOfRange(value: string, range: RegExp, change: ShiftOne): string | undefined {
  if (value === '') return ''
  const match = range.exec(value)
  if (match === null) return change(value)
  const [, from = '', to = ''] = match
  if (from === '' && to === '') return undefined
  const a = from === '' ? '' : change(from)
  const b = to === '' ? '' : change(to)
  return a === undefined || b === undefined ? undefined : `${a}-${b}`
}

function eachDt(value: string, change: (dt: DateTime) => string | undefined): string | undefined {
  const whole = bare(value)
  if (whole === '') return ''
  const one = parseDt(whole)
  if (one !== undefined) return change(one)
  // A hyphen is also the sign of an offset, so that only splits whose both sides can be read are ranges.
  for (let at = whole.indexOf('-'); at >= 0; at = whole.indexOf('-', at + 1)) {
    const [from, to] = [whole.slice(0, at), whole.slice(at + 1)]
    const a = from === '' ? undefined : parseDt(from)
    const b = to === '' ? undefined : parseDt(to)
    if ((from !== '' && a === undefined) || (to !== '' && b === undefined)) continue
    const first = a === undefined ? '' : change(a)
    const second = b === undefined ? '' : change(b)
    const blank = a === undefined && b === undefined
    return blank || first === undefined || second === undefined ? undefined : `${first}-${second}`
  }
  return undefined
}

/** PS3.5 Table 6.2-1, DT: components may be missing from the right; the offset is -1200 to +1400. */
function parseDt(value: string): DateTime | undefined {
  const match = /^(\d{4}(?:\d{2}){0,5})(\.\d{1,6})?([+-]\d{4})?$/.exec(value)
  const digits = match?.[1]
  if (match === null || digits === undefined || dateOf(digits) === undefined) return undefined
  const fraction = match[2] ?? ''
  const offset = match[3] ?? ''
  if (fraction !== '' && digits.length !== 14) return undefined
  const two = (at: number) => Number(digits.slice(at, at + 2))
  if (two(8) > 23 || two(10) > 59 || two(12) > 60) return undefined
  const hours = Number(offset.slice(1, 3))
  if (Number(offset.slice(3)) > 59 || hours > (offset.startsWith('-') ? 12 : 14)) return undefined
  return { digits, fraction, offset }
}

function dateOf(digits: string): CivilDate | undefined {
  return parseDa(digits.length < 8 ? digits.slice(0, 6).padEnd(6, '01').padEnd(8, '01') : digits.slice(0, 8))
}
