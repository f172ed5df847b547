// Values → bytes. What was read and not changed goes out as it came, byte for byte; what we made is written with
// defined lengths, in the data set's encoding. Pixel data is copied from its source in pieces, never held.

import { DicomError } from './errors.ts'
import type { ByteSource, Dataset, DicomFile, Element, Encoding, Span, Value, Vr } from './model.ts'
import { transferSyntax } from './uids.ts'
import { hasLongLength, numberWidth, paddingByte } from './vr.ts'

export type WriteOptions = {
  /** Raw deflate, for the deflated transfer syntaxes. */
  readonly deflate?: (bytes: Uint8Array) => Uint8Array
  /** A chunk is used before the next is asked for, and not after: pixel data then passes through one buffer. */
  readonly passing?: boolean
}

/** Pieces of pixel data as they pass: large enough to be fast, small enough not to matter. */
const PIECE = 4 * 1024 * 1024
const META_ENCODING: Encoding = { explicit: true, bigEndian: false }

/**
 * The file as chunks in order.
 * @throws DicomError BAD_LENGTH where a value does not fit the length field of its VR.
 */
export function* writeFile(file: DicomFile, options: WriteOptions = {}): Generator<Uint8Array> {
  const out = new ByteWriter(META_ENCODING)
  if (file.preamble) {
    out.bytes(file.preamble)
    out.bytes(DICM)
  }
  if (file.meta) for (const element of file.meta.elements) writeElement(out, element, file.meta)
  const syntax = transferSyntax(file.transferSyntax)
  const encoding = syntax?.encoding ?? file.dataset.encoding
  if (!syntax?.deflated) {
    out.encoding = encoding
    yield* writeTop(out, file.dataset, options.passing)
    return
  }
  if (!options.deflate)
    throw new DicomError('UNSUPPORTED_TRANSFER_SYNTAX', 'a deflated data set, and no deflater was given')
  yield out.take()
  const deflated = options.deflate(concat([...writeTop(new ByteWriter(encoding), file.dataset)]))
  yield deflated
  // PS3.5 A.5: a stream of odd length is padded by a NULL.
  if (deflated.length % 2 === 1) yield new Uint8Array(1)
}

const DICM = new Uint8Array([0x44, 0x49, 0x43, 0x4d])

function* writeTop(out: ByteWriter, dataset: Dataset, passing = false): Generator<Uint8Array> {
  for (const element of dataset.elements) {
    const { value } = element
    if (value.kind === 'bytes' || value.kind === 'items') {
      writeElement(out, element, dataset)
      continue
    }
    writePixelHeader(out, element)
    yield out.take()
    const width = dataset.encoding.bigEndian === out.encoding.bigEndian ? 1 : numberWidth(element.vr)
    const { source } = value
    const read = passing ? (source.lend ?? source.read) : source.read
    yield* pieces(read, value.span, value.kind === 'bulk' ? width : 1)
  }
  if (out.length > 0) yield out.take()
}

function writePixelHeader(out: ByteWriter, element: Element): void {
  const length = element.value.kind === 'bulk' ? element.value.span.length : 0xffffffff
  if (element.value.kind === 'bulk' && length >= 0xffffffff) {
    throw new DicomError('BAD_LENGTH', 'native pixel data of 4 GiB or more has no length field', {
      tag: element.tag,
    })
  }
  writeHeader(out, element, length)
}

function* pieces(read: ByteSource['read'], span: Span, width: 1 | 2 | 4 | 8): Generator<Uint8Array> {
  for (let at = 0; at < span.length; at += PIECE) {
    const size = Math.min(PIECE, span.length - at)
    const piece = read(span.offset + at, size)
    if (piece.length !== size)
      throw new DicomError('TRUNCATED', 'the file became shorter while it was read', {
        offset: span.offset + at,
      })
    yield width === 1 ? piece : swapped(piece, width)
  }
}

/** One element in the writer's encoding, raw where its bytes already are in it. */
function writeElement(out: ByteWriter, element: Element, owner: Dataset): void {
  const { encoding } = out
  if (element.raw && sameEncoding(owner.encoding, encoding)) {
    out.bytes(element.raw)
    return
  }
  const { value } = element
  if (value.kind === 'bytes') {
    // UN is little endian wherever it stands (PS3.5 6.2.2).
    const odd = value.bytes.length % 2
    const length = value.bytes.length + odd
    const bigEndian = encoding.bigEndian && vrToWrite(element.vr, length, encoding) !== 'UN'
    const swap = owner.encoding.bigEndian !== bigEndian ? numberWidth(element.vr) : 1
    writeHeader(out, element, length)
    out.bytes(swap === 1 ? value.bytes : swapped(value.bytes, swap))
    if (odd) out.u8(paddingByte(element.vr))
    return
  }
  if (value.kind !== 'items') {
    writeNestedPixels(out, element, value)
    return
  }
  writeHeader(out, element, 0)
  const sequenceAt = out.length
  for (const item of value.items) writeItem(out, item)
  out.patchLength(sequenceAt)
}

function writeItem(out: ByteWriter, item: Dataset): void {
  if (item.raw && sameEncoding(item.encoding, out.encoding)) {
    out.bytes(item.raw)
    return
  }
  out.u16(0xfffe)
  out.u16(0xe000)
  out.u32(0)
  const itemAt = out.length
  for (const element of item.elements) writeElement(out, element, item)
  out.patchLength(itemAt)
}

function writeNestedPixels(
  out: ByteWriter,
  element: Element,
  value: Exclude<Value, { kind: 'bytes' | 'items' }>,
): void {
  writeHeader(out, element, value.kind === 'bulk' ? value.span.length : 0xffffffff)
  out.bytes(value.source.read(value.span.offset, value.span.length))
}

function writeHeader(out: ByteWriter, element: Element, length: number): void {
  out.u16(element.tag >>> 16)
  out.u16(element.tag & 0xffff)
  if (!out.encoding.explicit) {
    out.u32(length)
    return
  }
  const vr = vrToWrite(element.vr, length, out.encoding)
  out.u8(vr.charCodeAt(0))
  out.u8(vr.charCodeAt(1))
  if (!hasLongLength(vr)) {
    out.u16(length)
    return
  }
  out.u16(0)
  out.u32(length)
}

/** PS3.5 6.2.2: a value too long for its 16-bit length field goes out as UN. */
function vrToWrite(vr: Vr, length: number, encoding: Encoding): Vr {
  return encoding.explicit && !hasLongLength(vr) && length > 0xffff ? 'UN' : vr
}

export function sameEncoding(a: Encoding, b: Encoding): boolean {
  return a.explicit === b.explicit && a.bigEndian === b.bigEndian
}

/** A copy with the bytes of every number reversed. */
export function swapped(bytes: Uint8Array, width: 1 | 2 | 4 | 8): Uint8Array {
  const out = bytes.slice()
  for (let at = 0; at + width <= out.length; at += width) out.subarray(at, at + width).reverse()
  return out
}

export function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    out.set(chunk, at)
    at += chunk.length
  }
  return out
}

/** A growing buffer. */
class ByteWriter {
  encoding: Encoding
  #buffer = new Uint8Array(16 * 1024)
  #length = 0

  constructor(encoding: Encoding) {
    this.encoding = encoding
  }

  get length(): number {
    return this.#length
  }

  /** What was written so far; the writer starts anew. */
  take(): Uint8Array {
    const out = this.#buffer.subarray(0, this.#length)
    this.#buffer = new Uint8Array(4 * 1024)
    this.#length = 0
    return out
  }

  bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#buffer.set(bytes, this.#length)
    this.#length += bytes.length
  }

  u8(value: number): void {
    this.#room(1)
    this.#buffer[this.#length] = value
    this.#length += 1
  }

  u16(value: number): void {
    const { bigEndian } = this.encoding
    this.u8((bigEndian ? value >>> 8 : value) & 0xff)
    this.u8((bigEndian ? value : value >>> 8) & 0xff)
  }

  u32(value: number): void {
    const { bigEndian } = this.encoding
    this.u16((bigEndian ? value >>> 16 : value) & 0xffff)
    this.u16((bigEndian ? value : value >>> 16) & 0xffff)
  }

  /** The length field that ends at `from`: all that was written since. */
  patchLength(from: number): void {
    new DataView(this.#buffer.buffer).setUint32(from - 4, this.#length - from, !this.encoding.bigEndian)
  }

  #room(count: number): void {
    if (this.#length + count <= this.#buffer.length) return
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#length + count))
    grown.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = grown
  }
}
