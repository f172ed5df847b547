// Two passes over a study: facts of headers, one plan a Frame of Reference, the cut of each slice.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type DicomFile, type Element, type Encoding, make, sequence, Tags, type Uid } from '@roentgate/dicom'
import { applyCut } from './deface.ts'
import { sliceFacts } from './facts.ts'
import { isRefused, type SliceFacts } from './geometry.ts'
import { scanOf } from './phantom.ts'
import { cutFor, type FaceCuts, faceWork, frameKey, planFrame } from './work.ts'

test('the better series is planned on, and its cut serves both', () => {
  const coarse = scanOf({ modality: 'MR', plane: 'sagittal', pixel: 3, step: 6, series: 'A' })
  const fine = scanOf({ modality: 'CT', plane: 'axial', pixel: 2, step: 3, series: 'B' })
  const localiser = scanOf({ modality: 'MR', plane: 'coronal', pixel: 5, step: 60, series: 'C' })
  const all = [...coarse, ...fine, ...localiser]
  const rasters = new Map(all.map(({ facts, raster }) => [facts, raster]))
  const work = faceWork(all.map(({ facts }) => facts))
  const loaded = new Set<string>()
  const load = (facts: SliceFacts) => {
    loaded.add(facts.series)
    return rasters.get(facts) ?? assert.fail()
  }
  const cuts: FaceCuts = new Map([...work].map(([key, frame]) => [key, planFrame(frame, load)]))
  assert.deepEqual([...loaded], ['B'])
  const changed = new Set<string>()
  for (const { facts, raster } of all) {
    const cut = cutFor(cuts, facts)
    assert.ok(!isRefused(cut))
    const after = applyCut(raster, facts, cut)
    if (after.changed > 0) changed.add(facts.series)
    else assert.equal(after.raster, raster)
  }
  assert.deepEqual([...changed], ['A', 'B', 'C'])
})

test('a frame without a volume is refused, and so is one that was not seen', () => {
  const [first] = scanOf({ modality: 'MR', plane: 'axial', pixel: 10, step: 5 })
  assert.ok(first)
  const work = faceWork([first.facts])
  const [frame] = work.values()
  assert.ok(frame && isRefused(planFrame(frame, () => assert.fail())))
  assert.ok(isRefused(cutFor(new Map(), first.facts)))
  assert.notEqual(frameKey({ ...first.facts, frameOfReference: '' }), frameKey(first.facts))
})

const ENCODING: Encoding = { explicit: true, bigEndian: false }
type Dataset = DicomFile['dataset']
const EMPTY: Dataset = { kind: 'dataset', elements: [], encoding: ENCODING, charset: [] }
const item = (...elements: readonly Element[]): Dataset => ({ ...EMPTY, elements })

const HEADER: readonly Element[] = [
  make(EMPTY, Tags.ImageType, 'CS', 'ORIGINAL\\PRIMARY\\AXIAL'),
  make(EMPTY, Tags.Modality, 'CS', 'CT'),
  make(EMPTY, Tags.SeriesInstanceUID, 'UI', '1.2.3'),
  make(EMPTY, Tags.FrameOfReferenceUID, 'UI', '1.2.4'),
  make(EMPTY, Tags.SamplesPerPixel, 'US', [1]),
  make(EMPTY, Tags.PhotometricInterpretation, 'CS', 'MONOCHROME2'),
  make(EMPTY, Tags.Rows, 'US', [4]),
  make(EMPTY, Tags.Columns, 'US', [5]),
  make(EMPTY, Tags.BitsStored, 'US', [12]),
  make(EMPTY, Tags.PixelRepresentation, 'US', [0]),
]
const POSITION = make(EMPTY, Tags.ImagePositionPatient, 'DS', '-1\\-2\\3')
const ORIENTATION = make(EMPTY, Tags.ImageOrientationPatient, 'DS', '1\\0\\0\\0\\1\\0')
const SPACING = make(EMPTY, Tags.PixelSpacing, 'DS', '0.5\\0.6')
const VALUES = [make(EMPTY, Tags.RescaleSlope, 'DS', '1'), make(EMPTY, Tags.RescaleIntercept, 'DS', '-1024')]
const PLANE = [POSITION, ORIENTATION, SPACING, ...VALUES]

function fileOf(elements: readonly Element[]): DicomFile {
  const dataset: Dataset = { ...EMPTY, elements }
  const transferSyntax = '1.2.840.10008.1.2.1' as Uid
  return { preamble: undefined, meta: undefined, transferSyntax, dataset, trailing: undefined, warnings: [] }
}

function without(t: number): readonly Element[] {
  return [...HEADER, ...PLANE].filter((element) => element.tag !== t)
}

suite('sliceFacts', () => {
  test('a slice', () => {
    const facts = sliceFacts(fileOf([...HEADER, ...PLANE]))
    assert.ok(facts.kind === 'slices')
    const [slice] = facts.slices
    assert.deepEqual(slice?.position, [-1, -2, 3])
    assert.deepEqual(slice?.spacing, [0.5, 0.6])
    assert.deepEqual(slice?.range, [0, 4095])
    assert.equal(slice?.intercept, -1024)
  })

  test('frames of an enhanced file', () => {
    const shared = item(
      sequence(Tags.PlaneOrientationSequence, [item(ORIENTATION)]),
      sequence(Tags.PixelMeasuresSequence, [item(SPACING)]),
      sequence(Tags.PixelValueTransformationSequence, [item(...VALUES)]),
    )
    const frame = (z: number) =>
      item(
        sequence(Tags.PlanePositionSequence, [
          item(make(EMPTY, Tags.ImagePositionPatient, 'DS', `0\\0\\${z}`)),
        ]),
      )
    const facts = sliceFacts(
      fileOf([
        ...HEADER,
        make(EMPTY, Tags.NumberOfFrames, 'IS', '2'),
        sequence(Tags.SharedFunctionalGroupsSequence, [shared]),
        sequence(Tags.PerFrameFunctionalGroupsSequence, [frame(1), frame(2)]),
      ]),
    )
    assert.ok(facts.kind === 'slices')
    assert.deepEqual(
      facts.slices.map((slice) => [slice.frame, slice.position[2]]),
      [[0, 1], [1, 2]],
    ) // biome-ignore format: one row
  })

  const NEEDED = [
    Tags.Modality, Tags.PhotometricInterpretation, Tags.ImagePositionPatient, Tags.ImageOrientationPatient,
    Tags.PixelSpacing, Tags.RescaleIntercept, Tags.BitsStored, Tags.Rows,
  ] as const // biome-ignore format: one table
  for (const t of NEEDED)
    test(`refused without ${t.toString(16)}`, () =>
      assert.equal(sliceFacts(fileOf(without(t))).kind, 'refused'))
})
