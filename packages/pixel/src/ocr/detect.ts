// Where text stands in a grey image: the detector's map of likelihood, cut into connected pieces, each an upright box.
// The map shows the middle of a line of text (it was trained on shrunk outlines), so that boxes grow afterwards.

import type { FoundText, GreyImage } from '../model.ts'
import type { Network } from './model.ts'

export type Detecting = {
  /** The image is scaled by it before. */
  readonly scale: number
  /** A pixel of the map at least so likely belongs to text. */
  readonly threshold: number
  /** The mean of a piece must be at least so likely. */
  readonly minScore: number
}

export const DETECTING: Detecting = { scale: 1, threshold: 0.2, minScore: 0.35 }

/** Of the detector's input: beyond it, memory; larger images are scaled down or cut by the caller. */
const MAX_SIDE = 2560
/** Pieces smaller than this, in pixels of the map, are dust. */
const MIN_SIDE = 3
/** How far a box grows: by this part of area over perimeter (DB's unclip), and at least by MIN_GROWTH. */
const UNCLIP = 2
const MIN_GROWTH = 2

export async function detect(
  network: Network,
  image: GreyImage,
  how: Detecting = DETECTING,
): Promise<readonly FoundText[]> {
  const scale = Math.min(how.scale, MAX_SIDE / Math.max(image.width, image.height))
  const width = Math.max(1, Math.round(image.width * scale))
  const height = Math.max(1, Math.round(image.height * scale))
  const paddedWidth = Math.ceil(width / 32) * 32
  const paddedHeight = Math.ceil(height / 32) * 32
  const scaled = scale === 1 ? image : resized(image, width, height)
  const input = normalised(scaled, paddedWidth, paddedHeight)
  const { values } = await network.run(input, [1, 3, paddedHeight, paddedWidth])
  const pieces = piecesOf({ map: values, stride: paddedWidth, width, height, how })
  return pieces.map((piece) => grown(piece, image, scale))
}

/** Mean and deviation of ImageNet, as the network was trained. */
const MEAN = [0.485, 0.456, 0.406] as const
const DEVIATION = [0.229, 0.224, 0.225] as const

function normalised(
  { width, height, data }: GreyImage,
  paddedWidth: number,
  paddedHeight: number,
): Float32Array {
  const plane = paddedWidth * paddedHeight
  const out = new Float32Array(plane * 3)
  for (let channel = 0; channel < 3; channel++) {
    const mean = MEAN[channel] ?? 0
    const deviation = DEVIATION[channel] ?? 1
    const table = new Float32Array(256)
    for (let value = 0; value < 256; value++) table[value] = (value / 255 - mean) / deviation
    const black = table[0] ?? 0
    const from = channel * plane
    for (let y = 0; y < paddedHeight; y++) {
      const row = from + y * paddedWidth
      if (y >= height) {
        out.fill(black, row, row + paddedWidth)
        continue
      }
      for (let x = 0; x < width; x++) out[row + x] = table[data[y * width + x] ?? 0] ?? 0
      out.fill(black, row + width, row + paddedWidth)
    }
  }
  return out
}

/** Bilinear. */
export function resized(image: GreyImage, width: number, height: number): GreyImage {
  const data = new Uint8Array(width * height)
  const dx = image.width / width
  const dy = image.height / height
  for (let y = 0; y < height; y++) {
    const v = Math.max(0, Math.min(image.height - 1, (y + 0.5) * dy - 0.5))
    const top = Math.floor(v)
    const below = Math.min(image.height - 1, top + 1)
    const fv = v - top
    for (let x = 0; x < width; x++) {
      const u = Math.max(0, Math.min(image.width - 1, (x + 0.5) * dx - 0.5))
      const left = Math.floor(u)
      const right = Math.min(image.width - 1, left + 1)
      const fu = u - left
      const a =
        (image.data[top * image.width + left] ?? 0) * (1 - fu) +
        (image.data[top * image.width + right] ?? 0) * fu
      const b =
        (image.data[below * image.width + left] ?? 0) * (1 - fu) +
        (image.data[below * image.width + right] ?? 0) * fu
      data[y * width + x] = Math.round(a * (1 - fv) + b * fv)
    }
  }
  return { width, height, data }
}

type Map = {
  readonly map: Float32Array
  readonly stride: number
  readonly width: number
  readonly height: number
  readonly how: Detecting
}
type Piece = { left: number; top: number; right: number; bottom: number; sum: number; count: number }

/** Pixels over the threshold that touch, eight ways. */
function piecesOf({ map, stride, width, height, how }: Map): readonly Piece[] {
  const seen = new Uint8Array(width * height)
  const stack: number[] = []
  const pieces: Piece[] = []
  for (let start = 0; start < seen.length; start++) {
    const x0 = start % width
    const y0 = (start - x0) / width
    if (seen[start] === 1 || (map[y0 * stride + x0] ?? 0) < how.threshold) continue
    const piece: Piece = { left: x0, top: y0, right: x0, bottom: y0, sum: 0, count: 0 }
    stack.push(start)
    seen[start] = 1
    for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
      const x = at % width
      const y = (at - x) / width
      piece.left = Math.min(piece.left, x)
      piece.right = Math.max(piece.right, x)
      piece.top = Math.min(piece.top, y)
      piece.bottom = Math.max(piece.bottom, y)
      piece.sum += map[y * stride + x] ?? 0
      piece.count++
      for (let ny = Math.max(0, y - 1); ny <= Math.min(height - 1, y + 1); ny++) {
        for (let nx = Math.max(0, x - 1); nx <= Math.min(width - 1, x + 1); nx++) {
          const next = ny * width + nx
          if (seen[next] === 1 || (map[ny * stride + nx] ?? 0) < how.threshold) continue
          seen[next] = 1
          stack.push(next)
        }
      }
    }
    const large = Math.min(piece.right - piece.left, piece.bottom - piece.top) + 1 >= MIN_SIDE
    if (large && piece.sum / piece.count >= how.minScore) pieces.push(piece)
  }
  return pieces
}

function grown(piece: Piece, image: GreyImage, scale: number): FoundText {
  const width = piece.right - piece.left + 1
  const height = piece.bottom - piece.top + 1
  const growth = Math.max(MIN_GROWTH, (UNCLIP * width * height) / (2 * (width + height)))
  const x = Math.max(0, Math.floor((piece.left - growth) / scale))
  const y = Math.max(0, Math.floor((piece.top - growth) / scale))
  const right = Math.min(image.width, Math.ceil((piece.right + 1 + growth) / scale))
  const bottom = Math.min(image.height, Math.ceil((piece.bottom + 1 + growth) / scale))
  return { box: { x, y, width: right - x, height: bottom - y }, score: piece.sum / piece.count }
}
