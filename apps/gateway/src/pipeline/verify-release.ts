// roentgate verify: a release against its sources and its manifest, later and on its own.
//
//   manifest ─→ what was released ─┬─ census of the sources (as in a run) ─→ verify, in workers ─→ findings
//                                  └─ what else lies in OUT ─→ findings
//
// Nothing is changed; a finding names a file of the release, which has no PHI in its name.

import { createReadStream, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { VerifyItem } from '../jobs/messages.ts'
import { Pool } from '../jobs/pool.ts'
import { type Census, takeCensus } from './census.ts'
import { slices } from './duplicates.ts'
import type { ManifestHeader } from './finish.ts'
import { keyId } from './key.ts'
import { dictionaries, INSTANCE_MODULE } from './run.ts'
import type { Reason, RunSettings } from './types.ts'

export type Finding = Reason & { readonly output: string }
export type Verification = {
  readonly checked: number
  readonly findings: readonly Finding[]
}

export type VerifyRequest = {
  readonly out: string
  readonly roots: readonly string[]
  readonly settings: RunSettings
  readonly jobs: number
  readonly instance?: string
  readonly signal?: AbortSignal
}

/** The question cannot be asked as it stands: wrong key, wrong recipe, wrong sources. */
export class VerifyError extends Error {}

type Line = {
  readonly index: number
  readonly outcome: string
  readonly output?: string
  readonly sha256?: string
  readonly bytes?: number
  readonly sourceDigest?: string
}
type Manifest = {
  readonly header: ManifestHeader
  readonly released: readonly Line[]
  readonly inputs: number
}

const BATCH = 16
/** Ours, beside the instances. */
const OWN = new Set(['manifest.jsonl', 'report.html', 'report.json', '.roentgate'])

export async function readManifest(out: string): Promise<Manifest> {
  const state: { header?: ManifestHeader; inputs: number } = { inputs: 0 }
  const released: Line[] = []
  try {
    for await (const text of createInterface({ input: createReadStream(join(out, 'manifest.jsonl')) })) {
      const line: unknown = JSON.parse(text)
      if (state.header === undefined) {
        if (!isHeader(line)) break
        state.header = line
        continue
      }
      state.inputs++
      const instance = line as Line
      if (instance.outcome === 'released') released.push(instance)
    }
  } catch {
    throw new VerifyError(`${out} has no manifest.jsonl that can be read: is it a finished release?`)
  }
  if (state.header === undefined) throw new VerifyError(`the manifest of ${out} is not one of roentgate's`)
  return { header: state.header, released, inputs: state.inputs }
}

function isHeader(line: unknown): line is ManifestHeader {
  return typeof line === 'object' && line !== null && 'manifest' in line && line.manifest === 'roentgate/1'
}

export async function verifyRelease(request: VerifyRequest): Promise<Verification> {
  const manifest = await readManifest(request.out)
  if (manifest.header.key !== keyId(request.settings.key)) {
    throw new VerifyError('this is not the key that the release was made with')
  }
  const pool = new Pool(request.jobs, {
    settings: request.settings,
    instance: request.instance ?? INSTANCE_MODULE,
  })
  try {
    await checkRecipe(pool, manifest)
    const census = await takeCensus({
      roots: request.roots,
      pool,
      key: request.settings.key,
      progress: () => {},
      ...(request.signal === undefined ? {} : { signal: request.signal }),
    })
    if (census.inputs.length !== manifest.inputs) {
      const now = census.inputs.length
      throw new VerifyError(
        `the source has ${now} files and the manifest ${manifest.inputs}: name what it was made from`,
      )
    }
    const findings = await verifyAll({ pool, census, manifest, request })
    findings.push(...strangers(request.out, manifest))
    findings.sort((a, b) => (`${a.output} ${a.code}` < `${b.output} ${b.code}` ? -1 : 1))
    return { checked: manifest.released.length, findings }
  } finally {
    await pool.close()
  }
}

async function checkRecipe(pool: Pool, { header }: Manifest): Promise<void> {
  const reply = await pool.ask({ kind: 'describe' })
  if (reply.kind === 'refused') throw new VerifyError(reply.message)
  if (reply.kind !== 'described' || reply.description.recipe.digest === header.recipe.digest) return
  throw new VerifyError(
    `the release was made with another recipe (${header.recipe.name}): name it with --recipe`,
  )
}

type Verifying = {
  readonly pool: Pool
  readonly census: Census
  readonly manifest: Manifest
  readonly request: VerifyRequest
}

async function verifyAll({ pool, census, manifest, request }: Verifying): Promise<Finding[]> {
  const findings: Finding[] = []
  const outputs = new Map(manifest.released.map((line) => [line.index, line.output ?? '']))
  const note = (index: number, reason: Reason) =>
    findings.push({ ...reason, output: outputs.get(index) ?? '' })
  await pool.run<VerifyItem>({
    batches: slices(
      manifest.released.map((line) => itemOf(census, line)),
      BATCH,
    ),
    pack: (items, known) => ({ kind: 'verify', items, ...dictionaries(census, items, known) }),
    done: (_, reply) => {
      if (reply.kind !== 'verified') return
      for (const { index, findings: found } of reply.results) for (const reason of found) note(index, reason)
    },
    crashed: ({ input }) =>
      note(input.index, { code: 'WORKER_CRASHED', what: 'the worker died while checking it' }),
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  })
  return findings
}

function itemOf(census: Census, line: Line): VerifyItem {
  const input = census.inputs[line.index] ?? { index: line.index, path: '' }
  const patientKey = census.patients[census.patientOf[line.index] ?? -1]?.patientKey ?? ''
  const { output = '', sha256 = '', bytes = 0, sourceDigest = '' } = line
  return { input, patientKey, output, sha256, bytes, sourceDigest }
}

/** What lies in OUT and is in no manifest was never verified. */
function strangers(out: string, { released }: Manifest): readonly Finding[] {
  const known = new Set(released.map(({ output }) => output))
  return filesUnder(out, '')
    .filter((path) => !known.has(path))
    .map((output) => ({ code: 'NOT_IN_MANIFEST', what: 'a file that the manifest does not name', output }))
}

function filesUnder(out: string, folder: string): readonly string[] {
  return readdirSync(join(out, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (folder === '' && OWN.has(entry.name)) return []
    return entry.isDirectory() ? filesUnder(out, path) : [path]
  })
}
