// The grammar of a recipe:  Mapping ─parseDraft→ Draft, with every name resolved and every line remembered.
// One recipe at a time; what only shows when recipes extend one another is compile.ts's.

import type { Option, Recipe, Selector } from '../model.ts'
import { isPatientIdForm } from '../pseudonyms.ts'
import { parseAction, type RuleAction } from './actions.ts'
import { type Dictionary, didYouMean } from './dictionary.ts'
import type { Entry, Mapping, Value } from './document.ts'
import { type Place, RecipeError } from './errors.ts'
import { type DraftPixels, parsePixels } from './pixels.ts'
import { bad, checkKeys, flag, integer, line, required } from './reading.ts'
import { parseSelector, quote } from './selectors.ts'

export const FORMAT = 1
export const OPTIONS: readonly Option[] = [
  'safe-private',
  'uids',
  'device',
  'institution',
  'patient',
  'full-dates',
  'modified-dates',
  'descriptors',
  'structured',
  'graphics',
]
export const KEYS = [
  'recipe',
  'name',
  'description',
  'extends',
  'options',
  'dates',
  'patient-id',
  'knowledge-base',
  'safe-harbor',
  'pixels',
  'rules',
]
const RULE_KEYS = ['select', 'action', 'reason']
const DATE_WORDS = ['remove', 'keep', 'year', 'shift']

/** 'Roentgate recipe <name>, PS3.15 2026d' fits the 64 characters of (0012,0063). */
const NAME = /^[a-z0-9][a-z0-9-]{0,31}$/
const DESCRIPTION = /^(?=\S)[\x20-\x5b\x5d-\x7e]{1,64}(?<=\S)$/
/** A reason is one line of a report. */
const MAX_REASON = 200
/** E.1-1 has 657 rows; a recipe that needs more selectors than this is a table of its own. */
const MAX_SELECTORS = 2000
/** A century: beyond it years before 1 and after 9999 come near. */
const MAX_SHIFT_DAYS = 36_525
/** Ten years: wide against a stay in hospital, small against a life. */
export const DEFAULT_SHIFT_DAYS = 3650

export type Placed<T> = { readonly value: T; readonly at: Place }
export type Dates = Recipe['dates']
export type PatientId = Recipe['patientId']
export type DraftOptions = {
  readonly kind: 'replace' | 'amend'
  readonly add: readonly Placed<Option>[]
  readonly remove: readonly Placed<Option>[]
  readonly at: Place
}
/** One selector of one rule. */
export type DraftRule = {
  readonly ordinal: number
  readonly select: Selector
  readonly action: RuleAction
  readonly reason: string
  readonly at: Place
}
export type Draft = {
  readonly name: Placed<string>
  readonly description: string | undefined
  readonly extends: Placed<string> | undefined
  readonly options: DraftOptions | undefined
  readonly dates: Placed<Dates> | undefined
  readonly patientId: PatientId | undefined
  readonly knowledgeBase: Placed<boolean> | undefined
  readonly safeHarbor: Placed<boolean> | undefined
  readonly pixels: DraftPixels | undefined
  readonly rules: readonly DraftRule[]
}

export function parseDraft(root: Mapping, dictionary: Dictionary): Draft {
  checkKeys(root, KEYS)
  const version = required(root, 'recipe').value
  if (version.kind !== 'scalar' || version.value !== FORMAT) {
    throw new RecipeError('BAD_VALUE', version.at, `this program reads recipe: ${FORMAT}`)
  }
  const optional = <T>(key: string, parse: (entry: Entry) => T): T | undefined => {
    const entry = root.entries.get(key)
    return entry === undefined ? undefined : parse(entry)
  }
  return {
    name: { value: parseName(required(root, 'name')), at: required(root, 'name').at },
    description: optional('description', parseDescription),
    extends: optional('extends', (entry) => ({ value: parseName(entry), at: entry.at })),
    options: optional('options', parseOptions),
    dates: optional('dates', (entry) => ({ value: parseDates(entry.value), at: entry.at })),
    patientId: optional('patient-id', parsePatientId),
    knowledgeBase: optional('knowledge-base', (entry) => ({ value: flag(entry), at: entry.at })),
    safeHarbor: optional('safe-harbor', (entry) => ({ value: flag(entry), at: entry.at })),
    pixels: optional('pixels', parsePixels),
    rules: optional('rules', (entry) => parseRules(entry, dictionary)) ?? [],
  }
}

function parseName({ value }: Entry): string {
  const text = value.kind === 'scalar' ? value.value : undefined
  if (typeof text === 'string' && NAME.test(text)) return text
  throw bad(value, 'a name is 1 to 32 lower-case letters, digits and hyphens: reports and outputs carry it')
}

function parseDescription({ value }: Entry): string {
  const text = value.kind === 'scalar' ? value.value : undefined
  if (typeof text === 'string' && DESCRIPTION.test(text)) return text
  throw bad(value, 'a description is 1 to 64 ASCII characters without backslash: it goes into (0012,0063)')
}

function parseOptions({ at, value }: Entry): DraftOptions {
  if (value.kind === 'list') return { kind: 'replace', add: optionList(value), remove: [], at }
  if (value.kind !== 'mapping') throw bad(value, 'options are a list, or {add: […], remove: […]}')
  checkKeys(value, ['add', 'remove'])
  const list = (key: string): readonly Placed<Option>[] => {
    const entry = value.entries.get(key)
    return entry === undefined ? [] : optionList(entry.value)
  }
  return { kind: 'amend', add: list('add'), remove: list('remove'), at }
}

function optionList(value: Value): readonly Placed<Option>[] {
  if (value.kind !== 'list') throw bad(value, 'is a list of options')
  const found = value.items.map((item): Placed<Option> => {
    const text = item.kind === 'scalar' ? item.source : ''
    const option = OPTIONS.find((known) => known === text)
    if (option !== undefined) return { value: option, at: item.at }
    const hint = didYouMean(text, OPTIONS)
    throw new RecipeError('UNKNOWN_OPTION', item.at, `no option is called ${quote(text)}${hint}`)
  })
  for (const [i, one] of found.entries()) {
    if (found.findIndex((other) => other.value === one.value) < i) {
      throw new RecipeError('NO_EFFECT', one.at, `${one.value} is in the list already`)
    }
  }
  return found
}

function parseDates(value: Value): Dates {
  if (value.kind === 'scalar') {
    if (value.value === 'remove' || value.value === 'keep' || value.value === 'year')
      return { kind: value.value }
    if (value.value === 'shift') return { kind: 'shift', maxDays: DEFAULT_SHIFT_DAYS }
    throw bad(value, `dates are ${DATE_WORDS.join(', ')}${didYouMean(value.source, DATE_WORDS)}`)
  }
  if (value.kind === 'list') throw bad(value, `dates are one of ${DATE_WORDS.join(', ')}`)
  checkKeys(value, ['shift'])
  const inner = required(value, 'shift').value
  if (inner.kind !== 'mapping') throw bad(inner, 'shift is {max-days: N}')
  checkKeys(inner, ['max-days'])
  return {
    kind: 'shift',
    maxDays: integer(required(inner, 'max-days').value, { from: 1, to: MAX_SHIFT_DAYS }),
  }
}

export const DEFAULT_PATIENT_ID: PatientId = { prefix: 'RG-', digits: 10, check: true }

function parsePatientId({ value }: Entry): PatientId {
  if (value.kind !== 'mapping') throw bad(value, 'patient-id is {prefix, digits, check}')
  checkKeys(value, ['prefix', 'digits', 'check'])
  const prefix = value.entries.get('prefix')?.value
  const digits = value.entries.get('digits')
  const check = value.entries.get('check')
  if (prefix !== undefined && (prefix.kind !== 'scalar' || typeof prefix.value !== 'string')) {
    throw bad(prefix, 'a prefix is text; quote what looks like a number')
  }
  const form = {
    prefix: prefix?.kind === 'scalar' ? String(prefix.value) : DEFAULT_PATIENT_ID.prefix,
    digits: digits === undefined ? DEFAULT_PATIENT_ID.digits : integer(digits.value, { from: 4, to: 40 }),
    check: check === undefined ? DEFAULT_PATIENT_ID.check : flag(check),
  }
  if (isPatientIdForm(form)) return form
  throw bad(prefix ?? value, 'prefix (letters, digits, - and _) and code together fit 64 characters')
}

function parseRules({ value }: Entry, dictionary: Dictionary): readonly DraftRule[] {
  if (value.kind !== 'list') throw bad(value, 'rules are a list')
  const rules: DraftRule[] = []
  for (const [i, item] of value.items.entries()) {
    if (item.kind !== 'mapping') throw bad(item, 'a rule is {select, action, reason}')
    checkKeys(item, RULE_KEYS)
    const select = required(item, 'select').value
    const action = parseAction(required(item, 'action').value)
    const reason = line(required(item, 'reason'), MAX_REASON)
    const selectors = select.kind === 'list' ? select.items : [select]
    if (selectors.length === 0) throw new RecipeError('BAD_SELECTOR', select.at, 'an empty list of selectors')
    for (const one of selectors) {
      rules.push({ ordinal: i + 1, select: parseSelector(one, dictionary), action, reason, at: one.at })
      if (rules.length > MAX_SELECTORS) {
        throw new RecipeError('LIMIT', one.at, `more than ${MAX_SELECTORS} selectors`)
      }
    }
  }
  return rules
}
