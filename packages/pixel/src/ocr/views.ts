// The pictures in which text is looked for: what a window of the header hides is in one of them.
//
//   plain        luminance from its 0.5th to its 99.5th percentile: what a reader sees
//   turned       the same after a quarter turn: the detector was taught mostly lines that lie
//   normalised   each pixel against its surroundings: all windows at once, both polarities, little contrast too
//   constant     strokes of one exact value, whatever it is
//   beyond       the part of the frame that lies above, or below, what the plain view shows, by rank
//   chroma       distance from the colour around: text of the tissue's luminance in another colour
//
// Small frames are enlarged, so that text of eight pixels is large enough for the detector.

import type { GreyImage, Raster } from '../model.ts'
import { constantStrokes } from './constant.ts'
import { type Box, crop, resize, turn } from './grey.ts'
import {
  blurred,
  type Hints,
  normalised,
  type Plane,
  percentiles,
  planes,
  ranked,
  windowed,
} from './planes.ts'

/** What it shows of the raster, in raster pixels, enlarged and then turned. */
export type View = GreyImage & {
  readonly kind: 'plain' | 'normalised' | 'constant' | 'beyond' | 'chroma'
  readonly of: Box
  readonly scale: number
  /** A quarter turn, clockwise. */
  readonly turned: boolean
}

/** Pixels of a view: the detector's time grows with them. */
type Size = { readonly scale: number; readonly pixels: number }
const NORMALISED: Size = { scale: 2, pixels: 1_150_000 }
const TURNED: Size = { scale: 1.8, pixels: 850_000 }
const BEYOND: Size = { scale: 1.8, pixels: 900_000 }
/** About twice the height of small text: what is around a pixel. */
const SURROUNDINGS = 20
/** Of the displayed range: less spread than this is flat ground. */
const FLAT = 0.02
/** Chroma spreads less than this, of eight bits, on grey ground. */
const GREY_SPREAD = 3
/** Fewer pixels than a short word's ink are no text beyond the window. */
const LEAST_BEYOND = 60

export function views(raster: Raster, hints: Hints = {}): readonly View[] {
  const [luminance, blue, red] = planes(raster, hints)
  if (luminance === undefined) return []
  const [lowest = 0, low = 0, high = 0, highest = 0] = percentiles(luminance, [0, 0.005, 0.995, 1])
  const [bottom, top] = high > low ? [low, high] : [lowest, highest]
  const plain = whole('plain', windowed(luminance, bottom, top))
  const floor = Math.max((top - bottom) * FLAT, Number.EPSILON)
  const found = [
    plain,
    enlarged(whole('normalised', normalised(luminance, SURROUNDINGS, floor)), NORMALISED),
    turned(enlarged(plain, TURNED)),
    ...(hints.projection ? [] : [whole('constant', constantStrokes(raster))]),
    ...beyond(luminance, bottom, top),
  ]
  if (blue !== undefined && red !== undefined) found.push(whole('chroma', chroma(blue, red)))
  return found
}

function whole(kind: View['kind'], image: GreyImage): View {
  return {
    kind,
    ...image,
    of: { x: 0, y: 0, width: image.width, height: image.height },
    scale: 1,
    turned: false,
  }
}

function enlarged(view: View, { scale: most, pixels }: Size): View {
  const scale = Math.min(most, Math.max(1, Math.sqrt(pixels / (view.width * view.height))))
  const width = Math.round(view.width * scale)
  return { ...view, ...resize(view, width, Math.round(view.height * scale)), scale: width / view.width }
}

function turned(view: View): View {
  return { ...view, ...turn(view), turned: true }
}

/** What is clipped in the plain view, as far as it reaches, each side with a window of its own. */
function beyond(plane: Plane, bottom: number, top: number): readonly View[] {
  const least = (top - bottom) * FLAT
  const sides = [
    { from: top + least, to: Number.POSITIVE_INFINITY },
    { from: Number.NEGATIVE_INFINITY, to: bottom - least },
  ]
  return sides.flatMap(({ from, to }) => {
    const { box, count } = extent(plane, from, to)
    if (count < LEAST_BEYOND) return []
    const image = ranked(plane, from, to)
    return [enlarged({ kind: 'beyond', ...crop(image, box), of: box, scale: 1, turned: false }, BEYOND)]
  })
}

/** Where the values between two others are, and how many. */
function extent(
  { width, height, data }: Plane,
  from: number,
  to: number,
): { readonly box: Box; readonly count: number } {
  let [left, right, top, bottom, count] = [width, -1, height, -1, 0]
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      const value = data[at] ?? 0
      if (value <= from || value >= to) continue
      count++
      if (x < left) left = x
      if (x > right) right = x
      if (y < top) top = y
      bottom = y
    }
  }
  return { box: { x: left, y: top, width: right - left + 1, height: bottom - top + 1 }, count }
}

/** How far each pixel's colour is from the colour around it. */
function chroma(blue: Plane, red: Plane): GreyImage {
  const { width, height } = blue
  const squares = new Float32Array(width * height)
  for (const plane of [blue, red]) {
    const mean = blurred(plane.data, plane, SURROUNDINGS)
    for (let i = 0; i < squares.length; i++)
      squares[i] = (squares[i] ?? 0) + ((plane.data[i] ?? 0) - (mean[i] ?? 0)) ** 2
  }
  const spread = blurred(squares, blue, SURROUNDINGS)
  const out = new Uint8ClampedArray(squares.length)
  for (let i = 0; i < squares.length; i++)
    out[i] = (64 * Math.sqrt(squares[i] ?? 0)) / Math.max(GREY_SPREAD, Math.sqrt(spread[i] ?? 0))
  return { width, height, data: new Uint8Array(out.buffer) }
}
