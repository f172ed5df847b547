// The search that the adversarial tests trust finds what it is meant to find.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaks, slice } from './deid.ts'

test('leaks() finds a canary in each encoding, and none where there is none', () => {
  const canary = 'Zyzzogeton'
  const forms = [
    Buffer.from(`x${canary}y`),
    Buffer.from(canary.toUpperCase()),
    Buffer.from(canary, 'utf16le'),
    Buffer.from(canary, 'utf16le').swap16(),
    ...['', 'a', 'ab'].map((lead) => Buffer.from(Buffer.from(`${lead}${canary}...`).toString('base64'))),
  ]
  for (const form of forms) assert.deepEqual(leaks(form, [canary]), [canary])
  assert.deepEqual(leaks(Buffer.from('nobody at all'), [canary]), [])
})

test('the slice that is de-identified has all of them to begin with', () => {
  assert.deepEqual(leaks(slice(), ['Zyzzogeton', 'Quilla', 'MRN-558201', '19621103']).length, 4)
})
