// Text drawn into a raster, and which pixels are whose: the ground truth of the search for burned-in text.

import { createRequire } from 'node:module'
import { createCanvas, GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas'
import type { Raster } from '@roentgate/pixel'

export const FONTS = [
  'DejaVuSans',
  'DejaVuSansMono',
  'DejaVuSerif',
  'DejaVuSans-Bold',
  'DejaVuSansCondensed',
] as const

export type Lettering = {
  readonly text: string
  readonly font: (typeof FONTS)[number]
  /** Height of a capital and its surroundings, in pixels: the font's size. */
  readonly size: number
  /** Of the displayed range, 0 to 1. */
  readonly contrast: number
  /** Degrees, clockwise. */
  readonly turn: number
  readonly dark: boolean
  /** Where its middle stands, as parts of the frame. */
  readonly at: readonly [x: number, y: number]
}

/** Ink of one character: places in the raster. */
export type Ink = { readonly character: string; readonly pixels: readonly number[] }

const known = new Set<string>()

function register(font: string): void {
  if (known.has(font)) return
  const path = createRequire(import.meta.url).resolve(`dejavu-fonts-ttf/ttf/${font}.ttf`)
  GlobalFonts.registerFromPath(path, font)
  known.add(font)
}

/** The displayed range: what the middle 98 % of the pixels use, at least an eighth of what occurs. */
export function displayedRange({ data }: Raster): readonly [low: number, high: number] {
  const sorted = Float64Array.from(data).sort()
  const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? 0
  const [least, most] = [at(0), at(1)]
  const [low, high] = [at(0.01), at(0.99)]
  return high - low >= (most - least) / 8 ? [low, high] : [least, most]
}

/** Draws into the raster's own data; grey rasters, or all samples of a coloured one alike. */
export function letter(
  raster: Raster,
  lettering: Lettering,
  range: readonly [number, number],
): readonly Ink[] {
  register(lettering.font)
  const side = Math.ceil(lettering.size * (lettering.text.length + 2))
  const canvas = createCanvas(side, side)
  const context = canvas.getContext('2d')
  const origin = placeOf(raster, lettering, side)
  const inks: Ink[] = []
  const masks: { readonly pixels: readonly number[]; readonly alpha: readonly number[] }[] = []
  for (const [index, character] of [...lettering.text].entries()) {
    const mask = characterMask(context, side, { lettering, index })
    const pixels: number[] = []
    const alpha: number[] = []
    for (let at = 3; at < mask.length; at += 4) {
      const strength = mask[at] ?? 0
      if (strength === 0) continue
      const x = origin.x + ((at >> 2) % side)
      const y = origin.y + Math.floor((at >> 2) / side)
      if (x < 0 || y < 0 || x >= raster.columns || y >= raster.rows) continue
      pixels.push(y * raster.columns + x)
      alpha.push(strength / 255)
    }
    masks.push({ pixels, alpha })
    if (pixels.length > 0)
      inks.push({ character, pixels: pixels.filter((_, each) => (alpha[each] ?? 0) > 0.4) })
  }
  paint(raster, masks, { ...lettering, range })
  return inks.filter(({ pixels }) => pixels.length > 0)
}

function placeOf(
  raster: Raster,
  { at, text, size }: Lettering,
  side: number,
): { readonly x: number; readonly y: number } {
  const margin = Math.min(raster.columns, raster.rows, (text.length * size) / 2) / 2
  const clamp = (value: number, most: number): number => Math.max(margin, Math.min(most - margin, value))
  return {
    x: Math.round(clamp(at[0] * raster.columns, raster.columns) - side / 2),
    y: Math.round(clamp(at[1] * raster.rows, raster.rows) - side / 2),
  }
}

type Character = { readonly lettering: Lettering; readonly index: number }

function characterMask(
  context: SKRSContext2D,
  side: number,
  { lettering, index }: Character,
): Uint8ClampedArray {
  const { text, size, font, turn } = lettering
  context.setTransform(1, 0, 0, 1, 0, 0)
  context.clearRect(0, 0, side, side)
  context.translate(side / 2, side / 2)
  context.rotate((turn * Math.PI) / 180)
  context.font = `${size}px ${font}`
  const whole = context.measureText(text).width
  const before = context.measureText(text.slice(0, index)).width
  context.fillText(text[index] ?? '', before - whole / 2, size / 3)
  return context.getImageData(0, 0, side, side).data
}

type Masks = readonly { readonly pixels: readonly number[]; readonly alpha: readonly number[] }[]
type Paint = Lettering & { readonly range: readonly [number, number] }

/** One value over the mean of what it covers, or under it where there is no room. */
function paint({ data, samplesPerPixel }: Raster, masks: Masks, { contrast, dark, range }: Paint): void {
  let sum = 0
  let count = 0
  for (const { pixels } of masks) {
    for (const pixel of pixels) {
      sum += data[pixel * samplesPerPixel] ?? 0
      count++
    }
  }
  const [low, high] = range
  const step = contrast * (high - low)
  const mean = sum / Math.max(1, count)
  // The way asked for where there is room, else the other; where neither has room, the one that has more.
  const rooms = { up: high - mean, down: mean - low }
  const wanted = dark ? 'down' : 'up'
  const other = dark ? 'up' : 'down'
  const way =
    rooms[wanted] >= step ? wanted : rooms[other] >= step || rooms[other] > rooms[wanted] ? other : wanted
  const value = Math.round(Math.max(low, Math.min(high, way === 'up' ? mean + step : mean - step)))
  for (const { pixels, alpha } of masks) {
    for (const [each, pixel] of pixels.entries()) {
      const strength = alpha[each] ?? 0
      for (let sample = 0; sample < samplesPerPixel; sample++) {
        const at = pixel * samplesPerPixel + sample
        data[at] = Math.round((data[at] ?? 0) * (1 - strength) + value * strength)
      }
    }
  }
}
