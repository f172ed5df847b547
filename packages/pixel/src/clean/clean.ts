// A PixelPlan, executed:  frames ─decode→ search → boxes ─fill→ encode → the data set with its new pixel data
//
// Invariants: a frame without a box keeps its bytes where the transfer syntax stays; outside the boxes every decoded
// sample of the result equals that of the source; nothing is lost that was not lost before (the result is encoded
// without loss, and a lossy source says so still).

import type { Box, Dataset, DicomFile, PixelPlan, Uid } from '@roentgate/dicom'
import { find, numbers, Tags } from '@roentgate/dicom'
import { type Codecs, codecOf, LEAST_WAVELET_SIDE, SYNTAX_OF } from '../codec/codecs.ts'
import { encodedPhotometric, markedLossy, withFrames } from '../codec/element.ts'
import { type Frames, formatOf, frameSize, framesOf } from '../codec/frames.ts'
import { PixelError } from '../errors.ts'
import type { FrameFormat, Raster } from '../model.ts'
import { clipped, outside } from './boxes.ts'
import { filled, type Palette } from './fill.ts'
import { type Find, type FrameRasters, type Searched, searchFrames } from './search.ts'

export type CleanPlan = Extract<PixelPlan, { kind: 'clean' }>

export type CleanRequest = {
  readonly source: DicomFile
  /** De-identified already; pixel data still as in the source. */
  readonly dataset: Dataset
  readonly plan: CleanPlan
  readonly codecs: Codecs
  /** What must go from a picture; absent where the plan looks for nothing. */
  readonly find?: Find
  /** What another look at the result found. On every frame. */
  readonly extra: readonly Box[]
  /** What an earlier search of the same frames found: they are not searched again. */
  readonly searched?: Searched
  /** Beside boxes: what becomes of a frame's samples; the same raster where nothing does. */
  readonly edit?: Edit
}

export type Edit = (raster: Raster, frame: number) => Raster

export type Cleaned = {
  readonly dataset: Dataset
  readonly transferSyntax: Uid
  readonly boxesOf: (frame: number) => readonly Box[]
  /** How many boxes of which reason, over all frames. */
  readonly reasons: ReadonlyMap<string, number>
  readonly frames: number
  readonly touched: number
  readonly firstTouched: number
  readonly searches: number
  /** For another round. */
  readonly searched: Searched
}

/** Decoded frames kept between the search and the filling; beyond it they are decoded twice. */
const MAX_KEPT_BYTES = 32 * 2 ** 20

/** @throws PixelError */
export async function cleanPixels(request: CleanRequest): Promise<Cleaned> {
  const { source, plan, codecs } = request
  const format = formatOf(source)
  if (format === undefined) throw new PixelError('FRAME_MISSING', 'no pixel data to clean')
  const frames = framesOf(source, format)
  const decode = decoding(frames, format, codecs)
  const whole = plan.spareBits === 'clear' ? (index: number) => masked(decode(index)) : decode
  const { edit } = request
  const raster = edit ? (index: number) => edit(whole(index), index) : whole
  const searched = request.searched ?? (await searchedFrames(request, { count: frames.count, raster }))
  const size = { rows: format.rows, columns: format.columns }
  const reasons = new Map<string, number>()
  const known = knownBoxes(plan, size, reasons)
  const sought = plan.text === 'identifiers' ? 'identifier' : 'text'
  const all = Array.from({ length: frames.count }, (_, index) => {
    const found = [...searched.boxesOf(index), ...request.extra].flatMap((box) => clipped(box, size) ?? [])
    if (found.length > 0) reasons.set(sought, (reasons.get(sought) ?? 0) + found.length)
    return [...known, ...found]
  })
  const clears = plan.spareBits === 'clear'
  if (clears) reasons.set('overlay in spare bits', frames.count)
  const edited = all.map((_, index) => edit !== undefined && raster(index) !== whole(index))
  const faces = edited.filter(Boolean).length
  if (faces > 0) reasons.set('face', faces)
  const isTouched = (index: number): boolean =>
    clears || edited[index] === true || (all[index] ?? []).length > 0
  const changing = all.flatMap((_, index) => (isTouched(index) ? [index] : []))
  const touched = changing.length
  const result = {
    boxesOf: (frame: number) => all[frame] ?? [],
    reasons,
    frames: frames.count,
    touched,
    firstTouched: changing[0] ?? 0,
    searches: searched.searches,
    searched,
  }
  if (touched === 0) return { ...result, dataset: request.dataset, transferSyntax: source.transferSyntax }
  return { ...result, ...rebuilt({ request, format, frames, raster, boxesOf: result.boxesOf, isTouched }) }
}

async function searchedFrames({ find, source }: CleanRequest, frames: FrameRasters): Promise<Searched> {
  return find ? await searchFrames(frames, find, temporalKind(source)) : { boxesOf: () => [], searches: 0 }
}

function knownBoxes(
  plan: CleanPlan,
  size: { rows: number; columns: number },
  reasons: Map<string, number>,
): readonly Box[] {
  const boxes: Box[] = []
  const add = (list: readonly Box[], because: string): void => {
    if (list.length === 0) return
    boxes.push(...list)
    reasons.set(because, (reasons.get(because) ?? 0) + list.length)
  }
  for (const { box, because } of plan.blank) add([clipped(box, size) ?? []].flat(), because)
  if (plan.keepOnly) add(outside(plan.keepOnly, size), 'outside ultrasound regions')
  return boxes
}

/** Frames of a device that films follow each other in time; pages, slices and tiles do not. */
export function temporalKind({ dataset }: DicomFile): 'cine' | 'independent' {
  const cine = [Tags.FrameTime, Tags.FrameTimeVector, Tags.CineRate, Tags.RecommendedDisplayFrameRate]
  return cine.some((t) => find(dataset, t)) || FILMED.has(modalityOf(dataset)) ? 'cine' : 'independent'
}

const FILMED: ReadonlySet<string> = new Set(['US', 'IVUS', 'XA', 'RF', 'ES', 'XC', 'GM'])

function modalityOf(dataset: Dataset): string {
  const element = find(dataset, Tags.Modality)
  return element?.value.kind === 'bytes' ? new TextDecoder('latin1').decode(element.value.bytes).trim() : ''
}

function decoding(frames: Frames, format: FrameFormat, codecs: Codecs): (index: number) => Raster {
  const kept = new Map<number, Raster>()
  let bytes = 0
  return (index) => {
    const known = kept.get(index)
    if (known) return known
    const raster = codecs.decode(frames.frame(index), format)
    if (bytes + raster.data.byteLength <= MAX_KEPT_BYTES) {
      kept.set(index, raster)
      bytes += raster.data.byteLength
    }
    return raster
  }
}

/** Native cells lose their spare bits on decoding; what a codec carried there goes here. */
function masked(raster: Raster): Raster {
  const { data, bitsStored, signed } = raster
  const mask = 2 ** bitsStored - 1
  if (!signed && bitsStored < 32) for (let at = 0; at < data.length; at++) data[at] = (data[at] ?? 0) & mask
  return raster
}

type Work = {
  readonly request: CleanRequest
  readonly format: FrameFormat
  readonly frames: Frames
  readonly raster: (index: number) => Raster
  readonly boxesOf: (frame: number) => readonly Box[]
  readonly isTouched: (frame: number) => boolean
}

function rebuilt({ request, format, frames, raster, boxesOf, isTouched }: Work): {
  dataset: Dataset
  transferSyntax: Uid
} {
  const { plan, codecs, source, dataset } = request
  const target = targetOf(format, plan)
  const palette = paletteOf(source.dataset)
  const filling = palette ? { fill: plan.fill, palette } : { fill: plan.fill }
  let photometric = format.photometric
  const frameBytes = (index: number): Uint8Array => {
    if (!isTouched(index) && target.keepsBytes) return frames.frame(index).slice()
    const decoded = raster(index)
    photometric = decoded.photometric
    return codecs.encode(filled(decoded, boxesOf(index), filling), target.syntax, {
      ...format,
      photometric,
      highBit: target.highBit,
      planar: target.planar,
    })
  }
  // Of native frames the length is known: each is made when it is written, and none is held.
  const later = target.syntax === 'native' && target.keepsBytes
  const written = Array.from({ length: frames.count }, (_, index) =>
    later ? { length: frameSize(format), read: () => frameBytes(index) } : frameBytes(index),
  )
  const state = {
    transferSyntax: target.transferSyntax,
    encapsulated: target.syntax !== 'native',
    photometric: encodedPhotometric(target.syntax, format.samplesPerPixel, photometric),
    planar: target.planar,
    bitsAllocated: format.bitsAllocated,
    bitsStored: format.bitsStored,
    highBit: target.highBit,
    samplesPerPixel: format.samplesPerPixel,
    pixels: format.rows * format.columns,
    words: target.syntax === 'native' && format.words,
  }
  const made = withFrames(dataset, written, state)
  return { dataset: markedLossy(made, source), transferSyntax: target.transferSyntax }
}

type Target = {
  readonly syntax: CleanPlan['encode']
  readonly transferSyntax: Uid
  /** Frames without a box go out as they came. */
  readonly keepsBytes: boolean
  readonly highBit: number
  readonly planar: boolean
}

/** The source's own syntax where it can be written without loss; else the plan's. */
function targetOf(format: FrameFormat, plan: CleanPlan): Target {
  const { transferSyntax: own, photometric, samplesPerPixel } = format
  const low = format.bitsStored - 1
  const codec = codecOf(own)
  const shifted = format.highBit !== low
  if (codec === 'native' && photometric !== 'YBR_FULL_422') {
    return {
      syntax: 'native',
      transferSyntax: own,
      keepsBytes: format.bitsAllocated !== 1,
      highBit: format.highBit,
      planar: format.planar,
    }
  }
  if (codec === 'rle' && format.bitsAllocated > 1) {
    return { syntax: 'rle', transferSyntax: own, keepsBytes: !shifted, highBit: low, planar: format.planar }
  }
  const grey = samplesPerPixel === 1
  if (codec === 'jpeg-ls')
    return { syntax: 'jpeg-ls', transferSyntax: own, keepsBytes: !shifted, highBit: low, planar: false }
  const fits = Math.min(format.rows, format.columns) >= LEAST_WAVELET_SIDE
  if (fits && (codec === 'jpeg-2000' || codec === 'htj2k') && (grey || photometric === 'YBR_RCT')) {
    return { syntax: codec, transferSyntax: own, keepsBytes: !shifted, highBit: low, planar: false }
  }
  const wavelet = plan.encode === 'jpeg-2000' || plan.encode === 'htj2k'
  const wide = format.bitsAllocated > 16 || format.bitsAllocated === 1 || (!fits && wavelet)
  const syntax = wide ? 'native' : plan.encode
  return { syntax, transferSyntax: SYNTAX_OF[syntax], keepsBytes: false, highBit: low, planar: false }
}

/** PS3.3 C.7.6.3.1.5; undefined unless all three tables are there. Segmented tables are not expanded. */
export function paletteOf(dataset: Dataset): Palette | undefined {
  const table = (
    t: typeof Tags.RedPaletteColorLookupTableData,
    descriptor: typeof t,
  ): ArrayLike<number> | undefined => {
    const data = find(dataset, t)
    const described = find(dataset, descriptor)
    if (data?.value.kind !== 'bytes' || described === undefined) return undefined
    const [entries = 0, , bits = 16] = numbers(dataset, described).map(Number)
    const count = entries === 0 ? 65536 : entries
    const { bytes } = data.value
    // Eight bits may stand one to a byte or one to a word.
    if (bits <= 8 && bytes.length < count * 2) return bytes
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const little = !dataset.encoding.bigEndian
    return Uint16Array.from({ length: Math.min(count, bytes.length >> 1) }, (_, index) =>
      view.getUint16(index * 2, little),
    )
  }
  const red = table(Tags.RedPaletteColorLookupTableData, Tags.RedPaletteColorLookupTableDescriptor)
  const green = table(Tags.GreenPaletteColorLookupTableData, Tags.GreenPaletteColorLookupTableDescriptor)
  const blue = table(Tags.BluePaletteColorLookupTableData, Tags.BluePaletteColorLookupTableDescriptor)
  return red && green && blue ? { red, green, blue } : undefined
}
