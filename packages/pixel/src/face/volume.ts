// A series as one block of numbers.  Stack ─openVolume→ VolumeBuilder, put(index, raster) for each slice → Volume
//
// Invariants: the block is allocated once, at most MAX_VOXELS; pixels are averaged in blocks of stride × stride so that
// a voxel is not finer than the planning needs. CT holds HU; MR and PET hold values whose scale is one over the series
// but arbitrary: nothing compares them to a constant.

import { PixelError } from '../errors.ts'
import type { Raster } from '../model.ts'
import {
  type Affine,
  affineOf,
  isRefused,
  type Refused,
  refused,
  type SliceFacts,
  type Stack,
  type VolumeModality,
} from './geometry.ts'

export type Volume = {
  readonly modality: VolumeModality
  readonly columns: number
  readonly rows: number
  readonly slices: number
  readonly affine: Affine
  /** Index = (slice · rows + row) · columns + column. */
  readonly data: Int16Array
}

export type VolumeBuilder = {
  readonly kind: 'open'
  /** The slice at `index` of the stack. @throws PixelError BAD_FORMAT where it is not what its facts said. */
  readonly put: (index: number, raster: Raster) => void
  /** Once every slice was put. */
  readonly volume: Volume
}

/** 256 MiB: 512 × 512 × 512. */
const MAX_VOXELS = 1 << 27
/** The plan is made on a grid of 2 mm; finer voxels than this are averaged away. */
const FINE_MM = 0.9

export function openVolume(stack: Stack): VolumeBuilder | Refused {
  const first = stack.slices[0]
  if (!first) return refused('no slices')
  const stride = Math.max(1, Math.floor(FINE_MM / Math.max(...first.spacing)))
  const affine = affineOf(stack, stride)
  if (isRefused(affine)) return affine
  const columns = Math.floor(first.columns / stride)
  const rows = Math.floor(first.rows / stride)
  const slices = stack.slices.length
  if (columns < 2 || rows < 2) return refused('slices of too few pixels')
  if (columns * rows * slices > MAX_VOXELS) return refused('more voxels than a volume may have')
  const data = new Int16Array(columns * rows * slices)
  const volume: Volume = { modality: first.modality, columns, rows, slices, affine, data }
  const scale = scaleOf(stack)
  const put = (index: number, raster: Raster): void => {
    const facts = stack.slices[index]
    if (!facts || !fits(raster, facts))
      throw new PixelError('BAD_FORMAT', 'a slice is not what its header says')
    fillSlice(volume, { index, raster, stride, ...scale(facts) })
  }
  return { kind: 'open', put, volume }
}

export function fits(raster: Raster, facts: SliceFacts): boolean {
  return raster.rows === facts.rows && raster.columns === facts.columns && raster.samplesPerPixel === 1
}

type Linear = { readonly slope: number; readonly intercept: number }

/**
 * CT: HU. Otherwise: slopes relative to the greatest of the stack (those of PET differ from slice to slice), so that the
 * greatest stored value fits 16 bits.
 */
function scaleOf({ slices }: Stack): (facts: SliceFacts) => Linear {
  if (slices[0]?.modality === 'CT') return ({ slope, intercept }) => ({ slope, intercept })
  let greatest = 0
  for (const { slope, intercept, range } of slices)
    greatest = Math.max(
      greatest,
      Math.abs(range[0] * slope + intercept),
      Math.abs(range[1] * slope + intercept),
    )
  const down = greatest > 0 ? Math.min(1, 32_000 / greatest) : 1
  const up = greatest > 0 && greatest < 1000 ? 32_000 / greatest : down
  return ({ slope, intercept }) => ({ slope: slope * up, intercept: intercept * up })
}

type Fill = Linear & { readonly index: number; readonly raster: Raster; readonly stride: number }

function fillSlice({ columns, rows, data }: Volume, { index, raster, stride, slope, intercept }: Fill): void {
  const source = raster.data
  const area = stride * stride
  let at = index * rows * columns
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      let sum = 0
      for (let dy = 0; dy < stride; dy++) {
        const start = (row * stride + dy) * raster.columns + column * stride
        for (let dx = 0; dx < stride; dx++) sum += source[start + dx] ?? 0
      }
      data[at++] = clamp((sum / area) * slope + intercept)
    }
  }
}

function clamp(value: number): number {
  return value < -32_768 ? -32_768 : value > 32_767 ? 32_767 : Math.round(value)
}
