// Ages over 89: values and text, both directions.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { capAge, capAgesInText, impliesOver89 } from './ages.ts'

const VALUES: readonly (readonly [string, string | undefined])[] = [
  ['089Y', '089Y'],
  ['090Y', '090Y'],
  ['091Y', '090Y'],
  ['104Y', '090Y'],
  ['104y ', '090Y'],
  ['1079M', '1079M'],
  ['1080M', '090Y'],
  ['1200M', '090Y'],
  ['999M', '999M'],
  ['999W', '999W'],
  ['4697W', '090Y'],
  ['003D', '003D'],
  ['33000D', '090Y'],
  ['95', undefined],
  ['ninety', undefined],
  ['', ''],
]

const TEXT: readonly (readonly [string, string])[] = [
  ['95-year-old woman', '90+-year-old woman'],
  ['95 year old', '90+ year old'],
  ['a 101 y/o man', 'a 90+ y/o man'],
  ['92yo F', '90+yo F'],
  ['aged 95', 'aged 90+'],
  ['95 ans', '90+ ans'],
  ['age: 101', 'age: 90+'],
  ['Age 93', 'Age 90+'],
  ['95-jährige Patientin', '90+-jährige Patientin'],
  ['95 años', '90+ años'],
  ['095Y', '090Y'],
  // Must stay.
  ['89-year-old', '89-year-old'],
  ['90Y microspheres', '90Y microspheres'],
  ['Y-90 SIRT', 'Y-90 SIRT'],
  ['95 % stenosis', '95 % stenosis'],
  ['120 kVp 95 mA', '120 kVp 95 mA'],
  ['TE 95 TR 100', 'TE 95 TR 100'],
  ['1.95 years', '1.95 years'],
  ['1995 years', '1995 years'],
  ['average: 95', 'average: 95'],
  ['image: 101', 'image: 101'],
  ['age: 90+', 'age: 90+'],
  ['page 99', 'page 99'],
]

test('AS values', () => {
  for (const [value, expected] of VALUES) assert.equal(capAge(value), expected, value)
})

test('ages in text; a second pass changes nothing', () => {
  for (const [text, expected] of TEXT) {
    assert.equal(capAgesInText(text), expected)
    assert.equal(capAgesInText(expected), expected)
  }
})

test('an age that two dates imply', () => {
  assert.equal(impliesOver89('19290521', '20200521'), true)
  assert.equal(impliesOver89('19300522', '20200521'), false)
  assert.equal(impliesOver89('', '20200521'), undefined)
})
