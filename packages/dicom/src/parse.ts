// The data set parser (PS3.5 7): one pass over a region of the file, never past its end, never past a limit.
//
//   explicit:  group element VR length16 value            element header 8 bytes
//              group element VR 0000 length32 value        12 bytes, VRs of Table 7.1-1
//   implicit:  group element length32 value                8 bytes
//   length FFFFFFFF: items up to FFFE,E0DD; each item FFFE,E000 and its own length or up to FFFE,E00D
//
// A region is a prefix of the source that grows: where the parser needs bytes that are not loaded yet it throws
// NeedMore and the caller parses again over more. Top-level pixel data is recorded as a place and never loaded.

import { lookup } from './dictionary.ts'
import { DicomError } from './errors.ts'
import { ITEM, SEQUENCE_END, UNDEFINED_LENGTH, walkFragments } from './fragments.ts'
import { type Creators, implicitVr, noteCreator } from './implicit.ts'
import type { ByteSource, Dataset, Element, Encoding, Span, Tag, Value, Vr, Warning } from './model.ts'
import { fromBytes, groupOf, isPrivate, tag } from './model.ts'
import { checkOrder } from './order.ts'
import { type Budget, NeedMore, type Region, type RootStart, type Stop } from './region.ts'
import { decodeAscii } from './values.ts'
import { hasLongLength, vrFromBytes } from './vr.ts'

const ITEM_END = tag(0xfffee00d)
/** Past 1 MiB it is no padding, whatever it holds. */
const MAX_PADDING = 1024 * 1024
const WINDOW = 4096
/** Each costs an attempt; a file with more is hostile, and refused. */
const MAX_NOT_SEQUENCES = 1000
const SPECIFIC_CHARACTER_SET = tag(0x00080005)
const PIXEL_DATA = tag(0x7fe00010)
const FLOAT_PIXEL_DATA = tag(0x7fe00008)
const DOUBLE_PIXEL_DATA = tag(0x7fe00009)
const IMPLICIT_LITTLE: Encoding = { explicit: false, bigEndian: false }

/** Where an element's bytes are, so that the views on them are made only when asked for. */
class ReadElement implements Element {
  readonly tag: Tag
  readonly vr: Vr
  readonly value: Value
  readonly #bytes: Uint8Array
  readonly #start: number
  readonly #end: number
  constructor(at: { tag: Tag; vr: Vr; bytes: Uint8Array; start: number; end: number }, value: Value) {
    this.tag = at.tag
    this.vr = at.vr
    this.value = value
    this.#bytes = at.bytes
    this.#start = at.start
    this.#end = at.end
  }
  get raw(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end)
  }
}

type Context = {
  readonly encoding: Encoding
  readonly charset: readonly string[]
  readonly depth: number
  /** Position in the region where the container ends, or undefined for "up to its delimiter". */
  readonly end: number | undefined
}

type Header = {
  readonly tag: Tag
  readonly vr: Vr
  readonly length: number
  readonly start: number
  readonly at: number
}

type ItemHeader = { readonly start: number; readonly length: number; readonly of: Tag }

export class Parser {
  readonly #region: Region
  readonly #budget: Budget
  #at = 0

  constructor(region: Region, budget: Budget) {
    this.#region = region
    this.#budget = budget
  }

  /** How much of the region is header: what the last element kept of it, too, but not pixel data beyond it. */
  get position(): number {
    return this.#at
  }

  /** The elements of the top level, up to the end, to pixel data, or to what is no element. */
  root(from: RootStart): { elements: Element[]; charset: readonly string[]; stop: Stop } {
    const { encoding } = from
    const elements: Element[] = []
    let inForce = from.charset
    const creators: Creators = new Map()
    for (;;) {
      const stop = this.#rootStop(encoding, elements.at(-1)?.tag ?? from.last)
      if (stop) return { elements, charset: inForce, stop }
      const header = this.#header(encoding, creators)
      if (isPixelData(header.tag) && from.isHead) {
        const stop = { kind: 'pixels', at: this.#offset(), length: header.length } as const
        return { elements, charset: inForce, stop }
      }
      if (isPixelData(header.tag)) {
        const { element, end } = this.#pixels(header, encoding)
        elements.push(element)
        const loaded = this.#region.base + this.#region.bytes.length
        if (end > loaded) return { elements, charset: inForce, stop: { kind: 'after-pixels', at: end } }
        this.#at = end - this.#region.base
        continue
      }
      const element = this.#value(header, { encoding, charset: inForce, depth: 0, end: undefined })
      if (element.tag === SPECIFIC_CHARACTER_SET) inForce = charsetOf(element)
      noteCreator(creators, element)
      elements.push(element)
    }
  }

  /** Group 0002: explicit little endian up to the first tag of another group. */
  meta(): { elements: Element[]; end: number } {
    const encoding: Encoding = { explicit: true, bigEndian: false }
    const elements: Element[] = []
    while (!this.#atEnd()) {
      this.#need(8)
      if (groupOf(this.#peekTag(false)) !== 0x0002) break
      const header = this.#header(encoding, new Map())
      elements.push(this.#value(header, { encoding, charset: [], depth: 0, end: undefined }))
    }
    return { elements, end: this.#at }
  }

  #rootStop(encoding: Encoding, last: Tag | undefined): Stop | undefined {
    const at = this.#region.base + this.#at
    if (at >= this.#region.source.size) return { kind: 'end', at }
    const left = this.#region.source.size - at
    const seenPixels = last !== undefined && last >= FLOAT_PIXEL_DATA
    if (left < 8 && !seenPixels && this.#region.source.read(at, left).some((byte) => byte !== 0))
      this.#need(8)
    if (left < 8) return { kind: 'trailing', at }
    this.#need(8)
    const next = this.#peekTag(encoding.bigEndian)
    // Bytes that cannot continue an ended data set are reported as trailing, not parsed as elements.
    if (seenPixels && next < last) return { kind: 'trailing', at }
    if (seenPixels && encoding.explicit && !this.#plausibleVr()) return { kind: 'trailing', at }
    if (last !== undefined && next === 0) {
      if (isZero(this.#region.source, { offset: at, length: left })) return { kind: 'trailing', at }
      throw new DicomError('BAD_TAG', 'an empty tag inside the data set', { tag: next, offset: at })
    }
    return undefined
  }

  #plausibleVr(): boolean {
    const b = this.#region.bytes
    return vrFromBytes(b[this.#at + 4] ?? 0, b[this.#at + 5] ?? 0) !== undefined
  }

  #atEnd(): boolean {
    return this.#region.base + this.#at >= this.#region.source.size
  }

  #offset(at = this.#at): number {
    return this.#region.base + at
  }

  /** `count` bytes from here on must be loaded; NeedMore where they exist in the file, TRUNCATED where not. */
  #need(count: number, of?: Tag): void {
    const end = this.#at + count
    if (end <= this.#region.bytes.length) return
    if (this.#region.base + end > this.#region.source.size) {
      const at = of === undefined ? { offset: this.#offset() } : { tag: of, offset: this.#offset() }
      throw new DicomError(
        'TRUNCATED',
        'the file ends inside an element: ask its sender for a whole copy',
        at,
      )
    }
    throw new NeedMore(end)
  }

  #u16(at: number, bigEndian: boolean): number {
    const b = this.#region.bytes
    const x = b[at] ?? 0
    const y = b[at + 1] ?? 0
    return bigEndian ? (x << 8) | y : x | (y << 8)
  }

  #u32(at: number, bigEndian: boolean): number {
    const first = this.#u16(at, bigEndian)
    const second = this.#u16(at + 2, bigEndian)
    return (bigEndian ? first * 0x10000 + second : second * 0x10000 + first) >>> 0
  }

  #peekTag(bigEndian: boolean): Tag {
    return tag(this.#u16(this.#at, bigEndian) * 0x10000 + this.#u16(this.#at + 2, bigEndian))
  }

  #count(of: Tag): void {
    this.#budget.elements += 1
    if (this.#budget.elements > this.#budget.limits.elements) {
      throw new DicomError('LIMIT_ELEMENTS', 'more elements than one file may hold', {
        tag: of,
        offset: this.#offset(),
      })
    }
  }

  #header(encoding: Encoding, creators: ReadonlyMap<number, string>): Header {
    this.#need(8)
    const start = this.#at
    const t = this.#peekTag(encoding.bigEndian)
    this.#count(t)
    if (groupOf(t) === 0xfffe) {
      throw new DicomError('BAD_TAG', 'a delimiter where an element must stand', {
        tag: t,
        offset: this.#offset(),
      })
    }
    if (!encoding.explicit) {
      const length = this.#u32(start + 4, encoding.bigEndian)
      this.#at = start + 8
      return { tag: t, vr: implicitVr(t, length, creators), length, start, at: this.#at }
    }
    const b = this.#region.bytes
    const vr = vrFromBytes(b[start + 4] ?? 0, b[start + 5] ?? 0)
    if (vr === undefined) {
      throw new DicomError('BAD_VR', 'no value representation where one must stand', {
        tag: t,
        offset: this.#offset(),
      })
    }
    if (!hasLongLength(vr)) {
      const length = this.#u16(start + 6, encoding.bigEndian)
      this.#at = start + 8
      return { tag: t, vr, length, start, at: this.#at }
    }
    this.#need(12, t)
    const length = this.#u32(start + 8, encoding.bigEndian)
    this.#at = start + 12
    return { tag: t, vr, length, start, at: this.#at }
  }

  #value(header: Header, context: Context): Element {
    const { tag: t, length, start } = header
    const bytes = this.#region.bytes
    if (length === UNDEFINED_LENGTH) return this.#undefinedLength(header, context)
    if (context.end !== undefined && header.at + length > context.end) {
      throw new DicomError('BAD_LENGTH', 'a value runs past the item that holds it', {
        tag: t,
        offset: this.#offset(start),
      })
    }
    if (length > this.#budget.limits.headerBytes) {
      this.#refuseLength(header)
    }
    this.#need(length, t)
    const end = header.at + length
    if (header.vr === 'SQ') {
      const items = this.#items(context, end, t)
      return new ReadElement(
        { tag: t, vr: 'SQ', bytes, start, end },
        { kind: 'items', items, undefinedLength: false },
      )
    }
    const known =
      header.vr === 'UN' && context.encoding.explicit ? this.#unknownAsSequence(header, context) : undefined
    this.#at = end
    if (known) return known
    if (length % 2 === 1) this.#warn('ODD_LENGTH', t, start)
    return new ReadElement(
      { tag: t, vr: header.vr, bytes, start, end },
      { kind: 'bytes', bytes: bytes.subarray(header.at, end) },
    )
  }

  #refuseLength(header: Header): never {
    const at = { tag: header.tag, offset: this.#offset(header.start) }
    if (this.#offset(header.at) + header.length > this.#region.source.size) {
      throw new DicomError('TRUNCATED', 'a value is longer than the file', at)
    }
    throw new DicomError('LIMIT_HEADER', 'a value larger than a header may be', at)
  }

  #undefinedLength(header: Header, context: Context): Element {
    const { tag: t, vr, start } = header
    const bytes = this.#region.bytes
    // PS3.5 6.2.2 note 4 (CP-246): UN of undefined length is an implicit little endian sequence.
    if (vr === 'SQ' || vr === 'UN') {
      const inner = vr === 'UN' ? { ...context, encoding: IMPLICIT_LITTLE } : context
      if (vr === 'UN' && context.encoding.explicit) this.#warn('UN_AS_SEQUENCE', t, start)
      const items = this.#items(inner, undefined, t)
      return new ReadElement(
        { tag: t, vr: 'SQ', bytes, start, end: this.#at },
        { kind: 'items', items, undefinedLength: true },
      )
    }
    if (vr !== 'OB' && vr !== 'OW') {
      throw new DicomError('BAD_LENGTH', 'an undefined length that its VR forbids', {
        tag: t,
        offset: this.#offset(start),
      })
    }
    const value = walkFragments(
      {
        source: fromBytes(bytes),
        from: this.#at,
        limits: this.#budget.limits,
        bigEndian: context.encoding.bigEndian,
        of: t,
      },
      (end) => {
        if (this.#region.base + bytes.length < this.#region.source.size)
          throw new NeedMore(Math.max(end, bytes.length * 2))
      },
    )
    this.#at = value.span.offset + value.span.length
    return new ReadElement({ tag: t, vr, bytes, start, end: this.#at }, value)
  }

  /** UN of a public sequence (PS3.5 6.2.2): its bytes are implicit little endian items, or stay bytes. */
  #unknownAsSequence(header: Header, context: Context): Element | undefined {
    if (header.length === 0 || isPrivate(header.tag) || lookup(header.tag)?.vr !== 'SQ') return undefined
    const spent = this.#budget.elements
    const warned = this.#budget.warnings.length
    try {
      const end = header.at + header.length
      const items = this.#items({ ...context, encoding: IMPLICIT_LITTLE }, end, header.tag)
      this.#warn('UN_AS_SEQUENCE', header.tag, header.start)
      const at = { tag: header.tag, vr: 'SQ' as const, bytes: this.#region.bytes, start: header.start, end }
      return new ReadElement(at, { kind: 'items', items, undefinedLength: false })
    } catch (error) {
      if (!(error instanceof DicomError) || error.code.startsWith('LIMIT')) throw error
      this.#budget.elements = spent
      this.#budget.warnings.length = warned
      this.#budget.notSequences += 1
      if (this.#budget.notSequences > MAX_NOT_SEQUENCES) throw error
      return undefined
    }
  }

  /** Items up to `end`, or up to the sequence delimiter. */
  #items(context: Context, end: number | undefined, of: Tag): Dataset[] {
    if (context.depth + 1 > this.#budget.limits.depth) {
      throw new DicomError('LIMIT_DEPTH', 'sequences nested deeper than any real object', {
        tag: of,
        offset: this.#offset(),
      })
    }
    const items: Dataset[] = []
    const { bigEndian } = context.encoding
    while (end === undefined || this.#at < end) {
      this.#need(8, of)
      const start = this.#at
      const t = this.#peekTag(bigEndian)
      const length = this.#u32(start + 4, bigEndian)
      this.#count(of)
      this.#at = start + 8
      if (t === SEQUENCE_END && end === undefined) return items
      if (t !== ITEM) {
        throw new DicomError('BAD_TAG', 'no item where one must stand', {
          tag: of,
          offset: this.#offset(start),
        })
      }
      items.push(this.#item({ start, length, of }, { ...context, depth: context.depth + 1, end }))
    }
    if (this.#at !== end) {
      throw new DicomError('BAD_LENGTH', 'items run past their sequence', { tag: of, offset: this.#offset() })
    }
    return items
  }

  #item({ start, length, of }: ItemHeader, outer: Context): Dataset {
    const defined = length !== UNDEFINED_LENGTH
    const end = defined ? this.#at + length : undefined
    if (end !== undefined && outer.end !== undefined && end > outer.end) {
      throw new DicomError('BAD_LENGTH', 'an item runs past its sequence', {
        tag: of,
        offset: this.#offset(start),
      })
    }
    if (end !== undefined) this.#need(length, of)
    const context: Context = { ...outer, end: end ?? outer.end }
    const { elements, charset } = this.#itemElements(context, end)
    const raw = this.#region.bytes.subarray(start, this.#at)
    return { kind: 'dataset', elements, encoding: outer.encoding, charset, raw }
  }

  #itemElements(
    context: Context,
    end: number | undefined,
  ): { elements: Element[]; charset: readonly string[] } {
    const elements: Element[] = []
    const creators: Creators = new Map()
    let charset = context.charset
    while (end === undefined || this.#at < end) {
      this.#need(8)
      if (end === undefined && this.#peekTag(context.encoding.bigEndian) === ITEM_END) {
        this.#at += 8
        this.#checkOrder(elements)
        return { elements, charset }
      }
      const element = this.#value(this.#header(context.encoding, creators), { ...context, charset })
      if (element.tag === SPECIFIC_CHARACTER_SET) charset = charsetOf(element)
      noteCreator(creators, element)
      elements.push(element)
    }
    if (this.#at !== end) {
      throw new DicomError('BAD_LENGTH', 'elements run past their item', { offset: this.#offset() })
    }
    this.#checkOrder(elements)
    return { elements, charset }
  }

  #checkOrder(elements: readonly Element[]): void {
    checkOrder(elements, (warning) => this.#warn('UNSORTED', warning, 0), this.#offset())
  }

  #pixels(header: Header, encoding: Encoding): { element: Element; end: number } {
    const source = this.#region.source
    const at = this.#offset(header.at)
    const { tag: t, vr, length } = header
    if (length !== UNDEFINED_LENGTH) {
      if (at + length > source.size) {
        const where = { tag: t, offset: this.#offset(header.start) }
        throw new DicomError(
          'TRUNCATED',
          'pixel data ends before its length: ask its sender for a whole copy',
          where,
        )
      }
      if (length % 2 === 1) this.#warn('ODD_LENGTH', t, header.start)
      const span: Span = { offset: at, length }
      return { element: { tag: t, vr, value: { kind: 'bulk', source, span } }, end: at + length }
    }
    const { limits } = this.#budget
    const value = walkFragments({ source, from: at, limits, bigEndian: encoding.bigEndian, of: t })
    return { element: { tag: t, vr, value }, end: value.span.offset + value.span.length }
  }

  #warn(code: Warning['code'], of: Tag, at: number): void {
    // One of each kind and tag is enough: a hostile file could make millions.
    if (this.#budget.warnings.length >= 1000) return
    this.#budget.warnings.push({ code, tag: of, offset: this.#offset(at) })
  }
}

/** Padding: short, and nothing but zeros. */
export function isZero(source: ByteSource, span: Span): boolean {
  if (span.length > MAX_PADDING) return false
  for (let at = 0; at < span.length; at += WINDOW) {
    const window = source.read(span.offset + at, Math.min(WINDOW, span.length - at))
    if (window.some((byte) => byte !== 0)) return false
  }
  return true
}

function isPixelData(t: Tag): boolean {
  return t === PIXEL_DATA || t === FLOAT_PIXEL_DATA || t === DOUBLE_PIXEL_DATA
}

function charsetOf(element: Element): readonly string[] {
  if (element.value.kind !== 'bytes') return []
  const value = decodeAscii(element.value.bytes)
  return value.trim() === '' ? [] : value.split('\\').map((term) => term.trim())
}
