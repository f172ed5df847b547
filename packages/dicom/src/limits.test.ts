// Every bound of the reader: met, and exceeded by one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { DicomErrorCode } from './errors.ts'
import { DEFLATED, EXPLICIT, forge, join, part10 } from './forge.ts'
import type { Limits } from './limits.ts'
import type { DicomFile } from './model.ts'
import { fromBytes } from './model.ts'
import { readFile } from './read.ts'

const le = forge({ explicit: true, bigEndian: false })
const implicit = forge({ explicit: false, bigEndian: false })
const inflate = (bytes: Uint8Array, maxOutputLength: number) => inflateRawSync(bytes, { maxOutputLength })

function read(bytes: Uint8Array, limits: Partial<Limits> = {}): DicomFile {
  return readFile(fromBytes(bytes), { inflate, limits })
}

const NAME = le.element(0x00100010, 'PN', 'DOE^JANE')
const ID = le.element(0x00100020, 'LO', '12345 ')
const REFERENCE = 0x00081140
const UID_ITEM = le.item(le.element(0x00081155, 'UI', '1.2\0'))
const CLASS = le.element(0x00080016, 'UI', '1.2\0')
const PIXELS = le.element(0x7fe00010, 'OW', '\x01\x02\x03\x04')

function nested(depth: number): Uint8Array {
  let inner = UID_ITEM
  for (let level = 1; level < depth; level += 1) inner = le.openItem(le.openSequence(0x0040a730, [inner]))
  return part10(EXPLICIT, le.openSequence(0x0040a730, [inner]))
}

type Limited = readonly [bytes: Uint8Array, at: Partial<Limits>, below: Partial<Limits>, code: DicomErrorCode]

const FRAGMENT = new Uint8Array(2)
const LIMITED: Readonly<Record<string, Limited>> = {
  depth: [nested(12), { depth: 12 }, { depth: 11 }, 'LIMIT_DEPTH'],
  elements: [part10(EXPLICIT, CLASS, NAME, ID), { elements: 5 }, { elements: 4 }, 'LIMIT_ELEMENTS'],
  'items, too': [
    part10(EXPLICIT, le.sequence(REFERENCE, [le.item(), le.item()]), NAME),
    { elements: 6 },
    { elements: 5 },
    'LIMIT_ELEMENTS',
  ],
  'header bytes in one value': [
    part10(EXPLICIT, le.element(0x00420011, 'OB', new Uint8Array(100_000))),
    { headerBytes: 100_100 },
    { headerBytes: 100_000 },
    'LIMIT_HEADER',
  ],
  'header bytes in all': [
    part10(EXPLICIT, ...range(5000, (index) => le.element(0x00091000 + index, 'LO', 'ABCDEFGH'))),
    { headerBytes: 80_100 },
    { headerBytes: 79_900 },
    'LIMIT_HEADER',
  ],
  'header bytes around pixel data': [
    part10(
      EXPLICIT,
      le.element(0x00420011, 'OB', new Uint8Array(5_000)),
      le.element(0x7fe00010, 'OW', new Uint8Array(200_000)),
      le.element(0x7fe10010, 'OB', new Uint8Array(70_000)),
    ),
    { headerBytes: 75_200 },
    { headerBytes: 75_000 },
    'LIMIT_HEADER',
  ],
  'inflated bytes': [
    part10(DEFLATED, deflateRawSync(join(NAME, PIXELS))),
    { inflatedBytes: 32 },
    { inflatedBytes: 31 },
    'LIMIT_INFLATED',
  ],
  fragments: [
    part10(
      EXPLICIT,
      NAME,
      le.frames(
        0x7fe00010,
        range(4, () => FRAGMENT),
      ),
    ),
    { fragments: 3 },
    { fragments: 2 },
    'LIMIT_FRAGMENTS',
  ],
  'nested fragments': [
    part10(
      EXPLICIT,
      le.sequence(0x00880200, [
        le.item(
          le.frames(
            0x7fe00010,
            range(4, () => FRAGMENT),
          ),
        ),
      ]),
    ),
    { fragments: 3 },
    { fragments: 2 },
    'LIMIT_FRAGMENTS',
  ],
}

function range<T>(length: number, make: (index: number) => T): T[] {
  return Array.from({ length }, (_, index) => make(index))
}

for (const [name, [bytes, at, below, code]] of Object.entries(LIMITED)) {
  test(`limit: ${name}`, () => {
    read(bytes, at)
    assert.throws(() => read(bytes, below), { name: 'DicomError', code })
  })
}

test('an offset table counts as header', () => {
  const bytes = part10(EXPLICIT, NAME, le.frames(0x7fe00010, [new Uint8Array(20_000), FRAGMENT]))
  assert.throws(() => read(bytes, { headerBytes: 10_000 }), { code: 'LIMIT_HEADER' })
})

test('no more than the header bound is read', () => {
  const bytes = part10(EXPLICIT, ...range(9000, (index) => le.element(0x00091000 + index, 'LO', 'ABCDEFGH')))
  let most = 0
  const source = {
    size: bytes.length,
    read: (offset: number, length: number) => {
      most = Math.max(most, length)
      return bytes.subarray(offset, offset + length)
    },
  }
  assert.throws(() => readFile(source, { limits: { headerBytes: 100_000 } }), { code: 'LIMIT_HEADER' })
  assert(most <= 100_000, `${most}`)
})

test('a bomb is inflated no further than its bound', () => {
  const bomb = part10(DEFLATED, deflateRawSync(new Uint8Array(64 * 1024 * 1024), { level: 9 }))
  assert.throws(() => read(bomb, { inflatedBytes: 1024 * 1024 }), { code: 'LIMIT_INFLATED' })
})

test('unknown values that are no sequences are bounded', () => {
  const values = (count: number) => {
    const item = le.item(le.element(REFERENCE, 'UN', implicit.delimiter(0xe000, 8)))
    return part10(
      EXPLICIT,
      le.sequence(
        0x0040a730,
        range(count, () => item),
      ),
    )
  }
  read(values(1000))
  assert.throws(() => read(values(1001)), { name: 'DicomError', code: 'BAD_LENGTH', tag: REFERENCE })
})

test('warnings are bounded', () => {
  const odd = range(3000, (index) => le.element(0x00091000 + index, 'LO', 'A'))
  assert.equal(read(part10(EXPLICIT, ...odd)).warnings.length, 1000)
})
