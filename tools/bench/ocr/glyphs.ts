// Text as coverage masks, one a character: what the scenes are drawn with, and the ground truth of what must be found.
//
// Outline fonts are DejaVu's, by a canvas; the bitmap font is the 5 × 7 one of character displays, strokes of one
// pixel, as scanners drew it for decades. Fonts of the machine play no part.

import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'

/** Coverage 0 to 255; `x`, `y` is where its first pixel lies from the text's origin. */
export type Glyph = {
  readonly character: string
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
  readonly coverage: Uint8Array
}

export type Lettering = {
  readonly text: string
  readonly font: Font
  /** Em of an outline font; of the bitmap font its line, eight pixels a step. */
  readonly size: number
  /** Degrees, clockwise. */
  readonly angle: number
  /** Coverage is all or nothing. */
  readonly hard: boolean
}

export const FONTS = ['Sans', 'Sans Bold', 'Sans Mono', 'Serif', 'Sans Condensed', 'bitmap'] as const
export type Font = (typeof FONTS)[number]

const FILES: Readonly<Record<Exclude<Font, 'bitmap'>, string>> = {
  Sans: 'DejaVuSans',
  'Sans Bold': 'DejaVuSans-Bold',
  'Sans Mono': 'DejaVuSansMono',
  Serif: 'DejaVuSerif',
  'Sans Condensed': 'DejaVuSansCondensed',
}

/** Five columns a character, the lowest bit on top. */
const BITMAP: Readonly<Record<string, readonly number[]>> = {
  ',': [0x00, 0x50, 0x30, 0x00, 0x00],
  '-': [0x08, 0x08, 0x08, 0x08, 0x08],
  '.': [0x00, 0x60, 0x60, 0x00, 0x00],
  '/': [0x20, 0x10, 0x08, 0x04, 0x02],
  ':': [0x00, 0x36, 0x36, 0x00, 0x00],
  '0': [0x3e, 0x51, 0x49, 0x45, 0x3e],
  '1': [0x00, 0x42, 0x7f, 0x40, 0x00],
  '2': [0x72, 0x49, 0x49, 0x49, 0x46],
  '3': [0x21, 0x41, 0x49, 0x4d, 0x33],
  '4': [0x18, 0x14, 0x12, 0x7f, 0x10],
  '5': [0x27, 0x45, 0x45, 0x45, 0x39],
  '6': [0x3c, 0x4a, 0x49, 0x49, 0x31],
  '7': [0x41, 0x21, 0x11, 0x09, 0x07],
  '8': [0x36, 0x49, 0x49, 0x49, 0x36],
  '9': [0x46, 0x49, 0x49, 0x29, 0x1e],
  A: [0x7c, 0x12, 0x11, 0x12, 0x7c],
  B: [0x7f, 0x49, 0x49, 0x49, 0x36],
  C: [0x3e, 0x41, 0x41, 0x41, 0x22],
  D: [0x7f, 0x41, 0x41, 0x41, 0x3e],
  E: [0x7f, 0x49, 0x49, 0x49, 0x41],
  F: [0x7f, 0x09, 0x09, 0x09, 0x01],
  G: [0x3e, 0x41, 0x41, 0x51, 0x73],
  H: [0x7f, 0x08, 0x08, 0x08, 0x7f],
  I: [0x00, 0x41, 0x7f, 0x41, 0x00],
  J: [0x20, 0x40, 0x41, 0x3f, 0x01],
  K: [0x7f, 0x08, 0x14, 0x22, 0x41],
  L: [0x7f, 0x40, 0x40, 0x40, 0x40],
  M: [0x7f, 0x02, 0x1c, 0x02, 0x7f],
  N: [0x7f, 0x04, 0x08, 0x10, 0x7f],
  O: [0x3e, 0x41, 0x41, 0x41, 0x3e],
  P: [0x7f, 0x09, 0x09, 0x09, 0x06],
  Q: [0x3e, 0x41, 0x51, 0x21, 0x5e],
  R: [0x7f, 0x09, 0x19, 0x29, 0x46],
  S: [0x26, 0x49, 0x49, 0x49, 0x32],
  T: [0x03, 0x01, 0x7f, 0x01, 0x03],
  U: [0x3f, 0x40, 0x40, 0x40, 0x3f],
  V: [0x1f, 0x20, 0x40, 0x20, 0x1f],
  W: [0x3f, 0x40, 0x38, 0x40, 0x3f],
  X: [0x63, 0x14, 0x08, 0x14, 0x63],
  Y: [0x03, 0x04, 0x78, 0x04, 0x03],
  Z: [0x61, 0x59, 0x49, 0x4d, 0x43],
}

/** Half the canvas on which one character is drawn, its beginning in the middle: larger than any here. */
const REACH = 64

const registered = new Set<string>()

function family(font: Exclude<Font, 'bitmap'>): string {
  const file = FILES[font]
  if (!registered.has(file)) {
    const folder = dirname(createRequire(import.meta.url).resolve('dejavu-fonts-ttf/package.json'))
    GlobalFonts.registerFromPath(join(folder, 'ttf', `${file}.ttf`), file)
    registered.add(file)
  }
  return file
}

/** The text's characters around its middle, spaces left out. */
export function glyphs(lettering: Lettering): readonly Glyph[] {
  const canvas = createCanvas(2 * REACH, 2 * REACH)
  const context = canvas.getContext('2d')
  const { text, font, size, angle } = lettering
  const step = Math.max(1, Math.round(size / 8))
  if (font !== 'bitmap') context.font = `${size}px "${family(font)}"`
  const advance = (part: string): number =>
    font === 'bitmap' ? part.length * 6 * step : context.measureText(part).width
  const start = -advance(text) / 2
  const found: Glyph[] = []
  for (const [place, character] of [...text].entries()) {
    if (character === ' ') continue
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.clearRect(0, 0, 2 * REACH, 2 * REACH)
    const x = Math.round(start + advance(text.slice(0, place)))
    const turned = (angle * Math.PI) / 180
    const moved = { x: Math.round(x * Math.cos(turned)), y: Math.round(x * Math.sin(turned)) }
    context.translate(REACH - moved.x, REACH - moved.y)
    context.rotate(turned)
    context.fillStyle = '#fff'
    if (font === 'bitmap') {
      for (const [column, bits] of (BITMAP[character] ?? []).entries())
        for (let row = 0; row < 7; row++)
          if ((bits >> row) & 1) context.fillRect(x + column * step, row * step - 4 * step, step, step)
    } else context.fillText(character, x, Math.round(size * 0.35))
    const { data } = context.getImageData(0, 0, 2 * REACH, 2 * REACH)
    const glyph = cut(data, { ...lettering, text: character })
    found.push({ ...glyph, x: glyph.x + moved.x, y: glyph.y + moved.y })
  }
  return found.filter(({ width }) => width > 0)
}

/** The inked part of the canvas; a pixel under a third is no ink. */
function cut(rgba: Uint8ClampedArray, { text, hard }: Lettering): Glyph {
  const side = 2 * REACH
  const alpha = (x: number, y: number): number => rgba[(y * side + x) * 4 + 3] ?? 0
  let [left, top, right, bottom] = [side, side, -1, -1]
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++)
      if (alpha(x, y) > (hard ? 100 : 16)) {
        left = Math.min(left, x)
        right = Math.max(right, x)
        top = Math.min(top, y)
        bottom = Math.max(bottom, y)
      }
  const width = Math.max(0, right - left + 1)
  const height = Math.max(0, bottom - top + 1)
  const coverage = new Uint8Array(width * height)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const value = alpha(left + x, top + y)
      coverage[y * width + x] = hard ? (value > 100 ? 255 : 0) : value
    }
  return { character: text, x: left - REACH, y: top - REACH, width, height, coverage }
}
