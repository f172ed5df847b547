// Connected components of a mask, eight neighbours, by runs: one pass over the rows, joined by a disjoint-set forest.

import type { Box } from './grey.ts'

export type Component = Box & {
  /** Pixels in it. */
  readonly area: number
  /** Mean of `weight` over its pixels; 1 where none was given. */
  readonly mean: number
}

type Mask = {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array | Int32Array
}

/** Pixels belong together where they touch and hold the same label; label 0 is ground. */
export function components(mask: Mask, weight?: Float32Array): readonly Component[] {
  const runs = runsOf(mask)
  const parent = join(runs)
  return gather(runs, { parent, width: mask.width, weight })
}

export type Runs = {
  readonly count: number
  readonly row: Int32Array
  readonly from: Int32Array
  /** One past the last. */
  readonly to: Int32Array
  readonly label: Int32Array
}

export function runsOf({ width, height, data }: Mask): Runs {
  let count = 0
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0, before = 0; x < width; x++, at++) {
      const value = data[at] ?? 0
      if (value !== 0 && value !== before) count++
      before = value
    }
  }
  const row = new Int32Array(count)
  const from = new Int32Array(count)
  const to = new Int32Array(count)
  const label = new Int32Array(count)
  let run = -1
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0, before = 0; x < width; x++, at++) {
      const value = data[at] ?? 0
      if (value !== 0) {
        if (value !== before) {
          run++
          row[run] = y
          from[run] = x
          label[run] = value
        }
        to[run] = x + 1
      }
      before = value
    }
  }
  return { count, row, from, to, label }
}

export function root(parent: Int32Array, of: number): number {
  let at = of
  while (parent[at] !== at) {
    const above = parent[at] ?? 0
    parent[at] = parent[above] ?? 0
    at = parent[at] ?? 0
  }
  return at
}

export function join({ count, row, from, to, label }: Runs): Int32Array {
  const parent = new Int32Array(count)
  for (let i = 0; i < count; i++) parent[i] = i
  let above = 0
  for (let i = 0; i < count; i++) {
    const y = row[i] ?? 0
    const left = from[i] ?? 0
    const right = to[i] ?? 0
    while (
      above < i &&
      ((row[above] ?? 0) < y - 1 || ((row[above] ?? 0) === y - 1 && (to[above] ?? 0) < left))
    )
      above++
    for (let j = above; j < i && row[j] === y - 1 && (from[j] ?? 0) <= right; j++)
      if (label[j] === label[i]) parent[root(parent, i)] = root(parent, j)
  }
  return parent
}

type Gathering = {
  readonly parent: Int32Array
  readonly width: number
  readonly weight: Float32Array | undefined
}

function gather({ count, row, from, to }: Runs, { parent, width, weight }: Gathering): readonly Component[] {
  const place = new Int32Array(count).fill(-1)
  const found: { x: number; y: number; right: number; bottom: number; area: number; sum: number }[] = []
  for (let i = 0; i < count; i++) {
    const top = root(parent, i)
    const y = row[i] ?? 0
    const left = from[i] ?? 0
    const right = to[i] ?? 0
    let known = place[top] ?? -1
    if (known < 0) {
      known = found.length
      place[top] = known
      found.push({ x: left, y, right, bottom: y + 1, area: 0, sum: 0 })
    }
    const one = found[known]
    if (one === undefined) continue
    one.x = Math.min(one.x, left)
    one.right = Math.max(one.right, right)
    one.bottom = Math.max(one.bottom, y + 1)
    one.area += right - left
    if (weight === undefined) one.sum += right - left
    else for (let x = left; x < right; x++) one.sum += weight[y * width + x] ?? 0
  }
  return found.map(({ x, y, right, bottom, area, sum }) => ({
    x,
    y,
    width: right - x,
    height: bottom - y,
    area,
    mean: sum / area,
  }))
}
