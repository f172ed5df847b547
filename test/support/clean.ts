// One file through the real stages with `--pixels clean`, in process; and a second engine that reads what came out.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { processInstance, scanFile } from '../../apps/gateway/src/pipeline/stages.ts'
import type { InstanceResult, RunSettings } from '../../apps/gateway/src/pipeline/types.ts'
import { PRESETS } from '../../packages/deid/src/index.ts'
import { type DicomFile, fromBytes, readFile } from '../../packages/dicom/src/index.ts'
import { inflate, KEY } from './deid.ts'

export type CleanedFile = {
  readonly result: InstanceResult
  /** Of a released file. */
  readonly path: string
  readonly file: DicomFile | undefined
}

/** `recipe`: the text of one that is not the preset for research. */
export async function cleanFile(path: string, out: string, recipe?: string): Promise<CleanedFile> {
  mkdirSync(out, { recursive: true })
  const settings: RunSettings = {
    out,
    recipe: recipe
      ? { name: 'own', text: recipe }
      : { name: 'research', text: PRESETS.get('research') ?? '' },
    key: KEY,
    patientTable: [],
    pixels: 'clean',
    dryRun: false,
    mapping: false,
  }
  const input = { index: 0, path }
  const scan = scanFile(input, settings)
  if (scan.kind !== 'instance') throw new Error(`no instance: ${scan.reason.code}`)
  const { patientKey, identifiers } = scan
  const result = await processInstance({ input, patientKey, identifiers }, settings)
  const written = result.output === undefined ? '' : join(out, result.output)
  return { result, path: written, file: written === '' ? undefined : open(written) }
}

export function open(path: string): DicomFile {
  return readFile(fromBytes(new Uint8Array(readFileSync(path))), { inflate })
}

/** What tesseract reads from the first frame as dcmtk draws it, in capitals without spaces; both are the peers' paths. */
export function readByTesseract(path: string, scratch: string): string {
  const picture = join(scratch, 'frame.png')
  execFileSync('dcmj2pnm', ['+Wm', '+on', '+Sxv', '1600', path, picture], { stdio: 'ignore' })
  const modes = ['11', '6'].map((mode) => {
    const run = spawnSync('tesseract', [picture, '-', '--psm', mode], {
      encoding: 'utf8',
      env: { ...process.env, OMP_THREAD_LIMIT: '1' },
    })
    return run.stdout
  })
  return modes
    .join(' ')
    .toUpperCase()
    .replaceAll(/[^A-Z0-9]/g, '')
}
