// The query/retrieve information models (PS3.4 C.6): their SOP classes, their levels, and the unique key of each level.

import { type Dataset, type Tag, Tags } from '@roentgate/dicom'
import type { Level } from '../archive/index/matching.ts'
import { keyText, valuesOf } from './identifier.ts'

export type Action = 'find' | 'move' | 'get'
export type Model = { readonly root: 'patient' | 'study'; readonly action: Action }

const MODELS: ReadonlyMap<string, Model> = new Map(
  (['patient', 'study'] as const).flatMap((root, place) =>
    (['find', 'move', 'get'] as const).map((action, turn) => [
      `1.2.840.10008.5.1.4.1.2.${place + 1}.${turn + 1}`,
      { root, action },
    ]),
  ),
)

export function modelOf(sopClass: string): Model | undefined {
  return MODELS.get(sopClass)
}

export function sopClassOf({ root, action }: Model): string {
  for (const [uid, model] of MODELS) if (model.root === root && model.action === action) return uid
  throw new Error('no such model')
}

const LEVELS: ReadonlyMap<string, Level> = new Map([
  ['PATIENT', 'patient'],
  ['STUDY', 'study'],
  ['SERIES', 'series'],
  ['IMAGE', 'instance'],
])

/** From above to below, with what names one thing at each. */
export const UNIQUE = [
  { level: 'patient', keyword: 'PatientID', tag: Tags.PatientID },
  { level: 'study', keyword: 'StudyInstanceUID', tag: Tags.StudyInstanceUID },
  { level: 'series', keyword: 'SeriesInstanceUID', tag: Tags.SeriesInstanceUID },
  { level: 'instance', keyword: 'SOPInstanceUID', tag: Tags.SOPInstanceUID },
] as const

export type Asked = {
  readonly level: Level
  /** Unique keys above the level and at it, as far as they are given. */
  readonly keys: ReadonlyMap<(typeof UNIQUE)[number]['keyword'], readonly string[]>
}

/** The level, and whether the unique keys above it are there, one value each (PS3.4 C.4.1.2.2.1, C.4.2.2.1).
 * `isRelational`: negotiated (C.5.1.1), they may be absent. Undefined: the identifier does not fit the SOP class. */
export function askedOf(
  { root, action }: Model,
  identifier: Dataset,
  isRelational = false,
): Asked | undefined {
  const level = LEVELS.get(keyText(identifier, Tags.QueryRetrieveLevel))
  if (level === undefined || (level === 'patient' && root === 'study')) return undefined
  const depth = UNIQUE.findIndex((one) => one.level === level)
  const first = root === 'patient' ? 0 : 1
  const keys = new Map<(typeof UNIQUE)[number]['keyword'], readonly string[]>()
  for (const [place, { keyword, tag }] of UNIQUE.entries()) {
    if (place > depth) break
    const values = valuesOf(identifier, tag as Tag)
    const isWild = values.some((one) => /[*?]/.test(one))
    const isAbove = place >= first && place < depth
    if (isAbove && !isRelational && (values.length !== 1 || isWild)) return undefined
    if (place === depth && action !== 'find' && (values.length === 0 || isWild)) return undefined
    if (values.length > 0) keys.set(keyword, values)
  }
  return { level, keys }
}
