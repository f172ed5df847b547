// A text that stays, without those whom it names.  text ─cleanText→ { text, removed }
//
//   UIDs mapped → known identifiers and patterns removed → dates moved or removed → ages capped → blanks tidied
//
// Invariants: a text in which nothing is found comes back as it was; the result is never longer than maxLength;
// cleaning again changes nothing, but for dates that are moved, which a second pass would move again (a shifted date
// looks like any other). In one pass nothing is moved twice. A UID stands above all: what lies inside one is not
// searched for dates or numbers. A date that is moved stands above a known date that would be removed.

import { findAges } from '../ages.ts'
import { type DateSpan, findDates, shiftedSpelling } from './dates.ts'
import { findIdentifiers, type Identifiers } from './identifiers.ts'
import { findPartialDates } from './partial-dates.ts'
import { findPatterns } from './patterns.ts'
import { type TextSpan, withoutOverlaps } from './spans.ts'

export type CleanOptions = {
  readonly identifiers: Identifiers
  readonly dates:
    | { readonly kind: 'shift'; readonly days: number }
    | { readonly kind: 'remove' }
    | { readonly kind: 'keep' }
  readonly ages: 'cap' | 'keep'
  /** In characters: 16 for SH, 64 for LO, 1024 for ST, 10240 for LT. */
  readonly maxLength?: number
  /** What stands for an instance UID; the same UID for one that is well known. Absent: UIDs stay. */
  readonly uid?: (uid: string) => string
}

export type Removed = { readonly kind: string; readonly count: number }
export type Cleaned = { readonly text: string; readonly removed: readonly Removed[] }

/** What shows that something stood here; left out where it does not fit. */
export const MARKER = '[REMOVED]'

/** Removing may join what was apart; each round removes at least one span, and real texts settle in two. */
const MAX_ROUNDS = 16
/** PS3.5 9.1, and PS3.6: the standard's own UIDs identify no instance. */
const STANDARD_ROOT = '1.2.840.10008.'
const MIN_UID = 15
const UID = /(?<![\d.])[0-2](?:\.\d+){2,}/g
const UID_HINT = /[0-2]\.\d+\.\d/
const MARKERS = /\[REMOVED\](?:[\s,;^=_-]*\[REMOVED\])+/g

type Round = CleanOptions & { readonly first: boolean }

export function cleanText(text: string, options: CleanOptions): Cleaned {
  const counts = new Map<string, number>()
  let current = text
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const spans = allSpans(current, { ...options, first: round === 0 })
    for (const { kind } of spans) counts.set(kind, (counts.get(kind) ?? 0) + 1)
    const next = fitted(spans.length === 0 ? current : rewritten(current, spans), options.maxLength)
    if (next === current) return result(current, counts)
    current = next
  }
  // Never seen; a text that will not settle does not stay.
  counts.set('unsettled', 1)
  return result('', counts)
}

/** More distinct texts than a series' headers hold; beyond it the oldest is forgotten. */
const MAX_REMEMBERED = 4096

/**
 * cleanText for one patient, remembering: most texts stand in every instance of a series. The uid callback must give
 * equal results for equal UIDs.
 */
export function cleaner(
  options: Omit<CleanOptions, 'maxLength'>,
): (text: string, maxLength?: number) => Cleaned {
  const known = new Map<string, Cleaned>()
  return (text, maxLength) => {
    const key = `${maxLength ?? ''}\u0000${text}`
    const before = known.get(key)
    if (before !== undefined) return before
    const cleaned = cleanText(text, maxLength === undefined ? options : { ...options, maxLength })
    if (known.size >= MAX_REMEMBERED) {
      const oldest = known.keys().next()
      if (oldest.done !== true) known.delete(oldest.value)
    }
    known.set(key, cleaned)
    return cleaned
  }
}

function result(text: string, counts: ReadonlyMap<string, number>): Cleaned {
  return { text, removed: [...counts].map(([kind, count]) => ({ kind, count })) }
}

/** In order, none overlapping, each with what stands there instead. */
function allSpans(text: string, round: Round): readonly TextSpan[] {
  const uids = findUids(text)
  const mapped = round.first && round.uid !== undefined ? mappedUids(text, uids, round.uid) : []
  const dates = findDates(text)
  const fixed: TextSpan[] = [...mapped]
  const open: TextSpan[] = []
  if (round.dates.kind === 'remove')
    for (const { start, end } of dates) open.push({ kind: 'date', start, end })
  if (round.dates.kind === 'remove' || (round.dates.kind === 'shift' && round.first)) {
    for (const span of findPartialDates(text)) if (!insideOf(span, [...uids, ...dates])) open.push(span)
  }
  if (round.dates.kind === 'shift' && round.first) fixed.push(...shifted(text, dates, round.dates.days))
  // Dates that were moved in the first round are no longer the known ones.
  const moved = round.dates.kind === 'shift' && !round.first
  for (const span of findIdentifiers(round.identifiers, text)) {
    if (!(moved && span.kind === 'date') && !(mapped.length > 0 && insideOf(span, mapped))) open.push(span)
  }
  const taken = [...uids, ...dates]
  for (const span of findPatterns(text)) if (!insideOf(span, taken)) open.push(span)
  if (round.ages === 'cap') for (const span of findAges(text)) if (!insideOf(span, taken)) fixed.push(span)
  return resolve(fixed, open)
}

/** Replacements that lie apart from all removals, and the removals joined where they overlap. */
function resolve(fixed: readonly TextSpan[], open: readonly TextSpan[]): readonly TextSpan[] {
  if (fixed.length === 0 && open.length < 2) return open
  const replaced = withoutOverlaps(fixed)
  const removals: TextSpan[] = []
  for (const span of [...open].sort((a, b) => a.start - b.start || b.end - a.end)) {
    // Inside something that is replaced as a whole, by which the removal is done as well.
    if (insideOf(span, replaced)) continue
    const last = removals[removals.length - 1]
    if (last !== undefined && span.start < last.end) {
      removals[removals.length - 1] = { ...last, end: Math.max(last.end, span.end) }
    } else removals.push(span)
  }
  const apart = replaced.filter(
    (span) => !removals.some((other) => other.start < span.end && span.start < other.end),
  )
  return [...removals, ...apart].sort((a, b) => a.start - b.start)
}

function insideOf(span: TextSpan, others: readonly TextSpan[]): boolean {
  return others.some((other) => other.start <= span.start && span.end <= other.end)
}

function shifted(text: string, dates: readonly DateSpan[], days: number): readonly TextSpan[] {
  return dates.map((span) => {
    const { start, end } = span
    const replacement = shiftedSpelling(text, span, days)
    return replacement === undefined
      ? { kind: 'date', start, end, replacement: MARKER }
      : { kind: 'date-shifted', start, end, replacement }
  })
}

function findUids(text: string): readonly TextSpan[] {
  if (!UID_HINT.test(text)) return []
  const spans: TextSpan[] = []
  for (const match of text.matchAll(UID)) {
    if (match[0].length >= MIN_UID)
      spans.push({ kind: 'uid', start: match.index, end: match.index + match[0].length })
  }
  return spans
}

function mappedUids(
  text: string,
  uids: readonly TextSpan[],
  map: (uid: string) => string,
): readonly TextSpan[] {
  const spans: TextSpan[] = []
  for (const { start, end } of uids) {
    const uid = text.slice(start, end)
    if (uid.startsWith(STANDARD_ROOT)) continue
    const replacement = map(uid)
    if (replacement !== uid) spans.push({ kind: 'uid-mapped', start, end, replacement })
  }
  return spans
}

function rewritten(text: string, spans: readonly TextSpan[]): string {
  let out = ''
  let at = 0
  let tidy = false
  for (const { start, end, replacement } of spans) {
    out += text.slice(at, start) + (replacement ?? MARKER)
    tidy = tidy || replacement === undefined
    at = end
  }
  out += text.slice(at)
  return tidy ? out.replace(MARKERS, MARKER).replace(/ {2,}/g, ' ').trim() : out
}

/** Too long: without markers first, then cut. */
function fitted(text: string, maxLength: number | undefined): string {
  if (maxLength === undefined || text.length <= maxLength) return text
  const bare = text
    .replaceAll(MARKER, ' ')
    .replace(/\s{2,}/g, ' ')
    .trim()
  if (bare.length <= maxLength) return bare
  // Not between the halves of a surrogate pair.
  const cut = bare.slice(0, maxLength)
  return (/[\ud800-\udbff]$/.test(cut) ? cut.slice(0, -1) : cut).trim()
}
