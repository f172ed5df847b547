// npm run bench -- ocr: how much burned-in text is found, of which size and contrast, and what is blanked in vain.
//
//   bases ─scene→ frames with known text ─findText→ boxes ─score→ recall; the same frames without text → precision

import { findText, openReader, type Reader } from '@roentgate/pixel'
import { machine, table } from './document.ts'
import { median } from './measure.ts'
import { type Base, generatedBases, publishedBases } from './ocr/bases.ts'
import { seeded } from './ocr/random.ts'
import { CONTRASTS, type Placed, SIZES, STYLES, scene } from './ocr/scene.ts'
import { covered, isFound, share } from './ocr/score.ts'

export type OcrTask = {
  /** The data folder; generated frames alone where it is absent. */
  readonly folder: string | undefined
  readonly scenes: number
  readonly seed: number
  /** Every so many bases is used. */
  readonly every: number
  readonly say: (line: string) => void
}

export type Tried = {
  readonly text: Placed
  readonly buried: boolean
  readonly found: boolean
}
export type Frame = {
  readonly base: Base
  readonly milliseconds: readonly number[]
  /** Share of the frame blanked where it held no text; undefined where it holds text of its own. */
  readonly inVain: number | undefined
}
export type OcrResult = { readonly characters: readonly Tried[]; readonly frames: readonly Frame[] }

const TEXTS_A_SCENE = 16

export async function measureOcr({ folder, scenes, seed, every, say }: OcrTask): Promise<OcrResult> {
  const random = seeded(seed)
  const all = [...(folder === undefined ? [] : publishedBases(folder)), ...generatedBases(random)]
  const bases = all.filter((_, place) => place % every === 0)
  const reader = await openReader()
  const characters: Tried[] = []
  const frames: Frame[] = []
  try {
    for (const base of bases) {
      const milliseconds: number[] = []
      for (let count = 0; count < scenes; count++) {
        const drawn = scene(base, TEXTS_A_SCENE, random)
        const start = performance.now()
        const found = await findText(reader, drawn.raster, hintsOf(base))
        milliseconds.push(performance.now() - start)
        const mask = covered(drawn.raster, found)
        for (const text of drawn.placed)
          for (const each of text.characters)
            characters.push({ text, buried: each.buried, found: isFound(mask, drawn.raster.columns, each) })
      }
      const inVain = base.lettered ? undefined : await blankedInVain(reader, base)
      frames.push({ base, milliseconds, inVain })
      say(`${base.name}: ${median(milliseconds).toFixed(0)} ms a frame`)
    }
  } finally {
    await reader.dispose()
  }
  return { characters, frames }
}

function hintsOf({ palette }: Base): Parameters<typeof findText>[2] {
  return palette === undefined ? {} : { palette }
}

async function blankedInVain(reader: Reader, base: Base): Promise<number> {
  return share(covered(base.raster, await findText(reader, base.raster, hintsOf(base))))
}

/** Share of characters found, of those that are asked for and that can be seen. */
export function recall(characters: readonly Tried[], asked: (text: Placed) => boolean): number {
  const own = characters.filter(({ text, buried }) => !buried && asked(text))
  return own.length === 0 ? Number.NaN : own.filter(({ found }) => found).length / own.length
}

/** What is promised: text of 12 pixels and up, and smaller text, at a quarter of the range or more. */
export const PROMISED = {
  large: ({ size, contrast }: Placed): boolean => size >= 12 && contrast >= 0.25,
  small: ({ size, contrast }: Placed): boolean => size < 12 && contrast >= 0.25,
} as const

export function inVain(frames: readonly Frame[]): number {
  const known = frames.flatMap((frame) => (frame.inVain === undefined ? [] : [frame.inVain]))
  return known.reduce((sum, next) => sum + next, 0) / Math.max(1, known.length)
}

function percent(value: number, digits = 1): string {
  return Number.isNaN(value) ? '–' : `${(100 * value).toFixed(digits)} %`
}

export function ocrSection({ characters, frames }: OcrResult): string {
  const visible = characters.filter(({ buried }) => !buried)
  const sizes = SIZES.map(({ name, from, to }) => [
    `${name} px`,
    ...CONTRASTS.map((contrast) =>
      percent(recall(visible, (text) => text.size >= from && text.size <= to && text.contrast === contrast)),
    ),
  ])
  const styles = STYLES.map((style) => [
    style,
    percent(recall(visible, (text) => text.style === style && PROMISED.large(text))),
    percent(recall(visible, (text) => text.style === style && PROMISED.small(text))),
  ])
  const rows = frames.map(({ base, milliseconds, inVain: vain }) => [
    base.name,
    base.modality,
    `${base.raster.columns} × ${base.raster.rows}${base.raster.samplesPerPixel === 3 ? ' × 3' : ''}`,
    median(milliseconds).toFixed(0),
    vain === undefined ? 'has text of its own' : percent(vain, 3),
  ])
  const hidden = characters.filter(({ buried }) => buried)
  return `## ocr: text burned into pixels

${characters.length} characters of names, identifiers and dates drawn on ${frames.length} frames: published ones of each modality, and generated
ones. Six fonts, one of them a bitmap with strokes of a pixel; upright, in inverse video, turned by 90, 180 and 270
degrees, tilted by 3 to 15, on a plate beyond the displayed range, and of its ground's luminance in another colour.
Contrast is of the displayed range. A character is found where nine tenths of its ink are under a box. The ${hidden.length}
characters of which over a tenth lies on ground of nearly the ink's own value are left out here; ${percent(
    hidden.filter(({ found }) => found).length / Math.max(1, hidden.length),
  )} of them were found.
One thread, ${machine()}.

Promised: 12 px and up at 25 % contrast and up, **${percent(recall(visible, PROMISED.large), 2)}** found (at least 99 % is asked);
8 to 11 px, **${percent(recall(visible, PROMISED.small), 2)}** (at least 95 %). Blanked in vain on frames without text: **${percent(inVain(frames), 3)}** of
pixels (under 0.5 % is asked).

![Recall by size and contrast](images/bench-ocr.svg)

${table(['', ...CONTRASTS.map((contrast) => `${100 * contrast} %`)], sizes)}

At 25 % and more:

${table(['', '12 px and up', '8–11 px'], styles)}

${table(['', 'modality', 'pixels', 'ms a frame', 'blanked in vain'], rows)}`
}

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [720, 320, 70, 48, 120, 40]
const COLOURS = ['#c2571a', '#8a6d1f', '#0b6e78', '#16202a'] as const
/** The plot's lowest share. */
const LOWEST = 0.5

export function ocrPlot({ characters }: OcrResult): string {
  const visible = characters.filter(({ buried }) => !buried)
  const x = (place: number): number => LEFT + (place * (WIDTH - LEFT - RIGHT)) / (CONTRASTS.length - 1)
  const y = (value: number): number =>
    TOP + ((1 - Math.max(LOWEST, value)) / (1 - LOWEST)) * (HEIGHT - TOP - BOTTOM)
  const grid = [0.5, 0.6, 0.7, 0.8, 0.9, 1].map(
    (value) =>
      `<path d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}" stroke="#d8e0e5"/><text x="${LEFT - 10}" y="${y(value) + 5}" text-anchor="end">${percent(value, 0)}</text>`,
  )
  const ticks = CONTRASTS.map(
    (contrast, place) =>
      `<text x="${x(place)}" y="${HEIGHT - 14}" text-anchor="middle">${percent(contrast, 0)}</text>`,
  )
  const lines = SIZES.map(({ name, from, to }, place) => {
    const values = CONTRASTS.map((contrast) =>
      recall(visible, (text) => text.size >= from && text.size <= to && text.contrast === contrast),
    ).map((value) => (Number.isNaN(value) ? LOWEST : value))
    const points = values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
    const colour = COLOURS[place]
    const label = TOP + 20 + place * 22
    return `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="2.5"/>
<path d="M${WIDTH - RIGHT + 14} ${label - 5}h18" stroke="${colour}" stroke-width="2.5"/><text x="${WIDTH - RIGHT + 38}" y="${label}">${name} px</text>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="14" fill="#16202a">
<rect width="100%" height="100%" fill="#fff"/>
<text x="16" y="26" font-weight="600">Characters found, by contrast</text>
${[...grid, ...ticks, ...lines].join('\n')}
</svg>
`
}
