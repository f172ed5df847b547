// A frame as a picture that a person looks at, before and after: for the private review folder and for nothing else,
// as the one of before is as identifying as the image.

import sharp from 'sharp'
import type { Raster } from './model.ts'

/** Enough to read a banner, small enough for thousands. */
const LONGEST = 640
/** Of the values, left out at both ends of the window. */
const TAIL = 0.002

/** PNG. Grey is stretched over the values that occur; colour is shown as it is stored. */
export async function pictureOf(raster: Raster): Promise<Uint8Array> {
  const { rows, columns, samplesPerPixel } = raster
  const channels = samplesPerPixel === 3 && raster.photometric === 'RGB' ? 3 : 1
  const raw = { width: columns, height: rows, channels } as const
  const bytes = channels === 3 ? Uint8Array.from(raster.data, (value) => value & 0xff) : stretched(raster)
  const png = await sharp(bytes, { raw })
    .resize(LONGEST, LONGEST, { fit: 'inside', withoutEnlargement: true })
    .png()
    .toBuffer()
  return new Uint8Array(png)
}

/** The first sample of each pixel, from the darkest that occurs to the lightest. */
function stretched({ data, samplesPerPixel, photometric }: Raster): Uint8Array {
  const values = Float64Array.from(
    { length: data.length / samplesPerPixel },
    (_, at) => data[at * samplesPerPixel] ?? 0,
  )
  const sorted = values.slice().sort()
  const low = sorted[Math.floor(sorted.length * TAIL)] ?? 0
  const high = sorted[Math.floor((sorted.length - 1) * (1 - TAIL))] ?? 1
  const scale = high > low ? 255 / (high - low) : 0
  const inverse = photometric === 'MONOCHROME1'
  return Uint8Array.from(values, (value) => {
    const grey = Math.max(0, Math.min(255, Math.round((value - low) * scale)))
    return inverse ? 255 - grey : grey
  })
}
