// PS3.6 by tag and by keyword: repeating groups, group lengths, creators; private elements by creator; Types by IOD.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keywords, lookup, nameOf, Tags, tagOf } from './dictionary.ts'
import { attributeType, iodOf, modulesOf } from './iod.ts'
import { tag } from './model.ts'
import { privateEntry } from './private-dictionary.ts'

type Row = readonly [t: number, keyword: string | undefined, vrs: string, vm: string, retired: boolean]
const ROWS: readonly Row[] = [
  [0x00100010, 'PatientName', 'PN', '1', false],
  [0x00080018, 'SOPInstanceUID', 'UI', '1', false],
  [0x00280106, 'SmallestImagePixelValue', 'US SS', '1', false],
  [0x00283006, 'LUTData', 'US OW', '1-n', false],
  [0x7fe00010, 'PixelData', 'OB OW', '1', false],
  [0x60000010, 'OverlayRows', 'US', '1', false],
  [0x60020010, 'OverlayRows', 'US', '1', false],
  [0x601e3000, 'OverlayData', 'OB OW', '1', false],
  [0x50000005, 'CurveDimensions', 'US', '1', true],
  [0x501e0010, 'NumberOfPoints', 'US', '1', true],
  [0x00203110, 'SourceImageIDs', 'CS', '1-n', true],
  [0x10000013, 'HuffmanTableTriplet', 'US', '3', true],
  [0x10100010, 'ZonalMap', 'US', '1-n', true],
  [0x7f000010, 'VariablePixelData', 'OB OW', '1', true],
  [0x00080000, 'GroupLength', 'UL', '1', true],
  [0x00090000, 'GroupLength', 'UL', '1', true],
  [0x00020000, 'FileMetaInformationGroupLength', 'UL', '1', false],
  [0x0040e012, 'DisplayURI', 'UR', '1', false],
  [0x3004007f, 'DoseCalculationModelName', 'LO', '1', false],
  [0x00144101, 'WaveDimensionsDefinitionSequence', 'SQ', '1', false],
  [0x00110010, 'PrivateCreator', 'LO', '1', false],
  [0x001100ff, 'PrivateCreator', 'LO', '1', false],
  [0x7fe10010, 'PrivateCreator', 'LO', '1', false],
  [0x00110001, undefined, '', '', false],
  [0x0011000f, undefined, '', '', false],
  [0x00111010, undefined, '', '', false],
  [0x00020050, undefined, '', '', false],
  [0x60011000, undefined, '', '', false],
  [0x00108888, undefined, '', '', false],
]

test('a tag has its entry', () => {
  for (const [t, keyword, vrs, vm, retired] of ROWS) {
    const entry = lookup(tag(t))
    const found = entry && [entry.keyword, entry.vrs.join(' '), entry.vm, entry.retired, entry.vr]
    const expected = keyword === undefined ? undefined : [keyword, vrs, vm, retired, vrs.slice(0, 2)]
    assert.deepEqual(found, expected, t.toString(16))
  }
})

test('every keyword leads to a tag and back', () => {
  let count = 0
  for (const keyword of keywords()) {
    const t = tagOf(keyword)
    assert(t !== undefined, keyword)
    assert.equal(lookup(t)?.keyword, keyword)
    count += 1
  }
  assert(count > 5000, `${count}`)
})

test('every symbol is the tag of its keyword', () => {
  for (const [keyword, t] of Object.entries(Tags)) assert.equal(tagOf(keyword), t, keyword)
})

test('a tag is written in three ways', () => {
  for (const name of ['PatientName', '(0010,0010)', '00100010', '0010,0010'])
    assert.equal(tagOf(name), 0x00100010)
  assert.equal(tagOf('7fe00010'), 0x7fe00010)
  for (const name of ['patientname', 'Patient Name', '', '0010001', '(0010,001G)', '0x00100010']) {
    assert.equal(tagOf(name), undefined, name)
  }
})

test('what has no name is called by its tag', () => {
  assert.equal(nameOf(tag(0x00100010)), "Patient's Name")
  assert.equal(nameOf(tag(0x00111010)), '00111010')
})

test('a private element is found by creator, group and low byte', () => {
  const expected = { vr: 'OB', vm: '1', name: 'CSA Image Header Info' }
  assert.deepEqual(privateEntry('SIEMENS CSA HEADER', tag(0x00291010)), expected)
  assert.deepEqual(privateEntry(' SIEMENS CSA HEADER ', tag(0x0029ab10)), expected)
  assert.equal(privateEntry('SIEMENS CSA HEADER', tag(0x00311010)), undefined)
  assert.equal(privateEntry('siemens csa header', tag(0x00291010)), undefined)
  assert.equal(privateEntry('', tag(0x00291010)), undefined)
})

const CT = '1.2.840.10008.5.1.4.1.1.2'
const MR = '1.2.840.10008.5.1.4.1.1.4'
const TYPES: readonly (readonly [sopClass: string, path: readonly number[], type: string | undefined])[] = [
  [CT, [0x00080018], '1'],
  [CT, [0x00080016], '1'],
  [CT, [0x0020000d], '1'],
  [CT, [0x00080060], '1'],
  [CT, [0x00080020], '2'],
  [CT, [0x00080050], '2'],
  [CT, [0x00100010], '2'],
  [CT, [0x00100020], '2'],
  [CT, [0x00100040], '2'],
  [CT, [0x00181030], '3'],
  [CT, [0x00081140, 0x00081155], '1'],
  [MR, [0x00180020], '1'],
  [MR, [0x00100030], '2'],
  [CT, [0x00091001], undefined],
  ['1.2.3', [0x00100010], undefined],
]

test('an attribute has its Type in the IOD', () => {
  for (const [sopClass, path, type] of TYPES) {
    assert.equal(
      attributeType(sopClass, path.map(tag)),
      type,
      `${sopClass} ${path.map((t) => t.toString(16))}`,
    )
  }
})

test('a SOP class has its IOD and the IOD its modules', () => {
  assert.equal(iodOf(CT), 'ct-image')
  assert.equal(iodOf('1.2.3'), undefined)
  const usage = new Map(modulesOf('ct-image').map((use) => [use.module, use.usage]))
  for (const module of ['patient', 'general-study', 'general-series', 'frame-of-reference', 'sop-common']) {
    assert.equal(usage.get(module), 'M', module)
  }
  assert.equal(usage.get('clinical-trial-subject'), 'U')
  assert.deepEqual(modulesOf('no-such-iod'), [])
})
