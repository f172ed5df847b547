// What a recipe needs to know of PS3.6, as a parameter; and what somebody may have meant by a name that is not in it.

import type { Tag, Vr } from '@roentgate/dicom'

export type Dictionary = {
  /** By keyword, exactly as PS3.6 spells it. */
  readonly tagOf: (keyword: string) => Tag | undefined
  /** Every VR that PS3.6 allows; undefined where the tag is not in the dictionary. */
  readonly vrsOf: (tag: Tag) => readonly Vr[] | undefined
  readonly keywords: () => Iterable<string>
}

/** The nearest candidate within a quarter of the word's length (at least 2 edits), or undefined. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const wanted = word.toLowerCase()
  const limit = Math.max(2, Math.floor(word.length / 4))
  const found = { word: '', distance: limit + 1 }
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= found.distance) continue
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance < found.distance) Object.assign(found, { word: candidate, distance })
    if (distance === 0) break
  }
  return found.word === '' ? undefined : found.word
}

export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates)
  return near === undefined ? '' : `; did you mean ${near}?`
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (same ? 0 : 1),
        swapped ? (before[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      )
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
