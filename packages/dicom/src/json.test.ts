// The DICOM JSON model: one row per VR, what is refused, and the round trip by property.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { DicomError } from './errors.ts'
import { fromJson, type JsonElement, jsonText, toJson } from './json.ts'
import { dataset, make, type NewValue, sequence } from './make.ts'
import type { Dataset, Element, Encoding, Vr } from './model.ts'
import { find, fromBytes, hex8, tag } from './model.ts'
import { text } from './values.ts'

const T = tag(0x00091001)
const KEY = hex8(T)
const CHARSET: JsonElement = { vr: 'CS', Value: ['ISO_IR 192'] }
const LITTLE: Encoding = { explicit: true, bigEndian: false }
const BIG: Encoding = { explicit: true, bigEndian: true }

function one(
  vr: Vr,
  value: NewValue,
  as: { encoding?: Encoding; charset?: readonly string[] } = {},
): Dataset {
  return dataset([make(dataset([], as), T, vr, value)], as)
}

function bytesIn(source: Dataset): Uint8Array | undefined {
  const value = find(source, T)?.value
  return value?.kind === 'bytes' ? value.bytes : undefined
}

const longs = (...values: readonly bigint[]) =>
  new Uint8Array(BigUint64Array.from(values, (each) => BigInt.asUintN(64, each)).buffer)

const ROWS: readonly (readonly [Vr, NewValue, Omit<JsonElement, 'vr'>])[] = [
  ['AE', 'STORE', { Value: ['STORE'] }],
  ['AS', '042Y', { Value: ['042Y'] }],
  ['AT', [0x00100010, 0x7fe00010], { Value: ['00100010', '7FE00010'] }],
  ['CS', ['ORIGINAL', '', 'AXIAL'], { Value: ['ORIGINAL', null, 'AXIAL'] }],
  ['DA', '20200102', { Value: ['20200102'] }],
  ['DS', ['1.5', '-0.25', '1e-05', '007'], { Value: [1.5, -0.25, 0.00001, 7] }],
  ['DS', '1.23456789012345', { Value: [1.23456789012345] }],
  ['DS', ['0.12345678901234', 'unknown'], { Value: [0.12345678901234, 'unknown'] }],
  ['DS', '9007199254740993', { Value: ['9007199254740993'] }],
  ['DT', '20200102030405.5', { Value: ['20200102030405.5'] }],
  ['FD', [0.1, -1e300, Number.POSITIVE_INFINITY], { Value: [0.1, -1e300, 'inf'] }],
  ['FL', [0.5, Number.NaN, Number.NEGATIVE_INFINITY], { Value: [0.5, 'NaN', '-inf'] }],
  ['IS', ['12', '', '-3'], { Value: [12, null, -3] }],
  ['LO', ['a', 'b'], { Value: ['a', 'b'] }],
  ['LT', 'two\\lines\r\nof it', { Value: ['two\\lines\r\nof it'] }],
  ['OB', Uint8Array.of(1, 2, 254, 255), { InlineBinary: 'AQL+/w==' }],
  ['OD', [1], { InlineBinary: 'AAAAAAAA8D8=' }],
  ['OF', [1], { InlineBinary: 'AACAPw==' }],
  ['OL', [0x01020304], { InlineBinary: 'BAMCAQ==' }],
  ['OV', longs(1n), { InlineBinary: 'AQAAAAAAAAA=' }],
  ['OW', [0x0102], { InlineBinary: 'AgE=' }],
  ['PN', 'Yamada^Tarou', { Value: [{ Alphabetic: 'Yamada^Tarou' }] }],
  ['SH', 'x', { Value: ['x'] }],
  ['SL', [-(2 ** 31)], { Value: [-(2 ** 31)] }],
  ['SS', [-1, 2], { Value: [-1, 2] }],
  ['ST', ' kept in front', { Value: [' kept in front'] }],
  ['SV', longs(-5n, -(2n ** 63n)), { Value: [-5, '-9223372036854775808'] }],
  ['TM', '030405', { Value: ['030405'] }],
  ['UC', ['x', 'y'], { Value: ['x', 'y'] }],
  ['UI', '1.2.840.10008.1.1', { Value: ['1.2.840.10008.1.1'] }],
  ['UL', [0xffffffff], { Value: [0xffffffff] }],
  ['UN', Uint8Array.of(0, 1), { InlineBinary: 'AAE=' }],
  ['UR', 'https://example.org/a', { Value: ['https://example.org/a'] }],
  ['US', [65535], { Value: [65535] }],
  ['UT', 'long', { Value: ['long'] }],
  [
    'UV',
    longs(2n ** 53n - 1n, 2n ** 53n, 2n ** 64n - 1n),
    { Value: [2 ** 53 - 1, '9007199254740992', '18446744073709551615'] },
  ],
]

describe('each VR', () => {
  for (const [vr, value, json] of ROWS) {
    it(`${vr} ${JSON.stringify(json).slice(0, 50)}`, () => {
      assert.deepEqual(toJson(one(vr, value)), { '00080005': CHARSET, [KEY]: { vr, ...json } })
      const back = fromJson(JSON.parse(JSON.stringify({ [KEY]: { vr, ...json } })))
      assert.deepEqual(toJson(back), { '00080005': CHARSET, [KEY]: { vr, ...json } })
      if (vr !== 'DS') assert.deepEqual(bytesIn(back), bytesIn(one(vr, value)))
    })
    it(`${vr} empty`, () => {
      assert.deepEqual(toJson(one(vr, new Uint8Array(0)))[KEY], { vr })
      assert.deepEqual(bytesIn(fromJson({ [KEY]: { vr } })), new Uint8Array(0))
      if (!('InlineBinary' in json))
        assert.deepEqual(bytesIn(fromJson({ [KEY]: { vr, Value: [] } })), new Uint8Array(0))
    })
  }
  it('big endian numbers and bytes are little endian in JSON', () => {
    assert.deepEqual(toJson(one('OW', [0x0102], { encoding: BIG }))[KEY], { vr: 'OW', InlineBinary: 'AgE=' })
    assert.deepEqual(toJson(one('US', [0x0102], { encoding: BIG }))[KEY], { vr: 'US', Value: [0x0102] })
    const long = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 9])
    assert.deepEqual(toJson(one('UV', long, { encoding: BIG }))[KEY], { vr: 'UV', Value: [9] })
  })
  it('spaces alone are an empty value', () => {
    assert.deepEqual(toJson(one('LO', '  '))[KEY], { vr: 'LO' })
    assert.deepEqual(toJson(one('PN', '=='))[KEY], { vr: 'PN' })
  })
})

describe('person names', () => {
  const japanese = 'Yamada^Tarou=山田^太郎=やまだ^たろう'
  const json = { Alphabetic: 'Yamada^Tarou', Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }

  it('three groups, whatever the character set was', () => {
    const source = one('PN', japanese, { charset: ['', 'ISO 2022 IR 87'] })
    assert.deepEqual(toJson(source), { '00080005': CHARSET, [KEY]: { vr: 'PN', Value: [json] } })
    const back = fromJson(toJson(source))
    assert.deepEqual(back.charset, ['ISO_IR 192'])
    assert.equal(find(back, T) && text(back, find(back, T) as Element), japanese)
  })
  it('groups in the middle may be missing, and whole names', () => {
    const cases = ['=山田', '==やまだ', 'A==C', 'A\\\\B=山']
    for (const name of cases) {
      const back = fromJson(toJson(one('PN', name, { charset: ['ISO_IR 192'] })))
      assert.equal(text(back, find(back, T) as Element), name)
    }
    assert.deepEqual(toJson(one('PN', 'A\\\\B'))[KEY]?.Value, [
      { Alphabetic: 'A' },
      null,
      { Alphabetic: 'B' },
    ])
  })
})

describe('sequences', () => {
  const item = dataset([make(dataset([]), tag(0x00080100), 'SH', 'T-1')])
  const source = dataset([sequence(tag(0x00081140), [item, dataset([])]), sequence(tag(0x00081115), [])])

  it('items in order; none of them says its character set', () => {
    const json = toJson(source)
    assert.deepEqual(json['00081140'], {
      vr: 'SQ',
      Value: [{ '00080100': { vr: 'SH', Value: ['T-1'] } }, {}],
    })
    assert.deepEqual(json['00081115'], { vr: 'SQ' })
    assert.deepEqual(toJson(fromJson(json)), json)
  })
  it('of UN that was read as items is SQ', () => {
    const element: Element = { ...sequence(T, [item]), vr: 'UN' }
    assert.equal(toJson(dataset([element]))[KEY]?.vr, 'SQ')
  })
  it('stop at a depth', () => {
    const deep = Array.from({ length: 200 }).reduce<unknown>(
      (inner) => ({ '00081140': { vr: 'SQ', Value: [inner] } }),
      {},
    )
    assert.throws(() => fromJson(deep), { code: 'LIMIT_DEPTH' })
  })
})

describe('what has no place in the model', () => {
  it('group 0002, group lengths, another character set', () => {
    const le = dataset([])
    const source = dataset([
      make(le, tag(0x00020010), 'UI', '1.2.840.10008.1.2.1'),
      make(le, tag(0x00080000), 'UL', [4]),
      make(le, tag(0x00080005), 'CS', 'ISO_IR 100'),
    ])
    assert.deepEqual(toJson(source), { '00080005': CHARSET })
    const back = fromJson({
      '00020010': { vr: 'UI' },
      '00080000': { vr: 'UL' },
      '00080005': { vr: 'CS', Value: ['GBK'] },
    })
    assert.deepEqual(toJson(back), { '00080005': CHARSET })
  })
})

describe('bulk data', () => {
  const pixels: Element = {
    tag: tag(0x7fe00010),
    vr: 'OW',
    value: { kind: 'bulk', source: fromBytes(Uint8Array.of(9, 1, 2, 9)), span: { offset: 1, length: 2 } },
  }
  const frames: Element = {
    ...pixels,
    value: {
      kind: 'fragments',
      source: fromBytes(new Uint8Array(0)),
      offsetTable: new Uint8Array(0),
      fragments: [],
      span: { offset: 0, length: 0 },
    },
  }

  it('goes behind a URI, or inline', () => {
    const nested = dataset([sequence(tag(0x00880200), [dataset([pixels])]), pixels])
    const json = toJson(nested, {
      bulkDataUri: (_, path) => (path.includes('/') ? `bulk/${path}` : undefined),
    })
    assert.equal(jsonText(json).match(/"BulkDataURI":"([^"]*)"/)?.[1], 'bulk/00880200/0/7FE00010')
    assert.deepEqual(json['7FE00010'], { vr: 'OW', InlineBinary: 'AQI=' })
  })
  it('encapsulated has a URI alone', () => {
    assert.throws(() => toJson(dataset([frames])), { code: 'BAD_VALUE' })
    const json = toJson(dataset([frames]), { bulkDataUri: () => 'there' })
    assert.deepEqual(json['7FE00010'], { vr: 'OW', BulkDataURI: 'there' })
  })
  it('comes back through the callback', () => {
    const json = { [KEY]: { vr: 'OB', BulkDataURI: 'there' } }
    const back = fromJson(json, { bulkData: (uri) => (uri === 'there' ? Uint8Array.of(1, 2) : undefined) })
    assert.deepEqual(bytesIn(back), Uint8Array.of(1, 2))
    assert.throws(() => fromJson(json), { code: 'BAD_JSON' })
  })
  it('of more than one piece is one base64', () => {
    const bytes = Uint8Array.from({ length: 100_000 }, (_, at) => at * 7)
    assert.deepEqual(bytesIn(fromJson(toJson(one('OB', bytes)))), bytes)
    assert.equal(toJson(one('OB', bytes))[KEY]?.InlineBinary, Buffer.from(bytes).toString('base64'))
  })
})

it('the text is in the order of tags', () => {
  const le = dataset([])
  const source = dataset([0x00080060, 0x20100010, 0x7fe00010].map((t) => make(le, tag(t), 'CS', 'A')))
  const order = [...jsonText(toJson(source)).matchAll(/"([0-9A-F]{8})":/g)].map((match) => match[1])
  assert.deepEqual(order, ['00080005', '00080060', '20100010', '7FE00010'])
  assert.deepEqual(JSON.parse(jsonText(toJson(source))), toJson(source))
})

it('a number that a DS cannot write in 16 bytes loses digits, not its size', () => {
  const cases: readonly (readonly [number, string])[] = [
    [0.1 + 0.2, '0.3'],
    [-1 / 3, '-0.3333333333333'],
    [1.234567890123456e-300, '1.234567890e-300'],
    [1e21, '1e+21'],
  ]
  for (const [value, expected] of cases) {
    const back = fromJson({ [KEY]: { vr: 'DS', Value: [value] } })
    const written = text(back, find(back, T) as Element)
    assert.ok(written.length <= 16)
    assert.ok(Math.abs(Number(written) / Number(expected) - 1) < 1e-9)
  }
})

describe('refused as BAD_JSON', () => {
  const element = (json: unknown): unknown => ({ [KEY]: json })
  const cases: readonly (readonly [string, unknown])[] = [
    ['null', null],
    ['an array', []],
    ['a text', 'x'],
    ['a name that is no tag', { PatientName: { vr: 'PN' } }],
    ['the same tag twice', { '0009100a': { vr: 'LO' }, '0009100A': { vr: 'LO' } }],
    ['a delimiter', { FFFEE000: { vr: 'LO' } }],
    ['an attribute that is no object', element('x')],
    ['no VR', element({ Value: ['x'] })],
    ['a VR that is none', element({ vr: 'ZZ' })],
    ['a Value that is no array', element({ vr: 'LO', Value: 'x' })],
    ['two kinds of value', element({ vr: 'OB', Value: [], InlineBinary: '' })],
    ['a Value for OB', element({ vr: 'OB', Value: [1] })],
    ['InlineBinary for LO', element({ vr: 'LO', InlineBinary: 'AA==' })],
    ['what is no base64', element({ vr: 'OB', InlineBinary: '*' })],
    ['base64 that is no text', element({ vr: 'OB', InlineBinary: 1 })],
    ['several values of LT', element({ vr: 'LT', Value: ['a', 'b'] })],
    ['a backslash inside a value', element({ vr: 'LO', Value: ['a\\b'] })],
    ['a number for LO', element({ vr: 'LO', Value: [1] })],
    ['an object for LO', element({ vr: 'LO', Value: [{}] })],
    ['a text for PN', element({ vr: 'PN', Value: ['A^B'] })],
    ['a number in PN', element({ vr: 'PN', Value: [{ Alphabetic: 1 }] })],
    ['a delimiter in a group', element({ vr: 'PN', Value: [{ Alphabetic: 'A=B' }] })],
    ['text beyond ASCII for CS', element({ vr: 'CS', Value: ['é'] })],
    ['half a character', element({ vr: 'LO', Value: ['\uD800'] })],
    ['a text for US', element({ vr: 'US', Value: ['1'] })],
    ['null for US', element({ vr: 'US', Value: [null] })],
    ['too large for US', element({ vr: 'US', Value: [65536] })],
    ['a fraction for SL', element({ vr: 'SL', Value: [0.5] })],
    ['too large for FL', element({ vr: 'FL', Value: [1e300] })],
    ['a fraction for IS', element({ vr: 'IS', Value: [0.5] })],
    ['a tag that is none', element({ vr: 'AT', Value: ['PatientName'] })],
    ['too large for UV', element({ vr: 'UV', Value: ['18446744073709551616'] })],
    ['negative for UV', element({ vr: 'UV', Value: [-1] })],
    ['a number for UV that a double rounded', element({ vr: 'UV', Value: [2 ** 53] })],
    ['no number for SV', element({ vr: 'SV', Value: ['0x10'] })],
    ['an item that is no object', element({ vr: 'SQ', Value: ['x'] })],
    ['a URI for SQ', element({ vr: 'SQ', BulkDataURI: 'x' })],
  ]
  for (const [name, json] of cases) it(name, () => assert.throws(() => fromJson(json), { code: 'BAD_JSON' }))

  it('any JSON whatever is a data set or a DicomError', () => {
    const leaf = fc.oneof(fc.jsonValue(), fc.array(fc.jsonValue()))
    const likely = fc.record(
      {
        vr: fc.constantFrom('PN', 'LO', 'DS', 'IS', 'SQ', 'OB', 'UV', 'AT', 'FD', 'ZZ'),
        Value: leaf,
        InlineBinary: leaf,
        BulkDataURI: leaf,
      },
      { requiredKeys: [] },
    )
    const any = fc.oneof(
      fc.jsonValue(),
      fc.dictionary(fc.constantFrom('00100010', '00081140', '0002', '20100010'), likely),
    )
    fc.assert(
      fc.property(any, (json) => {
        try {
          toJson(fromJson(json))
        } catch (error) {
          assert.ok(error instanceof DicomError, String(error))
        }
      }),
      { numRuns: 2000 },
    )
  })
})

const word = fc
  .string({ unit: 'grapheme', minLength: 1 })
  .map((each) => `x${each.replaceAll(/[\\=^\s\0\x1b]|\p{C}/gu, '')}x`)
const several = <V>(value: fc.Arbitrary<V>): fc.Arbitrary<readonly V[]> =>
  fc.array(value, { minLength: 1, maxLength: 4 })
// JSON.stringify writes -0 as 0, hence `+ 0`.
const attribute: fc.Arbitrary<readonly [Vr, NewValue]> = fc.oneof(
  several(word).map((value) => ['LO', value] as const),
  several(word).map((value) => ['PN', value.map((each) => `${each}=${each}`)] as const),
  word.map((value) => ['LT', value] as const),
  several(fc.integer()).map((value) => ['IS', value.map(String)] as const),
  several(fc.integer({ min: 0, max: 0xffff })).map((value) => ['US', value] as const),
  several(fc.double()).map((value) => ['FD', value.map((each) => each + 0)] as const),
  several(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map(
    (value) => ['SV', longs(...value)] as const,
  ),
  fc.uint8Array({ maxLength: 40 }).map((value) => ['OB', value] as const),
)

function datasets(depth: number): fc.Arbitrary<Dataset> {
  const owner = dataset([], { encoding: LITTLE, charset: ['ISO_IR 192'] })
  const flat = attribute.map(
    ([vr, value]) =>
      (t: number): Element =>
        make(owner, tag(t), vr, value),
  )
  const nested =
    depth === 0
      ? flat
      : fc
          .array(datasets(depth - 1), { maxLength: 2 })
          .map((items) => (t: number) => sequence(tag(t), [...items]))
  const tags = fc
    .uniqueArray(fc.integer({ min: 0x00100001, max: 0x7fe0ffff }), { maxLength: 6 })
    .map((all) => all.filter((t) => (t & 0xffff) !== 0))
  return fc
    .tuple(
      tags,
      fc.infiniteStream(fc.oneof({ arbitrary: flat, weight: 4 }, { arbitrary: nested, weight: 1 })),
    )
    .map(([all, stream]) =>
      dataset(
        all.map((t) => (stream.next().value as (t: number) => Element)(t)),
        owner,
      ),
    )
}

it('fromJson(toJson(data set)) is the data set', () => {
  fc.assert(
    fc.property(datasets(2), (source) => {
      const back = fromJson(JSON.parse(jsonText(toJson(source))))
      assert.deepEqual(back.elements.slice(1), source.elements)
    }),
  )
})
