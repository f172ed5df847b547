// The recipe language by example: vectors of what is taken, vectors of what is refused with its code and line.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Recipe } from '../model.ts'
import { compileRecipe, type RecipeSource } from './compile.ts'
import { RecipeError } from './errors.ts'
import { PRESETS } from './presets.ts'
import { selectorKey } from './selectors.ts'
import { SLICE } from './vectors/dictionary.ts'

const SITE: Readonly<Record<string, string>> = {
  broken: 'recipe: 1\nname: broken\nrule: []\n',
  paths:
    'recipe: 1\nname: paths\nrules:\n  - { select: RequestAttributesSequence/ScheduledProcedureStepDescription, action: clean, reason: r }\n',
  privates:
    'recipe: 1\nname: privates\nrules:\n  - { select: { private: { creator: ACME 1.1, group: 0x0029, element: 0x10 } }, action: keep, reason: r }\n',
  keeps: 'recipe: 1\nname: keeps\nrules:\n  - { select: PatientID, action: keep, reason: r }\n',
}

function compile(source: RecipeSource, edition = '2026d'): Recipe {
  return compileRecipe(source, {
    dictionary: SLICE,
    edition,
    digest: (text) => createHash('sha256').update(text).digest('hex'),
    resolve: (name) => SITE[name],
  })
}

function site(text: string): Recipe {
  return compile({ name: 'site', text: `recipe: 1\nname: site\n${text}` })
}

function actionsOf(recipe: Recipe): readonly (readonly [string, unknown])[] {
  return recipe.rules.map((rule) => [selectorKey(rule.select), rule.action])
}

type Vector = { readonly title: string; readonly expected: readonly string[]; readonly text: string }

function vectors(file: string): readonly Vector[] {
  const all = readFileSync(new URL(`vectors/${file}`, import.meta.url), 'utf8')
  return all
    .split(/^### /m)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n')
      const [title = '', ...expected] = part.slice(0, end).split(' | ')
      return { title, expected, text: part.slice(end + 1) }
    })
}

for (const { title, text } of vectors('_valid.txt')) {
  test(`taken: ${title}`, () => {
    const recipe = compile({ name: 'site', text })
    assert.match(recipe.digest, /^[0-9a-f]{64}$/)
    assert.ok(recipe.description.length <= 64)
  })
}

for (const { title, expected, text } of vectors('_invalid.txt')) {
  test(`refused: ${title}`, () => {
    const [code, line] = expected
    assert.throws(
      () => compile({ name: 'site', text }),
      (error) => {
        assert.ok(error instanceof RecipeError, String(error))
        assert.deepEqual([error.code, error.line], [code, Number(line)], error.message)
        return true
      },
    )
  })
}

test('every code is refused by some vector', () => {
  const source = readFileSync(new URL('errors.ts', import.meta.url), 'utf8')
  const codes = [...source.matchAll(/\| '([A-Z_]+)'/g)].map((match) => match[1])
  const seen = new Set(vectors('_invalid.txt').map(({ expected }) => expected[0]))
  assert.deepEqual(
    codes.filter((code) => !seen.has(code)),
    [],
  )
})

test('an error names the recipe, the line and what may have been meant', () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [
      'rules:\n  - { select: PatientsName, action: keep, reason: r }',
      /recipe site, line 4: .* PatientName\?/,
    ],
    ['rules:\n  - { select: patientname, action: keep, reason: r }', /did you mean PatientName\?/],
    ['rules:\n  - { select: StudyDate, action: shift-dates, reason: r }', /did you mean shift-date\?/],
    ['rules:\n  - { select: Xyzzy, action: keep, reason: r }', /"Xyzzy"$/],
    ['options: [modified-date]', /did you mean modified-dates\?/],
    ['extends: broken', /recipe broken, line 3: unknown key "rule"; did you mean rules\?/],
  ]
  for (const [text, expected] of cases) assert.throws(() => site(text), { message: expected })
})

for (const [name, text] of PRESETS) {
  test(`the preset ${name} compiles under its own name`, () => {
    const recipe = compile({ name, text })
    assert.equal(recipe.name, name)
    assert.equal(recipe.description, `Roentgate recipe ${name}, PS3.15 2026d`)
  })
}

test('the presets retain what they say and no more', () => {
  const of = (name: string): Recipe => compile({ name, text: PRESETS.get(name) ?? '' })
  const options = (name: string): readonly string[] => [...of(name).options].sort()
  assert.deepEqual([options('basic'), of('basic').rules, of('basic').dates], [[], [], { kind: 'remove' }])
  assert.deepEqual(options('safe-harbor'), ['descriptors'])
  assert.deepEqual([of('safe-harbor').safeHarbor, of('safe-harbor').dates], [true, { kind: 'year' }])
  assert.deepEqual(options('limited-data-set'), [
    'descriptors',
    'full-dates',
    'graphics',
    'patient',
    'structured',
  ])
  assert.deepEqual(options('research'), [
    'descriptors',
    'graphics',
    'modified-dates',
    'patient',
    'safe-private',
    'structured',
  ])
  assert.deepEqual(of('research').dates, { kind: 'shift', maxDays: 1825 })
  for (const name of PRESETS.keys()) assert.equal(of(name).knowledgeBase, false)
})

test('precedence: own rules over extended ones, then the more specific', () => {
  const recipe = site(`extends: research
rules:
  - { select: 'group:0x0040', action: remove, reason: r }
  - { select: 'vr:PN', action: empty, reason: r }
  - { select: { private: { creator: ACME 1.1, group: 0x0029 } }, action: remove, reason: r }
  - { select: { private: { creator: ACME 1.1, group: 0x0029, element: 0x10 } }, action: keep, reason: r }
  - { select: PatientSex, action: remove, reason: r }
  - { select: AccessionNumber, action: remove, reason: r }
  - { select: RequestAttributesSequence/PatientSex, action: keep, reason: r }`)
  assert.deepEqual(actionsOf(recipe), [
    ['(0040,0275)/(0010,0040)', 'keep'],
    ['(0008,0050)', 'remove'],
    ['(0010,0040)', 'remove'],
    ['(0029,xx10) ACME 1.1', 'keep'],
    ['(0029,xxxx) ACME 1.1', 'remove'],
    ['vr:PN', 'empty'],
    ['group:0x0040', 'remove'],
    ['(0010,1010)', { kind: 'cap-age' }],
    ['(0018,1000)', { kind: 'pseudonym', domain: 'device-serial' }],
    ['(0020,0010)', { kind: 'pseudonym', domain: 'study-id' }],
  ])
  assert.equal(recipe.rules[0]?.name, 'rule 7 (line 11)')
  assert.match(recipe.rules[7]?.name ?? '', /^research: rule 1 \(line \d+\)$/)
})

test('options: a list replaces, add and remove amend, dates decide the date options', () => {
  const options = (text: string): readonly string[] => [...site(`extends: research\n${text}`).options].sort()
  assert.deepEqual(options('options: [uids]'), ['uids'])
  assert.deepEqual(options('options: { remove: [modified-dates, graphics] }'), [
    'descriptors',
    'patient',
    'safe-private',
    'structured',
  ])
  assert.ok(options('dates: keep').includes('full-dates'))
  assert.ok(!options('dates: keep').includes('modified-dates'))
  assert.deepEqual(site('options: [modified-dates]').dates, { kind: 'shift', maxDays: 3650 })
  assert.deepEqual(site('extends: research\noptions: { add: [uids] }').dates, {
    kind: 'shift',
    maxDays: 1825,
  })
})

test('the digest follows what decides, and nothing else', () => {
  const rules = [
    `  - { select: PatientSex, action: keep, reason: one }`,
    `  - { select: 'vr:PN', action: remove, reason: two }`,
  ]
  const base = site(`options: [uids, descriptors]\nrules:\n${rules.join('\n')}`).digest
  const same = [
    `# a comment\noptions: [descriptors, uids]\nrules:\n${[...rules].reverse().join('\n')}`,
    `extends: basic\noptions: [uids, descriptors]\nrules:\n${rules.join('\n').replace('one', 'another reason')}`,
    `options: [uids, descriptors]\nrules:\n${rules.join('\n').replace('PatientSex', "'(0010,0040)'")}`,
  ]
  for (const text of same) assert.equal(site(text).digest, base)
  const other = [
    `options: [uids]\nrules:\n${rules.join('\n')}`,
    `options: [uids, descriptors]\nrules:\n${rules[0]}`,
    `options: [uids, descriptors]\nrules:\n${rules.join('\n').replace('keep', 'empty')}`,
    `options: [uids, descriptors]\npatient-id: { digits: 11 }\nrules:\n${rules.join('\n')}`,
    `options: [uids, descriptors]\ndates: year\nrules:\n${rules.join('\n')}`,
    `options: [uids, descriptors]\npixels: { regions: true }\nrules:\n${rules.join('\n')}`,
    `options: [uids, descriptors]\npixels: { devices: [{ name: d, when: { model: M }, blank: [[0, 0, 1, 1]], reason: r }] }\nrules:\n${rules.join('\n')}`,
    `options: [uids, descriptors]\ndescription: another\nrules:\n${rules.join('\n')}`,
  ]
  assert.equal(new Set([base, ...other.map((text) => site(text).digest)]).size, other.length + 1)
  const text = PRESETS.get('basic') ?? ''
  assert.notEqual(compile({ name: 'basic', text }).digest, compile({ name: 'basic', text }, '2027a').digest)
})

test('a chain of recipes has an end', () => {
  const chain = (name: string): string => `recipe: 1\nname: ${name}\nextends: ${name}x\n`
  const world = { dictionary: SLICE, edition: '2026d', digest: () => '', resolve: chain }
  assert.throws(() => compileRecipe({ name: 'a', text: chain('a') }, world), { code: 'LIMIT' })
  const two = (name: string): string => `recipe: 1\nname: ${name}\nextends: ${name === 'a' ? 'b' : 'a'}\n`
  assert.throws(() => compileRecipe({ name: 'a', text: two('a') }, { ...world, resolve: two }), {
    code: 'EXTENDS_CYCLE',
  })
})

test('limits: length, nesting, selectors', () => {
  const head = 'recipe: 1\nname: site\n'
  const many = Array.from({ length: 2001 }, () => 'PatientSex').join(', ')
  const cases = [
    `${head}# ${'x'.repeat(300_000)}`,
    `${head}rules: ${'['.repeat(100_000)}`,
    `${head}rules:\n  - { select: [${many}], action: keep, reason: r }`,
  ]
  for (const text of cases) assert.throws(() => compile({ name: 'site', text }), { code: 'LIMIT' })
})

test('whatever the text, the answer is a recipe or a RecipeError', () => {
  const seeds = [...PRESETS.values(), ...vectors('_valid.txt').map(({ text }) => text)]
  const edit = fc.record({
    seed: fc.integer({ min: 0, max: seeds.length - 1 }),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.integer({ min: 0, max: 12 }),
    insert: fc.oneof(
      fc.string({ maxLength: 6 }),
      fc.constantFrom('\n', '  - ', ': ', '{', ']', '*a', '!!', '%', '"'),
    ),
  })
  fc.assert(
    fc.property(edit, ({ seed, at, cut, insert }) => {
      const text = seeds[seed] ?? ''
      const from = Math.floor(at * text.length)
      try {
        compile({ name: 'site', text: text.slice(0, from) + insert + text.slice(from + cut) })
      } catch (error) {
        assert.ok(error instanceof RecipeError, String(error))
        assert.ok(error.line >= 1)
      }
    }),
    { numRuns: 1500 },
  )
})
