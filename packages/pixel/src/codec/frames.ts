// Where the frames of an instance are: the Image Pixel Module as a value, and the bytes of each frame.
//
//   native          frame i at i × frame size; of one bit, frames follow each other inside a byte (PS3.5 8.1.1)
//   encapsulated    by the basic or extended offset table, one fragment a frame, or where a frame's code begins

import type { ByteSource, Dataset, DicomFile, Element, Span, Tag } from '@roentgate/dicom'
import { find, numbers, string, Tags, transferSyntax } from '@roentgate/dicom'
import { PixelError } from '../errors.ts'
import type { FrameFormat } from '../model.ts'

export type Frames = {
  readonly count: number
  /** The frame as it stands in the file; fragments joined. Good until the next call where the source lends. */
  readonly frame: (index: number) => Uint8Array
}

/** A decoded frame of more samples is refused: 1 GiB of 16 bits. */
const MAX_SAMPLES = 2 ** 29
/** PS3.3 C.7.6.6 sets none; more frames than this in one instance is a mistake or an attack. */
const MAX_FRAMES = 1_000_000

/**
 * What the frames are, or undefined where the file has no (7FE0,0010).
 * @throws PixelError BAD_FORMAT, TOO_LARGE
 */
export function formatOf(file: DicomFile): FrameFormat | undefined {
  const { dataset } = file
  const element = find(dataset, Tags.PixelData)
  if (element === undefined) return undefined
  const of = (t: Tag, otherwise?: number): number => integer(dataset, t, otherwise)
  const bitsAllocated = of(Tags.BitsAllocated)
  const bitsStored = of(Tags.BitsStored, bitsAllocated)
  const format: FrameFormat = {
    transferSyntax: file.transferSyntax,
    rows: of(Tags.Rows),
    columns: of(Tags.Columns),
    samplesPerPixel: of(Tags.SamplesPerPixel, 1),
    bitsAllocated,
    bitsStored,
    highBit: of(Tags.HighBit, bitsStored - 1),
    signed: of(Tags.PixelRepresentation, 0) === 1,
    photometric: string(dataset, Tags.PhotometricInterpretation) ?? 'MONOCHROME2',
    planar: of(Tags.PlanarConfiguration, 0) === 1,
    frames: frameCount(dataset),
    bigEndian: dataset.encoding.bigEndian,
    words: element.vr === 'OW' && dataset.encoding.bigEndian,
  }
  check(format)
  return format
}

function integer(dataset: Dataset, t: Tag, otherwise?: number): number {
  const element = find(dataset, t)
  const value = element ? numbers(dataset, element)[0] : undefined
  if (typeof value === 'number' && Number.isInteger(value)) return value
  if (otherwise !== undefined) return otherwise
  throw new PixelError('BAD_FORMAT', 'pixel data without rows, columns or bits allocated')
}

function frameCount(dataset: Dataset): number {
  const value = Number(string(dataset, Tags.NumberOfFrames) ?? 1)
  if (!Number.isInteger(value) || value < 0)
    throw new PixelError('BAD_FORMAT', 'Number of Frames is no count')
  if (value > MAX_FRAMES) throw new PixelError('TOO_LARGE', 'more frames than an instance may have')
  return Math.max(1, value)
}

const ALLOCATED: ReadonlySet<number> = new Set([1, 8, 16, 32])

function check(format: FrameFormat): void {
  const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, highBit } = format
  const fits =
    rows > 0 &&
    columns > 0 &&
    ALLOCATED.has(bitsAllocated) &&
    bitsStored > 0 &&
    bitsStored <= bitsAllocated &&
    highBit < bitsAllocated &&
    highBit >= bitsStored - 1 &&
    (samplesPerPixel === 1 || samplesPerPixel === 3 || samplesPerPixel === 4)
  if (!fits) throw new PixelError('BAD_FORMAT', 'the Image Pixel attributes contradict each other')
  if (rows * columns * samplesPerPixel > MAX_SAMPLES)
    throw new PixelError('TOO_LARGE', 'a frame too large to decode')
}

/** @throws PixelError FRAME_MISSING, BAD_FORMAT */
export function framesOf(file: DicomFile, format: FrameFormat): Frames {
  const element = find(file.dataset, Tags.PixelData)
  if (element === undefined) throw new PixelError('FRAME_MISSING', 'no pixel data')
  if (element.value.kind === 'fragments') return encapsulated(file, element, format)
  return native(element, format)
}

/** Bytes of one native frame; of one bit, rounded up. */
export function frameSize({
  rows,
  columns,
  samplesPerPixel,
  bitsAllocated,
  photometric,
}: FrameFormat): number {
  const samples = rows * columns * samplesPerPixel
  if (photometric === 'YBR_FULL_422' && samplesPerPixel === 3) return (samples / 3) * 2 * (bitsAllocated / 8)
  return bitsAllocated === 1 ? Math.ceil(samples / 8) : samples * (bitsAllocated / 8)
}

function native({ value }: Element, format: FrameFormat): Frames {
  const source: ByteSource | undefined =
    value.kind === 'bulk'
      ? { size: value.span.length, read: (at, length) => value.source.read(value.span.offset + at, length) }
      : value.kind === 'bytes'
        ? { size: value.bytes.length, read: (at, length) => value.bytes.subarray(at, at + length) }
        : undefined
  if (source === undefined) throw new PixelError('BAD_FORMAT', 'pixel data is a sequence')
  const { frames, bitsAllocated } = format
  // One bit a sample: frames follow without a gap.
  const bits = format.rows * format.columns * format.samplesPerPixel
  const size = frameSize(format)
  const needed = bitsAllocated === 1 ? Math.ceil((bits * frames) / 8) : size * frames
  if (source.size < needed) throw new PixelError('FRAME_MISSING', 'pixel data is shorter than its frames')
  return {
    count: frames,
    frame: (index) =>
      bitsAllocated === 1 ? bitFrame(source, index * bits, bits) : source.read(index * size, size),
  }
}

function bitFrame(source: ByteSource, from: number, count: number): Uint8Array {
  const shift = from % 8
  const bytes = source.read(Math.floor(from / 8), Math.ceil((shift + count) / 8))
  if (shift === 0) return bytes
  const out = new Uint8Array(Math.ceil(count / 8))
  for (let at = 0; at < out.length; at++) {
    out[at] = ((bytes[at] ?? 0) >>> shift) | ((bytes[at + 1] ?? 0) << (8 - shift))
  }
  return out
}

type Encapsulated = Extract<Element['value'], { kind: 'fragments' }>

function encapsulated(file: DicomFile, element: Element, format: FrameFormat): Frames {
  if (transferSyntax(file.transferSyntax)?.video) {
    throw new PixelError('UNSUPPORTED_SYNTAX', 'a video: its frames cannot be decoded here')
  }
  const value = element.value as Encapsulated
  const { frames } = format
  const groups = groupsOf(file.dataset, value, frames)
  return {
    count: frames,
    frame: (index) => {
      const spans = groups[index]
      if (spans === undefined || spans.length === 0)
        throw new PixelError('FRAME_MISSING', 'a frame has no fragment')
      return joined(value.source, spans)
    },
  }
}

/** Fragments of each frame. */
function groupsOf(dataset: Dataset, value: Encapsulated, frames: number): readonly (readonly Span[])[] {
  const { fragments } = value
  if (frames === 1) return [fragments]
  const offsets = extendedOffsets(dataset, frames) ?? basicOffsets(value, frames)
  if (offsets) {
    const groups = byOffsets(value, offsets)
    if (groups) return groups
  }
  if (fragments.length === frames) return fragments.map((fragment) => [fragment])
  const groups = byBeginnings(value)
  if (groups.length === frames) return groups
  throw new PixelError(
    'FRAME_MISSING',
    'fragments cannot be told apart into frames: no offset table, and other counts',
  )
}

function basicOffsets({ offsetTable }: Encapsulated, frames: number): readonly number[] | undefined {
  if (offsetTable.length < frames * 4) return undefined
  const view = new DataView(offsetTable.buffer, offsetTable.byteOffset, offsetTable.length)
  return Array.from({ length: frames }, (_, index) => view.getUint32(index * 4, true))
}

/** (7FE0,0001), 64 bits each (PS3.3 C.7.6.3.1.8). */
function extendedOffsets(dataset: Dataset, frames: number): readonly number[] | undefined {
  const table = find(dataset, Tags.ExtendedOffsetTable)
  if (table?.value.kind !== 'bytes' || table.value.bytes.length < frames * 8) return undefined
  const { bytes } = table.value
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return Array.from({ length: frames }, (_, index) => Number(view.getBigUint64(index * 8, true)))
}

/** Offsets count from the first byte after the offset table's item, to item tags. A wrong table is no table. */
function byOffsets({ fragments }: Encapsulated, offsets: readonly number[]): (readonly Span[])[] | undefined {
  const first = fragments[0]
  if (first === undefined) return undefined
  const base = first.offset - 8
  const starts = new Map(fragments.map(({ offset }, index) => [offset - 8 - base, index]))
  const begins: number[] = []
  for (const offset of offsets) {
    const index = starts.get(offset)
    if (index === undefined || index <= (begins.at(-1) ?? -1)) return undefined
    begins.push(index)
  }
  if (begins[0] !== 0) return undefined
  return begins.map((begin, index) => fragments.slice(begin, begins[index + 1] ?? fragments.length))
}

/** A fragment that begins as a JPEG, JPEG-LS or JPEG 2000 stream does begins a frame. */
function byBeginnings({ source, fragments }: Encapsulated): (readonly Span[])[] {
  const groups: Span[][] = []
  for (const fragment of fragments) {
    const head = source.read(fragment.offset, Math.min(12, fragment.length))
    const jpeg = head[0] === 0xff && head[1] === 0xd8
    const codestream = head[0] === 0xff && head[1] === 0x4f && head[2] === 0xff && head[3] === 0x51
    const boxed = head[4] === 0x6a && head[5] === 0x50 && head[6] === 0x20 && head[7] === 0x20
    const last = groups.at(-1)
    if (jpeg || codestream || boxed || last === undefined) groups.push([fragment])
    else last.push(fragment)
  }
  return groups
}

function joined(source: ByteSource, spans: readonly Span[]): Uint8Array {
  const [only] = spans
  if (spans.length === 1 && only) return source.read(only.offset, only.length)
  const out = new Uint8Array(spans.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const { offset, length } of spans) {
    out.set(source.read(offset, length), at)
    at += length
  }
  return out
}
