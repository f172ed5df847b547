// Encapsulated pixel data (PS3.5 A.4): the offset table item, the fragments, the delimiter.
//
//   FFFE,E000 length offset-table | FFFE,E000 length fragment … | FFFE,E0DD 00000000
//
// Only the offset table is held. A fragment is a place in the source.

import { DicomError } from './errors.ts'
import type { Limits } from './limits.ts'
import type { ByteSource, Span, Tag, Value } from './model.ts'
import { tag } from './model.ts'

export const UNDEFINED_LENGTH = 0xffffffff
export const ITEM = tag(0xfffee000)
export const SEQUENCE_END = tag(0xfffee0dd)

export type FragmentWalk = {
  readonly source: ByteSource
  readonly from: number
  readonly limits: Limits
  readonly bigEndian: boolean
  readonly of: Tag
}

/** `short` is told where bytes were missing. */
export function walkFragments(
  walk: FragmentWalk,
  short?: (end: number) => void,
): Extract<Value, { kind: 'fragments' }> {
  const { source, from, of } = walk
  const fragments: Span[] = []
  let offsetTable: Uint8Array | undefined
  let at = from
  let window = source.read(at, 4096)
  let windowAt = at
  for (;;) {
    if (at + 8 > source.size) {
      short?.(at + 8)
      throw new DicomError('TRUNCATED', 'encapsulated pixel data ends without its delimiter', {
        tag: of,
        offset: at,
      })
    }
    if (at < windowAt || at + 8 > windowAt + window.length) {
      windowAt = at
      window = source.read(at, 4096)
    }
    const view = new DataView(window.buffer, window.byteOffset + (at - windowAt), 8)
    const marker = view.getUint16(0, !walk.bigEndian) * 0x10000 + view.getUint16(2, !walk.bigEndian)
    const length = view.getUint32(4, !walk.bigEndian)
    at += 8
    if (marker === SEQUENCE_END) break
    if (marker !== ITEM || length === UNDEFINED_LENGTH) {
      throw new DicomError('BAD_TAG', 'no fragment where one must stand', { tag: of, offset: at - 8 })
    }
    if (at + length > source.size) {
      short?.(at + length)
      throw new DicomError('TRUNCATED', 'a fragment runs past the end', { tag: of, offset: at - 8 })
    }
    if (offsetTable === undefined) offsetTable = readOffsetTable(walk, at, length)
    else fragments.push({ offset: at, length })
    if (fragments.length > walk.limits.fragments) {
      throw new DicomError('LIMIT_FRAGMENTS', 'more fragments than frames can need', { tag: of, offset: at })
    }
    at += length
  }
  const span = { offset: from, length: at - from }
  return { kind: 'fragments', source, offsetTable: offsetTable ?? new Uint8Array(0), fragments, span }
}

/** The one item of encapsulated pixel data that is held: it counts as header. */
function readOffsetTable({ source, limits, of }: FragmentWalk, at: number, length: number): Uint8Array {
  if (length > limits.headerBytes) {
    throw new DicomError('LIMIT_HEADER', 'an offset table larger than a header may be', {
      tag: of,
      offset: at - 8,
    })
  }
  return source.read(at, length).slice()
}
