// A frame with text drawn on it where we know: the ground truth of the benchmark.
//
// Contrast is a share of the displayed range: of a published frame from its 0.5th to its 99.5th percentile, of a
// generated one all that its bits hold. Text lies that far above or below the median of what is under it, and is
// opaque, as a scanner burns it in.

import type { Raster } from '@roentgate/pixel'
import type { Base } from './bases.ts'
import { FONTS, type Glyph, glyphs } from './glyphs.ts'
import type { Random } from './random.ts'

export const STYLES = ['plain', 'inverse', 'vertical', 'upside down', 'tilted', 'outside', 'colour'] as const
/** `outside`: on a plate beyond the range that a window shows. `colour`: of its ground's luminance, by hue alone. */
export type Style = (typeof STYLES)[number]

export const CONTRASTS = [0.1, 0.25, 0.5, 1] as const
export const SIZES = [
  { name: '8–11', from: 8, to: 11 },
  { name: '12–15', from: 12, to: 15 },
  { name: '16–23', from: 16, to: 23 },
  { name: '24–40', from: 24, to: 40 },
] as const

export type Placed = {
  readonly text: string
  readonly style: Style
  readonly contrast: number
  readonly size: number
  readonly font: string
  readonly characters: readonly Character[]
}
/**
 * In pixels of the frame. `buried`: over a tenth of what is under it lies nearer to the ink than half the contrast,
 * as where a text crosses an edge; nobody sees such a character whole.
 */
export type Character = Glyph & { readonly buried: boolean }
export type Scene = { readonly base: Base; readonly raster: Raster; readonly placed: readonly Placed[] }

const NAMES = [
  'HARTLEY',
  'Delacroix',
  'FUJIMOTO',
  'Nowak',
  'OKAFOR',
  'Lindqvist',
  'SILVA',
  'Brewster',
] as const
const GIVEN = ['JOAN', 'Hugo', 'KEN', 'ALICE', 'Chuks', 'ANA', 'Maria'] as const

type Identity = (random: Random) => string
const IDENTITIES: readonly Identity[] = [
  (r) => `${r.pick(NAMES)}, ${r.pick(GIVEN)}`,
  (r) => `${r.pick(NAMES)} ${r.pick(GIVEN)}`,
  (r) => digits(r, 8),
  (r) => `ID ${digits(r, 7)}`,
  (r) => `DOB ${digits(r, 2)}/${digits(r, 2)}/19${digits(r, 2)}`,
  (r) => `19${digits(r, 2)}-${digits(r, 2)}-${digits(r, 2)}`,
  (r) => `MRN: ${digits(r, 4)} ${digits(r, 4)}`,
]

function digits(random: Random, count: number): string {
  return Array.from({ length: count }, () => random.whole(10)).join('')
}

type Bounds = { readonly x: number; readonly y: number; readonly width: number; readonly height: number }

function boundsOf(letters: readonly Glyph[]): Bounds {
  const x = Math.min(...letters.map((each) => each.x))
  const y = Math.min(...letters.map((each) => each.y))
  const right = Math.max(...letters.map((each) => each.x + each.width))
  const bottom = Math.max(...letters.map((each) => each.y + each.height))
  return { x, y, width: right - x, height: bottom - y }
}

/** One frame with up to `count` texts that do not touch. */
export function scene(base: Base, count: number, random: Random): Scene {
  const raster: Raster = { ...base.raster, data: base.raster.data.slice() }
  const canvas: Canvas = { base, raster, range: rangeOf(base) }
  const taken: Bounds[] = []
  const placed: Placed[] = []
  for (let attempt = 0; attempt < count * 6 && placed.length < count; attempt++) {
    const wish = wished(base, random)
    if (wish === undefined) continue
    const free = room(raster, taken, { bounds: boundsOf(wish.characters), random })
    if (free === undefined) continue
    const characters = wish.characters.map((each) => ({ ...each, x: each.x + free.x, y: each.y + free.y }))
    const drawn = draw(canvas, { ...wish, characters }, random)
    if (drawn === undefined) continue
    taken.push(boundsOf(characters))
    placed.push({ ...wish, characters: drawn })
  }
  return { base, raster, placed }
}

type Wished = Omit<Placed, 'characters'> & { readonly characters: readonly Glyph[] }

function wished(base: Base, random: Random): Wished | undefined {
  const style = random.pick(STYLES)
  const colour = base.raster.samplesPerPixel === 3
  if (style === 'colour' && !colour) return undefined
  if (style === 'outside' && base.raster.bitsStored <= 8) return undefined
  const { from, to } = random.pick(SIZES)
  const font = random.pick(FONTS)
  const raw = random.pick(IDENTITIES)(random)
  const size = font === 'bitmap' ? Math.ceil(from / 8) * 8 : from + random.whole(to - from + 1)
  const text = font === 'bitmap' ? raw.toUpperCase() : raw
  const hard = font === 'bitmap' || base.palette !== undefined || random.whole(4) === 0
  const letters = glyphs({ text, font, size, angle: angleOf(style, random), hard })
  return { text, style, font, contrast: random.pick(CONTRASTS), size, characters: letters }
}

function angleOf(style: Style, random: Random): number {
  if (style === 'vertical') return random.pick([90, 270])
  if (style === 'upside down') return 180
  if (style === 'tilted') return random.pick([-1, 1]) * (3 + random.whole(13))
  return 0
}

type Wish = { readonly bounds: Bounds; readonly random: Random }

/** Where the text's origin may lie so that it keeps clear of the edges by a little and of others by its height. */
function room(
  { rows, columns }: Raster,
  taken: readonly Bounds[],
  { bounds, random }: Wish,
): Bounds | undefined {
  const margin = 3
  const clear = 14
  const across = columns - bounds.width - 2 * margin
  const down = rows - bounds.height - 2 * margin
  if (across <= 0 || down <= 0) return undefined
  for (let attempt = 0; attempt < 40; attempt++) {
    const x = margin + random.whole(across)
    const y = margin + random.whole(down)
    const meets = taken.some(
      (other) =>
        x < other.x + other.width + clear &&
        other.x < x + bounds.width + clear &&
        y < other.y + other.height + clear &&
        other.y < y + bounds.height + clear,
    )
    if (!meets) return { ...bounds, x: x - bounds.x, y: y - bounds.y }
  }
  return undefined
}

type Range = { readonly low: number; readonly high: number }
type Canvas = { readonly base: Base; readonly raster: Raster; readonly range: Range }

function rangeOf({ raster, modality }: Base): Range {
  if (modality === 'generated' || raster.bitsStored <= 8) return { low: 0, high: 2 ** raster.bitsStored - 1 }
  const sorted = Float64Array.from(raster.data).sort()
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0
  return { low: at(0.005), high: at(0.995) }
}

/** One value a sample. */
type Ink = readonly number[]

/** Undefined where the frame has no such colours. */
function draw(canvas: Canvas, text: Wished, random: Random): readonly Character[] | undefined {
  const bounds = boundsOf(text.characters)
  const inks = inksOf(canvas, { text, ground: medianOf(canvas.raster, bounds), random })
  if (inks === undefined) return undefined
  const pad = Math.max(2, Math.round(text.size / 5))
  if (inks.plate !== undefined)
    for (let y = bounds.y - pad; y < bounds.y + bounds.height + pad; y++)
      for (let x = bounds.x - pad; x < bounds.x + bounds.width + pad; x++)
        put(canvas.raster, { x, y }, inks.plate)
  const ground = inks.plate ?? medianOf(canvas.raster, bounds)
  const characters = text.characters.map((each) => ({
    ...each,
    buried: buried(canvas, each, { ink: inks.text, ground }),
  }))
  for (const { x, y, width, height, coverage } of characters)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++) {
        const share = (coverage[row * width + column] ?? 0) / 255
        if (share > 0) put(canvas.raster, { x: x + column, y: y + row, share }, inks.text)
      }
  return characters
}

type Against = { readonly ink: Ink; readonly ground: Ink }

function buried({ base, raster }: Canvas, { x, y, width, height }: Glyph, { ink, ground }: Against): boolean {
  const wanted = distance(base, ink, ground) / 2
  const { samplesPerPixel, columns, data } = raster
  let near = 0
  for (let row = y; row < y + height; row++)
    for (let column = x; column < x + width; column++) {
      const at = (row * columns + column) * samplesPerPixel
      if (distance(base, ink, Array.from(data.subarray(at, at + samplesPerPixel))) < wanted) near++
    }
  return near > 0.1 * width * height
}

function distance({ palette }: Base, one: Ink, other: Ink): number {
  if (palette !== undefined)
    return Math.abs(luminance(palette, one[0] ?? 0) - luminance(palette, other[0] ?? 0))
  return Math.max(...one.map((value, sample) => Math.abs(value - (other[sample] ?? 0))))
}

type Spot = { readonly x: number; readonly y: number; readonly share?: number }

function put({ rows, columns, samplesPerPixel, data }: Raster, { x, y, share = 1 }: Spot, ink: Ink): void {
  if (x < 0 || y < 0 || x >= columns || y >= rows) return
  const from = (y * columns + x) * samplesPerPixel
  for (let s = 0; s < samplesPerPixel; s++)
    data[from + s] = Math.round((data[from + s] ?? 0) * (1 - share) + (ink[s] ?? 0) * share)
}

function medianOf({ columns, samplesPerPixel, data }: Raster, { x, y, width, height }: Bounds): Ink {
  return Array.from({ length: samplesPerPixel }, (_, sample) => {
    const values: number[] = []
    for (let row = y; row < y + height; row++)
      for (let column = x; column < x + width; column++)
        values.push(data[(row * columns + column) * samplesPerPixel + sample] ?? 0)
    return values.sort((a, b) => a - b)[values.length >> 1] ?? 0
  })
}

type Wanted = { readonly text: Wished; readonly ground: Ink; readonly random: Random }
type Inks = { readonly text: Ink; readonly plate?: Ink }

function inksOf({ base, raster, range }: Canvas, { text, ground, random }: Wanted): Inks | undefined {
  const { style, contrast } = text
  if (base.palette !== undefined) {
    const index = paletteInk(base.palette, { ground: ground[0] ?? 0, contrast })
    return style === 'inverse' ? { text: ground, plate: [index] } : { text: [index] }
  }
  if (style === 'outside') return outside(raster, { range, contrast })
  if (style === 'colour') {
    const hue = tinted(raster.photometric, ground, contrast * random.pick([-1, 1]))
    return hue === undefined ? undefined : { text: hue }
  }
  const ink = shifted(raster.photometric, ground, (value) => away(value, range, { contrast, random }))
  return style === 'inverse' ? { text: ground, plate: ink } : { text: ink }
}

/** A plate one and a half ranges above all that is displayed, text on it by its contrast above that. */
function outside(
  raster: Raster,
  { range, contrast }: { readonly range: Range; readonly contrast: number },
): Inks | undefined {
  const span = range.high - range.low
  const most = 2 ** (raster.signed ? raster.bitsStored - 1 : raster.bitsStored) - 1
  const plate = Math.round(range.high + 1.5 * span)
  const text = Math.round(plate + contrast * span)
  return text > most ? undefined : { plate: [plate], text: [text] }
}

type Choice = { readonly contrast: number; readonly random: Random }

/** The value `contrast` away from another, on the side that has room; the far end where neither has. */
function away(value: number, { low, high }: Range, { contrast, random }: Choice): number {
  const step = contrast * (high - low)
  const sides = [value + step, value - step].filter((side) => side >= low && side <= high)
  const far = value - low > high - value ? low : high
  return Math.round(sides.length === 0 ? far : random.pick(sides))
}

function shifted(photometric: string, ground: Ink, move: (value: number) => number): Ink {
  if (ground.length === 1) return [move(ground[0] ?? 0)]
  if (photometric.startsWith('YBR')) return [move(ground[0] ?? 0), 128, 128]
  const [red = 0, green = 0, blue = 0] = ground
  const grey = move(0.299 * red + 0.587 * green + 0.114 * blue)
  return [grey, grey, grey]
}

/** The ground's luminance in another hue; undefined where that is outside of what eight bits hold. */
function tinted(photometric: string, ground: Ink, contrast: number): Ink | undefined {
  const [first = 0, second = 0, third = 0] = ground
  const step = contrast * 127
  if (photometric.startsWith('YBR')) return inGamut([first, second, Math.round(third + step)])
  const grey = 0.299 * first + 0.587 * second + 0.114 * third
  return inGamut([Math.round(grey + step * 1.402), Math.round(grey - step * 0.714), Math.round(grey)])
}

function inGamut(ink: Ink): Ink | undefined {
  return ink.every((value) => value >= 0 && value <= 255) ? ink : undefined
}

type Palette = NonNullable<Base['palette']>
type PaletteWish = { readonly ground: number; readonly contrast: number }

/** 0 to 1. */
function luminance({ red, green, blue }: Palette, index: number): number {
  const depth = red.some((value) => value > 255) ? 65535 : 255
  return (0.299 * (red[index] ?? 0) + 0.587 * (green[index] ?? 0) + 0.114 * (blue[index] ?? 0)) / depth
}

/** The index whose luminance is nearest to what is asked for. */
function paletteInk(palette: Palette, { ground, contrast }: PaletteWish): number {
  const under = luminance(palette, ground)
  const [above, below] = [under + contrast, under - contrast]
  const aim = above <= 1 ? above : below >= 0 ? below : under > 0.5 ? 0 : 1
  let best = 0
  for (let i = 1; i < palette.red.length; i++)
    if (Math.abs(luminance(palette, i) - aim) < Math.abs(luminance(palette, best) - aim)) best = i
  return best
}
