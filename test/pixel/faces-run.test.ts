// `--faces` through a whole run, of two series of one head: one cut for both, marked, shown; and what has none stays back.

import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { run } from '../../apps/gateway/src/pipeline/run.ts'
import type { RunSettings } from '../../apps/gateway/src/pipeline/types.ts'
import { find, string, strings, Tags } from '../../packages/dicom/src/index.ts'
import { type MadeSlice, type Scan, scanOf } from '../../packages/pixel/src/face/phantom.ts'
import { formatOf, framesOf, openCodecs } from '../../packages/pixel/src/index.ts'
import { open } from '../support/clean.ts'
import { el, KEY } from '../support/deid.ts'
import { instance, words } from '../support/picture.ts'

const scratch = mkdtempSync(join(tmpdir(), 'roentgate-faces-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

const COARSE: Scan = { modality: 'CT', plane: 'axial', pixel: 2.5, step: 3, series: '1' }
const SERIES: readonly (readonly MadeSlice[])[] = [
  scanOf(COARSE),
  scanOf({ ...COARSE, pixel: 3, step: 10, series: '2' }),
]

function written({ facts, raster }: MadeSlice, frameOfReference = '2.25.77'): Uint8Array {
  const decimal = (values: readonly number[]): readonly string[] => values.map((value) => value.toFixed(4))
  const number = Number(facts.instance.split('.')[1])
  return instance({
    rows: facts.rows,
    columns: facts.columns,
    frames: [words(raster.data)],
    bitsAllocated: 16,
    bitsStored: 12,
    modality: 'CT',
    sopClass: '1.2.840.10008.5.1.4.1.1.2',
    extra: [
      el.text(Tags.ImageType, 'CS', ['ORIGINAL', 'PRIMARY', 'AXIAL']),
      el.text(Tags.SOPInstanceUID, 'UI', `2.25.${facts.series}${String(number).padStart(5, '0')}`),
      el.text(Tags.SeriesInstanceUID, 'UI', `2.25.100${facts.series}`),
      el.text(Tags.FrameOfReferenceUID, 'UI', frameOfReference),
      el.text(Tags.InstanceNumber, 'IS', `${number + 1}`),
      el.text(Tags.BodyPartExamined, 'CS', 'HEAD'),
      el.text(Tags.ImagePositionPatient, 'DS', decimal(facts.position)),
      el.text(Tags.ImageOrientationPatient, 'DS', decimal([...facts.along, ...facts.down])),
      el.text(Tags.PixelSpacing, 'DS', decimal(facts.spacing)),
      el.text(Tags.SliceThickness, 'DS', '3'),
      el.text(Tags.RescaleIntercept, 'DS', `${facts.intercept}`),
      el.text(Tags.RescaleSlope, 'DS', '1'),
    ],
  })
}

const source = join(scratch, 'in')

function writeSource(): void {
  mkdirSync(source, { recursive: true })
  for (const slice of SERIES.flat())
    writeFileSync(join(source, `${slice.facts.series}-${slice.facts.instance}.dcm`), written(slice))
  const [lone] = SERIES[0] ?? []
  assert.ok(lone)
  // Of a head as well, in a frame of its own: one slice is no volume.
  writeFileSync(
    join(source, 'lone.dcm'),
    written({ ...lone, facts: { ...lone.facts, instance: '9.99999', series: '9' } }, '2.25.78'),
  )
}

function settingsFor(name: string, more: Partial<RunSettings>): RunSettings {
  return {
    out: join(scratch, name),
    // The phantom's slices are not square, and would be searched as captures are.
    recipe: { name: 'own', text: 'recipe: 1\nname: own\nextends: research\npixels: { text: none }\n' },
    key: KEY,
    patientTable: [],
    pixels: 'clean',
    dryRun: false,
    mapping: false,
    ...more,
  }
}

type Line = {
  readonly outcome?: string
  readonly output?: string
  readonly methods?: readonly string[]
  readonly reasons?: readonly { readonly code: string }[]
  readonly warnings?: readonly { readonly code: string }[]
}

async function lines(settings: RunSettings): Promise<readonly Line[]> {
  const end = await run({ roots: [source], settings, jobs: 2, resume: false, version: '0' })
  assert.equal(end.kind, 'complete')
  return readFileSync(join(settings.out, 'manifest.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => JSON.parse(line) as Line)
}

suite('faces, from folder to folder', () => {
  writeSource()

  test('remove: one cut through both series, the brain as it was, pictures for the reviewer', async () => {
    const review = join(scratch, 'review')
    const settings = settingsFor('removed', { faces: 'remove', review })
    const all = await lines(settings)
    const released = all.filter(({ outcome }) => outcome === 'released')
    assert.equal(released.length, SERIES.flat().length)
    const held = all.filter(({ outcome }) => outcome === 'quarantined')
    assert.deepEqual(
      held.map(({ reasons }) => reasons?.[0]?.code),
      ['FACE_NOT_REMOVED'],
    )
    const codecs = await openCodecs()
    let brain = 0
    let face = 0
    let left = 0
    for (const { output = '', methods = [] } of released) {
      assert.ok(methods.includes('113102'))
      const file = open(join(settings.out, output))
      assert.equal(string(file.dataset, Tags.RecognizableVisualFeatures)?.trim(), 'NO')
      const [position] = [find(file.dataset, Tags.ImagePositionPatient)]
      assert.ok(position)
      const z = Number(strings(file.dataset, position)[2])
      const format = formatOf(file)
      assert.ok(format)
      const made = SERIES.flat().find(
        ({ facts }) => Math.abs(facts.position[2] - z) < 1e-3 && facts.columns === format.columns,
      )
      assert.ok(made)
      const { data } = codecs.decode(framesOf(file, format).frame(0), format)
      for (let at = 0; at < data.length; at++) {
        const tissue = made.tissue(Math.floor(at / format.columns), at % format.columns)
        if (tissue === 'brain') {
          brain++
          assert.equal(data[at], made.raster.data[at])
        } else if (tissue === 'nose' || tissue === 'lips' || tissue === 'eye') {
          face++
          if (data[at] !== 24) left++
        }
      }
    }
    assert.ok(brain > 50_000 && face > 1000, `${brain} ${face}`)
    assert.ok(left < face / 100, `${left} of ${face} are left`)
    const pictures = readdirSync(review).filter((name) => name.startsWith('face-1-'))
    assert.deepEqual(pictures.sort(), [
      'face-1-0-after.png',
      'face-1-0-before.png',
      'face-1-45-after.png',
      'face-1-45-before.png',
    ])
    assert.equal(statSync(review).mode & 0o077, 0)
  })

  test('quarantine holds back what may show a face; keep says so', async () => {
    const held = await lines(settingsFor('held', { faces: 'quarantine' }))
    assert.ok(held.length > 0 && held.every(({ reasons }) => reasons?.[0]?.code === 'FACE_POSSIBLE'))
    const kept = await lines(settingsFor('kept', {}))
    assert.ok(
      kept.every(
        ({ outcome, warnings }) =>
          outcome === 'released' && warnings?.some(({ code }) => code === 'FACE_POSSIBLE'),
      ),
    )
  })
})
