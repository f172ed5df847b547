// A run over many series in two passes, as values.
//
//   pass 1: sliceFacts of each flagged file ─faceWork→ FaceWork: the stacks of each Frame of Reference, best first
//           planFrame(frame, load) → FaceCut | Refused, one for each frame
//   pass 2: cutFor(cuts, facts) for each frame of a flagged file → applyCut, or the file stays back
//
// A frame is complete when pass 1 has seen every input: a later series could be a better one, and all of a Frame of
// Reference must have the same cut. Facts are small (a few hundred bytes a slice); pixels are loaded only for the stack
// that is planned on, one slice at a time.

import type { DicomFile } from '@roentgate/dicom'
import { PixelError } from '../errors.ts'
import type { Raster } from '../model.ts'
import { applyCut, type FaceCut, planDeface } from './deface.ts'
import { sliceFacts } from './facts.ts'
import { isRefused, type Refused, refused, type SliceFacts, type Stack, stacksOf } from './geometry.ts'
import { length } from './vectors.ts'
import { openVolume, type Volume } from './volume.ts'

export type { FaceCut, Refused, SliceFacts }

export type FaceFrame = {
  /** Of frameKey. */
  readonly key: string
  /** Best first: what a plan is tried on. */
  readonly stacks: readonly Stack[]
}

export type FaceWork = ReadonlyMap<string, FaceFrame>
export type FaceCuts = ReadonlyMap<string, FaceCut | Refused>

export type FaceEdit = {
  readonly kind: 'edit'
  readonly edit: (raster: Raster, frame: number) => Raster
}

/** The decoded frame of a slice. */
export type LoadSlice = (facts: SliceFacts) => Raster

/** Stacks that a plan is tried on, before the frame is given up: each costs seconds. */
const MAX_TRIES = 3

/** What shares a cut: a Frame of Reference, else a series. */
export function frameKey({ frameOfReference, series }: SliceFacts): string {
  return frameOfReference === '' ? `series ${series}` : `frame ${frameOfReference}`
}

export function faceWork(slices: Iterable<SliceFacts>): FaceWork {
  const groups = new Map<string, SliceFacts[]>()
  for (const slice of slices) {
    const key = frameKey(slice)
    const group = groups.get(key)
    if (group) group.push(slice)
    else groups.set(key, [slice])
  }
  const work = new Map<string, FaceFrame>()
  for (const [key, group] of groups) {
    const stacks = stacksOf(group).filter((stack): stack is Stack => !isRefused(stack))
    work.set(key, { key, stacks: stacks.sort((a, b) => scoreOf(b) - scoreOf(a)) })
  }
  return work
}

/** CT before MR before PET: how surely bone, tissue and skin are told apart. Then the tallest with the finest steps. */
const MODALITY_SCORE = { CT: 2, MR: 1, PT: 0 } as const

function scoreOf({ slices, step }: Stack): number {
  const [first] = slices
  if (!first) return Number.NEGATIVE_INFINITY
  const fine = length(step)
  const least = Math.min(
    fine * slices.length,
    first.rows * first.spacing[0],
    first.columns * first.spacing[1],
  )
  const tall = least >= 140 ? 1 : 0
  return tall * 100 + MODALITY_SCORE[first.modality] * 10 - Math.max(fine, ...first.spacing)
}

/** @throws whatever `load` throws, and PixelError BAD_FORMAT where a raster is not what its facts say. */
export function planFrame(
  { stacks }: FaceFrame,
  load: LoadSlice,
  planned?: (volume: Volume, cut: FaceCut) => void,
): FaceCut | Refused {
  let last: Refused = refused('no series of this Frame of Reference is a whole volume')
  for (const stack of stacks.slice(0, MAX_TRIES)) {
    const opened = openVolume(stack)
    if (isRefused(opened)) {
      last = opened
      continue
    }
    stack.slices.forEach((facts, index) => {
      opened.put(index, load(facts))
    })
    const plan = planDeface(opened.volume)
    if (!isRefused(plan)) {
      planned?.(opened.volume, plan)
      return plan
    }
    last = plan
  }
  return last
}

/**
 * What becomes of a file's frames: the cut of its Frame of Reference through each of them, or why there is none.
 */
export function faceEdit(file: DicomFile, cuts: FaceCuts): FaceEdit | Refused {
  const facts = sliceFacts(file)
  if (isRefused(facts)) return facts
  const { slices } = facts
  const frames = slices.map((slice) => cutFor(cuts, slice))
  const none = frames.find(isRefused)
  if (none) return none
  return {
    kind: 'edit',
    edit: (raster, frame) => {
      const slice = slices[frame]
      const cut = frames[frame]
      if (!slice || !cut || isRefused(cut)) throw new PixelError('BAD_FORMAT', 'a frame without a place')
      return applyCut(raster, slice, cut).raster
    },
  }
}

/** Of a file that may show a face: its slices; none where they have no place. */
export function facesOf(file: DicomFile): readonly SliceFacts[] {
  const facts = sliceFacts(file)
  return isRefused(facts) ? [] : facts.slices
}

/** A slice of a frame that was never planned is refused: it was flagged in pass 2 alone. */
export function cutFor(cuts: FaceCuts, facts: SliceFacts): FaceCut | Refused {
  return cuts.get(frameKey(facts)) ?? refused('a slice whose Frame of Reference was not planned')
}
