// Which instances may show, or be reconstructed into, a recognisable face (PS3.15 E.3.2, CID 7050 113102), from the
// header alone.  DicomFile → region × geometry × kind of object → FaceRisk
//
// A slice counts when its series can be: many thin slices of a head make a surface that face recognition matches. One
// instance cannot know its series, so each is judged by itself and the answer is the careful one. Words of descriptions
// decide and are never repeated. Recognizable Visual Features = NO is a claim of the sender and is not taken as proof.

import type { Dataset, DicomFile, Tag } from '@roentgate/dicom'
import { find, numbers, string, strings, Tags } from '@roentgate/dicom'
import { HEAD_LIKE_FIELD, type Region, regionOfCode, regionOfWords } from './face-regions.ts'

export type FaceRisk = { readonly kind: 'none' } | { readonly kind: 'possible'; readonly what: string }

const NONE: FaceRisk = { kind: 'none' }
const PIXELS: readonly Tag[] = [Tags.PixelData, Tags.FloatPixelData, Tags.DoubleFloatPixelData]

/** From here on slices lose the face between them: one that is thicker makes no surface. */
const THICK_MM = 10
/** A localiser from here on is a few pictures; thinner ones (isotropic head scouts) are volumes. */
const THICK_LOCALISER_MM = 5
/** A PET pixel from here on blurs what tells one face from another, unless the header names the head. */
const COARSE_PET_MM = 4

type Family = 'CT' | 'MR' | 'PT'

/** Storage classes of volumes that a face can be reconstructed from, where Modality says nothing of use. */
const CLASSES: readonly (readonly [string, Family])[] = [
  ['1.2.840.10008.5.1.4.1.1.2', 'CT'], // CT, enhanced .1, legacy converted .2
  ['1.2.840.10008.5.1.4.1.1.4', 'MR'], // MR, enhanced .1, enhanced colour .3, legacy converted .4
  ['1.2.840.10008.5.1.4.1.1.128', 'PT'], // PET, legacy converted .1
  ['1.2.840.10008.5.1.4.1.1.130', 'PT'], // enhanced PET
  ['1.2.840.10008.5.1.4.1.1.13.1.2', 'CT'], // X-Ray 3D craniofacial: cone beam
]
const CRANIOFACIAL = '1.2.840.10008.5.1.4.1.1.13.1.2'
const PHOTOGRAPHS: readonly string[] = [
  '1.2.840.10008.5.1.4.1.1.77.1.4', // VL photographic
  '1.2.840.10008.5.1.4.1.1.77.1.4.1', // video photographic
]
const LOCALISER = /LOCALI[SZ]ER|SCOUT|SURVIEW|TOPOGRAM/i

export function faceRisk(file: DicomFile): FaceRisk {
  const { dataset } = file
  if (string(dataset, Tags.RecognizableVisualFeatures)?.toUpperCase() === 'YES')
    return possible('Recognizable Visual Features is YES')
  if (find(dataset, Tags.StructureSetROISequence)) return structureRisk(dataset)
  if (!PIXELS.some((t) => find(dataset, t))) return NONE
  if (isPhotograph(dataset)) {
    return regionOf(dataset) === 'other' ? NONE : possible('a photograph that may show a face')
  }
  const family = familyOf(dataset)
  return family ? volumeRisk(dataset, family) : NONE
}

function possible(what: string): FaceRisk {
  return { kind: 'possible', what }
}

function isPhotograph(dataset: Dataset): boolean {
  return (
    PHOTOGRAPHS.includes(string(dataset, Tags.SOPClassUID) ?? '') || string(dataset, Tags.Modality) === 'XC'
  )
}

function familyOf(dataset: Dataset): Family | undefined {
  const modality = string(dataset, Tags.Modality)
  if (modality === 'CT' || modality === 'MR' || modality === 'PT') return modality
  const sopClass = string(dataset, Tags.SOPClassUID) ?? ''
  return CLASSES.find(([uid]) => sopClass === uid || sopClass.startsWith(`${uid}.`))?.[1]
}

function volumeRisk(dataset: Dataset, family: Family): FaceRisk {
  const geometry = geometryOf(dataset)
  if (isLocaliser(dataset, family, geometry.thickness)) return NONE
  if (geometry.thickness !== undefined && geometry.thickness >= THICK_MM) return NONE
  const region = string(dataset, Tags.SOPClassUID) === CRANIOFACIAL ? 'head' : regionOf(dataset)
  switch (region) {
    case 'head':
      return possible(`${family} slices of a head, from which a face can be reconstructed`)
    case 'whole':
      return possible(`${family} slices of a whole body, which include the head`)
    case 'near':
      return isHeadLike(geometry, family) || geometry.field === undefined
        ? possible(`${family} slices beside the head, wide enough to include a face`)
        : NONE
    case 'other':
      return NONE
    case 'unknown':
      if (family === 'PT' && (geometry.spacing ?? 0) >= COARSE_PET_MM) return NONE
      return isHeadLike(geometry, family)
        ? possible(`${family} slices of an unknown body part, in a field of view as wide as a head`)
        : NONE
    default:
      return region satisfies never
  }
}

/** CT localisers are projections. Those of MR are slices: only thick ones are let pass. */
function isLocaliser(dataset: Dataset, family: Family, thickness: number | undefined): boolean {
  if (!valuesOf(dataset, Tags.ImageType).some((value) => LOCALISER.test(value))) return false
  return family === 'CT' || (thickness !== undefined && thickness >= THICK_LOCALISER_MM)
}

type Geometry = {
  /** mm between slices where it is known, else their thickness. */
  readonly thickness: number | undefined
  readonly spacing: number | undefined
  /** mm: the shorter and the longer side. */
  readonly field: readonly [number, number] | undefined
}

function isHeadLike({ field }: Geometry, family: Family): boolean {
  if (!field) return false
  const { min, max } = HEAD_LIKE_FIELD[family]
  return field[0] >= min && field[1] <= max
}

function geometryOf(dataset: Dataset): Geometry {
  const measures = groupItems(dataset, Tags.PixelMeasuresSequence)[0] ?? dataset
  const [rowSpacing, columnSpacing] = positives(measures, Tags.PixelSpacing)
  const [rows] = positives(dataset, Tags.Rows)
  const [columns] = positives(dataset, Tags.Columns)
  const thick = [
    ...positives(measures, Tags.SliceThickness),
    ...positives(measures, Tags.SpacingBetweenSlices),
  ]
  const sides =
    rowSpacing && columnSpacing && rows && columns
      ? ([rows * rowSpacing, columns * columnSpacing] as const)
      : undefined
  return {
    thickness: thick.length > 0 ? Math.min(...thick) : undefined,
    spacing: rowSpacing,
    field: sides && [Math.min(...sides), Math.max(...sides)],
  }
}

function positives(dataset: Dataset, t: Tag): readonly number[] {
  const element = find(dataset, t)
  return element ? numbers(dataset, element).filter((value) => Number.isFinite(value) && value > 0) : []
}

/** The items of a functional group: shared, else of the frames (PS3.3 C.7.6.16). */
function groupItems(dataset: Dataset, t: Tag): readonly Dataset[] {
  const groups = [
    ...itemsOf(dataset, Tags.SharedFunctionalGroupsSequence),
    ...itemsOf(dataset, Tags.PerFrameFunctionalGroupsSequence),
  ]
  return groups.flatMap((group) => itemsOf(group, t))
}

function itemsOf(dataset: Dataset, t: Tag): readonly Dataset[] {
  const value = find(dataset, t)?.value
  return value?.kind === 'items' ? value.items : []
}

function valuesOf(dataset: Dataset, t: Tag): readonly string[] {
  const element = find(dataset, t)
  return element ? strings(dataset, element) : []
}

const WORDS: readonly Tag[] = [
  Tags.StudyDescription,
  Tags.SeriesDescription,
  Tags.ProtocolName,
  Tags.RequestedProcedureDescription,
  Tags.PerformedProcedureStepDescription,
  Tags.AcquisitionProtocolName,
  Tags.AcquisitionProtocolDescription,
]
/** What wins where the parts of a header say different things: the face first. */
const ORDER: readonly Region[] = ['head', 'whole', 'near', 'other']

function regionOf(dataset: Dataset): Region {
  const said: Region[] = valuesOf(dataset, Tags.BodyPartExamined).map(regionOfWords)
  const anatomy = groupItems(dataset, Tags.FrameAnatomySequence)
  for (const owner of [dataset, ...anatomy]) {
    for (const code of itemsOf(owner, Tags.AnatomicRegionSequence)) {
      said.push(regionOfCode(string(code, Tags.CodeValue) ?? ''))
      said.push(regionOfWords(string(code, Tags.CodeMeaning) ?? ''))
    }
  }
  for (const t of WORDS) said.push(regionOfWords(string(dataset, t) ?? ''))
  return ORDER.find((region) => said.includes(region)) ?? 'unknown'
}

/** The outline of a body, by its interpreted type or by the names that planning systems give it. */
const OUTLINE = /^(?:EXTERNAL|BODY|SKIN|OUTLINE|OUTER.?CONTOUR|KOERPER|KÖRPER|HAUT|FACE)\b/i

/** PS3.3 C.8.8.5, C.8.8.8. A structure set names no modality's slices, so an unknown region counts. */
function structureRisk(dataset: Dataset): FaceRisk {
  if (regionOf(dataset) === 'other') return NONE
  const typed = itemsOf(dataset, Tags.RTROIObservationsSequence).some(
    (item) => string(item, Tags.RTROIInterpretedType)?.toUpperCase() === 'EXTERNAL',
  )
  const named = itemsOf(dataset, Tags.StructureSetROISequence).some((item) =>
    OUTLINE.test(string(item, Tags.ROIName) ?? ''),
  )
  return typed || named ? possible('contours of the outline of a body, which may include a face') : NONE
}
