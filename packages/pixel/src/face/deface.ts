// The face, taken out.  Volume ─planDeface→ FaceCut ─applyCut→ each slice of the Frame of Reference
//
//        y (to the back) →
//   z   |  forehead ·brain·····
//   ↑   |----top-----···········      A cut is a height field over the frontal plane: for each (x, z) between top
//       |##eyes##|·limit·brain··      and bottom, all that lies before limit(x, z) becomes air. limit is one coronal
//       |##nose##|  plane             plane behind the orbits, and where brain would lie before it, the brain grown
//       |##mouth#|                    by a margin.
//       |##chin##|
//       |--bottom
//
// Invariants: no voxel of the brain that was found, nor within the margin around it, lies before its limit. The plane
// depends on the brain alone, so what remains is a flat section: it holds no copy of the skin that stood before it.
// A cut is in mm of a Frame of Reference and knows no grid: it is applied to each series of it, whatever its slices.

import { PixelError } from '../errors.ts'
import type { Raster, Samples } from '../model.ts'
import { bodyThreshold, findHead, type Head } from './brain.ts'
import { isRefused, type Refused, refused, type SliceFacts, type VolumeModality } from './geometry.ts'
import { GRID_MM, type Grid, resample } from './grid.ts'
import { dilated } from './morphology.ts'
import { scaled } from './vectors.ts'
import { fits, type Volume } from './volume.ts'

export type FaceCut = {
  readonly kind: 'cut'
  /** mm; nothing above top or below bottom changes. */
  readonly top: number
  readonly bottom: number
  /** mm; the limit where no brain is near. */
  readonly plane: number
  /** limits[row · columns + column] of the cell at x = left + column · GRID_MM, z = low + row · GRID_MM. */
  readonly left: number
  readonly low: number
  readonly columns: number
  readonly rows: number
  readonly limits: Float32Array
}

/** mm around the brain that is kept: of bone, of membranes, and of what a threshold may miss. */
const MARGIN_MM: Readonly<Record<VolumeModality, number>> = { CT: 5, MR: 7, PT: 10 }
/** From the frontal pole to the plane: behind the eyes and the teeth, before ears, pharynx and spine. Of an adult. */
const DEPTH_MM = 40
/** From the base of the frontal lobe up over the brows, and down below the chin. Of an adult. */
const BROWS_MM = 25
const CHIN_MM = 150
/** What stands before the plane must be a face: at least this much body, in ml of an adult. */
const MIN_FACE_ML = 80

export function planDeface(volume: Volume): FaceCut | Refused {
  const grid = resample(volume)
  if (isRefused(grid)) return grid
  const head = findHead(grid, volume.modality)
  if (isRefused(head)) return head
  const cut = cutOf(grid, head, MARGIN_MM[volume.modality])
  if (faceMl(grid, head, cut) < MIN_FACE_ML * head.scale ** 3)
    return refused('no face where one was expected before the brain')
  return cut
}

function cutOf(grid: Grid, head: Head, margin: number): FaceCut {
  const { nx, ny, nz, origin } = grid
  const keep = dilated(grid, head.brain, margin)
  const plane = head.frontalPole + DEPTH_MM * head.scale
  const limits = new Float32Array(nx * nz).fill(plane)
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      const limit = origin[1] + (y - 1) * GRID_MM
      if (limit >= plane) break
      for (let x = 0; x < nx; x++) {
        const cell = z * nx + x
        if (keep[(z * ny + y) * nx + x] === 1 && limit < (limits[cell] ?? 0)) limits[cell] = limit
      }
    }
  }
  return {
    kind: 'cut',
    top: head.frontalBase + BROWS_MM * head.scale,
    bottom: head.frontalBase - CHIN_MM * head.scale,
    plane,
    left: origin[0],
    low: origin[2],
    columns: nx,
    rows: nz,
    limits,
  }
}

/** All y before this are air; -Infinity where nothing is cut. */
export function limitAt(cut: FaceCut, x: number, z: number): number {
  if (z > cut.top || z < cut.bottom) return Number.NEGATIVE_INFINITY
  const column = Math.round((x - cut.left) / GRID_MM)
  const row = Math.round((z - cut.low) / GRID_MM)
  if (column < 0 || row < 0 || column >= cut.columns || row >= cut.rows) return cut.plane
  return cut.limits[row * cut.columns + column] ?? cut.plane
}

function faceMl(grid: Grid, head: Head, cut: FaceCut): number {
  const { nx, ny, origin } = grid
  let count = 0
  for (let at = 0; at < head.body.length; at++) {
    if (head.body[at] !== 1) continue
    const y = origin[1] + (Math.floor(at / nx) % ny) * GRID_MM
    if (y >= cut.plane) continue
    const x = origin[0] + (at % nx) * GRID_MM
    const z = origin[2] + Math.floor(at / (nx * ny)) * GRID_MM
    if (y < limitAt(cut, x, z)) count += 1
  }
  return (count * GRID_MM ** 3) / 1000
}

export type CutSlice = { readonly raster: Raster; readonly changed: number }

/**
 * The slice at full resolution, with air for face; the same raster where it has none.
 * @throws PixelError BAD_FORMAT where the raster is not what its facts say.
 */
export function applyCut(raster: Raster, facts: SliceFacts, cut: FaceCut): CutSlice {
  if (!fits(raster, facts)) throw new PixelError('BAD_FORMAT', 'a slice is not what its header says')
  const air = airOf(facts)
  const across = scaled(facts.along, facts.spacing[1])
  const down = scaled(facts.down, facts.spacing[0])
  const data: Samples = raster.data.slice()
  let changed = 0
  for (let row = 0; row < facts.rows; row++) {
    const x0 = facts.position[0] + down[0] * row
    const y0 = facts.position[1] + down[1] * row
    const z0 = facts.position[2] + down[2] * row
    if (Math.min(y0, y0 + across[1] * (facts.columns - 1)) >= cut.plane) continue
    for (let column = 0; column < facts.columns; column++) {
      const y = y0 + across[1] * column
      if (y >= cut.plane || y >= limitAt(cut, x0 + across[0] * column, z0 + across[2] * column)) continue
      data[row * facts.columns + column] = air
      changed += 1
    }
  }
  return changed === 0 ? { raster, changed } : { raster: { ...raster, data }, changed }
}

const AIR_HU = -1000

/** The stored value of air: -1000 HU, or no signal; the nearest that the pixels can hold. */
export function airOf({ modality, slope, intercept, range }: SliceFacts): number {
  const value = modality === 'CT' ? AIR_HU : Math.min(0, intercept)
  const stored = Math.round((value - intercept) / slope)
  return Math.min(range[1], Math.max(range[0], stored))
}

/** The same cut on a planning volume, to look at it. */
export function cutVolume(volume: Volume, cut: FaceCut): Volume {
  const { columns, rows, slices, affine } = volume
  const data = volume.data.slice()
  const air = volume.modality === 'CT' ? AIR_HU : 0
  let at = 0
  for (let k = 0; k < slices; k++) {
    for (let j = 0; j < rows; j++) {
      const [x0, y0, z0] = [0, 1, 2].map(
        (a) => (affine.origin[a] ?? 0) + (affine.row[a] ?? 0) * j + (affine.slice[a] ?? 0) * k,
      ) as [number, number, number]
      for (let i = 0; i < columns; i++, at++) {
        const y = y0 + affine.column[1] * i
        if (y < cut.plane && y < limitAt(cut, x0 + affine.column[0] * i, z0 + affine.column[2] * i))
          data[at] = air
      }
    }
  }
  return { ...volume, data }
}

/** Least value of the body, for renderings of a volume before and after: one threshold for both. */
export function skinThreshold(volume: Volume): number {
  return bodyThreshold(volume.data, volume.modality)
}
