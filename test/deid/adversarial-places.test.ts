// Where identifiers hide: nesting, private blocks, file meta and preamble, group lengths, trailing bytes, signatures.
// Both directions: no canary in any byte of what comes out, and what is nobody's business but the image's stays.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  concat,
  type Element,
  find,
  make,
  string,
  strings,
  Tags,
  tag,
  writeFile,
} from '../../packages/dicom/src/index.ts'
import { deidentify, el, leaks, released, slice, sliceFile } from '../support/deid.ts'

const CANARY = 'Zyzzogeton'

function noLeak(
  bytes: Uint8Array,
  canaries: readonly string[] = [CANARY, 'Quilla', 'MRN-558201', '558201', '19621103'],
): void {
  assert.deepEqual(leaks(bytes, canaries), [])
}

test('the plain slice: nobody in it, and the image whole', () => {
  const { file, bytes } = released(slice())
  noLeak(bytes)
  const { dataset } = file
  assert.equal(string(dataset, Tags.KVP), '120')
  assert.deepEqual(strings(dataset, find(dataset, Tags.PixelSpacing) as Element), ['0.7', '0.7'])
  assert.equal(string(dataset, Tags.Modality), 'CT')
  assert.equal(string(dataset, Tags.Manufacturer), 'ACME Imaging')
  assert.equal(string(dataset, Tags.SOPClassUID), '1.2.840.10008.5.1.4.1.1.2')
  assert.equal(string(dataset, Tags.PatientIdentityRemoved), 'YES')
})

/** Sequences that Table E.1-1 does not list: they stay, whatever stands in them. */
const KEPT = [
  Tags.ViewCodeSequence,
  Tags.CTExposureSequence,
  Tags.SharedFunctionalGroupsSequence,
  Tags.PlanePositionSequence,
]

for (const depth of [1, 3, 10]) {
  test(`a name ${depth} levels deep, in sequences that stay`, () => {
    let inner: Element[] = [
      el.text(Tags.PatientName, 'PN', `${CANARY}^Quilla`),
      el.text(Tags.ImageComments, 'LT', `seen with Quilla ${CANARY}, MRN-558201`),
      el.text(Tags.FilterType, 'SH', 'FLAT'),
    ]
    for (let level = 0; level < depth; level += 1) inner = [el.items(KEPT[level % KEPT.length] ?? 0, inner)]
    for (const recipe of ['basic', 'safe-harbor', 'limited-data-set', 'research']) {
      const { bytes } = released(slice(inner), { recipe })
      noLeak(bytes)
      assert.ok(Buffer.from(bytes).includes('FLAT'), `${recipe} keeps the filter`)
    }
  })
}

test('per-frame functional groups: dates move or go, geometry stays', () => {
  const frame = [
    el.items(Tags.FrameContentSequence, [
      el.text(Tags.FrameAcquisitionDateTime, 'DT', '20190521101112'),
      el.text(Tags.FrameComments, 'LT', `pt ${CANARY} moved`),
    ]),
    el.items(Tags.PlanePositionSequence, [el.text(Tags.ImagePositionPatient, 'DS', ['1.5', '-2', '30'])]),
  ]
  const { bytes } = released(slice([el.items(Tags.PerFrameFunctionalGroupsSequence, frame, frame)]))
  noLeak(bytes, [CANARY, '20190521'])
  assert.ok(Buffer.from(bytes).includes('1.5\\-2\\30'))
})

const PRIVATE: readonly (readonly [string, readonly Element[]])[] = [
  ['an unknown block', [el.text(0x00110010, 'LO', 'ACME 1.0'), el.text(0x00111001, 'LO', CANARY)]],
  ['a creator at xx11, two blocks of one creator', [
    el.text(0x00110010, 'LO', 'ACME 1.0'), el.text(0x00110011, 'LO', 'ACME 1.0'),
    el.text(0x00111001, 'LO', CANARY), el.text(0x00111101, 'LO', CANARY),
  ]],
  ['no creator at all', [el.text(0x00131001, 'LO', CANARY)]],
  ['a name as creator', [el.text(0x00150010, 'LO', `${CANARY} Imaging`), el.text(0x00151001, 'LO', 'x')]],
  ['a private sequence in a private sequence', [
    el.text(0x00110010, 'LO', 'ACME 1.0'),
    el.items(0x00111002, [el.text(0x00110010, 'LO', 'ACME 1.0'), el.items(0x00111003, [el.text(Tags.PatientName, 'PN', CANARY)])]),
  ]],
  ['a blob', [el.text(0x00290010, 'LO', 'SIEMENS CSA HEADER'), el.bytes(0x00291010, 'OB', Buffer.from(`SV10 PatientName ${CANARY}  `))]],
  ['group 0001 and FFFF-like groups', [el.text(0x00010010, 'LO', 'X'), el.text(0x00011001, 'LO', CANARY), el.text(0x00070010, 'LO', CANARY)]],
] // biome-ignore format: one table

for (const [what, extra] of PRIVATE) {
  test(`private: ${what}`, () => {
    for (const recipe of ['basic', 'research']) noLeak(released(slice(extra), { recipe }).bytes)
  })
}

test('private: what Table E.3.10-1 lists stays under research, by creator and not by block, and is still searched', () => {
  const safe = [
    el.text(0x00190042, 'LO', 'SIEMENS MR HEADER'),
    el.text(0x0019420c, 'IS', '1000'),
    el.text(0x0019420d, 'CS', 'DIRECTIONAL'),
  ]
  const kept = released(slice(safe)).file.dataset
  assert.equal(string(kept, tag(0x0019420c)), '1000')
  assert.equal(string(kept, tag(0x00190042)), 'SIEMENS MR HEADER')
  assert.equal(find(released(slice(safe), { recipe: 'basic' }).file.dataset, tag(0x0019420c)), undefined)
  const other = [el.text(0x00190042, 'LO', 'SOMEBODY ELSE'), el.text(0x0019420c, 'IS', '1000')]
  assert.equal(find(released(slice(other)).file.dataset, tag(0x0019420c)), undefined)
  const text = [
    el.text(0x20010010, 'LO', 'Philips Imaging DD 001'),
    el.text(0x200110c8, 'LO', `exam card of ${CANARY}`),
  ]
  noLeak(released(slice(text)).bytes)
})

test('private: a block that (0008,0300) declares safe stays, the others go', () => {
  const declared = [
    el.items(Tags.PrivateDataElementCharacteristicsSequence, [
      el.numbers(Tags.PrivateGroupReference, 'US', [0x0011]),
      el.text(Tags.PrivateCreatorReference, 'LO', 'ACME 1.0'),
      el.text(Tags.BlockIdentifyingInformationStatus, 'CS', 'MIXED'),
      el.numbers(Tags.NonidentifyingPrivateElements, 'US', [0x01]),
    ]),
    el.text(0x00110010, 'LO', 'ACME 1.0'), el.text(0x00111001, 'DS', '4.25'), el.text(0x00111002, 'LO', CANARY),
  ] // biome-ignore format: one block
  const { file, bytes } = released(slice(declared))
  assert.equal(string(file.dataset, tag(0x00111001)), '4.25')
  noLeak(bytes)
})

test('preamble, file meta, group lengths, groups 0000 to 0006, padding and signatures are rebuilt or dropped', () => {
  const made = sliceFile([
    el.text(Tags.DigitalSignaturesSequence, 'LO', CANARY),
    el.bytes(Tags.DataSetTrailingPadding, 'OB', Buffer.from(`${CANARY}  `)),
    el.numbers(0x00100000, 'UL', [100]),
    el.text(0x00041130, 'CS', 'ZYZZOGETON'),
    el.items(Tags.OriginalAttributesSequence, [
      el.items(Tags.ModifiedAttributesSequence, [el.text(Tags.PatientName, 'PN', CANARY)]),
    ]),
    el.items(Tags.EncryptedAttributesSequence, [
      el.bytes(Tags.EncryptedContent, 'OB', Buffer.from(CANARY + CANARY)),
    ]),
    el.items(Tags.MACParametersSequence, [el.text(Tags.MACAlgorithm, 'CS', 'SHA256')]),
  ])
  const preamble = new Uint8Array(128)
  preamble.set(Buffer.from(`II*\0 ${CANARY}^Quilla`))
  const meta = made.meta && {
    ...made.meta,
    elements: [
      ...made.meta.elements,
      make(made.meta, tag(0x00020016), 'AE', 'ZYZZOGETON'),
      make(made.meta, tag(0x00020102), 'OB', Buffer.from(`${CANARY}^^`)),
    ],
  }
  const { file, bytes } = released(concat([...writeFile({ ...made, preamble, meta })]))
  noLeak(bytes)
  assert.ok(file.preamble?.every((byte) => byte === 0))
  for (const gone of [
    Tags.DigitalSignaturesSequence,
    Tags.DataSetTrailingPadding,
    Tags.OriginalAttributesSequence,
    Tags.EncryptedAttributesSequence,
    tag(0x00100000),
    tag(0x00041130),
  ]) {
    assert.equal(find(file.dataset, gone), undefined)
  }
})

test('bytes after the end: zeros are dropped, anything else keeps the file back', () => {
  const { file } = released(concat([slice(), new Uint8Array(6)]))
  assert.equal(file.trailing, undefined)
  const [outcome] = deidentify([concat([slice(), Buffer.from(`tail ${CANARY} of nobody knows what`)])])
  assert.equal(outcome?.result?.outcome ?? outcome?.scan.kind, 'quarantined')
  assert.ok(!JSON.stringify(outcome?.result).includes(CANARY))
})

test('overlays, curves and icons go; what is under them stays', () => {
  const extra = [
    el.numbers(0x60000010, 'US', [4]), el.numbers(0x60000011, 'US', [4]), el.text(0x60000040, 'CS', 'G'), el.numbers(0x60000050, 'SS', [1, 1]),
    el.numbers(0x60000100, 'US', [1]), el.numbers(0x60000102, 'US', [0]), el.bytes(0x60003000, 'OW', new Uint8Array(2)), el.text(0x60000022, 'LO', `of ${CANARY}`), el.text(0x60004000, 'LT', CANARY),
    el.text(0x50002500, 'LO', CANARY), el.bytes(0x50003000, 'OW', Buffer.from(`${CANARY}^^`)),
    el.items(Tags.IconImageSequence, [el.bytes(Tags.PixelData, 'OB', Buffer.from(`${CANARY}^^`))]),
  ] // biome-ignore format: one table
  for (const recipe of ['basic', 'research']) {
    const { file, bytes } = released(slice(extra), { recipe })
    noLeak(bytes)
    assert.ok(
      !file.dataset.elements.some(
        (element) => element.tag >>> 16 === 0x6000 || element.tag >>> 16 === 0x5000,
      ),
    )
  }
  const [careful] = deidentify([slice(extra)], { pixels: 'quarantine' })
  assert.deepEqual(
    careful?.result?.reasons.map(({ code }) => code),
    ['PIXELS_OVERLAY'],
  )
})

test('a document is never passed, as-is or not', () => {
  const document = [
    el.text(Tags.SOPClassUID, 'UI', '1.2.840.10008.5.1.4.1.1.104.1'),
    el.bytes(Tags.EncapsulatedDocument, 'OB', Buffer.from(`%PDF ${CANARY}`)),
    el.text(Tags.MIMETypeOfEncapsulatedDocument, 'LO', 'application/pdf'),
  ]
  const [outcome] = deidentify([slice(document)], { pixels: 'as-is' })
  assert.equal(outcome?.result?.outcome, 'quarantined')
})
