// YAML text → a plain tree in which everything knows its line.
//
// Invariants: YAML 1.2 core schema, one document, no aliases, no tags, no directives: what stands in the file is what
// a reader sees. Keys are plain strings and unique.

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml'
import { type Place, RecipeError } from './errors.ts'

/** A recipe is written and reviewed by people; the longest preset is 2 KB. */
const MAX_CHARACTERS = 262_144
/** rules → rule → select → private is four. */
const MAX_DEPTH = 8

export type Scalar = {
  readonly kind: 'scalar'
  readonly value: string | number | boolean | null
  /** As written: `0x0029` and `0029` are different mistakes. */
  readonly source: string
  readonly at: Place
}
export type List = { readonly kind: 'list'; readonly items: readonly Value[]; readonly at: Place }
export type Mapping = {
  readonly kind: 'mapping'
  readonly entries: ReadonlyMap<string, Entry>
  readonly at: Place
}
/** `at` is where the key stands. */
export type Entry = { readonly at: Place; readonly value: Value }
export type Value = Scalar | List | Mapping

type Reading = { readonly recipe: string; readonly lines: LineCounter }

export function readDocument(recipe: string, text: string): Mapping {
  const start = { recipe, line: 1 }
  if (text.length > MAX_CHARACTERS) {
    throw new RecipeError('LIMIT', start, `longer than ${MAX_CHARACTERS} characters`)
  }
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines, version: '1.2', schema: 'core' })
  const first = Array.isArray(documents) ? documents[0] : undefined
  if (first === undefined) throw new RecipeError('MISSING_KEY', start, 'is empty; it begins with `recipe: 1`')
  for (const document of documents) {
    const problem = document.errors[0] ?? document.warnings[0]
    if (problem === undefined) continue
    const at = { recipe, line: problem.linePos?.[0].line ?? 1 }
    const code = problem.code === 'RESOURCE_EXHAUSTION' ? 'LIMIT' : 'SYNTAX'
    throw new RecipeError(code, at, `not a recipe in YAML: ${firstLine(problem.message)}`)
  }
  if (documents.length > 1) {
    const line = lineOf({ recipe, lines }, documents[1]?.range?.[0] ?? 0)
    throw new RecipeError('SYNTAX', { recipe, line }, 'one document a file')
  }
  if (first.directives?.yaml.explicit === true || Object.keys(first.directives?.tags ?? {}).length > 1) {
    throw new RecipeError('SYNTAX', start, 'YAML directives (%) are not for recipes')
  }
  const root = toValue(first.contents, { recipe, lines }, 0)
  if (root.kind === 'mapping') return root
  throw new RecipeError('BAD_VALUE', root.at, 'is not a mapping; it begins with `recipe: 1`')
}

function toValue(node: Node | null | undefined, reading: Reading, depth: number): Value {
  const at = { recipe: reading.recipe, line: lineOf(reading, node?.range?.[0] ?? 0) }
  if (node === null || node === undefined) return { kind: 'scalar', value: null, source: '', at }
  if (depth > MAX_DEPTH) throw new RecipeError('LIMIT', at, `nested deeper than ${MAX_DEPTH}`)
  if (isAlias(node)) throw new RecipeError('SYNTAX', at, 'aliases (*) are not for recipes: write it out')
  if ('tag' in node && node.tag !== undefined) {
    throw new RecipeError('SYNTAX', at, 'tags (!) are not for recipes')
  }
  if (isSeq<Node>(node)) {
    return { kind: 'list', items: node.items.map((item) => toValue(item, reading, depth + 1)), at }
  }
  if (isMap<Node, Node | null>(node)) {
    const entries = new Map<string, Entry>()
    for (const pair of node.items) {
      const key = toValue(pair.key, reading, depth + 1)
      if (key.kind !== 'scalar' || typeof key.value !== 'string') {
        throw new RecipeError('SYNTAX', key.at, 'a key is a plain word')
      }
      const value = pair.value === null ? emptyAt(key.at) : toValue(pair.value, reading, depth + 1)
      entries.set(key.value, { at: key.at, value })
    }
    return { kind: 'mapping', entries, at }
  }
  if (!isScalar(node)) throw new RecipeError('SYNTAX', at, 'unexpected kind of YAML node')
  return { kind: 'scalar', value: primitive(node.value), source: node.source ?? String(node.value), at }
}

function primitive(value: unknown): Scalar['value'] {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value
  return null
}

function emptyAt(at: Place): Scalar {
  return { kind: 'scalar', value: null, source: '', at }
}

function lineOf(reading: Reading, offset: number): number {
  return Math.max(1, reading.lines.linePos(offset).line)
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? '').replace(/ at line \d+, column \d+:?$/, '')
}
