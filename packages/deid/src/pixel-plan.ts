// What should happen to an instance's pixels, from its header alone. Nothing is decoded here: the plan is data, shown
// and executed elsewhere.

import type { BlankBox, Box, Dataset, DicomFile, PixelPlan, Tag } from '@roentgate/dicom'
import { find, numbers, strings, Tags } from '@roentgate/dicom'
import { knownDevices } from './devices/library.ts'
import { hasStub } from './documents.ts'
import { DEFAULT_PIXEL_SETTINGS, type DeviceCondition, type PixelSettings } from './pixel-settings.ts'
import { drawsInPixels, type PixelRisk, pixelRisks } from './pixels.ts'

const NOT_CLEANED: ReadonlySet<PixelRisk['code']> = new Set<PixelRisk['code']>([
  'VIDEO',
  'LABEL_IMAGE',
  'DOCUMENT',
])

export function pixelPlan(file: DicomFile, settings: PixelSettings = DEFAULT_PIXEL_SETTINGS): PixelPlan {
  // Planes beside the pixels are removed with their elements, and verify says whether they were.
  const risks = pixelRisks(file).filter(({ code }) => code !== 'OVERLAY')
  const stubbed = settings.documents === 'stub' && hasStub(file.dataset)
  const refused = risks.find(({ code }) => NOT_CLEANED.has(code) && !(stubbed && code === 'DOCUMENT'))
  if (refused) return { kind: 'refused', code: `PIXELS_${refused.code}`, what: refused.what }
  const { dataset } = file
  if (!find(dataset, Tags.PixelData)) return { kind: 'untouched' }
  const spareBits = drawsInPixels(dataset) ? 'clear' : 'keep'
  const blank = deviceBoxes(dataset, settings)
  const keepOnly = settings.regions ? ultrasoundRegions(dataset) : []
  const text = searchedFor(risks, blank.length > 0, settings)
  const asked = text !== undefined || spareBits === 'clear' || blank.length > 0 || keepOnly.length > 0
  if (!asked) return { kind: 'untouched' }
  const { fill, encode } = settings
  const plan = { kind: 'clean', text: text ?? 'none', blank, fill, encode, spareBits } as const
  return keepOnly.length > 0 ? { ...plan, keepOnly } : plan
}

/** Undefined where nothing speaks for text, and nobody asked for a search without a reason. */
function searchedFor(
  risks: readonly PixelRisk[],
  knownDevice: boolean,
  { search, text }: PixelSettings,
): Exclude<PixelSettings['text'], 'auto'> | undefined {
  if (risks.length === 0 && !knownDevice && search === 'risky') return undefined
  if (text !== 'auto') return text
  const film = risks.length > 0 && risks.every(({ code }) => code === 'PROJECTION')
  return film && !knownDevice ? 'identifiers' : 'all'
}

/** Of the library and the recipe's own; a recipe's device replaces the library's of its name. */
function deviceBoxes(dataset: Dataset, { devices }: PixelSettings): readonly BlankBox[] {
  const own = new Set(devices.map(({ name }) => name))
  return [...knownDevices().filter(({ name }) => !own.has(name)), ...devices]
    .filter(({ when }) => when.every((condition) => holds(dataset, condition)))
    .flatMap(({ name, blank }) => blank.map((box) => ({ box, because: `device ${name}` })))
}

const ATTRIBUTES: Readonly<Record<DeviceCondition['kind'], Tag>> = {
  manufacturer: Tags.Manufacturer,
  model: Tags.ManufacturerModelName,
  software: Tags.SoftwareVersions,
  modality: Tags.Modality,
  'image-type': Tags.ImageType,
  'burned-in': Tags.BurnedInAnnotation,
  rows: Tags.Rows,
  columns: Tags.Columns,
}

function holds(dataset: Dataset, condition: DeviceCondition): boolean {
  const element = find(dataset, ATTRIBUTES[condition.kind])
  if (element === undefined) return false
  if ('equals' in condition) return Number(numbers(dataset, element)[0]) === condition.equals
  const wanted = condition.contains.toUpperCase()
  return strings(dataset, element).some((value) => value.toUpperCase().includes(wanted))
}

/** PS3.3 C.8.5.5.1: corners are inclusive. A region without an area, or one that shows no tissue, is none. */
function ultrasoundRegions(dataset: Dataset): readonly Box[] {
  const sequence = find(dataset, Tags.SequenceOfUltrasoundRegions)
  if (sequence?.value.kind !== 'items') return []
  return sequence.value.items.flatMap((item) => {
    const of = (t: Tag): number => {
      const element = find(item, t)
      return element ? Number(numbers(item, element)[0]) : Number.NaN
    }
    const x = of(Tags.RegionLocationMinX0)
    const y = of(Tags.RegionLocationMinY0)
    const width = of(Tags.RegionLocationMaxX1) - x + 1
    const height = of(Tags.RegionLocationMaxY1) - y + 1
    return width > 0 && height > 0 ? [{ x, y, width, height }] : []
  })
}
