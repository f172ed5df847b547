// The table of what is flagged and what passes: one row a header.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type DicomFile, type Element, type Encoding, make, sequence, Tags, type Uid } from '@roentgate/dicom'
import { regionOfCode, regionOfWords } from './face-regions.ts'
import { faceRisk } from './faces.ts'

const ENCODING: Encoding = { explicit: true, bigEndian: false }
type Dataset = DicomFile['dataset']
const EMPTY: Dataset = { kind: 'dataset', elements: [], encoding: ENCODING, charset: [] }

type Facts = {
  readonly modality?: string
  readonly part?: string
  readonly words?: string
  /** rows, columns, mm a pixel */
  readonly field?: readonly [number, number, number]
  readonly thickness?: number
  readonly type?: string
  readonly sopClass?: string
  readonly pixels?: false
  readonly more?: readonly Element[]
}

function fileOf(facts: Facts): DicomFile {
  const [rows, columns, spacing] = facts.field ?? [256, 256, 1]
  const elements = [
    make(EMPTY, Tags.ImageType, 'CS', facts.type ?? 'ORIGINAL\\PRIMARY\\AXIAL'),
    make(EMPTY, Tags.SOPClassUID, 'UI', facts.sopClass ?? ''),
    make(EMPTY, Tags.Modality, 'CS', facts.modality ?? ''),
    make(EMPTY, Tags.SeriesDescription, 'LO', facts.words ?? ''),
    make(EMPTY, Tags.BodyPartExamined, 'CS', facts.part ?? ''),
    make(EMPTY, Tags.SliceThickness, 'DS', facts.thickness === undefined ? '' : String(facts.thickness)),
    make(EMPTY, Tags.Rows, 'US', [rows]),
    make(EMPTY, Tags.Columns, 'US', [columns]),
    make(EMPTY, Tags.PixelSpacing, 'DS', `${spacing}\\${spacing}`),
    ...(facts.more ?? []),
    ...(facts.pixels === false ? [] : [make(EMPTY, Tags.PixelData, 'OW', new Uint8Array(2))]),
  ]
  const dataset = { ...EMPTY, elements }
  return {
    preamble: undefined,
    meta: undefined,
    transferSyntax: '1.2.840.10008.1.2.1' as Uid,
    dataset,
    trailing: undefined,
    warnings: [],
  }
}

const item = (...elements: readonly Element[]): Dataset => ({ ...EMPTY, elements })
const code = (value: string): Element =>
  sequence(Tags.AnatomicRegionSequence, [item(make(EMPTY, Tags.CodeValue, 'SH', value))])
const wide = [512, 512, 0.9] as const
const outline = (type: string, name: string): readonly Element[] => [
  sequence(Tags.StructureSetROISequence, [item(make(EMPTY, Tags.ROIName, 'LO', name))]),
  sequence(Tags.RTROIObservationsSequence, [item(make(EMPTY, Tags.RTROIInterpretedType, 'CS', type))]),
]
const enhanced = sequence(Tags.SharedFunctionalGroupsSequence, [
  item(
    sequence(Tags.FrameAnatomySequence, [item(code('T-D1100'))]),
    sequence(Tags.PixelMeasuresSequence, [item(make(EMPTY, Tags.SliceThickness, 'DS', '1'))]),
  ),
])

const FLAGGED: readonly (readonly [string, Facts])[] = [
  ['head CT', { modality: 'CT', part: 'HEAD', thickness: 1.25 }],
  ['a head of thick slices, but not so thick', { modality: 'CT', part: 'HEAD', thickness: 5 }],
  ['head of unknown thickness', { modality: 'MR', part: 'BRAIN' }],
  ['words alone', { modality: 'MR', words: 'SAG T1 MPRAGE', field: wide }],
  ['words in another language', { modality: 'CT', words: 'CCT Schaedel nativ' }],
  ['words with underscores', { modality: 'MR', words: 't2_brain_cor', field: wide }],
  [
    'words against the body part',
    { modality: 'CT', part: 'CHEST', words: 'NECK CHEST ABDOMEN', field: wide },
  ],
  ['a run-together defined term', { modality: 'CT', part: 'HEADNECK', field: wide }],
  ['a code', { modality: 'CT', field: wide, more: [code('69536005')] }],
  ['a code of an enhanced MR', { modality: 'MR', field: wide, more: [enhanced] }],
  ['whole body CT', { modality: 'CT', part: 'WHOLEBODY', field: wide, thickness: 3 }],
  ['whole body PET', { modality: 'PT', words: 'WB 3D AC', field: [168, 168, 4.07] }],
  ['brain PET', { modality: 'PT', words: 'Brain FDG', field: [168, 168, 4.07] }],
  ['unknown part, as wide as a head', { modality: 'CT', field: [512, 512, 0.5], thickness: 1 }],
  ['dental cone beam', { modality: 'CT', field: [640, 640, 0.25], thickness: 0.25 }],
  ['cone beam by its class', { sopClass: '1.2.840.10008.5.1.4.1.1.13.1.2', field: [400, 400, 0.2] }],
  ['class without modality', { sopClass: '1.2.840.10008.5.1.4.1.1.2.1', part: 'SKULL' }],
  ['cervical spine in a wide field', { modality: 'CT', part: 'CSPINE', field: [512, 512, 0.5] }],
  [
    'thin MR localiser',
    { modality: 'MR', part: 'HEAD', thickness: 1.6, type: 'ORIGINAL\\PRIMARY\\LOCALIZER' },
  ],
  ['outline by its type', { modality: 'RTSTRUCT', more: outline('EXTERNAL', 'x'), pixels: false }],
  ['outline by its name', { modality: 'RTSTRUCT', more: outline('ORGAN', 'Body'), pixels: false }],
  ['photograph', { modality: 'XC', sopClass: '1.2.840.10008.5.1.4.1.1.77.1.4' }],
  [
    'the header says so',
    { modality: 'OT', more: [make(EMPTY, Tags.RecognizableVisualFeatures, 'CS', 'YES')] },
  ],
]

const PASSED: readonly (readonly [string, Facts])[] = [
  ['chest CT', { modality: 'CT', part: 'CHEST', thickness: 1 }],
  ['knee in a field as wide as a head', { modality: 'MR', words: 't1 sag knee', field: [256, 256, 0.9] }],
  ['femoral head', { modality: 'MR', words: 'Femoral head left', field: [256, 256, 0.9] }],
  ['neck of the femur', { modality: 'CT', words: 'neck of femur', field: [256, 256, 0.9] }],
  [
    'heart without a body part',
    { modality: 'CT', words: 'SmartScore - Gated 0.5 sec', field: [512, 512, 0.49] },
  ],
  ['very thick slices', { modality: 'MR', part: 'HEAD', thickness: 10 }],
  ['CT localiser', { modality: 'CT', part: 'HEAD', type: 'ORIGINAL\\PRIMARY\\LOCALIZER', thickness: 1 }],
  [
    'thick MR localiser',
    { modality: 'MR', part: 'HEAD', thickness: 6, type: 'ORIGINAL\\PRIMARY\\LOCALIZER' },
  ],
  ['unknown part, a body wide', { modality: 'CT', field: wide, thickness: 1 }],
  ['unknown part, a wrist narrow', { modality: 'MR', field: [256, 256, 0.5] }],
  ['unknown PET of coarse pixels', { modality: 'PT', field: [64, 64, 4] }],
  ['unknown geometry and part', { modality: 'CT', field: [512, 512, 0] }],
  ['cervical spine in a narrow field', { modality: 'CT', part: 'CSPINE', field: [512, 512, 0.29] }],
  ['skull radiograph', { modality: 'DX', part: 'SKULL' }],
  ['a report about a head', { modality: 'CT', part: 'HEAD', pixels: false }],
  ['organs only', { modality: 'RTSTRUCT', more: outline('ORGAN', 'Liver'), pixels: false }],
  [
    'outline of a pelvis',
    { modality: 'RTSTRUCT', part: 'PELVIS', more: outline('EXTERNAL', 'BODY'), pixels: false },
  ],
  ['photograph of a foot', { modality: 'XC', part: 'FOOT' }],
]

suite('faceRisk', () => {
  for (const [name, facts] of FLAGGED)
    test(`possible: ${name}`, () => assert.equal(faceRisk(fileOf(facts)).kind, 'possible'))
  for (const [name, facts] of PASSED)
    test(`none: ${name}`, () => assert.deepEqual(faceRisk(fileOf(facts)), { kind: 'none' }))

  test('no word of the header comes back', () => {
    const risk = faceRisk(fileOf({ modality: 'MR', part: 'BRAIN', words: 'Brain of Ms Zebra' }))
    assert.equal(risk.kind === 'possible' && /zebra/i.test(risk.what), false)
  })
})

test('regions', () => {
  const rows = [
    ['CT HEAD/BRAIN WO', 'head'], ['TETE', 'head'], ['Kopf', 'head'], ['HEADFIRST CHEST', 'other'], ['', 'unknown'],
    ['Radial head', 'other'], ['Head and femoral head', 'head'], ['HWS', 'near'], ['Ganzkörper', 'whole'], ['e+1', 'unknown'],
    ['HEAD COIL KNEE', 'other'], ['PE CHEST', 'other'], ['ENTEROGRAPHY', 'other'], ['ASSESSMENT', 'unknown'],
  ] as const // biome-ignore format: one table
  for (const [text, region] of rows) assert.equal(regionOfWords(text), region, text)
  assert.equal(regionOfCode('T-D0010'), 'whole')
  assert.equal(regionOfCode('T-D3000'), 'unknown')
})
