// Slices in patient space (PS3.3 C.7.6.2.1.1): mm, x to the Left, y to the Posterior, z to the Superior.
//
//   SliceFacts[] ─stacksOf→ Stack[] ─affineOf→ Affine { voxel (column, row, slice) → mm, and back }
//
// Invariants: an Affine is only made of slices that lie on one straight line at even steps, so a gantry tilt (steps that
// are not along the normal) is a sheared grid and exact, and anything irregular is refused. Words of refusals hold no
// value of a header.

import type { Vec } from './vectors.ts'
import { cross, determinant, dot, length, minus, plus, scaled } from './vectors.ts'

export type VolumeModality = 'CT' | 'MR' | 'PT'

/** What one slice (a file, or a frame of one) says of itself. UIDs stay in memory. */
export type SliceFacts = {
  readonly series: string
  /** '' where the file has none: then its series stands alone. */
  readonly frameOfReference: string
  readonly instance: string
  /** Index of the frame in its file. */
  readonly frame: number
  readonly modality: VolumeModality
  readonly rows: number
  readonly columns: number
  /** Centre of the first pixel. */
  readonly position: Vec
  /** Along a row, that is from column to column; unit vector. */
  readonly along: Vec
  /** From row to row; unit vector. */
  readonly down: Vec
  /** mm between rows, mm between columns: the order of Pixel Spacing (PS3.3 10.7.1.3). */
  readonly spacing: readonly [number, number]
  readonly slope: number
  readonly intercept: number
  /** Least and greatest stored value that its pixels can hold. */
  readonly range: readonly [number, number]
}

export type Refused = { readonly kind: 'refused'; readonly what: string }

/** Slices of one series, of one orientation and size, sorted along the normal, one a position. */
export type Stack = { readonly slices: readonly SliceFacts[]; readonly step: Vec }

/** Position in mm = origin + column·i + row·j + slice·k. The rows of `inverse` give i, j, k of a position. */
export type Affine = {
  readonly origin: Vec
  readonly column: Vec
  readonly row: Vec
  readonly slice: Vec
  readonly inverse: readonly [Vec, Vec, Vec]
}

/** Fewer are a localiser or a slab. */
const MIN_SLICES = 12
/** Of the distance between slices, and never less than the second in mm: how far a slice may lie from its place. */
const UNEVEN = 0.1
const UNEVEN_MM = 0.2
/** Below this, two slices lie at one place: another echo, phase or time. */
const SAME_PLACE_MM = 0.01

/** Stacks of slices that share series, orientation, size and spacing. Of several at one place the first counts. */
export function stacksOf(slices: readonly SliceFacts[]): readonly (Stack | Refused)[] {
  const groups = new Map<string, SliceFacts[]>()
  for (const slice of slices) {
    const key = JSON.stringify([
      slice.series,
      slice.rows,
      slice.columns,
      ...[...slice.along, ...slice.down, ...slice.spacing].map((value) => Math.round(value * 1000)),
    ])
    const group = groups.get(key)
    if (group) group.push(slice)
    else groups.set(key, [slice])
  }
  return [...groups.values()].map(stackOf)
}

export function isRefused(value: object): value is Refused {
  return 'kind' in value && value.kind === 'refused'
}

export function refused(what: string): Refused {
  return { kind: 'refused', what }
}

function stackOf(group: readonly SliceFacts[]): Stack | Refused {
  const first = group[0]
  if (!first) return refused('no slices')
  const normal = cross(first.along, first.down)
  const placed = group
    .map((slice) => ({ slice, at: dot(slice.position, normal) }))
    .sort((a, b) => a.at - b.at || compare(a.slice, b.slice))
  const single = placed.filter((one, index) => one.at - (placed[index - 1]?.at ?? -1e9) > SAME_PLACE_MM)
  const slices = single.map(({ slice }) => slice)
  const last = slices.at(-1)
  const start = slices[0]
  if (!last || !start || slices.length < MIN_SLICES) return refused('too few slices for a volume')
  const step = scaled(minus(last.position, start.position), 1 / (slices.length - 1))
  const tolerance = Math.max(UNEVEN * length(step), UNEVEN_MM)
  const uneven = slices.some((slice, index) => {
    const expected = plus(start.position, scaled(step, index))
    return length(minus(slice.position, expected)) > tolerance
  })
  return uneven ? refused('slices at uneven distances') : { slices, step }
}

function compare(a: SliceFacts, b: SliceFacts): number {
  if (a.instance !== b.instance) return a.instance < b.instance ? -1 : 1
  return a.frame - b.frame
}

/** `stride`: pixels of a slice that become one voxel, along rows and columns alike. */
export function affineOf({ slices, step }: Stack, stride: number): Affine | Refused {
  const first = slices[0]
  if (!first) return refused('no slices')
  const column = scaled(first.along, first.spacing[1] * stride)
  const row = scaled(first.down, first.spacing[0] * stride)
  // The centre of a block of pixels, not its first one.
  const shift = (stride - 1) / 2 / stride
  const origin = plus(first.position, plus(scaled(column, shift), scaled(row, shift)))
  return affine({ origin, column, row, slice: step })
}

export function affine(axes: Omit<Affine, 'inverse'>): Affine | Refused {
  const { column, row, slice } = axes
  const size = determinant(column, row, slice)
  if (!(Math.abs(size) > 1e-6)) return refused('axes that span no volume')
  const inverse = [
    scaled(cross(row, slice), 1 / size),
    scaled(cross(slice, column), 1 / size),
    scaled(cross(column, row), 1 / size),
  ] as const
  return { ...axes, inverse }
}
