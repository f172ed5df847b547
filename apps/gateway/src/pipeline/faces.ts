// Faces in CT, MR and PET heads, as the recipe or --faces says: released with a warning, held back, or cut out.
//
//   scan      the slices of what may show a face, with their place                         facts only
//   plan      one cut for each Frame of Reference, in a worker, on its best series          planFace
//   process   the cut through every slice of it; what has none is held back                 faceOf

import { join } from 'node:path'
import { faceRisk } from '@roentgate/deid'
import { type DicomFile, readFile } from '@roentgate/dicom'
import {
  type FaceCut,
  type FaceCuts,
  type FaceEdit,
  faceEdit,
  facesOf,
  planFrame,
  type Refused,
  type SliceFacts,
} from '@roentgate/pixel/faces'
import { inflate } from './inflate.ts'
import { openInput } from './input.ts'
import { writePicture } from './review.ts'
import type { FacePlan, Reason, RunSettings } from './types.ts'

/** For the plan: none where faces stay, or where nothing speaks for one. */
export function faceFacts(file: DicomFile, mode: RunSettings['faces']): readonly SliceFacts[] {
  return mode === 'remove' && faceRisk(file).kind === 'possible' ? facesOf(file) : []
}

export type FaceDecision =
  | { readonly kind: 'none' }
  | { readonly kind: 'warned'; readonly reason: Reason }
  | { readonly kind: 'refused'; readonly reason: Reason }
  | FaceEdit

export function faceOf(file: DicomFile, mode: RunSettings['faces'], cuts: FaceCuts): FaceDecision {
  const risk = faceRisk(file)
  if (risk.kind === 'none') return risk
  const reason: Reason = { code: 'FACE_POSSIBLE', what: risk.what }
  if (mode === 'quarantine') return { kind: 'refused', reason }
  if (mode !== 'remove') return { kind: 'warned', reason }
  const edit = faceEdit(file, cuts)
  if (edit.kind === 'edit') return edit
  return { kind: 'refused', reason: { code: 'FACE_NOT_REMOVED', what: edit.what } }
}

/** @throws the system's errors; what cannot be decoded is a refusal. */
export async function planFace(plan: FacePlan, settings: RunSettings): Promise<FaceCut | Refused> {
  const { openCodecs, formatOf, framesOf, cutVolume, renderFace, skinThreshold, greyToPng, PixelError } =
    await import('@roentgate/pixel')
  const codecs = await openCodecs()
  const inputs = new Map(plan.inputs)
  const pictures: Promise<void>[] = []
  try {
    return planFrame(
      plan.frame,
      ({ instance, frame }) => {
        const input = inputs.get(instance)
        if (!input) throw new PixelError('FRAME_MISSING', 'a slice that was not scanned')
        using source = openInput(input, 'whole')
        const file = readFile(source, { inflate })
        const format = formatOf(file)
        if (!format) throw new PixelError('FRAME_MISSING', 'a slice without pixels')
        return codecs.decode(framesOf(file, format).frame(frame), format)
      },
      (volume, cut) => {
        const { review } = settings
        if (review === undefined) return
        for (const turn of [0, 45]) {
          const view = { turn, threshold: skinThreshold(volume) }
          for (const [when, shown] of [
            ['before', volume],
            ['after', cutVolume(volume, cut)],
          ] as const) {
            const png = greyToPng(renderFace(shown, view))
            const path = join(review, `face-${plan.ordinal + 1}-${turn}-${when}.png`)
            pictures.push(png.then((bytes) => writePicture(path, bytes)))
          }
        }
      },
    )
  } catch (error) {
    if (error instanceof PixelError) return { kind: 'refused', what: 'a slice that could not be decoded' }
    throw error
  } finally {
    await Promise.all(pictures)
  }
}
