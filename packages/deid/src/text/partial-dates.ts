// Dates without all their parts: 'May 2019', '05/2019', '2019-05', '21 May', 'March 3rd'. Safe Harbor lets the year
// stay and nothing finer (45 CFR 164.514(b)(2)(i)(C)); a shift by days cannot move them. The year is left standing.

import { ENGLISH_LONG, ENGLISH_SHORT, MONTH_LISTS } from './months.ts'
import { type TextSpan, withoutOverlaps } from './spans.ts'

/** English, and what is long enough in other languages to be no other word: `set`, `out` and `mar` are words. */
const NAMES = [
  ...new Set([
    ...ENGLISH_LONG,
    ...ENGLISH_SHORT,
    'sept',
    ...MONTH_LISTS.flat().filter((name) => name.length > 4),
  ]),
]
  .sort((a, b) => b.length - a.length)
  .join('|')

const YEAR = '(?:19|20)\\d\\d'
const EDGE = '(?<![\\p{L}\\p{N}])'
const ORDINAL = '(?:st|nd|rd|th)?'
/** A number that is a measurement is no day. */
const NO_UNIT =
  '(?![\\p{L}\\p{N}]|[.,:/]\\d|\\s?(?:mm|cm|ml|mg|kg|%|x|×|of|to|am|pm|days?|weeks?|months?)(?!\\p{L}))'

/** Each leaves what follows its match: the year. */
const FORMS: readonly RegExp[] = [
  new RegExp(`${EDGE}(?:${NAMES})\\.?,?[\\s-](?=${YEAR}(?!\\d))`, 'giu'),
  new RegExp(`(?<![\\d/.-])(?:0?[1-9]|1[0-2])[/](?=${YEAR}(?![\\d/.-]))`, 'gu'),
  new RegExp(`(?<=(?<![\\d/.-])${YEAR})-(?:0[1-9]|1[0-2])(?![\\p{L}\\p{N}/.-])`, 'gu'),
  new RegExp(`${EDGE}(?:[12]?\\d|3[01])${ORDINAL}\\.?[\\s-](?:of )?(?:${NAMES})(?![\\p{L}])`, 'giu'),
  new RegExp(`${EDGE}(?:${NAMES})\\.?[\\s-](?:[12]\\d|3[01]|0?[1-9])${ORDINAL}${NO_UNIT}`, 'giu'),
]

/** `may` is a month where it is written as a name. */
const VERB = /(?:^|[^\p{L}])(?:may|march|mar|dec|sep)(?![\p{L}])/u
const HINT = /\d/

export function findPartialDates(text: string): readonly TextSpan[] {
  if (!HINT.test(text)) return []
  const spans: TextSpan[] = []
  for (const form of FORMS) {
    for (const match of text.matchAll(form)) {
      if (!VERB.test(match[0]))
        spans.push({ kind: 'date', start: match.index, end: match.index + match[0].length })
    }
  }
  return withoutOverlaps(spans)
}
