// A seeded source of numbers (xorshift32): the same seed draws the same scenes.

export type Random = {
  /** In [0, 1). */
  readonly real: () => number
  /** In [0, below). */
  readonly whole: (below: number) => number
  readonly pick: <T>(from: readonly [T, ...T[]] | readonly T[]) => T
}

export function seeded(seed: number): Random {
  let state = (seed * 2654435761) >>> 0 || 1
  const real = (): number => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state / 2 ** 32
  }
  const whole = (below: number): number => Math.floor(real() * below)
  const pick = <T>(from: readonly T[]): T => {
    const chosen = from[whole(from.length)]
    if (chosen === undefined) throw new RangeError('nothing to pick from')
    return chosen
  }
  return { real, whole, pick }
}
