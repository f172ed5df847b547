// Pixel data: a place in the source, whole or in fragments, and never in memory.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ascii, BIG_ENDIAN, EXPLICIT, forge, IMPLICIT, JPEG_BASELINE, join, part10 } from './forge.ts'
import { dataset, make, newFile } from './make.ts'
import type { ByteSource, DicomFile, Element, Uid } from './model.ts'
import { find, fromBytes, tag } from './model.ts'
import { readFile } from './read.ts'
import { numbers } from './values.ts'
import { concat, writeFile } from './write.ts'

const le = forge({ explicit: true, bigEndian: false })
const be = forge({ explicit: true, bigEndian: true })
const NAME = le.element(0x00100010, 'PN', 'DOE^JANE')
const PIXEL_DATA = 0x7fe00010
const FRAMES = [ascii('one!'), ascii('two, longer!'), ascii('3!')]

function read(bytes: Uint8Array): DicomFile {
  return readFile(fromBytes(bytes))
}

function pixelsOf(file: DicomFile): Element {
  const element = find(file.dataset, tag(PIXEL_DATA))
  assert(element)
  return element
}

function framesOf(element: Element): {
  readonly table: readonly number[]
  readonly fragments: readonly string[]
} {
  const { value } = element
  assert(value.kind === 'fragments')
  const { source, offsetTable } = value
  const view = new DataView(offsetTable.buffer, offsetTable.byteOffset, offsetTable.length)
  return {
    table: Array.from({ length: offsetTable.length / 4 }, (_, index) => view.getUint32(index * 4, true)),
    fragments: value.fragments.map(({ offset, length }) =>
      Buffer.from(source.read(offset, length)).toString(),
    ),
  }
}

type Encapsulated = readonly [name: string, table: readonly number[], frames: readonly Uint8Array[]]
const ENCAPSULATED: readonly Encapsulated[] = [
  ['a basic offset table', [0, 12, 32], FRAMES],
  ['an empty offset table', [], FRAMES],
  ['one frame in several fragments', [0], FRAMES],
  ['no fragment', [], []],
  ['empty fragments', [], [new Uint8Array(0), new Uint8Array(0)]],
  ['many fragments', [], Array.from({ length: 3000 }, () => ascii('fragment'))],
]

for (const [name, table, frames] of ENCAPSULATED) {
  test(`encapsulated: ${name}`, () => {
    const offsets = join(...table.map((offset) => le.u32(offset)))
    const bytes = part10(
      JPEG_BASELINE,
      NAME,
      le.frames(PIXEL_DATA, [offsets, ...frames]),
      le.element(0xfffcfffc, 'OB', ''),
    )
    const file = read(bytes)
    assert.deepEqual(framesOf(pixelsOf(file)), {
      table,
      fragments: frames.map((frame) => Buffer.from(frame).toString()),
    })
    assert.deepEqual(concat([...writeFile(file)]), bytes)
    assert.deepEqual(file.warnings, [])
  })
}

test('encapsulated: an extended offset table is two elements beside the pixel data', () => {
  const offsets = [0n, 12n, 32n]
  const table = new BigUint64Array(offsets)
  const bytes = part10(
    JPEG_BASELINE,
    NAME,
    le.element(0x7fe00001, 'OV', new Uint8Array(table.buffer)),
    le.element(0x7fe00002, 'OV', new Uint8Array(new BigUint64Array([4n, 12n, 2n]).buffer)),
    le.frames(PIXEL_DATA, [new Uint8Array(0), ...FRAMES]),
  )
  const file = read(bytes)
  const extended = find(file.dataset, tag(0x7fe00001))
  assert(extended)
  assert.deepEqual(numbers(file.dataset, extended), [0, 12, 32])
  assert.deepEqual(concat([...writeFile(file)]), bytes)
})

test('encapsulated in an icon: read with the header, written as it came', () => {
  const icon = le.openSequence(0x00880200, [
    le.openItem(
      le.element(0x00280010, 'US', le.u16(64)),
      le.frames(PIXEL_DATA, [new Uint8Array(0), ...FRAMES]),
    ),
  ])
  const bytes = part10(JPEG_BASELINE, NAME, icon, le.frames(PIXEL_DATA, [new Uint8Array(0), ...FRAMES]))
  const file = read(bytes)
  const sequence = find(file.dataset, tag(0x00880200))
  assert(sequence?.value.kind === 'items')
  const nested = sequence.value.items[0]?.elements[1]
  assert(nested)
  assert.equal(framesOf(nested).fragments.length, 3)
  assert.deepEqual(concat([...writeFile(file)]), bytes)
  const rewritten = { ...file.dataset, elements: [...file.dataset.elements] }
  assert.deepEqual(concat([...writeFile({ ...file, dataset: rewritten })]), bytes)
})

test('encapsulated in an icon larger than the first region', () => {
  const frames = Array.from({ length: 40 }, (_, index) => new Uint8Array(5000).fill(index))
  const icon = le.openSequence(0x00880200, [
    le.openItem(le.frames(PIXEL_DATA, [new Uint8Array(0), ...frames])),
  ])
  const bytes = part10(JPEG_BASELINE, NAME, icon)
  assert.deepEqual(concat([...writeFile(read(bytes))]), bytes)
})

type Broken = readonly [name: string, bytes: Uint8Array, code: string]
const start = le.element(PIXEL_DATA, 'OB', { value: '', claims: 0xffffffff })
const BROKEN: readonly Broken[] = [
  ['no delimiter', join(start, le.delimiter(0xe000, 0), le.delimiter(0xe000, 2), ascii('ab')), 'TRUNCATED'],
  [
    'a fragment past the end',
    join(start, le.delimiter(0xe000, 0), le.delimiter(0xe000, 200), ascii('ab')),
    'TRUNCATED',
  ],
  ['an offset table past the end', join(start, le.delimiter(0xe000, 400)), 'TRUNCATED'],
  [
    'an item of undefined length',
    join(start, le.delimiter(0xe000, 0xffffffff), le.delimiter(0xe0dd, 0)),
    'BAD_TAG',
  ],
  ['an element in place of a fragment', join(start, NAME, le.delimiter(0xe0dd, 0)), 'BAD_TAG'],
]

for (const [name, bytes, code] of BROKEN) {
  test(`encapsulated and broken: ${name} is ${code}`, () => {
    assert.throws(() => read(part10(JPEG_BASELINE, NAME, bytes)), {
      name: 'DicomError',
      code,
      tag: PIXEL_DATA,
    })
  })
}

test('float and double pixel data are places, too', () => {
  for (const [t, vr] of [
    [0x7fe00008, 'OF'],
    [0x7fe00009, 'OD'],
  ] as const) {
    const bytes = part10(EXPLICIT, NAME, le.element(t, vr, new Uint8Array(160_000)))
    const file = read(bytes)
    assert.deepEqual(find(file.dataset, tag(t))?.value.kind, 'bulk')
    assert.deepEqual(concat([...writeFile(file)]), bytes)
  }
})

test('native pixel data changes its byte order with the syntax', () => {
  const file = read(part10(EXPLICIT, NAME, le.element(PIXEL_DATA, 'OW', new Uint8Array([1, 2, 3, 4]))))
  const out = concat([...writeFile({ ...file, transferSyntax: BIG_ENDIAN as Uid })])
  const expected = be.element(PIXEL_DATA, 'OW', new Uint8Array([2, 1, 4, 3]))
  assert.deepEqual(out.subarray(out.length - expected.length), expected)
})

test('a file is not made of compressed frames in a native syntax, nor the other way round', () => {
  const compressed = read(part10(JPEG_BASELINE, NAME, le.frames(PIXEL_DATA, [new Uint8Array(0), ...FRAMES])))
  const native = read(part10(EXPLICIT, NAME, le.element(PIXEL_DATA, 'OW', 'abcd')))
  const make = (file: DicomFile, to: string) => () =>
    newFile({ dataset: file.dataset, transferSyntax: to as Uid })
  for (const to of [IMPLICIT, EXPLICIT, BIG_ENDIAN])
    assert.throws(make(compressed, to), { code: 'BAD_VALUE' })
  assert.throws(make(native, JPEG_BASELINE), { code: 'BAD_VALUE' })
  make(compressed, JPEG_BASELINE)()
})

/** A source of `size` bytes: `chunks` lie in it, the rest is made up when asked for. Counts what was read. */
function sparse(
  size: number,
  chunks: readonly (readonly [at: number, bytes: Uint8Array])[],
): ByteSource & { most: number; total: number } {
  const source = {
    size,
    most: 0,
    total: 0,
    read: (offset: number, length: number): Uint8Array => {
      const out = new Uint8Array(Math.max(0, Math.min(length, size - offset)))
      source.most = Math.max(source.most, out.length)
      source.total += out.length
      for (const [at, bytes] of chunks) {
        const from = Math.max(at, offset)
        const to = Math.min(at + bytes.length, offset + out.length)
        if (from < to) out.set(bytes.subarray(from - at, to - at), from - offset)
      }
      return out
    },
  }
  return source
}

const MIB = 1024 * 1024
const GIB = 1024 * MIB

test('5 GiB of fragments are read without being read', () => {
  const chunks: [number, Uint8Array][] = []
  const head = join(part10(JPEG_BASELINE, NAME), start, le.delimiter(0xe000, 0))
  chunks.push([0, head])
  let at = head.length
  for (let frame = 0; frame < 5; frame += 1) {
    chunks.push([at, le.delimiter(0xe000, GIB)])
    at += 8 + GIB
  }
  const tail = join(le.delimiter(0xe0dd, 0), le.element(0xfffcfffc, 'OB', '\0\0'))
  chunks.push([at, tail])
  const source = sparse(at + tail.length, chunks)
  const file = readFile(source)
  const { value } = pixelsOf(file)
  assert(value.kind === 'fragments')
  assert.deepEqual(
    value.fragments.map(({ length }) => length),
    Array(5).fill(GIB),
  )
  assert(value.span.length > 5 * GIB)
  assert.equal(file.dataset.elements.at(-1)?.tag, 0xfffcfffc)
  assert(source.total < MIB, `${source.total} bytes read`)
})

test('almost 4 GiB of native pixel data are read without being read, and written in pieces', () => {
  const length = 0xfffffffe
  const head = join(part10(EXPLICIT, NAME), le.element(PIXEL_DATA, 'OW', { value: '', claims: length }))
  const tail = le.element(0xfffcfffc, 'OB', '\0\0')
  const source = sparse(head.length + length + tail.length, [
    [0, head],
    [head.length + length, tail],
  ])
  const file = readFile(source)
  assert(source.total < MIB, `${source.total} bytes read`)
  assert.deepEqual(pixelsOf(file).value, { kind: 'bulk', source, span: { offset: head.length, length } })
  assert.equal(file.dataset.elements.at(-1)?.tag, 0xfffcfffc)
  let pieces = 0
  for (const piece of writeFile(file)) {
    assert(piece.length <= 4 * MIB)
    pieces += 1
    if (pieces === 8) break
  }
  assert.equal(pieces, 8)
})

test('native pixel data of 4 GiB has no length field', () => {
  const source = sparse(5 * GIB, [])
  const owner = dataset([])
  const pixels: Element = {
    tag: tag(PIXEL_DATA),
    vr: 'OW',
    value: { kind: 'bulk', source, span: { offset: 0, length: 4 * GIB } },
  }
  const elements = [make(owner, tag(0x00100010), 'PN', 'A'), pixels]
  const file = newFile({ dataset: dataset(elements), transferSyntax: EXPLICIT as Uid })
  assert.throws(() => [...writeFile(file)], { code: 'BAD_LENGTH', tag: PIXEL_DATA })
})

test('bytes behind large pixel data are trailing, as behind small', () => {
  for (const size of [4, 200_000]) {
    for (const garbage of ['garbage', 'garbage, but long enough']) {
      const pixels = le.element(PIXEL_DATA, 'OW', new Uint8Array(size))
      const file = read(part10(EXPLICIT, NAME, pixels, ascii(garbage)))
      assert.deepEqual(
        file.warnings.map(({ code }) => code),
        ['TRAILING_BYTES'],
      )
      assert.equal(file.trailing?.length, garbage.length)
    }
  }
})

test('a source that became shorter is noticed', () => {
  const bytes = part10(EXPLICIT, NAME, le.element(PIXEL_DATA, 'OW', new Uint8Array(200_000)))
  let size = bytes.length
  const source: ByteSource = {
    size: bytes.length,
    read: (offset, length) => bytes.subarray(offset, Math.min(size, offset + length)),
  }
  const file = readFile(source)
  size = 1000
  assert.throws(() => [...writeFile(file)], { code: 'TRUNCATED' })
  assert.throws(() => readFile(source), { code: 'TRUNCATED' })
})
