// Made-up files through the real stages, in process: what came of each, and whether a canary is left in any byte.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inflateRawSync } from 'node:zlib'
import { processInstance, scanFile } from '../../apps/gateway/src/pipeline/stages.ts'
import type {
  InstanceResult,
  PatientIdentifier,
  RunSettings,
  Scan,
} from '../../apps/gateway/src/pipeline/types.ts'
import { PRESETS } from '../../packages/deid/src/index.ts'
import {
  concat,
  type Dataset,
  type DicomFile,
  dataset,
  type Element,
  fromBytes,
  make,
  newFile,
  readFile,
  sequence,
  Tags,
  tag,
  type Uid,
  writeFile,
} from '../../packages/dicom/src/index.ts'

export const EXPLICIT = '1.2.840.10008.1.2.1' as Uid
export const KEY = createHash('sha256').update('a key for tests').digest('hex')

export type How = {
  /** Preset name, or the text of a recipe. */
  readonly recipe?: string
  readonly key?: string
  readonly pixels?: 'as-is' | 'quarantine'
}

export type Outcome = {
  readonly scan: Scan
  readonly result: InstanceResult | undefined
  /** Of a released file. */
  readonly bytes: Uint8Array | undefined
  readonly file: DicomFile | undefined
}

export function inflate(bytes: Uint8Array, maxOutputLength: number): Uint8Array {
  return inflateRawSync(bytes, { maxOutputLength })
}

/** As the run does it: every file scanned, identifiers joined per patient, then every file processed. */
export function deidentify(files: readonly Uint8Array[], how: How = {}): readonly Outcome[] {
  const folder = mkdtempSync(join(tmpdir(), 'roentgate-test-'))
  try {
    const settings = settingsOf(join(folder, 'out'), how)
    const inputs = files.map((bytes, index) => {
      const path = join(folder, `${index}.dcm`)
      writeFileSync(path, bytes)
      return { index, path }
    })
    const scans = inputs.map((input) => scanFile(input, settings))
    return scans.map((scan, index) => {
      const input = inputs[index]
      if (scan.kind !== 'instance' || !input)
        return { scan, result: undefined, bytes: undefined, file: undefined }
      const identifiers = joined(scans, scan.patientKey)
      const result = processInstance({ input, patientKey: scan.patientKey, identifiers }, settings)
      // Only cleaning of pixels waits, and it is not asked for here.
      assert.ok(!(result instanceof Promise))
      const bytes =
        result.output === undefined
          ? undefined
          : new Uint8Array(readFileSync(join(settings.out, result.output)))
      return { scan, result, bytes, file: bytes && readFile(fromBytes(bytes), { inflate }) }
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function settingsOf(out: string, { recipe = 'research', key = KEY, pixels = 'as-is' }: How): RunSettings {
  const text = PRESETS.get(recipe) ?? recipe
  const name = PRESETS.has(recipe) ? recipe : 'own'
  return { out, recipe: { name, text }, key, patientTable: [], pixels, dryRun: false, mapping: false }
}

function joined(scans: readonly Scan[], patientKey: string): readonly PatientIdentifier[] {
  const all = new Map<string, PatientIdentifier>()
  for (const scan of scans) {
    if (scan.kind !== 'instance' || scan.patientKey !== patientKey) continue
    for (const each of scan.identifiers) all.set(`${each.kind} ${each.value}`, each)
  }
  return [...all.values()].sort((a, b) => (`${a.kind}${a.value}` < `${b.kind}${b.value}` ? -1 : 1))
}

/** The one outcome of one file, which must have been released. */
export function released(
  bytes: Uint8Array,
  how: How = {},
): { readonly file: DicomFile; readonly bytes: Uint8Array } {
  const [outcome] = deidentify([bytes], how)
  assert.ok(
    outcome?.file && outcome.bytes,
    `released, not ${JSON.stringify(outcome?.result?.reasons ?? outcome?.scan)}`,
  )
  return { file: outcome.file, bytes: outcome.bytes }
}

const base = (charset: readonly string[]): Dataset => dataset([], { charset })

export type Person = { readonly name?: string; readonly id?: string; readonly charset?: readonly string[] }

/** A CT slice of 4 × 4 pixels with what its IOD requires, and whatever else a test puts in. */
export function slice(extra: readonly Element[] = [], person: Person = {}): Uint8Array {
  return concat([...writeFile(sliceFile(extra, person))])
}

export function sliceFile(extra: readonly Element[] = [], person: Person = {}): DicomFile {
  const charset = person.charset ?? []
  const own = base(charset)
  const set = new Map<number, Element>()
  const put = (element: Element): void => void set.set(element.tag, element)
  if (charset.length > 0) put(make(own, Tags.SpecificCharacterSet, 'CS', charset))
  put(make(own, Tags.ImageType, 'CS', ['ORIGINAL', 'PRIMARY', 'AXIAL']))
  put(make(own, Tags.SOPClassUID, 'UI', '1.2.840.10008.5.1.4.1.1.2'))
  put(make(own, Tags.SOPInstanceUID, 'UI', '1.2.826.0.1.99.1.1.1'))
  put(make(own, Tags.StudyInstanceUID, 'UI', '1.2.826.0.1.99.1'))
  put(make(own, Tags.SeriesInstanceUID, 'UI', '1.2.826.0.1.99.1.1'))
  put(make(own, Tags.FrameOfReferenceUID, 'UI', '1.2.826.0.1.99.2'))
  put(make(own, Tags.StudyDate, 'DA', '20190521'))
  put(make(own, Tags.StudyTime, 'TM', '101112'))
  put(make(own, Tags.Modality, 'CS', 'CT'))
  put(make(own, Tags.Manufacturer, 'LO', 'ACME Imaging'))
  put(make(own, Tags.PatientName, 'PN', person.name ?? 'Zyzzogeton^Quilla'))
  put(make(own, Tags.PatientID, 'LO', person.id ?? 'MRN-558201'))
  put(make(own, Tags.PatientBirthDate, 'DA', '19621103'))
  put(make(own, Tags.PatientSex, 'CS', 'F'))
  put(make(own, Tags.KVP, 'DS', '120'))
  put(make(own, Tags.PixelSpacing, 'DS', ['0.7', '0.7']))
  put(make(own, Tags.InstanceNumber, 'IS', '1'))
  put(make(own, Tags.SamplesPerPixel, 'US', [1]))
  put(make(own, Tags.PhotometricInterpretation, 'CS', 'MONOCHROME2'))
  for (const [t, value] of [
    [Tags.Rows, 4],
    [Tags.Columns, 4],
    [Tags.BitsAllocated, 16],
    [Tags.BitsStored, 16],
    [Tags.HighBit, 15],
    [Tags.PixelRepresentation, 0],
  ] as const) {
    put(make(own, t, 'US', [value]))
  }
  put(make(own, Tags.PixelData, 'OW', new Uint8Array(32)))
  for (const element of extra) put(element)
  return newFile({ dataset: dataset([...set.values()], { charset }), transferSyntax: EXPLICIT })
}

/** Elements for `slice`, in its character set. */
export const el = {
  text: (t: number, vr: Element['vr'], value: string | readonly string[]): Element =>
    make(base([]), tag(t), vr, value),
  /** The same in another character set. */
  textIn:
    (charset: readonly string[]) =>
    (t: number, vr: Element['vr'], value: string): Element =>
      make(base(charset), tag(t), vr, value),
  numbers: (t: number, vr: Element['vr'], value: readonly number[]): Element =>
    make(base([]), tag(t), vr, value),
  bytes: (t: number, vr: Element['vr'], value: Uint8Array): Element => make(base([]), tag(t), vr, value),
  items: (t: number, ...items: readonly (readonly Element[])[]): Element =>
    sequence(
      tag(t),
      items.map((elements) => dataset(elements)),
    ),
  code: (value: string, scheme: string, meaning: string): readonly Element[] => [
    make(base([]), Tags.CodeValue, 'SH', value),
    make(base([]), Tags.CodingSchemeDesignator, 'SH', scheme),
    make(base([]), Tags.CodeMeaning, 'LO', meaning),
  ],
}

/** Which canaries stand in the bytes, in any encoding in which somebody would find them. */
export function leaks(bytes: Uint8Array, canaries: readonly string[]): readonly string[] {
  const haystack = Buffer.from(bytes)
  const folded = Buffer.from(haystack.toString('latin1').toLowerCase(), 'latin1')
  return canaries.filter((canary) => {
    const forms = [
      Buffer.from(canary, 'utf8'),
      Buffer.from(canary, 'latin1'),
      Buffer.from(canary, 'utf16le'),
      Buffer.from(canary, 'utf16le').swap16(),
    ]
    for (let shift = 0; shift < 3; shift += 1) {
      const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(canary)]).toString('base64')
      forms.push(Buffer.from(encoded.slice(Math.ceil((shift * 8) / 6), -4)))
    }
    return (
      forms.some((form) => form.length > 3 && haystack.includes(form)) ||
      folded.includes(Buffer.from(canary.toLowerCase(), 'utf8'))
    )
  })
}
