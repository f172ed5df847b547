// Ages under HIPAA Safe Harbor, 45 CFR 164.514(b)(2)(i)(C): all ages over 89 become one category, "90 or older".
//
//   AS value ─capAge→ AS value        text ─capAgesInText→ text, digits → '90+'

import { ageInYears } from './dates.ts'
import type { TextSpan } from './text/spans.ts'

/** AS has no other way to say "90 or older" (PS3.5 Table 6.2-1: nnnY). */
export const OLDEST = '090Y'
export const OLDEST_IN_TEXT = '90+'

const PER_YEAR: Readonly<Record<string, number>> = { D: 365.25, W: 365.25 / 7, M: 12, Y: 1 }

/**
 * '089Y' stays, '090Y' and above become '090Y'; days, weeks and months are converted first (1200M → 090Y). Blank stays
 * blank; what cannot be read is undefined, so that the caller removes it.
 */
export function capAge(value: string): string | undefined {
  const trimmed = value.replace(/\0/g, '').trim()
  if (trimmed === '') return ''
  const match = /^(\d{1,6})([DWMY])$/i.exec(trimmed)
  if (match === null) return undefined
  const perYear = PER_YEAR[(match[2] ?? '').toUpperCase()] ?? 1
  return Number(match[1]) / perYear >= 90 ? OLDEST : value
}

/** Was the patient 90 or older on that day? undefined where a date cannot be read. */
export function impliesOver89(birthDa: string, studyDa: string): boolean | undefined {
  const years = ageInYears(birthDa, studyDa)
  return years === undefined ? undefined : years >= 90
}

const OVER_89 = '(?:9\\d|1[0-4]\\d)'
// '90Y' alone is yttrium-90, so that a bare Y counts only in the three-digit form of AS.
const UNIT =
  '(?:y\\s?/\\s?o|y\\.?\\s?o\\.?(?![a-z])|yrs?(?![a-z])|years?(?![a-z])|ans(?![a-z])|jahre|j[äa]hrige?[rn]?|años|anos|anni|jaar|år|лет)'
const AGE = new RegExp(
  [
    `(?<![\\d.])${OVER_89}(?=[\\s-]{0,2}${UNIT})`,
    `(?<=(?<![\\p{L}])(?:aged?|alter|[âa]ge|edad|et[àa]|leeftijd|(?:patient|pt)'?s? age)\\s{0,2}[:=]?\\s{0,2}(?:of\\s|de\\s)?)${OVER_89}(?![\\d+%]|\\.\\d)`,
    '(?<![\\w.])(?:09[1-9]|1[0-4]\\d)Y(?![\\w])',
  ].join('|'),
  'giu',
)
const HINT = /9\d|1[0-4]\d/

/** Ages over 89 in free text: "95-year-old", "95 y/o", "aged 95", "95 ans", "age: 101", "095Y". */
export function findAges(text: string): readonly TextSpan[] {
  if (!HINT.test(text)) return []
  const spans: TextSpan[] = []
  for (const match of text.matchAll(AGE)) {
    const replacement = /Y$/i.test(match[0]) ? OLDEST : OLDEST_IN_TEXT
    spans.push({ start: match.index, end: match.index + match[0].length, kind: 'age', replacement })
  }
  return spans
}

export function capAgesInText(text: string): string {
  let out = ''
  let at = 0
  for (const span of findAges(text)) {
    out += text.slice(at, span.start) + (span.replacement ?? '')
    at = span.end
  }
  return out + text.slice(at)
}
