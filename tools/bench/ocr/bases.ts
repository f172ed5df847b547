// What text is drawn on: real frames of each modality from the data folder beside the checkout, where it is there,
// and generated ones. Each is decoded here, apart from the codecs that the product uses: native syntaxes alone.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { find, fromBytes, numbers, readFile, string, tag } from '@roentgate/dicom'
import type { Raster, Samples } from '@roentgate/pixel'
import { BenchError } from '../measure.ts'
import type { Random } from './random.ts'

export type Base = {
  readonly name: string
  readonly modality: string
  readonly raster: Raster
  readonly palette?: { readonly red: Uint16Array; readonly green: Uint16Array; readonly blue: Uint16Array }
  /** It has text of its own: what is blanked there says nothing of precision. */
  readonly lettered: boolean
}

type Published = { readonly path: string; readonly modality: string; readonly lettered?: true }

const PUBLISHED: readonly Published[] = [
  { path: 'image/dcm_qa_ct__I10', modality: 'CT' },
  { path: 'burned_in/burnedin_ct_corner.dcm', modality: 'CT', lettered: true },
  { path: 'image/deidentification__IM04', modality: 'MR' },
  { path: 'series_mr/brain_005.dcm', modality: 'MR' },
  { path: 'image/Tools-for-Health-Data-An__lung.dcm', modality: 'PT' },
  { path: 'image/slicebox__test.dcm', modality: 'NM' },
  { path: 'image/fo-dicom__RI6XDosiGap.dcm', modality: 'RTIMAGE', lettered: true },
  { path: 'image/highdicom__dx_image.dcm', modality: 'DX' },
  { path: 'image/dicomParser__IM00001.implicit_little_endian.dcm', modality: 'US', lettered: true },
  { path: 'image/cornerstone3D__US-YBR_FULL_422-EVRLE.dcm', modality: 'US', lettered: true },
  { path: 'image/pydicom-data__gdcm-US-ALOKA-16.dcm', modality: 'US', lettered: true },
  { path: 'burned_in/burnedin_vl_palette.dcm', modality: 'ES', lettered: true },
]

/** A frame smaller than this is enlarged first, as a secondary capture is. */
const LEAST_SIDE = 480

export function publishedBases(folder: string): readonly Base[] {
  return PUBLISHED.filter(({ path }) => existsSync(join(folder, path))).map(
    ({ path, modality, lettered }) => {
      const { raster, palette } = decodeNative(readFileSync(join(folder, path)))
      return {
        name: path,
        modality,
        raster: enlarged(raster),
        ...(palette === undefined ? {} : { palette }),
        lettered: lettered === true,
      }
    },
  )
}

const ROWS = tag(0x00280010)
const PALETTES = [0x00281201, 0x00281202, 0x00281203].map(tag)

/** The first frame of a native, little-endian instance. */
export function decodeNative(bytes: Uint8Array): Pick<Base, 'raster' | 'palette'> {
  const { dataset } = readFile(fromBytes(bytes))
  const number = (t: number, otherwise: number): number => {
    const element = find(dataset, tag(t))
    return element === undefined ? otherwise : Number(numbers(dataset, element)[0] ?? otherwise)
  }
  const pixels = find(dataset, tag(0x7fe00010))?.value
  if (pixels?.kind !== 'bulk') throw new BenchError('this base is not native')
  const rows = number(ROWS, 0)
  const columns = number(0x00280011, 0)
  const samplesPerPixel = number(0x00280002, 1)
  const photometric = string(dataset, tag(0x00280004))?.trim() ?? 'MONOCHROME2'
  const bitsStored = number(0x00280101, 8)
  const signed = number(0x00280103, 0) === 1
  const bytesEach = number(0x00280100, 8) / 8
  const subsampled = photometric === 'YBR_FULL_422'
  const length = rows * columns * (subsampled ? 2 : samplesPerPixel) * bytesEach
  const raw = Uint8Array.from(pixels.source.read(pixels.span.offset, length))
  const stored = samplesOf(raw, bytesEach, signed)
  const planar = samplesPerPixel === 3 && number(0x00280006, 0) === 1
  const data = subsampled ? spread(stored) : planar ? interleave(stored, rows * columns) : stored
  const raster = { rows, columns, samplesPerPixel, bitsStored, signed, data }
  const lookup = PALETTES.map((t) => find(dataset, t)?.value)
    .map((value) => (value?.kind === 'bytes' ? words(value.bytes) : undefined))
    .filter((each) => each !== undefined)
  const [red, green, blue] = lookup
  return {
    raster: { ...raster, photometric: subsampled ? 'YBR_FULL' : photometric },
    ...(red && green && blue ? { palette: { red, green, blue } } : {}),
  }
}

function samplesOf(raw: Uint8Array, bytesEach: number, signed: boolean): Samples {
  if (bytesEach === 1) return signed ? new Int8Array(raw.buffer) : raw
  return signed ? new Int16Array(raw.buffer) : new Uint16Array(raw.buffer)
}

function words(bytes: Uint8Array): Uint16Array {
  return Uint16Array.from(
    { length: bytes.length >> 1 },
    (_, i) => (bytes[2 * i] ?? 0) | ((bytes[2 * i + 1] ?? 0) << 8),
  )
}

function interleave(stored: Samples, pixels: number): Samples {
  return Uint8Array.from({ length: 3 * pixels }, (_, i) => stored[(i % 3) * pixels + Math.floor(i / 3)] ?? 0)
}

/** Y1 Y2 Cb Cr → Y1 Cb Cr Y2 Cb Cr. */
function spread(stored: Samples): Samples {
  const out = new Uint8Array((stored.length / 2) * 3)
  for (let from = 0, to = 0; from < stored.length; from += 4, to += 6) {
    const cb = stored[from + 2] ?? 0
    const cr = stored[from + 3] ?? 0
    out.set([stored[from] ?? 0, cb, cr, stored[from + 1] ?? 0, cb, cr], to)
  }
  return out
}

function enlarged(raster: Raster): Raster {
  const { rows, columns, samplesPerPixel, data } = raster
  const factor = Math.ceil(LEAST_SIDE / Math.min(rows, columns))
  if (factor <= 1 || raster.photometric === 'PALETTE COLOR') return raster
  const width = columns * factor
  const height = rows * factor
  const wide = new (data.constructor as new (length: number) => Samples)(width * height * samplesPerPixel)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let s = 0; s < samplesPerPixel; s++)
        wide[(y * width + x) * samplesPerPixel + s] = bilinear(raster, { x: x / factor, y: y / factor }, s)
  return { ...raster, rows: height, columns: width, data: wide }
}

type Point = { readonly x: number; readonly y: number }

function bilinear({ rows, columns, samplesPerPixel, data }: Raster, { x, y }: Point, sample: number): number {
  const left = Math.floor(x)
  const top = Math.floor(y)
  const at = (row: number, column: number): number =>
    data[(Math.min(row, rows - 1) * columns + Math.min(column, columns - 1)) * samplesPerPixel + sample] ?? 0
  const u = x - left
  const v = y - top
  const above = at(top, left) * (1 - u) + at(top, left + 1) * u
  const below = at(top + 1, left) * (1 - u) + at(top + 1, left + 1) * u
  return Math.round(above * (1 - v) + below * v)
}

/** Flat, noise, and smooth shapes under noise; 8 and 12 bits. */
export function generatedBases(random: Random): readonly Base[] {
  return [
    generated('black', { bitsStored: 8, ground: () => 0, random, noise: 0 }),
    generated('noise', { bitsStored: 8, ground: () => 110, random, noise: 12 }),
    generated('noise 12 bit', { bitsStored: 12, ground: () => 1400, random, noise: 130 }),
    generated('speckle', {
      bitsStored: 8,
      ground: ({ x, y }) => 90 + 60 * Math.sin(x / 70) * Math.cos(y / 55),
      random,
      noise: 14,
    }),
  ]
}

type Ground = {
  readonly bitsStored: number
  readonly ground: (at: Point) => number
  readonly random: Random
  readonly noise: number
}

function generated(name: string, { bitsStored, ground, random, noise }: Ground): Base {
  const [columns, rows] = [640, 512]
  const most = 2 ** bitsStored - 1
  const data = bitsStored > 8 ? new Uint16Array(rows * columns) : new Uint8Array(rows * columns)
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      const bell = random.real() + random.real() + random.real() + random.real() - 2
      data[y * columns + x] = Math.min(most, Math.max(0, Math.round(ground({ x, y }) + bell * noise * 1.7)))
    }
  const raster = {
    rows,
    columns,
    samplesPerPixel: 1,
    bitsStored,
    signed: false,
    photometric: 'MONOCHROME2',
    data,
  }
  return { name, modality: 'generated', raster, lettered: false }
}
