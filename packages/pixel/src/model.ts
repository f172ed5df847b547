// What the stages of the pixel package pass to each other.
//
//   element ─frames→ FrameFormat + bytes of frame i ─decode→ Raster ─find→ boxes ─fill→ Raster ─encode→ bytes
//
// A Raster is one frame, decoded: never a whole instance. Samples are interleaved by pixel whatever the planar
// configuration was.

import type { Uid } from '@roentgate/dicom'

/** The Image Pixel Module (PS3.3 C.7.6.3) as far as decoding needs it. */
export type FrameFormat = {
  readonly transferSyntax: Uid
  readonly rows: number
  readonly columns: number
  readonly samplesPerPixel: number
  readonly bitsAllocated: number
  readonly bitsStored: number
  readonly highBit: number
  readonly signed: boolean
  readonly photometric: string
  readonly planar: boolean
  readonly frames: number
  /** Of native pixel data: byte order, and whether bytes stand in 16-bit words (OW; PS3.5 8.1.1). */
  readonly bigEndian: boolean
  readonly words: boolean
}

export type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array

/**
 * One decoded frame. `data` holds stored values (PS3.3 C.7.6.3.1.2): sign-extended, without what stood in unused
 * bits; row by row, the samples of a pixel side by side. `photometric` is what the samples now mean: a decoder that
 * converts YBR to RGB says RGB.
 */
export type Raster = {
  readonly rows: number
  readonly columns: number
  readonly samplesPerPixel: number
  readonly bitsStored: number
  readonly signed: boolean
  readonly photometric: string
  readonly data: Samples
}

/** Eight bits, one sample a pixel, 0 is black: what the text detector looks at. */
export type GreyImage = { readonly width: number; readonly height: number; readonly data: Uint8Array }

/** Text that was found. `text` is PHI: it stays in memory. */
export type FoundText = {
  /** The smallest upright box around the text, in pixels of the image that was searched. */
  readonly box: { readonly x: number; readonly y: number; readonly width: number; readonly height: number }
  /** 0 to 1, of the detector. */
  readonly score: number
  /** Set where recognition ran. */
  readonly text?: string
}
