// How every section of a recipe reads its mapping: known keys, required ones, and values of a type.

import { didYouMean } from './dictionary.ts'
import type { Entry, Mapping, Value } from './document.ts'
import { RecipeError } from './errors.ts'
import { quote } from './selectors.ts'

export function checkKeys(mapping: Mapping, known: readonly string[]): void {
  for (const [key, entry] of mapping.entries) {
    if (known.includes(key)) continue
    const hint = key.endsWith(')') ? '; in braces, quote (gggg,eeee)' : didYouMean(key, known)
    throw new RecipeError('UNKNOWN_KEY', entry.at, `unknown key ${quote(key)}${hint}`)
  }
}

export function required(mapping: Mapping, key: string): Entry {
  const entry = mapping.entries.get(key)
  if (entry === undefined) throw new RecipeError('MISSING_KEY', mapping.at, `the key ${key} is missing`)
  return entry
}

export function bad(value: Value, what: string): RecipeError {
  return new RecipeError('BAD_VALUE', value.at, what)
}

export function flag({ value }: Entry): boolean {
  if (value.kind === 'scalar' && typeof value.value === 'boolean') return value.value
  throw bad(value, 'is true or false')
}

export type Range = { readonly from: number; readonly to: number }

export function integer(value: Value, range: Range): number {
  const found = value.kind === 'scalar' ? value.value : undefined
  if (typeof found === 'number' && Number.isInteger(found) && found >= range.from && found <= range.to) {
    return found
  }
  throw bad(value, `is a whole number from ${range.from} to ${range.to}`)
}

export function word<T extends string>({ value }: Entry, words: readonly T[]): T {
  const text = value.kind === 'scalar' ? value.source : ''
  const found = words.find((known) => known === text)
  if (found !== undefined) return found
  throw bad(value, `is one of ${words.join(', ')}${didYouMean(text, words)}`)
}

/** One line that a report prints. */
export function line({ value }: Entry, most: number): string {
  const text = value.kind === 'scalar' ? value.value : undefined
  const fits = typeof text === 'string' && text.trim() !== '' && text.length <= most
  if (fits && !/\p{Cc}/u.test(text)) return text
  throw bad(value, `is one line of 1 to ${most} characters: the report prints it`)
}
