// What one worker holds for a run: the compiled recipe, the keyed function, and per patient the substitutes and the
// things to look for. Keys and identifiers are here and nowhere else.

import { createHash, createHmac, type KeyObject } from 'node:crypto'
import {
  cleaner,
  compileHaystack,
  compileIdentifiers,
  compileRecipe,
  dateOffsetDays,
  type Haystack,
  type Keyed,
  type Planner,
  PROFILE_EDITION,
  patientPseudonym,
  planner,
  pseudonymUid,
  type Recipe,
  type Substitutes,
  shortPseudonym,
} from '@roentgate/deid'
import { isWellKnown, keywords, lookup, type Tag, tagOf } from '@roentgate/dicom'
import { newSpelling, type Spelling } from './counts.ts'
import { macKey } from './key.ts'
import type { InstanceTask, RunSettings } from './types.ts'

export type Project = {
  readonly recipe: Recipe
  readonly key: KeyObject
  readonly keyed: Keyed
  readonly planner: Planner
  readonly patientTable: ReadonlyMap<string, string>
  readonly patients: Map<string, Patient>
  readonly uids: Map<string, string>
  readonly spelling: Spelling
}

export type Patient = {
  readonly identifiers: InstanceTask['identifiers']
  readonly substitutes: Substitutes
  readonly haystack: Haystack
  /** Old and new of this patient's ID, for --mapping. */
  readonly mapping: readonly [string, string]
}

/** Compiled patients kept; a series of one patient comes together, so few are enough. */
const MAX_PATIENTS = 64
const MAX_UIDS = 20_000

/** PS3.6, for recipes. */
const DICTIONARY = { tagOf, vrsOf: (t: Tag) => lookup(t)?.vrs, keywords }

export function compileProjectRecipe(recipe: RunSettings['recipe']): Recipe {
  return compileRecipe(recipe, {
    dictionary: DICTIONARY,
    edition: PROFILE_EDITION,
    digest: (canonical) => createHash('sha256').update(canonical).digest('hex'),
  })
}

export function openProject(settings: RunSettings): Project {
  const recipe = compileProjectRecipe(settings.recipe)
  const key = macKey(settings.key)
  return {
    recipe,
    key,
    keyed: (domain, value) => createHmac('sha256', key).update(domain).update('\0').update(value).digest(),
    planner: planner(recipe),
    patientTable: new Map(settings.patientTable),
    patients: new Map(),
    uids: new Map(),
    spelling: newSpelling(),
  }
}

export function mappedUid(project: Project, uid: string): string {
  const known = project.uids.get(uid)
  if (known !== undefined) return known
  const made = pseudonymUid(project.keyed, uid)
  if (project.uids.size >= MAX_UIDS) project.uids.clear()
  project.uids.set(uid, made)
  return made
}

/** Patient of a task, compiled once and reused while its instances come. */
export function patientOf(project: Project, task: InstanceTask, patientId: string): Patient {
  const key = `${task.patientKey}\u0000${patientId}`
  const known = project.patients.get(key)
  if (known && sameList(known.identifiers, task.identifiers)) return known
  const made = makePatient(project, task, patientId)
  if (project.patients.size >= MAX_PATIENTS) {
    const oldest = project.patients.keys().next()
    if (!oldest.done) project.patients.delete(oldest.value)
  }
  project.patients.set(key, made)
  return made
}

function sameList(a: InstanceTask['identifiers'], b: InstanceTask['identifiers']): boolean {
  return (
    a === b ||
    (a.length === b.length &&
      a.every(
        (identifier, index) => identifier.kind === b[index]?.kind && identifier.value === b[index]?.value,
      ))
  )
}

function makePatient(project: Project, task: InstanceTask, patientId: string): Patient {
  const { recipe, keyed } = project
  const code =
    project.patientTable.get(patientId) ?? patientPseudonym(keyed, task.patientKey, recipe.patientId)
  const offsetDays =
    recipe.dates.kind === 'shift' ? dateOffsetDays(keyed, task.patientKey, recipe.dates.maxDays) : 0
  const identifiers = compileIdentifiers(task.identifiers)
  const uid = (value: string): string =>
    recipe.options.has('uids') || isWellKnown(value) ? value : mappedUid(project, value)
  const dates = textDates(recipe, offsetDays)
  const clean = cleaner({ identifiers, dates, ages: recipe.safeHarbor ? 'cap' : 'keep', uid })
  const substitutes: Substitutes = {
    patientCode: code,
    patientId,
    offsetDays,
    uid,
    pseudonym: (domain, value, maxLength) => shortPseudonym(keyed, { domain, value, maxLength }),
    cleanText: (text, maxLength) => clean(text, maxLength).text,
  }
  return {
    identifiers: task.identifiers,
    substitutes,
    haystack: compileHaystack(task.identifiers, recipe),
    mapping: [patientId, code],
  }
}

function textDates(
  recipe: Recipe,
  days: number,
): { kind: 'shift'; days: number } | { kind: 'remove' } | { kind: 'keep' } {
  switch (recipe.dates.kind) {
    case 'shift':
      return { kind: 'shift', days }
    case 'keep':
      return { kind: 'keep' }
    case 'remove':
    case 'year':
      return { kind: 'remove' }
    default:
      return recipe.dates satisfies never
  }
}
