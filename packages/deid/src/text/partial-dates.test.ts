// Partial dates: what goes, and what only looks like one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanText } from './clean.ts'
import { compileIdentifiers } from './identifiers.ts'

const identifiers = compileIdentifiers([])
const clean = (text: string, kind: 'remove' | 'keep'): string =>
  cleanText(text, { identifiers, dates: { kind }, ages: 'keep' }).text

const GONE: readonly (readonly [string, string])[] = [
  ['follow-up May 2019', 'follow-up [REMOVED]2019'],
  ['Prior MRI of SEPT 2018', 'Prior MRI of [REMOVED]2018'],
  ['seen 05/2019', 'seen [REMOVED]2019'],
  ['seen 2019-05 again', 'seen 2019[REMOVED] again'],
  ['discharged 21 May', 'discharged [REMOVED]'],
  ['on March 3rd', 'on [REMOVED]'],
  ['am 3. November', 'am [REMOVED]'],
]

const STAYS: readonly string[] = [
  '2 may be seen',
  'L4-5 2019',
  '12/200 frames',
  'Series 3 of 12',
  'T2 2mm 3/10',
  'march 3 mm',
  'version 2019.05',
  '512/2048',
]

test('the month and the day go, the year stays', () => {
  for (const [text, expected] of GONE) {
    assert.equal(clean(text, 'remove'), expected)
    assert.equal(clean(text, 'keep'), text)
  }
})

test('numbers that are no dates stay', () => {
  for (const text of STAYS) assert.equal(clean(text, 'remove'), text)
})

test('cleaning again changes nothing', () => {
  for (const [text] of GONE) assert.equal(clean(clean(text, 'remove'), 'remove'), clean(text, 'remove'))
})
