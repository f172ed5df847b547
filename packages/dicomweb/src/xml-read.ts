// The Native DICOM Model read (PS3.19 A.1.5): text ─parseXml→ elements ─fromXml→ JsonDataset
//
// What comes out has the types that F.2.3 gives each VR, so that `fromJson` reads it. A private element that names its
// creator gets the creator's block, and the creator its element where there is none.

import {
  decimalToJson,
  hex8, isPrivate, type JsonDataset, type JsonElement, type JsonPersonName, type JsonValue, type Tag, tag,VRS,
  type Vr, 
} from '@roentgate/dicom' // biome-ignore format: one list
import { WebError } from './errors.ts'
import {
  blockOf,
  creatorTag,
  HEX8,
  NAME_COMPONENTS,
  NAME_GROUPS,
  privateBlocks,
  withBlock,
} from './xml-model.ts'
import { parseXml, type XmlElement, type XmlLimits } from './xml-tree.ts'

const BINARY: ReadonlySet<Vr> = new Set<Vr>(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN'])
const VR_NAMES: ReadonlySet<string> = new Set(VRS)
/** Values that `number` leaves out, in one document: LIMIT_XML. `number="1000000000"` is not to cost anything. */
const MAX_GAPS = 100_000

type Budget = { gaps: number }

/** @throws WebError BAD_XML where it is not XML or not the model; LIMIT_XML. */
export function fromXml(text: string, limits: Partial<XmlLimits> = {}): JsonDataset {
  const root = parseXml(text, limits)
  if (root.name !== 'NativeDicomModel') throw bad('another root than NativeDicomModel', root)
  return datasetOf(root, { gaps: MAX_GAPS })
}

function datasetOf(parent: XmlElement, budget: Budget): JsonDataset {
  noText(parent)
  const members = new Map<string, JsonElement>()
  const owned: Owned[] = []
  for (const each of parent.children) {
    if (each.name !== 'DicomAttribute') throw bad('another element than DicomAttribute', each)
    const t = tagOf(each)
    const creator = each.attributes.get('privateCreator')?.trim()
    const element = elementOf(each, budget)
    if (creator === undefined) add(members, t, { element, from: each })
    else {
      if (creator === '' || !isPrivate(t)) throw bad('a private creator that is none', each)
      owned.push({ t, creator, element, from: each })
    }
  }
  // Those that keep their block come first, so that no other is given it.
  owned.sort((a, b) => Number(blockOf(a.t) === 0) - Number(blockOf(b.t) === 0))
  const blocks = privateBlocks(members)
  for (const { t, creator, element, from } of owned) {
    const block = blocks.blockFor(t, creator)
    if (block === undefined) throw bad('a private creator that does not own the block', from)
    const owner = hex8(creatorTag(t, block))
    if (!members.has(owner)) members.set(owner, { vr: 'LO', Value: [creator] })
    add(members, withBlock(t, block), { element, from })
  }
  return Object.fromEntries([...members].sort(([a], [b]) => (a < b ? -1 : 1)))
}

type New = { readonly element: JsonElement; readonly from: XmlElement }
type Owned = New & { readonly t: Tag; readonly creator: string }

function add(members: Map<string, JsonElement>, t: Tag, { element, from }: New): void {
  const key = hex8(t)
  if (members.has(key)) throw bad('the same attribute twice', from)
  members.set(key, element)
}

function tagOf(from: XmlElement): Tag {
  const text = from.attributes.get('tag') ?? ''
  if (!HEX8.test(text)) throw bad('a tag that is none', from)
  return tag(Number.parseInt(text, 16))
}

function isVr(text: string): text is Vr {
  return VR_NAMES.has(text)
}

// ---- values

function elementOf(from: XmlElement, budget: Budget): JsonElement {
  noText(from)
  const vr = from.attributes.get('vr') ?? ''
  if (!isVr(vr)) throw bad('a VR that is none', from)
  const [first, ...more] = from.children
  if (first === undefined) return { vr }
  if (first.name === 'BulkData' || first.name === 'InlineBinary') {
    if (more.length > 0) throw bad('more than one value', from)
    return first.name === 'BulkData' ? bulkOf(first, vr) : inlineOf(first, vr)
  }
  if (BINARY.has(vr)) throw bad(`another value than ${vr} takes`, first)
  const name = vr === 'SQ' ? 'Item' : vr === 'PN' ? 'PersonName' : 'Value'
  if (from.children.some((each) => each.name !== name)) throw bad(`another value than ${vr} takes`, first)
  if (vr === 'SQ') return { vr, Value: numbered(from, budget, {}).map((item) => itemOf(item, budget)) }
  const values = numbered(from, budget, null).map((each) => (isElement(each) ? jsonValue(each, vr) : null))
  return values.length < 2 && values.every((each) => each === null) ? { vr } : { vr, Value: values }
}

function isElement(value: XmlElement | null | object): value is XmlElement {
  return value !== null && 'children' in value
}

function itemOf(item: XmlElement | object, budget: Budget): JsonDataset {
  return isElement(item) ? datasetOf(item, budget) : {}
}

/** By `number`, from 1; what it leaves out is empty. */
function numbered<E>(from: XmlElement, budget: Budget, empty: E): readonly (XmlElement | E)[] {
  const byNumber = new Map<number, XmlElement>()
  let last = 0
  from.children.forEach((child, at) => {
    const text = child.attributes.get('number') ?? String(at + 1)
    const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : 0
    if (number === 0 || byNumber.has(number)) throw bad('a number that is none, or comes twice', child)
    byNumber.set(number, child)
    last = Math.max(last, number)
  })
  budget.gaps -= last - byNumber.size
  if (budget.gaps < 0)
    throw new WebError('LIMIT_XML', 'more values left out than allowed', { position: from.at })
  return Array.from({ length: last }, (_, at) => byNumber.get(at + 1) ?? empty)
}

function jsonValue(from: XmlElement, vr: Vr): JsonValue {
  if (vr === 'PN') return nameOf(from)
  noChildren(from)
  const { text } = from
  const trimmed = text.trim()
  switch (vr) {
    case 'DS':
    case 'IS':
      return decimalToJson(trimmed)
    case 'SV':
    case 'UV':
      if (trimmed === '') return null
      if (!/^[+-]?[0-9]{1,20}$/.test(trimmed)) throw bad('a value that is no integer', from)
      return Number.isSafeInteger(Number(trimmed)) ? Number(trimmed) : trimmed
    case 'FL':
    case 'FD':
    case 'SL':
    case 'SS':
    case 'UL':
    case 'US':
      return trimmed === '' ? null : numberOf(from, trimmed)
    case 'AT':
    case 'UI':
      return trimmed === '' ? null : trimmed
    default:
      return text === '' ? null : text
  }
}

const NO_DECIMALS: ReadonlyMap<string, string> = new Map([
  ['NaN', 'NaN'],
  ['inf', 'inf'],
  ['-inf', '-inf'],
  ['INF', 'inf'],
  ['-INF', '-inf'],
  ['Infinity', 'inf'],
  ['-Infinity', '-inf'],
])

function numberOf(from: XmlElement, text: string): number | string {
  const special = NO_DECIMALS.get(text)
  if (special !== undefined) return special
  const number = /^[+-]?[0-9.]{1,400}(?:[Ee][+-]?[0-9]{1,3})?$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isFinite(number)) throw bad('a value that is no number', from)
  return number
}

function inlineOf(from: XmlElement, vr: Vr): JsonElement {
  noChildren(from)
  if (!BINARY.has(vr)) throw bad(`another value than ${vr} takes`, from)
  const base64 = from.text.replaceAll(/[\t\n ]/g, '')
  return base64 === '' ? { vr } : { vr, InlineBinary: base64 }
}

function bulkOf(from: XmlElement, vr: Vr): JsonElement {
  noChildren(from)
  const uri = from.attributes.get('uri')
  const uuid = from.attributes.get('uuid')
  if (vr === 'SQ' || (uri === undefined) === (uuid === undefined))
    throw bad('bulk data that are nowhere', from)
  return { vr, BulkDataURI: uri ?? `urn:uuid:${uuid}` }
}

/** A.1.5 had SingleByte for Alphabetic once. */
function nameOf(from: XmlElement): JsonPersonName | null {
  noText(from)
  const name = new Map<(typeof NAME_GROUPS)[number], string>()
  for (const child of from.children) {
    const group = NAME_GROUPS.find(
      (each) => each === (child.name === 'SingleByte' ? 'Alphabetic' : child.name),
    )
    if (group === undefined || name.has(group))
      throw bad('a group of a name that is none, or comes twice', child)
    name.set(group, componentsOf(child))
  }
  const groups = [...name].filter(([, text]) => text !== '')
  return groups.length === 0 ? null : Object.fromEntries(groups)
}

function componentsOf(from: XmlElement): string {
  noText(from)
  const parts: string[] = []
  for (const child of from.children) {
    noChildren(child)
    const at = NAME_COMPONENTS.indexOf(child.name)
    const isLast = at === NAME_COMPONENTS.length - 1
    if (at === -1 || parts[at] !== undefined || (child.text.includes('^') && !isLast))
      throw bad('a component of a name that is none, or comes twice', child)
    parts[at] = child.text
  }
  return Array.from(parts, (part) => part ?? '').join('^')
}

function noText(from: XmlElement): void {
  if (/[^\t\n ]/.test(from.text)) throw bad('text where elements must stand', from)
}

function noChildren(from: XmlElement): void {
  if (from.children.length > 0) throw bad('elements where text must stand', from)
}

function bad(what: string, { at }: XmlElement): WebError {
  return new WebError('BAD_XML', `${what}: character`, { position: at })
}
