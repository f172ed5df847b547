// Cells, blinds and tokens: what opens where, what can be compared, and how names match.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Cell, openColumns } from './columns.ts'
import { nameMatcher, normaliseName, wildcard } from './names.ts'
import { uuid7 } from './uuid.ts'

const columns = openColumns(Buffer.alloc(32, 7))
const cell: Cell = { table: 'patients', column: 'name', row: uuid7(1_700_000_000_000) }

test('open(seal(text)) is the text, whatever it ends with', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
      assert.equal(columns.open(cell, columns.seal(cell, text)), text)
    }),
  )
})

test('a cell opens in its own place, unchanged, with its key', () => {
  const sealed = columns.seal(cell, 'DOE^JANE')
  const bad = { name: 'IndexError', code: 'BAD_CELL' }
  for (const other of [
    { ...cell, row: uuid7(0) },
    { ...cell, column: 'birth' },
    { ...cell, table: 'studies' as const },
  ]) {
    assert.throws(() => columns.open(other, sealed), bad)
  }
  assert.throws(() => openColumns(Buffer.alloc(32, 8)).open(cell, sealed), bad)
  for (let i = 0; i < sealed.length; i++) {
    const changed = Buffer.from(sealed)
    changed[i] = (changed[i] ?? 0) ^ 1
    assert.throws(() => columns.open(cell, changed), bad)
  }
  assert.throws(() => columns.open(cell, sealed.subarray(0, 20)), bad)
})

test('equal texts have different ciphers of equal length, and equal blinds in one column only', () => {
  const [a, b] = [columns.seal(cell, 'DOE^JANE'), columns.seal(cell, 'DOE^JANE')]
  assert.notDeepEqual(a, b)
  assert.equal(a.length, columns.seal(cell, 'LEE').length)
  assert.deepEqual(columns.blind('patients.pid', '1'), columns.blind('patients.pid', '1'))
  assert.notDeepEqual(columns.blind('patients.pid', '1'), columns.blind('studies.accession', '1'))
})

test('tokens are padded to a multiple and hold those of every pattern that the name matches', () => {
  const tokens = columns.nameTokens('Doe^Jane^^Dr=山田^花子')
  assert.equal(tokens.length % 16, 0)
  assert.equal(new Set(tokens).size, tokens.length)
  for (const pattern of ['doe*', 'DOE^J*', 'D*', 'DOE^JANE^^DR', '山*', '山田^花*', 'DOE^JANE^*', '*']) {
    const wanted = columns.patternTokens(pattern)
    assert.ok(
      wanted.every((token) => tokens.includes(token)),
      pattern,
    )
    assert.ok(wanted.length > 0 || pattern === '*')
  }
  for (const pattern of ['E*', 'DOF*', 'DOE^A*', '花*']) {
    assert.ok(!columns.patternTokens(pattern).every((token) => tokens.includes(token)), pattern)
  }
})

const MATCHES: readonly (readonly [pattern: string, name: string, does: boolean])[] = [
  ['DOE^JANE', 'Doe^Jane', true],
  ['DOE^JANE', 'DOE^JANE^^^', true],
  ['DOE', 'DOE^JANE', false],
  ['DOE*', 'DOE^JANE', true],
  ['*JANE', 'DOE^JANE', true],
  ['D?E^J*', 'DOE^JANE', true],
  ['D?E', 'DE', false],
  ['*', '', true],
  ['山田*', 'YAMADA^TARO=山田^太郎', true],
  ['=山田*', 'YAMADA^TARO=山田^太郎', true],
  ['山田*=', 'YAMADA^TARO=山田^太郎', true],
  ['YAMADA*=鈴*', 'YAMADA^TARO=山田^太郎', false],
  ['MU\u0308LLER*', 'Müller^Hans', true],
  ['a*b*c', 'axxbxxc', true],
  ['a*b*c', 'axxbxx', false],
]

test('names match as PS3.4 C.2.2.2 says', () => {
  for (const [pattern, name, does] of MATCHES)
    assert.equal(nameMatcher(pattern)(name), does, `${pattern} ${name}`)
})

test('a wildcard is what its regular expression is, and never slow', () => {
  const unit = fc.constantFrom('a', 'b', '*', '?')
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 8 }), fc.string({ unit, maxLength: 8 }), (pattern, text) => {
      const source = pattern.replaceAll('?', '[^]').replaceAll('*', '[^]*')
      assert.equal(wildcard(pattern)(text), new RegExp(`^${source}$`).test(text))
    }),
  )
  assert.equal(wildcard(`${'*a'.repeat(30)}b`)('a'.repeat(2000)), false)
})

test('normalising a name twice changes nothing', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (name) => {
      const once = normaliseName(name)
      assert.equal(normaliseName(once), once)
    }),
  )
})
