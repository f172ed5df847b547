// Pixel data without what is no pixel, and without decoding one: no codec is loaded for it.
//
//   encapsulated   each frame's stream stripped of application data; an offset table that points nowhere is made anew
//   native         bytes after the frames, and bits beside the stored ones, must say nothing
//   ICC profiles   their words blanked, at any depth
//
// A frame whose stream cannot be walked is an error: what is in it is not known.

import type { Dataset, DicomFile, Element, Tag } from '@roentgate/dicom'
import { find, Tags } from '@roentgate/dicom'
import type { Piece } from '../codec/chain.ts'
import { encapsulated, OFFSET_TABLES, replaced } from '../codec/element.ts'
import { type Frames, formatOf, frameSize, framesOf } from '../codec/frames.ts'
import { PixelError } from '../errors.ts'
import type { FrameFormat } from '../model.ts'
import { blankedProfile } from './icc.ts'
import { strippedJpeg } from './jpeg.ts'
import { strippedJpeg2000 } from './jpeg-2000.ts'

export { OFFSET_TABLES, replaced }

/**
 * Pixel data to put in place of the source's; undefined where there was nothing to strip.
 * @throws PixelError DECODE_FAILED, HIDDEN_DATA and those of frames
 */
export function tidiedPixels(file: DicomFile, spareBits: 'keep' | 'clear'): Element | undefined {
  const element = find(file.dataset, Tags.PixelData)
  if (element === undefined) return undefined
  if (element.value.kind !== 'fragments') {
    assertNothingHidden(file, element, spareBits)
    return undefined
  }
  const strip = STRIPPERS.get(file.transferSyntax)
  const format = strip ? formatOf(file) : undefined
  const stripped = strip && format ? strippedFrames(framesOf(file, format), strip) : undefined
  return stripped ?? (tableIsTrue(element) ? undefined : withoutTable(element))
}

type Strip = (bytes: Uint8Array) => Uint8Array

const STRIPPERS: ReadonlyMap<string, Strip> = new Map<string, Strip>([
  ...['50', '51', '53', '55', '57', '70', '80', '81'].map(
    (last) => [`1.2.840.10008.1.2.4.${last}`, strippedJpeg] as const,
  ),
  ...['90', '91', '92', '93', '201', '202', '203'].map(
    (last) => [`1.2.840.10008.1.2.4.${last}`, strippedJpeg2000] as const,
  ),
])

/** Undefined where no frame carries anything. */
function strippedFrames(frames: Frames, strip: Strip): Element | undefined {
  let changed = false
  const pieces: Piece[] = []
  for (let index = 0; index < frames.count; index++) {
    const bytes = frames.frame(index)
    const clean = strip(bytes)
    changed ||= clean !== bytes
    pieces.push({ length: clean.length, read: () => strip(frames.frame(index)) })
  }
  return changed ? encapsulated(pieces) : undefined
}

/** Empty, or each entry the offset of a fragment's item from the first one's. */
function tableIsTrue({ value }: Element): boolean {
  if (value.kind !== 'fragments') return true
  const { offsetTable, fragments } = value
  const first = fragments[0]
  if (offsetTable.length === 0 || first === undefined) return offsetTable.length === 0
  if (offsetTable.length % 4 !== 0) return false
  const starts = new Set(fragments.map(({ offset }) => offset - first.offset))
  const view = new DataView(offsetTable.buffer, offsetTable.byteOffset, offsetTable.length)
  for (let at = 0; at < offsetTable.length; at += 4) if (!starts.has(view.getUint32(at, true))) return false
  return true
}

function withoutTable(element: Element): Element {
  const { value } = element
  if (value.kind !== 'fragments') return element
  const { source, fragments } = value
  const pieces = fragments.map(({ offset, length }) => ({ length, read: () => source.read(offset, length) }))
  return encapsulated(pieces, 'no table')
}

function assertNothingHidden(file: DicomFile, element: Element, spareBits: 'keep' | 'clear'): void {
  const format = formatOf(file)
  if (format === undefined) return
  const { bitsAllocated, bitsStored } = format
  const length = lengthOf(element)
  const frame = frameSize(format)
  const needed =
    bitsAllocated === 1
      ? Math.ceil((format.rows * format.columns * format.samplesPerPixel * format.frames) / 8)
      : frame * format.frames
  if (length > needed + 1 && !isZero(element, needed))
    throw hidden('pixel data that goes on after its last frame')
  if (bitsAllocated > 1 && bitsStored < bitsAllocated && spareBits === 'keep' && length >= needed) {
    const frames = framesOf(file, format)
    for (let index = 0; index < frames.count; index++)
      if (usesSpareBits(frames.frame(index), format))
        throw hidden('bits beside the stored ones that hold something, and no overlay that says what')
  }
}

function hidden(what: string): PixelError {
  return new PixelError('HIDDEN_DATA', what)
}

function lengthOf({ value }: Element): number {
  return value.kind === 'bulk' ? value.span.length : value.kind === 'bytes' ? value.bytes.length : 0
}

const STEP = 2 ** 20

function isZero({ value }: Element, from: number): boolean {
  if (value.kind === 'bytes') return value.bytes.subarray(from).every((byte) => byte === 0)
  if (value.kind !== 'bulk') return true
  const { source, span } = value
  for (let at = from; at < span.length; at += STEP) {
    const piece = source.read(span.offset + at, Math.min(STEP, span.length - at))
    if (piece.some((byte) => byte !== 0)) return false
  }
  return true
}

/** Bits above and below the stored ones: nothing but zeros, or of signed pixels but the sign. */
function usesSpareBits(bytes: Uint8Array, format: FrameFormat): boolean {
  const { bitsAllocated, bitsStored, highBit, bigEndian } = format
  const width = bitsAllocated / 8
  const low = highBit + 1 - bitsStored
  const mask = ((2 ** bitsStored - 1) * 2 ** low) >>> 0
  const unstored = (2 ** bitsAllocated - 1 - mask) >>> 0
  if (!anyOf(bytes, unstored, { width, bigEndian })) return false
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length - (bytes.length % width))
  const below = 2 ** low - 1
  const spare = unstored & ~below
  for (let at = 0; at < view.byteLength; at += width) {
    const cell =
      width === 1
        ? view.getUint8(at)
        : width === 2
          ? view.getUint16(at, !bigEndian)
          : view.getUint32(at, !bigEndian)
    const rest = cell & spare
    if ((cell & below) !== 0) return true
    if (rest !== 0 && !((rest | 0) === (spare | 0) && (cell >>> highBit) & 1)) return true
  }
  return false
}

/** Whether a bit of the mask is set in any cell, four bytes at a time: of nearly every slice none is. */
function anyOf(
  bytes: Uint8Array,
  mask: number,
  { width, bigEndian }: { readonly width: number; readonly bigEndian: boolean },
): boolean {
  const pattern = new Uint8Array(4)
  for (let at = 0; at < 4; at++) {
    const place = at % width
    pattern[at] = mask >>> (8 * (bigEndian ? width - 1 - place : place))
  }
  const whole = bytes.length - (bytes.length % 4)
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes)
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, whole / 4)
  let seen = 0
  for (let at = 0; at < words.length; at++) seen |= words[at] ?? 0
  let found = (seen & (new Uint32Array(pattern.buffer)[0] ?? 0)) !== 0
  for (let at = whole; at < bytes.length; at++) found ||= ((bytes[at] ?? 0) & (pattern[at % 4] ?? 0)) !== 0
  return found
}

/** The data set with the words of its ICC profiles blanked; itself where there are none. */
export function withoutProfileText(dataset: Dataset): Dataset {
  const changed: Element[] = []
  for (const element of dataset.elements) {
    const { value } = element
    if (element.tag === Tags.ICCProfile && value.kind === 'bytes') {
      const bytes = blankedProfile(value.bytes)
      if (bytes !== value.bytes)
        changed.push({ tag: element.tag, vr: element.vr, value: { kind: 'bytes', bytes } })
    } else if (value.kind === 'items' && MAY_HOLD_PROFILES.has(element.tag)) {
      const items = value.items.map(withoutProfileText)
      if (items.some((item, index) => item !== value.items[index]))
        changed.push({ tag: element.tag, vr: element.vr, value: { ...value, items } })
    }
  }
  return changed.length === 0 ? dataset : withoutRaw(replaced(dataset, changed))
}

const MAY_HOLD_PROFILES: ReadonlySet<Tag> = new Set([Tags.OpticalPathSequence, Tags.IconImageSequence])

function withoutRaw({ kind, elements, encoding, charset }: Dataset): Dataset {
  return { kind, elements, encoding, charset }
}
