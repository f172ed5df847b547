// One attribute → one Decision (PS3.15 E.3): recipe rule, else private, else Table E.1-1, else what the standard keeps.
//
// Total: every attribute gets a decision; what neither the standard nor a safe list knows is removed. Decisions depend
// only on recipe, SOP class and path, so they are remembered in a trie of paths.

import { attributeType, elementOf, groupOf, lookup, type Tag, Tags, type Vr } from '@roentgate/dicom'
import type { Action, Because, Code, Decision, Option, Path, Recipe, Rule, Transform } from './model.ts'
import { PROFILE_EDITION, type ProfileRow, profileRow } from './tables.ts'

export type Subject = { readonly path: Path; readonly vr: Vr; readonly sopClass: string }

const FREE_TEXT: ReadonlySet<string> = new Set(['LO', 'SH', 'ST', 'LT', 'UT', 'UC', 'UR', 'UN'])
const CLEAN_TEXT: Transform = { kind: 'clean-text' }

/** What a code value, a scheme and a version are: never free text (PS3.3 8.8). */
const CODED: ReadonlySet<Tag> = new Set([
  Tags.CodeValue,
  Tags.LongCodeValue,
  Tags.URNCodeValue,
  Tags.CodingSchemeDesignator,
  Tags.CodingSchemeVersion,
  Tags.ContextIdentifier,
  Tags.MappingResource,
  Tags.EquivalentCodeSequence,
])

/** Identity that a project keeps under a pseudonym instead of emptying it: Z and D allow a consistent value. */
const PSEUDONYMS: ReadonlyMap<Tag, Transform> = new Map<Tag, Transform>([
  [Tags.PatientName, { kind: 'pseudonym', domain: 'patient-id' }],
  [Tags.PatientID, { kind: 'pseudonym', domain: 'patient-id' }],
  [Tags.AccessionNumber, { kind: 'pseudonym', domain: 'accession' }],
  [Tags.DeviceSerialNumber, { kind: 'pseudonym', domain: 'device-serial' }],
  [Tags.StudyID, { kind: 'pseudonym', domain: 'study-id' }],
])

export function decidePublic(recipe: Recipe, subject: Subject): Decision {
  const t = subject.path[subject.path.length - 1] as Tag
  const structural = decideStructural(t)
  if (structural) return structural
  const rule = recipe.rules.find((candidate) => selects(candidate, subject))
  if (rule) return fromRule(rule, subject)
  const row = profileRow(t)
  if (row) return fromRow(recipe, row, subject)
  if (!lookup(t)) return { action: 'X', because: { kind: 'unknown' } }
  return notListed(recipe, subject)
}

/**
 * Signatures are no longer valid; encrypted and former attributes are the originals (PS3.15 E.1.1, C.12.1.1.4). Table
 * E.1-1 leaves some of them to the profile's text.
 */
const SIGNED_OR_SEALED: ReadonlySet<Tag> = new Set([
  Tags.DigitalSignaturesSequence,
  Tags.MACParametersSequence,
  Tags.EncryptedAttributesSequence,
  Tags.EncryptedContent,
  Tags.EncryptedContentTransferSyntaxUID,
  Tags.OriginalAttributesSequence,
  Tags.ModifiedAttributesSequence,
  Tags.ReferencedDigitalSignatureSequence,
  Tags.ReferencedSOPInstanceMACSequence,
])

/** Groups and elements that no de-identified data set may carry, whatever a recipe says (PS3.5 7.2, PS3.10 7.1). */
function decideStructural(t: Tag): Decision | undefined {
  const group = groupOf(t)
  if (elementOf(t) === 0) return remove('group length')
  if (group < 0x0008) return remove('group of commands, file meta or directories')
  if (t === Tags.DataSetTrailingPadding) return remove('trailing padding')
  if (SIGNED_OR_SEALED.has(t)) return remove('signatures, sealed and former values')
  if (t === Tags.SpecificCharacterSet)
    return { action: 'K', because: { kind: 'structural', what: 'character set' } }
  return undefined
}

function remove(what: string): Decision {
  return { action: 'X', because: { kind: 'structural', what } }
}

export function selects(rule: Rule, subject: Subject): boolean {
  const { select } = rule
  const t = subject.path[subject.path.length - 1] as Tag
  switch (select.kind) {
    case 'tag':
      return select.tag === t
    case 'path': {
      const from = subject.path.length - select.path.length
      return from >= 0 && select.path.every((step, index) => subject.path[from + index] === step)
    }
    case 'vr':
      return select.vr === subject.vr
    case 'group':
      return select.group === groupOf(t)
    case 'private':
      return false // matched by creator in private.ts
    default:
      return select satisfies never
  }
}

export function fromRule(rule: Rule, subject: Subject): Decision {
  const because: Because = { kind: 'recipe', rule: rule.name, reason: rule.reason }
  if (typeof rule.action !== 'string') return { action: 'C', because, transform: rule.action }
  switch (rule.action) {
    case 'keep':
      return { action: 'K', because }
    case 'remove':
      return { action: validAction('X', subject), because }
    case 'empty':
      return { action: 'Z', because }
    case 'dummy':
      return { action: 'D', because }
    case 'clean':
      return subject.vr === 'SQ'
        ? { action: 'C', because }
        : { action: 'C', because, transform: cleaning(subject.vr) }
    case 'uid':
      return { action: 'U', because }
    default:
      return rule.action satisfies never
  }
}

function cleaning(vr: Vr): Transform {
  if (vr === 'DA' || vr === 'DT') return { kind: 'shift-date' }
  if (vr === 'AS') return { kind: 'cap-age' }
  return CLEAN_TEXT
}

function fromRow(recipe: Recipe, row: ProfileRow, subject: Subject): Decision {
  const t = subject.path[subject.path.length - 1] as Tag
  const chosen = optionFor(recipe, row)
  if (chosen) {
    const because: Because = { kind: 'profile', row: row.id, column: chosen.option }
    if (chosen.code === 'K') return withKept(recipe, { action: 'K', because }, subject)
    return withCleaned(recipe, { action: 'C', because }, { subject, option: chosen.option })
  }
  const because: Because = { kind: 'profile', row: row.id, column: 'basic' }
  const action = resolve(row.basic, subject)
  if (recipe.dates.kind === 'year' && isDateRow(row) && action !== 'U')
    return yearOnly(subject, because, action)
  const pseudonym = PSEUDONYMS.get(t)
  if (pseudonym && (action === 'Z' || action === 'D')) return { action, because, transform: pseudonym }
  return { action, because }
}

/** Of several option columns that apply: cleaning before keeping, so that the stricter promise holds. */
function optionFor(recipe: Recipe, row: ProfileRow): { option: Option; code: 'K' | 'C' } | undefined {
  let kept: Option | undefined
  for (const [option, code] of row.options) {
    if (!recipe.options.has(option)) continue
    if (code === 'C') return { option, code }
    kept ??= option
  }
  return kept && { option: kept, code: 'K' }
}

function isDateRow(row: ProfileRow): boolean {
  return row.options.some(([option]) => option === 'full-dates')
}

/** 45 CFR 164.514(b)(2)(i)(C): the year may stay. Where the value cannot be cut to a year, the basic action stands. */
function yearOnly(subject: Subject, because: Because, basic: Action): Decision {
  const cut = basic !== 'X' && (subject.vr === 'DA' || subject.vr === 'DT')
  return cut ? { action: 'C', because, transform: { kind: 'year-only' } } : { action: basic, because }
}

function withKept(recipe: Recipe, decision: Decision, subject: Subject): Decision {
  if (subject.vr === 'AS' && recipe.safeHarbor)
    return { ...decision, action: 'C', transform: { kind: 'cap-age' } }
  if (FREE_TEXT.has(subject.vr)) return { ...decision, transform: CLEAN_TEXT }
  return decision
}

function lastOf({ path }: Subject): Tag | undefined {
  return path[path.length - 1]
}

function withCleaned(recipe: Recipe, decision: Decision, at: { subject: Subject; option: Option }): Decision {
  const { subject } = at
  if (subject.vr === 'SQ') return decision
  if (at.option === 'modified-dates') {
    // Whole days leave the time of day and its zone alone.
    if (subject.vr === 'TM' || lastOf(subject) === Tags.TimezoneOffsetFromUTC)
      return { ...decision, action: 'K' }
    if (subject.vr === 'DA' || subject.vr === 'DT') return { ...decision, transform: { kind: 'shift-date' } }
    return { ...decision, action: resolve('X/Z/D', subject) }
  }
  // Overlays and curves hold drawn text that nothing here can read: cleaning them is removing them.
  if (at.option === 'graphics') return { ...decision, action: 'X' }
  if (FREE_TEXT.has(subject.vr)) return { ...decision, transform: CLEAN_TEXT }
  if (subject.vr === 'AS') return { ...decision, transform: { kind: 'cap-age' } }
  if (subject.vr === 'CS' || subject.vr === 'DS' || subject.vr === 'IS') return { ...decision, action: 'K' }
  if (recipe.dates.kind === 'shift' && (subject.vr === 'DA' || subject.vr === 'DT')) {
    return { ...decision, transform: { kind: 'shift-date' } }
  }
  return { ...decision, action: resolve('X/Z/D', subject) }
}

/** Public, in the dictionary, and in no row: the standard keeps it. Its text and its UIDs are still looked at. */
function notListed(recipe: Recipe, subject: Subject): Decision {
  const t = subject.path[subject.path.length - 1] as Tag
  const because: Because = { kind: 'not-listed', edition: PROFILE_EDITION }
  switch (subject.vr) {
    case 'SQ':
      return { action: 'K', because }
    case 'UI':
      return isClassAttribute(t) || recipe.options.has('uids')
        ? { action: 'K', because }
        : { action: 'U', because }
    // A date or a person that the table does not know yet is treated as those that it does.
    case 'DA':
    case 'DT':
      return dateDecision(recipe, because, resolve('X/Z/D', subject))
    case 'PN':
      return { action: resolve('X/Z/D', subject), because }
    case 'AS':
      return recipe.safeHarbor
        ? { action: 'C', because, transform: { kind: 'cap-age' } }
        : { action: 'K', because }
    default:
      return FREE_TEXT.has(subject.vr) && !CODED.has(t)
        ? { action: 'K', because, transform: CLEAN_TEXT }
        : { action: 'K', because }
  }
}

/** A date that no row decides follows the recipe's dates; `removed` is what removing comes to where it stands. */
export function dateDecision(recipe: Recipe, because: Because, removed: Action): Decision {
  switch (recipe.dates.kind) {
    case 'keep':
      return { action: 'K', because }
    case 'shift':
      return { action: 'C', because, transform: { kind: 'shift-date' } }
    case 'year':
      return { action: 'C', because, transform: { kind: 'year-only' } }
    case 'remove':
      return { action: removed, because }
    default:
      return recipe.dates satisfies never
  }
}

const CLASS_KEYWORD =
  /(?:ClassUID|ClassesUID|ClassesInStudy|ClassesSupported|ClassesInEvent|TransferSyntaxUID|CodingSchemeUID|ContextUID|MappingResourceUID|ContextGroupExtensionCreatorUID|ClassUIDInFile|ClassUIDExtendedSequence)$/

/** Attributes whose UIDs name a class, a syntax or a coding scheme, never an instance, whoever registered them. */
export function isClassAttribute(t: Tag): boolean {
  return CLASS_KEYWORD.test(lookup(t)?.keyword ?? '')
}

/** Table E.1-1a: a compound code by the attribute's Type; where no Type is known, what keeps the object valid. */
export function resolve(code: Code, subject: Subject): Action {
  const type = attributeType(subject.sopClass, subject.path)
  const required = type === '1' || type === '1C'
  const present = type === '2' || type === '2C'
  switch (code) {
    case 'Z/D':
      return present ? 'Z' : 'D'
    case 'X/Z':
      return type === '3' ? 'X' : 'Z'
    case 'X/D':
      return type === '3' ? 'X' : 'D'
    case 'X/Z/D':
      return type === '3' ? 'X' : present ? 'Z' : 'D'
    case 'X/Z/U*':
      return type === '3' ? 'X' : present ? 'Z' : 'U'
    case 'X':
      return required ? 'D' : present ? 'Z' : 'X'
    case 'Z':
      return required ? 'D' : 'Z'
    case 'D':
    case 'K':
    case 'C':
    case 'U':
      return code
    default:
      return code satisfies never
  }
}

function validAction(action: 'X', subject: Subject): Action {
  return resolve(action, subject)
}
