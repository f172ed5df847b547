// A raster as planes of one number a pixel, before any window: luminance, and chroma where there is colour.
//
//   stored samples ─colour space→ luminance, blue and red difference ─window→ GreyImage

import type { GreyImage, Raster } from '../model.ts'

/** A row of numbers a pixel, in whatever range they were stored. */
export type Plane = { readonly width: number; readonly height: number; readonly data: Float32Array }

/** Red, Green and Blue Palette Color Lookup Table Data (PS3.3 C.7.6.3.1.6); `first` is what the first entry stands for. */
export type Palette = {
  readonly red: ArrayLike<number>
  readonly green: ArrayLike<number>
  readonly blue: ArrayLike<number>
  readonly first?: number
}

/** What of the header helps to look; nothing of it is needed. */
export type Hints = {
  readonly palette?: Palette
  /** Window Center and Width in stored values, where the header has them. */
  readonly window?: { readonly center: number; readonly width: number }
  /** The brightest or darkest of many frames: that pixels share a value says nothing there. */
  readonly projection?: boolean
}

/** Luminance first; then two planes of chroma where any pixel has colour worth the name. */
export function planes(raster: Raster, hints: Hints = {}): readonly Plane[] {
  const coloured = threeSamples(raster, hints)
  if (coloured === undefined) return [single(raster)]
  const { width, height, first, second, third } = coloured
  const blue = new Float32Array(first.length)
  const red = new Float32Array(first.length)
  const luminance = coloured.ybr ? first : new Float32Array(first.length)
  let colourful = 0
  for (let i = 0; i < first.length; i++) {
    const [a = 0, b = 0, c = 0] = [first[i], second[i], third[i]]
    if (!coloured.ybr) luminance[i] = 0.299 * a + 0.587 * b + 0.114 * c
    blue[i] = coloured.ybr ? b : 0.564 * (c - (luminance[i] ?? 0))
    red[i] = coloured.ybr ? c : 0.713 * (a - (luminance[i] ?? 0))
    const neutral = coloured.ybr ? 128 : 0
    if (Math.abs((blue[i] ?? 0) - neutral) + Math.abs((red[i] ?? 0) - neutral) > GREY * coloured.depth)
      colourful++
  }
  const all = [luminance, blue, red].map((data) => ({ width, height, data }))
  return colourful >= COLOURFUL ? all : all.slice(0, 1)
}

/** Of the full depth: less chroma than this is grey. */
const GREY = 0.06
/** Fewer coloured pixels than make up a character leave an image grey. */
const COLOURFUL = 24

type Coloured = {
  readonly width: number
  readonly height: number
  readonly first: Float32Array
  readonly second: Float32Array
  readonly third: Float32Array
  readonly ybr: boolean
  readonly depth: number
}

function threeSamples(raster: Raster, { palette }: Hints): Coloured | undefined {
  const { columns: width, rows: height, data, samplesPerPixel } = raster
  const size = width * height
  const [first, second, third] = [new Float32Array(size), new Float32Array(size), new Float32Array(size)]
  if (palette !== undefined && samplesPerPixel === 1) {
    const last = palette.red.length - 1
    let depth = 255
    for (let i = 0; i < size; i++) {
      const entry = Math.min(last, Math.max(0, (data[i] ?? 0) - (palette.first ?? 0)))
      first[i] = palette.red[entry] ?? 0
      second[i] = palette.green[entry] ?? 0
      third[i] = palette.blue[entry] ?? 0
      if ((first[i] ?? 0) > 255 || (second[i] ?? 0) > 255 || (third[i] ?? 0) > 255) depth = 65535
    }
    return { width, height, first, second, third, ybr: false, depth }
  }
  if (samplesPerPixel < 3) return undefined
  for (let i = 0, at = 0; i < size; i++, at += samplesPerPixel) {
    first[i] = data[at] ?? 0
    second[i] = data[at + 1] ?? 0
    third[i] = data[at + 2] ?? 0
  }
  const ybr = raster.photometric.startsWith('YBR')
  return { width, height, first, second, third, ybr, depth: 2 ** raster.bitsStored - 1 }
}

function single({ columns: width, rows: height, data, samplesPerPixel }: Raster): Plane {
  const plane = new Float32Array(width * height)
  for (let i = 0; i < plane.length; i++) plane[i] = data[i * samplesPerPixel] ?? 0
  return { width, height, data: plane }
}

/** Values at shares of the sorted plane, from a sample of it. */
export function percentiles({ data }: Plane, shares: readonly number[]): readonly number[] {
  const step = Math.max(1, Math.floor(data.length / 40_000))
  // A step that divides a row's length would look at few columns alone.
  const stride = step % 2 === 0 ? step + 1 : step
  const sample = new Float32Array(Math.ceil(data.length / stride))
  for (let i = 0, at = 0; at < data.length; i++, at += stride) sample[i] = data[at] ?? 0
  sample.sort()
  return shares.map((share) => sample[Math.round(share * (sample.length - 1))] ?? 0)
}

export function windowed({ width, height, data }: Plane, low: number, high: number): GreyImage {
  const scale = high > low ? 255 / (high - low) : 0
  const out = new Uint8ClampedArray(data.length)
  for (let i = 0; i < data.length; i++) out[i] = ((data[i] ?? 0) - low) * scale
  return { width, height, data: new Uint8Array(out.buffer) }
}

/**
 * Each pixel against the mean and spread of its surroundings: text of little contrast, or beyond any window, stands
 * out as far as text of much. `floor` is the least spread that counts, so that flat ground stays flat.
 */
export function normalised(plane: Plane, radius: number, floor: number): GreyImage {
  const { width, height, data } = plane
  const mean = blurred(data, plane, radius)
  const squares = new Float32Array(data.length)
  for (let i = 0; i < data.length; i++) squares[i] = ((data[i] ?? 0) - (mean[i] ?? 0)) ** 2
  const spread = blurred(squares, plane, radius)
  const out = new Uint8ClampedArray(data.length)
  for (let i = 0; i < data.length; i++) {
    const deviation = Math.max(floor, Math.sqrt(spread[i] ?? 0))
    out[i] = 128 + (48 * ((data[i] ?? 0) - (mean[i] ?? 0))) / deviation
  }
  return { width, height, data: new Uint8Array(out.buffer) }
}

type Size = { readonly width: number; readonly height: number }

/** The mean of a square, by running sums along rows and then columns; the square is cut at the edges. */
export function blurred(data: Float32Array, { width, height }: Size, radius: number): Float32Array {
  const rows = new Float32Array(data.length)
  for (let y = 0; y < height; y++) {
    let sum = 0
    let count = 0
    for (let x = -radius; x < width; x++) {
      if (x + radius < width) {
        sum += data[y * width + x + radius] ?? 0
        count++
      }
      if (x - radius - 1 >= 0) {
        sum -= data[y * width + x - radius - 1] ?? 0
        count--
      }
      if (x >= 0) rows[y * width + x] = sum / count
    }
  }
  const out = new Float32Array(data.length)
  const sums = new Float64Array(width)
  let count = 0
  for (let y = -radius; y < height; y++) {
    const enters = y + radius < height
    const leaves = y - radius - 1 >= 0
    if (enters) count++
    if (leaves) count--
    for (let x = 0; x < width; x++) {
      let sum = sums[x] ?? 0
      if (enters) sum += rows[(y + radius) * width + x] ?? 0
      if (leaves) sum -= rows[(y - radius - 1) * width + x] ?? 0
      sums[x] = sum
      if (y >= 0) out[y * width + x] = sum / count
    }
  }
  return out
}

/** Each value between two others by its rank among the distinct ones: an outlier takes one grey, not all of them. */
export function ranked({ width, height, data }: Plane, from: number, to: number): GreyImage {
  const distinct = new Set<number>()
  for (const value of data) if (value > from && value < to) distinct.add(value)
  const order = Float32Array.from(distinct).sort()
  const level = new Map<number, number>()
  for (let i = 0; i < order.length; i++) level.set(order[i] ?? 0, Math.round((255 * (i + 1)) / order.length))
  const out = new Uint8Array(data.length)
  for (let i = 0; i < data.length; i++) {
    const value = data[i] ?? 0
    out[i] = value <= from ? 0 : value >= to ? 255 : (level.get(value) ?? 0)
  }
  return { width, height, data: out }
}
