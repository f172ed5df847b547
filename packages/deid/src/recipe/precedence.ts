// Which rule wins, and which rules are refused because they never could.

import { actionName, type RuleAction } from './actions.ts'
import { type Canonical, canonicalJson } from './canonical.ts'
import type { Dictionary } from './dictionary.ts'
import { RecipeError } from './errors.ts'
import { covers, selectorKey } from './selectors.ts'
import type { DraftRule } from './syntax.ts'

/** depth 0 is the recipe itself, 1 the one that it extends, … */
export type PlacedRule = DraftRule & { readonly depth: number; readonly recipe: string }

/** Within one recipe only the same selector twice can collide: everything else is ordered by how specific it is. */
export function checkOwnRules(own: readonly PlacedRule[]): void {
  const seen = new Map<string, PlacedRule>()
  for (const rule of own) {
    const key = selectorKey(rule.select)
    const first = seen.get(key)
    if (first === undefined) {
      seen.set(key, rule)
    } else if (sameAction(first.action, rule.action)) {
      throw new RecipeError(
        'SHADOWED',
        rule.at,
        `${key} has this rule in line ${first.at.line} already: this one never fires`,
      )
    } else {
      throw new RecipeError(
        'CONTRADICTORY',
        rule.at,
        `${key} is ${actionName(rule.action)} here and ${actionName(first.action)} in line ${first.at.line}`,
      )
    }
  }
}

/**
 * A rule of an extended recipe that a broader rule above it silences. Saying the same selector again is an override
 * and fine; silencing it by accident is what nobody would see in a review.
 */
export function checkOverrides(
  extended: readonly PlacedRule[],
  above: readonly PlacedRule[],
  dictionary: Dictionary,
): void {
  const overridden = new Set(above.map((rule) => selectorKey(rule.select)))
  for (const rule of extended) {
    const key = selectorKey(rule.select)
    if (overridden.has(key)) continue
    const broader = above.find((higher) => covers(higher.select, rule.select, dictionary))
    if (broader === undefined) continue
    throw new RecipeError(
      'SHADOWED',
      broader.at,
      `the rule of ${rule.recipe} for ${key} (line ${rule.at.line}) could never fire; name ${key} in ${broader.recipe} too`,
    )
  }
}

function sameAction(a: RuleAction, b: RuleAction): boolean {
  const canonical = (action: RuleAction): string => canonicalJson(action satisfies Canonical)
  return canonical(a) === canonical(b)
}
