// Masks on the planning grid: distances, erosion, dilation, components. 1 is in, 0 is out.
//
// Distances are chamfer 3-4-5 (two passes over the grid, at most 8 % off the Euclidean), so that growing by 10 mm costs
// as much as growing by 2.

import type { Grid, Mask } from './grid.ts'
import { GRID_MM } from './grid.ts'

type Size = Pick<Grid, 'nx' | 'ny' | 'nz'>

const UNIT = 3
const FAR = 30_000

/** The half of a voxel's 26 neighbours that a forward pass has already seen: step and its weight. */
function behind({
  nx,
  ny,
}: Size): readonly (readonly [dx: number, dy: number, dz: number, step: number, weight: number])[] {
  const out: (readonly [number, number, number, number, number])[] = []
  for (const dz of [-1, 0, 1])
    for (const dy of [-1, 0, 1])
      for (const dx of [-1, 0, 1]) {
        const step = (dz * ny + dy) * nx + dx
        const weight = 2 + Math.abs(dx) + Math.abs(dy) + Math.abs(dz)
        if (dz < 0 || (dz === 0 && (dy < 0 || (dy === 0 && dx < 0)))) out.push([dx, dy, dz, step, weight])
      }
  return out
}

/** From each voxel to the nearest of the mask, in thirds of a voxel. The edge of the grid is no member. */
function distances(size: Size, mask: Mask): Int16Array {
  const { nx, ny, nz } = size
  const field = new Int16Array(mask.length)
  for (let at = 0; at < mask.length; at++) field[at] = mask[at] === 1 ? 0 : FAR
  const steps = behind(size)
  for (const sign of [1, -1] as const) {
    const count = nx * ny * nz
    for (let n = 0; n < count; n++) {
      const at = sign === 1 ? n : count - 1 - n
      let best = field[at] ?? FAR
      if (best === 0) continue
      const x = at % nx
      const y = Math.floor(at / nx) % ny
      const z = Math.floor(at / (nx * ny))
      const rim = x === 0 || y === 0 || z === 0 || x === nx - 1 || y === ny - 1 || z === nz - 1
      for (const [dx, dy, dz, step, weight] of steps) {
        if (rim && !within(size, [x + sign * dx, y + sign * dy, z + sign * dz])) continue
        const through = (field[at + sign * step] ?? FAR) + weight
        if (through < best) best = through
      }
      field[at] = best
    }
  }
  return field
}

function within({ nx, ny, nz }: Size, [x, y, z]: readonly [number, number, number]): boolean {
  return x >= 0 && y >= 0 && z >= 0 && x < nx && y < ny && z < nz
}

export function dilated(size: Size, mask: Mask, mm: number): Mask {
  const limit = (mm / GRID_MM) * UNIT
  return Uint8Array.from(distances(size, mask), (distance) => (distance <= limit ? 1 : 0))
}

/** The edge of the grid does not erode: a head that is cut off there goes on outside. */
export function eroded(size: Size, mask: Mask, mm: number): Mask {
  const limit = (mm / GRID_MM) * UNIT
  const outside = Uint8Array.from(mask, (value) => (value === 1 ? 0 : 1))
  return Uint8Array.from(distances(size, outside), (distance) => (distance > limit ? 1 : 0))
}

export function both(a: Mask, b: Mask): Mask {
  return Uint8Array.from(a, (value, at) => (value === 1 && b[at] === 1 ? 1 : 0))
}

export function either(a: Mask, b: Mask): Mask {
  return Uint8Array.from(a, (value, at) => (value === 1 || b[at] === 1 ? 1 : 0))
}

export function countOf(mask: Mask): number {
  let count = 0
  for (const value of mask) count += value
  return count
}

/** The largest set of voxels that touch by their faces. */
export function largest({ nx, ny }: Size, mask: Mask): Mask {
  const label = new Int32Array(mask.length)
  const queue = new Int32Array(mask.length)
  const steps = [1, -1, nx, -nx, nx * ny, -nx * ny]
  let best = { label: 0, count: 0 }
  let next = 0
  for (let seed = 0; seed < mask.length; seed++) {
    if (mask[seed] !== 1 || label[seed] !== 0) continue
    next += 1
    label[seed] = next
    queue[0] = seed
    let end = 1
    for (let head = 0; head < end; head++) {
      const at = queue[head] ?? 0
      const x = at % nx
      const y = Math.floor(at / nx) % ny
      for (const step of steps) {
        if ((step === 1 && x === nx - 1) || (step === -1 && x === 0)) continue
        if ((step === nx && y === ny - 1) || (step === -nx && y === 0)) continue
        const to = at + step
        if (to < 0 || to >= mask.length || mask[to] !== 1 || label[to] !== 0) continue
        label[to] = next
        queue[end++] = to
      }
    }
    if (end > best.count) best = { label: next, count: end }
  }
  return Uint8Array.from(label, (value) => (value !== 0 && value === best.label ? 1 : 0))
}

/** Otsu's threshold of values in [low, high): the one that parts them best in two. */
export function otsu(data: Int16Array, low: number, high: number): number {
  const bins = 256
  const width = (high - low) / bins
  const histogram = new Float64Array(bins)
  let total = 0
  let sum = 0
  for (const value of data) {
    if (value < low || value >= high) continue
    const bin = Math.floor((value - low) / width)
    histogram[bin] = (histogram[bin] ?? 0) + 1
    total += 1
    sum += bin
  }
  let best = { score: -1, bin: 0 }
  let count = 0
  let below = 0
  for (let bin = 0; bin < bins; bin++) {
    const here = histogram[bin] ?? 0
    count += here
    below += here * bin
    if (count === 0 || count === total) continue
    const gap = below / count - (sum - below) / (total - count)
    const score = count * (total - count) * gap * gap
    if (score > best.score) best = { score, bin }
  }
  return low + (best.bin + 1) * width
}

/** The value below which this part of the values in [low, ∞) lies. */
export function quantile(data: Int16Array, low: number, part: number): number {
  const histogram = new Uint32Array(65_536)
  let total = 0
  for (const value of data) {
    if (value < low) continue
    const bin = value + 32_768
    histogram[bin] = (histogram[bin] ?? 0) + 1
    total += 1
  }
  let seen = 0
  for (let bin = 0; bin < histogram.length; bin++) {
    seen += histogram[bin] ?? 0
    if (seen > part * total) return bin - 32_768
  }
  return low
}
