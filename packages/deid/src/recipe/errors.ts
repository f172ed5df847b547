// The one error of recipes: what is wrong and in which line of which recipe. It may quote the recipe, which is
// configuration, and never sees a data set.

/** Closed set; tests assert on it, callers switch on it. */
export type RecipeErrorCode =
  | 'SYNTAX' // not YAML 1.2, or YAML that a recipe may not use (aliases, tags, directives)
  | 'LIMIT' // longer, deeper or more than a recipe may be
  | 'MISSING_KEY'
  | 'UNKNOWN_KEY'
  | 'BAD_VALUE' // a known key with a value of the wrong type or out of range
  | 'UNKNOWN_ACTION'
  | 'UNKNOWN_OPTION'
  | 'UNKNOWN_RECIPE' // extends what nobody knows
  | 'RESERVED_NAME' // a recipe of the site under the name of a preset
  | 'EXTENDS_CYCLE'
  | 'BAD_SELECTOR'
  | 'UNKNOWN_TAG'
  | 'PRIVATE_WITHOUT_CREATOR'
  | 'NOT_A_SEQUENCE' // a path through something that has no items
  | 'PROTECTED_TAG' // the program writes it; no rule may
  | 'VR_FORBIDS_ACTION'
  | 'CONTRADICTORY' // one selector, two actions, in one recipe
  | 'SHADOWED' // a rule that can never fire
  | 'NO_EFFECT' // removes what is not there
  | 'CONFLICTING_OPTIONS'
  | 'SAFE_HARBOR' // would retain what 45 CFR 164.514(b)(2)(i) lists

/** Lines count from 1. */
export type Place = { readonly recipe: string; readonly line: number }

export class RecipeError extends Error {
  readonly code: RecipeErrorCode
  readonly recipe: string
  readonly line: number

  constructor(code: RecipeErrorCode, at: Place, what: string) {
    super(`recipe ${at.recipe}, line ${at.line}: ${what}`)
    this.name = 'RecipeError'
    this.code = code
    this.recipe = at.recipe
    this.line = at.line
  }
}
