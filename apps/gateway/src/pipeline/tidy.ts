// What goes with an instance although it is no pixel: application data inside frames, words of colour profiles,
// documents.

import { type PixelSettings, withStub } from '@roentgate/deid'
import type { Dataset, DicomFile, PixelPlan } from '@roentgate/dicom'
import { find, Tags } from '@roentgate/dicom'
import { replaced, tidiedPixels, withoutProfileText } from '@roentgate/pixel/strip'

/**
 * The file with its frames stripped; undefined where there was nothing to strip.
 * @throws PixelError DECODE_FAILED, HIDDEN_DATA
 */
export function tidiedFile(file: DicomFile, plan: PixelPlan): DicomFile | undefined {
  const { element } = tidiedPixels(file, plan.kind === 'clean' ? plan.spareBits : 'keep')
  return element ? { ...file, dataset: replaced(file.dataset, [element], OFFSETS) } : undefined
}

/** True of the frames as they came, and of no others. */
const OFFSETS: ReadonlySet<number> = new Set<number>([
  Tags.ExtendedOffsetTable,
  Tags.ExtendedOffsetTableLengths,
])

/** A de-identified data set with the tidied file's pixel data, its profiles without words, its document a stub. */
export function withPixels(
  dataset: Dataset,
  tidied: DicomFile | undefined,
  { documents }: PixelSettings,
): Dataset {
  const pixels = tidied ? find(tidied.dataset, Tags.PixelData) : undefined
  const own = withoutProfileText(pixels ? replaced(dataset, [pixels], OFFSETS) : dataset)
  return documents === 'stub' ? withStub(own) : own
}
