// The value of a query's attribute as tests (PS3.4 C.2.2.2): what the VR allows, and nothing else.
//
//   "SMI*" (PN) → [pattern]    "20200101-" (DA) → [range]    "1.2,1.3" (UI) → [single, single]    "" → []: universal
//
// One of the tests has to hold. No test at all holds for everything.

import type { Vr } from '@roentgate/dicom'
import { isUid } from './uid-text.ts'

export type Test =
  | { readonly kind: 'single'; readonly value: string }
  /** `*` is any text, `?` is any character; C.2.2.2.4. */
  | { readonly kind: 'pattern'; readonly pattern: string }
  /** Inclusive; one end at least is there. C.2.2.2.5. */
  | { readonly kind: 'range'; readonly from: string | undefined; readonly to: string | undefined }
  /** No value, or no attribute. C.2.2.2.7. */
  | { readonly kind: 'empty' }

export type Matching = {
  /** Empty value matching was asked for: two quotation marks are no text. */
  readonly emptyValues: boolean
  /** Multiple value matching was: a backslash stands between values. */
  readonly multipleValues: boolean
  /** Values of one attribute. */
  readonly maxValues: number
}

type Kind =
  | 'text'
  | 'one-text'
  | 'code'
  | 'uid'
  | 'date'
  | 'time'
  | 'date-time'
  | 'integer'
  | 'decimal'
  | 'age'
  | 'tag'
  | 'none'

/** How each VR is matched. `one-text` holds backslashes of its own; `none` is bytes and items. */
const KINDS: Readonly<Record<Vr, Kind>> = {
  AE: 'text', AS: 'age', AT: 'tag', CS: 'code', DA: 'date', DS: 'decimal', DT: 'date-time', FD: 'decimal',
  FL: 'decimal', IS: 'integer', LO: 'text', LT: 'one-text', OB: 'none', OD: 'none', OF: 'none', OL: 'none',
  OV: 'none', OW: 'none', PN: 'text', SH: 'text', SL: 'integer', SQ: 'none', SS: 'integer', ST: 'one-text',
  SV: 'integer', TM: 'time', UC: 'text', UI: 'uid', UL: 'integer', UN: 'text', UR: 'one-text', US: 'integer',
  UT: 'one-text', UV: 'integer',
} // biome-ignore format: one table

const DATE = '\\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\\d|3[01])'
const TIME = '(?:[01]\\d|2[0-3])(?:[0-5]\\d(?:(?:[0-5]\\d|60)(?:\\.\\d{1,6})?)?)?'
/** PS3.5 6.2: -1200 to +1400. A hyphen and four digits beyond that are the end of a range. */
const ZONE = '(?:[+-](?:0\\d|1[0-2])[0-5]\\d|\\+1[34][0-5]\\d)'
const MOMENT = `(?:\\d{4}(?:0[1-9]|1[0-2])?|${DATE}(?:${TIME})?)(?:${ZONE})?`

/** The whole of a value, for those that have a form. */
const FORMS: Readonly<Partial<Record<Kind, RegExp>>> = {
  date: new RegExp(`^${DATE}$`),
  time: new RegExp(`^${TIME}$`),
  'date-time': new RegExp(`^${MOMENT}$`),
  integer: /^[+-]?\d{1,20}$/,
  decimal: /^[+-]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[Ee][+-]?\d{1,3})?$/,
  age: /^\d{3}[DWMY]$/,
  tag: /^[0-9A-Fa-f]{8}$/,
}
const RANGES: Readonly<Partial<Record<Kind, RegExp>>> = {
  date: new RegExp(`^(${DATE})?-(${DATE})?$`),
  time: new RegExp(`^(${TIME})?-(${TIME})?$`),
  'date-time': new RegExp(`^(${MOMENT})?-(${MOMENT})?$`),
}

/** C.2.2.2.7. */
const EMPTY = '""'

/** Undefined where the VR does not match by such a value. */
export function testsOf(value: string, vr: Vr, matching: Matching): readonly Test[] | undefined {
  const kind = KINDS[vr]
  const trimmed = value.trim()
  if (trimmed === '' || trimmed === '*') return []
  if (kind === 'none' || /[\x00-\x08\x0b\x0e-\x1f\x7f]/.test(trimmed)) return undefined
  const values = valuesOf(trimmed, kind, matching)
  if (values === undefined || values.length > matching.maxValues) return undefined
  const tests: Test[] = []
  for (const each of values) {
    // Any text is one of the alternatives.
    if (each === '*') return []
    const test = matching.emptyValues && each === EMPTY ? { kind: 'empty' as const } : testOf(each, kind)
    if (test === undefined) return undefined
    tests.push(test)
  }
  return tests
}

/** UIDs come in lists anyway (C.2.2.2.2); so do codes, which hold no commas, from viewers that ask for modalities. */
function valuesOf(text: string, kind: Kind, { multipleValues }: Matching): readonly string[] | undefined {
  if (kind === 'one-text') return [text]
  if (kind === 'uid' || kind === 'code') return pieces(text, /[\\,]/)
  if (!text.includes('\\')) return [text]
  return multipleValues ? pieces(text, /\\/) : undefined
}

function pieces(text: string, separator: RegExp): readonly string[] {
  return text
    .split(separator)
    .map((each) => each.trim())
    .filter((each) => each !== '')
}

function testOf(text: string, kind: Kind): Test | undefined {
  switch (kind) {
    case 'text':
    case 'one-text':
    case 'code':
      return /[*?]/.test(text) ? { kind: 'pattern', pattern: text } : { kind: 'single', value: text }
    case 'uid':
      return isUid(text) ? { kind: 'single', value: text } : undefined
    case 'date':
    case 'time':
    case 'date-time':
      return FORMS[kind]?.test(text) === true ? { kind: 'single', value: text } : rangeOf(text, kind)
    case 'integer':
    case 'decimal':
    case 'age':
    case 'tag':
      return FORMS[kind]?.test(text) === true ? { kind: 'single', value: text } : undefined
    case 'none':
      return undefined
    default:
      return kind satisfies never
  }
}

function rangeOf(text: string, kind: Kind): Test | undefined {
  const match = RANGES[kind]?.exec(text)
  if (!match || (match[1] === undefined && match[2] === undefined)) return undefined
  return { kind: 'range', from: match[1], to: match[2] }
}
