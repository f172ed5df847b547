// What a recogniser would see.  Volume ─depthMap→ DepthMap ─shade→ GreyImage ─greyToPng→ file of the review folder
//
// Rays go from the camera into the volume and stop at the first value over the threshold; the surface is lit from the
// camera (Lambert), as renderings for face matching are. The picture of before is as identifying as a photograph: it
// belongs nowhere but to the private review folder.

import sharp from 'sharp'
import { PixelError } from '../errors.ts'
import type { GreyImage } from '../model.ts'
import type { Vec } from './vectors.ts'
import { dot, minus, plus, scaled } from './vectors.ts'
import type { Volume } from './volume.ts'

/** `turn`: degrees about the long axis of the body; 0 looks the patient in the face, 90 sees the left side. */
export type FaceView = { readonly turn: number; readonly threshold: number }

export type DepthMap = {
  readonly width: number
  readonly height: number
  /** mm from the front of the view; NaN where the ray met nothing. */
  readonly depth: Float32Array
}

const PIXEL_MM = 1.5
const STEP_MM = 1
/** Half the side of the picture: the upper end of the volume and what lies below it. */
const REACH_MM = 140
const HEIGHT_MM = 300

export function renderFace(volume: Volume, view: FaceView): GreyImage {
  return shade(depthMap(volume, view))
}

/** Towards the side of the camera, and to the right of the picture, for the angle of a view. */
function axesOf(turn: number): { readonly into: Vec; readonly right: Vec } {
  const angle = (turn * Math.PI) / 180
  return { into: [-Math.sin(angle), Math.cos(angle), 0], right: [Math.cos(angle), Math.sin(angle), 0] }
}

export function depthMap(volume: Volume, { turn, threshold }: FaceView): DepthMap {
  const { affine } = volume
  const middle = plus(
    plus(affine.origin, scaled(affine.column, (volume.columns - 1) / 2)),
    plus(scaled(affine.row, (volume.rows - 1) / 2), scaled(affine.slice, (volume.slices - 1) / 2)),
  )
  const top = Math.max(...tops(volume))
  const { into, right } = axesOf(turn)
  const width = Math.round((2 * REACH_MM) / PIXEL_MM)
  const height = Math.round(HEIGHT_MM / PIXEL_MM)
  const depth = new Float32Array(width * height).fill(Number.NaN)
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      const across = scaled(right, u * PIXEL_MM - REACH_MM)
      const start = plus(plus(middle, across), scaled(into, -REACH_MM))
      const from: Vec = [start[0], start[1], top - v * PIXEL_MM]
      depth[v * width + u] = cast(volume, { from, into, threshold })
    }
  }
  return { width, height, depth }
}

function tops({ affine, columns, rows, slices }: Volume): readonly number[] {
  const z = affine.origin[2]
  const [a, b, c] = [
    affine.column[2] * (columns - 1),
    affine.row[2] * (rows - 1),
    affine.slice[2] * (slices - 1),
  ]
  return [z, z + a, z + b, z + c, z + a + b, z + a + c, z + b + c, z + a + b + c]
}

type Ray = { readonly from: Vec; readonly into: Vec; readonly threshold: number }

function cast(volume: Volume, { from, into, threshold }: Ray): number {
  const [ri, rj, rk] = volume.affine.inverse
  const start = minus(from, volume.affine.origin)
  const place = [dot(ri, start), dot(rj, start), dot(rk, start)] as const
  const step = [dot(ri, into) * STEP_MM, dot(rj, into) * STEP_MM, dot(rk, into) * STEP_MM] as const
  let before = Number.NEGATIVE_INFINITY
  for (let n = 0; n < (2 * REACH_MM) / STEP_MM; n++) {
    const value = sample(volume, [place[0] + step[0] * n, place[1] + step[1] * n, place[2] + step[2] * n])
    if (value > threshold) {
      const part = Number.isFinite(before) ? (threshold - before) / (value - before) : 1
      return (n - 1 + part) * STEP_MM
    }
    before = value
  }
  return Number.NaN
}

/** Linear in all three directions; minus infinity outside. */
function sample({ columns, rows, slices, data }: Volume, [i, j, k]: Vec): number {
  if (i < 0 || j < 0 || k < 0 || i > columns - 1 || j > rows - 1 || k > slices - 1)
    return Number.NEGATIVE_INFINITY
  const [i0, j0, k0] = [
    Math.min(Math.floor(i), columns - 2),
    Math.min(Math.floor(j), rows - 2),
    Math.min(Math.floor(k), slices - 2),
  ]
  const [fi, fj, fk] = [i - i0, j - j0, k - k0]
  const at = (k0 * rows + j0) * columns + i0
  const plane = rows * columns
  const line = (offset: number): number => {
    const a = data[offset] ?? 0
    return a + ((data[offset + 1] ?? 0) - a) * fi
  }
  const face = (offset: number): number => {
    const a = line(offset)
    return a + (line(offset + columns) - a) * fj
  }
  const near = face(at)
  return near + (face(at + plane) - near) * fk
}

export function shade({ width, height, depth }: DepthMap): GreyImage {
  const data = new Uint8Array(width * height)
  for (let v = 1; v < height - 1; v++) {
    for (let u = 1; u < width - 1; u++) {
      const at = v * width + u
      const here = depth[at] ?? Number.NaN
      if (Number.isNaN(here)) continue
      const slope = (a: number, b: number): number => {
        const value = ((depth[a] ?? Number.NaN) - (depth[b] ?? Number.NaN)) / (2 * PIXEL_MM)
        return Number.isNaN(value) ? 2 : value
      }
      const du = slope(at + 1, at - 1)
      const dv = slope(at + width, at - width)
      data[at] = Math.round(40 + 215 / Math.sqrt(1 + du * du + dv * dv))
    }
  }
  return { width, height, data }
}

/** @throws PixelError ENCODE_FAILED. */
export async function greyToPng({ width, height, data }: GreyImage): Promise<Uint8Array> {
  try {
    const png = await sharp(data, { raw: { width, height, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer()
    return new Uint8Array(png)
  } catch (cause) {
    throw new PixelError('ENCODE_FAILED', 'a picture could not be written as PNG', { cause })
  }
}
