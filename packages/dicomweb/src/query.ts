// The parameters of a search (PS3.18 8.3.4, 10.6.1): URLSearchParams ─parseQuery→ Query
//
// Refused is what cannot be understood and looks as if it were meant: an unknown keyword, a value that its VR does not
// have, the same parameter twice. Left alone, and counted, are names that are no attributes; a search that ignores one
// says so in a Warning. No error says what stands in the query, only which parameter it is.

import type { Tag, Vr } from '@roentgate/dicom'
import { attributePath, looksLikeAttribute } from './attribute-path.ts'
import { WebError } from './errors.ts'
import { type Matching, type Test, testsOf } from './matching.ts'

export type { Test } from './matching.ts'

export type Match = {
  /** Outermost sequence first. */
  readonly path: readonly Tag[]
  /** Of the attribute at the end of the path; UN where the dictionary does not have it. */
  readonly vr: Vr
  /** One of them must hold; none of them is universal matching, which asks for the attribute in the answer. */
  readonly tests: readonly Test[]
}

export type Query = {
  readonly match: readonly Match[]
  /** Attributes to answer beyond those that always are, in the order of the query. */
  readonly include: 'all' | readonly (readonly Tag[])[]
  readonly fuzzy: boolean
  readonly emptyValueMatching: boolean
  readonly multipleValueMatching: boolean
  /** Undefined where none was asked for. Never above the bound. */
  readonly limit: number | undefined
  /** More was asked for than the bound. */
  readonly isLimitLowered: boolean
  readonly offset: number
  /** Parameters that are neither attributes nor any of the standard's. */
  readonly unknown: number
}

export type QueryLimits = {
  /** Answers of one response: `limit` is lowered to it. */
  readonly limit: number
  /** BAD_QUERY: further in nobody reads, and every step costs. */
  readonly offset: number
  readonly parameters: number
  /** Of one parameter. Servers take some 16 KiB of URL in all. */
  readonly characters: number
  /** UIDs in a list, attributes to include. */
  readonly values: number
}

export const QUERY_LIMITS: QueryLimits = {
  limit: 10_000,
  offset: 1_000_000,
  parameters: 200,
  characters: 64 * 1024,
  values: 1000,
}

/** Table 8.3.4-1, and those of 8.3.3 and 8.3.5, which are read elsewhere. Names are case sensitive. */
const SCALARS = ['limit', 'offset', 'fuzzymatching', 'emptyvaluematching', 'multiplevaluematching'] as const
const ELSEWHERE: ReadonlySet<string> = new Set(['accept', 'charset'])
const INCLUDE = 'includefield'
type Scalar = (typeof SCALARS)[number]

type Parameter = { readonly name: string; readonly value: string; readonly position: number }

/** @throws WebError BAD_QUERY, with the position of the parameter, from 1. */
export function parseQuery(params: URLSearchParams, limits: Partial<QueryLimits> = {}): Query {
  const bounds = { ...QUERY_LIMITS, ...limits }
  const parameters = [...params].map(([name, value], at) => ({ name, value, position: at + 1 }))
  if (parameters.length > bounds.parameters) throw new WebError('BAD_QUERY', 'more parameters than allowed')
  for (const each of parameters)
    if (each.value.length > bounds.characters) throw bad('a value that is too long', each)
  const scalars = scalarsOf(parameters)
  const fuzzy = flag(scalars.get('fuzzymatching'))
  const emptyValues = flag(scalars.get('emptyvaluematching'))
  const multipleValues = flag(scalars.get('multiplevaluematching'))
  const asked = whole(scalars.get('limit'))
  const offset = whole(scalars.get('offset')) ?? 0
  const last = scalars.get('offset')
  if (offset > bounds.offset && last) throw bad('an offset that is too large', last)
  const attributes = parameters.filter(({ name }) => looksLikeAttribute(name))
  return {
    match: matchesOf(attributes, { emptyValues, multipleValues, maxValues: bounds.values }),
    include: includeOf(parameters, bounds.values),
    fuzzy,
    emptyValueMatching: emptyValues,
    multipleValueMatching: multipleValues,
    limit: asked === undefined ? undefined : Math.min(asked, bounds.limit),
    isLimitLowered: asked !== undefined && asked > bounds.limit,
    offset,
    unknown: parameters.filter(({ name }) => !isKnown(name)).length,
  }
}

function isKnown(name: string): boolean {
  return isScalar(name) || name === INCLUDE || ELSEWHERE.has(name) || looksLikeAttribute(name)
}

function isScalar(name: string): name is Scalar {
  return SCALARS.some((each) => each === name)
}

function scalarsOf(parameters: readonly Parameter[]): ReadonlyMap<Scalar, Parameter> {
  const found = new Map<Scalar, Parameter>()
  for (const each of parameters) {
    if (!isScalar(each.name)) continue
    if (found.has(each.name)) throw bad('a parameter that comes twice', each)
    found.set(each.name, each)
  }
  return found
}

function flag(parameter: Parameter | undefined): boolean {
  if (parameter === undefined || parameter.value === 'false') return false
  if (parameter.value === 'true') return true
  throw bad('neither true nor false', parameter)
}

function whole(parameter: Parameter | undefined): number | undefined {
  if (parameter === undefined) return undefined
  if (!/^\d{1,15}$/.test(parameter.value)) throw bad('no whole number', parameter)
  return Number(parameter.value)
}

function matchesOf(parameters: readonly Parameter[], matching: Matching): readonly Match[] {
  const seen = new Set<string>()
  return parameters.map((each) => {
    const attribute = attributePath(each.name)
    if (attribute === undefined) throw bad('no attribute of that name', each)
    const key = attribute.path.join('.')
    if (seen.has(key)) throw bad('an attribute that comes twice', each)
    seen.add(key)
    const tests = testsOf(each.value, attribute.vr, matching)
    if (tests === undefined) throw bad(`a value by which ${attribute.vr} is not matched`, each)
    return { ...attribute, tests }
  })
}

function includeOf(parameters: readonly Parameter[], maxValues: number): 'all' | readonly (readonly Tag[])[] {
  const paths = new Map<string, readonly Tag[]>()
  let isAll = false
  for (const each of parameters) {
    if (each.name !== INCLUDE) continue
    const names = each.value.split(',')
    if (names.length + paths.size > maxValues) throw bad('more attributes than allowed', each)
    for (const name of names.map((one) => one.trim()).filter((one) => one !== '')) {
      isAll ||= name === 'all'
      const attribute = name === 'all' ? undefined : attributePath(name)
      if (name !== 'all' && attribute === undefined) throw bad('no attribute of that name', each)
      if (attribute) paths.set(attribute.path.join('.'), attribute.path)
    }
  }
  return isAll ? 'all' : [...paths.values()]
}

function bad(what: string, { position }: Parameter): WebError {
  return new WebError('BAD_QUERY', `${what}: parameter`, { position })
}
