// What stands in a masked pixel afterwards. Nothing outside the mask is touched, in any fill.
//
//   black    what a display shows as black, by photometric interpretation
//   mean     of the box's own surroundings, a ring one pixel wide
//   inpaint  grown inwards from the box's edge, ring by ring, each pixel the weighted mean of its known neighbours

import type { Box, Fill } from '@roentgate/dicom'
import type { Raster, Samples } from '../model.ts'
import { clipped, maskOf } from './boxes.ts'

/** Red, green and blue of each index, 16 bits: to find the darkest (PS3.3 C.7.6.3.1.5). */
export type Palette = {
  readonly red: ArrayLike<number>
  readonly green: ArrayLike<number>
  readonly blue: ArrayLike<number>
}

export type Filling = { readonly fill: Fill; readonly palette?: Palette }

/** The raster with the boxes filled; a new one, the given stays as it is. */
export function filled(raster: Raster, boxes: readonly Box[], { fill, palette }: Filling): Raster {
  const inside = boxes.flatMap((box) => clipped(box, raster) ?? [])
  if (inside.length === 0) return raster
  const data = raster.data.slice()
  const result: Raster = { ...raster, data }
  // Indices are names, not amounts: neither a mean nor a neighbour's weight has a meaning.
  const how = raster.photometric === 'PALETTE COLOR' ? 'black' : fill
  switch (how) {
    case 'black':
      paint(result, inside, black(raster, palette))
      break
    case 'mean': {
      const mask = maskOf(inside, raster)
      for (const box of inside) paint(result, [box], ringMean(raster, box, mask) ?? black(raster, palette))
      break
    }
    case 'inpaint':
      paint(result, inside, black(raster, palette))
      inpaint(result, maskOf(inside, raster))
      break
    default:
      how satisfies never
  }
  return result
}

function paint(raster: Raster, boxes: readonly Box[], value: readonly number[]): void {
  const { columns, samplesPerPixel, data } = raster
  for (const { x, y, width, height } of boxes) {
    for (let row = y; row < y + height; row++) {
      const from = (row * columns + x) * samplesPerPixel
      const to = from + width * samplesPerPixel
      if (samplesPerPixel === 1) data.fill(value[0] ?? 0, from, to)
      else for (let at = from; at < to; at++) data[at] = value[(at - from) % samplesPerPixel] ?? 0
    }
  }
}

/** PS3.3 C.7.6.3.1.2. */
export function black(raster: Raster, palette?: Palette): readonly number[] {
  const { bitsStored, signed, photometric, samplesPerPixel } = raster
  const middle = 2 ** (bitsStored - 1)
  if (photometric.startsWith('YBR')) return [0, middle, middle]
  if (photometric === 'PALETTE COLOR') return [palette ? darkest(palette) : 0]
  if (samplesPerPixel > 1) return [0, 0, 0, 0].slice(0, samplesPerPixel)
  if (photometric === 'MONOCHROME1') return [signed ? extreme(raster.data, 1) : 2 ** bitsStored - 1]
  // Of signed values, the least that stands there: the least that could stand there would stretch every display.
  return [signed ? extreme(raster.data, -1) : 0]
}

function extreme(data: Samples, sign: 1 | -1): number {
  let found = data[0] ?? 0
  for (const value of data) if (sign * value > sign * found) found = value
  return found
}

function darkest({ red, green, blue }: Palette): number {
  let best = 0
  let least = Number.POSITIVE_INFINITY
  for (let index = 0; index < red.length; index++) {
    const light = (red[index] ?? 0) + (green[index] ?? 0) + (blue[index] ?? 0)
    if (light < least) {
      least = light
      best = index
    }
  }
  return best
}

function ringMean(raster: Raster, box: Box, mask: Uint8Array): readonly number[] | undefined {
  const { rows, columns, samplesPerPixel, data } = raster
  const sums = new Array<number>(samplesPerPixel).fill(0)
  let count = 0
  const add = (x: number, y: number): void => {
    if (x < 0 || y < 0 || x >= columns || y >= rows || mask[y * columns + x] === 1) return
    const at = (y * columns + x) * samplesPerPixel
    for (let sample = 0; sample < samplesPerPixel; sample++)
      sums[sample] = (sums[sample] ?? 0) + (data[at + sample] ?? 0)
    count++
  }
  for (let x = box.x - 1; x <= box.x + box.width; x++) {
    add(x, box.y - 1)
    add(x, box.y + box.height)
  }
  for (let y = box.y; y < box.y + box.height; y++) {
    add(box.x - 1, y)
    add(box.x + box.width, y)
  }
  return count === 0 ? undefined : sums.map((sum) => Math.round(sum / count))
}

/** From the edge inwards: 1 is still to be made. Where nothing is known at all, black stays. */
function inpaint(raster: Raster, todo: Uint8Array): void {
  let ring = frontier(raster, todo, undefined)
  while (ring.length > 0) {
    const made = ring.map((at) => neighbourMean(raster, todo, at))
    ring.forEach((at, index) => {
      const value = made[index]
      if (value) raster.data.set(value, at * raster.samplesPerPixel)
    })
    for (const at of ring) todo[at] = 0
    ring = frontier(raster, todo, ring)
  }
}

/** Pixels still to be made that touch a known one; `near` those just made, or undefined to look everywhere. */
function frontier(
  { rows, columns }: Raster,
  todo: Uint8Array,
  near: readonly number[] | undefined,
): number[] {
  const found = new Set<number>()
  const look = (at: number): void => {
    const x = at % columns
    const y = (at - x) / columns
    if (x > 0 && todo[at - 1] === 1) found.add(at - 1)
    if (x + 1 < columns && todo[at + 1] === 1) found.add(at + 1)
    if (y > 0 && todo[at - columns] === 1) found.add(at - columns)
    if (y + 1 < rows && todo[at + columns] === 1) found.add(at + columns)
  }
  if (near) for (const at of near) look(at)
  else for (let at = 0; at < todo.length; at++) if (todo[at] === 0) look(at)
  return [...found]
}

function neighbourMean(
  { rows, columns, samplesPerPixel, data }: Raster,
  todo: Uint8Array,
  at: number,
): number[] {
  const x0 = at % columns
  const y0 = (at - x0) / columns
  const sums = new Array<number>(samplesPerPixel).fill(0)
  let weights = 0
  for (let dy = -2; dy <= 2; dy++) {
    for (let dx = -2; dx <= 2; dx++) {
      const x = x0 + dx
      const y = y0 + dy
      if (x < 0 || y < 0 || x >= columns || y >= rows || todo[y * columns + x] === 1) continue
      const weight = 1 / (dx * dx + dy * dy)
      const from = (y * columns + x) * samplesPerPixel
      for (let sample = 0; sample < samplesPerPixel; sample++) {
        sums[sample] = (sums[sample] ?? 0) + weight * (data[from + sample] ?? 0)
      }
      weights += weight
    }
  }
  return sums.map((sum) => Math.round(sum / weights))
}
