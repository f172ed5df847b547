// Names drawn into made-up images in the ways that deceive a search: on some frames only, upright or not, at values that
// the default window hides, inverted, signed, in one bit, in a palette. Ground truth is what was drawn.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { type DicomFile, string, Tags, type Uid } from '../../packages/dicom/src/index.ts'
import { type Codecs, formatOf, framesOf, openCodecs, type Raster } from '../../packages/pixel/src/index.ts'
import { type CleanedFile, cleanFile, open } from '../support/clean.ts'
import { el } from '../support/deid.ts'
import { drawn, instance, type Lettering, type Picture, words } from '../support/picture.ts'

const scratch = mkdtempSync(join(tmpdir(), 'roentgate-drawn-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const ROWS = 240
const COLUMNS = 320
const counter = { next: 0 }

type Run = CleanedFile & { readonly source: DicomFile }

async function run(bytes: Uint8Array, recipe?: string): Promise<Run> {
  const name = `${counter.next++}`
  const path = join(scratch, `${name}.dcm`)
  writeFileSync(path, bytes)
  const done = await cleanFile(path, join(scratch, `out-${name}`), recipe)
  return { ...done, source: open(path) }
}

async function frameOf(file: DicomFile, index: number, codecs: Codecs): Promise<Raster> {
  const format = formatOf(file)
  assert.ok(format)
  return codecs.decode(framesOf(file, format).frame(index), format)
}

/** Of what was drawn, the share that still differs from its ground; and of the rest, how much changed. */
async function left(
  { file, source, result }: Run,
  ink: Uint8Array,
  frame = 0,
): Promise<{ ink: number; changed: number }> {
  assert.equal(result.outcome, 'released', JSON.stringify(result.reasons))
  assert.ok(file)
  const codecs = await openCodecs()
  const before = await frameOf(source, frame, codecs)
  const after = await frameOf(file, frame, codecs)
  const spp = before.samplesPerPixel
  let inked = 0
  let kept = 0
  let changed = 0
  for (let pixel = 0; pixel < ink.length; pixel++) {
    const same = before.data[pixel * spp] === after.data[pixel * spp]
    if ((ink[pixel] ?? 0) > 127) {
      inked++
      if (same) kept++
    } else if (!same) changed++
  }
  return { ink: kept / Math.max(1, inked), changed: changed / ink.length }
}

const NAME: Lettering = { text: 'RAVENSCROFT ISOLDE', x: 20, y: 12, size: 18 }
const ID: Lettering = { text: 'QX7731402', x: 200, y: 214, size: 14 }

/** Noise that no letter is made of, seeded. */
function speckle(at: number): number {
  return 30 + ((Math.imul(at + 1, 2654435761) >>> 24) % 40)
}

function grey(ink: Uint8Array, on = 230, ground: (at: number) => number = speckle): Uint8Array {
  return Uint8Array.from(ink, (value, at) => Math.round(ground(at) + ((on - ground(at)) * value) / 255))
}

const base: Pick<Picture, 'rows' | 'columns'> = { rows: ROWS, columns: COLUMNS }

suite('drawn into the pixels', () => {
  const ink = drawn(COLUMNS, ROWS, [NAME, ID])
  /** An edge of a letter that is nearly its ground may lie outside the box. */
  const gone = (share: number): void =>
    assert.ok(share < 0.02, `${Math.round(share * 100)} % of the ink is left`)

  test('plain, and the mark says so', async () => {
    const done = await run(
      instance({ ...base, frames: [grey(ink)], extra: [el.text(Tags.BurnedInAnnotation, 'CS', 'YES')] }),
    )
    const { ink: share, changed } = await left(done, ink)
    gone(share)
    assert.ok(changed < 0.15, `${changed}`)
    assert.ok(done.file && string(done.file.dataset, Tags.BurnedInAnnotation)?.trim() === 'NO')
  })

  for (const angle of [90, 180, 270]) {
    test(`turned by ${angle}°`, async () => {
      const turned = drawn(COLUMNS, ROWS, [{ text: 'RAVENSCROFT', x: 160, y: 120, size: 18, angle }])
      gone((await left(await run(instance({ ...base, frames: [grey(turned)] })), turned)).ink)
    })
  }

  test('black on white, MONOCHROME1', async () => {
    const frames = [grey(ink, 20, (at) => 255 - speckle(at))]
    gone((await left(await run(instance({ ...base, frames, photometric: 'MONOCHROME1' })), ink)).ink)
  })

  test('signed, sixteen bits, at values that the window hides', async () => {
    const cells = Int16Array.from(ink, (value, at) => (value > 127 ? 9000 : -900 + speckle(at) * 2))
    const frames = [new Uint8Array(cells.buffer)]
    const window = [el.text(Tags.WindowCenter, 'DS', '40'), el.text(Tags.WindowWidth, 'DS', '400')]
    gone(
      (
        await left(
          await run(instance({ ...base, frames, bitsAllocated: 16, signed: true, extra: window })),
          ink,
        )
      ).ink,
    )
  })

  test('twelve bits, below all that the window shows', async () => {
    const cells = Uint16Array.from(ink, (value, at) => (value > 127 ? 5 : 60 + (speckle(at) & 15)))
    const window = [el.text(Tags.WindowCenter, 'DS', '2048'), el.text(Tags.WindowWidth, 'DS', '1024')]
    const picture = { ...base, frames: [words(cells)], bitsAllocated: 16, bitsStored: 12, extra: window }
    gone((await left(await run(instance(picture)), ink)).ink)
  })

  test('one bit, secondary capture', async () => {
    const bits = new Uint8Array((ROWS * COLUMNS) / 8)
    for (const [at, value] of ink.entries())
      if (value > 127) bits[at >>> 3] = (bits[at >>> 3] ?? 0) | (1 << (at & 7))
    const picture = {
      ...base,
      frames: [bits],
      bitsAllocated: 1,
      modality: 'OT',
      sopClass: '1.2.840.10008.5.1.4.1.1.7.1',
    }
    gone((await left(await run(instance(picture)), ink)).ink)
  })

  for (const planar of [false, true]) {
    test(`RGB, planes ${planar ? 'one after the other' : 'by pixel'}`, async () => {
      const values = grey(ink)
      const frame = new Uint8Array(values.length * 3)
      for (const [at, value] of values.entries())
        for (let sample = 0; sample < 3; sample++)
          frame[planar ? sample * values.length + at : at * 3 + sample] = sample === 2 ? 0 : value
      const picture = { ...base, frames: [frame], samplesPerPixel: 3, planar, photometric: 'RGB' }
      gone((await left(await run(instance(picture)), ink)).ink)
    })
  }

  test('a palette that turns text into neighbours of its ground', async () => {
    const frame = Uint8Array.from(ink, (value) => (value > 127 ? 101 : 100))
    const table = (shade: (index: number) => number): Uint8Array =>
      words(Array.from({ length: 256 }, (_, index) => shade(index) * 257))
    const entry = (t: number) => el.numbers(t, 'US', [256, 0, 16])
    const extra = [
      entry(Tags.RedPaletteColorLookupTableDescriptor),
      entry(Tags.GreenPaletteColorLookupTableDescriptor),
      entry(Tags.BluePaletteColorLookupTableDescriptor),
      el.bytes(
        Tags.RedPaletteColorLookupTableData,
        'OW',
        table((index) => (index === 101 ? 255 : 20)),
      ),
      el.bytes(
        Tags.GreenPaletteColorLookupTableData,
        'OW',
        table((index) => (index === 101 ? 240 : 20)),
      ),
      el.bytes(
        Tags.BluePaletteColorLookupTableData,
        'OW',
        table(() => 20),
      ),
    ]
    gone(
      (
        await left(
          await run(instance({ ...base, frames: [frame], photometric: 'PALETTE COLOR', extra })),
          ink,
        )
      ).ink,
    )
  })

  test('a cine: on the first and the last frame only, and each in its place', async () => {
    const nothing = new Uint8Array(ROWS * COLUMNS)
    const last = drawn(COLUMNS, ROWS, [{ text: 'RAVENSCROFT', x: 100, y: 150, size: 20 }])
    const inks = [ink, nothing, nothing, nothing, last]
    const done = await run(instance({ ...base, frames: inks.map((one) => grey(one)) }))
    for (const [frame, one] of inks.entries()) {
      const { ink: share } = await left(done, one, frame)
      if (one !== nothing) gone(share)
    }
  })

  test('text under a shutter is text', async () => {
    const shutter = [
      el.text(Tags.ShutterShape, 'CS', 'RECTANGULAR'),
      el.text(Tags.ShutterLeftVerticalEdge, 'IS', '1'),
      el.text(Tags.ShutterRightVerticalEdge, 'IS', `${COLUMNS}`),
      el.text(Tags.ShutterUpperHorizontalEdge, 'IS', '60'),
      el.text(Tags.ShutterLowerHorizontalEdge, 'IS', '200'),
    ]
    gone((await left(await run(instance({ ...base, frames: [grey(ink)], extra: shutter })), ink)).ink)
  })
})

suite('what a recipe says of pixels', () => {
  const plain = Uint8Array.from({ length: ROWS * COLUMNS }, (_, at) => 100 + (at % 50))
  const recipe = (pixels: string): string => `recipe: 1\nname: own\nextends: research\npixels: ${pixels}\n`
  const changedIn = async (done: Run): Promise<Uint8Array> => {
    assert.equal(done.result.outcome, 'released', JSON.stringify(done.result.reasons))
    assert.ok(done.file)
    const codecs = await openCodecs()
    const before = await frameOf(done.source, 0, codecs)
    const after = await frameOf(done.file, 0, codecs)
    return Uint8Array.from(before.data, (value, at) => (value === after.data[at] ? 0 : 1))
  }
  const sum = (mask: Uint8Array): number => mask.reduce((total, one) => total + one, 0)

  test('outside the ultrasound regions everything goes', async () => {
    const region = el.items(Tags.SequenceOfUltrasoundRegions, [
      el.numbers(Tags.RegionLocationMinX0, 'UL', [40]),
      el.numbers(Tags.RegionLocationMinY0, 'UL', [30]),
      el.numbers(Tags.RegionLocationMaxX1, 'UL', [239]),
      el.numbers(Tags.RegionLocationMaxY1, 'UL', [199]),
    ])
    const bytes = instance({ ...base, frames: [plain], extra: [region] })
    const mask = await changedIn(await run(bytes, recipe('{ regions: true, text: none }')))
    assert.equal(sum(mask), ROWS * COLUMNS - 200 * 170)
    assert.equal(mask[30 * COLUMNS + 40], 0)
    assert.equal(mask[199 * COLUMNS + 239], 0)
    assert.equal(mask[200 * COLUMNS + 240], 1)
    assert.equal(sum(await changedIn(await run(bytes, recipe('{ text: none }')))), 0)
  })

  test('a device of the recipe, and only where its conditions hold', async () => {
    const device = recipe(
      '{ text: none, devices: [{ name: ours, when: { manufacturer: nobody, rows: 240 }, blank: [[0, 0, 320, 20]], reason: r }] }',
    )
    const done = await run(instance({ ...base, frames: [plain] }), device)
    assert.equal(sum(await changedIn(done)), 320 * 20)
    assert.deepEqual(done.result.pixels?.reasons, [['device ours', 1]])
    const other = recipe(
      '{ text: none, devices: [{ name: ours, when: { manufacturer: NOBODY, rows: 241 }, blank: [[0, 0, 9, 9]], reason: r }] }',
    )
    assert.equal(sum(await changedIn(await run(instance({ ...base, frames: [plain] }), other))), 0)
  })

  test('a device of the library, on a modality that nothing else speaks against', async () => {
    const extra = [
      el.text(Tags.Manufacturer, 'LO', 'SIEMENS'),
      el.text(Tags.ImageType, 'CS', ['DERIVED', 'SECONDARY', 'OTHER']),
    ]
    const picture = { rows: 860, columns: 1132, modality: 'CT', sopClass: '1.2.840.10008.5.1.4.1.1.2', extra }
    const done = await run(instance({ ...picture, frames: [new Uint8Array(860 * 1132).fill(9)] }))
    assert.equal(sum(await changedIn(done)), 1132 * 60)
  })

  test('identifiers only: a measurement stays, a name goes', async () => {
    const name = drawn(COLUMNS, ROWS, [NAME])
    const measure = drawn(COLUMNS, ROWS, [{ text: 'DEPTH 42 mm', x: 30, y: 150, size: 18 }])
    const both = Uint8Array.from(name, (value, at) => Math.max(value, measure[at] ?? 0))
    const done = await run(instance({ ...base, frames: [grey(both)] }), recipe('{ text: identifiers }'))
    assert.ok((await left(done, name)).ink < 0.02)
    assert.ok((await left(done, measure)).ink > 0.98)
  })

  test('search all: a CT slice that nothing speaks against is searched', async () => {
    const ink = drawn(COLUMNS, COLUMNS, [NAME])
    const frames = [words(Array.from(ink, (value, at) => (value > 127 ? 3000 : speckle(at))))]
    const ct = {
      rows: COLUMNS,
      columns: COLUMNS,
      modality: 'CT',
      sopClass: '1.2.840.10008.5.1.4.1.1.2',
      bitsAllocated: 16,
      frames,
    }
    assert.equal((await run(instance(ct))).result.pixels, undefined)
    assert.ok((await left(await run(instance(ct), recipe('{ search: all }')), ink)).ink < 0.02)
  })

  for (const [encode, uid] of [
    ['rle', '1.2.840.10008.1.2.5'],
    ['jpeg-ls', '1.2.840.10008.1.2.4.80'],
    ['jpeg-2000', '1.2.840.10008.1.2.4.90'],
    ['htj2k', '1.2.840.10008.1.2.4.201'],
    ['native', '1.2.840.10008.1.2.1'],
  ] as const) {
    test(`a lossy source is written as ${encode}, and says that it was lossy`, async () => {
      const { default: sharp } = await import('sharp')
      const raw = Buffer.from(grey(drawn(COLUMNS, ROWS, [NAME])))
      const frame = await sharp(raw, { raw: { width: COLUMNS, height: ROWS, channels: 1 } })
        .toColourspace('b-w')
        .jpeg({ quality: 95 })
        .toBuffer()
      const done = await run(
        instance({ ...base, transferSyntax: '1.2.840.10008.1.2.4.50' as Uid, frames: [frame] }),
        recipe(`{ encode: ${encode} }`),
      )
      assert.equal(done.file?.transferSyntax, uid)
      assert.equal(done.file && string(done.file.dataset, Tags.LossyImageCompression)?.trim(), '01')
      assert.ok((await left(done, drawn(COLUMNS, ROWS, [NAME]))).ink < 0.02)
    })
  }
})

suite('pages and slides are recognised', () => {
  const cases = [
    [
      'a slide label',
      {
        imageType: ['ORIGINAL', 'PRIMARY', 'LABEL', 'NONE'],
        sopClass: '1.2.840.10008.5.1.4.1.1.77.1.6',
        modality: 'SM',
      },
      'PIXELS_LABEL_IMAGE',
    ],
    [
      'a slide overview',
      {
        imageType: ['ORIGINAL', 'PRIMARY', 'OVERVIEW', 'NONE'],
        sopClass: '1.2.840.10008.5.1.4.1.1.77.1.6',
        modality: 'SM',
      },
      'PIXELS_LABEL_IMAGE',
    ],
  ] as const
  for (const [name, { imageType, sopClass, modality }, code] of cases) {
    test(`${name} is held back`, async () => {
      const extra = [el.text(Tags.ImageType, 'CS', imageType)]
      const { result } = await run(
        instance({ ...base, sopClass, modality, extra, frames: [new Uint8Array(ROWS * COLUMNS)] }),
      )
      assert.deepEqual([result.outcome, result.reasons[0]?.code], ['quarantined', code])
    })
  }

  for (const [name, imageType, conversion] of [
    ['a dose page', ['DERIVED', 'SECONDARY', 'DOSE_INFO'], undefined],
    ['a scanned form', ['ORIGINAL', 'PRIMARY'], 'SD'],
    ['a digitised film', ['ORIGINAL', 'PRIMARY'], 'DF'],
    ['a screen', ['DERIVED', 'SECONDARY', 'SCREEN SAVE'], 'WSD'],
  ] as const) {
    test(`${name} is searched`, async () => {
      const ink = drawn(COLUMNS, ROWS, [NAME])
      const extra = [
        el.text(Tags.ImageType, 'CS', imageType),
        ...(conversion ? [el.text(Tags.ConversionType, 'CS', conversion)] : []),
      ]
      const picture = {
        ...base,
        modality: 'CT',
        sopClass: '1.2.840.10008.5.1.4.1.1.7',
        extra,
        frames: [grey(ink)],
      }
      assert.ok((await left(await run(instance(picture)), ink)).ink < 0.02)
    })
  }
})
