// A synthetic study, the same bytes for the same seed: a CT series and an ultrasound cine of one invented person, who
// is named wherever real files name people: in attributes, private ones, nested sequences, free text and pixels.

import { createHash } from 'node:crypto'
import {
  concat,
  type Dataset,
  dataset,
  type Element,
  make,
  newFile,
  Tags,
  tag,
  type Uid,
  writeFile,
} from '@roentgate/dicom'
import { chestSlice, INTERCEPT, randomFrom, sectorFrame } from './phantom.ts'

export type StudyOptions = {
  readonly seed: number
  readonly slices: number
  readonly rows: number
  readonly columns: number
  /** A word that occurs in every planted identifier: whoever finds it in an output has found a leak. */
  readonly canaries?: string
  /** Frames of the cine; none leaves it out. */
  readonly frames?: number
}

export type SyntheticFile = { readonly name: string; readonly bytes: Uint8Array }
export type SyntheticStudy = {
  readonly files: readonly SyntheticFile[]
  /** What must not be found in any output. */
  readonly planted: readonly string[]
}

type Person = {
  readonly family: string
  readonly given: string
  readonly id: string
  readonly birthDate: string
  readonly phone: string
  readonly street: string
  readonly accession: string
  readonly physician: string
  readonly institution: string
}

const FAMILIES = [
  'Okonkwo',
  'Lindqvist',
  'Marchetti',
  'Szabo',
  'Thibodeaux',
  'Yamanaka',
  'Castellanos',
  'Vanterpool',
]
const GIVEN = ['Amara', 'Ingrid', 'Lorenzo', 'Katalin', 'Remy', 'Haruka', 'Ximena', 'Desmond']
const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1' as Uid
const CT_IMAGE = '1.2.840.10008.5.1.4.1.1.2'
const US_MULTIFRAME = '1.2.840.10008.5.1.4.1.1.3.1'
const STUDY_DATE = '20240312'
const CREATOR = 'NORTHVIEW IMAGING 1.0'
/** No element is made twice for this owner: it only says how text and numbers are encoded. */
const OWNER = dataset([], {})

export function syntheticStudy(options: StudyOptions): SyntheticStudy {
  const person = personOf(options)
  const files = Array.from({ length: options.slices }, (_, slice) => ctSlice(options, person, slice))
  if ((options.frames ?? 0) > 0) files.push(usCine(options, person))
  const { family, given, id, phone, accession, physician, institution, street, birthDate } = person
  const planted = [family, given, id, phone, accession, physician, institution, street, birthDate]
  return { files, planted: [...planted, uidOf(options, 'study'), uidOf(options, 'ct')] }
}

function personOf({ seed, canaries }: StudyOptions): Person {
  const random = randomFrom(seed)
  const pick = (from: readonly string[]) => from[Math.floor(random() * from.length)] ?? ''
  const digits = (count: number) => Array.from({ length: count }, () => Math.floor(random() * 10)).join('')
  const mark = (word: string) => (canaries === undefined ? word : `${canaries}${word}`)
  return {
    family: mark(pick(FAMILIES)),
    given: mark(pick(GIVEN)),
    id: mark(`47${digits(6)}`),
    birthDate: `19${5 + Math.floor(random() * 4)}${digits(1)}0${1 + Math.floor(random() * 9)}1${digits(1)}`,
    phone: `555-01${digits(2)}`,
    street: mark(`${digits(3)} Juniper Hollow Road`),
    accession: mark(`NV${digits(7)}`),
    physician: mark(pick(FAMILIES)),
    institution: mark('Northview Valley Hospital'),
  }
}

/** As a scanner makes them, under 2.25. */
function uidOf({ seed, canaries }: StudyOptions, what: string): string {
  const digest = createHash('sha256')
    .update(`${seed} ${canaries ?? ''} ${what}`)
    .digest('hex')
  return `2.25.${BigInt(`0x${digest.slice(0, 30)}`)}`
}

const of = (name: keyof typeof Tags, vr: Element['vr'], value: Parameters<typeof make>[3]): Element =>
  make(OWNER, Tags[name], vr, value)

function item(...elements: readonly Element[]): Dataset {
  return dataset(sorted(elements), {})
}

function sorted(elements: readonly Element[]): readonly Element[] {
  return [...elements].sort((a, b) => a.tag - b.tag)
}

function patient(person: Person): readonly Element[] {
  const name = `${person.family}^${person.given}`
  const other = item(of('PatientID', 'LO', `X${person.id}`), of('TypeOfPatientID', 'CS', 'TEXT'))
  return [
    of('PatientName', 'PN', name),
    of('PatientID', 'LO', person.id),
    of('PatientBirthDate', 'DA', person.birthDate),
    of('PatientSex', 'CS', 'O'),
    of('PatientAge', 'AS', '057Y'),
    of('PatientWeight', 'DS', '71'),
    of('PatientAddress', 'LO', person.street),
    of('PatientTelephoneNumbers', 'SH', person.phone),
    of('OtherPatientIDsSequence', 'SQ', [other]),
    of(
      'PatientComments',
      'LT',
      `${person.given} ${person.family} prefers to be called before 9 am, ${person.phone}.`,
    ),
  ]
}

function study(options: StudyOptions, person: Person, modality: 'CT' | 'US'): readonly Element[] {
  const described = modality === 'CT' ? 'CT chest without contrast' : 'Echocardiogram'
  const request = item(
    of('AccessionNumber', 'SH', person.accession.slice(0, 16)),
    of('ScheduledProcedureStepDescription', 'LO', `${described}, ${person.family}`),
    of('RequestedProcedureID', 'SH', 'RP-20931'),
  )
  return [
    of('StudyInstanceUID', 'UI', uidOf(options, 'study')),
    of('StudyDate', 'DA', STUDY_DATE),
    of('StudyTime', 'TM', '101530'),
    of('SeriesDate', 'DA', STUDY_DATE),
    of('AccessionNumber', 'SH', person.accession.slice(0, 16)),
    of('StudyID', 'SH', '20931'),
    of('ReferringPhysicianName', 'PN', `${person.physician}^Noor^^Dr.`),
    of('OperatorsName', 'PN', 'Abernathy^Quill'),
    of('InstitutionName', 'LO', person.institution),
    of('StationName', 'SH', `NV-${modality}-02`),
    of('StudyDescription', 'LO', described),
    of('RequestAttributesSequence', 'SQ', [request]),
    of('Modality', 'CS', modality),
  ]
}

function privateBlock(person: Person): readonly Element[] {
  return [
    make(OWNER, tag(0x00290010), 'LO', CREATOR),
    make(OWNER, tag(0x00291001), 'LO', `${person.family}, ${person.given} (${person.id})`),
    make(OWNER, tag(0x00291002), 'DS', '1.25'),
  ]
}

function ctSlice(options: StudyOptions, person: Person, slice: number): SyntheticFile {
  const { rows, columns, slices, seed } = options
  const random = randomFrom(seed * 1000 + slice)
  const pixels = chestSlice({ rows, columns, random }, slices < 2 ? 0.5 : slice / (slices - 1))
  const elements = [
    ...image({ rows, columns, bits: 16 }),
    ...patient(person),
    ...study(options, person, 'CT'),
    ...privateBlock(person),
    of('SOPClassUID', 'UI', CT_IMAGE),
    of('SOPInstanceUID', 'UI', uidOf(options, `ct ${slice}`)),
    of('SeriesInstanceUID', 'UI', uidOf(options, 'ct')),
    of('FrameOfReferenceUID', 'UI', uidOf(options, 'frame of reference')),
    of('PositionReferenceIndicator', 'LO', ''),
    of('ImageType', 'CS', ['ORIGINAL', 'PRIMARY', 'AXIAL']),
    of('Manufacturer', 'LO', 'Northview Imaging'),
    of('ManufacturerModelName', 'LO', 'Synthetic One'),
    of('DeviceSerialNumber', 'LO', 'SN-004711'),
    of('SeriesDescription', 'LO', 'Chest 5 mm'),
    of('ProtocolName', 'LO', 'Chest routine'),
    of('SeriesNumber', 'IS', '2'),
    of('AcquisitionNumber', 'IS', '1'),
    of('AcquisitionDateTime', 'DT', `${STUDY_DATE}101612.000`),
    of('InstanceNumber', 'IS', String(slice + 1)),
    of('KVP', 'DS', '120'),
    of('SliceThickness', 'DS', '5'),
    of('ImagePositionPatient', 'DS', ['-180', '-180', String(slice * 5)]),
    of('ImageOrientationPatient', 'DS', ['1', '0', '0', '0', '1', '0']),
    of('PixelSpacing', 'DS', ['0.7', '0.7']),
    of('PatientPosition', 'CS', 'HFS'),
    of('RescaleIntercept', 'DS', String(INTERCEPT)),
    of('RescaleSlope', 'DS', '1'),
    of('RescaleType', 'LO', 'HU'),
    of('WindowCenter', 'DS', '-400'),
    of('WindowWidth', 'DS', '1500'),
    of('ImageComments', 'LT', commentOf(person)),
    make(OWNER, Tags.PixelData, 'OW', pixels),
  ]
  return { name: `CT/IM${String(slice + 1).padStart(4, '0')}.dcm`, bytes: bytesOf(elements) }
}

function commentOf({ given, family, id, phone }: Person): string {
  return `Pt ${given} ${family}, MRN ${id}, reached at ${phone} on 12 March 2024. No nodule. Dr. Abernathy informed.`
}

function usCine(options: StudyOptions, person: Person): SyntheticFile {
  const frames = options.frames ?? 0
  const [rows, columns] = [240, 320]
  const random = randomFrom(options.seed + 7)
  const banner = [`${person.family}, ${person.given}`, `ID: ${person.id}`]
  const pictures = Array.from({ length: frames }, (_, frame) =>
    sectorFrame({ rows, columns, random }, frame / frames, banner),
  )
  const elements = [
    ...image({ rows, columns, bits: 8 }),
    ...patient(person),
    ...study(options, person, 'US'),
    of('SOPClassUID', 'UI', US_MULTIFRAME),
    of('SOPInstanceUID', 'UI', uidOf(options, 'us 0')),
    of('SeriesInstanceUID', 'UI', uidOf(options, 'us')),
    of('ImageType', 'CS', ['ORIGINAL', 'PRIMARY']),
    of('Manufacturer', 'LO', 'Northview Imaging'),
    of('ManufacturerModelName', 'LO', 'Echo Two'),
    of('SeriesDescription', 'LO', 'Apical four chamber'),
    of('SeriesNumber', 'IS', '3'),
    of('InstanceNumber', 'IS', '1'),
    of('NumberOfFrames', 'IS', String(frames)),
    of('FrameTime', 'DS', '40'),
    make(OWNER, Tags.FrameIncrementPointer, 'AT', [Tags.FrameTime]),
    make(OWNER, Tags.PixelData, 'OB', concat(pictures)),
  ]
  return { name: 'US/CINE0001.dcm', bytes: bytesOf(elements) }
}

type Layout = { readonly rows: number; readonly columns: number; readonly bits: 8 | 16 }

function image({ rows, columns, bits }: Layout): readonly Element[] {
  return [
    of('SamplesPerPixel', 'US', [1]),
    of('PhotometricInterpretation', 'CS', 'MONOCHROME2'),
    of('Rows', 'US', [rows]),
    of('Columns', 'US', [columns]),
    of('BitsAllocated', 'US', [bits]),
    of('BitsStored', 'US', [bits]),
    of('HighBit', 'US', [bits - 1]),
    of('PixelRepresentation', 'US', [0]),
  ]
}

function bytesOf(elements: readonly Element[]): Uint8Array {
  const file = newFile({ dataset: dataset(sorted(elements), {}), transferSyntax: EXPLICIT_LITTLE })
  return concat([...writeFile(file)])
}
