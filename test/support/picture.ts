// Instances whose pixels are drawn for a test: lettering on a ground, in any layout of samples, native or encapsulated.

import { createRequire } from 'node:module'
import { createCanvas, GlobalFonts } from '@napi-rs/canvas'
import {
  concat,
  dataset,
  type Element,
  fromBytes,
  make,
  newFile,
  Tags,
  type Uid,
  writeFile,
} from '../../packages/dicom/src/index.ts'
import { encapsulated } from '../../packages/pixel/src/codec/element.ts'

export const EXPLICIT = '1.2.840.10008.1.2.1' as Uid

export type Lettering = {
  readonly text: string
  readonly x: number
  readonly y: number
  readonly size?: number
  /** Degrees, clockwise. */
  readonly angle?: number
}

const require = createRequire(import.meta.url)
const FAMILY = 'Drawn'

/** 0 to 255 a pixel: how much of it is ink. */
export function drawn(width: number, height: number, lettering: readonly Lettering[]): Uint8Array {
  if (!GlobalFonts.has(FAMILY))
    GlobalFonts.registerFromPath(require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'), FAMILY)
  const canvas = createCanvas(width, height)
  const context = canvas.getContext('2d')
  context.fillStyle = 'black'
  context.fillRect(0, 0, width, height)
  context.fillStyle = 'white'
  context.textBaseline = 'top'
  for (const { text, x, y, size = 20, angle = 0 } of lettering) {
    context.save()
    context.translate(x, y)
    context.rotate((angle * Math.PI) / 180)
    context.font = `${size}px ${FAMILY}`
    context.fillText(text, 0, 0)
    context.restore()
  }
  const { data } = context.getImageData(0, 0, width, height)
  return Uint8Array.from({ length: width * height }, (_, at) => data[at * 4] ?? 0)
}

export type Picture = {
  readonly rows: number
  readonly columns: number
  readonly frames: readonly Uint8Array[]
  readonly transferSyntax?: Uid
  readonly samplesPerPixel?: number
  readonly bitsAllocated?: number
  readonly bitsStored?: number
  readonly signed?: boolean
  readonly planar?: boolean
  readonly photometric?: string
  readonly sopClass?: string
  readonly modality?: string
  readonly extra?: readonly Element[]
}

const own = dataset([], { charset: [] })

export function instance(picture: Picture): Uint8Array {
  const { rows, columns, frames, transferSyntax = EXPLICIT } = picture
  const { samplesPerPixel = 1, bitsAllocated = 8, bitsStored = bitsAllocated } = picture
  const native = transferSyntax === EXPLICIT
  const set = new Map<number, Element>()
  const put = (element: Element): void => void set.set(element.tag, element)
  const text = [
    [Tags.SOPClassUID, 'UI', picture.sopClass ?? '1.2.840.10008.5.1.4.1.1.6.1'],
    [Tags.SOPInstanceUID, 'UI', '2.25.11'],
    [Tags.StudyInstanceUID, 'UI', '2.25.12'],
    [Tags.SeriesInstanceUID, 'UI', '2.25.13'],
    [Tags.Modality, 'CS', picture.modality ?? 'US'],
    [Tags.Manufacturer, 'LO', 'NOBODY'],
    [Tags.PatientName, 'PN', 'Ravenscroft^Isolde'],
    [Tags.PatientID, 'LO', 'QX7731402'],
    [Tags.PatientBirthDate, 'DA', '19610704'],
    [Tags.PatientSex, 'CS', 'F'],
    [Tags.StudyDate, 'DA', '20200229'],
    [Tags.PhotometricInterpretation, 'CS', picture.photometric ?? 'MONOCHROME2'],
    ...(frames.length > 1 ? ([[Tags.NumberOfFrames, 'IS', `${frames.length}`]] as const) : []),
  ] as const
  for (const [t, vr, value] of text) put(make(own, t, vr, value))
  for (const [t, value] of [
    [Tags.SamplesPerPixel, samplesPerPixel],
    [Tags.Rows, rows],
    [Tags.Columns, columns],
    [Tags.BitsAllocated, bitsAllocated],
    [Tags.BitsStored, bitsStored],
    [Tags.HighBit, bitsStored - 1],
    [Tags.PixelRepresentation, picture.signed ? 1 : 0],
    ...(samplesPerPixel > 1 ? ([[Tags.PlanarConfiguration, picture.planar ? 1 : 0]] as const) : []),
  ] as const)
    put(make(own, t, 'US', [value]))
  put(native ? nativePixels(frames, bitsAllocated) : encapsulated(frames))
  for (const element of picture.extra ?? []) put(element)
  const elements = [...set.values()].sort((a, b) => a.tag - b.tag)
  return concat([...writeFile(newFile({ dataset: dataset(elements, { charset: [] }), transferSyntax }))])
}

function nativePixels(frames: readonly Uint8Array[], bitsAllocated: number): Element {
  const bytes = concat([...frames])
  const even = bytes.length % 2 === 0 ? bytes : concat([bytes, new Uint8Array(1)])
  return {
    tag: Tags.PixelData,
    vr: bitsAllocated > 8 ? 'OW' : 'OB',
    value: { kind: 'bulk', source: fromBytes(even), span: { offset: 0, length: even.length } },
  }
}

/** 16-bit cells of these values, little endian. */
export function words(values: ArrayLike<number>): Uint8Array {
  return new Uint8Array(Uint16Array.from(values).buffer)
}
