// Where text is, by the DBNet detector of PP-OCRv4.
//
//   GreyImage ─normalise, pad to 32→ network → probability a pixel ─threshold→ components ─grow→ boxes
//
// The network is trained to mark the core of a line, shrunk from its edges: every box is grown by more than it was
// shrunk, so that it covers whole glyphs with their ascenders. Large images go through in tiles that overlap.

import { type InferenceSession, Tensor } from 'onnxruntime-node'
import type { FoundText, GreyImage } from '../model.ts'
import { components } from './components.ts'
import { clip, crop } from './grey.ts'

/** What a pixel's probability must exceed to belong to text, and what a component's mean must reach. */
export type Sensitivity = { readonly pixel: number; readonly component: number }

export const SENSITIVITY: Sensitivity = { pixel: 0.25, component: 0.4 }

/** The network halves five times. */
const STRIDE = 32
/** Pixels that go through at once: they bound the memory of one inference, some 250 bytes each. */
const MOST_PIXELS = 1_100_000
/** Side of a tile of what is larger. */
const TILE = 1024
/** Tiles share this much, more than the largest text expected is high. */
const OVERLAP = 128
/** Of a component's height on each side, and of its area over its perimeter: DBNet's own is 1.5. */
const UNCLIP = 1.9
const MEAN = [0.485, 0.456, 0.406] as const
const DEVIATION = [0.229, 0.224, 0.225] as const

/** `thickness` is of the core that the network marked, across the line: about half of the text's height. */
export type Line = FoundText & { readonly thickness: number }

export async function detect(
  session: InferenceSession,
  image: GreyImage,
  sensitivity: Sensitivity = SENSITIVITY,
): Promise<readonly Line[]> {
  const found: Line[] = []
  const side = image.width * image.height <= MOST_PIXELS ? Math.max(image.width, image.height) : TILE
  for (const y of starts(image.height, side))
    for (const x of starts(image.width, side)) {
      const tile = crop(image, { x, y, width: side, height: side })
      for (const line of await detectTile(session, tile, sensitivity))
        found.push({ ...line, box: clip({ ...line.box, x: line.box.x + x, y: line.box.y + y }, image) })
    }
  return found
}

/** Where tiles begin so that they cover a side and overlap. */
function starts(length: number, side: number): readonly number[] {
  if (length <= side) return [0]
  const count = Math.ceil((length - OVERLAP) / (side - OVERLAP))
  return Array.from({ length: count }, (_, i) => Math.round((i * (length - side)) / (count - 1)))
}

async function detectTile(
  session: InferenceSession,
  image: GreyImage,
  sensitivity: Sensitivity,
): Promise<readonly Line[]> {
  const width = Math.ceil(image.width / STRIDE) * STRIDE
  const height = Math.ceil(image.height / STRIDE) * STRIDE
  const input = new Tensor('float32', normalised(image, width, height), [1, 3, height, width])
  const output = await session.run({ [session.inputNames[0] ?? 'x']: input })
  const map = output[session.outputNames[0] ?? '']?.data
  if (!(map instanceof Float32Array)) return []
  const mask = new Uint8Array(map.length)
  for (let i = 0; i < map.length; i++) mask[i] = (map[i] ?? 0) > sensitivity.pixel ? 1 : 0
  return components({ width, height, data: mask }, map)
    .filter(({ mean, width: w, height: h }) => mean >= sensitivity.component && Math.min(w, h) >= 2)
    .map(({ x, y, width: w, height: h, mean, area }) => {
      const grow = Math.ceil((w * h * UNCLIP) / (2 * (w + h))) + 1
      const box = { x: x - grow, y: y - grow, width: w + 2 * grow, height: h + 2 * grow }
      return { box: clip(box, image), score: mean, thickness: area / Math.hypot(w, h) }
    })
    .filter(({ box }) => box.width > 0 && box.height > 0)
}

/** Three equal planes, each normalised as the network was trained; padded with the last row and column. */
function normalised({ width, height, data }: GreyImage, padded: number, rows: number): Float32Array {
  const plane = padded * rows
  const values = new Float32Array(3 * plane)
  const levels = MEAN.map((mean, channel) =>
    Float32Array.from({ length: 256 }, (_, level) => (level / 255 - mean) / (DEVIATION[channel] ?? 1)),
  )
  for (let channel = 0; channel < 3; channel++) {
    const level = levels[channel] ?? new Float32Array(256)
    for (let y = 0, at = channel * plane; y < rows; y++) {
      const row = Math.min(y, height - 1) * width
      for (let x = 0; x < padded; x++, at++)
        values[at] = level[data[row + (x < width ? x : width - 1)] ?? 0] ?? 0
    }
  }
  return values
}
