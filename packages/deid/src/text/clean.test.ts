// Cleaned text: whole sentences, limits, idempotence.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CleanOptions, cleaner, cleanText, MARKER } from './clean.ts'
import { compileIdentifiers } from './identifiers.ts'

const identifiers = compileIdentifiers([
  { kind: 'name', value: 'Zwingli^Marigold^Q=山田^太郎' },
  { kind: 'id', value: 'MRN-558201' },
  { kind: 'accession', value: 'A7731' },
  { kind: 'date', value: '19700812' },
  { kind: 'phone', value: '(217) 555-0142' },
  { kind: 'institution', value: 'Hopital Cochin' },
  { kind: 'person', value: 'Welbyson^Marcus' },
])
const REMOVE: CleanOptions = { identifiers, dates: { kind: 'remove' }, ages: 'cap' }
const SHIFT: CleanOptions = { identifiers, dates: { kind: 'shift', days: -30 }, ages: 'keep' }
const KEEP: CleanOptions = { identifiers, dates: { kind: 'keep' }, ages: 'keep' }

const VECTORS: readonly (readonly [CleanOptions, string, string])[] = [
  [REMOVE, 'CT Thorax of Marigold Zwingli, MRN 558201', 'CT Thorax of [REMOVED]'],
  [REMOVE, 'ZWINGLI^MARIGOLD', '[REMOVED]'],
  [REMOVE, 'Zwingli  Thorax', '[REMOVED] Thorax'],
  [REMOVE, 'compared to 05/21/2019', 'compared to [REMOVED]'],
  [REMOVE, '95-year-old, born 12-AUG-1970', '90+-year-old, born [REMOVED]'],
  [REMOVE, '患者山田太郎の検査', '患者[REMOVED]の検査'],
  [REMOVE, 'Dr. Welbyson at Hôpital Cochin, tel 217-555-0142', 'Dr. [REMOVED] at [REMOVED], tel [REMOVED]'],
  [SHIFT, 'compared to 05/21/2019', 'compared to 04/21/2019'],
  [SHIFT, 'born 1970-08-12', 'born 1970-07-13'],
  [SHIFT, 'born 08121970', 'born [REMOVED]'],
  [SHIFT, '2019-06-20 and 2019-05-21', '2019-05-21 and 2019-04-21'],
  [SHIFT, 'born 1970-09-11', 'born 1970-08-12'],
  [SHIFT, '95-year-old', '95-year-old'],
  [KEEP, 'on 2019-05-21', 'on 2019-05-21'],
  [KEEP, 'born 1970-08-12', 'born [REMOVED]'],
]

const UNTOUCHED: readonly string[] = [
  '',
  'x',
  '  Thorax  1.0  B31f ',
  'T1_SE_TRA',
  'ORIGINAL\\PRIMARY\\AXIAL',
  '512\\512',
  'UID 1.2.840.10008.5.1.4.1.1.2',
  'L4-L5',
  'Series 3 of 12',
  'MR HEAD W:400 L:40',
  'Software VB17A 10.12.15',
]

test('sentences', () => {
  for (const [options, text, expected] of VECTORS) assert.equal(cleanText(text, options).text, expected)
})

test('a text in which nothing is found comes back as it was', () => {
  for (const options of [REMOVE, SHIFT, KEEP]) {
    for (const text of UNTOUCHED) assert.deepEqual(cleanText(text, options), { text, removed: [] })
  }
})

test('what was done is counted by kind, without a value', () => {
  const { removed } = cleanText('Zwingli, Zwingli (A7731) 2019-05-21', SHIFT)
  assert.deepEqual(
    new Map(removed.map(({ kind, count }) => [kind, count])),
    new Map([
      ['name', 2],
      ['accession', 1],
      ['date-shifted', 1],
    ]),
  )
})

test('instance UIDs are mapped by value, class UIDs stay', () => {
  const uid = (value: string) => `2.25.${value.length}000000000000`
  const text = 'see 1.3.12.2.1107.5.1.4.20190521 in 1.2.840.10008.5.1.4.1.1.2 at v1.2.3'
  const cleaned = cleanText(text, { ...REMOVE, uid })
  assert.equal(
    cleaned.text,
    'see 2.25.31000000000000 in 1.2.840.10008.5.1.4.1.1.2 at v1.2.3'.replace(
      '31000',
      `${'1.3.12.2.1107.5.1.4.20190521'.length}000`,
    ),
  )
  assert.deepEqual(cleaned.removed, [{ kind: 'uid-mapped', count: 1 }])
  assert.equal(cleanText('1.3.12.2.1107.5.1.4.558201.7', KEEP).text, '1.3.12.2.1107.5.1.4.558201.7')
})

test('a limit is kept: markers go first, then the end', () => {
  assert.equal(cleanText('Zwingli CT', { ...REMOVE, maxLength: 16 }).text, '[REMOVED] CT')
  assert.equal(cleanText('Li A7731 Abdomen', { ...REMOVE, maxLength: 16 }).text, 'Li Abdomen')
  assert.equal(cleanText('Zwingli', { ...REMOVE, maxLength: 4 }).text, '')
  assert.equal(cleanText('x'.repeat(20), { ...REMOVE, maxLength: 16 }).text, 'x'.repeat(16))
  assert.equal(
    cleanText('1 May 1970', { ...SHIFT, dates: { kind: 'shift', days: -3 }, maxLength: 10 }).text,
    '28 Apr 197',
  )
})

test('a remembering cleaner says the same', () => {
  const clean = cleaner(REMOVE)
  for (const [, text] of VECTORS) {
    assert.deepEqual(clean(text, 64), cleanText(text, { ...REMOVE, maxLength: 64 }))
    assert.equal(clean(text, 64), clean(text, 64))
    assert.deepEqual(clean(text), cleanText(text, REMOVE))
  }
})

const piece = fc.constantFrom(
  'Zwingli', 'marigold', 'ZWINGLI^MARIGOLD', '山田', '太郎', 'MRN-558201', '558201', 'A7731', '19700812', '2019-05-21',
  '5/21/19', '12-AUG-1970', '217-555-0142', 'Dr. ', 'Mr ', 'Name: ', 'tel ', 'Hopital', 'Cochin', '95-year-old', 'aged 99',
  'a@b.org', 'MRN: ', '1.2.3.4.5.6.7.8.9.10', ' ', ', ', '^', '.', '-', '5', '58201', '217', '0142', MARKER, 'CT', 'Thorax',
) // biome-ignore format: one table
const texts = fc
  .array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 12 })
  .map((parts) => parts.join(''))

test('cleaning again changes nothing, within any limit', () => {
  for (const options of [REMOVE, KEEP]) {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 64 }), (text, maxLength) => {
        const once = cleanText(text, { ...options, maxLength })
        assert.ok(once.text.length <= maxLength)
        assert.equal(cleanText(once.text, { ...options, maxLength }).text, once.text)
        assert.ok(!once.removed.some(({ kind }) => kind === 'unsettled'))
      }),
      { numRuns: 2000 },
    )
  }
})

test('no canary survives among other words', () => {
  const words = fc.array(fc.constantFrom('CT', 'thorax', 'of', 'series', '3', 'axial'), { maxLength: 4 })
  const canary = fc.constantFrom(
    'Zwingli',
    'ZWINGLI^MARIGOLD',
    'marigold zwingli',
    'M. Zwingli',
    '山田太郎',
    '558201',
    'A7731',
    '12.08.1970',
  )
  fc.assert(
    fc.property(words, canary, words, (before, planted, after) => {
      const { text } = cleanText([...before, planted, ...after].join(' '), REMOVE)
      assert.ok(!/zwingli|marigold|山田|太郎|558201|a7731|1970/i.test(text))
      for (const word of [...before, ...after]) assert.ok(text.includes(word))
    }),
  )
})
