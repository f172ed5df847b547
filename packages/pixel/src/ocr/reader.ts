// The detector and the recogniser of one thread.

import type { Box } from '@roentgate/dicom'
import type { FoundText, GreyImage } from '../model.ts'
import { type Detecting, detect } from './detect.ts'
import { type Network, openNetwork, readAlphabet } from './model.ts'
import { cropOf, type Reading, recognise } from './recognise.ts'

export type Reader = {
  readonly detect: (image: GreyImage, how?: Detecting) => Promise<readonly FoundText[]>
  readonly read: (image: GreyImage, box: Box) => Promise<Reading>
  readonly dispose: () => Promise<void>
}

/**
 * Loads the detector at once, the recogniser when something is to be read.
 * @throws PixelError NO_MODEL
 */
export async function openReader({ threads = 1 }: { readonly threads?: number } = {}): Promise<Reader> {
  const detection = await openNetwork('detection', threads)
  const later: { recognition?: Promise<Network>; alphabet?: readonly string[] } = {}
  return {
    detect: (image, how) => detect(detection, image, how),
    read: async (image, box) => {
      later.recognition ??= openNetwork('recognition', threads)
      later.alphabet ??= readAlphabet()
      return recognise(await later.recognition, later.alphabet, cropOf(image, box))
    },
    dispose: async () => {
      await detection.release()
      await (await later.recognition)?.release()
    },
  }
}
