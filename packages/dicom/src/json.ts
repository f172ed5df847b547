// The DICOM JSON model, both ways (PS3.18 Annex F).
//
//   Dataset ─toJson→ { "00100010": { vr: "PN", Value: [{ Alphabetic: "…" }] }, … } ─jsonText→ text
//           ←fromJson─
//
// All text is Unicode, so (0008,0005) is ISO_IR 192 on either side. Binary values are little endian (F.2.7), inline or
// behind a URI that the caller makes and resolves. Group 0002, group lengths and items' own character sets have no place.

import { DicomError } from './errors.ts'
import { DEFAULT_LIMITS } from './limits.ts'
import { dataset, make, sequence, UTF8 } from './make.ts'
import type { Dataset, Element, Tag, Vr } from './model.ts'
import { elementOf, groupOf, hex8, tag, VRS } from './model.ts'
import { numbers, strings } from './values.ts'
import { isSingleValued, isText, numberWidth } from './vr.ts'
import { swapped } from './write.ts'

export type JsonPersonName = {
  readonly Alphabetic?: string
  readonly Ideographic?: string
  readonly Phonetic?: string
}
export type JsonValue = string | number | null | JsonPersonName | JsonDataset
/** At most one of the three; none of them is an empty value (F.2.5). */
export type JsonElement = {
  readonly vr: Vr
  readonly Value?: readonly JsonValue[]
  readonly InlineBinary?: string
  readonly BulkDataURI?: string
}
export type JsonDataset = { readonly [hex8: string]: JsonElement }

export type ToJsonOptions = {
  /** Where a binary value will be found; undefined: it goes inline. `path` is `00081140/0/7FE00010`. */
  readonly bulkDataUri?: (element: Element, path: string) => string | undefined
}
export type FromJsonOptions = {
  /** The bytes behind a URI, little endian; undefined: there are none. */
  readonly bulkData?: (uri: string, vr: Vr) => Uint8Array | undefined
}

const SPECIFIC_CHARACTER_SET = tag(0x00080005)
const BINARY: ReadonlySet<string> = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN'])
const VR_NAMES: ReadonlySet<string> = new Set(VRS)

function isModelled(t: Tag): boolean {
  const group = groupOf(t)
  return group !== 0 && group !== 0x0002 && elementOf(t) !== 0 && t !== SPECIFIC_CHARACTER_SET
}

// ---- to JSON

/**
 * A data set as a DICOM JSON Model Object.
 * @throws DicomError BAD_VALUE where encapsulated pixel data gets no URI: it has no inline form.
 */
export function toJson(source: Dataset, options: ToJsonOptions = {}): JsonDataset {
  const rest = entries(source, options, '')
  const charset: readonly [string, JsonElement] = [hex8(SPECIFIC_CHARACTER_SET), { vr: 'CS', Value: [UTF8] }]
  return Object.fromEntries([charset, ...rest])
}

function entries(source: Dataset, options: ToJsonOptions, path: string): (readonly [string, JsonElement])[] {
  return source.elements
    .filter((element) => isModelled(element.tag))
    .map((element) => {
      const key = hex8(element.tag)
      return [key, elementToJson({ owner: source, element, path: `${path}${key}` }, options)] as const
    })
}

type Place = { readonly owner: Dataset; readonly element: Element; readonly path: string }

function elementToJson(place: Place, options: ToJsonOptions): JsonElement {
  const { owner, element, path } = place
  const { vr, value } = element
  if (value.kind === 'items') {
    const items = value.items.map((item, at) => Object.fromEntries(entries(item, options, `${path}/${at}/`)))
    return items.length === 0 ? { vr: 'SQ' } : { vr: 'SQ', Value: items }
  }
  if (value.kind !== 'bytes' || BINARY.has(vr)) return binaryToJson(place, options)
  const values = vr === 'SQ' ? [] : valuesToJson(owner, element)
  return values.every((each) => each === null) && values.length < 2 ? { vr } : { vr, Value: values }
}

function binaryToJson({ owner, element, path }: Place, options: ToJsonOptions): JsonElement {
  const { vr, value } = element
  if (value.kind === 'bytes' && value.bytes.length === 0) return { vr }
  const uri = options.bulkDataUri?.(element, path)
  if (uri !== undefined) return { vr, BulkDataURI: uri }
  const bytes =
    value.kind === 'bulk' ? value.source.read(value.span.offset, value.span.length) : bytesOf(element)
  const width = owner.encoding.bigEndian ? numberWidth(vr) : 1
  return { vr, InlineBinary: base64(width === 1 ? bytes : swapped(bytes, width)) }
}

function bytesOf({ tag: t, value }: Element): Uint8Array {
  if (value.kind === 'bytes') return value.bytes
  throw new DicomError('BAD_VALUE', 'encapsulated pixel data has no inline form in JSON', { tag: t })
}

/** F.2.3: the JSON type of each VR; null is an empty value among several. */
function valuesToJson(owner: Dataset, element: Element): readonly JsonValue[] {
  switch (element.vr) {
    case 'PN':
      return strings(owner, element).map(nameToJson)
    case 'DS':
    case 'IS':
      return strings(owner, element).map(decimalToJson)
    case 'SV':
    case 'UV':
      return longsOf(owner, element).map((long) => {
        const double = Number(long)
        return Number.isSafeInteger(double) ? double : String(long)
      })
    case 'AT':
      return numbers(owner, element).map((value) => hex8(tag(value)))
    default:
      if (!isText(element.vr)) return numbers(owner, element).map(floatToJson)
      return strings(owner, element).map((value) => (value === '' ? null : value))
  }
}

/** What comes after a third group is no name (PS3.5 6.2.1); it stays with the third rather than being lost. */
function nameToJson(value: string): JsonPersonName | null {
  const [alphabetic = '', ideographic = '', ...rest] = value.split('=')
  const phonetic = rest.join('=')
  const name = {
    ...(alphabetic && { Alphabetic: alphabetic }),
    ...(ideographic && { Ideographic: ideographic }),
    ...(phonetic && { Phonetic: phonetic }),
  }
  return Object.keys(name).length === 0 ? null : name
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[Ee][+-]?\d+)?$/
/** More digits than this may not survive a double. */
const SAFE_DIGITS = 15

/** A number where a double holds all its digits; else the text, which F.2.3 allows. */
export function decimalToJson(value: string): JsonValue {
  if (value === '') return null
  const digits = value.replace(/[Ee].*$/, '').replaceAll(/\D/g, '')
  const double = Number(value)
  const exact =
    digits.length <= SAFE_DIGITS && Number.isFinite(double) && (double !== 0 || /^0*$/.test(digits))
  // `+ 0`: JSON.stringify knows no -0.
  return DECIMAL.test(value) && exact ? double + 0 : value
}

/** JSON has no such numbers; F.2.3 writes them as strings. */
function floatToJson(value: number): JsonValue {
  if (Number.isNaN(value)) return 'NaN'
  if (Number.isFinite(value)) return value
  return value > 0 ? 'inf' : '-inf'
}

function longsOf(owner: Dataset, { vr, value }: Element): readonly bigint[] {
  if (value.kind !== 'bytes') return []
  const { bytes } = value
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const little = !owner.encoding.bigEndian
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, at) =>
    vr === 'SV' ? view.getBigInt64(at * 8, little) : view.getBigUint64(at * 8, little),
  )
}

/** Divisible by three, so that the pieces join without padding; small enough for one call's arguments. */
const PIECE = 24 * 1024

function base64(bytes: Uint8Array): string {
  let out = ''
  for (let at = 0; at < bytes.length; at += PIECE)
    out += btoa(String.fromCharCode(...bytes.subarray(at, at + PIECE)))
  return out
}

/** As text, in the order of tags (F.2.2); JSON.stringify puts keys that look like array indices, `20100010`, first. */
export function jsonText(source: JsonDataset): string {
  const members = Object.keys(source)
    .sort()
    .map((key) => {
      const element = source[key]
      if (element?.vr !== 'SQ' || !element.Value) return `"${key}":${JSON.stringify(element)}`
      const items = element.Value.map((item) => jsonText(item as JsonDataset))
      return `"${key}":{"vr":"SQ","Value":[${items.join(',')}]}`
    })
  return `{${members.join(',')}}`
}

// ---- from JSON

/**
 * The data set that a DICOM JSON Model Object describes, in explicit little endian and UTF-8.
 * @throws DicomError BAD_JSON where it is none; LIMIT_DEPTH.
 */
export function fromJson(json: unknown, options: FromJsonOptions = {}): Dataset {
  const content = elementsFrom(json, options, 0)
  return utf8([...content, make(utf8([]), SPECIFIC_CHARACTER_SET, 'CS', UTF8)])
}

function utf8(elements: readonly Element[]): Dataset {
  return dataset(elements, { charset: [UTF8] })
}

function elementsFrom(json: unknown, options: FromJsonOptions, depth: number): readonly Element[] {
  if (depth > DEFAULT_LIMITS.depth) throw new DicomError('LIMIT_DEPTH', 'sequences nested too deep in JSON')
  if (!isObject(json)) throw new DicomError('BAD_JSON', 'no object where a data set must stand')
  const seen = new Set<Tag>()
  const elements: Element[] = []
  for (const [key, value] of Object.entries(json)) {
    if (!/^[0-9A-Fa-f]{8}$/.test(key)) throw new DicomError('BAD_JSON', 'a member whose name is no tag')
    const t = tag(Number.parseInt(key, 16))
    if (seen.has(t)) throw bad(t, 'the same tag twice')
    if (groupOf(t) === 0xfffe) throw bad(t, 'a delimiter where an attribute must stand')
    seen.add(t)
    if (isModelled(t)) elements.push(elementFrom(t, value, { options, depth }))
  }
  return elements
}

type Context = { readonly options: FromJsonOptions; readonly depth: number }

function elementFrom(t: Tag, json: unknown, { options, depth }: Context): Element {
  if (!isObject(json)) throw bad(t, 'no object where an attribute must stand')
  const { vr, Value: value, InlineBinary: inline, BulkDataURI: uri } = json
  if (!isVr(vr)) throw bad(t, 'no VR')
  if ([value, inline, uri].filter((each) => each !== undefined).length > 1)
    throw bad(t, 'more than one value')
  if (inline !== undefined) return make(utf8([]), t, vr, fromBase64({ tag: t, vr }, inline))
  if (uri !== undefined) return make(utf8([]), t, vr, behind({ tag: t, vr }, uri, options))
  if (value !== undefined && !Array.isArray(value)) throw bad(t, 'a Value that is no array')
  const values: readonly unknown[] = value ?? []
  if (vr === 'SQ')
    return sequence(
      t,
      values.map((item) => utf8(elementsFrom(item ?? {}, options, depth + 1))),
    )
  return ofValues({ tag: t, vr }, values)
}

type At = { readonly tag: Tag; readonly vr: Vr }

function ofValues({ tag: t, vr }: At, values: readonly unknown[]): Element {
  if (BINARY.has(vr) && values.length > 0) throw bad(t, `a Value where ${vr} takes InlineBinary`)
  if (isSingleValued(vr) && values.length > 1) throw bad(t, `several values where ${vr} takes one`)
  try {
    if (isText(vr))
      return make(
        utf8([]),
        t,
        vr,
        values.map((value) => textFrom({ tag: t, vr }, value)),
      )
    if (vr === 'SV' || vr === 'UV') return make(utf8([]), t, vr, longsFrom({ tag: t, vr }, values))
    return make(
      utf8([]),
      t,
      vr,
      values.map((value) => numberFrom({ tag: t, vr }, value)),
    )
  } catch (cause) {
    if (cause instanceof DicomError && cause.code !== 'BAD_JSON')
      throw bad(t, `a value that ${vr} forbids`, cause)
    throw cause
  }
}

function textFrom({ tag: t, vr }: At, value: unknown): string {
  if (value === null) return ''
  const text =
    vr === 'PN' ? nameFrom(t, value) : typeof value === 'number' ? decimalFrom({ tag: t, vr }, value) : value
  if (typeof text !== 'string') throw bad(t, `a type that ${vr} does not take`)
  // In these it would be read as one value more.
  if (!isSingleValued(vr) && text.includes('\\')) throw bad(t, 'a backslash inside a value')
  return text
}

function nameFrom(t: Tag, value: unknown): string {
  if (!isObject(value)) throw bad(t, 'a name that is no object')
  const groups = [value.Alphabetic ?? '', value.Ideographic ?? '', value.Phonetic ?? '']
  const texts = groups.map((group) => {
    if (typeof group !== 'string') throw bad(t, 'a component group that is no text')
    return group
  })
  if (texts.slice(0, 2).some((group) => group.includes('=')))
    throw bad(t, 'a component group with a delimiter in it')
  return texts.join('=').replace(/=+$/, '')
}

/** PS3.5 6.2: a DS has 16 bytes at most, so digits go until it fits. */
const DS_BYTES = 16

function decimalFrom({ tag: t, vr }: At, value: number): string {
  if (vr === 'IS' && Number.isSafeInteger(value)) return String(value)
  if (vr !== 'DS' || !Number.isFinite(value)) throw bad(t, `a number that ${vr} does not take`)
  for (let precision = 17; precision > 1; precision -= 1) {
    const text = String(Number(value.toPrecision(precision)))
    if (text.length <= DS_BYTES) return text
  }
  return value.toExponential(0)
}

const FLOATS: ReadonlyMap<unknown, number> = new Map([
  ['NaN', Number.NaN],
  ['inf', Number.POSITIVE_INFINITY],
  ['-inf', Number.NEGATIVE_INFINITY],
])

function numberFrom({ tag: t, vr }: At, value: unknown): number {
  if (vr === 'AT') {
    if (typeof value === 'string' && /^[0-9A-Fa-f]{8}$/.test(value)) return Number.parseInt(value, 16)
    throw bad(t, 'a value that is no tag')
  }
  const number = vr === 'FL' || vr === 'FD' ? (FLOATS.get(value) ?? value) : value
  if (typeof number !== 'number') throw bad(t, `a type that ${vr} does not take`)
  // Written as 32 bits it would silently become infinite.
  if (vr === 'FL' && Number.isFinite(number) && !Number.isFinite(Math.fround(number)))
    throw bad(t, 'too large for FL')
  return number
}

function longsFrom({ tag: t, vr }: At, values: readonly unknown[]): Uint8Array {
  const out = new Uint8Array(values.length * 8)
  const view = new DataView(out.buffer)
  values.forEach((value, at) => {
    const long = longFrom(value)
    if (long === undefined || long !== (vr === 'SV' ? BigInt.asIntN(64, long) : BigInt.asUintN(64, long))) {
      throw bad(t, `a value that ${vr} does not hold`)
    }
    view.setBigUint64(at * 8, BigInt.asUintN(64, long), true)
  })
  return out
}

/** 64 bits are 20 digits; a text of a million would take a while. */
function longFrom(value: unknown): bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : undefined
  return typeof value === 'string' && /^-?\d{1,20}$/.test(value) ? BigInt(value) : undefined
}

function fromBase64({ tag: t, vr }: At, inline: unknown): Uint8Array {
  if (!BINARY.has(vr)) throw bad(t, `InlineBinary where ${vr} takes a Value`)
  if (typeof inline !== 'string') throw bad(t, 'an InlineBinary that is no text')
  try {
    return Uint8Array.from(atob(inline), (char) => char.charCodeAt(0))
  } catch {
    throw bad(t, 'an InlineBinary that is no base64')
  }
}

function behind({ tag: t, vr }: At, uri: unknown, options: FromJsonOptions): Uint8Array {
  const bytes = typeof uri === 'string' && vr !== 'SQ' ? options.bulkData?.(uri, vr) : undefined
  if (!bytes) throw bad(t, 'a BulkDataURI that cannot be resolved')
  return bytes
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isVr(value: unknown): value is Vr {
  return typeof value === 'string' && VR_NAMES.has(value)
}

function bad(t: Tag, what: string, cause?: DicomError): DicomError {
  return new DicomError('BAD_JSON', what, { tag: t, cause })
}
