// What goes with an instance although it is no pixel: application data inside frames, words of colour profiles,
// documents.

import { type PixelSettings, withStub } from '@roentgate/deid'
import type { Dataset, DicomFile, PixelPlan } from '@roentgate/dicom'
import { elementOf, find, groupOf, Tags } from '@roentgate/dicom'
import { OFFSET_TABLES, replaced, tidiedPixels, withoutProfileText } from '@roentgate/pixel/strip'

/**
 * The file with its frames stripped; undefined where there was nothing to strip.
 * @throws PixelError DECODE_FAILED, HIDDEN_DATA
 */
export function tidiedFile(file: DicomFile, plan: PixelPlan): DicomFile | undefined {
  const element = tidiedPixels(file, plan.kind === 'clean' ? plan.spareBits : 'keep')
  return element ? { ...file, dataset: replaced(file.dataset, [element], OFFSET_TABLES) } : undefined
}

/** A de-identified data set with the tidied file's pixel data, its profiles without words, its document a stub. */
export function withPixels(
  dataset: Dataset,
  tidied: DicomFile | undefined,
  { documents }: PixelSettings,
): Dataset {
  const pixels = tidied ? find(tidied.dataset, Tags.PixelData) : undefined
  const own = withoutEmptyOverlays(
    withoutProfileText(pixels ? replaced(dataset, [pixels], OFFSET_TABLES) : dataset),
  )
  return documents === 'stub' ? withStub(own) : own
}

/** An overlay whose bitmap is gone, from its plane or from the pixels' spare bits, goes as a whole (PS3.3 C.9.2). */
function withoutEmptyOverlays(dataset: Dataset): Dataset {
  const overlay = (group: number): boolean => group >= 0x6000 && group <= 0x60ff && group % 2 === 0
  const all = dataset.elements.filter(({ tag }) => overlay(groupOf(tag)))
  if (all.length === 0) return dataset
  const full = new Set(all.filter(({ tag }) => elementOf(tag) === 0x3000).map(({ tag }) => groupOf(tag)))
  const elements = dataset.elements.filter(({ tag }) => !overlay(groupOf(tag)) || full.has(groupOf(tag)))
  return { ...dataset, elements }
}
