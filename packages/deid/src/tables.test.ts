// Annex E as it is looked up: filled cells, blank cells, patterns, and concepts with more than one row.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tags, tag } from '@roentgate/dicom'
import type { Option } from './model.ts'
import {
  conceptRow,
  conceptRows,
  METHOD_CODES,
  PROFILE_EDITION,
  profileRow,
  profileRows,
  safePrivate,
} from './tables.ts'

const CODES: ReadonlySet<string> = new Set([
  'D',
  'Z',
  'X',
  'U',
  'K',
  'C',
  'Z/D',
  'X/Z',
  'X/D',
  'X/Z/D',
  'X/Z/U*',
])
const OPTIONS: ReadonlySet<Option> = new Set<Option>([
  'safe-private',
  'uids',
  'device',
  'institution',
  'patient',
  'full-dates',
  'modified-dates',
  'descriptors',
  'structured',
  'graphics',
])

test('every row has a code and options that are known', () => {
  assert.equal(PROFILE_EDITION, '2026d')
  assert.equal(profileRows().length, 657)
  assert.equal(conceptRows().length, 211)
  for (const row of [...profileRows(), ...conceptRows()]) {
    assert.ok(CODES.has(row.basic), row.id)
    for (const [option, code] of row.options) assert.ok(OPTIONS.has(option) && /^[KC]$/.test(code), row.id)
  }
})

/** tag, basic profile and options as the table prints them; undefined: no row */
const ROWS: readonly (readonly [number, string | undefined])[] = [
  [Tags.PatientName, 'Z'],
  [Tags.AccessionNumber, 'Z'],
  [Tags.SOPInstanceUID, 'U uids=K'],
  [Tags.StudyDate, 'Z full-dates=K modified-dates=C'],
  [Tags.DeviceSerialNumber, 'X/Z/D device=K'],
  [Tags.PatientAge, 'X patient=K'],
  [Tags.InstitutionName, 'X/Z/D institution=K'],
  [Tags.StudyDescription, 'X descriptors=C'],
  [Tags.AcquisitionContextSequence, 'X/Z structured=C'],
  [Tags.PatientState, 'X patient=C descriptors=C'],
  [Tags.DisplayURI, 'X'],
  [Tags.DoseCalculationModelName, 'X descriptors=C'],
  [0x50000010, 'X graphics=C'],
  [0x50fe3000, 'X graphics=C'],
  [0x60003000, 'X graphics=C'],
  [0x60fe4000, 'X graphics=C'],
  [0x60000010, undefined],
  [0x51000010, undefined],
  [0x50010010, undefined],
  [Tags.Rows, undefined],
  [0x00291010, undefined],
]

for (const [value, expected] of ROWS) {
  test(`E.1-1 ${value.toString(16).padStart(8, '0')}: ${expected ?? 'no row'}`, () => {
    const row = profileRow(tag(value))
    const found = row && [row.basic, ...row.options.map((option) => option.join('='))].join(' ')
    assert.equal(found, expected)
  })
}

/** scheme, code, value type, basic profile and options */
const CONCEPTS: readonly (readonly [string, string, string | undefined, string | undefined])[] = [
  ['DCM', '121022', 'TEXT', 'X'],
  ['SCT', '371524004', 'TEXT', 'X descriptors=C'],
  ['SCT', '371524004', 'COMPOSITE', 'X uids=K'],
  ['SCT', '371524004', undefined, 'X'],
  ['http://snomed.info/sct', '371524004', 'TEXT', 'X descriptors=C'],
  ['DCM', '121112', 'IMAGE', 'D uids=K'],
  ['DCM', '121112', 'WAVEFORM', 'X uids=K'],
  ['DCM', '121112', undefined, 'X uids=K'],
  ['DCM', '121112', 'TEXT', 'X uids=K'],
  ['NCDR', '15', 'DATETIME', 'X full-dates=K modified-dates=C'],
  ['DCM', '121071', 'TEXT', 'X/D descriptors=C'],
  ['DCM', '111028', 'CONTAINER', undefined],
  ['99LOCAL', '121022', 'TEXT', undefined],
]

for (const [scheme, code, valueType, expected] of CONCEPTS) {
  test(`E.3.4-1 ${scheme} ${code} ${valueType ?? ''}: ${expected ?? 'no row'}`, () => {
    const row = conceptRow(scheme, code, valueType)
    const found = row && [row.basic, ...row.options.map((option) => option.join('='))].join(' ')
    assert.equal(found, expected)
  })
}

test('safe private elements are found in every block, under their basis', () => {
  assert.equal(safePrivate('Philips PET Private Group', tag(0x70531000))?.basis, 'E.3.10-1')
  assert.equal(safePrivate('Philips PET Private Group ', tag(0x7053_ab09))?.basis, 'E.3.10-1')
  assert.equal(safePrivate('GEMS_IDEN_01', tag(0x00091001))?.basis, 'knowledge-base')
  assert.equal(safePrivate('Philips PET Private Group', tag(0x70531001)), undefined)
  assert.equal(safePrivate('', tag(0x70531000)), undefined)
})

test('CID 7050 has its thirteen codes', () => {
  assert.equal(METHOD_CODES.size, 13)
  assert.equal(METHOD_CODES.get('113100'), 'Basic Application Confidentiality Profile')
})
