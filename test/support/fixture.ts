// One synthetic image of our own making, with every VR, private and nested elements, two frames: what peers are fed.

import {
  type Dataset,
  type DicomFile,
  dataset,
  type Element,
  type Encoding,
  fromBytes,
  make,
  type NewValue,
  newFile,
  sequence,
  Tags,
  tag,
  type Uid,
  type Vr,
} from '@roentgate/dicom'

export const IMPLICIT = '1.2.840.10008.1.2' as Uid
export const EXPLICIT = '1.2.840.10008.1.2.1' as Uid
export const DEFLATED = '1.2.840.10008.1.2.1.99' as Uid
export const BIG_ENDIAN = '1.2.840.10008.1.2.2' as Uid

export const ROWS = 32
export const FRAMES = 2
const LITTLE: Encoding = { explicit: true, bigEndian: false }
const UTF8 = ['ISO_IR 192']

type Entry = readonly [t: number, vr: Vr, value: NewValue]

/** Every VR but SQ, OD, OL, OV, SV, UV that older peers do not know. */
const ENTRIES: readonly Entry[] = [
  [Tags.SpecificCharacterSet, 'CS', UTF8],
  [Tags.ImageType, 'CS', ['ORIGINAL', 'PRIMARY']],
  [Tags.SOPClassUID, 'UI', '1.2.840.10008.5.1.4.1.1.7.2'],
  [Tags.SOPInstanceUID, 'UI', '2.25.329800735698586629295641978511506172918'],
  [Tags.StudyDate, 'DA', '20200229'],
  [Tags.AcquisitionDateTime, 'DT', '20200229235959.123456+0100'],
  [Tags.StudyTime, 'TM', '235959.5'],
  [Tags.AccessionNumber, 'SH', ''],
  [Tags.RetrieveAETitle, 'AE', 'STORE'],
  [Tags.Modality, 'CS', 'OT'],
  [Tags.ConversionType, 'CS', 'WSD'],
  [Tags.ReferringPhysicianName, 'PN', ''],
  [Tags.PatientName, 'PN', 'Yamada^Tarou=山田^太郎=やまだ^たろう'],
  [Tags.PatientID, 'LO', 'ID-1234567'],
  [Tags.PatientBirthDate, 'DA', ''],
  [Tags.PatientSex, 'CS', 'O'],
  [Tags.PatientAge, 'AS', '042Y'],
  [Tags.PatientWeight, 'DS', ['70.5']],
  [Tags.PatientComments, 'LT', ' first line\r\nsecond \\ line'],
  [Tags.StudyInstanceUID, 'UI', '2.25.1'],
  [Tags.SeriesInstanceUID, 'UI', '2.25.2'],
  [Tags.StudyID, 'SH', ''],
  [Tags.SeriesNumber, 'IS', ''],
  [Tags.InstanceNumber, 'IS', '-7'],
  [Tags.FrameIncrementPointer, 'AT', [Tags.FrameTime]],
  [Tags.FrameTime, 'DS', '40'],
  [Tags.TagAngleSecondAxis, 'SS', [-32768]],
  [Tags.ReferencePixelX0, 'SL', [-2147483648]],
  [Tags.RecommendedDisplayFrameRateInFloat, 'FL', [-2.5]],
  [Tags.TableOfYBreakPoints, 'FD', [0.125, -1e10]],
  [Tags.SelectorOFValue, 'OF', [1, 2]],
  [Tags.SelectorULValue, 'UL', [4294967295, 0]],
  [Tags.SelectorUTValue, 'UT', 'text without an end '.repeat(2000)],
  [Tags.SelectorUNValue, 'UN', new Uint8Array([1, 2, 3, 4])],
  [Tags.SelectorOBValue, 'OB', new Uint8Array([1, 2, 3, 4])],
  [Tags.SelectorOWValue, 'OW', [258, 772]],
  [Tags.SelectorUCValue, 'UC', ['one', 'two']],
  [Tags.SelectorURValue, 'UR', 'http://localhost/a?b=c'],
  [Tags.InstitutionAddress, 'ST', '1 Main Street'],
]

/** `bits` of one sample: 8 or 16. */
export function image(bits: 8 | 16, transferSyntax: Uid = EXPLICIT): DicomFile {
  const owner = dataset([], { charset: UTF8 })
  const elements = [...ENTRIES, ...imageEntries(bits)].map(([t, vr, value]) => make(owner, tag(t), vr, value))
  elements.push(nested(owner), ...privates(owner), pixels(bits))
  return newFile({ dataset: dataset(elements, { encoding: LITTLE, charset: UTF8 }), transferSyntax })
}

function imageEntries(bits: 8 | 16): readonly Entry[] {
  return [
    [Tags.SamplesPerPixel, 'US', [1]],
    [Tags.PhotometricInterpretation, 'CS', 'MONOCHROME2'],
    [Tags.NumberOfFrames, 'IS', `${FRAMES}`],
    [Tags.Rows, 'US', [ROWS]],
    [Tags.Columns, 'US', [ROWS]],
    [Tags.BitsAllocated, 'US', [bits]],
    [Tags.BitsStored, 'US', [bits]],
    [Tags.HighBit, 'US', [bits - 1]],
    [Tags.PixelRepresentation, 'US', [0]],
  ]
}

function nested(owner: Dataset): Element {
  let item = dataset([make(owner, Tags.CodeMeaning, 'LO', 'innermost')], { charset: UTF8 })
  for (let depth = 0; depth < 5; depth += 1) {
    const own = make(owner, Tags.CodeValue, 'SH', `${depth}`)
    item = dataset([own, sequence(Tags.EquivalentCodeSequence, [item, dataset([])])], { charset: UTF8 })
  }
  return sequence(Tags.AnatomicRegionSequence, [item])
}

function privates(owner: Dataset): readonly Element[] {
  const inner = dataset([
    make(owner, tag(0x00110010), 'LO', 'ROENTGATE TEST'),
    make(owner, tag(0x00111002), 'LO', 'b'),
  ])
  return [
    make(owner, tag(0x00110010), 'LO', 'ROENTGATE TEST'),
    make(owner, tag(0x00111001), 'LO', 'a'),
    make(owner, tag(0x00111003), 'US', [1, 2]),
    sequence(tag(0x00111004), [inner]),
  ]
}

/** A gradient that no codec leaves as it is by luck. */
function pixels(bits: 8 | 16): Element {
  const bytes = new Uint8Array(ROWS * ROWS * FRAMES * (bits / 8)).map((_, index) => (index * index) >>> 3)
  const source = fromBytes(bytes)
  const vr = bits === 8 ? 'OB' : 'OW'
  return {
    tag: Tags.PixelData,
    vr,
    value: { kind: 'bulk', source, span: { offset: 0, length: bytes.length } },
  }
}
