// RLE Lossless (PS3.5 Annex G): a header of 16 words, then one PackBits segment for each byte plane.
//
//   segments: for each sample, its bytes from the most significant to the least; each row begins anew (G.3.1)

import { PixelError } from '../errors.ts'
import type { FrameFormat, Raster, Samples } from '../model.ts'
import { decodeNative, samplesFor } from './native.ts'

const HEADER = 64
const MAX_SEGMENTS = 15

export function decodeRle(bytes: Uint8Array, format: FrameFormat): Raster {
  const { rows, columns, samplesPerPixel, bitsAllocated } = format
  // Of one bit, eight pixels stand in a byte, and rows follow without a gap.
  const pixels = bitsAllocated === 1 ? Math.ceil((rows * columns) / 8) : rows * columns
  const width = Math.ceil(bitsAllocated / 8)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const segments = bytes.length >= HEADER ? view.getUint32(0, true) : 0
  if (segments !== width * samplesPerPixel || segments > MAX_SEGMENTS) {
    throw new PixelError('DECODE_FAILED', 'an RLE header that does not fit the pixels')
  }
  const cells = new Uint8Array(pixels * samplesPerPixel * width)
  for (let segment = 0; segment < segments; segment++) {
    const from = view.getUint32(4 + segment * 4, true)
    const next = segment + 1 < segments ? view.getUint32(8 + segment * 4, true) : bytes.length
    if (from < HEADER || next < from || next > bytes.length) {
      throw new PixelError('DECODE_FAILED', 'an RLE segment lies outside its frame')
    }
    const sample = Math.floor(segment / width)
    const byte = width - 1 - (segment % width)
    // Interleaved and little endian at once: what decodeNative takes.
    unpack(bytes.subarray(from, next), {
      out: cells,
      at: sample * width + byte,
      step: samplesPerPixel * width,
      count: pixels,
    })
  }
  return decodeNative(cells, { ...format, planar: false, bigEndian: false, words: false })
}

type Plane = { readonly out: Uint8Array; readonly at: number; readonly step: number; readonly count: number }

function unpack(packed: Uint8Array, { out, at, step, count }: Plane): void {
  let to = at
  let left = count
  let from = 0
  while (left > 0) {
    if (from >= packed.length) throw new PixelError('DECODE_FAILED', 'an RLE segment ends before its pixels')
    const code = packed[from++] ?? 0
    if (code === 128) continue
    if (code < 128) {
      const run = Math.min(code + 1, left)
      if (from + run > packed.length)
        throw new PixelError('DECODE_FAILED', 'an RLE segment ends before its pixels')
      for (let index = 0; index < run; index++, to += step) out[to] = packed[from + index] ?? 0
      from += code + 1
      left -= run
      continue
    }
    const run = Math.min(257 - code, left)
    const value = packed[from++] ?? 0
    for (let index = 0; index < run; index++, to += step) out[to] = value
    left -= run
  }
}

/** @throws PixelError UNSUPPORTED_FORMAT where a pixel would need more segments than there are. */
export function encodeRle(raster: Raster, bitsAllocated: number): Uint8Array {
  const { columns, rows, samplesPerPixel } = raster
  const width = Math.ceil(bitsAllocated / 8)
  const segments = width * samplesPerPixel
  if (segments > MAX_SEGMENTS) throw new PixelError('UNSUPPORTED_FORMAT', 'too many byte planes for RLE')
  const cells = littleEndian(raster, bitsAllocated)
  const longest = Math.ceil((columns * 129) / 128) + 1
  const out = new Uint8Array(HEADER + segments * (rows * longest + 1) + 1)
  const view = new DataView(out.buffer)
  view.setUint32(0, segments, true)
  let at = HEADER
  const row = new Uint8Array(columns)
  for (let segment = 0; segment < segments; segment++) {
    view.setUint32(4 + segment * 4, at, true)
    const step = samplesPerPixel * width
    let from = Math.floor(segment / width) * width + (width - 1 - (segment % width))
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++, from += step) row[x] = cells[from] ?? 0
      at = packRow(row, out, at)
    }
    // Each segment is of even length (G.3.1).
    at += at & 1
  }
  return out.slice(0, at)
}

function littleEndian({ data, signed }: Raster, bitsAllocated: number): Uint8Array {
  const cells = samplesFor(bitsAllocated, signed, data.length)
  const same = cells.BYTES_PER_ELEMENT === data.BYTES_PER_ELEMENT ? data : copied(cells, data)
  return new Uint8Array(same.buffer, same.byteOffset, same.byteLength)
}

function copied(cells: Samples, data: Samples): Samples {
  cells.set(data)
  return cells
}

/** Runs of three and more are packed; all else is literal. Returns where it ended. */
function packRow(row: Uint8Array, out: Uint8Array, start: number): number {
  let to = start
  let at = 0
  while (at < row.length) {
    const run = runAt(row, at)
    if (run >= 3 || (run === 2 && at + 2 === row.length)) {
      out[to++] = 257 - run
      out[to++] = row[at] ?? 0
      at += run
      continue
    }
    const from = at
    at += run
    while (at < row.length && at - from < 128) {
      const next = runAt(row, at)
      if (next >= 3) break
      at += next
    }
    const count = Math.min(128, at - from)
    at = from + count
    out[to++] = count - 1
    for (let index = 0; index < count; index++) out[to++] = row[from + index] ?? 0
  }
  return to
}

function runAt(row: Uint8Array, at: number): number {
  const value = row[at]
  const end = Math.min(row.length, at + 128)
  let next = at + 1
  while (next < end && row[next] === value) next++
  return next - at
}
