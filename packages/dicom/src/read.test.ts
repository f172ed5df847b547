// What the reader survives with a warning, what it refuses and with which code; nothing else may come out of it.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deflateRawSync, inflateRawSync } from 'node:zlib'
import { DicomError, type DicomErrorCode } from './errors.ts'
import { ascii, BIG_ENDIAN, DEFLATED, EXPLICIT, forge, IMPLICIT, join, part10, UNDEFINED } from './forge.ts'
import type { Dataset, DicomFile, Warning } from './model.ts'
import { find, fromBytes, tag } from './model.ts'
import { readFile } from './read.ts'
import { string } from './values.ts'
import { concat, writeFile } from './write.ts'

const le = forge({ explicit: true, bigEndian: false })
const be = forge({ explicit: true, bigEndian: true })
const implicit = forge({ explicit: false, bigEndian: false })
const inflate = (bytes: Uint8Array, maxOutputLength: number) => inflateRawSync(bytes, { maxOutputLength })

function read(bytes: Uint8Array): DicomFile {
  return readFile(fromBytes(bytes), { inflate })
}

function write(file: DicomFile): Uint8Array {
  return concat([...writeFile(file)])
}

const NAME = le.element(0x00100010, 'PN', 'DOE^JANE')
const ID = le.element(0x00100020, 'LO', '12345 ')
const REFERENCE = 0x00081140
const UID_ITEM = le.item(le.element(0x00081155, 'UI', '1.2\0'))
const CLASS = le.element(0x00080016, 'UI', '1.2\0')
const PIXELS = le.element(0x7fe00010, 'OW', '\x01\x02\x03\x04')

type Survived = readonly [
  name: string,
  bytes: Uint8Array,
  warnings: readonly Warning['code'][],
  syntax?: string,
]

const SURVIVED: readonly Survived[] = [
  ['explicit', part10(EXPLICIT, CLASS, NAME), []],
  ['implicit', part10(IMPLICIT, implicit.element(0x00100010, '', 'DOE^JANE')), [], IMPLICIT],
  ['big endian', part10(BIG_ENDIAN, be.element(0x00100010, 'PN', 'DOE^JANE')), [], BIG_ENDIAN],
  ['no preamble', part10(EXPLICIT, CLASS, NAME).subarray(128), ['NO_PREAMBLE']],
  ['no preamble, no prefix', part10(EXPLICIT, CLASS, NAME).subarray(132), ['NO_PREAMBLE']],
  ['no meta, explicit', join(CLASS, NAME), ['NO_PREAMBLE', 'NO_META', 'GUESSED_ENCODING']],
  [
    'no meta, implicit',
    implicit.element(0x00100010, '', 'DOE^JANE'),
    ['NO_PREAMBLE', 'NO_META', 'GUESSED_ENCODING'],
    IMPLICIT,
  ],
  [
    'no meta, big endian',
    be.element(0x00100010, 'PN', 'DOE^JANE'),
    ['NO_PREAMBLE', 'NO_META', 'GUESSED_ENCODING'],
    BIG_ENDIAN,
  ],
  ['a preamble, no meta', join(new Uint8Array(128), ascii('DICM'), NAME), ['NO_META', 'GUESSED_ENCODING']],
  [
    'no meta group length',
    join(new Uint8Array(128), ascii('DICM'), le.element(0x00020010, 'UI', `${EXPLICIT}\0`), NAME),
    ['NO_META_LENGTH'],
  ],
  [
    'no transfer syntax',
    join(new Uint8Array(128), ascii('DICM'), le.element(0x00020000, 'UL', le.u32(0)), NAME),
    ['GUESSED_ENCODING'],
  ],
  ['explicit that says implicit', part10(IMPLICIT, CLASS, NAME), ['GUESSED_ENCODING'], EXPLICIT],
  [
    'implicit that says explicit',
    part10(EXPLICIT, implicit.element(0x00100010, '', 'DOE^JANE')),
    ['GUESSED_ENCODING'],
    IMPLICIT,
  ],
  ['an odd length', part10(EXPLICIT, CLASS, le.element(0x00100010, 'PN', 'A^B')), ['ODD_LENGTH']],
  ['unsorted', part10(EXPLICIT, ID, NAME), ['UNSORTED']],
  [
    'unsorted in an item',
    part10(EXPLICIT, le.openSequence(REFERENCE, [le.openItem(ID, NAME)]), NAME),
    ['UNSORTED'],
  ],
  ['group lengths', part10(EXPLICIT, le.element(0x00100000, 'UL', le.u32(16)), NAME), []],
  [
    'an unknown sequence (CP-246)',
    part10(
      EXPLICIT,
      le.element(REFERENCE, 'UN', implicit.item(implicit.element(0x00081155, 'UI', '1.2\0'))),
      NAME,
    ),
    ['UN_AS_SEQUENCE'],
  ],
  [
    'an unknown sequence of undefined length',
    part10(
      EXPLICIT,
      le.openSequence(0x00091001, [implicit.openItem(implicit.element(0x00081155, 'UI', '1.2\0'))], 'UN'),
      NAME,
    ),
    ['UN_AS_SEQUENCE'],
  ],
  [
    'an unknown sequence of undefined length in big endian: little endian all the same',
    part10(
      BIG_ENDIAN,
      join(
        be.element(0x00091001, 'UN', { value: '', claims: UNDEFINED }),
        implicit.item(implicit.element(0x00081155, 'UI', '1.2\0')),
        implicit.delimiter(0xe0dd, 0),
      ),
      be.element(0x00100010, 'PN', 'DOE^JANE'),
    ),
    ['UN_AS_SEQUENCE'],
    BIG_ENDIAN,
  ],
  ['an unknown that is no sequence', part10(EXPLICIT, le.element(REFERENCE, 'UN', '12345678'), NAME), []],
  [
    'a private sequence in implicit',
    part10(
      IMPLICIT,
      implicit.element(0x00090010, '', 'ACME'),
      implicit.openSequence(0x00091001, [implicit.item(implicit.element(0x00091002, '', 'ab'))]),
      implicit.element(0x00100010, '', 'DOE^JANE'),
    ),
    [],
    IMPLICIT,
  ],
  [
    'empty sequences',
    part10(EXPLICIT, le.sequence(REFERENCE, []), le.openSequence(0x00082112, []), NAME),
    [],
  ],
  ['empty items', part10(EXPLICIT, le.sequence(REFERENCE, [le.item(), le.openItem()]), NAME), []],
  ['bytes at the end', part10(EXPLICIT, CLASS, NAME, PIXELS, ascii('garbage')), ['TRAILING_BYTES']],
  ['more bytes at the end', part10(EXPLICIT, NAME, PIXELS, ascii('garbage, but long')), ['TRAILING_BYTES']],
  ['zeros at the end', part10(EXPLICIT, NAME, PIXELS, new Uint8Array(3000)), ['TRAILING_PADDING']],
  [
    'zeros at the end, no pixel data',
    part10(EXPLICIT, CLASS, NAME, new Uint8Array(30)),
    ['TRAILING_PADDING'],
  ],
  ['few zeros at the end', part10(EXPLICIT, CLASS, NAME, new Uint8Array(3)), ['TRAILING_PADDING']],
  ['data set trailing padding', part10(EXPLICIT, NAME, PIXELS, le.element(0xfffcfffc, 'OB', '\0\0')), []],
  ['elements after pixel data', part10(EXPLICIT, NAME, PIXELS, le.element(0x7fe10010, 'LO', 'ACME')), []],
]

for (const [name, bytes, warnings, syntax = EXPLICIT] of SURVIVED) {
  test(`survived: ${name}`, () => {
    const file = read(bytes)
    assert.deepEqual(
      file.warnings.map(({ code }) => code),
      warnings,
    )
    assert.equal(file.transferSyntax, syntax)
    assert.match(string(file.dataset, tag(0x00100010)) ?? '', /^(?:DOE\^JANE|A\^B)$/)
    const end = file.trailing?.offset ?? bytes.length
    assert.deepEqual(Buffer.from(write(file)), Buffer.from(bytes.subarray(0, end)))
  })
}

type Refused = readonly [name: string, bytes: Uint8Array, code: DicomErrorCode, t?: number]

const META = join(new Uint8Array(128), ascii('DICM'))
const REFUSED: readonly Refused[] = [
  ['nothing', new Uint8Array(0), 'EMPTY'],
  ['text', ascii('Dear doctor, this is a letter and not an image.'), 'NOT_DICOM'],
  ['zeros', new Uint8Array(4096), 'NOT_DICOM'],
  ['a preamble and no more', META, 'TRUNCATED'],
  ['a meta group and no more', part10(EXPLICIT), 'TRUNCATED'],
  ['an unregistered transfer syntax', part10('1.2.3.4', NAME), 'UNSUPPORTED_TRANSFER_SYNTAX', 0x00020010],
  ['a retired one that is none', part10('1.2.840.10008.1.2.6.2', NAME), 'UNSUPPORTED_TRANSFER_SYNTAX'],
  ['a VR that is none', part10(EXPLICIT, NAME, le.element(0x00100020, 'ZZ', '1 ')), 'BAD_VR', 0x00100020],
  [
    'a value past the end',
    part10(EXPLICIT, CLASS, le.element(0x00100010, 'PN', { value: 'A^B ', claims: 400 })),
    'TRUNCATED',
    0x00100010,
  ],
  ['half a header', part10(EXPLICIT, NAME, ID.subarray(0, 6)), 'TRUNCATED'],
  [
    'half a long header',
    part10(EXPLICIT, NAME, le.element(0x00420011, 'OB', '').subarray(0, 10)),
    'TRUNCATED',
  ],
  [
    'a value past its item',
    refused(le.item(le.element(0x00081155, 'UI', { value: '1.2\0', claims: 6 }))),
    'BAD_LENGTH',
  ],
  [
    'an item past its sequence',
    part10(EXPLICIT, le.element(REFERENCE, 'SQ', join(le.delimiter(0xe000, 20), CLASS)), NAME),
    'BAD_LENGTH',
    REFERENCE,
  ],
  [
    'a nested open sequence past its item',
    refused(join(le.delimiter(0xe000, 12), le.openSequence(0x00081199, [UID_ITEM]))),
    'BAD_LENGTH',
  ],
  ['an element where an item must stand', refused(NAME), 'BAD_TAG', REFERENCE],
  ['an item where an element must stand', part10(EXPLICIT, NAME, le.item()), 'BAD_TAG', 0xfffee000],
  ['a stray delimiter', part10(EXPLICIT, NAME, le.delimiter(0xe0dd, 0)), 'BAD_TAG', 0xfffee0dd],
  ['an item delimiter in a defined item', refused(le.item(le.delimiter(0xe00d, 0))), 'BAD_TAG', 0xfffee00d],
  [
    'an open sequence with no end',
    part10(EXPLICIT, join(le.element(REFERENCE, 'SQ', { value: '', claims: UNDEFINED }), UID_ITEM)),
    'TRUNCATED',
    REFERENCE,
  ],
  [
    'an undefined length that its VR forbids',
    part10(EXPLICIT, le.element(0x00420010, 'UT', { value: '', claims: UNDEFINED }), NAME),
    'BAD_LENGTH',
    0x00420010,
  ],
  ['twice the same', part10(EXPLICIT, NAME, NAME), 'DUPLICATE_TAG', 0x00100010],
  ['twice the same, apart', part10(EXPLICIT, NAME, ID, NAME), 'DUPLICATE_TAG', 0x00100010],
  ['twice the same in an item', refused(le.item(NAME, NAME)), 'DUPLICATE_TAG', 0x00100010],
  ['twice the same in an open item', refused(le.openItem(NAME, NAME)), 'DUPLICATE_TAG', 0x00100010],
  [
    'twice the same in the meta group',
    join(
      META,
      le.element(0x00020010, 'UI', `${EXPLICIT}\0`),
      le.element(0x00020010, 'UI', `${EXPLICIT}\0`),
      NAME,
    ),
    'DUPLICATE_TAG',
    0x00020010,
  ],
  ['zeros and then more', part10(EXPLICIT, NAME, new Uint8Array(40), ID), 'BAD_TAG', 0],
  [
    'pixel data past the end',
    part10(EXPLICIT, NAME, le.element(0x7fe00010, 'OW', { value: 'ab', claims: 4 })),
    'TRUNCATED',
  ],
  ['a damaged deflate stream', part10(DEFLATED, ascii('this is no deflate stream')), 'INFLATE_FAILED'],
  [
    'a cut deflate stream',
    part10(DEFLATED, deflateRawSync(join(CLASS, NAME)).subarray(0, 10)),
    'INFLATE_FAILED',
  ],
]

function refused(...items: readonly Uint8Array[]): Uint8Array {
  return part10(EXPLICIT, le.sequence(REFERENCE, items), NAME)
}

for (const [name, bytes, code, t] of REFUSED) {
  test(`refused: ${name} is ${code}`, () => {
    assert.throws(() => read(bytes), {
      name: 'DicomError',
      code,
      ...(t === undefined ? {} : { tag: t }),
    })
  })
}

test('a refusal says where, and never what', () => {
  const bytes = part10(EXPLICIT, NAME, le.element(0x00100020, 'ZZ', 'CANARY'))
  try {
    read(bytes)
    assert.fail('read')
  } catch (error) {
    assert(error instanceof DicomError)
    assert.equal(error.offset, bytes.length - 14)
    assert.match(error.message, /at \(0010,0020\) at byte \d+$/)
    assert.doesNotMatch(error.message, /CANARY|JANE|ZZ/)
  }
})

test('a deflated file is refused where nobody inflates', () => {
  const bytes = part10(DEFLATED, deflateRawSync(NAME))
  assert.throws(() => readFile(fromBytes(bytes)), { code: 'UNSUPPORTED_TRANSFER_SYNTAX' })
})

test('a deflated file is read, a padding byte behind the stream or not', () => {
  for (const padding of [0, 1]) {
    const file = read(part10(DEFLATED, deflateRawSync(join(CLASS, NAME)), new Uint8Array(padding)))
    assert.equal(string(file.dataset, tag(0x00100010)), 'DOE^JANE')
    assert.equal(file.transferSyntax, DEFLATED)
  }
})

const WHOLE: Readonly<Record<string, Uint8Array>> = {
  explicit: part10(
    EXPLICIT,
    CLASS,
    le.openSequence(REFERENCE, [le.openItem(CLASS, le.sequence(0x00081199, [UID_ITEM])), UID_ITEM]),
    le.element(0x00082112, 'UN', implicit.item(implicit.element(0x00081155, 'UI', '1.2\0'))),
    NAME,
    le.frames(0x7fe00010, [le.u32(0), ascii('JPEG')]),
    le.element(0xfffcfffc, 'OB', '\0\0'),
  ),
  implicit: part10(
    IMPLICIT,
    implicit.openSequence(REFERENCE, [implicit.openItem(implicit.element(0x00081155, '', '1.2\0'))]),
    implicit.element(0x00100010, '', 'DOE^JANE'),
    implicit.element(0x7fe00010, '', 'abcd'),
  ),
  'big endian': part10(
    BIG_ENDIAN,
    be.sequence(REFERENCE, [be.item(be.element(0x00081155, 'UI', '1.2\0'))]),
    be.element(0x00100010, 'PN', 'DOE^JANE'),
  ),
  deflated: part10(DEFLATED, deflateRawSync(join(CLASS, NAME, ID))),
  bare: join(CLASS, NAME, ID),
}

for (const [name, bytes] of Object.entries(WHOLE)) {
  test(`cut at every byte, ${name}: a DicomError or a well-formed prefix`, () => {
    const whole = read(bytes)
    for (let length = 0; length < bytes.length; length += 1) {
      const file = readOrRefuse(bytes.subarray(0, length))
      if (file && whole.transferSyntax === file.transferSyntax)
        assert(isPrefix(file.dataset, whole.dataset), `${length}`)
    }
  })

  test(`every byte changed, ${name}: a DicomError or a file that is written as it was read`, () => {
    for (let at = 0; at < bytes.length; at += 1) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const changed = Uint8Array.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ flip
        const file = readOrRefuse(changed)
        if (file && file.transferSyntax !== DEFLATED) concat([...writeFile(file)])
      }
    }
  })
}

function readOrRefuse(bytes: Uint8Array): DicomFile | undefined {
  try {
    return read(bytes)
  } catch (error) {
    if (error instanceof DicomError) return undefined
    throw error
  }
}

function isPrefix(part: Dataset, whole: Dataset): boolean {
  return part.elements.every((element, index) => {
    const other = whole.elements[index]
    if (other?.tag !== element.tag || other.vr !== element.vr) return false
    return element.raw === undefined || Buffer.compare(element.raw, other.raw ?? new Uint8Array(0)) === 0
  })
}

test('a character set is in force from where it stands, and in items below', () => {
  const item = le.item(le.element(0x00080005, 'CS', 'ISO_IR 192'), NAME)
  const bytes = part10(
    EXPLICIT,
    le.element(0x00080005, 'CS', 'ISO_IR 100'),
    le.sequence(REFERENCE, [UID_ITEM, item]),
    NAME,
  )
  const { dataset } = read(bytes)
  const references = find(dataset, tag(REFERENCE))
  assert(references?.value.kind === 'items')
  assert.deepEqual(dataset.charset, ['ISO_IR 100'])
  assert.deepEqual(
    references.value.items.map(({ charset }) => charset),
    [['ISO_IR 100'], ['ISO_IR 192']],
  )
})
