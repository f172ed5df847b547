// Vectors of PS3.5 Annexes H to K (as bytes), single-byte sets, delimiters, and the round trip by property.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decodeText, encodeText, splitValues } from './charset.ts'
import type { CodeSet } from './charset-tables.ts'
import { TERMS } from './charset-tables.ts'
import type { Vr } from './model.ts'

const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const hexOf = (bytes: Uint8Array | undefined): string | undefined =>
  bytes && Buffer.from(bytes).toString('hex')
/** One character a byte, with ESC written as `␛`. */
const raw = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll('␛', '\x1b'), 'latin1'))

type Vector = { readonly name: string; readonly charset: string; readonly hex: string; readonly text: string }

const PERSON_NAMES: readonly Vector[] = [
  {
    name: 'H.3.1 Japanese',
    charset: '\\ISO 2022 IR 87',
    hex: '59616d6164615e5461726f753d1b24423b3345441b28425e1b244242404f3a1b28423d1b24422464245e24401b28425e1b2442243f246d24261b2842',
    text: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
  },
  {
    name: 'H.3.2 Japanese with half-width katakana',
    charset: 'ISO 2022 IR 13\\ISO 2022 IR 87',
    hex: 'd4cfc0de5ec0dbb33d1b24423b3345441b284a5e1b244242404f3a1b284a3d1b24422464245e24401b284a5e1b2442243f246d24261b284a',
    text: 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう',
  },
  {
    name: 'I.2 Korean',
    charset: '\\ISO 2022 IR 149',
    hex: '486f6e675e47696c646f6e673d1b242943fbf35e1b242943d1ced4d73d1b242943c8ab5e1b242943b1e6b5bf',
    text: 'Hong^Gildong=洪^吉洞=홍^길동',
  },
  {
    name: 'J.1 Chinese in UTF-8',
    charset: 'ISO_IR 192',
    hex: '57616e675e5869616f446f6e673de78e8b5ee5b08fe69db13d',
    text: 'Wang^XiaoDong=王^小東=',
  },
  {
    name: 'J.2 Chinese in GB18030',
    charset: 'GB18030',
    hex: '57616e675e5869616f446f6e673dcdf55ed0a1b6ab3d',
    text: 'Wang^XiaoDong=王^小东=',
  },
  {
    name: 'J.4 Chinese in GBK',
    charset: 'GBK',
    hex: '57616e675e5869616f446f6e673dcdf55ed0a1b6ab3d',
    text: 'Wang^XiaoDong=王^小东=',
  },
  {
    name: 'K.2 Chinese with code extensions',
    charset: '\\ISO 2022 IR 58',
    hex: '5a68616e675e5869616f446f6e673d1b242941d5c55e1b242941d0a1b6ab3d',
    text: 'Zhang^XiaoDong=张^小东=',
  },
  { name: 'French', charset: 'ISO_IR 100', hex: '4275635e4ae972f46d65', text: 'Buc^Jérôme' },
  { name: 'German', charset: 'ISO_IR 100', hex: 'c46e6561735e52fc6469676572', text: 'Äneas^Rüdiger' },
  { name: 'Russian', charset: 'ISO_IR 144', hex: 'bbeeda6365dcd17970d3', text: 'Люкceмбypг' },
  { name: 'Greek', charset: 'ISO_IR 126', hex: 'c4e9efedf5f3e9eff2', text: 'Διονυσιος' },
  { name: 'Hebrew', charset: 'ISO_IR 138', hex: 'f9f8e5ef5ee3e1e5f8e4', text: 'שרון^דבורה' },
  { name: 'Arabic', charset: 'ISO_IR 127', hex: 'e2c8c7e6ea5ee4e6d2c7d1', text: 'قباني^لنزار' },
  { name: 'Thai', charset: 'ISO_IR 166', hex: 'bbc3d0c0d2c85eb7b4cacdba', text: 'ประภาศ^ทดสอบ' },
  { name: 'Polish', charset: 'ISO_IR 101', hex: 'afb3f3', text: 'Żłó' },
  { name: 'Maltese', charset: 'ISO_IR 109', hex: 'a1b1', text: 'Ħħ' },
  { name: 'Latvian', charset: 'ISO_IR 110', hex: 'd3f3', text: 'Ķķ' },
  { name: 'Turkish', charset: 'ISO_IR 148', hex: 'd0dddef0fdfe', text: 'ĞİŞğış' },
  { name: 'French with the euro', charset: 'ISO_IR 203', hex: 'a4bcbdbe', text: '€ŒœŸ' },
  { name: 'half-width katakana', charset: 'ISO_IR 13', hex: 'd4cfc0de7e', text: 'ﾔﾏﾀﾞ‾' },
]

describe('person names', () => {
  for (const { name, charset, hex, text } of PERSON_NAMES) {
    it(name, () => {
      assert.deepEqual(decodeText(bytesOf(hex), charset.split('\\'), 'PN'), { text, clean: true })
      assert.equal(hexOf(encodeText(text, charset.split('\\'), 'PN')), hex)
    })
  }
})

describe('terms', () => {
  const LATIN = [
    'ISO_IR 100', 'iso_ir 100', 'ISO-IR 100', 'ISO_IR_100', 'ISO IR 100', 'ISO_IR100', ' ISO_IR 100 ', 'latin1',
    'ISO 2022 IR 100', 'ISO 8859-1', 'ISO_IR 100\0',
  ] // biome-ignore format: one list
  for (const term of LATIN) {
    it(`${JSON.stringify(term)} is Latin-1`, () =>
      assert.deepEqual(decodeText(raw('J\xe9'), [term]), { text: 'Jé', clean: true }))
  }
  for (const term of ['ISO_IR 192', 'iso-ir 192', 'UTF8', 'UTF-8', 'utf 8', 'ISO 2022 IR 192']) {
    it(`${JSON.stringify(term)} is UTF-8`, () =>
      assert.deepEqual(decodeText(bytesOf('c3a9'), [term]), { text: 'é', clean: true }))
  }
  for (const term of ['ISO 2022-IR 87', 'ISO_2022_IR_87', 'iso 2022 ir 87', 'ISO2022IR87']) {
    it(`${JSON.stringify(term)} may write escapes`, () =>
      assert.equal(hexOf(encodeText('山', ['', term], 'LO')), '1b24423b331b2842'))
  }
  for (const charset of [[], [''], ['ISO_IR 6'], ['ISO 2022 IR 6']]) {
    it(`${JSON.stringify(charset)} is the default repertoire`, () => {
      assert.deepEqual(decodeText(raw('Jer\xe9me'), charset), { text: 'Jer\uFFFDme', clean: false })
      assert.equal(encodeText('é', charset), undefined)
      assert.equal(hexOf(encodeText('e', charset)), '65')
    })
  }
  it('an unknown term is UTF-8 where that is valid, else Latin-1, and never clean', () => {
    assert.deepEqual(decodeText(bytesOf('c3a9'), ['ISO_IR 999']), { text: 'é', clean: false })
    assert.deepEqual(decodeText(bytesOf('e965'), ['ISO_IR 999']), { text: 'ée', clean: false })
    assert.deepEqual(decodeText(bytesOf('e965'), ['', 'KLINGON']), { text: '\uFFFDe', clean: false })
    assert.deepEqual(decodeText(raw('plain'), ['ISO_IR 999']), { text: 'plain', clean: true })
    assert.equal(encodeText('é', ['ISO_IR 999']), undefined)
  })
  it('a set without code extensions stands alone', () => {
    assert.deepEqual(decodeText(bytesOf('c3a9'), ['ISO_IR 192', 'ISO 2022 IR 87']), {
      text: 'é',
      clean: true,
    })
  })
})

describe('what is not clean', () => {
  const cases: readonly (readonly [string, string, Uint8Array, string])[] = [
    ['C1 in Latin-1', 'ISO_IR 100', raw('a\x92b'), 'a\uFFFDb'],
    ['a truncated UTF-8 character', 'ISO_IR 192', raw('a\xc3'), 'a\uFFFD'],
    ['an escape in UTF-8', 'ISO_IR 192', raw('␛$Bé'.replace('é', '\xc3\xa9')), '\x1b$Bé'],
    ['an unknown escape', 'ISO_IR 100', raw('a␛zb'), 'a\uFFFDzb'],
    ['an escape at the end', 'ISO_IR 100', raw('a␛'), 'a\uFFFD'],
    ['half a character', '\\ISO 2022 IR 87', raw('␛$B;3E'), '山\uFFFD'],
    ['a byte that Arabic does not assign', 'ISO_IR 127', raw('\xa1'), '\uFFFD'],
    ['a byte that ends GB18030 early', 'GB18030', raw('a\x81'), 'a\uFFFD'],
  ]
  for (const [name, charset, bytes, text] of cases) {
    it(name, () => assert.deepEqual(decodeText(bytes, charset.split('\\'), 'LO'), { text, clean: false }))
  }
})

describe('escapes', () => {
  it('are taken where the set was not listed', () => {
    assert.deepEqual(decodeText(raw('␛$B;3␛(B'), [], 'LO'), { text: '山', clean: true })
    assert.deepEqual(decodeText(raw('␛-F\xc4'), ['ISO_IR 100'], 'LO'), { text: 'Δ', clean: true })
  })
  it('a listed set is meant where the escape was left out', () => {
    const bytes = raw('\xb1\xe8^\xc8\xf1')
    assert.deepEqual(decodeText(bytes, ['', 'ISO 2022 IR 149'], 'PN'), { text: '김^희', clean: true })
    assert.deepEqual(decodeText(raw('\xe9'), ['ISO 2022 IR 6', 'ISO 2022 IR 100']), {
      text: 'é',
      clean: true,
    })
  })
  it('JIS X 0212 and both ways to 1978', () => {
    assert.deepEqual(decodeText(raw('␛$(D0!␛(B'), ['', 'ISO 2022 IR 159']), { text: '丂', clean: true })
    assert.equal(hexOf(encodeText('丂', ['', 'ISO 2022 IR 159'])), '1b24284430211b2842')
    assert.deepEqual(decodeText(raw('␛$@;3␛(J'), ['', 'ISO 2022 IR 87']), { text: '山', clean: true })
  })
  it('a delimiter restores the initial state', () => {
    const bytes = raw('␛-F\xc4\\\xc4')
    assert.equal(decodeText(bytes, ['ISO 2022 IR 100', 'ISO 2022 IR 126'], 'LO').text, 'Δ\\Ä')
    assert.equal(decodeText(bytes, ['ISO 2022 IR 100', 'ISO 2022 IR 126'], 'LT').text, 'Δ\\Δ')
    for (const line of ['\r', '\n', '\f', '\t']) {
      assert.equal(decodeText(raw(`␛-F\xc4${line}\xc4`), ['ISO 2022 IR 100'], 'LT').text, `Δ${line}Ä`)
    }
    assert.equal(decodeText(raw('␛-F\xc4^\xc4=\xc4'), ['ISO 2022 IR 100'], 'PN').text, 'Δ^Ä=Ä')
    assert.equal(decodeText(raw('␛-F\xc4^\xc4=\xc4'), ['ISO 2022 IR 100'], 'LO').text, 'Δ^Δ=Δ')
  })
  it('are written again after a line', () => {
    assert.equal(hexOf(encodeText('길\r\n길', ['', 'ISO 2022 IR 149'], 'LT')), '1b242943b1e60d0a1b242943b1e6')
    assert.equal(
      hexOf(encodeText('山\r\n山', ['', 'ISO 2022 IR 87'], 'LT')),
      '1b24423b331b28420d0a1b24423b331b2842',
    )
    const greek = encodeText('Δ^Ä', ['ISO 2022 IR 100', 'ISO 2022 IR 126'], 'PN')
    assert.equal(hexOf(greek), '1b2d46c41b2d415ec4')
  })
  it('are never written where there are no code extensions, nor taken from the text', () => {
    assert.equal(encodeText('Δ', ['ISO_IR 100']), undefined)
    assert.equal(encodeText('a\x1b$B', ['ISO_IR 100']), undefined)
    assert.equal(encodeText('a\x1b', []), undefined)
  })
  it('a delimiter that a writer put inside a shift ends it', () => {
    assert.deepEqual(decodeText(raw('␛$B;3^'), ['', 'ISO 2022 IR 87'], 'PN'), { text: '山^', clean: false })
  })
})

describe('splitValues', () => {
  const split = (bytes: Uint8Array, charset: string, vr: Vr = 'LO'): readonly (string | undefined)[] =>
    splitValues(bytes, charset.split('\\'), vr).map(hexOf)

  it('cuts at backslashes', () => {
    assert.deepEqual(split(raw('a\\\\b\\'), ''), ['61', '', '62', ''])
    assert.deepEqual(split(raw(''), ''), [''])
    assert.deepEqual(split(raw('a\\b'), '', 'LT'), ['615c62'])
  })
  it('not inside a character of JIS X 0208', () => {
    const value = encodeText('表\\ソ', ['', 'ISO 2022 IR 87'], 'LO') ?? new Uint8Array()
    assert.deepEqual(split(value, '\\ISO 2022 IR 87'), ['1b2442493d1b2842', '1b2442253d1b2842'])
    assert.deepEqual(split(raw('␛$B!\\;3␛(B\\a'), '\\ISO 2022 IR 87'), ['1b2442215c3b331b2842', '61'])
  })
  it('not inside a character of GB18030 or GBK', () => {
    for (const charset of ['GB18030', 'GBK'])
      assert.deepEqual(split(raw('\x81\\\\\x81\\'), charset), ['815c', '815c'])
    assert.deepEqual(split(raw('\x810\x810\\\xff\\'), 'GB18030'), ['81308130', 'ff', ''])
  })
})

const ASCII_TEXT = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).filter(
  (c) => c !== '~',
)
const LAYOUT = ['\\', '^', '=', '\r\n', '\n', '\t', '\f', ' ']

function drawnFrom(sets: readonly CodeSet[]): fc.Arbitrary<string> {
  const pools = sets.map((set) => set.cells().filter((char) => char !== '' && char > ' ' && char !== '\x7f'))
  const pieces = [ASCII_TEXT, LAYOUT, ...pools].map((pool) => fc.constantFrom(...pool))
  return fc.array(fc.oneof(...pieces), { maxLength: 40 }).map((parts) => parts.join(''))
}

const VRS_IN_QUESTION = fc.constantFrom<Vr | undefined>('PN', 'LO', 'SH', 'LT', 'UT', undefined)

function roundTrips(charset: readonly string[], texts: fc.Arbitrary<string>): void {
  fc.assert(
    fc.property(texts, VRS_IN_QUESTION, (text, vr) => {
      const bytes = encodeText(text, charset, vr)
      assert.ok(bytes, JSON.stringify(text))
      assert.deepEqual(decodeText(bytes, charset, vr), { text, clean: true })
      if (vr !== 'PN' && vr !== 'LO') return
      const values = splitValues(bytes, charset, vr).map((value) => decodeText(value, charset, vr).text)
      assert.deepEqual(values, text.split('\\'))
    }),
  )
}

const EXTENDED: readonly (readonly number[])[] = [
  [6, 87], [6, 87, 159], [13, 87], [13, 87, 159], [6, 149], [6, 58], [100, 126], [100, 144, 87], [6, 58, 149],
  [127, 138], [166, 203, 101], [87, 149],
] // biome-ignore format: one list

describe('decode(encode(text)) is text', () => {
  for (const [number, sets] of TERMS) {
    if (sets.some((set) => set.bytes === 2)) continue
    it(`ISO_IR ${number}`, () => roundTrips([`ISO_IR ${number}`], drawnFrom(sets)))
  }
  for (const numbers of EXTENDED) {
    const sets = numbers.flatMap((number) => TERMS.get(number) ?? [])
    it(`ISO 2022 IR ${numbers}`, () =>
      roundTrips(
        numbers.map((number) => `ISO 2022 IR ${number}`),
        drawnFrom(sets),
      ))
  }
  const anything = fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\x1b', ''))
  it('ISO_IR 192', () => roundTrips(['ISO_IR 192'], anything))
  it('GB18030', () =>
    roundTrips(
      ['GB18030'],
      anything.map((text) => text.replaceAll(/\p{Surrogate}/gu, '')),
    ))
  it('GBK', () => {
    const gbk = drawnFrom(TERMS.get(58) ?? [])
    roundTrips(['GBK'], gbk)
    assert.equal(encodeText('😀', ['GBK']), undefined)
  })
  it('lone surrogates have no bytes', () => {
    for (const charset of ['ISO_IR 192', 'GB18030', 'ISO_IR 100'])
      assert.equal(encodeText('\uD800', [charset]), undefined)
  })
})

it('no bytes throw, and what is clean has nothing replaced', () => {
  const charsets = [
    [], ['ISO_IR 100'], ['ISO_IR 13'], ['ISO_IR 192'], ['GB18030'], ['GBK'], ['', 'ISO 2022 IR 87', 'ISO 2022 IR 159'],
    ['', 'ISO 2022 IR 149'], ['', 'ISO 2022 IR 58'], ['NONE'], ['ISO 2022 IR 13', 'ISO 2022 IR 87'],
  ] // biome-ignore format: one list
  const likely = fc.constantFrom(
    0x1b,
    0x24,
    0x28,
    0x29,
    0x42,
    0x43,
    0x44,
    0x49,
    0x4a,
    0x5c,
    0x5e,
    0x3d,
    0x0a,
    0x81,
    0xa1,
  )
  const bytes = fc
    .array(fc.oneof(likely, fc.integer({ min: 0, max: 255 })), { maxLength: 60 })
    .map((array) => Uint8Array.from(array))
  fc.assert(
    fc.property(bytes, fc.constantFrom(...charsets), VRS_IN_QUESTION, (value, charset, vr) => {
      const { text, clean } = decodeText(value, charset, vr)
      if (
        clean &&
        !charset.includes('GB18030') &&
        !charset.includes('ISO_IR 192') &&
        !charset.includes('GBK')
      ) {
        assert.ok(!text.includes('\uFFFD'))
      }
      const parts = splitValues(value, charset, vr ?? 'LO')
      assert.equal(
        parts.reduce((sum, part) => sum + part.length + 1, -1),
        value.length,
      )
    }),
    { numRuns: 2000 },
  )
})
