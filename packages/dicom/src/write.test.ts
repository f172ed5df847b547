// decode(encode(x)) = x, over data sets of every VR, nested, in every encoding; and what is not changed goes out as it came.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { keywords, lookup, tagOf } from './dictionary.ts'
import { BIG_ENDIAN, DEFLATED, EXPLICIT, forge, IMPLICIT, part10 } from './forge.ts'
import { dataset, make, newFile, sequence, UTF8 } from './make.ts'
import type { Dataset, DicomFile, Element, Encoding, Tag, Uid, Vr } from './model.ts'
import { find, fromBytes, groupOf, isPrivate, tag, VRS } from './model.ts'
import { readFile } from './read.ts'
import { numbers, text } from './values.ts'
import { isText, usesCharset } from './vr.ts'
import { concat, writeFile } from './write.ts'

const LE: Encoding = { explicit: true, bigEndian: false }
const SYNTAXES = [IMPLICIT, EXPLICIT, DEFLATED, BIG_ENDIAN] as const
const CHARSET = tag(0x00080005)

/** A value before it has an encoding. */
type Plain =
  | { readonly tag: Tag; readonly vr: Vr; readonly value: string | readonly number[] | Uint8Array }
  | { readonly tag: Tag; readonly vr: 'SQ'; readonly items: readonly (readonly Plain[])[] }

/** Public tags of each VR, so that implicit encoding finds the VR again. UN: private, with no creator. */
const TAGS = new Map<Vr, Tag[]>(VRS.map((vr) => [vr, []]))
for (const keyword of keywords()) {
  const t = tagOf(keyword)
  const entry = t === undefined ? undefined : lookup(t)
  if (t === undefined || entry === undefined || entry.vrs.length !== 1 || t === CHARSET) continue
  if (groupOf(t) > 0x0008 && groupOf(t) < 0x7fe0 && !isPrivate(t)) TAGS.get(entry.vr)?.push(t)
}
for (let low = 0; low < 50; low += 1) TAGS.get('UN')?.push(tag(0x00091000 + low))
for (const only of [0x7fe00001, 0x7fe00002]) TAGS.get('OV')?.push(tag(only))

const NUMBERS: Readonly<Partial<Record<Vr, fc.Arbitrary<number>>>> = {
  AT: fc.nat(0xffffffff),
  FD: fc.double(),
  FL: fc.float(),
  OD: fc.double(),
  OF: fc.float(),
  OL: fc.nat(0xffffffff),
  OV: fc.maxSafeNat(),
  OW: fc.nat(0xffff),
  SL: fc.integer(),
  SS: fc.integer({ min: -32768, max: 32767 }),
  SV: fc.maxSafeInteger(),
  UL: fc.nat(0xffffffff),
  US: fc.nat(0xffff),
  UV: fc.maxSafeNat(),
}

function textOf(vr: Vr): fc.Arbitrary<string> {
  const unit = usesCharset(vr)
    ? fc.constantFrom(...'abcXYZ 09^=.Äßжλ山田한')
    : fc.constantFrom(...'ABC 019._-')
  return fc.string({ unit, maxLength: 24 }).map((value) => value.trimEnd())
}

function plainOf(vr: Exclude<Vr, 'SQ'>): fc.Arbitrary<Plain> {
  const t = fc.constantFrom(...(TAGS.get(vr) ?? []))
  const number = NUMBERS[vr]
  const value: fc.Arbitrary<string | readonly number[] | Uint8Array> = number
    ? fc.array(number, { maxLength: 5 })
    : isText(vr)
      ? textOf(vr)
      : fc.uint8Array({ maxLength: 20 }).map((bytes) => bytes.subarray(0, bytes.length & ~1))
  return fc.record({ tag: t, vr: fc.constant(vr), value })
}

const FLAT: readonly fc.Arbitrary<Plain>[] = VRS.filter((vr) => vr !== 'SQ').map(plainOf)

const { level } = fc.letrec<{ level: readonly Plain[]; sequence: Plain; plain: Plain }>((tie) => ({
  level: fc.uniqueArray(tie('plain'), {
    selector: (plain) => plain.tag,
    maxLength: 12,
    depthIdentifier: 'level',
  }),
  plain: fc.oneof({ depthSize: 'small', depthIdentifier: 'level' }, ...FLAT, {
    weight: 6,
    arbitrary: tie('sequence'),
  }),
  sequence: fc.record({
    tag: fc.constantFrom(...(TAGS.get('SQ') ?? [])),
    vr: fc.constant('SQ' as const),
    items: fc.array(tie('level'), { maxLength: 3, depthIdentifier: 'level' }),
  }),
}))

function build(plain: readonly Plain[], encoding: Encoding, root = true): Dataset {
  const owner = dataset([], { encoding, charset: [UTF8] })
  const elements = plain.map(
    (each): Element =>
      'items' in each
        ? sequence(
            each.tag,
            each.items.map((item) => build(item, encoding, false)),
          )
        : make(owner, each.tag, each.vr, each.value),
  )
  if (root) elements.push(make(owner, CHARSET, 'CS', UTF8))
  return dataset(elements, { encoding, charset: [UTF8] })
}

type Shape = readonly [Tag, Vr, unknown][]

function shape(level: Dataset): Shape {
  return level.elements
    .filter((element) => element.tag !== CHARSET)
    .map((element) => [element.tag, element.vr, plainValue(level, element)])
}

function plainValue(level: Dataset, element: Element): unknown {
  const { value, vr } = element
  if (value.kind === 'items') return value.items.map(shape)
  if (isText(vr)) return text(level, element)
  return NUMBERS[vr] ? numbers(level, element) : value.kind === 'bytes' && [...value.bytes]
}

function plainShape(plain: readonly Plain[]): Shape {
  const sorted = [...plain].sort((a, b) => a.tag - b.tag)
  return sorted.map((each) => {
    if ('items' in each) return [each.tag, 'SQ', each.items.map(plainShape)]
    return [each.tag, each.vr, each.value instanceof Uint8Array ? [...each.value] : each.value]
  })
}

const inflate = (bytes: Uint8Array, maxOutputLength: number) => inflateRawSync(bytes, { maxOutputLength })
const read = (bytes: Uint8Array): DicomFile => readFile(fromBytes(bytes), { inflate })
const write = (file: DicomFile): Uint8Array => concat([...writeFile(file, { deflate: deflateRawSync })])

for (const from of [LE, { explicit: false, bigEndian: false }, { explicit: true, bigEndian: true }]) {
  for (const syntax of SYNTAXES) {
    const name = `${from.explicit ? 'explicit' : 'implicit'} ${from.bigEndian ? 'big' : 'little'} → ${syntax}`
    test(`decode(encode(x)) = x, written again the same bytes: ${name}`, () => {
      fc.assert(
        fc.property(level, (plain) => {
          const file = newFile({ dataset: build(plain, from), transferSyntax: syntax as Uid })
          const bytes = write(file)
          const again = read(bytes)
          assert.deepEqual(shape(again.dataset), plainShape(plain))
          assert.deepEqual(again.warnings, [])
          assert.deepEqual(write(again), bytes)
        }),
        { numRuns: 100 },
      )
    })
  }
}

test('every VR has a tag to be tested with', () => {
  for (const vr of VRS) assert.notEqual(TAGS.get(vr)?.length, 0, vr)
})

test('a chain of conversions preserves every value', () => {
  const chain = [IMPLICIT, BIG_ENDIAN, DEFLATED, IMPLICIT, EXPLICIT, BIG_ENDIAN, EXPLICIT]
  fc.assert(
    fc.property(level, (plain) => {
      let at = build(plain, LE)
      for (const syntax of chain) {
        at = read(write(newFile({ dataset: at, transferSyntax: syntax as Uid }))).dataset
      }
      assert.deepEqual(shape(at), plainShape(plain))
    }),
    { numRuns: 100 },
  )
})

/** Each is written in `from`; what it becomes in `to`. */
const le = forge(LE)
const be = forge({ explicit: true, bigEndian: true })
const implicit = forge({ explicit: false, bigEndian: false })

type Conversion = readonly [name: string, source: Uint8Array, to: string, expected: Uint8Array]
const CONVERSIONS: readonly Conversion[] = [
  [
    'an odd text is padded by the byte of its VR',
    part10(EXPLICIT, le.element(0x00100010, 'PN', 'A^B'), le.element(0x00200010, 'SH', 'X ')),
    IMPLICIT,
    part10(IMPLICIT, implicit.element(0x00100010, 'PN', 'A^B '), implicit.element(0x00200010, 'SH', 'X ')),
  ],
  [
    'undefined lengths become defined ones',
    part10(EXPLICIT, le.openSequence(0x00081140, [le.openItem(le.element(0x00081155, 'UI', '1.2\0'))])),
    IMPLICIT,
    part10(
      IMPLICIT,
      implicit.sequence(0x00081140, [implicit.item(implicit.element(0x00081155, 'UI', '1.2\0'))]),
    ),
  ],
  [
    'words are swapped, bytes are not',
    part10(
      EXPLICIT,
      le.element(0x00280010, 'US', '\x01\x02'),
      le.element(0x00281201, 'OW', '\x01\x02\x03\x04'),
      le.element(0x00420011, 'OB', '\x01\x02'),
    ),
    BIG_ENDIAN,
    part10(
      BIG_ENDIAN,
      be.element(0x00280010, 'US', '\x02\x01'),
      be.element(0x00281201, 'OW', '\x02\x01\x04\x03'),
      be.element(0x00420011, 'OB', '\x01\x02'),
    ),
  ],
  [
    'pixel data of implicit is OW, and its words are swapped',
    part10(
      IMPLICIT,
      implicit.element(0x00280010, 'US', '\x01\x00'),
      implicit.element(0x7fe00010, '', '\x01\x02\x03\x04'),
    ),
    BIG_ENDIAN,
    part10(
      BIG_ENDIAN,
      be.element(0x00280010, 'US', '\x00\x01'),
      be.element(0x7fe00010, 'OW', '\x02\x01\x04\x03'),
    ),
  ],
  [
    'a tag is two words',
    part10(EXPLICIT, le.element(0x00280009, 'AT', '\x18\x00\x63\x10')),
    BIG_ENDIAN,
    part10(BIG_ENDIAN, be.element(0x00280009, 'AT', '\x00\x18\x10\x63')),
  ],
  [
    'a value too long for 16 bits goes out as UN',
    part10(IMPLICIT, implicit.element(0x00080008, 'CS', 'A'.repeat(0x10000))),
    EXPLICIT,
    part10(EXPLICIT, le.element(0x00080008, 'UN', 'A'.repeat(0x10000))),
  ],
  [
    'UN is little endian in big endian, too',
    part10(IMPLICIT, implicit.element(0x00280010, 'US', '\x01\x02'.repeat(0x8000))),
    BIG_ENDIAN,
    part10(BIG_ENDIAN, be.element(0x00280010, 'UN', '\x01\x02'.repeat(0x8000))),
  ],
  [
    'the items of an UN sequence become explicit',
    part10(
      EXPLICIT,
      le.element(0x00081140, 'UN', Buffer.from(implicit.item(implicit.element(0x00081155, 'UI', '1.2\0')))),
    ),
    BIG_ENDIAN,
    part10(BIG_ENDIAN, be.sequence(0x00081140, [be.item(be.element(0x00081155, 'UI', '1.2\0'))])),
  ],
]

for (const [name, source, to, expected] of CONVERSIONS) {
  test(`converted: ${name}`, () => {
    const { dataset } = read(source)
    const converted = [...writeFile({ ...read(expected), dataset, transferSyntax: to as Uid })]
    assert.deepEqual(
      Buffer.from(concat(converted)).toString('latin1'),
      Buffer.from(expected).toString('latin1'),
    )
  })
}

test('an item that changed is written anew, its neighbours as they came', () => {
  const other = le.openItem(le.element(0x00081155, 'UI', '1.3'))
  const bytes = part10(
    EXPLICIT,
    le.openSequence(0x00081140, [le.openItem(le.element(0x00081155, 'UI', '1.2\0')), other]),
  )
  const file = read(bytes)
  const references = find(file.dataset, tag(0x00081140))
  assert(references?.value.kind === 'items')
  const [first, second] = references.value.items
  assert(first && second)
  const changed = dataset([make(first, tag(0x00081155), 'UI', '1.4')], first)
  const edited = dataset([sequence(tag(0x00081140), [changed, second])], file.dataset)
  const out = write({ ...file, dataset: edited })
  const expected = part10(
    EXPLICIT,
    le.sequence(0x00081140, [le.item(le.element(0x00081155, 'UI', '1.4\0')), other]),
  )
  assert.deepEqual(out, expected)
})

test('a deflated stream of odd length is padded', () => {
  for (const name of ['A ', 'AB', 'ABCD', 'ABCDEF', 'QWERTY']) {
    const owner = dataset([])
    const file = newFile({
      dataset: dataset([make(owner, tag(0x00100010), 'PN', name)]),
      transferSyntax: DEFLATED as Uid,
    })
    const bytes = write(file)
    assert.equal(bytes.length % 2, 0)
    assert.equal(read(bytes).dataset.elements.length, 1)
  }
})

test('a deflated file is not written without a deflater', () => {
  const owner = dataset([])
  const file = newFile({
    dataset: dataset([make(owner, tag(0x00100010), 'PN', 'A')]),
    transferSyntax: DEFLATED as Uid,
  })
  assert.throws(() => concat([...writeFile(file)]), { code: 'UNSUPPORTED_TRANSFER_SYNTAX' })
})
