// JPEG 2000 and HTJ2K without what encoders and devices wrote beside the image (ISO/IEC 15444-1 A, I):
//
//   boxes        signature, file type, header and codestream stay; XML, UUID, labels, free space and the rest go
//   codestream   SOC { marker length payload }* { SOT … SOD tile-part }* EOC
//                contents of COM are blanked where they stand: no length and no pointer moves; bytes after EOC go
//
// A comment that names a known encoder and nothing else stays: nearly every stream has one.

import { blankedProfile } from './icc.ts'
import { damaged, joined } from './jpeg.ts'

const SOC = 0xff4f
const SOT = 0xff90
const SOD = 0xff93
const EOC = 0xffd9
const COM = 0xff64

/** The same array where there was nothing to blank or drop. @throws PixelError DECODE_FAILED */
export function strippedJpeg2000(bytes: Uint8Array): Uint8Array {
  const view = viewOf(bytes)
  if (bytes.length >= 2 && view.getUint16(0) === SOC) return strippedCodestream(bytes)
  if (bytes.length >= 12 && view.getUint32(4) === code('jP  ')) return strippedBoxes(bytes)
  throw damaged('no JPEG 2000 stream where one must stand')
}

const ENCODERS = [
  /^Kakadu-[\w. -]{1,24}$/,
  /^Kdu-Layer-Info: log_2\{Delta-D\(squared-error\)\/Delta-L\(bytes\)\}, L\(bytes\)\n(?: *-?[\d.]+, *[\d.e+]+\n)*$/,
  /^Created by OpenJPEG version \d+\.\d+\.\d+$/,
  /^OpenJPH Ver \d+\.\d+\.\d+\.?$/,
  /^Creator: JasPer Version \d+\.\d+\.\d+$/,
] as const

function strippedCodestream(bytes: Uint8Array): Uint8Array {
  const view = viewOf(bytes)
  const comments: (readonly [number, number])[] = []
  let at = 2
  let end = bytes.length
  while (at + 2 <= bytes.length) {
    const marker = view.getUint16(at)
    if (marker === EOC) {
      end = at + 2
      break
    }
    if (at + 4 > bytes.length) throw damaged('a codestream that ends inside a marker')
    const length = view.getUint16(at + 2)
    if (marker < 0xff00 || length < 2 || at + 2 + length > bytes.length)
      throw damaged('a marker segment that runs past the end')
    if (marker === COM) comments.push([at + 6, at + 2 + length])
    at = marker === SOT ? tilePartEnd(view, at, comments) : at + 2 + length
  }
  const foreign = comments.filter(([from, to]) => !isEncoder(bytes.subarray(from, to)))
  const tail = bytes.length - end > 1 || (bytes[end] ?? 0) !== 0
  if (foreign.length === 0 && !tail) return bytes
  const out = bytes.slice(0, end)
  for (const [from, to] of foreign) out.fill(0x20, from, to)
  return out
}

/** Past a tile-part, whose header may hold comments too. */
function tilePartEnd(view: DataView, start: number, comments: (readonly [number, number])[]): number {
  if (start + 12 > view.byteLength) throw damaged('a tile-part that ends inside its header')
  const declared = view.getUint32(start + 6)
  const end = declared === 0 ? lastTilePartEnd(view) : start + declared
  if (end > view.byteLength || end < start + 14) throw damaged('a tile-part that runs past the end')
  for (let at = start + 12; at + 2 <= end; ) {
    const marker = view.getUint16(at)
    if (marker === SOD) return end
    if (at + 4 > end) break
    const length = view.getUint16(at + 2)
    if (marker < 0xff00 || length < 2 || at + 2 + length > end) break
    if (marker === COM) comments.push([at + 6, at + 2 + length])
    at += 2 + length
  }
  throw damaged('a tile-part without its data')
}

/** Psot 0: to the end of the codestream (A.4.2). Packets never hold a marker above FF8F: the first EOC is the end. */
function lastTilePartEnd(view: DataView): number {
  for (let at = 2; at + 2 <= view.byteLength; at++) if (view.getUint16(at) === EOC) return at
  return view.byteLength
}

function isEncoder(content: Uint8Array): boolean {
  const text = new TextDecoder('latin1').decode(content).replace(/\0$/, '')
  return text.trim() === '' || ENCODERS.some((known) => known.test(text))
}

const KEPT_BOXES = ['jP  ', 'ftyp', 'jp2h', 'jp2c'].map(code)
const KEPT_HEADERS = ['ihdr', 'bpcc', 'colr', 'pclr', 'cmap', 'cdef', 'res '].map(code)

function strippedBoxes(bytes: Uint8Array): Uint8Array {
  const kept = boxesOf(bytes).flatMap((box) => {
    if (!KEPT_BOXES.includes(box.type)) return []
    const whole = bytes.subarray(box.start, box.end)
    const content = bytes.subarray(box.content, box.end)
    if (box.type === code('jp2h')) return [rewritten(box.type, whole, strippedHeader(content))]
    if (box.type === code('jp2c')) return [rewritten(box.type, whole, strippedCodestream(content))]
    return [whole]
  })
  return sameOrJoined(bytes, kept)
}

function strippedHeader(bytes: Uint8Array): Uint8Array {
  const kept = boxesOf(bytes).flatMap((box) => {
    if (!KEPT_HEADERS.includes(box.type)) return []
    const whole = bytes.subarray(box.start, box.end)
    if (box.type !== code('colr')) return [whole]
    const content = bytes.subarray(box.content, box.end)
    // METH 2 and 3: a profile after three bytes (I.5.3.3).
    if (content[0] !== 2 && content[0] !== 3) return [whole]
    const profile = content.subarray(3)
    const blanked = blankedProfile(profile)
    return [
      blanked === profile ? whole : rewritten(box.type, whole, joined([content.subarray(0, 3), blanked])),
    ]
  })
  return sameOrJoined(bytes, kept)
}

type Box = { readonly type: number; readonly start: number; readonly content: number; readonly end: number }

/** I.4: length, type, and a long length where the length is 1; 0 is "to the end". */
function boxesOf(bytes: Uint8Array): readonly Box[] {
  const view = viewOf(bytes)
  const boxes: Box[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const short = view.getUint32(at)
    const long = short === 1
    if (long && at + 16 > bytes.length) throw damaged('a box that ends inside its header')
    const length = short === 0 ? bytes.length - at : long ? Number(view.getBigUint64(at + 8)) : short
    const content = at + (long ? 16 : 8)
    if (at + length > bytes.length || at + length < content) throw damaged('a box that runs past the end')
    boxes.push({ type: view.getUint32(at + 4), start: at, content, end: at + length })
    at += length
  }
  return boxes
}

function rewritten(type: number, whole: Uint8Array, content: Uint8Array): Uint8Array {
  if (
    whole.length >= content.length &&
    whole.subarray(whole.length - content.length).every((byte, at) => byte === content[at])
  ) {
    const header = whole.length - content.length
    if (header === 8 || header === 16) return whole
  }
  const head = new Uint8Array(8)
  const view = viewOf(head)
  view.setUint32(0, content.length + 8)
  view.setUint32(4, type)
  return joined([head, content])
}

/** The bytes themselves where the pieces are all of them, unchanged. */
function sameOrJoined(bytes: Uint8Array, pieces: readonly Uint8Array[]): Uint8Array {
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  const own = pieces.every((piece) => piece.buffer === bytes.buffer)
  const even = length === bytes.length || (length === bytes.length - 1 && bytes[length] === 0)
  return own && even ? bytes : joined(pieces)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
}

function code(name: string): number {
  return [...name].reduce((sum, letter) => sum * 256 + letter.charCodeAt(0), 0)
}
