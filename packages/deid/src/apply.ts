// Plan → data set′: executes what plan decided and decides nothing itself, but where a value turns out to be none
// (a date that does not parse, a text that does not decode): then it is emptied, never passed on.

import type { Dataset, Element, Tag, Vr } from '@roentgate/dicom'
import {
  decodeText,
  find,
  isSingleValued,
  isWellKnown,
  lookup,
  make,
  dataset as newDataset,
  sequence,
  string,
  strings,
  Tags,
  usesCharset,
} from '@roentgate/dicom'
import { capAge } from './ages.ts'
import { shiftDa, shiftDt, yearOnlyDa, yearOnlyDt } from './dates.ts'
import { isClassAttribute } from './decide.ts'
import type { PseudonymDomain, Transform } from './model.ts'
import type { PlanNode } from './plan-model.ts'
import { zip3 } from './zip.ts'

/** Everything about the patient and the project that apply needs; made once per patient by the caller. */
export type Substitutes = {
  /** The patient's code: PatientID and PatientName of every output. */
  readonly patientCode: string
  readonly patientId: string
  readonly offsetDays: number
  readonly uid: (uid: string) => string
  readonly pseudonym: (domain: PseudonymDomain, value: string, maxLength: number) => string
  /** The text without identifiers, at most so long. */
  readonly cleanText: (text: string, maxLength: number) => string
}

export const REMOVED = 'REMOVED'
const DUMMY_SCHEME = '99ROENTGATE'

/** PS3.5 Table 6.2-1. */
const MAX_LENGTH: Readonly<Partial<Record<Vr, number>>> = {
  SH: 16,
  LO: 64,
  PN: 64,
  CS: 16,
  AE: 16,
  ST: 1024,
  LT: 10240,
}

export function applyPlan(source: Dataset, nodes: readonly PlanNode[], using: Substitutes): Dataset {
  return rebuild(source, nodes, { using, dummy: false })
}

type Mode = { readonly using: Substitutes; readonly dummy: boolean }

function rebuild(source: Dataset, nodes: readonly PlanNode[], mode: Mode): Dataset {
  const elements: Element[] = []
  for (const node of nodes) {
    const made = one(source, node, mode)
    if (made) elements.push(made)
  }
  elements.sort((a, b) => a.tag - b.tag)
  return { kind: 'dataset', elements, encoding: source.encoding, charset: source.charset }
}

function one(source: Dataset, node: PlanNode, mode: Mode): Element | undefined {
  const { element, decision } = node
  switch (decision.action) {
    case 'X':
      return undefined
    case 'Z':
      return emptied(source, node, mode.using)
    case 'D':
      return dummied(source, node, mode)
    case 'K':
    case 'C':
    case 'U':
      if (node.items) return withItems(node, mode)
      // A sequence's tag over bytes that no reader could open holds nobody knows what.
      if (
        lookup(element.tag)?.vr === 'SQ' &&
        element.value.kind === 'bytes' &&
        element.value.bytes.length > 0
      )
        return sequence(element.tag, [])
      if (mode.dummy && isDummyable(element)) return dummyOf(source, element)
      if (decision.action === 'U') return mapped(source, element, mode.using)
      return decision.transform
        ? transformed(source, element, { transform: decision.transform, using: mode.using })
        : element
    default:
      return decision.action satisfies never
  }
}

function withItems(node: PlanNode, mode: Mode): Element {
  const { element } = node
  if (element.value.kind !== 'items') return element
  const items: Dataset[] = []
  element.value.items.forEach((item, index) => {
    const plan = node.items?.[index]
    if (plan) items.push(rebuild(item, plan, mode))
  })
  return sequence(element.tag, items)
}

function emptied(source: Dataset, { element, decision }: PlanNode, using: Substitutes): Element {
  const { transform } = decision
  if (element.vr === 'SQ' || element.value.kind === 'items') return sequence(element.tag, [])
  if (
    transform &&
    (element.tag === Tags.PatientName || !isEmpty(element) || element.tag === Tags.PatientID)
  ) {
    return transformed(source, element, { transform, using })
  }
  return make(
    source,
    element.tag,
    element.vr === 'UN' ? (lookup(element.tag)?.vr ?? 'UN') : element.vr,
    new Uint8Array(0),
  )
}

function isEmpty(element: Element): boolean {
  return element.value.kind === 'bytes' && element.value.bytes.length === 0
}

function dummied(source: Dataset, node: PlanNode, mode: Mode): Element {
  const { element, decision } = node
  if (decision.transform)
    return transformed(source, element, { transform: decision.transform, using: mode.using })
  if (element.tag === Tags.ContentSequence) return sequence(element.tag, [dummyContent(source)])
  if (isCode(element)) return sequence(element.tag, [dummyCode(source)])
  if (node.items) return withItems(node, { ...mode, dummy: true })
  return dummyOf(source, element)
}

function isCode(element: Element): boolean {
  return (lookup(element.tag)?.keyword ?? '').endsWith('CodeSequence')
}

/** In a sequence that is replaced as a whole, what says something is replaced and what gives it form is kept. */
function isDummyable(element: Element): boolean {
  if (isEmpty(element) || element.value.kind !== 'bytes') return false
  return usesCharset(element.vr) || element.vr === 'UN' || element.vr === 'OB' || element.vr === 'UR'
}

function dummyOf(source: Dataset, element: Element): Element {
  const vr = element.vr === 'UN' ? (lookup(element.tag)?.vr ?? 'UN') : element.vr
  const fixed = DUMMIES[vr]
  if (fixed !== undefined) return make(source, element.tag, vr, fixed)
  if (vr === 'UI') return make(source, element.tag, vr, '2.25.0')
  const length = element.value.kind === 'bytes' ? Math.max(2, Math.min(element.value.bytes.length, 1024)) : 2
  return make(source, element.tag, vr, new Uint8Array(length + (length % 2)))
}

/** One value a VR that says nothing about anybody. */
const DUMMIES: Readonly<Partial<Record<Vr, string>>> = {
  AE: REMOVED, AS: '000D', CS: REMOVED, DA: '19000101', DS: '0', DT: '19000101000000', IS: '0', LO: REMOVED, LT: REMOVED,
  PN: REMOVED, SH: REMOVED, ST: REMOVED, TM: '000000', UC: REMOVED, UR: 'urn:removed', UT: REMOVED,
} // biome-ignore format: one table

function dummyCode(owner: Dataset, meaning = REMOVED): Dataset {
  const at = { encoding: owner.encoding, charset: owner.charset }
  const base = newDataset([], at)
  return newDataset(
    [
      make(base, Tags.CodeValue, 'SH', REMOVED),
      make(base, Tags.CodingSchemeDesignator, 'SH', DUMMY_SCHEME),
      make(base, Tags.CodeMeaning, 'LO', meaning),
    ],
    at,
  )
}

/** PS3.3 C.17.3: the least that a document may contain. */
function dummyContent(owner: Dataset): Dataset {
  const at = { encoding: owner.encoding, charset: owner.charset }
  const base = newDataset([], at)
  return newDataset(
    [
      make(base, Tags.RelationshipType, 'CS', 'CONTAINS'),
      make(base, Tags.ValueType, 'CS', 'TEXT'),
      sequence(Tags.ConceptNameCodeSequence, [dummyCode(owner)]),
      make(base, Tags.TextValue, 'UT', REMOVED),
    ],
    at,
  )
}

function mapped(source: Dataset, element: Element, using: Substitutes): Element {
  if (isEmpty(element) || element.value.kind !== 'bytes' || isClassAttribute(element.tag)) return element
  const vr: Vr = element.vr === 'UN' ? 'UI' : element.vr
  const values = strings(source, { ...element, vr, value: element.value }).map((value) =>
    value === '' || isWellKnown(value) ? value : using.uid(value),
  )
  return make(source, element.tag, vr, values)
}

type Change = { readonly transform: Transform; readonly using: Substitutes }

function transformed(source: Dataset, element: Element, { transform, using }: Change): Element {
  const vr = element.vr === 'UN' ? (lookup(element.tag)?.vr ?? 'UN') : element.vr
  const as: Element = { tag: element.tag, vr, value: element.value }
  switch (transform.kind) {
    case 'dummy':
      return dummyOf(source, element)
    case 'constant':
      return make(source, element.tag, vr, transform.value)
    case 'pseudonym':
      return pseudonym(source, as, { domain: transform.domain, using })
    case 'shift-date':
      return dates(source, as, (value) =>
        vr === 'DT' ? shiftDt(value, using.offsetDays) : shiftDa(value, using.offsetDays),
      )
    case 'year-only':
      return dates(source, as, (value) => (vr === 'DT' ? yearOnlyDt(value) : yearOnlyDa(value)))
    case 'cap-age':
      return each(source, as, (value) => capAge(value) ?? '')
    case 'zip3':
      return each(source, as, (value) => zip3(value) ?? '')
    case 'clean-text':
      return cleaned(source, element, using)
    default:
      return transform satisfies never
  }
}

function each(source: Dataset, element: Element, change: (value: string) => string): Element {
  return make(
    source,
    element.tag,
    element.vr,
    strings(source, element).map((value) => (value === '' ? '' : change(value))),
  )
}

/** TM stays: whole days leave the time of day alone. */
function dates(source: Dataset, element: Element, change: (value: string) => string | undefined): Element {
  if (element.vr === 'TM') return element
  return each(source, element, (value) => change(value) ?? '')
}

function pseudonym(
  source: Dataset,
  element: Element,
  by: { readonly domain: PseudonymDomain; readonly using: Substitutes },
): Element {
  const value = strings(source, element)[0] ?? ''
  const { using, domain } = by
  const maxLength = MAX_LENGTH[element.vr] ?? 64
  if (domain === 'patient-id') {
    const other = element.tag === Tags.PatientID && value !== '' && value !== using.patientId
    return make(
      source,
      element.tag,
      element.vr,
      other ? using.pseudonym('patient-id', value, maxLength) : using.patientCode,
    )
  }
  if (domain === 'uid') return mapped(source, element, using)
  return make(source, element.tag, element.vr, value === '' ? '' : using.pseudonym(domain, value, maxLength))
}

function cleaned(source: Dataset, element: Element, using: Substitutes): Element {
  if (element.value.kind !== 'bytes' || element.value.bytes.length === 0) return element
  // Bytes of unknown meaning under a public tag cannot be read, so they cannot be cleaned.
  const vr = element.vr === 'UN' ? (lookup(element.tag)?.vr ?? 'UN') : element.vr
  if (vr === 'UN') return make(source, element.tag, vr, new Uint8Array(0))
  const { text, clean } = usesCharset(vr)
    ? decodeText(element.value.bytes, source.charset, vr)
    : { text: strings(source, { ...element, vr, value: element.value }).join('\\'), clean: true }
  if (!clean) return make(source, element.tag, vr, '')
  const maxLength = MAX_LENGTH[vr] ?? Number.POSITIVE_INFINITY
  const parts = isSingleValued(vr) ? [text] : strings(source, { ...element, vr, value: element.value })
  const kept = parts.map((part) => using.cleanText(part, maxLength))
  const unchanged = kept.every((part, index) => part === parts[index])
  return unchanged && vr === element.vr ? element : make(source, element.tag, vr, kept)
}

/** Root attributes by which an output is named. */
export function outputNames(dataset: Dataset): {
  readonly study: string
  readonly series: string
  readonly instance: string
} {
  const value = (t: Tag): string => (find(dataset, t) ? (string(dataset, t) ?? '') : '')
  return {
    study: value(Tags.StudyInstanceUID),
    series: value(Tags.SeriesInstanceUID),
    instance: value(Tags.SOPInstanceUID),
  }
}
