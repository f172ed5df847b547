// What a slice's header says of its place.  DicomFile ─sliceFacts→ one SliceFacts a frame, or why there is none
//
// PS3.3 C.7.6.2 for single frames, C.7.6.16.2 functional groups (shared, else of the frame) for enhanced ones. A header
// that lacks or contradicts anything that a cut depends on gives 'refused': what cannot be placed cannot be cut.

import type { Dataset, DicomFile, Tag } from '@roentgate/dicom'
import { find, numbers, string, strings, Tags } from '@roentgate/dicom'
import { type Refused, refused, type SliceFacts, type VolumeModality } from './geometry.ts'
import type { Vec } from './vectors.ts'
import { dot, length, scaled } from './vectors.ts'

export type Facts = { readonly kind: 'slices'; readonly slices: readonly SliceFacts[] } | Refused

/** Frames of one file; more than any enhanced head series has. */
const MAX_FRAMES = 20_000
/** Mosaics put many slices into one picture; projections and screens are no slices at all. */
const NO_SLICE = /^(?:MOSAIC|PROJECTION IMAGE|LOCALIZER|REF_SURVIEW|DOSE_?INFO|SCREEN SAVE|MIP|CURVED MPR)$/i
/** Of unit vectors at a right angle, as DS rounds them. */
const ROUNDING = 1e-2

export function sliceFacts(file: DicomFile): Facts {
  const { dataset } = file
  const modality = modalityOf(dataset)
  if (!modality) return refused('a kind of image that is no CT, MR or PET slice')
  if (valuesOf(dataset, Tags.ImageType).some((value) => NO_SLICE.test(value)))
    return refused('a picture that is no single slice')
  if (string(dataset, Tags.PhotometricInterpretation) !== 'MONOCHROME2')
    return refused('samples that are no plain grey')
  const shared = itemsOf(dataset, Tags.SharedFunctionalGroupsSequence)[0]
  const frames = itemsOf(dataset, Tags.PerFrameFunctionalGroupsSequence)
  const count = number(dataset, Tags.NumberOfFrames) ?? 1
  if (count > 1 && frames.length !== count) return refused('frames without a place')
  if (count > MAX_FRAMES) return refused('more frames than a volume may have')
  const slices: SliceFacts[] = []
  for (let frame = 0; frame < count; frame++) {
    const owners = [frames[frame], shared].filter((owner) => owner !== undefined)
    const slice = frameFacts({ dataset, owners, frame, modality })
    if (!slice) return refused('a slice whose place or values are not said')
    slices.push(slice)
  }
  return { kind: 'slices', slices }
}

/** Enhanced and legacy converted classes say MR, CT or PT here too. */
function modalityOf(dataset: Dataset): VolumeModality | undefined {
  const modality = string(dataset, Tags.Modality)
  return modality === 'CT' || modality === 'MR' || modality === 'PT' ? modality : undefined
}

type Frame = {
  readonly dataset: Dataset
  /** Functional groups of the frame, then the shared ones. */
  readonly owners: readonly Dataset[]
  readonly frame: number
  readonly modality: VolumeModality
}

function frameFacts(at: Frame): SliceFacts | undefined {
  const { dataset, frame, modality } = at
  const position = vectorAt(groupValues(at, Tags.PlanePositionSequence, Tags.ImagePositionPatient), 0)
  const directions = groupValues(at, Tags.PlaneOrientationSequence, Tags.ImageOrientationPatient)
  const along = unit(vectorAt(directions, 0))
  const down = unit(vectorAt(directions, 3))
  const [rowSpacing, columnSpacing] = groupValues(at, Tags.PixelMeasuresSequence, Tags.PixelSpacing)
  const rows = number(dataset, Tags.Rows)
  const columns = number(dataset, Tags.Columns)
  const range = rangeOf(dataset)
  if (!position || !along || !down || Math.abs(dot(along, down)) > ROUNDING) return undefined
  if (!rowSpacing || !columnSpacing || !(rowSpacing > 0) || !(columnSpacing > 0)) return undefined
  if (!rows || !columns || !range) return undefined
  const [slope] = groupValues(at, Tags.PixelValueTransformationSequence, Tags.RescaleSlope)
  const [intercept] = groupValues(at, Tags.PixelValueTransformationSequence, Tags.RescaleIntercept)
  if (modality === 'CT' && (slope === undefined || intercept === undefined)) return undefined
  if (slope !== undefined && !(slope > 0)) return undefined
  return {
    series: string(dataset, Tags.SeriesInstanceUID) ?? '',
    frameOfReference: string(dataset, Tags.FrameOfReferenceUID) ?? '',
    instance: string(dataset, Tags.SOPInstanceUID) ?? '',
    frame,
    modality,
    rows,
    columns,
    position,
    along,
    down,
    spacing: [rowSpacing, columnSpacing],
    slope: slope ?? 1,
    intercept: intercept ?? 0,
    range,
  }
}

function rangeOf(dataset: Dataset): readonly [number, number] | undefined {
  const bits = number(dataset, Tags.BitsStored)
  const signed = number(dataset, Tags.PixelRepresentation)
  if (!bits || bits > 16 || number(dataset, Tags.SamplesPerPixel) !== 1 || signed === undefined)
    return undefined
  return signed === 1 ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]
}

/** In a functional group, else at the top level, where single frames have it. */
function groupValues({ dataset, owners }: Frame, group: Tag, t: Tag): readonly number[] {
  for (const owner of owners) {
    const item = itemsOf(owner, group)[0]
    if (item && find(item, t)) return finite(item, t)
  }
  return finite(dataset, t)
}

function finite(dataset: Dataset, t: Tag): readonly number[] {
  const element = find(dataset, t)
  const values = element ? numbers(dataset, element) : []
  return values.every(Number.isFinite) ? values : []
}

function number(dataset: Dataset, t: Tag): number | undefined {
  return finite(dataset, t)[0]
}

function vectorAt(values: readonly number[], at: number): Vec | undefined {
  const [x, y, z] = values.slice(at, at + 3)
  return x === undefined || y === undefined || z === undefined ? undefined : [x, y, z]
}

function unit(vector: Vec | undefined): Vec | undefined {
  if (!vector || Math.abs(length(vector) - 1) > ROUNDING) return undefined
  return scaled(vector, 1 / length(vector))
}

function itemsOf(dataset: Dataset, t: Tag): readonly Dataset[] {
  const value = find(dataset, t)?.value
  return value?.kind === 'items' ? value.items : []
}

function valuesOf(dataset: Dataset, t: Tag): readonly string[] {
  const element = find(dataset, t)
  return element ? strings(dataset, element) : []
}
