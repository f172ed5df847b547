// Bytes of one element → text and numbers (PS3.5 6.2). Decoded when asked for, never stored.

import { decodeText, splitValues } from './charset.ts'
import { DicomError } from './errors.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import type { Dataset, Element, Tag, Vr } from './model.ts'
import { find } from './model.ts'
import { isSingleValued, isText, numberWidth, usesCharset } from './vr.ts'

const NUL = 0
const SPACE = 0x20

/** One character a byte. */
export function decodeAscii(bytes: Uint8Array): string {
  let end = bytes.length
  while (end > 0 && (bytes[end - 1] === NUL || bytes[end - 1] === SPACE)) end -= 1
  let out = ''
  for (let at = 0; at < end; at += 1) out += String.fromCharCode(bytes[at] ?? 0)
  return out
}

/** The whole value as text, trailing padding gone, several values still joined by a backslash. '' where it has none. */
export function text(dataset: Dataset, element: Element): string {
  if (element.value.kind !== 'bytes') return ''
  const { bytes } = element.value
  if (!usesCharset(element.vr)) return decodeAscii(bytes)
  return trimEnd(decodeText(bytes, dataset.charset, element.vr).text)
}

/** The values, padding trimmed as the VR allows: on both ends, but at the end only for ST, LT, UT. */
export function strings(
  dataset: Dataset,
  element: Element,
  limit = DEFAULT_LIMITS.multiplicity,
): readonly string[] {
  if (element.value.kind !== 'bytes' || element.value.bytes.length === 0) return []
  if (isSingleValued(element.vr)) return [text(dataset, element)]
  checkMultiplicity(element, 1 + backslashes(element.value.bytes), limit)
  if (!usesCharset(element.vr))
    return decodeAscii(element.value.bytes)
      .split('\\')
      .map((value) => value.trim())
  return splitValues(element.value.bytes, dataset.charset, element.vr).map((bytes) =>
    trimEnd(decodeText(bytes, dataset.charset, element.vr).text).trimStart(),
  )
}

/** Numbers of a numeric VR, or of DS and IS; NaN where a text is no number. 64-bit values lose what a double cannot hold. */
export function numbers(
  dataset: Dataset,
  element: Element,
  limit = DEFAULT_LIMITS.multiplicity,
): readonly number[] {
  if (element.value.kind !== 'bytes') return []
  if (isText(element.vr))
    return strings(dataset, element, limit).map((value) => (value === '' ? Number.NaN : Number(value)))
  const { bytes } = element.value
  const width = element.vr === 'AT' ? 4 : numberWidth(element.vr)
  checkMultiplicity(element, bytes.length / width, limit)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const out: number[] = []
  for (let at = 0; at + width <= bytes.length; at += width)
    out.push(numberAt({ view, at, little: !dataset.encoding.bigEndian }, element.vr))
  return out
}

function checkMultiplicity(element: Element, count: number, limit: number): void {
  if (count <= limit) return
  throw new DicomError('LIMIT_MULTIPLICITY', 'more values than one element may be split into', {
    tag: element.tag,
  })
}

/** At least as many as there are delimiters: in some sets the byte is also the second of a character. */
function backslashes(bytes: Uint8Array): number {
  let count = 0
  for (let at = bytes.indexOf(0x5c); at >= 0; at = bytes.indexOf(0x5c, at + 1)) count += 1
  return count
}

type Place = { readonly view: DataView; readonly at: number; readonly little: boolean }

function numberAt({ view, at, little }: Place, vr: Vr): number {
  switch (vr) {
    case 'US':
    case 'OW':
      return view.getUint16(at, little)
    case 'SS':
      return view.getInt16(at, little)
    case 'UL':
    case 'OL':
      return view.getUint32(at, little)
    case 'SL':
      return view.getInt32(at, little)
    case 'FL':
    case 'OF':
      return view.getFloat32(at, little)
    case 'FD':
    case 'OD':
      return view.getFloat64(at, little)
    case 'UV':
    case 'OV':
      return Number(view.getBigUint64(at, little))
    case 'SV':
      return Number(view.getBigInt64(at, little))
    case 'AT':
      return view.getUint16(at, little) * 0x10000 + view.getUint16(at + 2, little)
    default:
      return view.getUint8(at)
  }
}

/** First value of an attribute of this level; '' where it is empty, undefined where it is absent. */
export function string(dataset: Dataset, t: Tag): string | undefined {
  const element = find(dataset, t)
  return element && (strings(dataset, element)[0] ?? '')
}

function trimEnd(value: string): string {
  let end = value.length
  while (end > 0 && (value.charCodeAt(end - 1) === SPACE || value.charCodeAt(end - 1) === NUL)) end -= 1
  return end === value.length ? value : value.slice(0, end)
}
