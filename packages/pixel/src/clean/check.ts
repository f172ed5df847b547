// What was written, decoded again: outside the boxes every sample equals the source's, and nothing legible is left.
// Decoding and detection are the same code that cleaned; the tests bring judges of other houses.

import type { Box, DicomFile } from '@roentgate/dicom'
import type { Codecs } from '../codec/codecs.ts'
import { type Frames, formatOf, framesOf } from '../codec/frames.ts'
import { PixelError } from '../errors.ts'
import type { FrameFormat, Raster } from '../model.ts'
import { maskOf } from './boxes.ts'
import { type Edit, temporalKind } from './clean.ts'
import { type Find, searchFrames } from './search.ts'

export type CheckRequest = {
  readonly source: DicomFile
  readonly output: DicomFile
  readonly boxesOf: (frame: number) => readonly Box[]
  readonly codecs: Codecs
  readonly find?: Find
  /** As it was cleaned with. */
  readonly edit?: Edit
}

export type Checked = {
  /** Frames with a sample outside the boxes that is not the source's. */
  readonly changed: readonly number[]
  /** What was found that still must go. */
  readonly left: readonly Box[]
}

/** @throws PixelError */
export async function checkPixels(request: CheckRequest): Promise<Checked> {
  const { source, output, boxesOf, codecs, find, edit } = request
  const before = opened(source)
  const after = opened(output)
  if (before.frames.count !== after.frames.count)
    throw new PixelError('FRAME_MISSING', 'another number of frames')
  const changed: number[] = []
  // By place: what is found in a cine is found on all of its frames.
  const left = new Map<string, Box>()
  const seen = new Set<number>()
  const raster = (index: number): Raster => {
    const written = codecs.decode(after.frames.frame(index), after.format)
    if (!seen.has(index)) {
      seen.add(index)
      const decoded = codecs.decode(before.frames.frame(index), before.format)
      const original = edit ? edit(decoded, index) : decoded
      if (!sameOutside(original, written, boxesOf(index))) changed.push(index)
    }
    return written
  }
  if (find) {
    const kind = temporalKind(source) === 'cine' ? 'cleaned cine' : 'independent'
    const searched = await searchFrames({ count: after.frames.count, raster }, find, kind)
    for (let index = 0; index < after.frames.count; index++) {
      const covered = maskOf(boxesOf(index), after.format)
      for (const box of searched.boxesOf(index))
        if (!isCovered(box, covered, after.format.columns)) left.set(Object.values(box).join(), box)
    }
  } else for (let index = 0; index < after.frames.count; index++) raster(index)
  return { changed, left: [...left.values()] }
}

type Opened = { readonly format: FrameFormat; readonly frames: Frames }

function opened(file: DicomFile): Opened {
  const format = formatOf(file)
  if (format === undefined) throw new PixelError('FRAME_MISSING', 'no pixel data')
  return { format, frames: framesOf(file, format) }
}

/** The edge of a filled box may look like a stroke: what lies in it but for a rim says nothing. */
const RIM = 4
/** Of a found box, outside what was filled: more is text that was missed. */
const UNCOVERED = 0.5

function isCovered(box: Box, covered: Uint8Array, columns: number): boolean {
  let bare = 0
  const rows = covered.length / columns
  for (let y = Math.max(0, box.y); y < Math.min(rows, box.y + box.height); y++) {
    for (let x = Math.max(0, box.x); x < Math.min(columns, box.x + box.width); x++) {
      if (covered[y * columns + x] !== 1) bare++
    }
  }
  const rim = 2 * RIM * (box.width + box.height)
  return bare <= rim && bare <= UNCOVERED * box.width * box.height
}

function sameOutside(before: Raster, after: Raster, boxes: readonly Box[]): boolean {
  if (before.data.length !== after.data.length || before.photometric !== after.photometric) return false
  const mask = maskOf(boxes, before)
  const { samplesPerPixel } = before
  for (let pixel = 0, at = 0; pixel < mask.length; pixel++) {
    for (let sample = 0; sample < samplesPerPixel; sample++, at++) {
      if (before.data[at] !== after.data[at] && mask[pixel] === 0) return false
    }
  }
  return true
}
