// Frames → (7FE0,0010), native or encapsulated (PS3.5 8.2, A.4), and the Image Pixel attributes that go with it. The
// element's value is a ByteSource over the frames as they are: a cine is not copied into one piece.

import type { Dataset, DicomFile, Element, LosslessSyntax, Span, Uid } from '@roentgate/dicom'
import { find, make, Tags, tag, transferSyntax } from '@roentgate/dicom'
import { chained, type Piece } from './chain.ts'

export type PixelState = {
  readonly transferSyntax: Uid
  readonly encapsulated: boolean
  readonly photometric: string
  readonly planar: boolean
  readonly bitsAllocated: number
  readonly bitsStored: number
  readonly highBit: number
  readonly samplesPerPixel: number
  /** Rows times columns. */
  readonly pixels: number
  /** Native bytes stand in 16-bit words of a big-endian data set. */
  readonly words: boolean
}

/** JPEG 2000 and HTJ2K turn colour into YBR_RCT, which comes back as it was (PS3.5 8.2.4). */
export function encodedPhotometric(syntax: LosslessSyntax, samplesPerPixel: number, decoded: string): string {
  const transform = syntax === 'jpeg-2000' || syntax === 'htj2k'
  return transform && samplesPerPixel === 3 ? 'YBR_RCT' : decoded
}

/** A lossy source stays marked as one whatever it is encoded in now (PS3.3 C.7.6.1.1.5). */
export function markedLossy(dataset: Dataset, source: DicomFile): Dataset {
  if (!transferSyntax(source.transferSyntax)?.lossy || find(dataset, Tags.LossyImageCompression))
    return dataset
  return replaced(dataset, [make(dataset, Tags.LossyImageCompression, 'CS', '01')])
}

/** Offsets of the basic table are 32 bits wide. */
const MAX_OFFSET = 0xffffffff

/** The data set with these frames in place of its pixel data. */
export function withFrames(dataset: Dataset, frames: readonly Piece[], state: PixelState): Dataset {
  const pixels = state.encapsulated ? encapsulated(frames) : native(frames, state)
  const made = [
    make(dataset, Tags.PhotometricInterpretation, 'CS', state.photometric),
    make(dataset, Tags.BitsAllocated, 'US', [state.bitsAllocated]),
    make(dataset, Tags.BitsStored, 'US', [state.bitsStored]),
    make(dataset, Tags.HighBit, 'US', [state.highBit]),
    ...(state.samplesPerPixel > 1
      ? [make(dataset, Tags.PlanarConfiguration, 'US', [state.planar ? 1 : 0])]
      : []),
    pixels,
  ]
  return replaced(dataset, made, OFFSET_TABLES)
}

/** True of the frames as they came, and of no others. */
export const OFFSET_TABLES: ReadonlySet<number> = new Set<number>([
  Tags.ExtendedOffsetTable,
  Tags.ExtendedOffsetTableLengths,
])

/** The data set with these elements, each in its place. */
export function replaced(
  dataset: Dataset,
  made: readonly Element[],
  without: ReadonlySet<number> = new Set(),
): Dataset {
  const tags = new Set<number>(made.map((element) => element.tag))
  const kept = dataset.elements.filter((element) => !tags.has(element.tag) && !without.has(element.tag))
  return { ...dataset, elements: [...kept, ...made].sort((a, b) => a.tag - b.tag) }
}

function native(
  frames: readonly Piece[],
  { bitsAllocated, samplesPerPixel, pixels, words }: PixelState,
): Element {
  const bits = pixels * samplesPerPixel
  const packed = bitsAllocated === 1 && bits % 8 !== 0 && frames.length > 1
  const whole = packed ? [joinedBits(frames, bits)] : frames
  const length = whole.reduce((sum, frame) => sum + frame.length, 0)
  const source = chained(length % 2 === 0 ? whole : [...whole, new Uint8Array(1)])
  const vr = bitsAllocated > 8 || words ? 'OW' : 'OB'
  return {
    tag: Tags.PixelData,
    vr,
    value: { kind: 'bulk', source, span: { offset: 0, length: source.size } },
  }
}

/** Frames of one bit a sample follow each other inside a byte (PS3.5 8.1.1). */
function joinedBits(frames: readonly Piece[], bits: number): Uint8Array {
  const out = new Uint8Array(Math.ceil((bits * frames.length) / 8))
  for (const [index, frame] of frames.entries()) {
    const bytes = frame instanceof Uint8Array ? frame : frame.read()
    for (let bit = 0, to = index * bits; bit < bits; bit++, to++) {
      if (((bytes[bit >>> 3] ?? 0) >>> (bit & 7)) & 1) out[to >>> 3] = (out[to >>> 3] ?? 0) | (1 << (to & 7))
    }
  }
  return out
}

const ITEM = [0xfe, 0xff, 0x00, 0xe0]
const DELIMITER = new Uint8Array([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])

function itemHeader(length: number): Uint8Array {
  const header = new Uint8Array(8)
  header.set(ITEM)
  new DataView(header.buffer).setUint32(4, length, true)
  return header
}

/** One fragment a frame, with a basic offset table where there are several frames. */
export function encapsulated(frames: readonly Piece[], table: 'table' | 'no table' = 'table'): Element {
  const offsetTable = table === 'table' ? offsetsOf(frames) : new Uint8Array(0)
  const chunks: Piece[] = [itemHeader(offsetTable.length), offsetTable]
  const fragments: Span[] = []
  let at = 8 + offsetTable.length
  for (const frame of frames) {
    const length = frame.length + (frame.length % 2)
    chunks.push(itemHeader(length), frame)
    if (length > frame.length) chunks.push(new Uint8Array(1))
    fragments.push({ offset: at + 8, length })
    at += 8 + length
  }
  chunks.push(DELIMITER)
  const source = chained(chunks)
  const span = { offset: 0, length: source.size }
  return {
    tag: tag(Tags.PixelData),
    vr: 'OB',
    value: { kind: 'fragments', source, offsetTable, fragments, span },
  }
}

function offsetsOf(frames: readonly Piece[]): Uint8Array {
  if (frames.length < 2) return new Uint8Array(0)
  const table = new Uint8Array(frames.length * 4)
  const view = new DataView(table.buffer)
  let at = 0
  for (const [index, frame] of frames.entries()) {
    if (at > MAX_OFFSET) return new Uint8Array(0)
    view.setUint32(index * 4, at, true)
    at += 8 + frame.length + (frame.length % 2)
  }
  return table
}
