// One instance in another transfer syntax, without loss:  frames ─decode→ Raster ─encode→ frames, checked by decoding again
//
// The SOP Instance stays the same one (PS3.3 C.12.1.1.1.2 asks for a new UID only where loss is added). A source that
// was lossy says so still.

import type { DicomFile, LosslessSyntax } from '@roentgate/dicom'
import { type Codecs, SYNTAX_OF } from './codec/codecs.ts'
import { encodedPhotometric, markedLossy, withFrames } from './codec/element.ts'
import { formatOf, framesOf } from './codec/frames.ts'
import { PixelError } from './errors.ts'
import type { Raster } from './model.ts'

/**
 * The file in another syntax; itself where it is in it already, or has no pixel data.
 * @throws PixelError UNSUPPORTED_SYNTAX, UNSUPPORTED_FORMAT, DECODE_FAILED, ENCODE_FAILED, FRAME_MISSING
 */
export function transcoded(file: DicomFile, to: LosslessSyntax, codecs: Codecs): DicomFile {
  const target = SYNTAX_OF[to]
  const format = formatOf(file)
  if (format === undefined || file.transferSyntax === target) return file
  const frames = framesOf(file, format)
  const highBit = format.bitsStored - 1
  const inner = { ...format, highBit, planar: false, bigEndian: false, words: false, transferSyntax: target }
  let photometric = format.photometric
  const written = Array.from({ length: frames.count }, (_, index) => {
    const raster = codecs.decode(frames.frame(index), format)
    photometric = raster.photometric
    const own = { ...inner, photometric }
    const bytes = codecs.encode(raster, to, own)
    const again = { ...own, photometric: encodedPhotometric(to, raster.samplesPerPixel, photometric) }
    if (!same(raster, codecs.decode(bytes, again)))
      throw new PixelError('ENCODE_FAILED', 'a frame that does not come back as it went in')
    // Who writes the file turns the words of a big-endian data set, and these with them (PS3.5 7.3).
    return to === 'native' && format.bigEndian && format.bitsAllocated > 8 ? turned(bytes) : bytes
  })
  const dataset = withFrames(file.dataset, written, {
    transferSyntax: target,
    encapsulated: to !== 'native',
    photometric: encodedPhotometric(to, format.samplesPerPixel, photometric),
    planar: false,
    bitsAllocated: format.bitsAllocated,
    bitsStored: format.bitsStored,
    highBit,
    samplesPerPixel: format.samplesPerPixel,
    pixels: format.rows * format.columns,
    words: false,
  })
  return { ...file, dataset: markedLossy(dataset, file), transferSyntax: target }
}

function turned(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice()
  for (let at = 0; at + 1 < out.length; at += 2) {
    out[at] = bytes[at + 1] ?? 0
    out[at + 1] = bytes[at] ?? 0
  }
  return out
}

function same(a: Raster, b: Raster): boolean {
  return a.data.length === b.data.length && a.data.every((value, at) => value === b.data[at])
}
