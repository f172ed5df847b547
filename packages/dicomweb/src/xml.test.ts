// The Native DICOM Model both ways: by VR, by property, and on files; and documents that are not the model.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import {
  type Dataset, DicomError, dataset, fromBytes, fromJson, hex8, type JsonDataset, type JsonElement, type JsonValue,
  make, readFile, Tags, tag, toJson, type Vr,
} from '@roentgate/dicom' // biome-ignore format: one list
import fc from 'fast-check'
import { WebError } from './errors.ts'
import { fromXml, xmlText } from './xml.ts'

const OPEN = '<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" xml:space="preserve">'
const CLOSE = '</NativeDicomModel>'
const inside = (source: JsonDataset): string => {
  const text = xmlText(source)
  assert.ok(text.startsWith(`<?xml version="1.0" encoding="UTF-8"?>${OPEN}`) && text.endsWith(CLOSE))
  return text.slice(text.indexOf(OPEN) + OPEN.length, -CLOSE.length)
}
const read = (content: string): JsonDataset => fromXml(`${OPEN}${content}${CLOSE}`)
const one = (vr: string, content: string): JsonElement | undefined =>
  read(`<DicomAttribute tag="00091001" vr="${vr}">${content}</DicomAttribute>`)['00091001']

/** PS3.18 F.4 in the form of F.3 and A.1.7. */
const EXAMPLE: readonly (readonly [JsonDataset, string])[] = [
  [{}, ''],
  [
    { '0020000D': { vr: 'UI', Value: ['1.2.392.200036.9116.2.2.2.1762893313.1029997326.945873'] } },
    '<DicomAttribute tag="0020000D" vr="UI" keyword="StudyInstanceUID"><Value number="1">1.2.392.200036.9116.2.2.2.1762893313.1029997326.945873</Value></DicomAttribute>',
  ],
  [
    { '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Wang^XiaoDong', Ideographic: '王^小東' }] } },
    '<DicomAttribute tag="00100010" vr="PN" keyword="PatientName"><PersonName number="1"><Alphabetic><FamilyName>Wang</FamilyName><GivenName>XiaoDong</GivenName></Alphabetic><Ideographic><FamilyName>王</FamilyName><GivenName>小東</GivenName></Ideographic></PersonName></DicomAttribute>',
  ],
  [
    { '00081196': { vr: 'US', Value: [7] }, '00080061': { vr: 'CS', Value: ['CT', null, 'PET'] }, '00080050': { vr: 'SH' } },
    '<DicomAttribute tag="00080050" vr="SH" keyword="AccessionNumber"></DicomAttribute><DicomAttribute tag="00080061" vr="CS" keyword="ModalitiesInStudy"><Value number="1">CT</Value><Value number="2"/><Value number="3">PET</Value></DicomAttribute><DicomAttribute tag="00081196" vr="US" keyword="WarningReason"><Value number="1">7</Value></DicomAttribute>',
  ],
  [
    { '00101002': { vr: 'SQ', Value: [{ '00100020': { vr: 'LO', Value: ['54321'] } }, {}] }, '00081115': { vr: 'SQ' } },
    '<DicomAttribute tag="00081115" vr="SQ" keyword="ReferencedSeriesSequence"></DicomAttribute><DicomAttribute tag="00101002" vr="SQ" keyword="OtherPatientIDsSequence"><Item number="1"><DicomAttribute tag="00100020" vr="LO" keyword="PatientID"><Value number="1">54321</Value></DicomAttribute></Item><Item number="2"></Item></DicomAttribute>',
  ],
  [
    { '00090010': { vr: 'LO', Value: ['a "b" <c>'] }, '00091002': { vr: 'UN', InlineBinary: 'z0x9c8v7' } },
    '<DicomAttribute tag="00090010" vr="LO"><Value number="1">a "b" &lt;c&gt;</Value></DicomAttribute><DicomAttribute tag="00090002" vr="UN" privateCreator="a &quot;b&quot; &lt;c&gt;"><InlineBinary>z0x9c8v7</InlineBinary></DicomAttribute>',
  ],
  [
    { '7FE00010': { vr: 'OW', BulkDataURI: 'https://a/b?c&d' } },
    '<DicomAttribute tag="7FE00010" vr="OW" keyword="PixelData"><BulkData uri="https://a/b?c&amp;d"/></DicomAttribute>',
  ],
] // biome-ignore format: one table

describe('the model', () => {
  EXAMPLE.forEach(([json, xml], at) => {
    it(`${at}: ${xml.slice(0, 60)}`, () => {
      assert.equal(inside(json), xml)
      assert.deepEqual(read(xml), json)
    })
  })
  it('a member that is no tag is not written', () => {
    assert.throws(() => xmlText({ 'x"': { vr: 'LO' } }), { code: 'BAD_XML' })
  })
})

describe('values by VR', () => {
  const cases: readonly (readonly [Vr, readonly JsonValue[]])[] = [
    ['AE', ['STORE']],
    ['AT', ['00100010', '7FE00010']],
    ['DS', [1.5, -0.25, 1e-7, 1e21, 0, null, 7, 1.23456789012345e-5, 'unknown', '9007199254740993', '0.49485810014413234']],
    ['IS', [12, null, -3, 'x']],
    ['FD', [0.1, -1e300, -0, 5e-324, 'NaN', 'inf', '-inf']],
    ['FL', [0.5, 'NaN']],
    ['SL', [-(2 ** 31)]],
    ['UL', [0xffffffff]],
    ['SV', [-5, '-9223372036854775808']],
    ['UV', [2 ** 53 - 1, '9007199254740992', '18446744073709551615']],
    ['LO', [' kept ', 'a&b', '<x/>', ']]>', null, 'last']],
    ['LT', ['two\\lines\r\nof\rit\n\twith <tags>']],
    ['UC', ['x', null]],
    ['UR', ['https://example.org/?a&b']],
    ['LO', [null, null]],
    ['PN', [{ Alphabetic: 'A' }, null, { Ideographic: '山田^太郎', Phonetic: 'やまだ^たろう' }]],
    ['PN', [{ Alphabetic: 'A^^C' }, { Alphabetic: 'A^' }, { Alphabetic: '^^^^' }, { Alphabetic: '^B' }]],
    ['PN', [{ Alphabetic: 'A^B^C^D^E' }, { Alphabetic: 'A^B^C^D^E^F^' }, { Alphabetic: 'A^B^C^D^^^' }, null]],
  ] // biome-ignore format: one table
  for (const [vr, values] of cases)
    it(`${vr} ${JSON.stringify(values).slice(0, 60)}`, () => {
      const json: JsonDataset = { '00091001': { vr, Value: values } }
      assert.deepEqual(fromXml(xmlText(json)), json)
    })
  it('characters that XML does not have', () => {
    const json: JsonDataset = { '00091001': { vr: 'UT', Value: ['a\0b\fc\x1bd\uD800e\uFFFEf\u{1F600}'] } }
    const expected = 'a\uFFFDb\uFFFDc\uFFFDd\uFFFDe\uFFFDf\u{1F600}'
    assert.deepEqual(fromXml(xmlText(json)), { '00091001': { vr: 'UT', Value: [expected] } })
  })
})

describe('what others write', () => {
  it('values without numbers, out of order, or with some left out', () => {
    assert.deepEqual(one('LO', '<Value>a</Value><Value>b</Value>')?.Value, ['a', 'b'])
    assert.deepEqual(one('LO', '<Value number="2">b</Value><Value number="1">a</Value>')?.Value, ['a', 'b'])
    assert.deepEqual(one('LO', '<Value number="3">c</Value>')?.Value, [null, null, 'c'])
    assert.deepEqual(one('SQ', '<Item number="2"/>')?.Value, [{}, {}])
    assert.deepEqual(one('PN', '<PersonName number="2"/>')?.Value, [null, null])
    assert.deepEqual(one('LO', '<Value number="1"></Value>'), { vr: 'LO' })
  })
  it('white space between elements, comments, prefixes', () => {
    const text = `<?xml version="1.0"?>
      <d:NativeDicomModel xmlns:d="x">
        <d:DicomAttribute tag="00280010" vr="US"> <!-- rows -->
          <d:Value number="1"> 512 </d:Value>
        </d:DicomAttribute>
        <d:DicomAttribute tag="7fe00010" vr="OB"><d:InlineBinary>
          AAAA
          BBBB
        </d:InlineBinary></d:DicomAttribute>
      </d:NativeDicomModel>`
    assert.deepEqual(fromXml(text), {
      '00280010': { vr: 'US', Value: [512] },
      '7FE00010': { vr: 'OB', InlineBinary: 'AAAABBBB' },
    })
  })
  it('older forms', () => {
    assert.deepEqual(one('OB', '<BulkData uuid="0d49f815"/>'), { vr: 'OB', BulkDataURI: 'urn:uuid:0d49f815' })
    assert.deepEqual(
      one(
        'PN',
        '<PersonName><SingleByte><GivenName>B</GivenName><FamilyName>A</FamilyName></SingleByte></PersonName>',
      ),
      { vr: 'PN', Value: [{ Alphabetic: 'A^B' }] },
    )
    assert.deepEqual(one('FD', '<Value>INF</Value><Value>-Infinity</Value>')?.Value, ['inf', '-inf'])
  })
})

describe('private blocks', () => {
  const lo = (value: string): JsonElement => ({ vr: 'LO', Value: [value] })
  const owned = (t: string, creator: string, value: string): string =>
    `<DicomAttribute tag="${t}" vr="LO" privateCreator="${creator}"><Value number="1">${value}</Value></DicomAttribute>`
  const plain = (t: string, value: string): string =>
    `<DicomAttribute tag="${t}" vr="LO"><Value number="1">${value}</Value></DicomAttribute>`

  it('two creators, one creator twice, none', () => {
    const json: JsonDataset = {
      '00090010': lo('A'),
      '00090011': lo('B'),
      '00090012': lo('A'),
      '00091001': lo('of A'),
      '00091101': lo('of B'),
      '00091201': lo('of A, again'),
      '00091301': lo('of nobody'),
      '00090001': lo('in no block'),
    }
    assert.deepEqual(fromXml(xmlText(json)), json)
    assert.equal(xmlText(json).match(/tag="00090001" vr="LO" privateCreator="[AB]"/g)?.length, 2)
  })
  it('a creator without its element gets one, in a block that is free', () => {
    assert.deepEqual(read(owned('00090001', 'A', 'x')), { '00090010': lo('A'), '00091001': lo('x') })
    const content = [
      owned('00090001', 'A', 'x'),
      owned('00090002', 'A', 'y'),
      owned('00090001', 'B', 'z'),
      owned('00091201', 'C', 'c'),
      plain('00090010', 'OTHER'),
      plain('00091101', 'unowned'),
    ]
    assert.deepEqual(read(content.join('')), {
      '00090010': lo('OTHER'),
      '00090012': lo('C'),
      '00090013': lo('A'),
      '00090014': lo('B'),
      '00091101': lo('unowned'),
      '00091201': lo('c'),
      '00091301': lo('x'),
      '00091302': lo('y'),
      '00091401': lo('z'),
    })
  })
  it('another creator in the block, no block left, a creator of nothing private', () => {
    const all = Array.from({ length: 240 }, (_, at) => owned('00090001', `C${at}`, 'x')).join('')
    assert.equal(Object.keys(read(all)).length, 480)
    const cases = [
      plain('00090010', 'A') + owned('00091001', 'B', 'x'),
      all + owned('00090001', 'one more', 'x'),
      owned('00090101', 'A', 'x'),
      owned('00080050', 'A', 'x'),
      owned('00090001', ' ', 'x'),
      owned('00090001', 'A', 'x').repeat(2),
    ]
    for (const content of cases) assert.throws(() => read(content), { code: 'BAD_XML' })
  })
  it('many take no time', () => {
    const many = Array.from({ length: 60_000 }, (_, at) => {
      const group = (0x0009 + 2 * (at >> 8)).toString(16).padStart(4, '0')
      return owned(`${group}00${(at & 0xff).toString(16).padStart(2, '0')}`, 'A', 'x')
    })
    assert.ok(Object.keys(read(many.join(''))).length > 60_000)
  })
})

describe('refused as BAD_XML', () => {
  const attribute = (content: string, vr = 'LO'): string =>
    `<DicomAttribute tag="00091001" vr="${vr}">${content}</DicomAttribute>`
  const name = (content: string): string => attribute(`<PersonName>${content}</PersonName>`, 'PN')
  const cases: readonly string[] = [
    'text', '<Other/>', '<DicomAttribute/>', '<DicomAttribute tag="00091001"/>', '<DicomAttribute vr="LO"/>',
    '<DicomAttribute tag="0009100" vr="LO"/>', '<DicomAttribute tag="PatientID" vr="LO"/>', '<DicomAttribute tag="00091001" vr="ZZ"/>',
    attribute('').repeat(2), attribute('text'), attribute('<Other/>'), attribute('<Value><b/></Value>'),
    attribute('<Value number="0">x</Value>'), attribute('<Value number="x">x</Value>'), attribute('<Value number="-1">x</Value>'),
    attribute('<Value number="1">x</Value><Value number="1">y</Value>'), attribute('<Value/><InlineBinary/>'),
    attribute('<BulkData uri="x"/><BulkData uri="y"/>', 'OB'), attribute('<BulkData/>', 'OB'), attribute('<BulkData uri="x" uuid="y"/>', 'OB'),
    attribute('<BulkData uri="x">text<b/></BulkData>', 'OB'), attribute('<BulkData uri="x"/>', 'SQ'),
    attribute('<InlineBinary>AAAA</InlineBinary>'), attribute('<Value>1</Value>', 'OB'), attribute('<Value>1</Value>', 'SQ'),
    attribute('<Value>A</Value>', 'PN'), attribute('<PersonName/>'), attribute('<Item/>'), attribute('<Item>text</Item>', 'SQ'),
    attribute('<Value>x</Value>', 'US'), attribute('<Value>0x10</Value>', 'US'), attribute('<Value>1.2.3</Value>', 'FD'),
    attribute('<Value>1e999</Value>', 'FD'), attribute('<Value>1.5</Value>', 'SV'),
    name('text'), name('<Other/>'), name('<Alphabetic/><Alphabetic/>'), name('<Alphabetic>A</Alphabetic>'),
    name('<Alphabetic><Other/></Alphabetic>'), name('<Alphabetic><FamilyName/><FamilyName/></Alphabetic>'),
    name('<Alphabetic><FamilyName>A^B</FamilyName></Alphabetic>'), name('<Alphabetic><FamilyName><b/></FamilyName></Alphabetic>'),
  ] // biome-ignore format: one list
  for (const content of cases) it(content, () => assert.throws(() => read(content), { code: 'BAD_XML' }))
  it('another root', () => assert.throws(() => fromXml('<x/>'), { code: 'BAD_XML' }))
  it('a document type', () => {
    const text = `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${OPEN}${attribute('<Value>&e;</Value>')}${CLOSE}`
    assert.throws(() => fromXml(text), { code: 'BAD_XML' })
  })
  it('numbers that would fill the memory', () => {
    assert.throws(() => read(attribute('<Value number="999999999">x</Value>')), { code: 'LIMIT_XML' })
    const many = Array.from(
      { length: 20 },
      (_, at) =>
        `<DicomAttribute tag="000910${(16 + at).toString(16)}" vr="LO"><Value number="9000"/></DicomAttribute>`,
    )
    assert.throws(() => read(many.join('')), { code: 'LIMIT_XML' })
  })
  it('sequences nested too deep', () => {
    const deep = (depth: number): string =>
      depth === 0
        ? ''
        : `<DicomAttribute tag="00091001" vr="SQ"><Item>${deep(depth - 1)}</Item></DicomAttribute>`
    assert.ok(read(deep(100)))
    assert.throws(() => read(deep(110)), { code: 'LIMIT_XML' })
  })
})

/** As the writer has it. */
const cleaned = (json: JsonDataset): JsonDataset =>
  JSON.parse(JSON.stringify(json), (_, value: unknown) =>
    typeof value === 'string'
      ? value.replaceAll(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
      : value,
  )

it('fromXml(xmlText(data set)) is the data set', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 })
  const list = <V>(value: fc.Arbitrary<V>): fc.Arbitrary<readonly V[]> =>
    fc.array(value, { minLength: 1, maxLength: 4 })
  const noZero = fc.double({ noNaN: true, noDefaultInfinity: true }).map((each) => each + 0)
  const flat: fc.Arbitrary<JsonElement> = fc.oneof(
    list(text).map((Value): JsonElement => ({ vr: 'LO', Value })),
    list(noZero).map(
      (Value): JsonElement => ({ vr: 'DS', Value: Value.map((each) => Number(each.toPrecision(15))) }),
    ),
    list(noZero).map((Value): JsonElement => ({ vr: 'FD', Value })),
    list(text.map((each) => ({ Alphabetic: each, Phonetic: `${each}^` }))).map(
      (Value): JsonElement => ({ vr: 'PN', Value }),
    ),
    fc.base64String({ minLength: 1 }).map((InlineBinary): JsonElement => ({ vr: 'OB', InlineBinary })),
    text.map((BulkDataURI): JsonElement => ({ vr: 'OW', BulkDataURI })),
  )
  const { json } = fc.letrec<{ json: JsonDataset; element: JsonElement }>((tie) => ({
    json: fc.dictionary(
      fc.integer({ min: 0x00080000, max: 0xfffd_ffff }).map((t) => hex8(tag(t))),
      tie('element'),
      { maxKeys: 5 },
    ),
    element: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      flat,
      list(tie('json')).map((Value): JsonElement => ({ vr: 'SQ', Value })),
    ),
  }))
  fc.assert(
    fc.property(json, (source) => assert.deepEqual(fromXml(xmlText(source)), cleaned(source))),
    { numRuns: 500 },
  )
})

it('a data set goes to JSON, XML and back', () => {
  const source = dataset([
    make(
      dataset([], { charset: ['ISO_IR 192'] }),
      Tags.PatientName,
      'PN',
      'Yamada^Tarou=山田^太郎=やまだ^たろう',
    ),
    make(dataset([]), Tags.Rows, 'US', [512]),
  ])
  const back = fromJson(fromXml(xmlText(toJson({ ...source, charset: ['ISO_IR 192'] }))))
  assert.deepEqual(back.elements.slice(1), source.elements)
})

const SHARED = resolve(import.meta.dirname, '../../..', process.env.ROENTGATE_SHARED ?? '../shared', 'data')
/** Debian's python3-pydicom. */
const PYDICOM = '/usr/lib/python3/dist-packages/pydicom/data/test_files'

for (const folder of [SHARED, PYDICOM])
  it(`each file of ${folder === SHARED ? 'the shared data' : 'pydicom'}`, {
    skip: !existsSync(folder) && 'no such files here',
  }, () => {
    let count = 0
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      const source = name.endsWith('.dcm') ? readable(join(folder, name)) : undefined
      if (source === undefined) continue
      const json = toJson(source, {
        bulkDataUri: (element, path) => (element.vr.startsWith('O') ? path : undefined),
      })
      assert.deepEqual(fromXml(xmlText(json)), cleaned(json), name)
      count += 1
    }
    assert.ok(count > 30, `${count} files`)
  })

/** Undefined for those that are broken on purpose. */
function readable(path: string): Dataset | undefined {
  try {
    return readFile(fromBytes(readFileSync(path))).dataset
  } catch (error) {
    assert.ok(error instanceof DicomError)
    return undefined
  }
}

it('any attributes are a data set or a WebError', () => {
  const piece = fc.constantFrom(
    '<Value number="2">',
    '<Value>',
    '</Value>',
    '1',
    'x',
    '<Item>',
    '</Item>',
    '<PersonName>',
    '</PersonName>',
    '<Alphabetic>',
    '</Alphabetic>',
    '<BulkData uri="x"/>',
    '<InlineBinary/>',
    '</DicomAttribute>',
    '<DicomAttribute tag="00090001" vr="SQ" privateCreator="A">',
    '<DicomAttribute tag="00090010" vr="LO">',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.constantFrom('LO', 'US', 'SQ', 'PN', 'OB'),
      (pieces, vr) => {
        try {
          read(`<DicomAttribute tag="00091001" vr="${vr}">${pieces.join('')}</DicomAttribute>`)
        } catch (error) {
          assert.ok(error instanceof WebError, String(error))
        }
      },
    ),
    { numRuns: 3000 },
  )
})
