// Published images with names drawn into their pixels: cleaned, released, and read by an engine of somebody else's.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, suite, test } from 'node:test'
import { formatOf, framesOf, openCodecs } from '../../packages/pixel/src/index.ts'
import { cleanFile, open, readByTesseract } from '../support/clean.ts'
import { peer, sharedData, skipUnless } from '../support/peers.ts'

type Box = {
  readonly label: string
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** Boxes of these files were drawn on a picture with a border of 25 pixels. */
const BORDER = 25

const data = sharedData()
const tesseract = peer('tesseract')
const dcmj2pnm = peer('dcmj2pnm')
const scratch = mkdtempSync(join(tmpdir(), 'roentgate-burned-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

/** Their text stands in a plane or an icon, not in the pixels: other tests look there. */
const NOT_IN_PIXELS = /phi_in_overlay|phi_in_icon/
/** A piece of a box that is less of it is a margin, not a letter. */
const COVERED = 0.85

suite('burned-in text', skipUnless(data, tesseract, dcmj2pnm), () => {
  const truth = data.skip === false ? truthOf(data.path) : []
  for (const [name, boxes] of truth) {
    test(`${basename(name)}: no identifier is legible, and what was drawn is filled`, {
      timeout: 120_000,
    }, async () => {
      const source = join(data.path, name)
      const { result, path, file } = await cleanFile(source, join(scratch, basename(name)))
      assert.equal(result.outcome, 'released', JSON.stringify(result.reasons))
      assert.ok(file && result.pixels && result.pixels.touched === result.pixels.frames)
      assert.ok(result.methods.includes('113101'))
      const text = readByTesseract(path, scratch)
      for (const { label } of boxes) {
        const word = label.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')
        if (word.length >= 4) assert.ok(!text.includes(word), 'an identifier is read by the second engine')
      }
      await assertFilled(source, path, boxes)
    })
  }

  test('the second engine is no blind judge: it reads names in the sources', () => {
    const read = truth.filter(([name, boxes]) => {
      const text = readByTesseract(join(data.path, name), scratch)
      return boxes.some(
        ({ label }) => label.length >= 4 && text.includes(label.toUpperCase().replaceAll(/[^A-Z0-9]/g, '')),
      )
    })
    assert.ok(read.length >= truth.length / 2, `${read.length} of ${truth.length}`)
  })
})

function truthOf(root: string): readonly (readonly [string, readonly Box[]])[] {
  const all: Readonly<Record<string, unknown>> = JSON.parse(
    readFileSync(join(root, 'GROUND_TRUTH_burned_in.json'), 'utf8'),
  )
  return Object.entries(all).flatMap(([name, boxes]) =>
    Array.isArray(boxes) && !NOT_IN_PIXELS.test(name) ? [[name, placed(name, boxes)] as const] : [],
  )
}

function placed(name: string, boxes: readonly Box[]): readonly Box[] {
  if (!name.includes('presidio')) return boxes
  return boxes.map((box) => ({
    ...box,
    left: Math.max(0, box.left - BORDER),
    top: Math.max(0, box.top - BORDER),
  }))
}

/** In each box nearly every pixel has the fill's value, or did not change because it had it already. */
async function assertFilled(source: string, output: string, boxes: readonly Box[]): Promise<void> {
  const codecs = await openCodecs()
  const file = open(output)
  const format = formatOf(file)
  assert.ok(format && formatOf(open(source)))
  const { data: samples, columns, samplesPerPixel } = codecs.decode(framesOf(file, format).frame(0), format)
  for (const { left, top, width, height } of boxes) {
    const counts = new Map<number, number>()
    for (let y = top; y < top + height; y++) {
      for (let x = left; x < left + width; x++) {
        const value = samples[(y * columns + x) * samplesPerPixel] ?? 0
        counts.set(value, (counts.get(value) ?? 0) + 1)
      }
    }
    const most = Math.max(...counts.values())
    assert.ok(
      most >= COVERED * width * height,
      `a box is filled to ${Math.round((100 * most) / (width * height))} %`,
    )
  }
}
