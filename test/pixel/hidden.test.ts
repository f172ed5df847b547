// Names that stand beside the pixels, not in them: overlays in spare bits, application segments, boxes, comments, words
// of colour profiles, bytes after the last frame, documents. None of them is in any byte of what is released.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import sharp from 'sharp'
import {
  concat,
  find,
  make,
  newFile,
  Tags,
  tag,
  type Uid,
  writeFile,
} from '../../packages/dicom/src/index.ts'
import { formatOf, framesOf, openCodecs, type Raster } from '../../packages/pixel/src/index.ts'
import { cleanFile, open } from '../support/clean.ts'
import { el, leaks, sliceFile } from '../support/deid.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { drawn, instance, type Picture, words } from '../support/picture.ts'

const scratch = mkdtempSync(join(tmpdir(), 'roentgate-hidden-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const CANARY = 'ZEPHYRINE-OKONKWO'
const CT = { modality: 'CT', sopClass: '1.2.840.10008.5.1.4.1.1.2' }
const SIDE = 64

type Way = { readonly recipe?: string }
const counter = { next: 0 }

async function run(bytes: Uint8Array, { recipe }: Way = {}): ReturnType<typeof cleanFile> {
  const name = `${counter.next++}`
  const path = join(scratch, `${name}.dcm`)
  writeFileSync(path, bytes)
  return await cleanFile(path, join(scratch, `out-${name}`), recipe)
}

async function releasedOf(bytes: Uint8Array, way: Way = {}): Promise<Uint8Array> {
  const { result, path } = await run(bytes, way)
  assert.equal(result.outcome, 'released', JSON.stringify(result.reasons))
  return new Uint8Array(readFileSync(path))
}

async function firstFrame(path: string | Uint8Array): Promise<Raster> {
  const name = join(scratch, `frame-${counter.next++}.dcm`)
  if (typeof path !== 'string') writeFileSync(name, path)
  const file = open(typeof path === 'string' ? path : name)
  const format = formatOf(file)
  assert.ok(format)
  return (await openCodecs()).decode(framesOf(file, format).frame(0), format)
}

function ct12(spare: (at: number) => number, extra: Picture['extra'] = []): Uint8Array {
  const cells = Uint16Array.from({ length: SIDE * SIDE }, (_, at) => ((at * 7) & 0xfff) | spare(at))
  return instance({
    ...CT,
    rows: SIDE,
    columns: SIDE,
    bitsAllocated: 16,
    bitsStored: 12,
    frames: [words(cells)],
    extra,
  })
}

suite('bits beside the stored ones', () => {
  const ink = drawn(SIDE, SIDE, [{ text: 'OKO', x: 4, y: 20 }])
  const bit12 = (at: number): number => ((ink[at] ?? 0) > 127 ? 1 << 12 : 0)
  const overlay = [
    el.numbers(0x60000010, 'US', [SIDE]),
    el.numbers(0x60000011, 'US', [SIDE]),
    el.text(0x60000040, 'CS', 'G'),
    el.numbers(0x60000050, 'SS', [1, 1]),
    el.numbers(0x60000100, 'US', [16]),
    el.numbers(0x60000102, 'US', [12]),
  ]

  test('an overlay that is drawn there is gone, and every stored value is as it was', async () => {
    const source = ct12(bit12, overlay)
    const bytes = await releasedOf(source)
    const before = await firstFrame(source)
    const out = join(scratch, 'overlay.dcm')
    writeFileSync(out, bytes)
    assert.deepEqual((await firstFrame(out)).data, before.data)
    const file = open(out)
    const format = formatOf(file)
    assert.ok(format)
    const cells = framesOf(file, format).frame(0)
    for (let at = 1; at < cells.length; at += 2) assert.equal((cells[at] ?? 0) & 0xf0, 0)
    assert.ok(!file.dataset.elements.some(({ tag: t }) => t >>> 16 === 0x6000))
  })

  test('something that no overlay declares holds the instance back', async () => {
    const { result } = await run(ct12(bit12))
    assert.deepEqual([result.outcome, result.reasons[0]?.code], ['quarantined', 'PIXELS_HIDDEN_DATA'])
  })

  test('a sign that is extended is no secret', async () => {
    const cells = Int16Array.from({ length: SIDE * SIDE }, (_, at) => (at % 400) - 200)
    const frames = [new Uint8Array(cells.buffer)]
    await releasedOf(
      instance({ ...CT, rows: SIDE, columns: SIDE, bitsAllocated: 16, bitsStored: 12, signed: true, frames }),
    )
  })

  test('bytes after the last frame hold the instance back; zeros do not', async () => {
    const plain = Uint8Array.from({ length: SIDE * SIDE }, (_, at) => at & 0xff)
    const more = Buffer.from(`${CANARY} `)
    const picture = { ...CT, rows: SIDE, columns: SIDE }
    const { result } = await run(instance({ ...picture, frames: [concat([plain, more])] }))
    assert.ok(
      result.reasons.some(({ code }) => code === 'PIXELS_HIDDEN_DATA'),
      JSON.stringify(result.reasons),
    )
    const padded = { ...picture, modality: 'NM', sopClass: '1.2.840.10008.5.1.4.1.1.20' }
    await releasedOf(instance({ ...padded, frames: [concat([plain, new Uint8Array(512)])] }))
  })
})

const JPEG = '1.2.840.10008.1.2.4.50' as Uid
const J2K = '1.2.840.10008.1.2.4.90' as Uid

async function jpeg(): Promise<Buffer> {
  const raw = Buffer.from(Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at * 3) & 0xff))
  return await sharp(raw, { raw: { width: SIDE, height: SIDE, channels: 1 } })
    .toColourspace('b-w')
    .jpeg({ quality: 90 })
    .toBuffer()
}

function segment(code: number, payload: string): Buffer {
  const head = Buffer.from([0xff, code, 0, 0])
  head.writeUInt16BE(payload.length + 2, 2)
  return Buffer.concat([head, Buffer.from(payload, 'latin1')])
}

suite('what applications write into frames', () => {
  test('JPEG: segments, comments and what follows the image go; the image stays', async () => {
    const clean = await jpeg()
    const dirty = Buffer.concat([
      clean.subarray(0, 2),
      segment(0xe1, `Exif\0\0${CANARY}`),
      segment(0xfe, CANARY),
      segment(0xed, `Photoshop ${CANARY}`),
      segment(0xe0, `JFXX\0${CANARY}`),
      clean.subarray(2),
      Buffer.from(CANARY),
    ])
    const source = instance({
      ...CT,
      rows: SIDE,
      columns: SIDE,
      transferSyntax: JPEG,
      frames: [dirty, dirty],
    })
    const bytes = await releasedOf(source)
    assert.deepEqual(leaks(bytes, [CANARY]), [])
    const before = await firstFrame(source)
    assert.deepEqual((await firstFrame(bytes)).data, before.data)
  })

  test('JPEG: a frame without any keeps its bytes', async () => {
    const clean = await jpeg()
    const bytes = await releasedOf(
      instance({ ...CT, rows: SIDE, columns: SIDE, transferSyntax: JPEG, frames: [clean] }),
    )
    assert.ok(Buffer.from(bytes).includes(clean))
  })

  test('JPEG 2000: foreign comments are blanked, the encoder may say its name', async () => {
    const { stream, source } = await jpeg2000()
    const body = stream.subarray(2)
    const comment = (text: string): Buffer => {
      const head = Buffer.from([0xff, 0x64, 0, 0, 0, 1])
      head.writeUInt16BE(text.length + 4, 2)
      return Buffer.concat([head, Buffer.from(text, 'latin1')])
    }
    // After SIZ, which must come first.
    const siz = 2 + body.readUInt16BE(2)
    const dirty = Buffer.concat([
      stream.subarray(0, 2),
      body.subarray(0, siz),
      comment(CANARY),
      comment('Kakadu-v7.10'),
      body.subarray(siz),
      Buffer.from(CANARY),
    ])
    const bytes = await releasedOf(source(dirty))
    assert.deepEqual(leaks(bytes, [CANARY]), [])
    assert.ok(Buffer.from(bytes).includes('Kakadu-v7.10'))
    assert.deepEqual((await firstFrame(bytes)).data, (await firstFrame(source(stream))).data)
  })

  test('JP2: boxes that are no image go', async () => {
    const { stream, source } = await jpeg2000()
    const box = (type: string, content: Buffer): Buffer => {
      const head = Buffer.alloc(8)
      head.writeUInt32BE(content.length + 8)
      head.write(type, 4, 'latin1')
      return Buffer.concat([head, content])
    }
    const ihdr = Buffer.alloc(14)
    ihdr.writeUInt32BE(SIDE, 0)
    ihdr.writeUInt32BE(SIDE, 4)
    ihdr.writeUInt16BE(1, 8)
    ihdr.set([7, 7, 0, 0], 10)
    const colr = Buffer.from([1, 0, 0, 0, 0, 0, 17])
    const dirty = Buffer.concat([
      box('jP  ', Buffer.from([0x0d, 0x0a, 0x87, 0x0a])),
      box('ftyp', Buffer.from('jp2 \0\0\0\0jp2 ', 'latin1')),
      box('jp2h', Buffer.concat([box('ihdr', ihdr), box('colr', colr), box('lbl ', Buffer.from(CANARY))])),
      box('xml ', Buffer.from(`<name>${CANARY}</name>`)),
      box('uuid', Buffer.from(`0123456789abcdef${CANARY}`)),
      box('jp2c', stream),
    ])
    const bytes = await releasedOf(source(dirty))
    assert.deepEqual(leaks(bytes, [CANARY]), [])
    assert.deepEqual((await firstFrame(bytes)).data, (await firstFrame(source(stream))).data)
  })

  test('an offset table that points nowhere is made anew', async () => {
    const clean = await jpeg()
    const file = instance({ ...CT, rows: SIDE, columns: SIDE, transferSyntax: JPEG, frames: [clean] })
    const at = Buffer.from(file).indexOf(Buffer.from([0xe0, 0x7f, 0x10, 0x00])) + 12
    const table = Buffer.alloc(8)
    table.set([0xfe, 0xff, 0x00, 0xe0, CANARY.length + 1, 0, 0, 0])
    const dirty = concat([file.subarray(0, at), table, Buffer.from(`${CANARY} `), file.subarray(at + 8)])
    assert.deepEqual(leaks(await releasedOf(dirty), [CANARY]), [])
  })

  test('a colour profile keeps its numbers and loses its words', async () => {
    const rgb = Buffer.alloc(SIDE * SIDE * 3, 80)
    const png = await sharp(rgb, { raw: { width: SIDE, height: SIDE, channels: 3 } })
      .withIccProfile('p3')
      .png()
      .toBuffer()
    const icc = (await sharp(png).metadata()).icc
    assert.ok(icc)
    const length = icc.length + CANARY.length
    const dirty = Buffer.concat([icc, Buffer.from(CANARY), Buffer.alloc(length % 2)])
    const words = Buffer.from(dirty)
    const copyright = words.indexOf('text')
    if (copyright > 0) words.write(CANARY.slice(0, 8), copyright + 8, 'latin1')
    const optical = el.items(Tags.OpticalPathSequence, [el.bytes(Tags.ICCProfile, 'OB', words)])
    const bytes = await releasedOf(
      instance({
        ...CT,
        rows: SIDE,
        columns: SIDE,
        frames: [new Uint8Array(SIDE * SIDE)],
        extra: [el.bytes(Tags.ICCProfile, 'OB', words), optical],
      }),
    )
    assert.deepEqual(leaks(bytes, [CANARY, CANARY.slice(0, 8)]), [])
    const out = join(scratch, 'icc.dcm')
    writeFileSync(out, bytes)
    const profile = find(open(out).dataset, Tags.ICCProfile)
    assert.ok(profile?.value.kind === 'bytes')
    const kept = Buffer.from(profile.value.bytes)
    assert.equal(kept.length, words.length)
    const curve = icc.indexOf('para')
    assert.ok(curve > 0 && kept.subarray(curve, curve + 16).equals(icc.subarray(curve, curve + 16)))
  })
})

async function jpeg2000(): Promise<{ stream: Buffer; source: (frame: Uint8Array) => Uint8Array }> {
  const codecs = await openCodecs()
  const data = Uint8Array.from({ length: SIDE * SIDE }, (_, at) => (at * 3) & 0xff)
  const picture = { ...CT, rows: SIDE, columns: SIDE, transferSyntax: J2K }
  const plain = join(scratch, `plain-${counter.next++}.dcm`)
  writeFileSync(plain, instance({ ...CT, rows: SIDE, columns: SIDE, frames: [data] }))
  const format = formatOf(open(plain))
  assert.ok(format)
  const raster = {
    rows: SIDE,
    columns: SIDE,
    samplesPerPixel: 1,
    bitsStored: 8,
    signed: false,
    photometric: 'MONOCHROME2',
    data,
  }
  const stream = Buffer.from(codecs.encode(raster, 'jpeg-2000', format))
  return { stream, source: (frame) => instance({ ...picture, frames: [frame] }) }
}

const STUB = 'recipe: 1\nname: own\nextends: research\npixels: { documents: stub }\n'
const pdftotext = peer('pdftotext')

suite('encapsulated documents', () => {
  const PDF = `%PDF-1.4\n% ${CANARY}\n`
  const kinds = [
    ['PDF', '1.2.840.10008.5.1.4.1.1.104.1', 'application/pdf'],
    ['CDA', '1.2.840.10008.5.1.4.1.1.104.2', 'text/XML'],
    ['STL', '1.2.840.10008.5.1.4.1.1.104.3', 'model/stl'],
    ['OBJ', '1.2.840.10008.5.1.4.1.1.104.4', 'model/obj'],
    ['a PDF that says it is text', '1.2.840.10008.5.1.4.1.1.104.1', 'text/plain'],
  ] as const

  function holding(sopClass: string, mime: string): Uint8Array {
    const file = sliceFile([
      el.text(Tags.SOPClassUID, 'UI', sopClass),
      el.text(Tags.Modality, 'CS', 'DOC'),
      el.text(Tags.MIMETypeOfEncapsulatedDocument, 'LO', mime),
      el.bytes(Tags.EncapsulatedDocument, 'OB', Buffer.from(PDF + (PDF.length % 2 ? ' ' : ''))),
    ])
    const elements = file.dataset.elements.filter(({ tag: t }) => t >>> 16 !== 0x28 && t >>> 16 !== 0x7fe0)
    return concat([
      ...writeFile(newFile({ dataset: { ...file.dataset, elements }, transferSyntax: file.transferSyntax })),
    ])
  }

  for (const [name, sopClass, mime] of kinds) {
    test(`${name}: held back by default, a stub where the recipe says so`, async () => {
      const source = holding(sopClass, mime)
      const { result } = await run(source)
      assert.deepEqual([result.outcome, result.reasons[0]?.code], ['quarantined', 'PIXELS_DOCUMENT'])
      assert.deepEqual(leaks(await releasedOf(source, { recipe: STUB }), [CANARY]), [])
    })
  }

  test('a document of no known class is held back whatever the recipe says', async () => {
    const { result } = await run(holding('1.2.840.10008.5.1.4.1.1.104.99', 'application/pdf'), {
      recipe: STUB,
    })
    assert.equal(result.outcome, 'quarantined')
  })

  test('the stub is a PDF that others read', skipUnless(pdftotext), async () => {
    const bytes = await releasedOf(holding('1.2.840.10008.5.1.4.1.1.104.1', 'application/pdf'), {
      recipe: STUB,
    })
    const out = join(scratch, 'stub.dcm')
    writeFileSync(out, bytes)
    const document = find(open(out).dataset, Tags.EncapsulatedDocument)
    assert.ok(document && document.value.kind !== 'items')
    const value = document.value
    const content = value.kind === 'bytes' ? value.bytes : new Uint8Array(0)
    writeFileSync(join(scratch, 'stub.pdf'), content)
    const { execFileSync } = await import('node:child_process')
    const text = execFileSync('pdftotext', [join(scratch, 'stub.pdf'), '-'], { encoding: 'utf8' })
    assert.match(text, /removed when its study was de-identified/)
  })
})

test('planes, curves and icons beside the pixels are gone', async () => {
  const bytes = await releasedOf(
    instance({
      ...CT,
      rows: SIDE,
      columns: SIDE,
      frames: [new Uint8Array(SIDE * SIDE)],
      extra: [
        el.bytes(0x60003000, 'OW', Buffer.from(`${CANARY} `)),
        el.bytes(0x601e3000, 'OW', Buffer.from(`${CANARY} `)),
        el.text(0x60004000, 'LT', CANARY),
        el.bytes(0x50003000, 'OW', Buffer.from(`${CANARY} `)),
        el.items(Tags.IconImageSequence, [el.bytes(Tags.PixelData, 'OB', Buffer.from(`${CANARY} `))]),
        make(
          { kind: 'dataset', elements: [], encoding: { explicit: true, bigEndian: false }, charset: [] },
          tag(0x00091110),
          'OB',
          Buffer.from(`${CANARY} `),
        ),
      ],
    }),
  )
  assert.deepEqual(leaks(bytes, [CANARY]), [])
})
