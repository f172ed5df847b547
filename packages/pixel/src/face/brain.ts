// Where the body and the brain are.  Grid × modality → Head | Refused
//
// No atlas and no weights: thresholds, erosion until the brain stands alone, the largest component, growth back. The
// result is believed only where its size, its proportions and the step of its base are those of a brain; whatever
// fails that is refused, and the caller keeps the series back. A wrong brain must never become a cut.

import { isRefused, type Refused, refused, type VolumeModality } from './geometry.ts'
import { GRID_MM, type Grid, type Mask, maskOf, OUTSIDE } from './grid.ts'
import { both, countOf, dilated, eroded, largest, otsu, quantile } from './morphology.ts'

export type Head = {
  readonly body: Mask
  readonly brain: Mask
  /** Least value of the body. */
  readonly threshold: number
  /** mm. */
  readonly frontalPole: number
  readonly frontalBase: number
  readonly middle: number
  /** The brain's length over that of a common adult one: children are smaller. */
  readonly scale: number
}

/** HU. Skin against air; brain with its fluid, and blood or contrast medium in it, against bone and fat. */
const CT_BODY = -300
const CT_BRAIN = { low: -15, high: 120 } as const
/** Over half the width of the spinal canal: eroding by it parts the brain from the cord and from the orbits. */
const CT_NECK_MM = 10
/** MR: bone and air are dark, so the bridges are thinner. */
const MR_NECK_MM = 8
/** Of the median in the middle of the head. */
const MR_BRAIN = { low: 0.45, high: 3.5 } as const
const MR_MIDDLE_MM = 35
const MR_UPPER_HEAD_MM = 130
/** Of the values that only the brightest half percent exceed: the cortex stands out in brain tracers. */
const PET_BRAIN = 0.35
const PET_BODY = 0.04

/** Of brains from one year on, with what a threshold adds or leaves. mm and ml. */
const PLAUSIBLE = {
  volume: [550, 2100],
  length: [115, 215],
  width: [90, 185],
  height: [75, 210],
} as const
const COMMON_LENGTH_MM = 168
/** The cerebellum hangs below the frontal lobe: at least this much, or front and back are not what the header says. */
const STEP_MM = 8
/** How deep behind its pole the frontal lobe's base is looked for. */
const FRONTAL_MM = 25
/** Voxels a row must have to count as brain: not a spike. */
const SPIKE = 8

export function findHead(grid: Grid, modality: VolumeModality): Head | Refused {
  const found = segment(grid, modality)
  if (isRefused(found)) return found
  return measured(grid, found)
}

type Found = { readonly body: Mask; readonly brain: Mask; readonly threshold: number }

function segment(grid: Grid, modality: VolumeModality): Found | Refused {
  switch (modality) {
    case 'CT':
      return segmentCt(grid)
    case 'MR':
      return segmentMr(grid)
    case 'PT':
      return segmentPet(grid)
    default:
      return modality satisfies never
  }
}

function segmentCt(grid: Grid): Found {
  const body = largest(
    grid,
    maskOf(grid, (value) => value > CT_BODY),
  )
  const soft = maskOf(grid, (value) => value >= CT_BRAIN.low && value <= CT_BRAIN.high)
  return { body, brain: regrown(grid, soft, CT_NECK_MM), threshold: CT_BODY }
}

function regrown(grid: Grid, tissue: Mask, neck: number): Mask {
  const core = largest(grid, eroded(grid, tissue, neck))
  return both(dilated(grid, core, neck + GRID_MM), tissue)
}

/** Ghosts and noise of MR lie below a third of what parts tissue from air. */
export function bodyThreshold(data: Int16Array, modality: VolumeModality): number {
  if (modality === 'CT') return CT_BODY
  const bright = quantile(data, OUTSIDE + 1, 0.995)
  if (modality === 'PT') return Math.max(1, bright * PET_BODY)
  return Math.max(1, 0.5 * otsu(data, 0, Math.max(bright, 2)))
}

function segmentMr(grid: Grid): Found | Refused {
  const threshold = bodyThreshold(grid.data, 'MR')
  const body = largest(
    grid,
    maskOf(grid, (value) => value > threshold),
  )
  const median = middleValue(grid, body)
  if (median === undefined) return refused('no head in the volume')
  const low = Math.max(median * MR_BRAIN.low, threshold)
  const tissue = maskOf(grid, (value) => value >= low && value <= median * MR_BRAIN.high)
  return { body, brain: regrown(grid, tissue, MR_NECK_MM), threshold }
}

/** Median of what lies in the middle of the upper head. */
function middleValue(grid: Grid, body: Mask): number | undefined {
  const { nx, ny, nz, data } = grid
  const plane = nx * ny
  const centre = { x: 0, y: 0, z: 0, count: 0 }
  let top = nz - 1
  while (top > 0 && countOf(body.subarray(top * plane, (top + 1) * plane)) < 50) top -= 1
  const bottom = Math.max(0, top - MR_UPPER_HEAD_MM / GRID_MM)
  for (let at = bottom * plane; at < (top + 1) * plane; at++) {
    if (body[at] !== 1) continue
    centre.x += at % nx
    centre.y += Math.floor(at / nx) % ny
    centre.z += Math.floor(at / plane)
    centre.count += 1
  }
  if (centre.count === 0) return undefined
  const [cx, cy, cz] = [centre.x / centre.count, centre.y / centre.count, centre.z / centre.count]
  const reach = (MR_MIDDLE_MM / GRID_MM) ** 2
  const inside: number[] = []
  for (let at = bottom * plane; at < (top + 1) * plane; at++) {
    const x = (at % nx) - cx
    const y = (Math.floor(at / nx) % ny) - cy
    const z = Math.floor(at / plane) - cz
    if (x * x + y * y + z * z <= reach) inside.push(data[at] ?? 0)
  }
  return inside.sort((a, b) => a - b)[inside.length >> 1]
}

function segmentPet(grid: Grid): Found {
  const bright = quantile(grid.data, OUTSIDE + 1, 0.995)
  const threshold = bodyThreshold(grid.data, 'PT')
  const hot = maskOf(grid, (value) => value > bright * PET_BRAIN)
  return {
    body: largest(
      grid,
      maskOf(grid, (value) => value > threshold),
    ),
    brain: regrown(grid, hot, GRID_MM),
    threshold,
  }
}

function measured(grid: Grid, { body, brain, threshold }: Found): Head | Refused {
  const [x, y, z] = ['x', 'y', 'z'].map((axis) => rangeOf(profile(grid, brain, axis))) as [
    Range,
    Range,
    Range,
  ]
  if (!x || !y || !z) return refused('no brain was found')
  const size = {
    volume: (countOf(brain) * GRID_MM ** 3) / 1000,
    width: (x.high - x.low + 1) * GRID_MM,
    length: (y.high - y.low + 1) * GRID_MM,
    height: (z.high - z.low + 1) * GRID_MM,
  }
  for (const key of ['volume', 'length', 'width', 'height'] as const) {
    const [least, most] = PLAUSIBLE[key]
    if (size[key] < least || size[key] > most) return refused('what was found is not of the size of a brain')
  }
  if (x.low < 2 || x.high > grid.nx - 3 || y.low < 2 || y.high > grid.ny - 3)
    return refused('a brain that is cut off at the edge of the volume')
  const deep = Math.round(FRONTAL_MM / GRID_MM)
  const front = rangeOf(profile(grid, brain, 'z', [y.low, y.low + deep]))
  const half = y.low + Math.round((y.high - y.low) * 0.55)
  const back = rangeOf(profile(grid, brain, 'z', [half, y.high]))
  if (!front || !back) return refused('a brain without a front or a back')
  if ((front.low - back.low) * GRID_MM < STEP_MM)
    return refused('a brain whose base does not rise to the front, as if it lay the wrong way round')
  return {
    body,
    brain,
    threshold,
    frontalPole: grid.origin[1] + y.low * GRID_MM,
    frontalBase: grid.origin[2] + front.low * GRID_MM,
    middle: grid.origin[0] + ((x.low + x.high) / 2) * GRID_MM,
    scale: Math.min(1.15, Math.max(0.65, size.length / COMMON_LENGTH_MM)),
  }
}

type Range = { readonly low: number; readonly high: number } | undefined

/** Voxels of a mask in each plane across an axis; `rows`: only of these y. */
function profile(
  { nx, ny, nz }: Grid,
  mask: Mask,
  ...[axis, rows]: readonly [axis: string, rows?: readonly [number, number]]
): Uint32Array {
  const counts = new Uint32Array(axis === 'x' ? nx : axis === 'y' ? ny : nz)
  for (let at = 0; at < mask.length; at++) {
    if (mask[at] !== 1) continue
    const y = Math.floor(at / nx) % ny
    if (rows && (y < rows[0] || y > rows[1])) continue
    const place = axis === 'x' ? at % nx : axis === 'y' ? y : Math.floor(at / (nx * ny))
    counts[place] = (counts[place] ?? 0) + 1
  }
  return counts
}

function rangeOf(counts: Uint32Array): Range {
  const low = counts.findIndex((count) => count >= SPIKE)
  const high = counts.findLastIndex((count) => count >= SPIKE)
  return low < 0 ? undefined : { low, high }
}
