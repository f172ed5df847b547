// Native pixel cells ⇄ stored values (PS3.5 8.1.1, 8.2; PS3.3 C.7.6.3.1). Bits beside the stored ones are dropped on
// decoding and written as zero or as the sign: an overlay that was hidden there is gone.

import { PixelError } from '../errors.ts'
import type { FrameFormat, Raster, Samples } from '../model.ts'

const LITTLE_MACHINE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

export function samplesFor(bitsAllocated: number, signed: boolean, length: number): Samples {
  if (bitsAllocated <= 8) return signed ? new Int8Array(length) : new Uint8Array(length)
  if (bitsAllocated <= 16) return signed ? new Int16Array(length) : new Uint16Array(length)
  return signed ? new Int32Array(length) : new Uint32Array(length)
}

/** A frame of native cells as a raster; the photometric interpretation stays, but that 4:2:2 is filled up. */
export function decodeNative(bytes: Uint8Array, format: FrameFormat): Raster {
  const { rows, columns, samplesPerPixel, bitsStored, signed } = format
  const subsampled = format.photometric === 'YBR_FULL_422' && samplesPerPixel === 3
  const length = subsampled ? rows * columns * 2 : rows * columns * samplesPerPixel
  const cells = cellsOf(bytes, format, length)
  const values = stored(cells, format)
  const data = subsampled ? filledUp(values) : format.planar ? interleaved(values, samplesPerPixel) : values
  const photometric = subsampled ? 'YBR_FULL' : format.photometric
  return { rows, columns, samplesPerPixel, bitsStored, signed, photometric, data }
}

function cellsOf(bytes: Uint8Array, format: FrameFormat, length: number): Samples {
  const { bitsAllocated, signed, bigEndian, words } = format
  if (bitsAllocated === 1) return unpacked(bytes, length)
  const width = bitsAllocated / 8
  if (bytes.length < length * width)
    throw new PixelError('FRAME_MISSING', 'a frame is shorter than its pixels')
  // A copy of its own: what a source lends is not ours to change, and may lie at any address.
  const own = new Uint8Array(width === 1 && words ? length + (length & 1) : length * width)
  own.set(bytes.subarray(0, own.length))
  if (width === 1) {
    if (words) swap(own, 2)
    return signed ? new Int8Array(own.buffer, 0, length) : own.subarray(0, length)
  }
  if (bigEndian === LITTLE_MACHINE) swap(own, width)
  if (width === 2) return signed ? new Int16Array(own.buffer) : new Uint16Array(own.buffer)
  return signed ? new Int32Array(own.buffer) : new Uint32Array(own.buffer)
}

/** The first pixel is the lowest bit. */
export function unpacked(bytes: Uint8Array, length: number): Uint8Array {
  if (bytes.length * 8 < length) throw new PixelError('FRAME_MISSING', 'a frame is shorter than its pixels')
  const out = new Uint8Array(length)
  for (let at = 0; at < length; at++) out[at] = ((bytes[at >>> 3] ?? 0) >>> (at & 7)) & 1
  return out
}

function swap(bytes: Uint8Array, width: number): void {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - (bytes.length % width))
  if (width === 2) buffer.swap16()
  else buffer.swap32()
}

function stored(cells: Samples, { bitsAllocated, bitsStored, highBit, signed }: FrameFormat): Samples {
  if (bitsAllocated === 1 || (bitsStored === bitsAllocated && highBit === bitsAllocated - 1)) return cells
  const up = 31 - highBit
  const down = 32 - bitsStored
  if (signed) for (let at = 0; at < cells.length; at++) cells[at] = ((cells[at] ?? 0) << up) >> down
  else for (let at = 0; at < cells.length; at++) cells[at] = ((cells[at] ?? 0) << up) >>> down
  return cells
}

function interleaved(planes: Samples, samplesPerPixel: number): Samples {
  if (samplesPerPixel === 1) return planes
  const out = planes.slice()
  const pixels = planes.length / samplesPerPixel
  for (let sample = 0; sample < samplesPerPixel; sample++) {
    for (let pixel = 0; pixel < pixels; pixel++)
      out[pixel * samplesPerPixel + sample] = planes[sample * pixels + pixel] ?? 0
  }
  return out
}

/** PS3.3 C.7.6.3.1.2: Y1 Y2 Cb Cr for two pixels of a row. */
function filledUp(values: Samples): Uint8Array {
  const out = new Uint8Array((values.length / 2) * 3)
  for (let from = 0, to = 0; from + 3 < values.length; from += 4, to += 6) {
    const blue = values[from + 2] ?? 0
    const red = values[from + 3] ?? 0
    out[to] = values[from] ?? 0
    out[to + 1] = blue
    out[to + 2] = red
    out[to + 3] = values[from + 1] ?? 0
    out[to + 4] = blue
    out[to + 5] = red
  }
  return out
}

/**
 * A raster as native cells of the format's allocation, byte order and planes.
 * @throws PixelError UNSUPPORTED_FORMAT where the format subsamples colour
 */
export function encodeNative(raster: Raster, format: FrameFormat): Uint8Array {
  const { bitsAllocated, bitsStored, highBit, samplesPerPixel, bigEndian, words } = format
  if (format.photometric === 'YBR_FULL_422') {
    throw new PixelError('UNSUPPORTED_FORMAT', 'colour is not subsampled again')
  }
  if (bitsAllocated === 1) return packed(raster.data)
  const values = format.planar ? planes(raster.data, samplesPerPixel) : raster.data
  const width = bitsAllocated / 8
  const cells = samplesFor(bitsAllocated, raster.signed, values.length)
  const shift = highBit + 1 - bitsStored
  const plain = shift === 0
  if (plain) cells.set(values)
  else for (let at = 0; at < values.length; at++) cells[at] = (values[at] ?? 0) << shift
  const bytes = new Uint8Array(cells.buffer, cells.byteOffset, cells.byteLength)
  if (width === 1) {
    if (!words) return bytes
    const even = new Uint8Array(bytes.length + (bytes.length & 1))
    even.set(bytes)
    swap(even, 2)
    return even
  }
  if (bigEndian === LITTLE_MACHINE) swap(bytes, width)
  return bytes
}

function packed(values: Samples): Uint8Array {
  const out = new Uint8Array(Math.ceil(values.length / 8))
  for (let at = 0; at < values.length; at++)
    if (values[at] === 1) out[at >>> 3] = (out[at >>> 3] ?? 0) | (1 << (at & 7))
  return out
}

export function planes(values: Samples, samplesPerPixel: number): Samples {
  if (samplesPerPixel === 1) return values
  const out = values.slice()
  const pixels = values.length / samplesPerPixel
  for (let sample = 0; sample < samplesPerPixel; sample++) {
    for (let pixel = 0; pixel < pixels; pixel++)
      out[sample * pixels + pixel] = values[pixel * samplesPerPixel + sample] ?? 0
  }
  return out
}
