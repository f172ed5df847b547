// What a recipe that says `safe-harbor: true` may not retain: 45 CFR 164.514(b)(2)(i), letter by letter, as DICOM
// attributes. This refuses rules and options; it does not make a release de-identified by itself.

import { formatTag, type Tag, tag } from '@roentgate/dicom'
import type { Option, Selector } from '../model.ts'
import type { Dictionary } from './dictionary.ts'
import { attributesOf } from './selectors.ts'

export type Letter = 'A' | 'B' | 'C' | 'D' | 'F' | 'H' | 'I' | 'J' | 'K' | 'M' | 'N' | 'O' | 'R'

/** Whole VRs: a person, a date, a UID or an address on the network, whatever the attribute. AS: ages over 89. */
export const IDENTIFYING_VRS: Readonly<Record<string, Letter>> = {
  PN: 'A',
  DA: 'C',
  DT: 'C',
  AS: 'C',
  UR: 'N',
  UI: 'R',
}

/** Attributes whose VR does not tell. Letters E, G, L, P and Q have no attribute of their own in PS3.6. */
export const IDENTIFYING_ATTRIBUTES: readonly (readonly [Letter, number, string])[] = [
  ['B', 0x00080081, 'InstitutionAddress'],
  ['B', 0x00080092, 'ReferringPhysicianAddress'],
  ['B', 0x00101040, 'PatientAddress'],
  ['B', 0x00102150, 'CountryOfResidence'],
  ['B', 0x00102152, 'RegionOfResidence'],
  ['B', 0x00380300, 'CurrentPatientLocation'],
  ['B', 0x00380400, 'PatientInstitutionResidence'],
  ['B', 0x00401102, 'PersonAddress'],
  ['D', 0x00080094, 'ReferringPhysicianTelephoneNumbers'],
  ['D', 0x00102154, 'PatientTelephoneNumbers'],
  ['D', 0x00401103, 'PersonTelephoneNumbers'],
  ['D', 0x00402010, 'OrderCallbackPhoneNumber'],
  ['F', 0x00102155, 'PatientTelecomInformation'],
  ['F', 0x00401104, 'PersonTelecomInformation'],
  ['H', 0x00100020, 'PatientID'],
  ['H', 0x00100021, 'IssuerOfPatientID'],
  ['H', 0x00101000, 'OtherPatientIDs'],
  ['H', 0x00101002, 'OtherPatientIDsSequence'],
  ['H', 0x00101090, 'MedicalRecordLocator'],
  ['I', 0x00101050, 'InsurancePlanIdentification'],
  ['J', 0x00380010, 'AdmissionID'],
  ['J', 0x00380060, 'ServiceEpisodeID'],
  ['K', 0x00101080, 'MilitaryRank'],
  ['K', 0x00101081, 'BranchOfService'],
  ['M', 0x00081010, 'StationName'],
  ['M', 0x00181000, 'DeviceSerialNumber'],
  ['M', 0x00181004, 'PlateID'],
  ['M', 0x00181005, 'GeneratorID'],
  ['M', 0x00181007, 'CassetteID'],
  ['M', 0x00181008, 'GantryID'],
  ['M', 0x00181009, 'UniqueDeviceIdentifier'],
  ['M', 0x0018100a, 'UDISequence'],
  ['M', 0x0018700a, 'DetectorID'],
  ['O', 0x00080055, 'StationAETitle'],
  ['O', 0x00400241, 'PerformedStationAETitle'],
  ['R', 0x00080050, 'AccessionNumber'],
  ['R', 0x00200010, 'StudyID'],
  ['R', 0x00401001, 'RequestedProcedureID'],
  ['R', 0x00402016, 'PlacerOrderNumberImagingServiceRequest'],
  ['R', 0x00402017, 'FillerOrderNumberImagingServiceRequest'],
  ['R', 0x00120040, 'ClinicalTrialSubjectID'],
] // biome-ignore format: one table

/** Options whose columns retain what the list names. */
export const IDENTIFYING_OPTIONS: ReadonlyMap<Option, string> = new Map<Option, string>([
  ['full-dates', 'C: all elements of dates except the year'],
  ['modified-dates', 'C: all elements of dates except the year; a shifted date still has a day and a month'],
  ['device', 'M: device identifiers and serial numbers'],
  ['institution', 'B: geographic subdivisions smaller than a State'],
  ['uids', 'R: any other unique identifying number'],
])

const ATTRIBUTES: ReadonlyMap<Tag, Letter> = new Map(
  IDENTIFYING_ATTRIBUTES.map(([letter, t]) => [tag(t), letter]),
)

/** Which identifier of the list keeping this would retain, in words; undefined where none. */
export function retains(select: Selector, dictionary: Dictionary): string | undefined {
  if (select.kind === 'vr') return words(IDENTIFYING_VRS[select.vr], `VR ${select.vr}`)
  if (select.kind === 'private') return undefined
  for (const attribute of attributesOf(select, dictionary)) {
    const listed = words(ATTRIBUTES.get(attribute), formatTag(attribute))
    if (listed !== undefined) return listed
    for (const vr of dictionary.vrsOf(attribute) ?? []) {
      const found = words(IDENTIFYING_VRS[vr], `${formatTag(attribute)}, a ${vr}`)
      if (found !== undefined) return found
    }
  }
  return undefined
}

function words(letter: Letter | undefined, what: string): string | undefined {
  return letter === undefined ? undefined : `${what}, which is letter (${letter}) of the list`
}
