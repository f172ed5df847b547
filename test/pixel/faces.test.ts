// Defacing at length: phantoms of every modality and orientation, how much of a person is left, and real files, which
// are flagged and, where they are no whole volume, refused.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { faceRisk } from '../../packages/deid/src/index.ts'
import { cutVolume, planDeface, skinThreshold } from '../../packages/pixel/src/face/deface.ts'
import { sliceFacts } from '../../packages/pixel/src/face/facts.ts'
import { isRefused } from '../../packages/pixel/src/face/geometry.ts'
import { type Person, type Scan, SOMEBODY, scanOf } from '../../packages/pixel/src/face/phantom.ts'
import { assertDefaced, planned, volumeOf } from '../../packages/pixel/src/face/phantom-checks.ts'
import { type DepthMap, depthMap, greyToPng, renderFace } from '../../packages/pixel/src/face/render.ts'
import { faceWork, planFrame } from '../../packages/pixel/src/face/work.ts'
import { filesBelow, readBytes } from '../support/files.ts'
import { sharedData, skipUnless } from '../support/peers.ts'

const AXIAL_CT: Scan = { modality: 'CT', plane: 'axial', pixel: 2, step: 2.5, series: 'A' }
const SCANS: readonly Scan[] = [
  AXIAL_CT,
  { modality: 'CT', plane: 'axial', pixel: 2, step: 3, shear: 0.7 },
  { modality: 'CT', plane: 'coronal', pixel: 1.5, step: 3 },
  { modality: 'MR', plane: 'axial', pixel: 2, step: 3 },
  { modality: 'MR', plane: 'sagittal', pixel: 1.6, step: 3 },
  { modality: 'MR', plane: 'coronal', pixel: 2, step: 4 },
  { modality: 'PT', plane: 'axial', pixel: 3, step: 3 },
]

suite('a face is cut out', () => {
  for (const scan of SCANS) {
    test(`${scan.modality} ${scan.plane} ${scan.pixel} × ${scan.step} mm ${scan.shear ? 'tilted' : ''}`, () => {
      const slices = scanOf(scan)
      assertDefaced(slices, planned(slices))
    })
  }
  test('noise, and half a head, are refused', () => {
    const { data, ...volume } = volumeOf(scanOf({ ...AXIAL_CT, pixel: 4, step: 6 }))
    const noise = data.map((_, at) => ((at * 7919) % 2000) - 1000)
    for (const modality of ['CT', 'MR', 'PT'] as const)
      assert.equal(planDeface({ ...volume, modality, data: noise }).kind, 'refused')
    assert.equal(planDeface(volumeOf(scanOf(AXIAL_CT).slice(0, 50))).kind, 'refused')
  })
})

const PEOPLE: readonly Person[] = [
  SOMEBODY,
  { nose: 1.3, chin: 0.8, eyes: 30, cheeks: 0.95, lips: 0.8 },
  { nose: 0.8, chin: 1.3, eyes: 34, cheeks: 1.04, lips: 1.3 },
  { nose: 1.15, chin: 1.15, eyes: 35, cheeks: 0.98, lips: 1.15 },
]

/** Mean difference in mm where both rays of the face area met something. */
function difference(a: DepthMap, b: DepthMap): number {
  let sum = 0
  let count = 0
  for (let v = 65; v < 115; v++)
    for (let u = Math.round(a.width * 0.4); u < a.width * 0.6; u++) {
      const gap = Math.abs(
        (a.depth[v * a.width + u] ?? Number.NaN) - (b.depth[v * a.width + u] ?? Number.NaN),
      )
      if (Number.isNaN(gap)) continue
      sum += gap
      count += 1
    }
  return count === 0 ? 0 : sum / count
}

test('what is left of four faces differs by less than a tenth of what they differed by', async () => {
  const maps = PEOPLE.map((person) => {
    const volume = volumeOf(scanOf({ ...AXIAL_CT, pixel: 2.5, step: 3, person }))
    const cut = planDeface(volume)
    assert.ok(!isRefused(cut))
    const view = { turn: 0, threshold: skinThreshold(volume) }
    const after = cutVolume(volume, cut)
    return { before: depthMap(volume, view), after: depthMap(after, view), picture: renderFace(after, view) }
  })
  const pairs = maps.flatMap((a, index) => maps.slice(index + 1).map((b) => [a, b] as const))
  const mean = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length
  const before = mean(pairs.map(([a, b]) => difference(a.before, b.before)))
  const after = mean(pairs.map(([a, b]) => difference(a.after, b.after)))
  assert.ok(before > 1, `before ${before}`)
  assert.ok(after < before / 10, `before ${before}, after ${after}`)
  for (const { before: own, after: left } of maps) assert.ok(difference(own, left) > 20)
  const png = await greyToPng((maps[0] ?? assert.fail()).picture)
  assert.deepEqual(
    [...png.subarray(1, 4)],
    [...'PNG'].map((letter) => letter.charCodeAt(0)),
  )
})

suite('real files', skipUnless(sharedData()), () => {
  const root = sharedData().path

  test('none makes it throw, and the heads among them are flagged', () => {
    const flagged: string[] = []
    for (const path of filesBelow(root)) {
      const file = opened(join(root, path))
      if (!file) continue
      sliceFacts(file)
      if (faceRisk(file).kind === 'possible') flagged.push(path)
    }
    for (const expected of [
      'series_mr/brain_002.dcm',
      'dicomdir_set/77654033/CT2/17106',
      'image/deid-data__ctbrain1.dcm',
    ])
      assert.ok(flagged.includes(expected), expected)
    for (const path of [
      'burned_in/presidio_2_ORIGINAL.dcm',
      'image/dicom-test-files__MR3_JLSN',
      'dicomdir_set/98892001/CT5N/2062',
    ])
      assert.ok(!flagged.includes(path), path)
  })

  test('eight slices of a brain are no volume', () => {
    const slices = filesBelow(join(root, 'series_mr')).flatMap((path) => {
      const file = opened(join(root, 'series_mr', path))
      const facts = file && sliceFacts(file)
      return facts?.kind === 'slices' ? facts.slices : []
    })
    assert.ok(slices.length > 0)
    for (const frame of faceWork(slices).values())
      assert.ok(isRefused(planFrame(frame, () => assert.fail('nothing to load'))))
  })
})

function opened(path: string): ReturnType<typeof readBytes> | undefined {
  try {
    return readBytes(readFileSync(path))
  } catch {
    return undefined
  }
}
