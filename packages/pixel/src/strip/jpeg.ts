// JPEG, JPEG lossless and JPEG-LS streams without what applications wrote into them (ITU-T T.81 B.1.1.3, T.87 C):
//
//   SOI { marker length payload }* SOS entropy-coded … EOI      APPn and COM go, bytes after EOI go
//
// Kept of APPn: what decides colours (Adobe's transform, JFIF without its thumbnail, HP's "mrfx"). The coded image
// itself is not touched.

import { PixelError } from '../errors.ts'

const SOI = 0xd8
const EOI = 0xd9
const SOS = 0xda
const COM = 0xfe
const SOF_LS = 0xf7

/** The stream without them; the same array where there was nothing to drop. @throws PixelError DECODE_FAILED */
export function strippedJpeg(bytes: Uint8Array): Uint8Array {
  if (bytes[0] !== 0xff || bytes[1] !== SOI) throw damaged('no JPEG stream where one must stand')
  const kept: Uint8Array[] = [bytes.subarray(0, 2)]
  let lossless = false
  let dropped = false
  let at = 2
  while (at < bytes.length) {
    const marker = markerAt(bytes, at)
    if (marker.code === EOI) {
      kept.push(bytes.subarray(marker.start, marker.end))
      // One byte to make the length even is no addition.
      dropped ||= bytes.length - marker.end > 1 || (bytes[marker.end] ?? 0) !== 0
      break
    }
    const end = marker.end + segmentLength(bytes, marker.end)
    lossless ||= marker.code === SOF_LS
    const segment = bytes.subarray(marker.start, end)
    const scanEnd = marker.code === SOS ? endOfScan(bytes, end, lossless) : end
    const own = ownedByApplication(marker.code) ? withoutPayload(segment, marker) : segment
    dropped ||= own !== segment || marker.start !== at
    if (own) kept.push(own)
    if (scanEnd > end) kept.push(bytes.subarray(end, scanEnd))
    at = scanEnd
  }
  return dropped ? joined(kept) : bytes
}

type Marker = { readonly code: number; readonly start: number; readonly end: number }

/** Any number of FF may stand before a marker's code. */
function markerAt(bytes: Uint8Array, from: number): Marker {
  let at = from
  if (bytes[at] !== 0xff) throw damaged('no marker where one must stand')
  while (bytes[at + 1] === 0xff) at++
  const code = bytes[at + 1]
  if (code === undefined) throw damaged('a JPEG stream that ends inside a marker')
  return { code, start: at, end: at + 2 }
}

function segmentLength(bytes: Uint8Array, at: number): number {
  const length = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  if (length < 2 || at + length > bytes.length) throw damaged('a marker segment that runs past the end')
  return length
}

/** FF 00 and restart markers belong to the scan; in JPEG-LS FF and any byte below 80. */
function endOfScan(bytes: Uint8Array, from: number, lossless: boolean): number {
  let at = from
  for (;;) {
    at = bytes.indexOf(0xff, at)
    if (at < 0 || at + 1 >= bytes.length) return bytes.length
    const next = bytes[at + 1] ?? 0
    const inside = next === 0 || (next >= 0xd0 && next <= 0xd7) || (lossless && next < 0x80)
    if (next === 0xff) at += 1
    else if (inside) at += 2
    else return at
  }
}

function ownedByApplication(code: number): boolean {
  return code === COM || (code >= 0xe0 && code <= 0xef)
}

const ADOBE_LENGTH = 16
const MRFX_LENGTH = 9
const JFIF_LENGTH = 18

/** What stays of an application's segment, its marker included. */
function withoutPayload(segment: Uint8Array, { code }: Marker): Uint8Array | undefined {
  const begins = (text: string): boolean =>
    [...text].every((letter, index) => segment[4 + index] === letter.charCodeAt(0))
  if (code === 0xee && begins('Adobe') && segment.length === ADOBE_LENGTH) return segment
  if (code === 0xe8 && begins('mrfx') && segment.length === MRFX_LENGTH) return segment
  if (code !== 0xe0 || !begins('JFIF\0') || segment.length < JFIF_LENGTH) return undefined
  const thumbnail = segment[16] !== 0 || segment[17] !== 0
  if (segment.length === JFIF_LENGTH && !thumbnail) return segment
  const header = segment.slice(0, JFIF_LENGTH)
  header.set([0, JFIF_LENGTH - 2], 2)
  header.set([0, 0], 16)
  return header
}

export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

export function damaged(message: string): PixelError {
  return new PixelError('DECODE_FAILED', message)
}
