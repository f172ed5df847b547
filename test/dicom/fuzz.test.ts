// A bounded slice of `npm run fuzz`, always the same one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { campaign, inputOf } from '../../tools/fuzz/campaign.ts'

const CASES = 20_000

test(`${CASES} mutated inputs: only a DicomError, in time, within the bounds`, () => {
  const tally = campaign({ seed: 1, from: 0, to: CASES, step: 1 }, () => {})
  assert.deepEqual(tally.broken, [])
  assert.equal(tally.cases, CASES)
  assert(tally.accepted > CASES / 50, `${tally.accepted} accepted: the mutations break too much`)
  const codes = ['TRUNCATED', 'BAD_VR', 'BAD_TAG', 'BAD_LENGTH', 'NOT_DICOM', 'DUPLICATE_TAG', 'LIMIT_DEPTH']
  for (const code of codes) assert((tally.refused[code] ?? 0) > 0, `${code} was never met`)
})

test('a seed and a number name a case', () => {
  for (const index of [0, 1, 4711]) assert.deepEqual(inputOf(7, index), inputOf(7, index))
  assert.notDeepEqual(inputOf(7, 1), inputOf(7, 2))
  assert.notDeepEqual(inputOf(7, 1), inputOf(8, 1))
})
