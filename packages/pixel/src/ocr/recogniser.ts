// What a box of text says, by the recogniser of PP-OCRv4: a line of 48 pixels height, one class a column, CTC.

import { type InferenceSession, Tensor } from 'onnxruntime-node'
import type { GreyImage } from '../model.ts'
import { type Box, crop, resize, turn } from './grey.ts'

/** `confidence` is the mean probability of the characters, 0 where nothing was read. */
export type Reading = { readonly text: string; readonly confidence: number }

const HEIGHT = 48
/** The network's own step; also the least width. */
const STEP = 8
/** A longer line is squeezed: the recogniser's time and memory are bounded. */
const MAX_WIDTH = 1600
const NOTHING: Reading = { text: '', confidence: 0 }

/** `characters[i]` is class i; class 0 is CTC's blank. */
export type Recogniser = { readonly session: InferenceSession; readonly characters: readonly string[] }

/** What is read surely needs no other try. */
const SURE = 0.8

/** A box is read as it lies; not surely read, upside down; one higher than wide after quarter turns first. */
export async function recognise(recogniser: Recogniser, image: GreyImage, box: Box): Promise<Reading> {
  const line = crop(image, box)
  if (line.width < 2 || line.height < 2) return NOTHING
  const turned = turn(line)
  const half = turn(turned)
  const upright = line.height < 1.5 * line.width
  let best = NOTHING
  for (const way of upright ? [line, half] : [turned, turn(half), line]) {
    const reading = await recogniseLine(recogniser, way)
    if (reading.confidence > best.confidence) best = reading
    if (best.confidence >= SURE) break
  }
  return best
}

async function recogniseLine({ session, characters }: Recogniser, line: GreyImage): Promise<Reading> {
  const natural = Math.round((line.width * HEIGHT) / line.height)
  const width = Math.min(MAX_WIDTH, Math.max(STEP * 2, Math.ceil(natural / STEP) * STEP))
  const { data } = resize(line, Math.min(width, Math.max(1, natural)), HEIGHT)
  const used = Math.min(width, Math.max(1, natural))
  const plane = HEIGHT * width
  const values = new Float32Array(3 * plane)
  for (let y = 0; y < HEIGHT; y++)
    for (let x = 0; x < used; x++) {
      const value = (data[y * used + x] ?? 0) / 127.5 - 1
      for (let channel = 0; channel < 3; channel++) values[channel * plane + y * width + x] = value
    }
  const input = new Tensor('float32', values, [1, 3, HEIGHT, width])
  const output = (await session.run({ [session.inputNames[0] ?? 'x']: input }))[session.outputNames[0] ?? '']
  if (output === undefined || !(output.data instanceof Float32Array)) return NOTHING
  return decode(output.data, characters)
}

/** CTC, greedy: the likeliest class of each column, repeats once, blanks dropped. */
export function decode(probabilities: Float32Array, characters: readonly string[]): Reading {
  const classes = characters.length
  let text = ''
  let sum = 0
  let count = 0
  let before = 0
  for (let from = 0; from + classes <= probabilities.length; from += classes) {
    let best = 0
    for (let i = 1; i < classes; i++)
      if ((probabilities[from + i] ?? 0) > (probabilities[from + best] ?? 0)) best = i
    if (best !== 0 && best !== before) {
      text += characters[best] ?? ''
      sum += probabilities[from + best] ?? 0
      count++
    }
    before = best
  }
  return count === 0 ? NOTHING : { text, confidence: sum / count }
}
