// Frames → (7FE0,0010), native or encapsulated (PS3.5 8.2, A.4), and the Image Pixel attributes that go with it. The
// element's value is a ByteSource over the frames as they are: a cine is not copied into one piece.

import type { ByteSource, Dataset, Element, Span, Uid } from '@roentgate/dicom'
import { make, Tags, tag } from '@roentgate/dicom'

export type PixelState = {
  readonly transferSyntax: Uid
  readonly encapsulated: boolean
  readonly photometric: string
  readonly planar: boolean
  readonly bitsAllocated: number
  readonly bitsStored: number
  readonly highBit: number
  readonly samplesPerPixel: number
}

/** Offsets of the basic table are 32 bits wide. */
const MAX_OFFSET = 0xffffffff

/** The data set with these frames in place of its pixel data. */
export function withFrames(dataset: Dataset, frames: readonly Uint8Array[], state: PixelState): Dataset {
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
  return replaced(dataset, made, STALE)
}

const STALE: ReadonlySet<number> = new Set<number>([
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

function native(frames: readonly Uint8Array[], { bitsAllocated }: PixelState): Element {
  const length = frames.reduce((sum, frame) => sum + frame.length, 0)
  const chunks = length % 2 === 0 ? frames : [...frames, new Uint8Array(1)]
  const source = chained(chunks)
  const vr = bitsAllocated > 8 ? 'OW' : 'OB'
  return {
    tag: Tags.PixelData,
    vr,
    value: { kind: 'bulk', source, span: { offset: 0, length: source.size } },
  }
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
function encapsulated(frames: readonly Uint8Array[]): Element {
  const offsetTable = offsetsOf(frames)
  const chunks: Uint8Array[] = [itemHeader(offsetTable.length), offsetTable]
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

function offsetsOf(frames: readonly Uint8Array[]): Uint8Array {
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

/** Pieces one after the other, read as one. */
export function chained(chunks: readonly Uint8Array[]): ByteSource {
  const starts: number[] = []
  let size = 0
  for (const chunk of chunks) {
    starts.push(size)
    size += chunk.length
  }
  return { size, read: (offset, length) => readChain({ chunks, starts, size }, offset, length) }
}

type Chain = {
  readonly chunks: readonly Uint8Array[]
  readonly starts: readonly number[]
  readonly size: number
}

function readChain({ chunks, starts, size }: Chain, offset: number, length: number): Uint8Array {
  const end = Math.min(size, offset + length)
  let index = lastAtMost(starts, offset)
  const first = chunks[index]
  const from = offset - (starts[index] ?? 0)
  if (first && end - offset <= first.length - from)
    return first.subarray(from, from + Math.max(0, end - offset))
  const out = new Uint8Array(Math.max(0, end - offset))
  for (let at = offset; at < end; index++) {
    const chunk = chunks[index]
    if (chunk === undefined) break
    const begin = at - (starts[index] ?? 0)
    const piece = chunk.subarray(begin, begin + end - at)
    out.set(piece, at - offset)
    at += piece.length
  }
  return out
}

function lastAtMost(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}
