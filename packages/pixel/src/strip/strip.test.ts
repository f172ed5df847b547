// Whatever the bytes, a stripper gives them back, gives fewer, or refuses; and what it gave it leaves alone.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataset, type Element, make, newFile, type Tag, Tags, type Uid } from '@roentgate/dicom'
import fc from 'fast-check'
import { PixelError } from '../errors.ts'
import { blankedProfile } from './icc.ts'
import { strippedJpeg } from './jpeg.ts'
import { strippedJpeg2000 } from './jpeg-2000.ts'
import { tidiedPixels } from './tidy.ts'

const bytes = (...values: readonly (number | string)[]): Uint8Array =>
  Uint8Array.from(
    values.flatMap((value) => (typeof value === 'number' ? [value] : [...Buffer.from(value, 'latin1')])),
  )

const SOI = [0xff, 0xd8]
const SCAN = [0xff, 0xda, 0, 3, 0, 1, 2, 0xff, 0, 3, 0xff, 0xd0, 4, 0xff, 0xd9]

test('JPEG: comments between scans, fill bytes and a second scan', () => {
  const scan = SCAN.slice(0, -2)
  const dirty = bytes(...SOI, 0xff, 0xff, 0xfe, 0, 4, 'ab', ...scan, 0xff, 0xfe, 0, 4, 'ab', ...SCAN)
  assert.deepEqual(strippedJpeg(dirty), bytes(...SOI, ...scan, ...SCAN))
})

test('JPEG: Adobe and JFIF stay, in their fixed form', () => {
  const adobe = [0xff, 0xee, 0, 14, 'Adobe', 0, 100, 0, 0, 0, 0, 1]
  const jfif = (...thumbnail: readonly (number | string)[]) => [
    0xff,
    0xe0,
    0,
    16 + thumbnail.length - 2,
    'JFIF',
    0,
    1,
    2,
    0,
    0,
    1,
    0,
    1,
    ...thumbnail,
  ]
  const clean = bytes(...SOI, ...jfif(0, 0), ...adobe, ...SCAN)
  assert.equal(strippedJpeg(clean), clean)
  assert.deepEqual(
    strippedJpeg(bytes(...SOI, ...jfif(1, 1, 7, 8, 9), ...SCAN)),
    bytes(...SOI, ...jfif(0, 0), ...SCAN),
  )
  const long = bytes(...SOI, 0xff, 0xee, 0, 16, 'Adobe', 0, 100, 0, 0, 0, 0, 1, 'xy', ...SCAN)
  assert.deepEqual(strippedJpeg(long), bytes(...SOI, ...SCAN))
})

test('JPEG-LS: a byte below 80 after FF belongs to the scan', () => {
  const stream = bytes(...SOI, 0xff, 0xf7, 0, 3, 8, 0xff, 0xda, 0, 3, 0, 1, 0xff, 0x7f, 2, 0xff, 0xd9)
  assert.equal(strippedJpeg(stream), stream)
})

test('what is no stream is refused', () => {
  for (const wrong of [bytes(), bytes(1, 2, 3), bytes(...SOI, 0xff, 0xe1, 0xff, 0xff, 1), bytes(...SOI, 7)])
    assert.throws(() => strippedJpeg(wrong), { code: 'DECODE_FAILED' })
  for (const wrong of [
    bytes(),
    bytes(0xff, 0x4f, 0xff, 0x51, 0xff, 0xff),
    bytes(0, 0, 0, 99, 'jP  ', 1, 2, 3, 4),
  ])
    assert.throws(() => strippedJpeg2000(wrong), { code: 'DECODE_FAILED' })
})

test('a profile that is none, or whose tags lie, keeps nothing', () => {
  assert.ok(blankedProfile(bytes('not a profile at all')).every((byte) => byte === 0))
})

for (const [name, strip, head] of [
  ['JPEG', strippedJpeg, SOI],
  ['JPEG 2000', strippedJpeg2000, [0xff, 0x4f]],
  ['JP2', strippedJpeg2000, [0, 0, 0, 12, 0x6a, 0x50, 0x20, 0x20, 0x0d, 0x0a, 0x87, 0x0a]],
  ['ICC', blankedProfile, []],
] as const) {
  test(`${name}: any bytes`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (rest) => {
        const given = bytes(...head, ...rest)
        try {
          const once = strip(given)
          assert.ok(once.length <= given.length)
          assert.deepEqual(strip(once), once)
        } catch (error) {
          assert.ok(error instanceof PixelError, String(error))
        }
      }),
      { numRuns: 400 },
    )
  })
}

test('spare bits: what cell by cell counting says, in any layout', () => {
  const own = dataset([], { charset: [] })
  const layouts = fc.record({
    allocated: fc.constantFrom(8, 16, 32),
    stored: fc.integer({ min: 1, max: 31 }),
    above: fc.integer({ min: 0, max: 8 }),
    bigEndian: fc.boolean(),
    cells: fc.array(fc.oneof(fc.nat(0xffffffff), fc.constant(0), fc.constant(5)), {
      minLength: 1,
      maxLength: 9,
    }),
  })
  fc.assert(
    fc.property(layouts, ({ allocated, stored, above, bigEndian, cells }) => {
      if (stored >= allocated || stored + above > allocated) return
      const highBit = allocated - 1 - Math.min(above, allocated - stored)
      const width = allocated / 8
      const low = highBit + 1 - stored
      const raw = new Uint8Array(cells.length * width)
      const values = cells.map(
        (cell) => (cell % 2 ** allocated) % (cell % 3 === 0 ? 2 ** allocated : 2 ** stored),
      )
      for (const [at, value] of values.entries())
        for (let byte = 0; byte < width; byte++)
          raw[at * width + (bigEndian ? width - 1 - byte : byte)] = Math.floor(value / 2 ** (8 * byte)) & 0xff
      const top = 2 ** allocated - 2 ** (highBit + 1)
      const hides = values.some((value) => {
        const spare = Math.floor(value / 2 ** (highBit + 1)) * 2 ** (highBit + 1)
        const sign = Math.floor(value / 2 ** highBit) % 2 === 1
        return value % 2 ** low !== 0 || (spare !== 0 && !(spare === top && sign))
      })
      const place = { encoding: { explicit: true, bigEndian }, charset: [] }
      const number = (t: Tag, value: number): Element => make(dataset([], place), t, 'US', [value])
      const made = dataset(
        [
          number(Tags.Rows, 1),
          number(Tags.Columns, cells.length),
          number(Tags.BitsAllocated, allocated),
          number(Tags.BitsStored, stored),
          number(Tags.HighBit, highBit),
          make(own, Tags.PixelData, allocated > 8 ? 'OW' : 'OB', raw),
        ],
        place,
      )
      const file = newFile({
        dataset: made,
        transferSyntax: (bigEndian ? '1.2.840.10008.1.2.2' : '1.2.840.10008.1.2.1') as Uid,
      })
      const look = (): unknown => tidiedPixels(file, 'keep')
      if (hides) assert.throws(look, { code: 'HIDDEN_DATA' })
      else assert.equal(look(), undefined)
    }),
    { numRuns: 3000 },
  )
})
