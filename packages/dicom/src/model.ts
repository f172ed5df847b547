// What a DICOM file is to the rest of the house: immutable values over the bytes that were read.
//
//   ByteSource ─read→ DicomFile { preamble, meta, dataset } ─write→ chunks
//
// Invariants: an Element that was read keeps its `raw` bytes, header included, so that what is not changed is
// written back byte for byte. Pixel data is never in memory as a whole: it is a place in a ByteSource.

declare const brand: unique symbol
/** group << 16 | element, unsigned. */
export type Tag = number & { readonly [brand]: 'Tag' }
/** PS3.5 9.1: dotted decimal, at most 64 characters. */
export type Uid = string & { readonly [brand]: 'Uid' }

export const VRS = [
  'AE', 'AS', 'AT', 'CS', 'DA', 'DS', 'DT', 'FD', 'FL', 'IS', 'LO', 'LT', 'OB', 'OD', 'OF', 'OL', 'OV', 'OW',
  'PN', 'SH', 'SL', 'SQ', 'SS', 'ST', 'SV', 'TM', 'UC', 'UI', 'UL', 'UN', 'UR', 'US', 'UT', 'UV',
] as const // biome-ignore format: one table
/** PS3.5 Table 6.2-1. */
export type Vr = (typeof VRS)[number]

/** How the bytes of one data set are laid out (PS3.5 7.1, 7.3). */
export type Encoding = { readonly explicit: boolean; readonly bigEndian: boolean }

/** Random access to the bytes of one file. Synchronous: it never waits; disk and memory are the caller's. */
export type ByteSource = {
  readonly size: number
  /** Bytes [offset, offset + length), clipped at the end of the source. */
  readonly read: (offset: number, length: number) => Uint8Array
  /** As `read`, but good only until the next `lend`: for who passes over much and keeps nothing. */
  readonly lend?: (offset: number, length: number) => Uint8Array
}

/** A run of bytes in a source. */
export type Span = { readonly offset: number; readonly length: number }

export type Value =
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'items'; readonly items: readonly Dataset[]; readonly undefinedLength: boolean }
  /** Native pixel data at the top level: (7FE0,0008), (7FE0,0009), (7FE0,0010). */
  | { readonly kind: 'bulk'; readonly source: ByteSource; readonly span: Span }
  /** Encapsulated pixel data (PS3.5 A.4): the first item is the basic offset table. */
  | {
      readonly kind: 'fragments'
      readonly source: ByteSource
      readonly offsetTable: Uint8Array
      readonly fragments: readonly Span[]
      /** The whole value: from the first item tag to the end of the sequence delimiter. */
      readonly span: Span
    }

export type Element = {
  readonly tag: Tag
  readonly vr: Vr
  readonly value: Value
  /** The element as it was read, header included, in its data set's encoding; absent when we made it. */
  readonly raw?: Uint8Array
}

export type Dataset = {
  readonly kind: 'dataset'
  /** In file order; sorted by tag in every well-formed file. */
  readonly elements: readonly Element[]
  readonly encoding: Encoding
  /** The defined terms of (0008,0005) in force here: own, else inherited (PS3.5 7.5.3). [] is the default repertoire. */
  readonly charset: readonly string[]
  /** The item as it was read, header and delimiter included; absent at the root or when we made it. */
  readonly raw?: Uint8Array
}

/** Something survived on reading that a strict reader would have refused. No value in it. */
export type Warning = {
  readonly code:
    | 'NO_PREAMBLE'
    | 'NO_META'
    | 'NO_META_LENGTH'
    | 'TRAILING_BYTES'
    | 'TRAILING_PADDING'
    | 'ODD_LENGTH'
    | 'UNSORTED'
    | 'GUESSED_ENCODING'
    | 'UN_AS_SEQUENCE'
    | 'ITEM_LENGTH'
    | 'VR_MISMATCH'
  readonly tag?: Tag
  readonly offset: number
}

export type DicomFile = {
  /** 128 bytes, none where the file begins with its prefix, or undefined where it has neither. */
  readonly preamble: Uint8Array | undefined
  /** Group 0002, always explicit little endian; undefined where the file has none. */
  readonly meta: Dataset | undefined
  /** From (0002,0010), or guessed where there is no meta group. */
  readonly transferSyntax: Uid
  readonly dataset: Dataset
  /** Bytes after the last element that are not elements. */
  readonly trailing: Span | undefined
  readonly warnings: readonly Warning[]
}

export function tag(value: number): Tag {
  return (value >>> 0) as Tag
}

export function groupOf(t: Tag): number {
  return t >>> 16
}

export function elementOf(t: Tag): number {
  return t & 0xffff
}

/** Odd groups are private (PS3.5 7.8). */
export function isPrivate(t: Tag): boolean {
  return (t & 0x10000) !== 0
}

/** `(0010,0010)`. */
export function formatTag(t: Tag): string {
  const hex = hex8(t)
  return `(${hex.slice(0, 4)},${hex.slice(4)})`
}

/** `00100010`. */
export function hex8(t: Tag): string {
  return (t >>> 0).toString(16).toUpperCase().padStart(8, '0')
}

/** The element of a data set's own level, or undefined. */
export function find(dataset: Dataset, t: Tag): Element | undefined {
  for (const element of dataset.elements) if (element.tag === t) return element
  return undefined
}

export function fromBytes(bytes: Uint8Array): ByteSource {
  return { size: bytes.length, read: (offset, length) => bytes.subarray(offset, offset + length) }
}
