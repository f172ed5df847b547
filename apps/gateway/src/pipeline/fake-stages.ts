// Stand-ins for pipeline/instance.ts in tests. A source is JSON:
//   { "patient": "P1", "sop": "1.2.3", "refs": [], "name": "A^B", "do": "release" | "quarantine" | "crash" | "full" }

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openSource } from '../ingress/source.ts'
import type {
  AttributeCount,
  InstanceResult,
  InstanceTask,
  RunDescription,
  RunSettings,
  Scan,
  VerifyResult,
  VerifyTask,
} from './types.ts'

export type FakeSource = {
  readonly patient: string
  readonly sop: string
  readonly refs?: readonly string[]
  readonly name?: string
  readonly birth?: string
  readonly do?: 'release' | 'quarantine' | 'crash' | 'full' | 'throw' | 'malformed'
}
type FakeInput = InstanceTask['input']

export function fakeUid(sop: string): string {
  return `2.25.${BigInt(`0x${createHash('sha256').update(sop).digest('hex').slice(0, 24)}`)}`
}

function read(input: FakeInput): FakeSource | undefined {
  using source = openSource(input)
  const text = Buffer.from(source.read(0, source.size)).toString('utf8')
  return text.startsWith('{') ? (JSON.parse(text) as FakeSource) : undefined
}

export function describeRun({ recipe }: RunSettings): RunDescription {
  if (recipe.text === 'bad')
    throw Object.assign(new Error('recipe x, line 3: no such tag'), { name: 'RecipeError' })
  return {
    recipe: { name: recipe.name, digest: 'd1', description: 'fake', options: [], safeHarbor: false },
    edition: '2026d',
    methods: [['113100', 'Basic Application Confidentiality Profile']],
  }
}

export function scanFile(input: FakeInput): Scan {
  const { index } = input
  const source = read(input)
  if (source === undefined) {
    return { kind: 'other', index, what: 'not-dicom', reason: { code: 'NOT_DICOM', what: 'no DICOM' } }
  }
  if (source.do === 'malformed')
    return { kind: 'malformed', index, reason: { code: 'TRUNCATED', what: 'cut off' } }
  const name = source.name ?? 'A^B'
  return {
    kind: 'instance',
    index,
    patientKey: source.patient,
    sopInstance: source.sop,
    instance: fakeUid(source.sop),
    subject: { name, birthDate: source.birth ?? '' },
    identifiers: [{ kind: 'name', value: name }],
  }
}

export function processInstance(task: InstanceTask, settings: RunSettings): InstanceResult {
  const source = read(task.input)
  if (source === undefined) throw new Error('gone')
  if (source.do === 'crash') process.exit(7)
  if (source.do === 'throw') throw new TypeError('a value')
  const full = source.do === 'full' && !existsSync(join(settings.out, '..', 'space'))
  if (full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' })
  const released = source.do !== 'quarantine'
  const output = `${source.patient}/study/series/${fakeUid(source.sop)}.dcm`
  const bytes = Buffer.from(JSON.stringify({ sop: source.sop, words: task.identifiers.length }))
  if (released && !settings.dryRun) {
    mkdirSync(dirname(join(settings.out, output)), { recursive: true })
    writeFileSync(join(settings.out, output), bytes)
  }
  if (released) {
    pending.push({ ...COUNT, attribute: '(0010,0010)', name: "Patient's Name" })
    pending.push({ ...COUNT, attribute: '(0010,0020)', name: 'Patient ID', because: 'recipe rule 1' })
  }
  const digest = createHash('sha256').update(bytes).digest('hex')
  return {
    index: task.input.index,
    outcome: released ? 'released' : 'quarantined',
    ...(released ? { output, sha256: digest, bytes: bytes.length } : {}),
    sourceDigest: createHash('sha256').update(source.sop).digest('hex'),
    reasons: released ? [] : [{ code: 'PIXELS_MAY_HOLD_TEXT', what: 'ultrasound' }],
    warnings: [],
    scanner: 'CT ACME One',
    methods: ['113100'],
    instance: fakeUid(source.sop),
    references: (source.refs ?? []).map(fakeUid),
    nanos: {},
    ...(settings.mapping
      ? { mapping: { uids: [[source.sop, fakeUid(source.sop)]], patients: [[source.patient, 'RG-1']] } }
      : {}),
  }
}

const COUNT = { vr: 'PN', action: 'Z', because: 'profile basic', count: 1, scanner: 'CT ACME One' }

export function drainCounts(): readonly AttributeCount[] {
  return pending.splice(0)
}

const pending: AttributeCount[] = []

export function verifyInstance(task: VerifyTask): VerifyResult {
  const source = read(task.input)
  const findings = source?.name === 'LEAK' ? [{ code: 'RESIDUAL_NAME', what: 'a name' }] : []
  return { index: task.input.index, findings }
}
