// A look at one instance that writes nothing: what a plan would do, and whether a release still holds.

import { join } from 'node:path'
import { faceRisk, identityOf, pixelPlan, planDataset } from '@roentgate/deid'
import { DicomError, readFile } from '@roentgate/dicom'
import { planLines } from './counts.ts'
import { inflate } from './inflate.ts'
import { openInput } from './input.ts'
import { pixelReason, pixelTools, projectOf, reasonOf, sourceDigest, UNTOUCHED } from './opened.ts'
import { patientOf } from './project.ts'
import { PIXELS_CHANGED, TEXT_LEFT } from './reasons.ts'
import { verifyOutput } from './release.ts'
import { tidiedFile } from './tidy.ts'
import type { InstanceTask, PlanLine, Reason, RunSettings, VerifyResult, VerifyTask } from './types.ts'

/** What would happen to each element of one file, in its order. */
export function explainInstance(task: InstanceTask, settings: RunSettings): readonly PlanLine[] {
  const project = projectOf(settings)
  using source = openInput(task.input, 'header')
  return planLines(planDataset(project.planner, readFile(source, { inflate }).dataset))
}

/** A release long after: the output as it stands in OUT against its source. */
export async function verifyInstance(task: VerifyTask, settings: RunSettings): Promise<VerifyResult> {
  const project = projectOf(settings)
  const { index } = task.input
  using source = openInput(task.input, 'whole')
  if (sourceDigest(project, source) !== task.sourceDigest) return { index, findings: [SOURCE_DIFFERS] }
  try {
    const file = readFile(source, { inflate })
    const patient = patientOf(project, task, identityOf(file).patientId)
    const pixels = settings.pixels === 'clean' ? pixelPlan(file, project.recipe.pixels) : UNTOUCHED
    const cleaned = pixels.kind === 'clean'
    const mode = settings.faces ?? project.recipe.pixels.faces
    // Its cut is not at hand: how the frames differ from the source's was judged when they were written.
    const defaced = mode === 'remove' && faceRisk(file).kind === 'possible'
    const tidied = settings.pixels === 'as-is' ? undefined : tidiedFile(file, pixels)
    const path = join(settings.out, task.output)
    const against = {
      source: file,
      recipe: project.recipe,
      haystack: patient.haystack,
      pixelsCleaned: cleaned || defaced || tidied !== undefined,
    }
    const findings = verifyOutput(path, task.sha256, against)
    if (findings.length > 0 || !(cleaned || tidied)) return { index, findings }
    const { samePixels, textLeft } = await pixelTools()
    if (!cleaned && defaced) return { index, findings: [] }
    if (!cleaned) return { index, findings: (await samePixels(path, file)) ? [] : [PIXELS_CHANGED] }
    const left = await textLeft(path, { source: file, plan: pixels, words: patient.identifiers })
    return { index, findings: left ? [TEXT_LEFT] : [] }
  } catch (error) {
    const reason = error instanceof DicomError ? reasonOf(error) : pixelReason(error)
    if (reason === undefined) throw error
    return { index, findings: [reason] }
  }
}

const SOURCE_DIFFERS: Reason = {
  code: 'SOURCE_DIFFERS',
  what: 'the source is not the file that was de-identified',
}
