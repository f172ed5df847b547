// What should happen to an instance's pixels, from its header alone. Nothing is decoded here: the plan is data, shown
// and executed elsewhere.

import type { DicomFile, Fill, LosslessSyntax, PixelPlan } from '@roentgate/dicom'
import { find, Tags } from '@roentgate/dicom'
import { type PixelRisk, pixelRisks } from './pixels.ts'

export type PixelSettings = {
  readonly text: 'auto' | 'all' | 'identifiers' | 'none'
  readonly fill: Fill
  /** For what comes in a syntax that is not written without loss. */
  readonly encode: LosslessSyntax
  /** `all`: frames that nothing speaks against are searched too. */
  readonly search: 'risky' | 'all'
}

export const DEFAULT_PIXEL_SETTINGS: PixelSettings = {
  text: 'auto',
  fill: 'black',
  encode: 'rle',
  search: 'risky',
}

const NOT_CLEANED: ReadonlySet<PixelRisk['code']> = new Set<PixelRisk['code']>([
  'VIDEO',
  'LABEL_IMAGE',
  'DOCUMENT',
])

export function pixelPlan(file: DicomFile, settings: PixelSettings = DEFAULT_PIXEL_SETTINGS): PixelPlan {
  // Planes beside the pixels are removed with their elements, and verify says whether they were.
  const risks = pixelRisks(file).filter(({ code }) => code !== 'OVERLAY')
  const refused = risks.find(({ code }) => NOT_CLEANED.has(code))
  if (refused) return { kind: 'refused', code: `PIXELS_${refused.code}`, what: refused.what }
  if (!find(file.dataset, Tags.PixelData)) return { kind: 'untouched' }
  if (risks.length === 0 && settings.search === 'risky') return { kind: 'untouched' }
  const film = risks.every(({ code }) => code === 'PROJECTION')
  const text = settings.text === 'auto' ? (film ? 'identifiers' : 'all') : settings.text
  return { kind: 'clean', text, blank: [], fill: settings.fill, encode: settings.encode }
}
