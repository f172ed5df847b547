// Strokes of one exact stored value: what a scanner burns in, and anatomy under noise hardly ever has.
//
//   Raster → runs of equal pixels → connected components → those as large as a character are drawn white on black
//
// The picture holds such text whatever its contrast, on noise as on flat ground, within any window or beyond all of
// them. What was compressed with loss has no exact values: there the other views see the text.

import type { GreyImage, Raster } from '../model.ts'
import { join, type Runs, root, runsOf } from './components.ts'

/** A dot of a bitmap font of eight pixels, and what a large letter's bounding box may be. */
const LEAST_AREA = 6
const LEAST_SIDE = 3
const MOST_SIDE = 64

export function constantStrokes(raster: Raster): GreyImage {
  const { columns: width, rows: height } = raster
  const runs = runsOf({ width, height, data: keys(raster) })
  const parent = join(runs)
  const glyph = glyphLike(runs, parent)
  const data = new Uint8Array(width * height)
  for (let i = 0; i < runs.count; i++) {
    if (glyph[root(parent, i)] !== 1) continue
    const row = (runs.row[i] ?? 0) * width
    data.fill(255, row + (runs.from[i] ?? 0), row + (runs.to[i] ?? 0))
  }
  return { width, height, data }
}

/** One number a pixel, all samples in it; never 0, which is ground. */
function keys({ samplesPerPixel, data }: Raster): Int32Array {
  const found = new Int32Array(data.length / samplesPerPixel)
  for (let i = 0, at = 0; i < found.length; i++) {
    let key = 0
    for (let sample = 0; sample < samplesPerPixel; sample++, at++) key = (key * 257 + (data[at] ?? 0)) | 0
    found[i] = key === 0 ? 0x7fffffff : key
  }
  return found
}

/** One at the roots of components that may be a character. */
function glyphLike({ count, row, from, to }: Runs, parent: Int32Array): Uint8Array {
  const area = new Int32Array(count)
  const left = new Int32Array(count).fill(0x7fffffff)
  const right = new Int32Array(count)
  const top = new Int32Array(count).fill(0x7fffffff)
  const bottom = new Int32Array(count)
  for (let i = 0; i < count; i++) {
    const at = root(parent, i)
    area[at] = (area[at] ?? 0) + (to[i] ?? 0) - (from[i] ?? 0)
    left[at] = Math.min(left[at] ?? 0, from[i] ?? 0)
    right[at] = Math.max(right[at] ?? 0, to[i] ?? 0)
    top[at] = Math.min(top[at] ?? 0, row[i] ?? 0)
    bottom[at] = Math.max(bottom[at] ?? 0, (row[i] ?? 0) + 1)
  }
  const found = new Uint8Array(count)
  for (let i = 0; i < count; i++) {
    const width = (right[i] ?? 0) - (left[i] ?? 0)
    const height = (bottom[i] ?? 0) - (top[i] ?? 0)
    const longest = Math.max(width, height)
    if ((area[i] ?? 0) >= LEAST_AREA && longest >= LEAST_SIDE && longest <= MOST_SIDE) found[i] = 1
  }
  return found
}
