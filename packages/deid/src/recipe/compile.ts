// Recipe text → Recipe:  text ─readDocument→ tree ─parseDraft→ draft ─(extends)→ chain ─→ settings, rules, digest
//
// Everything that can be refused is refused here, before the first file, with the line. Precedence: a recipe's own
// rules over those of the recipe that it extends; within one recipe the more specific selector (path, tag, private
// element, private block, VR, group). The order in which rules stand never decides.

import type { Option, Recipe, Rule } from '../model.ts'
import type { DeviceRule, PixelSettings } from '../pixel-settings.ts'
import { checkAction } from './actions.ts'
import { type Canonical, canonicalJson } from './canonical.ts'
import { type Dictionary, didYouMean } from './dictionary.ts'
import { readDocument } from './document.ts'
import { RecipeError } from './errors.ts'
import { checkOverrides, checkOwnRules, type PlacedRule } from './precedence.ts'
import { PRESETS } from './presets.ts'
import { rank, selectorKey } from './selectors.ts'
import { checkSettings, effectiveSettings, type Settings } from './settings.ts'
import { type Draft, FORMAT, parseDraft } from './syntax.ts'

export type RecipeSource = { readonly name: string; readonly text: string }
export type RecipeWorld = {
  readonly dictionary: Dictionary
  /** The edition of Table E.1-1, which decides wherever no rule does: part of the digest. */
  readonly edition: string
  /** Hex SHA-256 of the UTF-8 bytes. */
  readonly digest: (canonical: string) => string
  /** The text of a recipe that is not a preset; presets come first and cannot be replaced. */
  readonly resolve?: (name: string) => string | undefined
}

/** A recipe that extends more than this many others is nobody's to understand. */
const MAX_EXTENDS = 8

export function compileRecipe(source: RecipeSource, world: RecipeWorld): Recipe {
  const chain = readChain(source, world)
  const rules: PlacedRule[] = []
  for (const [depth, draft] of chain.entries()) {
    const own = draft.rules.map((rule): PlacedRule => ({ ...rule, depth, recipe: draft.name.value }))
    for (const rule of own) checkAction(rule, world.dictionary)
    checkOwnRules(own)
    checkOverrides(own, rules, world.dictionary)
    const taken = new Set(rules.map((rule) => selectorKey(rule.select)))
    rules.push(...own.filter((rule) => !taken.has(selectorKey(rule.select))))
  }
  rules.sort(byPrecedence)
  const settings = effectiveSettings(chain)
  checkSettings({ settings, rules, dictionary: world.dictionary })
  return toRecipe(settings, rules, world)
}

/** The recipe itself first, then what it extends, and so on. */
function readChain(source: RecipeSource, world: RecipeWorld): readonly Draft[] {
  const chain: Draft[] = []
  const seen = new Set<string>()
  let next: RecipeSource | undefined = source
  while (next !== undefined) {
    const draft: Draft = parseDraft(readDocument(next.name, next.text), world.dictionary)
    const { value: name, at } = draft.name
    const preset = PRESETS.get(name)
    if (preset !== undefined && preset !== next.text) {
      throw new RecipeError(
        'RESERVED_NAME',
        at,
        `${name} is the name of a preset: choose another, and extend it`,
      )
    }
    seen.add(name)
    seen.add(next.name)
    chain.push(draft)
    next = extended(draft, seen, world)
    if (chain.length > MAX_EXTENDS) {
      throw new RecipeError('LIMIT', at, `more than ${MAX_EXTENDS} recipes extend one another`)
    }
  }
  return chain
}

function extended(draft: Draft, seen: ReadonlySet<string>, world: RecipeWorld): RecipeSource | undefined {
  if (draft.extends === undefined) return undefined
  const { value: name, at } = draft.extends
  if (seen.has(name)) throw new RecipeError('EXTENDS_CYCLE', at, `${name} is extended by itself`)
  const text = PRESETS.get(name) ?? world.resolve?.(name)
  if (text !== undefined) return { name, text }
  throw new RecipeError(
    'UNKNOWN_RECIPE',
    at,
    `no recipe is called ${name}${didYouMean(name, PRESETS.keys())}`,
  )
}

function byPrecedence(a: PlacedRule, b: PlacedRule): number {
  if (a.depth !== b.depth) return a.depth - b.depth
  const specific = rank(b.select) - rank(a.select)
  if (specific !== 0) return specific
  return selectorKey(a.select) < selectorKey(b.select) ? -1 : 1
}

function toRecipe(settings: Settings, rules: readonly PlacedRule[], world: RecipeWorld): Recipe {
  const { options, dates, patientId, knowledgeBase, safeHarbor, pixels } = settings
  const description = settings.description ?? `Roentgate recipe ${settings.name}, PS3.15 ${world.edition}`
  const decides: Canonical = {
    format: FORMAT,
    edition: world.edition,
    options: [...options].sort(),
    dates,
    patientId,
    knowledgeBase: knowledgeBase.value,
    safeHarbor: safeHarbor.value,
    description,
    pixels: canonicalPixels(pixels),
    rules: rules.map(({ select, action }) => [selectorKey(select), action]),
  }
  return {
    name: settings.name,
    digest: world.digest(canonicalJson(decides)),
    options: new Set<Option>(options),
    rules: rules.map(toRule),
    knowledgeBase: knowledgeBase.value,
    safeHarbor: safeHarbor.value,
    dates,
    patientId,
    pixels,
    description,
  }
}

/** A device's reason explains; its conditions and boxes decide. */
function canonicalPixels({ devices, ...settings }: PixelSettings): Canonical {
  const decides = ({ name, when, blank }: DeviceRule): Canonical => ({
    name,
    when: when.map((condition) => ({ ...condition })),
    blank: blank.map(({ x, y, width, height }) => [x, y, width, height]),
  })
  return { ...settings, devices: devices.map(decides) }
}

function toRule({ depth, recipe, ordinal, at, select, action, reason }: PlacedRule): Rule {
  const place = `rule ${ordinal} (line ${at.line})`
  return { name: depth === 0 ? place : `${recipe}: ${place}`, select, action, reason }
}
