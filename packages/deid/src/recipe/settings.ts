// What a chain of recipes says beside its rules, and whether that goes together.

import type { Option, Recipe } from '../model.ts'
import { DEFAULT_PIXEL_SETTINGS, type PixelSettings } from '../pixel-settings.ts'
import { actionName } from './actions.ts'
import type { Dictionary } from './dictionary.ts'
import { type Place, RecipeError } from './errors.ts'
import type { PlacedRule } from './precedence.ts'
import { IDENTIFYING_OPTIONS, retains } from './safe-harbor.ts'
import { attributesOf, selectorKey } from './selectors.ts'
import { type Dates, DEFAULT_PATIENT_ID, DEFAULT_SHIFT_DAYS, type Draft, type Placed } from './syntax.ts'

export type Settings = {
  readonly name: string
  readonly description: string | undefined
  readonly options: ReadonlySet<Option>
  readonly optionsAt: Place
  readonly dates: Dates
  readonly datesAt: Place
  readonly patientId: Recipe['patientId']
  readonly knowledgeBase: Placed<boolean>
  readonly safeHarbor: Placed<boolean>
  readonly pixels: PixelSettings
}

const DATE_OPTIONS: Readonly<Record<string, Dates>> = {
  'full-dates': { kind: 'keep' },
  'modified-dates': { kind: 'shift', maxDays: DEFAULT_SHIFT_DAYS },
}

/** The most basic recipe speaks first, the recipe itself last. */
export function effectiveSettings(chain: readonly Draft[]): Settings {
  const top = chain[0]
  if (top === undefined) throw new RangeError('a chain holds at least the recipe itself')
  const at = { recipe: top.name.at.recipe, line: 1 }
  let settings: Settings = {
    name: top.name.value,
    description: undefined,
    options: new Set(),
    optionsAt: at,
    dates: { kind: 'remove' },
    datesAt: at,
    patientId: DEFAULT_PATIENT_ID,
    knowledgeBase: { value: false, at },
    safeHarbor: { value: false, at },
    pixels: DEFAULT_PIXEL_SETTINGS,
  }
  for (const draft of [...chain].reverse()) settings = amend(settings, draft)
  return { ...settings, name: top.name.value, description: top.description }
}

function amend(before: Settings, draft: Draft): Settings {
  const dates = amendDates(before, draft)
  return {
    ...before,
    options: amendOptions(before, draft, dates.value),
    optionsAt: draft.options?.at ?? before.optionsAt,
    dates: dates.value,
    datesAt: dates.at,
    patientId: draft.patientId ?? before.patientId,
    knowledgeBase: draft.knowledgeBase ?? before.knowledgeBase,
    safeHarbor: draft.safeHarbor ?? before.safeHarbor,
    pixels: { ...before.pixels, ...draft.pixels, devices: amendDevices(before, draft) },
  }
}

/** A recipe's own device replaces one of the same name that it extends; the others stay. */
function amendDevices(before: Settings, draft: Draft): PixelSettings['devices'] {
  const own = draft.pixels?.devices ?? []
  const names = new Set(own.map(({ name }) => name))
  return [...before.pixels.devices.filter(({ name }) => !names.has(name)), ...own]
}

function amendOptions(before: Settings, draft: Draft, dates: Dates): ReadonlySet<Option> {
  const { options } = draft
  const after = new Set(options?.kind === 'replace' ? [] : before.options)
  for (const { value, at } of options?.remove ?? []) {
    if (after.delete(value)) continue
    throw new RecipeError('NO_EFFECT', at, `${value} is not among the options that are extended`)
  }
  for (const { value, at } of options?.add ?? []) {
    if (options?.kind === 'amend' && after.has(value)) {
      throw new RecipeError('NO_EFFECT', at, `${value} is among the options that are extended already`)
    }
    after.add(value)
  }
  after.delete('full-dates')
  after.delete('modified-dates')
  if (dates.kind === 'keep') after.add('full-dates')
  if (dates.kind === 'shift') after.add('modified-dates')
  return after
}

/** `dates` and the two date options are two ways to say one thing: where both are said they must agree. */
function amendDates(before: Settings, draft: Draft): Placed<Dates> {
  const said = (draft.options?.add ?? []).filter(({ value }) => value in DATE_OPTIONS)
  const second = said[1]
  if (second !== undefined) {
    throw new RecipeError(
      'CONFLICTING_OPTIONS',
      second.at,
      'full-dates and modified-dates exclude each other',
    )
  }
  const option = said[0]
  const meant = option === undefined ? undefined : DATE_OPTIONS[option.value]
  if (draft.dates !== undefined) {
    if (meant !== undefined && meant.kind !== draft.dates.value.kind) {
      const what = `dates: ${draft.dates.value.kind} and option ${option?.value} exclude each other`
      throw new RecipeError('CONFLICTING_OPTIONS', draft.dates.at, what)
    }
    return draft.dates
  }
  const removed = (draft.options?.remove ?? []).some(({ value }) => value in DATE_OPTIONS)
  const isOption = before.dates.kind === 'keep' || before.dates.kind === 'shift'
  if (option !== undefined && meant !== undefined) {
    if (draft.options?.kind === 'amend' && isOption && !removed && before.dates.kind !== meant.kind) {
      const what = `${option.value} excludes dates: ${before.dates.kind} of the recipe that is extended`
      throw new RecipeError('CONFLICTING_OPTIONS', option.at, what)
    }
    return { value: before.dates.kind === meant.kind ? before.dates : meant, at: option.at }
  }
  const dropped = removed || (draft.options?.kind === 'replace' && isOption)
  if (dropped) return { value: { kind: 'remove' }, at: draft.options?.at ?? before.datesAt }
  return { value: before.dates, at: before.datesAt }
}

type Check = {
  readonly settings: Settings
  readonly rules: readonly PlacedRule[]
  readonly dictionary: Dictionary
}

export function checkSettings(check: Check): void {
  const { settings, rules } = check
  if (settings.knowledgeBase.value && !settings.options.has('safe-private')) {
    const what = 'knowledge-base widens the option safe-private, which is not among the options'
    throw new RecipeError('CONFLICTING_OPTIONS', settings.knowledgeBase.at, what)
  }
  if (settings.safeHarbor.value) checkSafeHarborOptions(settings)
  for (const rule of rules) {
    checkDateRule(rule, check)
    if (settings.safeHarbor.value && rule.action === 'keep') checkSafeHarborRule(rule, check)
  }
}

function checkSafeHarborOptions(settings: Settings): void {
  for (const option of settings.options) {
    const listed = IDENTIFYING_OPTIONS.get(option)
    if (listed === undefined) continue
    const isDate = option in DATE_OPTIONS
    const at = isDate ? settings.datesAt : settings.optionsAt
    throw new RecipeError('SAFE_HARBOR', at, `${option} retains letter ${listed}`)
  }
}

function checkSafeHarborRule(rule: PlacedRule, { settings, dictionary }: Check): void {
  const listed = retains(rule.select, dictionary)
  if (listed === undefined) return
  const at = rule.depth === 0 ? rule.at : settings.safeHarbor.at
  throw new RecipeError('SAFE_HARBOR', at, `keep would retain ${listed}`)
}

/** One true date beside shifted ones gives the shift away; and without a shift there is nothing to shift by. */
function checkDateRule(rule: PlacedRule, { settings, dictionary }: Check): void {
  const at = rule.depth === 0 ? rule.at : settings.datesAt
  const key = selectorKey(rule.select)
  const shifts = settings.dates.kind === 'shift'
  if (actionName(rule.action) === 'shift-date' && !shifts) {
    const what = `shift-date for ${key}, but dates: ${settings.dates.kind} has no shift`
    throw new RecipeError('CONFLICTING_OPTIONS', at, what)
  }
  if (!shifts || rule.action !== 'keep') return
  const vrs =
    rule.select.kind === 'vr'
      ? [rule.select.vr]
      : attributesOf(rule.select, dictionary).flatMap((t) => dictionary.vrsOf(t) ?? [])
  if (vrs.some((vr) => vr === 'DA' || vr === 'DT')) {
    const what = `keeping ${key} beside shifted dates would give the shift away`
    throw new RecipeError('CONFLICTING_OPTIONS', at, what)
  }
}
