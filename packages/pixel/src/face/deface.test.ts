// A head of formulas loses its face and keeps its brain; what is no head is refused. More of them, finer and of every
// orientation, are in test/pixel.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { airOf, planDeface } from './deface.ts'
import { isRefused, stacksOf } from './geometry.ts'
import { type Scan, scanOf } from './phantom.ts'
import { assertDefaced, planned, volumeOf } from './phantom-checks.ts'

const AXIAL_CT: Scan = { modality: 'CT', plane: 'axial', pixel: 2.5, step: 4, series: 'A' }

test('one cut serves another series of its Frame of Reference', () => {
  const slices = scanOf(AXIAL_CT)
  const cut = planned(slices)
  assertDefaced(slices, cut)
  assertDefaced(scanOf({ modality: 'MR', plane: 'sagittal', pixel: 3, step: 5, series: 'B' }), cut)
})

suite('what cannot be cut is refused', () => {
  test('a header that says front for back', () => {
    assert.equal(planDeface(volumeOf(scanOf({ ...AXIAL_CT, flipped: true }))).kind, 'refused')
  })
  test('the top of a head', () => {
    const top = scanOf(AXIAL_CT).slice(45)
    assert.equal(planDeface(volumeOf(top)).kind, 'refused')
  })
  test('air', () => {
    const { data, ...volume } = volumeOf(scanOf({ ...AXIAL_CT, pixel: 5, step: 8 }))
    assert.equal(planDeface({ ...volume, data: data.map(() => -1000) }).kind, 'refused')
  })
  test('too few slices, uneven slices', () => {
    const facts = scanOf({ ...AXIAL_CT, pixel: 20 }).map((slice) => slice.facts)
    const few = stacksOf(facts.slice(0, 8))[0]
    const uneven = stacksOf(facts.filter((_, index) => index !== 20))[0]
    assert.ok(few && isRefused(few) && uneven && isRefused(uneven))
  })
})

test('air is the nearest that pixels can hold', () => {
  const [slice] = scanOf({ ...AXIAL_CT, pixel: 20 })
  assert.ok(slice)
  assert.equal(airOf(slice.facts), 24)
  assert.equal(airOf({ ...slice.facts, intercept: 0, range: [0, 4095] }), 0)
  assert.equal(airOf({ ...slice.facts, intercept: 0, range: [-2048, 2047] }), -1000)
  assert.equal(airOf({ ...slice.facts, modality: 'MR', intercept: 0, range: [-2048, 2047] }), 0)
})
