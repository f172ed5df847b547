// What must not change a result: order, number of workers, transfer syntax, a second run, a second pass.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { after, test } from 'node:test'
import { deflateRawSync } from 'node:zlib'
import { syntheticStudy } from '../../apps/gateway/src/demo/synthetic.ts'
import { run } from '../../apps/gateway/src/pipeline/run.ts'
import { PRESETS } from '../../packages/deid/src/index.ts'
import {
  concat,
  type DicomFile,
  type Element,
  fromBytes,
  newFile,
  readFile,
  strings,
  Tags,
  type Uid,
  writeFile,
} from '../../packages/dicom/src/index.ts'
import { deidentify, el, KEY, leaks, released, slice } from '../support/deid.ts'

const scratch = mkdtempSync(join(tmpdir(), 'roentgate-meta-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

type How = { readonly jobs: number; readonly reversed?: boolean; readonly recipe?: string }

/** The run over a synthetic study; path and digest of every output, and of the manifest. */
async function outputs(
  name: string,
  { jobs, reversed = false, recipe = 'research' }: How,
): Promise<ReadonlyMap<string, string>> {
  const from = join(scratch, `${name}-in`)
  const out = join(scratch, `${name}-out`)
  mkdirSync(from)
  const { files } = syntheticStudy({ seed: 7, slices: 24, rows: 32, columns: 32, frames: 2 })
  files.forEach(({ bytes }, index) => {
    // Another order of names is another order of inputs.
    const place = reversed ? files.length - index : index
    writeFileSync(join(from, `${String(place).padStart(4, '0')}.dcm`), bytes)
  })
  const settings = {
    out,
    recipe: { name: recipe, text: PRESETS.get(recipe) ?? '' },
    key: KEY,
    patientTable: [],
    pixels: 'as-is',
    dryRun: false,
    mapping: false,
  } as const
  const end = await run({ roots: [from], settings, jobs, resume: false, version: 'test' })
  assert.equal(end.kind, 'complete')
  return new Map(
    readdirSync(out, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.dcm'))
      .map((entry) => join(entry.parentPath, entry.name))
      .map(
        (path) =>
          [relative(out, path), createHash('sha256').update(readFileSync(path)).digest('hex')] as const,
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

test('one worker, three workers, another order, another run: the same paths and the same bytes', async () => {
  const once = await outputs('once', { jobs: 1 })
  assert.equal(once.size, 25)
  assert.deepEqual(await outputs('again', { jobs: 1 }), once)
  assert.deepEqual(await outputs('three', { jobs: 3 }), once)
  assert.deepEqual(await outputs('reversed', { jobs: 2, reversed: true }), once)
})

test('the transfer syntax does not change what is decided or written', () => {
  const source = readFile(
    fromBytes(
      slice([
        el.text(Tags.ImageComments, 'LT', 'Zyzzogeton was here'),
        el.items(Tags.CTExposureSequence, [el.text(Tags.FilterMaterial, 'CS', 'COPPER')]),
      ]),
    ),
  )
  const results = [
    '1.2.840.10008.1.2',
    '1.2.840.10008.1.2.1',
    '1.2.840.10008.1.2.2',
    '1.2.840.10008.1.2.1.99',
  ].map((syntax) => {
    const file = newFile({ dataset: source.dataset, transferSyntax: syntax as Uid })
    const bytes = concat([...writeFile(file, { deflate: deflateRawSync })])
    const out = released(bytes).file
    assert.equal(out.transferSyntax, syntax)
    return decoded(out)
  })
  for (const result of results) assert.deepEqual(result, results[0])
})

/** Tag, VR and text of every element; values that are no text as their length. */
function decoded({ dataset }: DicomFile): readonly string[] {
  const walk = (elements: readonly Element[], owner: DicomFile['dataset'], path: string): readonly string[] =>
    elements.flatMap((element) => {
      const here = `${path}/${element.tag.toString(16)} ${element.vr}`
      if (element.value.kind === 'items')
        return element.value.items.flatMap((item) => walk(item.elements, item, here))
      if (element.value.kind !== 'bytes') return [`${here} pixels`]
      return [
        `${here} ${/^(?:[A-Z]{2})$/.test(element.vr) && 'US UL SS SL FL FD OW OB AT'.includes(element.vr) ? element.value.bytes.length : strings(owner, element).join('\\')}`,
      ]
    })
  return walk(dataset.elements, dataset, '')
}

test('a second pass removes nothing more', () => {
  for (const recipe of PRESETS.keys()) {
    const once = released(slice([el.text(Tags.ImageComments, 'LT', 'nodule 8 mm')]), { recipe })
    const twice = released(once.bytes, { recipe })
    assert.deepEqual(
      twice.file.dataset.elements.map((element) => element.tag),
      once.file.dataset.elements.map((element) => element.tag),
      recipe,
    )
  }
})

test('pixel data is byte for byte what it was', () => {
  const pixels = new Uint8Array(32).map((_, index) => index * 7)
  const { file } = released(slice([el.bytes(Tags.PixelData, 'OW', pixels)]))
  const value = file.dataset.elements.find((element) => element.tag === Tags.PixelData)?.value
  assert.ok(value?.kind === 'bulk')
  assert.deepEqual(new Uint8Array(value.source.read(value.span.offset, value.span.length)), pixels)
})

test('malformed: every truncation is refused, or ends between elements and is clean; no reason holds a value', () => {
  const whole = slice()
  let refused = 0
  for (let length = 0; length < whole.length; length += 7) {
    const [outcome] = deidentify([whole.slice(0, length)])
    assert.deepEqual(
      leaks(outcome?.bytes ?? new Uint8Array(), ['Zyzzogeton', '558201', '19621103']),
      [],
      `${length} bytes`,
    )
    refused += outcome?.bytes === undefined ? 1 : 0
    assert.ok(
      !/Zyzzogeton|558201|19621103/.test(
        JSON.stringify([outcome?.result?.reasons, outcome?.scan.kind === 'instance' ? '' : outcome?.scan]),
      ),
    )
  }
  assert.ok(refused > (whole.length / 7) * 0.8)
})
