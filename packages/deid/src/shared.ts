// Decisions as shared objects: equal ones are the same, so that who counts them tells them apart by identity and the
// memory of a run holds each once. They come from recipes and tables, so there are few.

import type { Decision, Recipe, Rule } from './model.ts'

const known = new WeakMap<Recipe | Rule, Map<string, Decision>>()

/** `key` says all that `make` depends on, but for `owner`. */
export function shared(owner: Recipe | Rule, key: string, make: () => Decision): Decision {
  const own = known.get(owner) ?? new Map<string, Decision>()
  known.set(owner, own)
  const before = own.get(key)
  if (before) return before
  const made = make()
  own.set(key, made)
  return made
}

export function sharedByContent(owner: Recipe, decision: Decision): Decision {
  return shared(owner, JSON.stringify(decision), () => decision)
}
