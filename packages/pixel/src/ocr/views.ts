// A frame as the grey pictures in which its text can be seen. One window is not enough: a text of value 4095 in an
// image displayed from 0 to 400 is as white as bone there, one of value 1 on air of 0 is invisible, and yellow on grey
// tissue may have the tissue's luminance.
//
//   full      the whole range of stored values that occur
//   middle    percentile 1 to 99: what the tissue uses
//   smooth    the same without its noise
//   tail      beyond those percentiles, where outliers stretch the range
//   chroma    how far from grey a colour is

import type { GreyImage, Raster, Samples } from '../model.ts'

export type Hints = {
  /** Of PALETTE COLOR, 8 or 16 bits an entry. */
  readonly palette?: {
    readonly red: ArrayLike<number>
    readonly green: ArrayLike<number>
    readonly blue: ArrayLike<number>
  }
}

/** Windows that differ by less than this part of their width show the same. */
const ALIKE = 0.25
/** Of the samples: what is rarer is an outlier. */
const TAIL = 0.01
/** Of 255: less colour than this is grey with noise. */
const COLOURED = 48
/** Of the pixels that must be coloured before a view of colour is worth its time. */
const COLOURED_SHARE = 0.0005

/** `full` and `middle` are looked at closely; the others only add what stands out in them. */
export type View = {
  readonly kind: 'full' | 'middle' | 'smooth' | 'tail' | 'chroma'
  readonly image: GreyImage
}

export function views(raster: Raster, hints: Hints = {}): readonly View[] {
  const { photometric, samplesPerPixel } = raster
  if (photometric === 'PALETTE COLOR' && hints.palette)
    return colourViews(raster, lookUp(raster, hints.palette))
  if (samplesPerPixel >= 3)
    return colourViews(raster, photometric.startsWith('YBR') ? fromYbr(raster) : eightBits(raster))
  return greyViews(raster)
}

type Window = { readonly low: number; readonly high: number }

function greyViews({ rows, columns, data }: Raster): readonly View[] {
  const { least, most, low, high } = tails(data)
  if (most === least) return []
  const size = { width: columns, height: rows }
  const full = { low: least, high: most }
  const middle = high > low ? { low, high } : full
  const found: View[] = [{ kind: 'full', image: windowed(data, size, full) }]
  const centre = windowed(data, size, middle)
  if (!alike(full, middle)) found.push({ kind: 'middle', image: centre })
  found.push({ kind: 'smooth', image: smoothed(centre) })
  // What stands above or below nearly all else, by itself.
  if (high < most) found.push({ kind: 'tail', image: windowed(data, size, { low: high, high: most }) })
  if (low > least) found.push({ kind: 'tail', image: windowed(data, size, { low: least, high: low }) })
  return found
}

/** The median of nine: letters on noise lose the noise. */
export function smoothed({ width, height, data }: GreyImage): GreyImage {
  const out = new Uint8Array(data.length)
  const nine = new Uint8Array(9)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let count = 0
      for (let dy = -1; dy <= 1; dy++) {
        const row = Math.max(0, Math.min(height - 1, y + dy)) * width
        for (let dx = -1; dx <= 1; dx++) {
          const value = data[row + Math.max(0, Math.min(width - 1, x + dx))] ?? 0
          let place = count++
          while (place > 0 && (nine[place - 1] ?? 0) > value) {
            nine[place] = nine[place - 1] ?? 0
            place--
          }
          nine[place] = value
        }
      }
      out[y * width + x] = nine[4] ?? 0
    }
  }
  return { width, height, data: out }
}

function alike(a: Window, b: Window): boolean {
  const width = Math.min(a.high - a.low, b.high - b.low)
  return Math.abs(a.low - b.low) + Math.abs(a.high - b.high) < ALIKE * width
}

type Tails = Window & { readonly least: number; readonly most: number }

const BINS = 4096

/** The range, and where its outer hundredths begin. */
function tails(data: Samples): Tails {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const value of data) {
    if (value < least) least = value
    if (value > most) most = value
  }
  const bins = new Uint32Array(BINS)
  const scale = (BINS - 1) / Math.max(1, most - least)
  for (const value of data) {
    const bin = ((value - least) * scale) | 0
    bins[bin] = (bins[bin] ?? 0) + 1
  }
  const tail = data.length * TAIL
  let low = 0
  for (let sum = 0; low < BINS - 1; low++) {
    sum += bins[low] ?? 0
    if (sum > tail) break
  }
  let high = BINS - 1
  for (let sum = 0; high > 0; high--) {
    sum += bins[high] ?? 0
    if (sum > tail) break
  }
  return { least, most, low: least + low / scale, high: least + (high + 1) / scale }
}

type Size = { readonly width: number; readonly height: number }

function windowed(data: Samples, size: Size, { low, high }: Window): GreyImage {
  const out = new Uint8Array(data.length)
  const scale = 255 / (high - low)
  for (let at = 0; at < out.length; at++) {
    const value = ((data[at] ?? 0) - low) * scale
    out[at] = value <= 0 ? 0 : value >= 255 ? 255 : value
  }
  return { ...size, data: out }
}

/** Red, green, blue, eight bits, interleaved. */
function colourViews({ rows, columns }: Raster, rgb: Uint8Array): readonly View[] {
  const size = { width: columns, height: rows }
  const pixels = rows * columns
  const luminance = new Uint8Array(pixels)
  const chroma = new Uint8Array(pixels)
  let coloured = 0
  for (let pixel = 0, at = 0; pixel < pixels; pixel++, at += 3) {
    const red = rgb[at] ?? 0
    const green = rgb[at + 1] ?? 0
    const blue = rgb[at + 2] ?? 0
    luminance[pixel] = (red * 77 + green * 150 + blue * 29) >> 8
    const strength = Math.max(red, green, blue) - Math.min(red, green, blue)
    chroma[pixel] = strength
    if (strength > COLOURED) coloured++
  }
  const grey = greyViews({
    rows,
    columns,
    samplesPerPixel: 1,
    bitsStored: 8,
    signed: false,
    photometric: 'MONOCHROME2',
    data: luminance,
  })
  return coloured > pixels * COLOURED_SHARE
    ? [...grey, { kind: 'chroma', image: { ...size, data: chroma } }]
    : grey
}

function eightBits({ data, bitsStored, samplesPerPixel }: Raster): Uint8Array {
  if (data instanceof Uint8Array && bitsStored === 8 && samplesPerPixel === 3) return data
  const down = 2 ** (bitsStored - 8)
  const pixels = data.length / samplesPerPixel
  const out = new Uint8Array(pixels * 3)
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let sample = 0; sample < 3; sample++)
      out[pixel * 3 + sample] = (data[pixel * samplesPerPixel + sample] ?? 0) / down
  }
  return out
}

/** PS3.3 C.7.6.3.1.2. */
function fromYbr(raster: Raster): Uint8Array {
  const ybr = eightBits(raster)
  const out = new Uint8ClampedArray(ybr.length)
  for (let at = 0; at < ybr.length; at += 3) {
    const y = ybr[at] ?? 0
    const blue = (ybr[at + 1] ?? 0) - 128
    const red = (ybr[at + 2] ?? 0) - 128
    out[at] = y + 1.402 * red
    out[at + 1] = y - 0.344136 * blue - 0.714136 * red
    out[at + 2] = y + 1.772 * blue
  }
  return new Uint8Array(out.buffer)
}

function lookUp({ data }: Raster, { red, green, blue }: NonNullable<Hints['palette']>): Uint8Array {
  const tables = [red, green, blue].map((table) => {
    let most = 0
    for (let index = 0; index < table.length; index++) most = Math.max(most, table[index] ?? 0)
    return Uint8Array.from({ length: table.length }, (_, index) =>
      most > 255 ? (table[index] ?? 0) >> 8 : (table[index] ?? 0),
    )
  })
  const out = new Uint8Array(data.length * 3)
  for (let pixel = 0; pixel < data.length; pixel++) {
    const index = data[pixel] ?? 0
    for (let channel = 0; channel < 3; channel++) {
      const table = tables[channel]
      out[pixel * 3 + channel] = table?.[Math.min(index, table.length - 1)] ?? 0
    }
  }
  return out
}
