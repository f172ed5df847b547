// A place in a text, and what is to stand there instead.

export type TextSpan = {
  readonly start: number
  readonly end: number
  /** Never a value: 'name', 'phone', 'date', ... */
  readonly kind: string
  /** What stands there instead; absent: the place is removed. */
  readonly replacement?: string
}

/** In order, none overlapping: an earlier start wins, then the longer one. */
export function withoutOverlaps<T extends TextSpan>(spans: readonly T[]): readonly T[] {
  if (spans.length < 2) return spans
  const sorted = [...spans].sort((a, b) => a.start - b.start || b.end - a.end)
  const kept: T[] = []
  let end = -1
  for (const span of sorted) {
    if (span.start < end) continue
    kept.push(span)
    end = span.end
  }
  return kept
}
