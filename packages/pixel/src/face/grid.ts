// The planning grid: a volume resampled to cubes of GRID_MM along the patient axes.  Volume ─resample→ Grid
//
// Index = (z · ny + y) · nx + x; x grows to the left, y to the back, z to the top. Voxels outside the volume hold
// OUTSIDE: they are neither body nor air.

import { type Refused, refused } from './geometry.ts'
import type { Vec } from './vectors.ts'
import { plus, scaled } from './vectors.ts'
import type { Volume } from './volume.ts'

export type Grid = {
  readonly nx: number
  readonly ny: number
  readonly nz: number
  /** mm: the centre of the voxel 0, 0, 0. */
  readonly origin: Vec
  readonly data: Int16Array
}

export type Mask = Uint8Array

export const GRID_MM = 2
export const OUTSIDE = -32_768
/** A head with its neck. Of a whole body, only the top of the volume is planned on. */
const HEIGHT_MM = 320
/** 64 MiB of voxels, 400 × 400 × 200. */
const MAX_CELLS = 1 << 25

export function resample(volume: Volume): Grid | Refused {
  const corners = cornersOf(volume)
  const low = extreme(corners, Math.min)
  const high = extreme(corners, Math.max)
  const bottom = Math.max(low[2], high[2] - HEIGHT_MM)
  const origin: Vec = [low[0], low[1], bottom]
  const nx = cells(low[0], high[0])
  const ny = cells(low[1], high[1])
  const nz = cells(bottom, high[2])
  if (nx * ny * nz > MAX_CELLS) return refused('a field of view larger than a head is planned in')
  const grid: Grid = { nx, ny, nz, origin, data: new Int16Array(nx * ny * nz) }
  fill(grid, volume)
  return { ...grid, data: blurred(grid) }
}

function cells(low: number, high: number): number {
  return Math.max(1, Math.floor((high - low) / GRID_MM) + 1)
}

function cornersOf({ columns, rows, slices, affine }: Volume): readonly Vec[] {
  const ends = [0, 1] as const
  return ends.flatMap((i) =>
    ends.flatMap((j) =>
      ends.map((k) =>
        plus(
          plus(affine.origin, scaled(affine.column, i * (columns - 1))),
          plus(scaled(affine.row, j * (rows - 1)), scaled(affine.slice, k * (slices - 1))),
        ),
      ),
    ),
  )
}

function extreme(points: readonly Vec[], pick: (...values: readonly number[]) => number): Vec {
  return [
    pick(...points.map(([x]) => x)),
    pick(...points.map(([, y]) => y)),
    pick(...points.map(([, , z]) => z)),
  ]
}

/** Linear between slices, where steps are wide; nearest in the plane, where they are as fine as the grid. */
function fill(grid: Grid, volume: Volume): void {
  const { nx, ny, nz, origin, data } = grid
  const { affine } = volume
  const [ri, rj, rk] = affine.inverse
  let at = 0
  for (let z = 0; z < nz; z++) {
    const pz = origin[2] + z * GRID_MM - affine.origin[2]
    for (let y = 0; y < ny; y++) {
      const py = origin[1] + y * GRID_MM - affine.origin[1]
      for (let x = 0; x < nx; x++) {
        const px = origin[0] + x * GRID_MM - affine.origin[0]
        const i = Math.round(ri[0] * px + ri[1] * py + ri[2] * pz)
        const j = Math.round(rj[0] * px + rj[1] * py + rj[2] * pz)
        data[at++] = between(volume, j * volume.columns + i, {
          inside: i >= 0 && j >= 0 && i < volume.columns && j < volume.rows,
          k: rk[0] * px + rk[1] * py + rk[2] * pz,
        })
      }
    }
  }
}

function between(volume: Volume, offset: number, { inside, k }: { inside: boolean; k: number }): number {
  if (!inside || k < -0.5 || k > volume.slices - 0.5) return OUTSIDE
  const plane = volume.rows * volume.columns
  const low = Math.min(Math.max(Math.floor(k), 0), volume.slices - 1)
  const high = Math.min(low + 1, volume.slices - 1)
  const part = Math.min(Math.max(k - low, 0), 1)
  const a = volume.data[low * plane + offset] ?? 0
  const b = volume.data[high * plane + offset] ?? 0
  return Math.round(a + (b - a) * part)
}

/** 1-2-1 along each axis: noise down by three, bone still bone. What is outside stays so. */
function blurred({ nx, ny, nz, data }: Grid): Int16Array {
  let from = data
  for (const [step, count] of [
    [1, nx],
    [nx, ny],
    [nx * ny, nz],
  ] as const) {
    const to = Int16Array.from(from)
    for (let at = 0; at < from.length; at++) {
      const place = Math.floor(at / step) % count
      if (place === 0 || place === count - 1) continue
      const here = from[at] ?? 0
      const before = from[at - step] ?? 0
      const after = from[at + step] ?? 0
      if (here === OUTSIDE || before === OUTSIDE || after === OUTSIDE) continue
      to[at] = (before + 2 * here + after) >> 2
    }
    from = to
  }
  return from
}

export function maskOf({ data }: Grid, test: (value: number) => boolean): Mask {
  const mask = new Uint8Array(data.length)
  for (let at = 0; at < data.length; at++) {
    const value = data[at] ?? OUTSIDE
    if (value !== OUTSIDE && test(value)) mask[at] = 1
  }
  return mask
}
