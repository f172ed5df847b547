// Heads made of formulas, for tests: skull, brain, eyes, nose, lips, chin, ears, neck, in CT or as in MR or PET, cut
// into slices of any orientation.  Person × Scan → slices (facts and raster) and the tissue of each pixel
//
// Signed distances in mm, the middle of the brain at 0, 0, 0. No proportion is of a person; each number of a Person
// moves a feature that tells faces apart.

import type { Raster } from '../model.ts'
import type { SliceFacts, VolumeModality } from './geometry.ts'
import type { Vec } from './vectors.ts'
import { cross, plus, scaled } from './vectors.ts'

export type Person = {
  readonly nose: number
  readonly chin: number
  readonly eyes: number
  readonly cheeks: number
  readonly lips: number
}

export const SOMEBODY: Person = { nose: 1, chin: 1, eyes: 32, cheeks: 1, lips: 1 }

export type Tissue =
  | 'air' | 'brain' | 'bone' | 'eye' | 'fat' | 'nose' | 'lips' | 'chin' | 'ear' | 'soft' | 'cavity' // biome-ignore format: one row

/** Smooth distance to an ellipsoid: exact on its surface, about right near it. */
function ellipsoid(p: Vec, centre: Vec, radii: Vec): number {
  const x = (p[0] - centre[0]) / radii[0]
  const y = (p[1] - centre[1]) / radii[1]
  const z = (p[2] - centre[2]) / radii[2]
  const k0 = Math.sqrt(x * x + y * y + z * z)
  const k1 = Math.sqrt((x / radii[0]) ** 2 + (y / radii[1]) ** 2 + (z / radii[2]) ** 2)
  return k1 === 0 ? -Math.min(...radii) : (k0 * (k0 - 1)) / k1
}

function rod(p: Vec, centre: Vec, radius: number): number {
  return Math.hypot(p[0] - centre[0], p[1] - centre[1]) - radius
}

const CORD: Vec = [0, 22, 0]

function brainDistance(p: Vec): number {
  const base = p[1] < -35 ? -20 : -45
  const cerebrum = Math.max(ellipsoid(p, [0, 0, 0], [66, 84, 74]), base - p[2])
  return Math.min(cerebrum, ellipsoid(p, [0, 42, -45], [46, 36, 30]))
}

export function tissueAt(p: Vec, person: Person): Tissue {
  const brain = brainDistance(p)
  const cord = Math.max(rod(p, CORD, 9), p[2] + 30)
  if (brain < 0 || (cord < 0 && p[2] > -75)) return 'brain'
  if (cord < 0) return 'soft'
  const side: Vec = [Math.abs(p[0]), p[1], p[2]]
  const canal = Math.max(rod(p, CORD, 14), p[2] + 60)
  if (brain < 7 && canal > 0) return 'bone'
  if (ellipsoid(side, [person.eyes, -76, -42], [12, 12, 12]) < 0) return 'eye'
  if (ellipsoid(side, [person.eyes, -66, -42], [17, 22, 16]) < 0) return 'fat'
  if (ellipsoid(p, [0, -70, -68], [13, 26, 24]) < 0) return 'cavity'
  const jaw = Math.abs(ellipsoid(p, [0, -40, -112], [46, 42, 16])) - 4
  if (jaw < 0 && p[1] < 0) return 'bone'
  if (ellipsoid(p, [0, -92 - 6 * person.nose, -66], [15, 22 * person.nose, 24]) < 0) return 'nose'
  if (ellipsoid(p, [0, -86 - 6 * person.lips, -100], [25, 10, 9 * person.lips]) < 0) return 'lips'
  if (ellipsoid(p, [0, -78 - 8 * person.chin, -122], [22 * person.chin, 16, 15]) < 0) return 'chin'
  if (ellipsoid(side, [82, 22, -45], [10, 20, 32]) < 0) return 'ear'
  const scalp = Math.max(brain - 14, -p[2] - 60)
  const face = ellipsoid(p, [0, -34, -72], [62 * person.cheeks, 60, 66])
  const neck = Math.max(rod(p, [0, 18, 0], 56), p[2] + 50)
  if (Math.min(scalp, face, neck) < 0)
    return p[2] < -90 && canal > 0 && rod(p, CORD, 24) < 0 ? 'bone' : 'soft'
  return 'air'
}

const VALUES: Readonly<Record<VolumeModality, Readonly<Record<Tissue, number>>>> = {
  // HU
  CT: {
    air: -1000, brain: 35, bone: 900, eye: 15, fat: -90, nose: 40, lips: 45, chin: 40, ear: 0, soft: 50, cavity: -950,
  }, // biome-ignore format: one row
  // as T1: fat bright, bone and air dark
  MR: {
    air: 0, brain: 600, bone: 60, eye: 200, fat: 1000, nose: 500, lips: 550, chin: 800, ear: 500, soft: 550, cavity: 20,
  }, // biome-ignore format: one row
  PT: {
    air: 0, brain: 8000, bone: 700, eye: 700, fat: 300, nose: 900, lips: 900, chin: 900, ear: 700, soft: 1000, cavity: 50,
  }, // biome-ignore format: one row
}

export type Scan = {
  readonly modality: VolumeModality
  readonly plane: 'axial' | 'sagittal' | 'coronal'
  /** mm between pixels, and between slices. */
  readonly pixel: number
  readonly step: number
  /** mm by which each slice is moved in its own plane: what a tilted gantry does. */
  readonly shear?: number
  readonly series?: string
  readonly person?: Person
  /** Front and back exchanged: a header that lies. */
  readonly flipped?: true
}

export type MadeSlice = {
  readonly facts: SliceFacts
  readonly raster: Raster
  readonly tissue: (row: number, column: number) => Tissue
}

/** Half of what is scanned, in mm along each axis, and its middle. */
const REACH: Vec = [100, 130, 130]
const MIDDLE: Vec = [0, -5, -30]

const PLANES: Readonly<Record<Scan['plane'], { readonly along: Vec; readonly down: Vec; readonly axes: readonly [0 | 1 | 2, 0 | 1 | 2, 0 | 1 | 2] }>> = {
  axial: { along: [1, 0, 0], down: [0, 1, 0], axes: [0, 1, 2] },
  sagittal: { along: [0, 1, 0], down: [0, 0, -1], axes: [1, 2, 0] },
  coronal: { along: [1, 0, 0], down: [0, 0, -1], axes: [0, 2, 1] },
} // biome-ignore format: one table

/** The same numbers on every run. */
function noise(seed: number): () => number {
  const state = { value: seed >>> 0 }
  return () => {
    state.value = (Math.imul(state.value, 1664525) + 1013904223) >>> 0
    return state.value / 2 ** 32 - 0.5
  }
}

export function scanOf(scan: Scan): readonly MadeSlice[] {
  const { along, down, axes } = PLANES[scan.plane]
  const normal = cross(along, down)
  const columns = Math.round((2 * REACH[axes[0]]) / scan.pixel)
  const rows = Math.round((2 * REACH[axes[1]]) / scan.pixel)
  const count = Math.round((2 * REACH[axes[2]]) / scan.step)
  const corner = plus(MIDDLE, plus(scaled(along, -REACH[axes[0]]), scaled(down, -REACH[axes[1]])))
  const start = plus(corner, scaled(normal, -REACH[axes[2]]))
  return Array.from({ length: count }, (_, index) => {
    const sheared = scaled(down, (scan.shear ?? 0) * (index - count / 2))
    const position = plus(plus(start, scaled(normal, index * scan.step)), sheared)
    return sliceAt(scan, { index, position, rows, columns })
  })
}

type Place = {
  readonly index: number
  readonly position: Vec
  readonly rows: number
  readonly columns: number
}

function sliceAt(scan: Scan, { index, position, rows, columns }: Place): MadeSlice {
  const { along, down } = PLANES[scan.plane]
  const person = scan.person ?? SOMEBODY
  const intercept = scan.modality === 'CT' ? -1024 : 0
  const next = noise(index + 1)
  const data = new Int16Array(rows * columns)
  const at = (row: number, column: number): Tissue => {
    const p = plus(position, plus(scaled(along, column * scan.pixel), scaled(down, row * scan.pixel)))
    return tissueAt(scan.flipped ? [p[0], -p[1], p[2]] : p, person)
  }
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const value = VALUES[scan.modality][at(row, column)] + 40 * next()
      data[row * columns + column] = Math.max(0, Math.round(value - intercept))
    }
  const facts: SliceFacts = {
    series: scan.series ?? '1',
    frameOfReference: 'F',
    instance: `${scan.series ?? '1'}.${String(index).padStart(4, '0')}`,
    frame: 0,
    modality: scan.modality,
    rows,
    columns,
    position,
    along,
    down,
    spacing: [scan.pixel, scan.pixel],
    slope: 1,
    intercept,
    range: [0, 4095],
  }
  const shape = { rows, columns, samplesPerPixel: 1, bitsStored: 12, signed: false } as const
  return { facts, raster: { ...shape, photometric: 'MONOCHROME2', data }, tissue: at }
}
