// Which instances may carry text in their pixels (PS3.15 E.3.1 and the modalities known for it), from the header
// alone. Says why; decides nothing else. No pixel is decoded here.

import type { Dataset, DicomFile, Tag } from '@roentgate/dicom'
import { elementOf, find, groupOf, numbers, string, strings, Tags, transferSyntax } from '@roentgate/dicom'

export type PixelRisk = {
  readonly code:
    | 'MODALITY' // ultrasound, fluoroscopy, endoscopy …: devices that draw their screen into the image
    | 'PROJECTION' // radiographs, on which marks and sometimes names are set
    | 'CAPTURE' // a slice that looks like a screen: derived, of colour, of odd shape
    | 'SECONDARY_CAPTURE'
    | 'FILM_DIGITISER'
    | 'SCREENSHOT'
    | 'BURNED_IN_ANNOTATION' // present, and not NO
    | 'OVERLAY' // a plane beside the pixels or in their unused bits
    | 'VIDEO'
    | 'LABEL_IMAGE' // whole-slide label and overview
    | 'DOCUMENT' // encapsulated PDF, CDA, STL …: pages, not pixels; `as-is` does not release it
  readonly what: string
}

const RISKY_MODALITIES: ReadonlySet<string> = new Set([
  'US', 'IVUS', 'XA', 'RF', 'OT', 'ES', 'XC', 'GM', 'SC', 'FD', 'DG', 'HC', 'OP', 'OPT', 'OAM', 'LS', 'EPS', 'BI', 'TG', 'DOC', 'SMR',
]) // biome-ignore format: one row

/** Secondary capture, ultrasound, visible light photographic and the other classes whose pixels are a screen. */
const RISKY_CLASSES: readonly (readonly [string, PixelRisk['code']])[] = [
  ['1.2.840.10008.5.1.4.1.1.7', 'SECONDARY_CAPTURE'], // and .7.1 to .7.4
  ['1.2.840.10008.5.1.4.1.1.3', 'MODALITY'], // ultrasound multi-frame
  ['1.2.840.10008.5.1.4.1.1.6', 'MODALITY'], // ultrasound
  ['1.2.840.10008.5.1.4.1.1.12', 'MODALITY'], // XA, RF
  ['1.2.840.10008.5.1.4.1.1.77.1.1', 'MODALITY'], // endoscopic
  ['1.2.840.10008.5.1.4.1.1.77.1.4', 'MODALITY'], // photographic
]

/** PS3.3 C.8.6.1.1.1: DV digitised video, DI digital interface, DF digitised film, WSD workstation, SD scanned document, SI scanned image, DRW drawing, SYN synthetic. */
const DIGITISED: ReadonlySet<string> = new Set(['DF', 'SD', 'SI', 'DV', 'DI', 'WSD', 'DRW'])
const SCREEN = /SCREEN|CAPTURE|SCAN ?IMAGE|DOSE|PROTOCOL|REPORT|LABEL_?PAGE|SNAPSHOT/i
const PIXELS: readonly Tag[] = [Tags.PixelData, Tags.FloatPixelData, Tags.DoubleFloatPixelData]

export function pixelRisks(file: DicomFile): readonly PixelRisk[] {
  const { dataset } = file
  const risks: PixelRisk[] = []
  if (find(dataset, Tags.EncapsulatedDocument)) {
    risks.push({ code: 'DOCUMENT', what: 'an encapsulated document, whose pages are not searched' })
  }
  risks.push(...overlayRisks(dataset))
  if (!PIXELS.some((t) => find(dataset, t))) return risks
  if (transferSyntax(file.transferSyntax)?.video)
    risks.push({ code: 'VIDEO', what: 'a video, whose frames are not searched' })
  return [...risks, ...classRisks(dataset), ...imageRisks(dataset)]
}

function classRisks(dataset: Dataset): readonly PixelRisk[] {
  const sopClass = string(dataset, Tags.SOPClassUID) ?? ''
  const modality = string(dataset, Tags.Modality) ?? ''
  const risks: PixelRisk[] = []
  const known = RISKY_CLASSES.find(([uid]) => sopClass === uid || sopClass.startsWith(`${uid}.`))
  if (known) risks.push({ code: known[1], what: 'a kind of image that often shows its screen' })
  else if (RISKY_MODALITIES.has(modality))
    risks.push({ code: 'MODALITY', what: 'a modality that often draws text into its images' })
  else if (PROJECTIONS.has(modality))
    risks.push({ code: 'PROJECTION', what: 'a radiograph, which may carry marks and names' })
  else if (looksCaptured(dataset))
    risks.push({ code: 'CAPTURE', what: 'a slice that looks like a capture of one' })
  const conversion = string(dataset, Tags.ConversionType) ?? ''
  if (DIGITISED.has(conversion))
    risks.push({ code: 'FILM_DIGITISER', what: 'digitised or captured from elsewhere' })
  return risks
}

const PROJECTIONS: ReadonlySet<string> = new Set(['CR', 'DX', 'MG', 'PX', 'IO', 'RG', 'DF'])
/** What scanners make is square, but for reformats. */
const SLICED: ReadonlySet<string> = new Set(['CT', 'PT'])

function looksCaptured(dataset: Dataset): boolean {
  const type = find(dataset, Tags.ImageType)
  const [pixels = '', examination = ''] = type ? strings(dataset, type) : []
  const number = (t: Tag): number | undefined => {
    const element = find(dataset, t)
    return element ? Number(numbers(dataset, element)[0]) : undefined
  }
  if (number(Tags.SamplesPerPixel) !== 1) return true
  if (pixels !== 'ORIGINAL' && examination === 'SECONDARY') return true
  const modality = string(dataset, Tags.Modality) ?? ''
  if (
    SLICED.has(modality) &&
    (number(Tags.BitsAllocated) === 8 || number(Tags.Rows) !== number(Tags.Columns))
  )
    return true
  return find(dataset, Tags.ConversionType) !== undefined
}

function imageRisks(dataset: Dataset): readonly PixelRisk[] {
  const risks: PixelRisk[] = []
  const burned = string(dataset, Tags.BurnedInAnnotation)
  if (burned !== undefined && burned !== '' && burned !== 'NO') {
    risks.push({ code: 'BURNED_IN_ANNOTATION', what: 'Burned In Annotation says that there is text' })
  }
  const recognizable = string(dataset, Tags.RecognizableVisualFeatures)
  if (recognizable === 'YES')
    risks.push({ code: 'BURNED_IN_ANNOTATION', what: 'Recognizable Visual Features is YES' })
  const type = find(dataset, Tags.ImageType)
  const types = type ? strings(dataset, type) : []
  if (types.some((value) => SCREEN.test(value)))
    risks.push({ code: 'SCREENSHOT', what: 'Image Type names a screen or a page' })
  const slide = types[2]
  if (slide === 'LABEL' || slide === 'OVERVIEW')
    risks.push({ code: 'LABEL_IMAGE', what: 'a slide label or its overview' })
  return risks
}

function overlayRisks(dataset: Dataset): readonly PixelRisk[] {
  const overlay = dataset.elements.some((element) => {
    const group = groupOf(element.tag)
    return group >= 0x6000 && group <= 0x60ff && group % 2 === 0 && elementOf(element.tag) !== 0
  })
  if (overlay) return [{ code: 'OVERLAY', what: 'an overlay plane, whose bitmap is not read' }]
  return []
}

/** Whether a 60xx group has its bitmap in the pixels' spare bits (PS3.3 C.9.2, retired there). */
export function drawsInPixels(dataset: Dataset): boolean {
  const groups = new Map<number, { data: boolean; position: boolean }>()
  for (const { tag } of dataset.elements) {
    const group = groupOf(tag)
    if (group < 0x6000 || group > 0x60ff || group % 2 === 1) continue
    const seen = groups.get(group) ?? { data: false, position: false }
    if (elementOf(tag) === 0x3000) seen.data = true
    if (elementOf(tag) === 0x0102) seen.position = true
    groups.set(group, seen)
  }
  const of = (t: Tag): number => {
    const element = find(dataset, t)
    return element ? Number(numbers(dataset, element)[0]) : 0
  }
  if (of(Tags.BitsStored) >= of(Tags.BitsAllocated)) return false
  return [...groups.values()].some(({ data, position }) => position && !data)
}
