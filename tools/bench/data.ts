// What the benchmarks run over, made by our own writer: the same bytes for the same arguments, nobody's data.

import { closeSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Dataset, Element, NewValue, Tag, Uid, Vr } from '@roentgate/dicom'
import { concat, dataset, make, newFile, sequence, Tags, tag, writeFile } from '@roentgate/dicom'

const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1' as Uid
const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2'
const NM_IMAGE = '1.2.840.10008.5.1.4.1.1.20'
const ROOT = '1.2.826.0.1.3680043.10.1537'
const OWNER: Dataset = dataset([], { charset: ['ISO_IR 100'] })

function element(t: Tag, vr: Vr, value: NewValue): Element {
  return make(OWNER, t, vr, value)
}

export type Shape = { readonly rows: number; readonly columns: number }
export type Series = Shape & { readonly folder: string; readonly files: number; readonly from?: number }

/** A CT series of one patient; returns its bytes. */
export function writeSeries({ folder, files, rows, columns, from = 0 }: Series): number {
  mkdirSync(folder, { recursive: true })
  const phantom = phantomOf({ rows, columns })
  const noise = noiseOf(rows * columns * 2)
  let bytes = 0
  for (let slice = from; slice < from + files; slice++) {
    const pixels = slicePixels(phantom, noise, slice)
    const file = concat([...writeFile(ctSlice(slice, { rows, columns }, pixels))])
    writeFileSync(join(folder, `IM${String(slice).padStart(6, '0')}.dcm`), file)
    bytes += file.length
  }
  return bytes
}

/** Air, a body and two lungs, in stored values. */
function phantomOf({ rows, columns }: Shape): Uint16Array {
  const out = new Uint16Array(rows * columns)
  for (let y = 0; y < rows; y++) {
    for (let x = 0; x < columns; x++) {
      const u = (2 * x) / columns - 1
      const v = (2 * y) / rows - 1
      const lung = ((Math.abs(u) - 0.38) / 0.24) ** 2 + (v / 0.42) ** 2 < 1
      const body = (u / 0.85) ** 2 + (v / 0.65) ** 2 < 1
      out[y * columns + x] = lung ? 180 : body ? 1060 : 24
    }
  }
  return out
}

function noiseOf(length: number): Uint8Array {
  const out = new Uint8Array(length)
  let state = 0x2545f491
  for (let at = 0; at < length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    out[at] = state & 31
  }
  return out
}

/** No two slices are the same bytes. */
function slicePixels(phantom: Uint16Array, noise: Uint8Array, slice: number): Uint8Array {
  const out = new Uint16Array(phantom.length)
  const from = (slice * 7919) % phantom.length
  for (let at = 0; at < out.length; at++) out[at] = (phantom[at] ?? 0) + (noise[from + at] ?? 0)
  return new Uint8Array(out.buffer)
}

function ctSlice(slice: number, { rows, columns }: Shape, pixels: Uint8Array) {
  const z = (slice * 0.625 - 300).toFixed(3)
  const elements = [
    ...commonElements(`${ROOT}.3.${slice + 1}`, CT_IMAGE, 'CT'),
    element(Tags.ImageType, 'CS', ['ORIGINAL', 'PRIMARY', 'AXIAL']),
    element(Tags.ScanOptions, 'CS', 'HELICAL MODE'),
    element(Tags.SliceThickness, 'DS', '0.625'),
    element(Tags.KVP, 'DS', '120'),
    element(Tags.DataCollectionDiameter, 'DS', '500'),
    element(Tags.ProtocolName, 'LO', '5.1 CHEST ROUTINE'),
    element(Tags.ReconstructionDiameter, 'DS', '360'),
    element(Tags.GantryDetectorTilt, 'DS', '0'),
    element(Tags.TableHeight, 'DS', '157.5'),
    element(Tags.ExposureTime, 'IS', '600'),
    element(Tags.XRayTubeCurrent, 'IS', String(200 + (slice % 90))),
    element(Tags.Exposure, 'IS', '2'),
    element(Tags.ConvolutionKernel, 'SH', 'STANDARD'),
    element(Tags.PatientPosition, 'CS', 'FFS'),
    element(Tags.AcquisitionNumber, 'IS', '1'),
    element(Tags.InstanceNumber, 'IS', String(slice + 1)),
    element(Tags.ImagePositionPatient, 'DS', ['-180.000', '-180.000', z]),
    element(Tags.ImageOrientationPatient, 'DS', ['1', '0', '0', '0', '1', '0']),
    element(Tags.FrameOfReferenceUID, 'UI', `${ROOT}.4`),
    element(Tags.PositionReferenceIndicator, 'LO', 'SN'),
    element(Tags.SliceLocation, 'DS', z),
    element(Tags.PixelSpacing, 'DS', ['0.703125', '0.703125']),
    element(Tags.WindowCenter, 'DS', ['40', '-600']),
    element(Tags.WindowWidth, 'DS', ['400', '1500']),
    element(Tags.RescaleIntercept, 'DS', '-1024'),
    element(Tags.RescaleSlope, 'DS', '1'),
    element(Tags.RequestAttributesSequence, 'SQ', [requestItem()]),
    element(Tags.ReferencedStudySequence, 'SQ', [referenceItem('1.2.840.10008.3.1.2.3.1', `${ROOT}.1`)]),
    ...privateElements(slice),
    ...imageElements({ rows, columns, bits: 16 }),
    element(Tags.PixelData, 'OW', pixels),
  ]
  return fileOf(elements)
}

function fileOf(elements: readonly Element[]) {
  return newFile({
    dataset: dataset(elements, { charset: ['ISO_IR 100'] }),
    transferSyntax: EXPLICIT_LITTLE,
  })
}

/** Patient, study, equipment: what every instance of a study repeats. */
function commonElements(instance: string, sopClass: string, modality: string): readonly Element[] {
  return [
    element(Tags.SpecificCharacterSet, 'CS', 'ISO_IR 100'),
    element(Tags.SOPClassUID, 'UI', sopClass),
    element(Tags.SOPInstanceUID, 'UI', instance),
    element(Tags.StudyDate, 'DA', '20240311'),
    element(Tags.SeriesDate, 'DA', '20240311'),
    element(Tags.AcquisitionDate, 'DA', '20240311'),
    element(Tags.ContentDate, 'DA', '20240311'),
    element(Tags.StudyTime, 'TM', '101502'),
    element(Tags.SeriesTime, 'TM', '101733.411'),
    element(Tags.ContentTime, 'TM', '101805.127'),
    element(Tags.AccessionNumber, 'SH', 'A2403110093'),
    element(Tags.Modality, 'CS', modality),
    element(Tags.Manufacturer, 'LO', 'ACME MEDICAL'),
    element(Tags.InstitutionName, 'LO', 'Lindenhof Klinik Süd'),
    element(Tags.ReferringPhysicianName, 'PN', 'Brunner^Katharina^^Dr.'),
    element(Tags.StationName, 'SH', 'CT99LHS'),
    element(Tags.StudyDescription, 'LO', 'CT CHEST W CONTRAST'),
    element(Tags.SeriesDescription, 'LO', 'Axial 0.625 lung'),
    element(Tags.PhysiciansOfRecord, 'PN', 'Oppenheim^Ruth'),
    element(Tags.OperatorsName, 'PN', 'Vasquez^Tomas'),
    element(Tags.ManufacturerModelName, 'LO', 'Rotor 64'),
    element(Tags.PatientName, 'PN', 'Hürlimann^Annegret'),
    element(Tags.PatientID, 'LO', 'LHS-0048213'),
    element(Tags.PatientBirthDate, 'DA', '19570923'),
    element(Tags.PatientSex, 'CS', 'F'),
    element(Tags.OtherPatientIDs, 'LO', ['48213-OLD', 'XK88123']),
    element(Tags.PatientAge, 'AS', '066Y'),
    element(Tags.PatientWeight, 'DS', '68.5'),
    element(Tags.PatientAddress, 'LO', 'Ahornweg 14, 3012 Bern'),
    element(Tags.AdditionalPatientHistory, 'LT', 'Persistent cough, rule out nodule. Prior study elsewhere.'),
    element(Tags.DeviceSerialNumber, 'LO', 'R64-77120'),
    element(Tags.SoftwareVersions, 'LO', 'v7.2.1'),
    element(Tags.StudyInstanceUID, 'UI', `${ROOT}.1`),
    element(Tags.SeriesInstanceUID, 'UI', `${ROOT}.2`),
    element(Tags.StudyID, 'SH', '93'),
    element(Tags.SeriesNumber, 'IS', '2'),
  ]
}

function requestItem(): Dataset {
  return dataset([
    element(Tags.RequestedProcedureDescription, 'LO', 'CT thorax with contrast'),
    element(Tags.ScheduledProcedureStepID, 'SH', 'SPS7731'),
    element(Tags.RequestedProcedureID, 'SH', 'RP7731'),
  ])
}

function referenceItem(sopClass: string, instance: string): Dataset {
  return dataset([
    element(Tags.ReferencedSOPClassUID, 'UI', sopClass),
    element(Tags.ReferencedSOPInstanceUID, 'UI', instance),
  ])
}

const PER_BLOCK = 9

/** Three blocks of one vendor, 30 elements with their creators, some of them text. */
function privateElements(slice: number): readonly Element[] {
  const out: Element[] = []
  for (const group of [0x0009, 0x0019, 0x0043]) {
    out.push(element(tag(group * 0x10000 + 0x10), 'LO', `GEMS_${group.toString(16).padStart(2, '0')}_01`))
    for (let low = 0; low < PER_BLOCK; low++) {
      const at = tag(group * 0x10000 + 0x1000 + low + 2)
      if (low % 3 === 0) out.push(element(at, 'LO', `scan ${slice} part ${low}`))
      else if (low % 3 === 1) out.push(element(at, 'DS', ['1.25', String(low)]))
      else out.push(element(at, 'OB', new Uint8Array(256).fill(low)))
    }
  }
  return out
}

type Image = Shape & { readonly bits: 8 | 16 }

function imageElements({ rows, columns, bits }: Image): readonly Element[] {
  return [
    element(Tags.SamplesPerPixel, 'US', [1]),
    element(Tags.PhotometricInterpretation, 'CS', 'MONOCHROME2'),
    element(Tags.Rows, 'US', [rows]),
    element(Tags.Columns, 'US', [columns]),
    element(Tags.BitsAllocated, 'US', [bits]),
    element(Tags.BitsStored, 'US', [bits]),
    element(Tags.HighBit, 'US', [bits - 1]),
    element(Tags.PixelRepresentation, 'US', [0]),
    element(Tags.BurnedInAnnotation, 'CS', 'NO'),
  ]
}

/** One nuclear medicine cine of just under 4 GiB, the most that native pixel data can be: its pixels are a hole. */
export function writeGiant(path: string, frames = 2047): number {
  const frame = 1024 * 1024 * 2
  const length = frame * frames
  const header = concat([
    ...writeFile(
      fileOf([
        ...commonElements(`${ROOT}.9`, NM_IMAGE, 'NM'),
        element(Tags.ImageType, 'CS', ['ORIGINAL', 'PRIMARY', 'DYNAMIC', 'EMISSION']),
        element(Tags.InstanceNumber, 'IS', '1'),
        element(Tags.NumberOfFrames, 'IS', String(frames)),
        element(Tags.FrameIncrementPointer, 'AT', [Tags.FrameTime]),
        element(Tags.FrameTime, 'DS', '40'),
        sequence(Tags.RadiopharmaceuticalInformationSequence, []),
        ...imageElements({ rows: 1024, columns: 1024, bits: 16 }),
        element(Tags.PixelData, 'OW', new Uint8Array(0)),
      ]),
    ),
  ])
  new DataView(header.buffer).setUint32(header.length - 4, length, true)
  const descriptor = openSync(path, 'w')
  try {
    writeSync(descriptor, header)
    ftruncateSync(descriptor, header.length + length)
  } finally {
    closeSync(descriptor)
  }
  return header.length + length
}
