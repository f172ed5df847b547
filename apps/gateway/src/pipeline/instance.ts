// Pass 2: one instance through the pipeline, in a worker thread, synchronously unless pixels are cleaned:
//
//   read → identify → plan → pixels? → apply → write (temporary) → re-read → verify → release (rename)
//                                                                          └→ quarantine (temporary removed)
//
// Whatever goes wrong ends in a result with a reason; nothing of a failed instance stays in OUT.

import {
  applyPlan,
  hasStub,
  type Identity,
  identityOf,
  instanceUids,
  methodsOf,
  outputNames,
  type PlanNode,
  pixelPlan,
  pixelRisks,
  planDataset,
  withMarks,
} from '@roentgate/deid'
import {
  type Box,
  type Dataset,
  DicomError,
  type DicomFile,
  newFile,
  type PixelPlan,
  readFile,
  string,
  Tags,
  toUtf8,
  type Uid,
} from '@roentgate/dicom'
import type { CleanPlan } from '@roentgate/pixel'
import { Clock } from './clock.ts'
import { countAttributes } from './counts.ts'
import { type FaceDecision, faceOf } from './faces.ts'
import { inflate } from './inflate.ts'
import { openInput } from './input.ts'
import { outputUid, pixelReason, pixelTools, projectOf, reasonOf, sourceDigest, UNTOUCHED } from './opened.ts'
import type { Cleaning } from './pixels.ts'
import { mappedUid, type Patient, type Project, patientOf } from './project.ts'
import { TEXT_LEFT } from './reasons.ts'
import { type Draft, writeDraft } from './release.ts'
import { tidiedFile, withPixels } from './tidy.ts'
import type { AttributeCount, InstanceResult, InstanceTask, Reason, RunSettings } from './types.ts'

/**
 * Pass 2. Waits only where pixels are cleaned.
 * @throws the system's errors, for the worker to name; what DICOM is to blame for is a result.
 */
export function processInstance(
  task: InstanceTask,
  settings: RunSettings,
): InstanceResult | Promise<InstanceResult> {
  const clock = new Clock()
  const project = projectOf(settings)
  const source = openInput(task.input, 'whole')
  const waiting: { promise?: Promise<InstanceResult> } = {}
  try {
    const digest = sourceDigest(project, source)
    clock.lap('digest')
    const withDigest = (result: InstanceResult): InstanceResult => ({ ...result, sourceDigest: digest })
    const refused = (error: unknown): InstanceResult => withDigest(refusedInstance(task, clock, error))
    try {
      const file = readFile(source, { inflate })
      clock.lap('read')
      const done = processFile({ task, settings, project, file, clock })
      if (!(done instanceof Promise)) return withDigest(done)
      waiting.promise = done.then(withDigest, refused).finally(() => source[Symbol.dispose]())
      return waiting.promise
    } catch (error) {
      return refused(error)
    }
  } finally {
    if (waiting.promise === undefined) source[Symbol.dispose]()
  }
}

/** @throws whatever is not to be blamed on the file. */
function refusedInstance(task: InstanceTask, clock: Clock, error: unknown): InstanceResult {
  const reason = error instanceof DicomError ? reasonOf(error) : pixelReason(error)
  if (reason === undefined) throw error
  return { ...base(task), outcome: 'quarantined', reasons: [reason], nanos: clock.nanos }
}

function base(task: InstanceTask): Pick<InstanceResult, 'index' | 'warnings' | 'methods' | 'references'> {
  return { index: task.input.index, warnings: [], methods: [], references: [] }
}

type Job = {
  readonly task: InstanceTask
  readonly settings: RunSettings
  readonly project: Project
  readonly file: DicomFile
  readonly clock: Clock
}

function processFile(job: Job): InstanceResult | Promise<InstanceResult> {
  const { task, settings, project, file, clock } = job
  const identity = identityOf(file)
  const patient = patientOf(project, task, identity.patientId)
  const known = factsOf(job, identity, patient)
  const pixels = settings.pixels === 'clean' ? pixelPlan(file, project.recipe.pixels) : UNTOUCHED
  const face = faceOf(file, settings.faces ?? project.recipe.pixels.faces, task.cuts ?? new Map())
  const refused = [...refusals(job, identity), ...refusedPixels(pixels), ...refusedFace(face)]
  const facts = face.kind === 'warned' ? { ...known, warnings: [...known.warnings, face.reason] } : known
  if (refused.length > 0) return { ...facts, outcome: 'quarantined', reasons: refused, nanos: clock.nanos }
  const tidied = settings.pixels === 'as-is' ? undefined : tidiedFile(file, pixels)
  const { dataset, nodes } = encodable(job, patient)
  clock.lap('plan')
  const edit = face.kind === 'edit' ? face.edit : undefined
  const methods = methodsOf(project.recipe, nodes, {
    searched: pixels.kind === 'clean' && pixels.text !== 'none',
    defaced: edit !== undefined,
  })
  if (settings.dryRun) {
    count(project, nodes)
    return { ...facts, outcome: 'released', reasons: [], methods, nanos: clock.nanos }
  }
  const marked = withPixels(withMarks(dataset, project.recipe, methods), tidied, project.recipe.pixels)
  const draft: Draftable = { job, identity, patient, facts, nodes, methods, marked }
  const work = { source: tidied ?? file, ...(edit ? { edit } : {}) }
  if (pixels.kind === 'clean') return cleanAndSettle(draft, { plan: pixels, ...work })
  if (tidied || edit) return cleanAndSettle(draft, { plan: NO_SEARCH, ...work })
  clock.lap('apply')
  const written = draftOf(draft, { dataset: marked, transferSyntax: file.transferSyntax })
  const violations = written.verify({ source: file, recipe: project.recipe, haystack: patient.haystack })
  clock.lap('verify')
  return settled(draft, { written, violations, marked })
}

function refusedPixels(plan: PixelPlan): readonly Reason[] {
  return plan.kind === 'refused' ? [{ code: plan.code, what: plan.what }] : []
}

type Pixels = Pick<Cleaning, 'plan' | 'source' | 'edit'>

/** Frames that were stripped or whose face was cut are written and compared with the source's, though nothing is looked for. */
const NO_SEARCH: CleanPlan = {
  kind: 'clean',
  text: 'none',
  blank: [],
  fill: 'black',
  encode: 'rle',
  spareBits: 'keep',
}

function refusedFace(face: FaceDecision): readonly Reason[] {
  return face.kind === 'refused' ? [face.reason] : []
}

/** All that is known of an instance before its pixels are looked at. */
type Draftable = {
  readonly job: Job
  readonly identity: Identity
  readonly patient: Patient
  readonly facts: Facts
  readonly nodes: readonly PlanNode[]
  readonly methods: readonly string[]
  readonly marked: Dataset
}

/** How often a result in which text was found again is cleaned once more, before it is given up. */
const MAX_ROUNDS = 6
/** Clean, write, read back, look again; what is found again is filled in another round. */
async function cleanAndSettle(draft: Draftable, pixels: Pixels): Promise<InstanceResult> {
  const { job, marked, patient, facts, identity } = draft
  const { file, project, clock, settings } = job
  clock.lap('apply')
  const { cleanDataset } = await pixelTools()
  const extra: Box[] = []
  let searched: Cleaning['searched']
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const cleaned = await cleanDataset(
      {
        original: file,
        dataset: marked,
        words: patient.identifiers,
        ...pixels,
        ...(searched ? { searched } : {}),
      },
      extra,
    )
    clock.lap('pixels')
    searched = cleaned.searched
    const written = draftOf(draft, cleaned)
    try {
      const violations = written.verify({
        source: file,
        recipe: project.recipe,
        haystack: patient.haystack,
        pixelsCleaned: cleaned.changed,
      })
      clock.lap('verify')
      const { reasons, left } = await written.reread(cleaned.check)
      clock.lap('look')
      if (left.length === 0) {
        await cleaned.show(settings.review, mappedUid(project, identity.sopInstance))
        const all = [...violations, ...reasons]
        return { ...settled(draft, { written, violations: all, marked }), pixels: cleaned.work }
      }
      extra.push(...left)
      written.discard()
    } catch (error) {
      written.discard()
      throw error
    }
  }
  return { ...facts, outcome: 'quarantined', reasons: [TEXT_LEFT], nanos: clock.nanos }
}

type Content = { readonly dataset: Dataset; readonly transferSyntax: Uid }

function draftOf({ job, identity, patient }: Draftable, content: Content): Draft {
  const { settings, project, clock } = job
  return writeDraft(
    {
      out: settings.out,
      directory: directoryOf(project, identity, patient),
      name: mappedName(project, identity),
      file: newFile(content),
    },
    clock,
  )
}

type Written = { readonly written: Draft; readonly violations: readonly Reason[]; readonly marked: Dataset }

function settled(
  { job, facts, nodes, methods }: Draftable,
  { written, violations, marked }: Written,
): InstanceResult {
  const { project, clock } = job
  if (violations.length > 0) {
    written.discard()
    return { ...facts, outcome: 'quarantined', reasons: violations, nanos: clock.nanos }
  }
  const names = outputNames(marked)
  const done = written.publish()
  count(project, nodes)
  clock.lap('write')
  return {
    ...facts,
    outcome: 'released',
    output: done.path,
    sha256: done.sha256,
    bytes: done.bytes,
    reasons: [],
    methods,
    instance: names.instance,
    references: referencesOf(marked),
    study: names.study,
    nanos: clock.nanos,
  }
}

type Facts = Omit<InstanceResult, 'outcome' | 'reasons' | 'nanos'>

/** What a result says whatever its outcome. */
function factsOf({ task, settings, project, file }: Job, identity: Identity, patient: Patient): Facts {
  const facts = {
    ...base(task),
    warnings: warningsOf(file),
    scanner: scannerOf(file.dataset, patient),
    sopClass: identity.sopClass,
    transferSyntax: file.transferSyntax,
    ...(identity.sopInstance === '' ? {} : { instance: outputUid(project, identity.sopInstance) }),
    patient: patient.substitutes.patientCode,
  }
  return settings.mapping
    ? { ...facts, mapping: { patients: [patient.mapping], uids: mappedUids(project, file.dataset) } }
    : facts
}

function warningsOf(file: DicomFile): readonly Reason[] {
  const codes = new Set(file.warnings.map((warning) => warning.code))
  return [...codes].map((code) => ({ code, what: 'survived on reading' }))
}

/** For the inventory, without anything that the patient's identifiers match. */
function scannerOf(dataset: Dataset, patient: Patient): string {
  return [Tags.Modality, Tags.Manufacturer, Tags.ManufacturerModelName]
    .map((t) => patient.substitutes.cleanText((string(dataset, t) ?? '').slice(0, 64), 64))
    .join(' | ')
}

/** Old and new of every UID that names an instance of anything, the file's own and those that it refers to. */
function mappedUids(project: Project, dataset: Dataset): readonly (readonly [string, string])[] {
  if (project.recipe.options.has('uids')) return []
  return [...instanceUids(dataset)].map((uid) => [uid, mappedUid(project, uid)] as const)
}

function refusals({ file, settings, project }: Job, identity: Identity): readonly Reason[] {
  const reasons: Reason[] = []
  if (identity.sopInstance === '' || identity.sopClass === '') {
    reasons.push({
      code: 'NO_SOP_INSTANCE',
      what: 'no SOP Class or SOP Instance UID: not an instance that can be named',
    })
  }
  if (file.warnings.some((warning) => warning.code === 'TRAILING_BYTES')) {
    reasons.push({
      code: 'TRAILING_BYTES',
      what: 'bytes of unknown meaning after the data set: ask its sender for a whole copy',
    })
  }
  const asked = settings.pixels === 'clean' ? [] : pixelRisks(file)
  const stubbed = project.recipe.pixels.documents === 'stub' && hasStub(file.dataset)
  for (const risk of asked) {
    if (risk.code === 'DOCUMENT' ? stubbed : settings.pixels === 'as-is') continue
    reasons.push({ code: `PIXELS_${risk.code}`, what: risk.what })
  }
  return reasons
}

/** The result in the source's character set, or in UTF-8 where a value that we write cannot be expressed in it. */
function encodable(
  job: Job,
  patient: Patient,
): { readonly dataset: Dataset; readonly nodes: readonly PlanNode[] } {
  const { project, file } = job
  const nodes = planDataset(project.planner, file.dataset)
  if (job.settings.dryRun) return { dataset: file.dataset, nodes }
  try {
    return { dataset: applyPlan(file.dataset, nodes, patient.substitutes), nodes }
  } catch (error) {
    if (!(error instanceof DicomError) || error.code !== 'NOT_ENCODABLE') throw error
    const moved = toUtf8(file.dataset)
    const again = planDataset(project.planner, moved)
    return { dataset: applyPlan(moved, again, patient.substitutes), nodes: again }
  }
}

function directoryOf(project: Project, identity: Identity, patient: Patient): readonly string[] {
  const folder = (uid: string, none: string): string => (uid === '' ? none : mappedUid(project, uid))
  return [
    patient.substitutes.patientCode,
    folder(identity.study, 'no-study'),
    folder(identity.series, 'no-series'),
  ]
}

function mappedName(project: Project, identity: Identity): string {
  return `${mappedUid(project, identity.sopInstance)}.dcm`
}

/** SOP Instances that the output refers to, at any depth. */
function referencesOf(dataset: Dataset): readonly Uid[] {
  const found = new Set<string>()
  collectReferences(dataset, found)
  return [...found] as Uid[]
}

function collectReferences(dataset: Dataset, found: Set<string>): void {
  for (const element of dataset.elements) {
    if (element.value.kind === 'items') for (const item of element.value.items) collectReferences(item, found)
    else if (element.tag === Tags.ReferencedSOPInstanceUID) found.add(string(dataset, element.tag) ?? '')
  }
}

/** Counts wait here until the worker asks for them: results stay small. */
const pending: { counts: readonly AttributeCount[] } = { counts: [] }

function count(project: Project, nodes: readonly PlanNode[]): void {
  const counts = countAttributes(project.spelling, nodes)
  pending.counts = pending.counts.length === 0 ? counts : [...pending.counts, ...counts]
}

export function drainCounts(): readonly AttributeCount[] {
  const { counts } = pending
  pending.counts = []
  return counts
}
