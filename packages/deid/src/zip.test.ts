// ZIP codes: what may stay and what may not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RESTRICTED_ZIP3, RESTRICTED_ZIP3_2000, zip3 } from './zip.ts'

const VECTORS: readonly (readonly [string, string | undefined])[] = [
  ['80303', '803'],
  ['80303-1234', '803'],
  ['80303 1234', '803'],
  ['803031234', '803'],
  [' 02115 ', '021'],
  ['03601', '000'],
  ['06390', '063'],
  ['20500', '000'],
  ['09012', '000'],
  ['96201', '000'],
  ['00000', '000'],
  ['000', undefined],
  ['803', undefined],
  ['8030', undefined],
  ['K1A 0B1', undefined],
  ['SW1A 1AA', undefined],
  ['8030A', undefined],
  ['123456', undefined],
  ['', undefined],
]

test('three digits, 000, or nothing', () => {
  for (const [value, expected] of VECTORS) assert.equal(zip3(value), expected, value)
})

test('the list can be another', () => {
  assert.equal(RESTRICTED_ZIP3.size, 18)
  assert.equal(RESTRICTED_ZIP3_2000.size, 17)
  assert.equal(zip3('06390', RESTRICTED_ZIP3_2000), '000')
  assert.equal(zip3('20500', RESTRICTED_ZIP3_2000), '205')
})
