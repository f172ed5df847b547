// What must not be found again: the source's identifiers as things to look for, in the forms in which a person or a
// program could have written them. Own code on purpose: of the text cleaning that it checks only the list of plain
// words is shared, which is data.

import type { Identifier } from '../text/identifiers.ts'
import { isPlainWord } from '../text/vocabulary.ts'

export type NeedleKind = Identifier['kind']

/** One thing to look for. `exact` needs no word boundary (ideographs); `whole` only counts as a whole value. */
export type Needle = {
  readonly kind: NeedleKind
  readonly text: string
  readonly form: 'word' | 'inside' | 'whole'
}

/** Shorter ones occur in every file by chance; they count only as a whole value. */
const MIN_NAME = 4
const MIN_ID = 5
const MIN_WIDE = 2
const MIN_WHOLE = 3

const ASCII = /^[\0-\x7f]*$/
const WIDE = /[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\u{20000}-\u{3ffff}]/u

export function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase()
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
}

export function needlesOf(identifiers: readonly Identifier[]): readonly Needle[] {
  const needles = new Map<string, Needle>()
  const add = (needle: Needle): void => {
    if (needle.text.length >= (WIDE.test(needle.text) ? MIN_WIDE : MIN_WHOLE))
      needles.set(`${needle.form}\u0000${needle.text}`, needle)
  }
  for (const identifier of identifiers) for (const needle of formsOf(identifier)) add(needle)
  return [...needles.values()]
}

function formsOf({ kind, value }: Identifier): readonly Needle[] {
  switch (kind) {
    case 'name':
    case 'person':
      return nameForms(kind, value)
    case 'date':
      return dateForms(value)
    case 'uid':
      return []
    case 'phone':
      return digitsForm(kind, value, 7)
    case 'id':
    case 'accession':
    case 'other':
      return idForms(kind, value)
    case 'address':
    case 'institution':
      return wholeAndLong(kind, value, 8)
    default:
      return kind satisfies never
  }
}

/** A whole value, unless it says nothing about anybody. */
function whole(kind: NeedleKind, text: string): Needle[] {
  return isCommon(text) && !/\d/.test(text) ? [] : [{ kind, text, form: 'whole' }]
}

/** Every word of it: of the trade, of DICOM, or of what an output says about its own de-identification. */
function isCommon(text: string): boolean {
  return text.split(/[^\p{L}\p{N}]+/u).every((word) => COMMON.has(word) || isPlainWord(word))
}

function nameForms(kind: NeedleKind, value: string): readonly Needle[] {
  const needles: Needle[] = whole(kind, fold(value))
  for (const group of value.split('=')) {
    const parts = group
      .split('^')
      .map((part) => fold(part).trim())
      .filter((part) => part !== '')
    const [family, given] = parts
    if (family && given) {
      const bare = isCommon(family) && isCommon(given) ? [] : [`${family} ${given}`, `${given} ${family}`]
      for (const joined of [`${family}^${given}`, `${family}, ${given}`, `${family},${given}`, ...bare]) {
        needles.push({ kind, text: joined, form: WIDE.test(joined) ? 'inside' : 'word' })
      }
    }
    if (family && WIDE.test(family) && given && (family + given).length > MIN_WIDE) {
      needles.push({ kind, text: family + given, form: 'inside' })
    }
    // Alone, only the family name, where it is long enough not to be a word of the trade.
    if (kind === 'name' && family && family.length >= MIN_NAME && !WIDE.test(family) && !isCommon(family)) {
      needles.push({ kind, text: family, form: 'word' })
    }
  }
  return needles
}

/** Names that are also words of every report; alone they prove nothing, beside a given name they do. */
const COMMON: ReadonlySet<string> = new Set(
  (
    'test patient anonymous anonymized anonymised anon unknown phantom volunteer subject case study series image head ' +
    'chest lung brain heart hand foot knee neck spine liver white black brown green gray grey long short small young ' +
    'large left right male female adult child water field cross stone wood hill lane rose king bishop page bone face ' +
    'parkinson foley cooper baker hodgkin graves wilson crohn addison bell april june august may ' +
    'name none null empty removed deidentified research public example sample demo data dicom image scan contrast ' +
    'quality control calibration daily service system training clinical trial model human animal mouse ' +
    // CID 7050 and our own marks.
    'private basic application confidentiality profile clean pixel option recognizable visual features graphics ' +
    'structured content descriptors retain longitudinal temporal information full dates modified characteristics ' +
    'device identity uids safe institution roentgate recipe digest'
  ).split(' '),
)

function idForms(kind: NeedleKind, value: string): readonly Needle[] {
  const text = fold(value).trim()
  const needles: Needle[] = whole(kind, text)
  if (text.length >= MIN_ID && /\d/.test(text) && !COMMON.has(text)) {
    needles.push({ kind, text, form: 'word' })
    const bare = text.replace(/[\s._/-]+/g, '')
    if (bare.length >= MIN_ID && bare !== text) needles.push({ kind, text: bare, form: 'word' })
  }
  return needles
}

function digitsForm(kind: NeedleKind, value: string, min: number): readonly Needle[] {
  const digits = value.replace(/\D+/g, '')
  const needles: Needle[] = whole(kind, fold(value).trim())
  if (digits.length >= min)
    needles.push({ kind, text: digits, form: 'word' }, { kind, text: fold(value).trim(), form: 'word' })
  return needles
}

function wholeAndLong(kind: NeedleKind, value: string, min: number): readonly Needle[] {
  const text = fold(value).trim()
  const needles: Needle[] = whole(kind, text)
  if (text.length >= min && /\s/.test(text)) needles.push({ kind, text, form: 'word' })
  return needles
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const LONG_MONTHS = [
  'january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december',
] // biome-ignore format: one row

/** A DA in the spellings people write. */
function dateForms(value: string): readonly Needle[] {
  const match = /^(\d{4})\.?(\d{2})\.?(\d{2})$/.exec(value.trim())
  if (!match) return []
  const [, y = '', m = '', d = ''] = match
  const month = MONTHS[Number(m) - 1]
  const long = LONG_MONTHS[Number(m) - 1]
  if (!month || !long) return []
  const [sm, sd] = [String(Number(m)), String(Number(d))]
  const texts = new Set([y + m + d])
  for (const separator of ['-', '/', '.', ' ']) {
    texts.add([y, m, d].join(separator))
    texts.add([m, d, y].join(separator))
    texts.add([d, m, y].join(separator))
    texts.add([sm, sd, y].join(separator))
    texts.add([sd, sm, y].join(separator))
  }
  for (const name of [month, long]) {
    for (const day of new Set([d, sd])) {
      for (const separator of ['-', ' ', '']) texts.add(`${day}${separator}${name}${separator}${y}`)
      texts.add(`${name} ${day}, ${y}`)
      texts.add(`${name} ${day} ${y}`)
    }
  }
  return [...texts].map((text) => ({ kind: 'date', text, form: 'word' }))
}
