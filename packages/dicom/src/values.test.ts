// Bytes of one element → text and numbers, in both byte orders; new elements the other way.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ascii } from './forge.ts'
import {
  dataset,
  IMPLEMENTATION_CLASS_UID,
  make,
  type NewValue,
  newFile,
  sequence,
  toUtf8,
  UTF8,
} from './make.ts'
import type { Element, Encoding, Tag, Uid, Vr } from './model.ts'
import { find, fromBytes, tag } from './model.ts'
import { readFile } from './read.ts'
import { numbers, string, strings, text } from './values.ts'
import { concat, writeFile } from './write.ts'

const LITTLE: Encoding = { explicit: true, bigEndian: false }
const BIG: Encoding = { explicit: true, bigEndian: true }
const T: Tag = tag(0x00091001)
const EXPLICIT = '1.2.840.10008.1.2.1' as Uid

function element(vr: Vr, value: string | Uint8Array): Element {
  return { tag: T, vr, value: { kind: 'bytes', bytes: typeof value === 'string' ? ascii(value) : value } }
}

type Texts = readonly [vr: Vr, bytes: string, text: string, strings: readonly string[]]
const TEXTS: readonly Texts[] = [
  ['LO', '', '', []],
  ['LO', '  ', '', ['']],
  ['LO', ' A \\ B ', ' A \\ B', ['A', 'B']],
  ['LO', 'A\\\\C', 'A\\\\C', ['A', '', 'C']],
  ['SH', 'A\0', 'A', ['A']],
  ['UI', '1.2\0', '1.2', ['1.2']],
  ['UI', '1.2\\1.3\0', '1.2\\1.3', ['1.2', '1.3']],
  ['CS', 'ORIGINAL\\PRIMARY ', 'ORIGINAL\\PRIMARY', ['ORIGINAL', 'PRIMARY']],
  ['LT', ' a\\b\r\n ', ' a\\b\r\n', [' a\\b\r\n']],
  ['ST', 'a\\b ', 'a\\b', ['a\\b']],
  ['UT', 'a\\b', 'a\\b', ['a\\b']],
  ['UR', 'http://x/?a\\b ', 'http://x/?a\\b', ['http://x/?a\\b']],
  ['UC', 'a\\b ', 'a\\b', ['a', 'b']],
  ['PN', 'Doe^Jane\\Roe^Max ', 'Doe^Jane\\Roe^Max', ['Doe^Jane', 'Roe^Max']],
  ['AE', ' STORE ', ' STORE', ['STORE']],
]

test('text and strings', () => {
  const owner = dataset([])
  for (const [vr, bytes, whole, parts] of TEXTS) {
    const at = element(vr, bytes)
    assert.equal(text(owner, at), whole, `${vr} ${bytes}`)
    assert.deepEqual(strings(owner, at), parts, `${vr} ${bytes}`)
  }
})

test('the second byte of a character is no delimiter', () => {
  const owner = dataset([], { charset: ['GB18030'] })
  const at = element('LO', new Uint8Array([0x81, 0x5c, 0x5c, 0x41]))
  assert.equal(strings(owner, at).length, 2)
  assert.equal(strings(owner, at)[1], 'A')
})

type Numbers = readonly [vr: Vr, little: readonly number[], big: readonly number[], values: readonly number[]]
const NUMBERS: readonly Numbers[] = [
  ['US', [1, 2, 0xff, 0xff], [2, 1, 0xff, 0xff], [0x0201, 65535]],
  ['SS', [0xfe, 0xff], [0xff, 0xfe], [-2]],
  ['UL', [1, 2, 3, 0xff], [0xff, 3, 2, 1], [0xff030201]],
  ['SL', [0xfe, 0xff, 0xff, 0xff], [0xff, 0xff, 0xff, 0xfe], [-2]],
  ['FL', [0, 0, 0x20, 0xc0], [0xc0, 0x20, 0, 0], [-2.5]],
  ['FD', [0, 0, 0, 0, 0, 0, 4, 0xc0], [0xc0, 4, 0, 0, 0, 0, 0, 0], [-2.5]],
  ['OF', [0, 0, 0x20, 0xc0], [0xc0, 0x20, 0, 0], [-2.5]],
  ['OD', [0, 0, 0, 0, 0, 0, 4, 0xc0], [0xc0, 4, 0, 0, 0, 0, 0, 0], [-2.5]],
  ['OL', [1, 0, 0, 0], [0, 0, 0, 1], [1]],
  ['OW', [1, 0, 2, 0], [0, 1, 0, 2], [1, 2]],
  ['OV', [1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0, 0, 1], [1]],
  ['UV', [0, 0, 0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 0, 0, 0, 0], [2 ** 32]],
  ['SV', [255, 255, 255, 255, 255, 255, 255, 255], [255, 255, 255, 255, 255, 255, 255, 255], [-1]],
  ['AT', [0x10, 0, 0x20, 0], [0, 0x10, 0, 0x20], [0x00100020]],
  ['OB', [1, 2], [1, 2], [1, 2]],
  ['UN', [1, 2], [1, 2], [1, 2]],
]

test('numbers and their bytes, in both byte orders', () => {
  for (const [vr, little, big, values] of NUMBERS) {
    for (const [encoding, bytes] of [
      [LITTLE, little],
      [BIG, big],
    ] as const) {
      const owner = dataset([], { encoding })
      assert.deepEqual(numbers(owner, element(vr, new Uint8Array(bytes))), values, vr)
      const made = make(owner, T, vr, values)
      assert.deepEqual(made, element(vr, new Uint8Array(bytes)), vr)
    }
  }
})

test('a rest that is no whole number is left', () => {
  assert.deepEqual(numbers(dataset([]), element('US', new Uint8Array([1, 0, 2]))), [1])
  assert.deepEqual(numbers(dataset([]), element('FD', new Uint8Array(7))), [])
})

test('numbers of DS and IS', () => {
  const owner = dataset([])
  assert.deepEqual(numbers(owner, element('DS', '1.5\\-2e3\\ 7 ')), [1.5, -2000, 7])
  assert.deepEqual(numbers(owner, element('IS', '1\\\\x ')), [1, Number.NaN, Number.NaN])
  assert.deepEqual(numbers(owner, element('DS', '')), [])
})

test('what has no bytes has no text and no numbers', () => {
  const owner = dataset([])
  const items = sequence(T, [])
  assert.deepEqual([text(owner, items), strings(owner, items), numbers(owner, items)], ['', [], []])
  const name = make(owner, tag(0x00100010), 'PN', '')
  assert.equal(string(dataset([name]), tag(0x00100010)), '')
  assert.equal(string(dataset([name]), tag(0x00100020)), undefined)
})

test('limit: multiplicity', () => {
  const owner = dataset([])
  const limited = { code: 'LIMIT_MULTIPLICITY', tag: T }
  assert.equal(strings(owner, element('LO', 'a\\b\\c'), 3).length, 3)
  assert.throws(() => strings(owner, element('LO', 'a\\b\\c'), 2), limited)
  assert.throws(() => strings(owner, element('UI', '1\\2\\3'), 2), limited)
  assert.throws(() => numbers(owner, element('DS', '1\\2\\3'), 2), limited)
  assert.throws(() => numbers(owner, element('US', new Uint8Array(6)), 2), limited)
  assert.equal(strings(owner, element('UT', 'a\\b\\c'), 1).length, 1)
  assert.throws(() => strings(owner, element('CS', '\\'.repeat(16_000_000))), limited)
})

type Made = readonly [vr: Vr, value: NewValue, bytes: string]
const MADE: readonly Made[] = [
  ['PN', 'A^B', 'A^B '],
  ['PN', ['A', 'B'], 'A\\B '],
  ['UI', '1.2', '1.2\0'],
  ['LO', '', ''],
  ['LO', [], ''],
  ['US', [], ''],
  ['US', '', ''],
  ['OB', [1], '\x01\0'],
  ['OB', new Uint8Array([1, 2, 3]), '\x01\x02\x03\0'],
  ['UT', new Uint8Array([0x41]), 'A '],
  ['DS', ['1.5', '2'], '1.5\\2 '],
]

test('a value is padded by its VR', () => {
  for (const [vr, value, bytes] of MADE)
    assert.deepEqual(make(dataset([]), T, vr, value), element(vr, bytes), vr)
})

test('a sequence is made of items, or of none', () => {
  const item = dataset([])
  assert.deepEqual(make(item, T, 'SQ', []), sequence(T, []))
  assert.deepEqual(make(item, T, 'SQ', [item]), sequence(T, [item]))
})

type Unfit = readonly [vr: Vr, value: NewValue]
const UNFIT: readonly Unfit[] = [
  ['US', 'one'],
  ['US', ['1']],
  ['US', [65536]],
  ['US', [-1]],
  ['US', [1.5]],
  ['US', [Number.NaN]],
  ['SS', [32768]],
  ['UL', [2 ** 32]],
  ['SL', [2 ** 31]],
  ['UV', [-1]],
  ['UV', [2 ** 64]],
  ['SV', [2 ** 63]],
  ['OB', [256]],
  ['AT', [-1]],
  ['SQ', 'text'],
  ['SQ', new Uint8Array(2)],
  ['OB', [dataset([])]],
  ['LO', [dataset([])]],
]

test('what its VR forbids is refused', () => {
  for (const [vr, value] of UNFIT) {
    assert.throws(
      () => make(dataset([]), T, vr, value),
      { name: 'DicomError', code: 'BAD_VALUE', tag: T },
      vr,
    )
  }
})

test('text goes out in the character set of its data set, or not at all', () => {
  const latin = dataset([], { charset: ['ISO_IR 100'] })
  assert.deepEqual(make(latin, T, 'LO', 'Müller'), element('LO', 'M\xfcller'))
  const refused = { name: 'DicomError', code: 'NOT_ENCODABLE', tag: T }
  assert.throws(() => make(latin, T, 'LO', '山田'), refused)
  assert.throws(() => make(dataset([]), T, 'PN', 'Müller'), refused)
  // PS3.5 6.1.2.3: (0008,0005) does not govern these.
  assert.throws(() => make(latin, T, 'CS', 'MÜLLER'), refused)
  const utf8 = dataset([], { charset: [UTF8] })
  assert.equal(text(utf8, make(utf8, T, 'PN', '山田^太郎')), '山田^太郎')
})

test('toUtf8 carries every text over, in items too, and says so once', () => {
  const latin = { charset: ['ISO_IR 100'] }
  const cyrillic = { charset: ['ISO_IR 144'] }
  const owner = dataset([], latin)
  const inner = dataset([], cyrillic)
  const CHARSET = tag(0x00080005)
  const NAME = tag(0x00100010)
  const item = dataset(
    [make(inner, CHARSET, 'CS', 'ISO_IR 144'), make(inner, NAME, 'PN', 'Люкceмбypг')],
    cyrillic,
  )
  const from = dataset(
    [
      make(owner, CHARSET, 'CS', 'ISO_IR 100'),
      make(owner, NAME, 'PN', 'Äneas^Rüdiger'),
      make(owner, tag(0x00100020), 'LO', ['a', 'é']),
      make(owner, tag(0x00280010), 'US', [512]),
      sequence(tag(0x00101002), [item]),
    ],
    latin,
  )
  const to = toUtf8(from)
  assert.deepEqual(to.charset, [UTF8])
  assert.equal(string(to, CHARSET), UTF8)
  assert.equal(string(to, NAME), 'Äneas^Rüdiger')
  const id = find(to, tag(0x00100020))
  assert(id)
  assert.deepEqual(strings(to, id), ['a', 'é'])
  assert.equal(find(to, tag(0x00280010)), find(from, tag(0x00280010)))
  const below = find(to, tag(0x00101002))?.value
  assert(below?.kind === 'items')
  const [only] = below.items
  assert(only)
  assert.equal(string(only, NAME), 'Люкceмбypг')
  assert.equal(find(only, CHARSET), undefined)
  const bytes = concat([...writeFile(newFile({ dataset: to, transferSyntax: EXPLICIT }))])
  assert.equal(string(readFile(fromBytes(bytes)).dataset, NAME), 'Äneas^Rüdiger')
})

test('a data set is sorted', () => {
  const owner = dataset([])
  const made = [0x7fe10010, 0x00100010, 0x00080018].map((t) => make(owner, tag(t), 'LO', 'A'))
  assert.deepEqual(
    dataset(made).elements.map((each) => each.tag),
    [0x00080018, 0x00100010, 0x7fe10010],
  )
})

test('a new file has a meta group of our own making, and its length', () => {
  const owner = dataset([])
  const file = newFile({
    dataset: dataset([
      make(owner, tag(0x00080016), 'UI', '1.2.840.10008.5.1.4.1.1.7'),
      make(owner, tag(0x00080018), 'UI', '2.25.1'),
    ]),
    transferSyntax: EXPLICIT,
  })
  const bytes = concat([...writeFile(file)])
  const { meta, warnings, preamble } = readFile(fromBytes(bytes))
  assert(meta)
  assert.deepEqual(warnings, [])
  assert.deepEqual(preamble, new Uint8Array(128))
  const [length] = meta.elements
  assert(length)
  const end = Buffer.from(bytes).indexOf(Buffer.from([0x08, 0x00, 0x16, 0x00]))
  assert.deepEqual(numbers(meta, length), [end - 132 - 12])
  assert.deepEqual(
    meta.elements.slice(2, 5).map((each) => text(meta, each)),
    ['1.2.840.10008.5.1.4.1.1.7', '2.25.1', EXPLICIT],
  )
  assert.equal(string(meta, tag(0x00020012)), IMPLEMENTATION_CLASS_UID)
  assert.throws(() => newFile({ dataset: owner, transferSyntax: '1.2.3' as Uid }), {
    code: 'UNSUPPORTED_TRANSFER_SYNTAX',
  })
})
