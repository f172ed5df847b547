// Annex E's tables as lookups. Same rows, same codes as the standard prints; no logic re-encodes them.

import type { Tag, Vr } from '@roentgate/dicom'
import { elementOf, groupOf, hex8, isPrivate, VRS } from '@roentgate/dicom'
import { METHODS } from './generated/cid7050.ts'
import { PROFILE, PROFILE_EDITION } from './generated/profile.ts'
import { KNOWLEDGE_BASE, SAFE } from './generated/safe-private.ts'
import { CONCEPTS, STRUCTURED_EDITION } from './generated/structured.ts'
import type { Code, Option } from './model.ts'

export { PROFILE_EDITION, STRUCTURED_EDITION }

type OptionCode = readonly [Option, 'K' | 'C']

/** One row of Table E.1-1. */
export type ProfileRow = {
  /** `00100010`, or a pattern: `50xxxxxx`, `60xx3000`, `60xx4000`, `private`. */
  readonly id: string
  readonly name: string
  readonly basic: Code
  readonly options: readonly OptionCode[]
}

/** One row of Table E.3.4-1. */
export type ConceptRow = {
  /** `DCM 121022`. */
  readonly id: string
  readonly meaning: string
  readonly valueType: string
  readonly basic: Code
  readonly options: readonly OptionCode[]
}

export type SafePrivate = {
  readonly basis: 'E.3.10-1' | 'knowledge-base'
  readonly vr: Vr
  readonly meaning: string
}

const VR_SET: ReadonlySet<string> = new Set(VRS)

const lazily: {
  profile?: ReadonlyMap<string, ProfileRow>
  concepts?: ReadonlyMap<string, readonly ConceptRow[]>
  safe?: ReadonlyMap<string, SafePrivate>
} = {}

export function profileRows(): readonly ProfileRow[] {
  return [...profile().values()]
}

/** The row of a public attribute, patterns resolved; private attributes are decided elsewhere. */
export function profileRow(t: Tag): ProfileRow | undefined {
  if (isPrivate(t)) return undefined
  const rows = profile()
  const exact = rows.get(hex8(t))
  if (exact) return exact
  const group = groupOf(t)
  if (group >= 0x5000 && group <= 0x50ff) return rows.get('50xxxxxx')
  if (group < 0x6000 || group > 0x60ff) return undefined
  if (elementOf(t) === 0x3000) return rows.get('60xx3000')
  return elementOf(t) === 0x4000 ? rows.get('60xx4000') : undefined
}

function profile(): ReadonlyMap<string, ProfileRow> {
  lazily.profile ??= new Map(
    PROFILE.split('\n').map((line) => {
      const [id = '', name = '', basic = '', options = ''] = line.split('\t')
      return [id, { id, name, basic: basic as Code, options: optionCodes(options) }]
    }),
  )
  return lazily.profile
}

function optionCodes(text: string): readonly OptionCode[] {
  return text
    .split(',')
    .filter((each) => each !== '')
    .map((each) => {
      const [option = '', code = ''] = each.split('=')
      return [option as Option, code as 'K' | 'C']
    })
}

export function conceptRows(): readonly ConceptRow[] {
  return [...concepts().values()].flat()
}

/**
 * By coding scheme designator and code value; SNOMED under any of its designators. Some concepts have a row for each
 * value type: without one, or with one that is not listed, the strictest of them all.
 */
export function conceptRow(scheme: string, code: string, valueType?: string): ConceptRow | undefined {
  const all = concepts()
  const rows = all.get(`${scheme} ${code}`) ?? (SNOMED.has(scheme) ? all.get(`SCT ${code}`) : undefined)
  return rows?.find((row) => row.valueType === valueType) ?? (rows && strictest(rows))
}

/** Removal before a dummy; an option only where every row has it. */
function strictest(rows: readonly ConceptRow[]): ConceptRow | undefined {
  const row = rows.find(({ basic }) => basic === 'X') ?? rows[0]
  if (!row || rows.length === 1) return row
  const shared = row.options.filter(([option, code]) =>
    rows.every((other) => other.options.some((each) => each[0] === option && each[1] === code)),
  )
  return { ...row, options: shared }
}

const SNOMED: ReadonlySet<string> = new Set(['SRT', 'SNM3', '99SDM', 'SCT', 'http://snomed.info/sct'])

function concepts(): ReadonlyMap<string, readonly ConceptRow[]> {
  lazily.concepts ??= Map.groupBy(CONCEPTS.split('\n').map(conceptOf), ({ id }) => id)
  return lazily.concepts
}

function conceptOf(line: string): ConceptRow {
  const [scheme = '', code = '', meaning = '', valueType = '', basic = '', options = ''] = line.split('\t')
  const id = `${scheme} ${code}`
  return { id, meaning, valueType, basic: basic as Code, options: optionCodes(options) }
}

/** Table E.3.10-1 before the wider knowledge base; by creator, group and low byte, whatever the block. */
export function safePrivate(creator: string, t: Tag): SafePrivate | undefined {
  lazily.safe ??= new Map([...safeRows(KNOWLEDGE_BASE, 'knowledge-base'), ...safeRows(SAFE, 'E.3.10-1')])
  const hex = hex8(t)
  return lazily.safe.get(`${creator.trim()}\t${hex.slice(0, 4)}${hex.slice(6)}`)
}

function safeRows(table: string, basis: SafePrivate['basis']): [string, SafePrivate][] {
  return table.split('\n').map((line) => {
    const [creator = '', place = '', vr = '', meaning = ''] = line.split('\t')
    return [`${creator}\t${place}`, { basis, vr: VR_SET.has(vr) ? (vr as Vr) : 'UN', meaning }]
  })
}

/** CID 7050: code → meaning. */
export const METHOD_CODES: ReadonlyMap<string, string> = new Map(
  METHODS.split('\n').map((line) => {
    const at = line.indexOf('\t')
    return [line.slice(0, at), line.slice(at + 1)]
  }),
)
