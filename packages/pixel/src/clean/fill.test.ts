// Fills touch the mask and nothing else, in every format.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Box } from '@roentgate/dicom'
import fc from 'fast-check'
import type { Raster, Samples } from '../model.ts'
import { maskOf, outside } from './boxes.ts'
import { black, filled } from './fill.ts'

const ROWS = 12
const COLUMNS = 17

function raster(data: Samples, over: Partial<Raster> = {}): Raster {
  const samplesPerPixel = data.length / (ROWS * COLUMNS)
  return {
    rows: ROWS,
    columns: COLUMNS,
    samplesPerPixel,
    bitsStored: 8,
    signed: false,
    photometric: samplesPerPixel === 3 ? 'RGB' : 'MONOCHROME2',
    data,
    ...over,
  }
}

const boxes = fc.array(
  fc.record({
    x: fc.integer({ min: -4, max: 20 }),
    y: fc.integer({ min: -4, max: 15 }),
    width: fc.integer({ min: 0, max: 12 }),
    height: fc.integer({ min: 0, max: 12 }),
  }),
  { maxLength: 4 },
)

const formats: readonly (readonly [string, Raster])[] = [
  ['8-bit grey', raster(grain(new Uint8Array(ROWS * COLUMNS)))],
  ['RGB', raster(grain(new Uint8Array(ROWS * COLUMNS * 3)))],
  ['12-bit signed', raster(grain(new Int16Array(ROWS * COLUMNS)), { bitsStored: 12, signed: true })],
  ['palette', raster(grain(new Uint8Array(ROWS * COLUMNS)), { photometric: 'PALETTE COLOR' })],
]

function grain<T extends Samples>(data: T): T {
  for (let at = 0; at < data.length; at++) data[at] = (at * 7919) % 251
  return data
}

for (const [name, given] of formats) {
  for (const fill of ['black', 'mean', 'inpaint'] as const) {
    test(`${name}, ${fill}: outside the mask every sample is as it was, and the given raster too`, () => {
      const before = given.data.slice()
      fc.assert(
        fc.property(boxes, (list: readonly Box[]) => {
          const mask = maskOf(list, given)
          const { data } = filled(given, list, { fill })
          for (let at = 0; at < data.length; at++) {
            const masked = mask[Math.floor(at / given.samplesPerPixel)] === 1
            if (!masked && data[at] !== given.data[at]) return false
          }
          return true
        }),
        { numRuns: 60, seed: 20261123 },
      )
      assert.deepEqual(given.data, before)
    })
  }
}

test('black is what a display shows as black', () => {
  const one = (over: Partial<Raster>): readonly number[] =>
    black(raster(new Uint8Array(ROWS * COLUMNS), over))
  assert.deepEqual(one({ photometric: 'MONOCHROME2' }), [0])
  assert.deepEqual(one({ photometric: 'MONOCHROME1', bitsStored: 10 }), [1023])
  assert.deepEqual(one({ photometric: 'YBR_FULL', samplesPerPixel: 3 }), [0, 128, 128])
  const signed = raster(new Int16Array(ROWS * COLUMNS).fill(40).fill(-1024, 3, 9), { signed: true })
  assert.deepEqual(black(signed), [-1024])
  const palette = { red: [9, 0, 1], green: [9, 0, 0], blue: [9, 2, 0] }
  assert.deepEqual(
    black(raster(new Uint8Array(ROWS * COLUMNS), { photometric: 'PALETTE COLOR' }), palette),
    [2],
  )
})

test('mean is of the ring around, inpaint of what surrounds each pixel', () => {
  const flat = raster(new Uint8Array(ROWS * COLUMNS).fill(80))
  flat.data.fill(255, 3 * COLUMNS + 3, 3 * COLUMNS + 9)
  const box = { x: 3, y: 3, width: 6, height: 1 }
  for (const fill of ['mean', 'inpaint'] as const) {
    assert.ok(
      filled(flat, [box], { fill }).data.every((value) => value === 80),
      fill,
    )
  }
})

test('what lies outside kept boxes is covered exactly once', () => {
  fc.assert(
    fc.property(boxes, (keep: readonly Box[]) => {
      const size = { rows: ROWS, columns: COLUMNS }
      const kept = maskOf(keep, size)
      const counts = new Uint8Array(ROWS * COLUMNS)
      for (const { x, y, width, height } of outside(keep, size)) {
        for (let row = y; row < y + height; row++) {
          for (let column = x; column < x + width; column++) {
            const at = row * COLUMNS + column
            counts[at] = (counts[at] ?? 0) + 1
          }
        }
      }
      return counts.every((count, at) => count === (kept[at] === 1 ? 0 : 1))
    }),
    { seed: 20261123 },
  )
})
