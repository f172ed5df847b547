// What a box says: the crop at a height of 48, the network's columns, the best path of CTC. Upright boxes taller than
// they are wide are read turned, both ways, and the surer reading is taken.

import type { Box } from '@roentgate/dicom'
import type { GreyImage } from '../model.ts'
import { resized } from './detect.ts'
import type { Network } from './model.ts'

export type Reading = {
  readonly text: string /** Mean of the characters' likelihoods, 0 to 1. */
  readonly confidence: number
}

const HEIGHT = 48
const MAX_WIDTH = 2048
const TALL = 1.5

export async function recognise(
  network: Network,
  alphabet: readonly string[],
  crop: GreyImage,
): Promise<Reading> {
  if (crop.height < crop.width * TALL) return readLine(network, alphabet, crop)
  const up = await readLine(network, alphabet, turned(crop))
  const down = await readLine(network, alphabet, turned(turned(turned(crop))))
  return up.confidence >= down.confidence ? up : down
}

export function cropOf(image: GreyImage, box: Box): GreyImage {
  const data = new Uint8Array(box.width * box.height)
  for (let y = 0; y < box.height; y++) {
    const from = (box.y + y) * image.width + box.x
    data.set(image.data.subarray(from, from + box.width), y * box.width)
  }
  return { width: box.width, height: box.height, data }
}

/** A quarter, clockwise. */
export function turned({ width, height, data }: GreyImage): GreyImage {
  const out = new Uint8Array(data.length)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) out[x * height + (height - 1 - y)] = data[y * width + x] ?? 0
  }
  return { width: height, height: width, data: out }
}

async function readLine(network: Network, alphabet: readonly string[], crop: GreyImage): Promise<Reading> {
  const width = Math.max(16, Math.min(MAX_WIDTH, Math.round((crop.width * HEIGHT) / crop.height)))
  const { data } = resized(crop, width, HEIGHT)
  const plane = width * HEIGHT
  const input = new Float32Array(plane * 3)
  for (let at = 0; at < plane; at++) input[at] = (data[at] ?? 0) / 127.5 - 1
  input.copyWithin(plane, 0, plane)
  input.copyWithin(plane * 2, 0, plane)
  const { values, shape } = await network.run(input, [1, 3, HEIGHT, width])
  return decoded(values, shape, alphabet)
}

/** The likeliest class of each column, repeats joined, blanks dropped. */
function decoded(values: Float32Array, shape: readonly number[], alphabet: readonly string[]): Reading {
  const [, columns = 0, classes = 0] = shape
  let text = ''
  let sum = 0
  let count = 0
  let last = 0
  for (let column = 0; column < columns; column++) {
    let best = 0
    let likelihood = 0
    for (let each = 0; each < classes; each++) {
      const value = values[column * classes + each] ?? 0
      if (value > likelihood) {
        likelihood = value
        best = each
      }
    }
    if (best !== 0 && best !== last) {
      text += alphabet[best] ?? ''
      sum += likelihood
      count++
    }
    last = best
  }
  return { text, confidence: count === 0 ? 0 : sum / count }
}
