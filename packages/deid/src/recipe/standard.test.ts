// Recipes against the whole of PS3.6, as the program compiles them.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { keywords, lookup, type Tag, tagOf } from '@roentgate/dicom'
import type { Recipe } from '../model.ts'
import { compileRecipe } from './compile.ts'
import type { Dictionary } from './dictionary.ts'
import { PRESETS } from './presets.ts'
import { IDENTIFYING_ATTRIBUTES } from './safe-harbor.ts'
import { SLICE } from './vectors/dictionary.ts'

const STANDARD: Dictionary = { tagOf, vrsOf: (t: Tag) => lookup(t)?.vrs, keywords }

function compile(text: string): Recipe {
  const digest = (canonical: string): string => createHash('sha256').update(canonical).digest('hex')
  return compileRecipe({ name: 'site', text }, { dictionary: STANDARD, edition: '2026d', digest })
}

function rule(select: string, action: string): Recipe {
  return compile(`recipe: 1\nname: site\nrules:\n  - { select: ${select}, action: ${action}, reason: r }\n`)
}

for (const [name, text] of PRESETS) {
  test(`the preset ${name} compiles against the standard`, () => assert.equal(compile(text).name, name))
}

test('the example of the documentation compiles', () => {
  const page = readFileSync(new URL('../../../../docs/formats/recipe.md', import.meta.url), 'utf8')
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  assert.equal(compile(example).rules.length, 4 + 4)
})

test('the Safe Harbor list names attributes as the standard does', () => {
  for (const [, t, keyword] of IDENTIFYING_ATTRIBUTES) assert.equal(tagOf(keyword), t, keyword)
})

test('the slice that the vectors use is a slice of the standard', () => {
  for (const keyword of SLICE.keywords()) {
    const t = SLICE.tagOf(keyword)
    assert.ok(t !== undefined)
    assert.equal(tagOf(keyword), t)
    assert.deepEqual(lookup(t)?.vrs, SLICE.vrsOf(t), keyword)
  }
})

test('numbers that no attribute has, whatever the dictionary says of their group', () => {
  for (const select of ["'(0029,1010)'", "'(0029,0010)'"]) {
    assert.throws(() => rule(select, 'keep'), { code: 'PRIVATE_WITHOUT_CREATOR' })
  }
  for (const select of ["'00291010'", "'ABCDABCD'", "'(0012,9999)'"]) {
    assert.throws(() => rule(select, 'keep'), { code: 'UNKNOWN_TAG' })
  }
  assert.throws(() => rule("'(0010,0000)'", 'keep'), { code: 'PROTECTED_TAG' })
  assert.throws(() => rule("'(0008,0000)'", 'remove'), { code: 'PROTECTED_TAG' })
})

test('a tag of a repeating group is an attribute of the standard', () => {
  assert.deepEqual(rule("'(6000,4000)'", 'remove').rules[0]?.select, { kind: 'tag', tag: 0x60004000 })
})
