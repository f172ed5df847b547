// npm run bench -- ocr: how much of a text that was drawn is found, by size and contrast, and how much is blanked where
// none was drawn. Over real images where the data folder stands beside the repository, and over made ones always.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { fromBytes, readFile } from '@roentgate/dicom'
import {
  findText,
  formatOf,
  framesOf,
  openCodecs,
  openReader,
  type Raster,
  type Reader,
} from '@roentgate/pixel'
import { displayedRange, FONTS, type Ink, letter } from './lettering.ts'

const DATA = fileURLToPath(new URL('../../../shared/data/image', import.meta.url))

export type Background = { readonly name: string; readonly raster: Raster }
export type Cell = { readonly size: number; readonly contrast: number; characters: number; found: number }
export type Measured = {
  readonly cells: readonly Cell[]
  /** Of the images without text: pixels that would be blanked, of all. */
  readonly blanked: readonly {
    readonly name: string
    readonly share: number
    readonly milliseconds: number
  }[]
  readonly missed: readonly string[]
}

const SIZES = [8, 10, 12, 16, 24, 40] as const
const CONTRASTS = [0.1, 0.25, 0.5, 1] as const
const TURNS = [0, 0, 0, 0, 90, 270, 180, 5] as const
const WORDS = [
  'HARTLEY JOAN',
  '30045518',
  'DOB 04/17/1952',
  'Abara, Chuks M',
  'ACC 20-11872',
  '1988-06-30 14:03',
  'St. Mary Hospital',
]
/** A character is found where this part of its ink is covered. */
const COVERED = 0.9

export async function measureOcr(backgrounds: readonly Background[], rounds: number): Promise<Measured> {
  const reader = await openReader()
  const random = seeded(20261123)
  const cells = SIZES.flatMap((size) =>
    CONTRASTS.map((contrast): Cell => ({ size, contrast, characters: 0, found: 0 })),
  )
  const missed: string[] = []
  for (let round = 0; round < rounds; round++) {
    for (const { name, raster } of backgrounds) {
      for (const cell of cells) {
        const lost = await one({ reader, raster, random }, cell)
        if (lost) missed.push(`${name} ${cell.size} px ${cell.contrast}: ${lost}`)
      }
    }
  }
  const blanked = []
  for (const { name, raster } of backgrounds) {
    const began = performance.now()
    const mask = await maskOf(reader, raster)
    const milliseconds = performance.now() - began
    blanked.push({ name, share: mask.reduce((sum, each) => sum + each, 0) / mask.length, milliseconds })
  }
  await reader.dispose()
  return { cells, blanked, missed }
}

type Trial = { readonly reader: Reader; readonly raster: Raster; readonly random: () => number }

async function one({ reader, raster, random }: Trial, cell: Cell): Promise<string | undefined> {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T
  const lettered = { ...raster, data: raster.data.slice() }
  const turn = pick(TURNS)
  const text = pick(WORDS)
  const inks = letter(
    lettered,
    {
      text,
      font: pick(FONTS),
      size: cell.size,
      contrast: cell.contrast,
      turn,
      dark: random() < 0.3,
      at: [random(), random()],
    },
    displayedRange(raster),
  )
  const mask = await maskOf(reader, lettered)
  const found = inks.filter((ink) => isCovered(ink, mask)).length
  cell.characters += inks.length
  cell.found += found
  return found < inks.length ? `${found} of ${inks.length} turned ${turn}` : undefined
}

function isCovered({ pixels }: Ink, mask: Uint8Array): boolean {
  return pixels.filter((pixel) => mask[pixel] === 1).length >= COVERED * pixels.length
}

async function maskOf(reader: Reader, raster: Raster): Promise<Uint8Array> {
  const mask = new Uint8Array(raster.rows * raster.columns)
  for (const { box } of await findText(reader, raster)) {
    for (let y = box.y; y < box.y + box.height; y++)
      mask.fill(1, y * raster.columns + box.x, y * raster.columns + box.x + box.width)
  }
  return mask
}

export function seeded(seed: number): () => number {
  let state = seed >>> 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

/** Flat, noise and speckle; and the grey frames of the data folder that bear no text of their own. */
export async function backgroundsOf(limit: number): Promise<readonly Background[]> {
  return [...made(), ...(await real(limit))]
}

function made(): readonly Background[] {
  const random = seeded(7)
  const side = 512
  const of = (name: string, value: (x: number, y: number) => number): Background => ({
    name,
    raster: {
      rows: side,
      columns: side,
      samplesPerPixel: 1,
      bitsStored: 12,
      signed: false,
      photometric: 'MONOCHROME2',
      data: Uint16Array.from({ length: side * side }, (_, at) => value(at % side, Math.floor(at / side))),
    },
  })
  const gauss = (): number => random() + random() + random() - 1.5
  return [
    of('flat', (x) => (x < side / 2 ? 0 : 4095)),
    of('noise', () => Math.max(0, Math.min(4095, 2000 + gauss() * 500))),
    of('gradient', (x, y) => ((x + y) * 4095) / (2 * side)),
    of('speckle', () => Math.max(0, Math.min(4095, 600 * -Math.log(1 - random())))),
  ]
}

/** One of each modality, by file name and size, so that a run takes minutes. Those with writing of their own are left out. */
const LETTERED = /us|US|vl|VL|color|colour|rgb|ybr|palette|overlay|will|sc_|SC_|multiframe|examples/

const LARGEST = 1100

async function real(limit: number): Promise<readonly Background[]> {
  if (!existsSync(DATA)) return []
  const codecs = await openCodecs()
  const found: Background[] = []
  for (const name of readdirSync(DATA).sort()) {
    if (found.length >= limit) break
    if (LETTERED.test(name)) continue
    try {
      const file = readFile(fromBytes(readFileSync(join(DATA, name))), {})
      const format = formatOf(file)
      if (format?.samplesPerPixel !== 1 || format.bitsAllocated === 1) continue
      if (format.rows < 200 || format.rows > LARGEST || format.columns < 200 || format.columns > LARGEST)
        continue
      found.push({ name, raster: codecs.decode(framesOf(file, format).frame(0), format) })
    } catch {
      // What does not decode is no background.
    }
  }
  return found
}
