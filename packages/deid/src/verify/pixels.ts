// Pixel data: the same bytes as in the source, and no identifier in the marker segments of compressed frames.

import type { ByteSource, DicomFile, Element, Span } from '@roentgate/dicom'
import { Tags } from '@roentgate/dicom'
import type { Violation } from './checks.ts'
import type { Haystack } from './haystack.ts'
import { latin1 } from './walk.ts'

export type Equal = (a: Uint8Array, b: Uint8Array) => boolean

const PIECE = 4 * 1024 * 1024
/** APPn and COM segments, JP2 boxes and ICC profiles stand before the first scan. */
const HEAD = 256 * 1024
const PIXELS: ReadonlySet<number> = new Set<number>([
  Tags.PixelData,
  Tags.FloatPixelData,
  Tags.DoubleFloatPixelData,
])

export function pixelsUnchanged(source: DicomFile, output: DicomFile, equal: Equal): readonly Violation[] {
  const before = source.dataset.elements.filter((element) => PIXELS.has(element.tag))
  const after = output.dataset.elements.filter((element) => PIXELS.has(element.tag))
  const same =
    before.length === after.length &&
    before.every((element, index) => sameElement(element, after[index], equal))
  return same
    ? []
    : [{ code: 'PIXELS_CHANGED', what: 'pixel data is not the bytes of the source', where: '(7FE0,0010)' }]
}

function sameElement(a: Element, b: Element | undefined, equal: Equal): boolean {
  if (!b || a.tag !== b.tag || a.value.kind !== b.value.kind) return false
  if (a.value.kind === 'bytes' && b.value.kind === 'bytes') return equal(a.value.bytes, b.value.bytes)
  if (a.value.kind !== 'bulk' && a.value.kind !== 'fragments') return false
  if (b.value.kind !== 'bulk' && b.value.kind !== 'fragments') return false
  if (a.value.span.length !== b.value.span.length) return false
  return sameSpan(
    { source: a.value.source, span: a.value.span },
    { source: b.value.source, span: b.value.span },
    equal,
  )
}

type Stretch = { readonly source: ByteSource; readonly span: Span }

function sameSpan(a: Stretch, b: Stretch, equal: Equal): boolean {
  const readA = a.source.lend ?? a.source.read
  const readB = a.source === b.source ? b.source.read : (b.source.lend ?? b.source.read)
  for (let at = 0; at < a.span.length; at += PIECE) {
    const size = Math.min(PIECE, a.span.length - at)
    if (!equal(readA(a.span.offset + at, size), readB(b.span.offset + at, size))) return false
  }
  return true
}

export function pixelHeadersClean(output: DicomFile, haystack: Haystack): readonly Violation[] {
  for (const { tag: t, value } of output.dataset.elements) {
    if (!PIXELS.has(t) || value.kind !== 'fragments') continue
    for (const fragment of value.fragments) {
      const head = headOf(value.source.read(fragment.offset, Math.min(fragment.length, HEAD)))
      if (haystack.inBytes(latin1(head))) {
        return [
          {
            code: 'RESIDUAL_IN_PIXEL_HEADER',
            what: 'an identifier of the source in a compressed frame',
            where: '(7FE0,0010)',
          },
        ]
      }
    }
  }
  return []
}

/** Up to the first scan (JPEG FFDA) or tile data (JPEG 2000 FF93); what follows is entropy-coded. */
function headOf(bytes: Uint8Array): Uint8Array {
  const jpeg = bytes[0] === 0xff && (bytes[1] === 0xd8 || bytes[1] === 0x4f)
  if (!jpeg) return bytes.subarray(0, 4096)
  for (let at = 2; at + 1 < bytes.length; at += 1) {
    if (bytes[at] === 0xff && (bytes[at + 1] === 0xda || bytes[at + 1] === 0x93)) return bytes.subarray(0, at)
  }
  return bytes
}
