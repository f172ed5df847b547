// The published JSON Schema and the parser agree: what the parser takes fits the schema, what is wrong in form fits
// neither, and every example in the documentation is taken.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { parse } from 'yaml'
import { ACTIONS, DOMAINS } from '../packages/deid/src/recipe/actions.ts'
import { PRESETS } from '../packages/deid/src/recipe/presets.ts'
import { KEYS, OPTIONS } from '../packages/deid/src/recipe/syntax.ts'

const ROOT = new URL('../', import.meta.url)
const VECTORS = new URL('packages/deid/src/recipe/vectors/', ROOT)

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
type Schema = { readonly [key: string]: Json }

const read = (path: string): string => readFileSync(new URL(path, ROOT), 'utf8')
const SCHEMA = JSON.parse(read('docs/formats/recipe.schema.json')) as Schema

/** Those that say nothing about an instance. */
const ANNOTATIONS = new Set(['$schema', 'title', 'description', '$defs'])

/** The part of draft 2020-12 that the schema uses; an unknown keyword is an error, not ignored. */
const KEYWORDS: Readonly<Record<string, (schema: Schema, value: Json) => boolean>> = {
  $ref: (schema, value) => fits(definition(String(schema.$ref)), value),
  anyOf: (schema, value) => listOf(schema.anyOf).some((one) => fits(one as Schema, value)),
  const: (schema, value) => value === schema.const,
  enum: (schema, value) => listOf(schema.enum).includes(value),
  type: (schema, value) =>
    typeOf(value) === schema.type || (schema.type === 'number' && typeof value === 'number'),
  pattern: (schema, value) =>
    typeof value !== 'string' || new RegExp(String(schema.pattern), 'u').test(value),
  minLength: (schema, value) => typeof value !== 'string' || value.length >= Number(schema.minLength),
  maxLength: (schema, value) => typeof value !== 'string' || value.length <= Number(schema.maxLength),
  minimum: (schema, value) => typeof value !== 'number' || value >= Number(schema.minimum),
  maximum: (schema, value) => typeof value !== 'number' || value <= Number(schema.maximum),
  items: (schema, value) =>
    !Array.isArray(value) || value.every((item) => fits(schema.items as Schema, item)),
  prefixItems: (schema, value) =>
    !Array.isArray(value) ||
    listOf(schema.prefixItems).every((one, at) => value[at] === undefined || fits(one as Schema, value[at])),
  minItems: (schema, value) => !Array.isArray(value) || value.length >= Number(schema.minItems),
  maxItems: (schema, value) => !Array.isArray(value) || value.length <= Number(schema.maxItems),
  uniqueItems: (_, value) => !Array.isArray(value) || new Set(value).size === value.length,
  required: (schema, value) =>
    !isObject(value) || listOf(schema.required).every((key) => String(key) in value),
  properties: (schema, value) =>
    !isObject(value) ||
    Object.entries(schema.properties as Readonly<Record<string, Schema>>).every(
      ([key, one]) => value[key] === undefined || fits(one, value[key]),
    ),
  additionalProperties: (schema, value) =>
    !isObject(value) || Object.keys(value).every((key) => key in (schema.properties as Schema)),
}

function fits(schema: Schema, value: Json): boolean {
  return Object.keys(schema).every((keyword) => {
    if (ANNOTATIONS.has(keyword)) return true
    const judge = KEYWORDS[keyword]
    assert.ok(judge, `the schema uses ${keyword}, which this test does not know`)
    return judge(schema, value)
  })
}

function definition(ref: string): Schema {
  const found = (SCHEMA.$defs as Readonly<Record<string, Schema>>)[ref.replace('#/$defs/', '')]
  assert.ok(found, ref)
  return found
}

function listOf(value: Json | undefined): readonly Json[] {
  return Array.isArray(value) ? value : []
}

function isObject(value: Json): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function typeOf(value: Json): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return typeof value === 'number' && Number.isInteger(value) ? 'integer' : typeof value
}

type Vector = { readonly title: string; readonly code: string; readonly text: string }

function vectors(file: string): readonly Vector[] {
  const parts = readFileSync(new URL(file, VECTORS), 'utf8').split(/^### /m).slice(1)
  return parts.map((part) => {
    const [title = '', code = ''] = part.slice(0, part.indexOf('\n')).split(' | ')
    return { title, code, text: part.slice(part.indexOf('\n') + 1) }
  })
}

/** What shows in the form of one file, without a dictionary, a line or another recipe. */
const OF_FORM = new Set(['MISSING_KEY', 'UNKNOWN_KEY', 'BAD_VALUE', 'UNKNOWN_ACTION', 'UNKNOWN_OPTION'])
/** In form, but of the VR, of another file, or of how a number is written. */
const NOT_THE_SCHEMAS = [
  /constant that its VR forbids/,
  /constant too long/,
  /constant of two values/,
  /error in the extended recipe/,
]

for (const { title, text } of vectors('_valid.txt')) {
  test(`schema takes: ${title}`, () => assert.ok(fits(SCHEMA, parse(text) as Json)))
}

for (const { title, code, text } of vectors('_invalid.txt')) {
  if (!OF_FORM.has(code) || NOT_THE_SCHEMAS.some((one) => one.test(title))) continue
  test(`schema refuses: ${title}`, () => assert.ok(!fits(SCHEMA, parse(text) as Json)))
}

test('the presets and the example of the documentation fit the schema', () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(read('docs/formats/recipe.md'))?.[1] ?? ''
  for (const text of [...PRESETS.values(), example]) assert.ok(fits(SCHEMA, parse(text) as Json))
})

test('schema and documentation name every option, action and key of the parser', () => {
  const page = read('docs/formats/recipe.md')
  const schema = JSON.stringify(SCHEMA)
  for (const name of [...OPTIONS, ...KEYS, ...ACTIONS, ...DOMAINS]) {
    assert.ok(schema.includes(`"${name}"`), `${name} in the schema`)
    assert.match(page, new RegExp(`[\`{] ?${name}[\`: ]`), `${name} in the documentation`)
  }
  assert.deepEqual(Object.keys(SCHEMA.properties as Schema).sort(), [...KEYS].sort())
  assert.deepEqual([...listOf((definition('optionList').items as Schema).enum)], [...OPTIONS])
})
