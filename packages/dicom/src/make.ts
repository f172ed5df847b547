// New elements and files, encoded for the data set that will hold them (PS3.5 6.2, PS3.10 7.1).

import { decodeText, encodeText } from './charset.ts'
import { DicomError } from './errors.ts'
import type { Dataset, DicomFile, Element, Encoding, Tag, Uid, Vr } from './model.ts'
import { find, tag } from './model.ts'
import { transferSyntax } from './uids.ts'
import { string } from './values.ts'
import { isText, numberWidth, paddingByte, usesCharset } from './vr.ts'
import { concat, writeFile } from './write.ts'

export const UTF8 = 'ISO_IR 192'
const EXPLICIT_LITTLE: Encoding = { explicit: true, bigEndian: false }
const SPECIFIC_CHARACTER_SET = tag(0x00080005)
const SOP_CLASS_UID = tag(0x00080016)
const SOP_INSTANCE_UID = tag(0x00080018)

/** Ours, from a UUID (PS3.5 B.2). */
export const IMPLEMENTATION_CLASS_UID = '2.25.231734094174629307063325413207180425301' as Uid
export const IMPLEMENTATION_VERSION_NAME = 'ROENTGATE_1'

export type NewValue = string | readonly string[] | readonly number[] | Uint8Array | readonly Dataset[]

/**
 * One element for `owner`: text in its character set, numbers in its byte order, padded to an even length.
 * @throws DicomError NOT_ENCODABLE where the character set cannot express the text; BAD_VALUE where the VR forbids it.
 */
export function make(owner: Dataset, t: Tag, vr: Vr, value: NewValue): Element {
  if (vr === 'SQ') return sequence(t, itemsOf(t, value))
  return { tag: t, vr, value: { kind: 'bytes', bytes: padded(bytesOf(owner, { tag: t, vr }, value), vr) } }
}

type At = { readonly tag: Tag; readonly vr: Vr }

function bytesOf(owner: Dataset, at: At, value: NewValue): Uint8Array {
  const { vr } = at
  if (value instanceof Uint8Array) return value
  if (value.length === 0) return new Uint8Array(0)
  if (typeof value !== 'string' && isDatasets(value)) {
    throw new DicomError('BAD_VALUE', `items where ${vr} takes none`, { tag: at.tag })
  }
  if (isText(vr)) {
    const joined = typeof value === 'string' ? value : value.join('\\')
    return encode(owner, at, joined)
  }
  if (typeof value === 'string')
    throw new DicomError('BAD_VALUE', `text where ${vr} takes numbers`, { tag: at.tag })
  return encodeNumbers(value, at, owner.encoding)
}

function itemsOf(t: Tag, value: NewValue): readonly Dataset[] {
  if (value.length === 0) return []
  if (typeof value !== 'string' && isDatasets(value)) return value
  throw new DicomError('BAD_VALUE', 'a value where SQ takes items', { tag: t })
}

function isDatasets(value: Exclude<NewValue, string>): value is readonly Dataset[] {
  return typeof value[0] === 'object'
}

/** A sequence of no items, too. */
export function sequence(t: Tag, items: readonly Dataset[]): Element {
  return { tag: t, vr: 'SQ', value: { kind: 'items', items, undefinedLength: false } }
}

function encode(owner: Dataset, { tag: t, vr }: At, value: string): Uint8Array {
  const bytes = usesCharset(vr) ? encodeText(value, owner.charset, vr) : encodeText(value, [], undefined)
  if (bytes) return bytes
  throw new DicomError('NOT_ENCODABLE', 'the character set of the data set cannot express a text', { tag: t })
}

function padded(bytes: Uint8Array, vr: Vr): Uint8Array {
  if (bytes.length % 2 === 0) return bytes
  const out = new Uint8Array(bytes.length + 1)
  out.set(bytes)
  out[bytes.length] = paddingByte(vr)
  return out
}

function encodeNumbers(values: readonly unknown[], { tag: t, vr }: At, encoding: Encoding): Uint8Array {
  const width = vr === 'AT' ? 4 : numberWidth(vr)
  const out = new Uint8Array(values.length * width)
  const view = new DataView(out.buffer)
  values.forEach((value, index) => {
    if (typeof value !== 'number' || !isNumberOf(vr, value)) {
      throw new DicomError('BAD_VALUE', `a value that ${vr} does not hold`, { tag: t })
    }
    writeNumber({ view, at: index * width, little: !encoding.bigEndian }, vr, value)
  })
  return out
}

/** PS3.5 Table 6.2-1. A VR that is not here takes bytes. */
const INTEGERS: Readonly<Partial<Record<Vr, readonly [min: number, max: number]>>> = {
  AT: [0, 0xffffffff],
  OB: [0, 0xff],
  OL: [0, 0xffffffff],
  OV: [0, 2 ** 64 - 1],
  OW: [0, 0xffff],
  SL: [-(2 ** 31), 2 ** 31 - 1],
  SS: [-(2 ** 15), 2 ** 15 - 1],
  SV: [-(2 ** 63), 2 ** 63 - 1],
  UL: [0, 0xffffffff],
  UN: [0, 0xff],
  US: [0, 0xffff],
  UV: [0, 2 ** 64 - 1],
}

function isNumberOf(vr: Vr, value: number): boolean {
  if (vr === 'FL' || vr === 'FD' || vr === 'OF' || vr === 'OD') return true
  const range = INTEGERS[vr]
  if (range === undefined || !Number.isInteger(value)) return false
  // 2 ** 64 - 1 is no double: the bound rounds up to the first value that does not fit.
  const [min, max] = range
  return value >= min && (max > Number.MAX_SAFE_INTEGER ? value < max : value <= max)
}

type Place = { readonly view: DataView; readonly at: number; readonly little: boolean }

function writeNumber({ view, at, little }: Place, vr: Vr, value: number): void {
  switch (vr) {
    case 'US':
    case 'OW':
      view.setUint16(at, value, little)
      break
    case 'SS':
      view.setInt16(at, value, little)
      break
    case 'UL':
    case 'OL':
      view.setUint32(at, value, little)
      break
    case 'SL':
      view.setInt32(at, value, little)
      break
    case 'FL':
    case 'OF':
      view.setFloat32(at, value, little)
      break
    case 'FD':
    case 'OD':
      view.setFloat64(at, value, little)
      break
    case 'UV':
    case 'OV':
      view.setBigUint64(at, BigInt(value), little)
      break
    case 'SV':
      view.setBigInt64(at, BigInt(value), little)
      break
    case 'AT':
      view.setUint16(at, value >>> 16, little)
      view.setUint16(at + 2, value & 0xffff, little)
      break
    default:
      view.setUint8(at, value)
  }
}

export function dataset(
  elements: readonly Element[],
  as: { readonly encoding?: Encoding; readonly charset?: readonly string[] } = {},
): Dataset {
  const sorted = [...elements].sort((a, b) => a.tag - b.tag)
  return {
    kind: 'dataset',
    elements: sorted,
    encoding: as.encoding ?? EXPLICIT_LITTLE,
    charset: as.charset ?? [],
  }
}

/** The same content with every text in UTF-8, items included: for a value that the old character set cannot express. */
export function toUtf8(source: Dataset): Dataset {
  return moved(source, true)
}

function moved(source: Dataset, root: boolean): Dataset {
  const target: Dataset = { kind: 'dataset', elements: [], encoding: source.encoding, charset: [UTF8] }
  const elements: Element[] = []
  for (const element of source.elements) {
    if (element.tag === SPECIFIC_CHARACTER_SET) continue
    const { value } = element
    if (value.kind === 'items') {
      elements.push(
        sequence(
          element.tag,
          value.items.map((item) => moved(item, false)),
        ),
      )
    } else if (value.kind === 'bytes' && usesCharset(element.vr)) {
      const { text } = decodeText(value.bytes, source.charset, element.vr)
      elements.push(make(target, element.tag, element.vr, text))
    } else {
      elements.push(element)
    }
  }
  if (root) elements.push(make(target, SPECIFIC_CHARACTER_SET, 'CS', UTF8))
  elements.sort((a, b) => a.tag - b.tag)
  return { ...target, elements }
}

export type NewFile = {
  readonly dataset: Dataset
  readonly transferSyntax: Uid
  readonly preamble?: Uint8Array
}

/** A Part 10 file around a data set: a preamble of zeros unless one is given, and group 0002 of our own making. */
export function newFile(from: NewFile): DicomFile {
  const owner = dataset([])
  const sopClass = string(from.dataset, SOP_CLASS_UID) ?? ''
  const sopInstance = string(from.dataset, SOP_INSTANCE_UID) ?? ''
  const rest = [
    make(owner, tag(0x00020001), 'OB', new Uint8Array([0, 1])),
    make(owner, tag(0x00020002), 'UI', sopClass),
    make(owner, tag(0x00020003), 'UI', sopInstance),
    make(owner, tag(0x00020010), 'UI', from.transferSyntax),
    make(owner, tag(0x00020012), 'UI', IMPLEMENTATION_CLASS_UID),
    make(owner, tag(0x00020013), 'SH', IMPLEMENTATION_VERSION_NAME),
  ]
  const file: DicomFile = {
    preamble: undefined,
    meta: undefined,
    transferSyntax: '1.2.840.10008.1.2.1' as Uid,
    dataset: dataset(rest),
    trailing: undefined,
    warnings: [],
  }
  const length = concat([...writeFile(file)]).length
  const meta = dataset([make(owner, tag(0x00020000), 'UL', [length]), ...rest])
  return {
    preamble: from.preamble ?? new Uint8Array(128),
    meta,
    transferSyntax: from.transferSyntax,
    dataset: inEncodingOf(from.dataset, from.transferSyntax),
    trailing: undefined,
    warnings: [],
  }
}

/** A data set keeps its own encoding; the writer converts. Only pixel data cannot change between syntaxes. */
function inEncodingOf(source: Dataset, syntaxUid: Uid): Dataset {
  const syntax = transferSyntax(syntaxUid)
  if (!syntax)
    throw new DicomError(
      'UNSUPPORTED_TRANSFER_SYNTAX',
      'a transfer syntax that the standard does not register',
    )
  const pixels = find(source, tag(0x7fe00010))
  if (pixels && syntax.encapsulated !== (pixels.value.kind === 'fragments')) {
    throw new DicomError('BAD_VALUE', 'pixel data in a form that the transfer syntax forbids', {
      tag: pixels.tag,
    })
  }
  return source
}
