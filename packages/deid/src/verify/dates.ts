// The source's dates in the free text of the output: looked for one by one, in the spellings people write. Only in
// text: among numbers and among shifted dates an original date stands by chance.

import type { Recipe } from '../model.ts'
import type { Pair, Side, Violation } from './checks.ts'
import { type Haystack, haystackOf } from './haystack.ts'
import { needlesOf } from './needles.ts'
import { type Spot, where } from './walk.ts'

const FREE: ReadonlySet<string> = new Set(['LO', 'SH', 'ST', 'LT', 'UT', 'UC'])
/** What could hold a date at all: four digits in a row, or two numbers with something between them. */
const HINT = /\d{4}|\d{1,2}[-/. ]\d{1,2}|\d{1,2}[-/. ]?[A-Za-z]{3}|[A-Za-z]{3,9}\.? \d{1,2}/
/** Distinct dates of one instance that are looked for; real headers have fewer than ten. */
const MAX_DATES = 64

export function residualDates({ source, output }: Pair, recipe: Recipe): readonly Violation[] {
  if (recipe.dates.kind === 'keep') return []
  const suspects: { readonly text: string; readonly spot: Spot }[] = []
  for (const place of output.places) {
    if (!FREE.has(place.vr) || place.element.value.kind !== 'bytes') continue
    for (const text of place.values) {
      if (HINT.test(text)) suspects.push({ text, spot: place.spot })
    }
  }
  if (suspects.length === 0) return []
  const haystack = compiled(datesOf(source, recipe))
  return suspects
    .filter(({ text }) => haystack.inText(text) !== undefined)
    .map((suspect) => ({
      code: 'RESIDUAL_IDENTIFIER',
      what: 'a date of the source in a text',
      where: where(suspect.spot.path),
    }))
}

/** Instances of a series have the same dates: compiled once, a few series' worth. */
const recent = new Map<string, Haystack>()
const MAX_RECENT = 32

function compiled(dates: ReadonlySet<string>): Haystack {
  const key = [...dates].sort().join()
  const known = recent.get(key)
  if (known) return known
  if (recent.size >= MAX_RECENT) recent.clear()
  const made = haystackOf(needlesOf([...dates].map((value) => ({ kind: 'date', value }))))
  recent.set(key, made)
  return made
}

function datesOf(source: Side, recipe: Recipe): ReadonlySet<string> {
  const dates = new Set<string>()
  for (const place of source.places) {
    if (dates.size >= MAX_DATES) return dates
    if ((place.vr !== 'DA' && place.vr !== 'DT') || place.element.value.kind !== 'bytes') continue
    for (const value of place.values) {
      const date = value.replaceAll('.', '').slice(0, 8)
      // The first of January is how a bare year is written.
      const bareYear = recipe.dates.kind === 'year' && date.endsWith('0101')
      if (/^\d{8}$/.test(date) && !bareYear) dates.add(date)
    }
  }
  return dates
}
