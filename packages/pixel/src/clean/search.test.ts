// Text of a cine is found in whatever frame it stands, and a banner that stands still is looked at once.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Box } from '@roentgate/dicom'
import type { Raster } from '../model.ts'
import { type Find, searchFrames } from './search.ts'

const ROWS = 96
const COLUMNS = 160

/** Frame of dim moving grain below a banner, and a mark of full brightness where asked. */
function frame(index: number, mark?: Box, moving = true): Raster {
  const data = new Uint8Array(ROWS * COLUMNS)
  for (let y = 24; y < ROWS; y++) {
    for (let x = 0; x < COLUMNS; x++)
      data[y * COLUMNS + x] = 30 + ((x * 31 + y * 17 + (moving ? index * 13 : 0)) % 40)
  }
  draw(data, { x: 8, y: 4, width: 40, height: 10 })
  if (mark) draw(data, mark)
  return {
    rows: ROWS,
    columns: COLUMNS,
    samplesPerPixel: 1,
    bitsStored: 8,
    signed: false,
    photometric: 'MONOCHROME2',
    data,
  }
}

function draw(data: Uint8Array, { x, y, width, height }: Box): void {
  for (let row = y; row < y + height; row++) data.fill(250, row * COLUMNS + x, row * COLUMNS + x + width)
}

/** A detector that sees whatever is as bright as text. */
const bright: Find = (raster) => {
  const boxes: Box[] = []
  for (let y = 0; y < raster.rows; y++) {
    for (let x = 0; x < raster.columns; x++) {
      if ((raster.data[y * raster.columns + x] ?? 0) > 200) boxes.push({ x, y, width: 1, height: 1 })
    }
  }
  return Promise.resolve(boxes)
}

function covered(boxes: readonly Box[], { x, y, width, height }: Box): boolean {
  const has = new Set(boxes.flatMap((box) => (box.width === 1 ? [box.y * COLUMNS + box.x] : [])))
  for (let row = y; row < y + height; row++) {
    for (let column = x; column < x + width; column++) if (!has.has(row * COLUMNS + column)) return false
  }
  return true
}

test('a cine that stands still is searched once, however long', async () => {
  const searched = await searchFrames(
    { count: 300, raster: (i) => frame(i, undefined, false) },
    bright,
    'cine',
  )
  assert.equal(searched.searches, 1)
  assert.ok(covered(searched.boxesOf(0), { x: 8, y: 4, width: 40, height: 10 }))
})

test('moving tissue under a banner: a handful of searches for a hundred frames', async () => {
  const searched = await searchFrames({ count: 100, raster: frame }, bright, 'cine')
  assert.ok(searched.searches <= 8, `${searched.searches} searches`)
})

for (const at of [0, 1, 37, 63, 64, 65, 99]) {
  test(`a text that stands in frame ${at} only is found, and its box goes on every frame`, async () => {
    const mark = { x: 90, y: 60, width: 20, height: 8 }
    const raster = (index: number): Raster => frame(index, index === at ? mark : undefined)
    const searched = await searchFrames({ count: 100, raster }, bright, 'cine')
    for (const index of [0, 50, 99]) assert.ok(covered(searched.boxesOf(index), mark), `frame ${index}`)
  })
}

test('text in another place in each frame is found in all', async () => {
  const mark = (index: number): Box => ({
    x: 4 + ((index * 23) % 130),
    y: 26 + ((index * 11) % 60),
    width: 12,
    height: 6,
  })
  const searched = await searchFrames(
    { count: 40, raster: (index) => frame(index, mark(index)) },
    bright,
    'cine',
  )
  for (let index = 0; index < 40; index++)
    assert.ok(covered(searched.boxesOf(0), mark(index)), `frame ${index}`)
})

test('independent frames keep their own boxes', async () => {
  const mark = { x: 90, y: 60, width: 20, height: 8 }
  const raster = (index: number): Raster => frame(index, index === 2 ? mark : undefined)
  const searched = await searchFrames({ count: 4, raster }, bright, 'independent')
  assert.equal(searched.searches, 4)
  assert.ok(covered(searched.boxesOf(2), mark))
  assert.ok(!covered(searched.boxesOf(1), mark))
})
