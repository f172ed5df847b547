// One frame's bytes ⇄ Raster, by transfer syntax. Native and RLE are our own; the others are OpenJPEG, CharLS, OpenJPH
// and libjpeg in the WebAssembly of `dcmjs-codecs`, one instance a thread.

import { createRequire } from 'node:module'
import { inflateRawSync } from 'node:zlib'
import type { LosslessSyntax, Uid } from '@roentgate/dicom'
import { PixelError } from '../errors.ts'
import type { FrameFormat, Raster, Samples } from '../model.ts'
import { frameSize } from './frames.ts'
import { decodeNative, encodeNative, samplesFor } from './native.ts'
import { decodeRle, encodeRle } from './rle.ts'

export type Codecs = {
  /** @throws PixelError UNSUPPORTED_SYNTAX, UNSUPPORTED_FORMAT, DECODE_FAILED, FRAME_MISSING */
  readonly decode: (bytes: Uint8Array, format: FrameFormat) => Raster
  /** Without loss. @throws PixelError UNSUPPORTED_FORMAT, ENCODE_FAILED */
  readonly encode: (raster: Raster, target: LosslessSyntax, format: FrameFormat) => Uint8Array
  /**
   * After an exception inside the WebAssembly, a refused frame too, its stack is not unwound and a later frame may be
   * the one that fails: open other codecs.
   */
  readonly isBroken: () => boolean
}

export const SYNTAX_OF: Readonly<Record<LosslessSyntax, Uid>> = {
  native: '1.2.840.10008.1.2.1' as Uid,
  rle: '1.2.840.10008.1.2.5' as Uid,
  'jpeg-ls': '1.2.840.10008.1.2.4.80' as Uid,
  'jpeg-2000': '1.2.840.10008.1.2.4.90' as Uid,
  htj2k: '1.2.840.10008.1.2.4.201' as Uid,
}

type Kind = 'native' | 'deflated' | 'rle' | 'jpeg' | 'jpeg-ls' | 'jpeg-2000' | 'htj2k' | 'jpeg-xl'

/** Both sides: smaller frames have no room for the resolutions that the JPEG 2000 encoders make by default. */
export const LEAST_WAVELET_SIDE = 32

/** Table A.4-1 and on (PS3.5): which codec reads a transfer syntax. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['1.2.840.10008.1.2', 'native'],
  ['1.2.840.10008.1.2.1', 'native'],
  ['1.2.840.10008.1.2.1.98', 'native'],
  ['1.2.840.10008.1.2.1.99', 'native'],
  ['1.2.840.10008.1.2.2', 'native'],
  ['1.2.840.10008.1.2.8.1', 'deflated'],
  ['1.2.840.10008.1.2.5', 'rle'],
  ['1.2.840.10008.1.2.4.50', 'jpeg'],
  ['1.2.840.10008.1.2.4.51', 'jpeg'],
  ['1.2.840.10008.1.2.4.53', 'jpeg'],
  ['1.2.840.10008.1.2.4.55', 'jpeg'],
  ['1.2.840.10008.1.2.4.57', 'jpeg'],
  ['1.2.840.10008.1.2.4.70', 'jpeg'],
  ['1.2.840.10008.1.2.4.80', 'jpeg-ls'],
  ['1.2.840.10008.1.2.4.81', 'jpeg-ls'],
  ['1.2.840.10008.1.2.4.90', 'jpeg-2000'],
  ['1.2.840.10008.1.2.4.91', 'jpeg-2000'],
  ['1.2.840.10008.1.2.4.110', 'jpeg-xl'],
  ['1.2.840.10008.1.2.4.111', 'jpeg-xl'],
  ['1.2.840.10008.1.2.4.112', 'jpeg-xl'],
  ['1.2.840.10008.1.2.4.201', 'htj2k'],
  ['1.2.840.10008.1.2.4.202', 'htj2k'],
  ['1.2.840.10008.1.2.4.203', 'htj2k'],
])

export function codecOf(transferSyntax: string): Kind | undefined {
  return KINDS.get(transferSyntax)
}

type Context = {
  readonly getDecodedBuffer: () => Uint8Array | undefined
  readonly getEncodedBuffer: () => Uint8Array | undefined
  readonly getWidth: () => number
  readonly getHeight: () => number
  readonly getSamplesPerPixel: () => number
  readonly getBitsAllocated: () => number
  readonly getPhotometricInterpretation: () => string
  readonly getPlanarConfiguration: () => number
}
type Call = (context: Context, parameters: Readonly<Record<string, unknown>>) => Context
type Wasm = {
  readonly initializeAsync: (options: { readonly webAssemblyModulePathOrUrl: string }) => Promise<void>
  readonly isInitialized: () => boolean
  readonly decodeJpeg: Call
  readonly decodeJpegLs: Call
  readonly decodeJpeg2000: Call
  readonly decodeHtJpeg2000: Call
  readonly decodeJpegXl: Call
  readonly encodeJpegLs: Call
  readonly encodeJpeg2000: Call
  readonly encodeHtJpeg2000: Call
}
type Package = {
  readonly NativeCodecs: Wasm
  readonly Context: new (attributes: Readonly<Record<string, unknown>>) => Context
}

/** @throws Error where the codecs' package is not installed whole. */
export async function openCodecs(): Promise<Codecs> {
  const require = createRequire(import.meta.url)
  // One WebAssembly instance belongs to one loaded module: other codecs are another loading of it.
  delete require.cache[require.resolve('dcmjs-codecs')]
  const library = require('dcmjs-codecs') as Package
  const path = require.resolve('dcmjs-codecs/build/dcmjs-native-codecs.wasm')
  await library.NativeCodecs.initializeAsync({ webAssemblyModulePathOrUrl: path })
  const state = { broken: false }
  const guarded = <T>(code: 'DECODE_FAILED' | 'ENCODE_FAILED', run: () => T): T => {
    if (state.broken)
      throw new PixelError(code, 'the codecs were not opened anew after a frame that they refused')
    try {
      return run()
    } catch (error) {
      state.broken = error instanceof PixelError && error.cause !== undefined
      throw error
    }
  }
  return {
    decode: (bytes, format) => guarded('DECODE_FAILED', () => decode(library, bytes, format)),
    encode: (raster, target, format) =>
      guarded('ENCODE_FAILED', () => encode(library, { raster, target, format })),
    isBroken: () => state.broken,
  }
}

function decode(library: Package, bytes: Uint8Array, format: FrameFormat): Raster {
  const kind = KINDS.get(format.transferSyntax)
  switch (kind) {
    case 'native':
      return decodeNative(bytes, format)
    case 'rle':
      return decodeRle(bytes, format)
    case 'deflated':
      return decodeNative(inflated(bytes, format), format)
    case 'jpeg':
    case 'jpeg-xl':
    case 'jpeg-ls':
    case 'jpeg-2000':
    case 'htj2k':
      return decodeWasm(library, { kind, bytes, format })
    case undefined:
      throw new PixelError('UNSUPPORTED_SYNTAX', 'no decoder for this transfer syntax')
    default:
      return kind satisfies never
  }
}

/** Deflated Image Frame Compression (PS3.5 A.4.13): never more than the frame that the attributes call for. */
function inflated(bytes: Uint8Array, format: FrameFormat): Uint8Array {
  return attempt('DECODE_FAILED', () => inflateRawSync(bytes, { maxOutputLength: frameSize(format) + 1 }))
}

type WasmKind = Exclude<Kind, 'native' | 'deflated' | 'rle'>
type Encoded = { readonly kind: WasmKind; readonly bytes: Uint8Array; readonly format: FrameFormat }

function decodeWasm(library: Package, { kind, bytes, format }: Encoded): Raster {
  const { NativeCodecs } = library
  const context = new library.Context({
    width: format.columns,
    height: format.rows,
    bitsAllocated: format.bitsAllocated,
    bitsStored: format.bitsStored,
    samplesPerPixel: format.samplesPerPixel,
    pixelRepresentation: format.signed ? 1 : 0,
    planarConfiguration: 0,
    photometricInterpretation: format.photometric,
    encodedBuffer: bytes,
  })
  const call = {
    jpeg: NativeCodecs.decodeJpeg,
    'jpeg-ls': NativeCodecs.decodeJpegLs,
    'jpeg-2000': NativeCodecs.decodeJpeg2000,
    htj2k: NativeCodecs.decodeHtJpeg2000,
    'jpeg-xl': NativeCodecs.decodeJpegXl,
  }[kind]
  // What the attributes call RGB is taken as RGB, as other toolkits do, whatever the stream's own markers say.
  const converts = kind === 'jpeg' && format.photometric.startsWith('YBR')
  const done = attempt('DECODE_FAILED', () =>
    call.call(NativeCodecs, context, converts ? { convertColorspaceToRgb: true } : {}),
  )
  const decoded = done.getDecodedBuffer()
  if (decoded === undefined) throw new PixelError('DECODE_FAILED', 'the decoder gave nothing')
  if (done.getWidth() !== format.columns || done.getHeight() !== format.rows) {
    throw new PixelError('DECODE_FAILED', 'the frame is of another size than Rows and Columns say')
  }
  return rasterOf(done, decoded, { kind, bytes, format })
}

function rasterOf(done: Context, decoded: Uint8Array, { kind, bytes, format }: Encoded): Raster {
  const { rows, columns, samplesPerPixel, signed, bitsStored } = format
  const length = rows * columns * samplesPerPixel
  if (done.getSamplesPerPixel() !== samplesPerPixel) {
    throw new PixelError('DECODE_FAILED', 'the frame has another number of samples than its attributes say')
  }
  const width = decoded.length / length
  if (width !== 1 && width !== 2 && width !== 4)
    throw new PixelError('DECODE_FAILED', 'the decoder gave another number of bytes')
  const cells = { ...format, bitsAllocated: width * 8, bitsStored: width * 8, highBit: width * 8 - 1 }
  const raw = decodeNative(decoded, {
    ...cells,
    planar: done.getPlanarConfiguration() === 1 || (kind === 'jpeg-ls' && isPlanar(bytes)),
    bigEndian: false,
    words: false,
    photometric: 'RGB',
  })
  const data = fitted(raw.data, format)
  const converts = kind !== 'jpeg-ls' && samplesPerPixel === 3
  const photometric = converts
    ? 'RGB'
    : format.photometric === 'YBR_FULL_422'
      ? 'YBR_FULL'
      : format.photometric
  return { rows, columns, samplesPerPixel, bitsStored, signed, photometric, data }
}

/** JPEG-LS of one scan a component (ITU-T T.87 C.2.3: Ns is 1): the decoder gives plane after plane. */
function isPlanar(bytes: Uint8Array): boolean {
  for (let at = 2; at + 4 < bytes.length && bytes[at] === 0xff; ) {
    const length = ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)
    if (bytes[at + 1] === 0xda) return bytes[at + 4] === 1
    at += 2 + length
  }
  return false
}

/** In an array of the width that Bits Allocated calls for, sign-extended from Bits Stored. */
function fitted(data: Samples, { bitsAllocated, bitsStored, signed }: FrameFormat): Samples {
  const out =
    data.BYTES_PER_ELEMENT * 8 === bitsAllocated ? data : samplesFor(bitsAllocated, signed, data.length)
  if (out !== data) out.set(data)
  if (bitsStored === out.BYTES_PER_ELEMENT * 8) return out
  const shift = 32 - bitsStored
  if (signed) for (let at = 0; at < out.length; at++) out[at] = ((out[at] ?? 0) << shift) >> shift
  return out
}

type Job = { readonly raster: Raster; readonly target: LosslessSyntax; readonly format: FrameFormat }

function encode(library: Package, { raster, target, format }: Job): Uint8Array {
  assertFits(raster)
  switch (target) {
    case 'native':
      return encodeNative(raster, format)
    case 'rle':
      return encodeRle(raster, format.bitsAllocated)
    case 'jpeg-ls':
    case 'jpeg-2000':
    case 'htj2k':
      return encodeWasm(library, { raster, target, format })
    default:
      return target satisfies never
  }
}

/** A value that its own attributes have no room for comes back as another from every other decoder. */
function assertFits({ data, bitsStored, signed }: Raster): void {
  if (bitsStored >= data.BYTES_PER_ELEMENT * 8) return
  const low = signed ? -(2 ** (bitsStored - 1)) : 0
  const high = 2 ** (signed ? bitsStored - 1 : bitsStored) - 1
  for (let at = 0; at < data.length; at++) {
    const value = data[at] ?? 0
    if (value < low || value > high)
      throw new PixelError('UNSUPPORTED_FORMAT', 'samples that need more than Bits Stored')
  }
}

function encodeWasm(library: Package, { raster, target, format }: Job): Uint8Array {
  const { NativeCodecs } = library
  if (format.bitsAllocated > 16 || format.bitsAllocated === 1) {
    throw new PixelError('UNSUPPORTED_FORMAT', 'this codec takes 8 to 16 bits')
  }
  if (target !== 'jpeg-ls' && Math.min(raster.rows, raster.columns) < LEAST_WAVELET_SIDE) {
    throw new PixelError('UNSUPPORTED_FORMAT', 'a frame too small for this codec')
  }
  const { data } = raster
  const context = new library.Context({
    width: raster.columns,
    height: raster.rows,
    bitsAllocated: format.bitsAllocated,
    bitsStored: raster.bitsStored,
    samplesPerPixel: raster.samplesPerPixel,
    pixelRepresentation: raster.signed ? 1 : 0,
    planarConfiguration: 0,
    photometricInterpretation: raster.photometric,
    decodedBuffer: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  })
  const call = {
    'jpeg-ls': NativeCodecs.encodeJpegLs,
    'jpeg-2000': NativeCodecs.encodeJpeg2000,
    htj2k: NativeCodecs.encodeHtJpeg2000,
  }[target as 'jpeg-ls' | 'jpeg-2000' | 'htj2k']
  const done = attempt('ENCODE_FAILED', () => call.call(NativeCodecs, context, { lossy: false }))
  const encoded = done.getEncodedBuffer()
  if (encoded === undefined) throw new PixelError('ENCODE_FAILED', 'the encoder gave nothing')
  return encoded
}

/** A library's message may quote what it was given; ours does not. */
function attempt<T>(code: 'DECODE_FAILED' | 'ENCODE_FAILED', run: () => T): T {
  try {
    return run()
  } catch (cause) {
    throw new PixelError(
      code,
      code === 'DECODE_FAILED' ? 'a frame that its decoder refuses' : 'a frame that the encoder refuses',
      { cause },
    )
  }
}
