// What is found of a policy that shows too much, and that nothing is found of ours.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../nodes/registry.ts'
import { findingsOf } from './findings.ts'
import { PURPOSES } from './subject.ts'
import { POLICY, type Row } from './table.ts'

const node: Node = {
  ae: 'X',
  addresses: ['10.0.0.1'],
  fingerprints: [],
  services: ['find', 'get', 'move'],
  outside: false,
  blocked: false,
}

test('nothing is found of our own table, whatever a node is for', () => {
  assert.deepEqual(findingsOf(PURPOSES.map((purpose) => ({ ...node, purpose }))), [])
})

for (const purpose of ['research', 'payment'] as const)
  test(`a door for ${purpose} without a view is a finding`, () => {
    const row: Row = {
      id: 'wide',
      who: ['researcher'],
      may: ['studies.search'],
      purposes: [purpose],
      because: 'x',
    }
    const [finding] = findingsOf([], [...POLICY, row])
    assert.deepEqual([finding?.kind, finding?.where], ['row-without-view', 'wide'])
    assert.equal(findingsOf([], [{ ...row, view: 'full' }]).length, 1)
    assert.equal(findingsOf([], [{ ...row, view: 'limited' }]).length, 0)
    assert.equal(findingsOf([], [{ ...row, purposes: ['treatment'] }]).length, 0)
  })
