// What stays under the policy `identifiers`, and what does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isHarmless, matchesIdentifier } from './policy.ts'

const WORDS = ['DELACROIX^Hugo', '30045518', '1988-06-30', 'Saint Mary Hospital']

for (const text of [
  'R',
  'L',
  'PA ERECT',
  'SEMI-UPRIGHT PORTABLE',
  '12.5 mm',
  '120 kV',
  '10 cm',
  'W 400 L: 40',
  'R LAT',
]) {
  test(`stays: ${text}`, () => assert.ok(isHarmless(text) && !matchesIdentifier(text, WORDS)))
}

for (const text of [
  'SMITH',
  '30045518',
  '06/30/1988',
  'DOB 12',
  'R SMITH',
  '1234567',
  '',
  'St Mary',
  '555 1234 99',
]) {
  test(`goes: ${text}`, () => assert.ok(!isHarmless(text)))
}

for (const text of [
  'DELACR0IX',
  'DE LACROIX HUGO',
  'DELACROlX',
  'DELACRO1X,HUGO',
  '3OO455I8',
  '30045S18',
  '1988 06 30',
  'SAlNT MARY',
  'HU60',
]) {
  test(`is the patient's: ${text}`, () => assert.ok(matchesIdentifier(text, WORDS)))
}

test('ordinary words are not the patient', () => {
  for (const text of ['PORTABLE', 'SUPINE', 'LATERAL', 'THORAX'])
    assert.ok(!matchesIdentifier(text, WORDS), text)
})
