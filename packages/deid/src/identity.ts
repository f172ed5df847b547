// Whose instance this is, and by what the patient could be recognised in other channels: the dictionary for text
// cleaning and for verify. All of it is PHI and lives in memory only.

import type { Dataset, DicomFile, Element, Tag } from '@roentgate/dicom'
import { decodeText, groupOf, isPrivate, isWellKnown, string, strings, Tags } from '@roentgate/dicom'
import { isClassAttribute } from './decide.ts'
import type { Identifier } from './text/identifiers.ts'

export type Identity = {
  readonly patientId: string
  readonly issuer: string
  readonly name: string
  readonly birthDate: string
  readonly study: string
  readonly series: string
  readonly sopInstance: string
  readonly sopClass: string
}

export function identityOf({ dataset }: DicomFile): Identity {
  const value = (t: Tag): string => string(dataset, t) ?? ''
  return {
    patientId: value(Tags.PatientID),
    issuer: value(Tags.IssuerOfPatientID),
    name: value(Tags.PatientName),
    birthDate: value(Tags.PatientBirthDate),
    study: value(Tags.StudyInstanceUID),
    series: value(Tags.SeriesInstanceUID),
    sopInstance: value(Tags.SOPInstanceUID),
    sopClass: value(Tags.SOPClassUID),
  }
}

type Kind = Identifier['kind']

/** What each attribute identifies. PN elsewhere are persons; dates elsewhere are dates. */
const KINDS: ReadonlyMap<Tag, Kind> = new Map<Tag, Kind>([
  [Tags.PatientName, 'name'],
  [Tags.OtherPatientNames, 'name'],
  [Tags.PatientBirthName, 'name'],
  [Tags.PatientMotherBirthName, 'person'],
  [Tags.PatientID, 'id'],
  [Tags.OtherPatientIDs, 'id'],
  [Tags.MedicalRecordLocator, 'id'],
  [Tags.InsurancePlanIdentification, 'id'],
  [Tags.AdmissionID, 'id'],
  [Tags.PatientBirthDate, 'date'],
  [Tags.AccessionNumber, 'accession'],
  [Tags.PatientTelephoneNumbers, 'phone'],
  [Tags.ReferringPhysicianTelephoneNumbers, 'phone'],
  [Tags.PatientAddress, 'address'],
  [Tags.InstitutionAddress, 'address'],
  [Tags.ReferringPhysicianAddress, 'address'],
  [Tags.InstitutionName, 'institution'],
  [Tags.RequestedProcedureID, 'other'],
  [Tags.PlacerOrderNumberImagingServiceRequest, 'accession'],
  [Tags.FillerOrderNumberImagingServiceRequest, 'accession'],
  [Tags.MilitaryRank, 'other'],
])

/** More than any real header holds; a hostile one stops being a dictionary here. */
const MAX_IDENTIFIERS = 2000
const MAX_LENGTH = 256

/** Identifiers of one instance, at any depth, distinct, in no particular order. */
export function identifiersOf({ dataset }: DicomFile): readonly Identifier[] {
  const found = new Map<string, Identifier>()
  collect(dataset, found)
  return [...found.values()]
}

function collect(dataset: Dataset, found: Map<string, Identifier>): void {
  for (const element of dataset.elements) {
    if (found.size >= MAX_IDENTIFIERS) return
    if (element.value.kind === 'items') {
      for (const item of element.value.items) collect(item, found)
      continue
    }
    const kind = kindOf(element)
    if (!kind) continue
    for (const value of readings(dataset, element)) {
      if (value.length < 2 || value.length > MAX_LENGTH) continue
      found.set(`${kind}\u0000${value}`, { kind, value })
    }
  }
}

function kindOf(element: Element): Kind | undefined {
  if (isPrivate(element.tag) || groupOf(element.tag) === 0x0002) return undefined
  const listed = KINDS.get(element.tag)
  if (listed) return listed
  return element.vr === 'PN' ? 'person' : undefined
}

/** As the character set says, and where that fails as each set that could have been meant. */
function readings(dataset: Dataset, element: Element): readonly string[] {
  if (element.value.kind !== 'bytes') return []
  const vr = element.vr === 'UN' ? 'LO' : element.vr
  const declared = strings(dataset, { ...element, vr })
  const { bytes } = element.value
  if (vr !== 'PN' && vr !== 'LO' && vr !== 'SH' && vr !== 'ST') return declared
  if (decodeText(bytes, dataset.charset, vr).clean) return declared
  const others = GUESSES.map((term) => decodeText(bytes, [term], vr)).filter((reading) => reading.clean)
  return [...declared, ...others.flatMap((reading) => reading.text.split('\\').map((part) => part.trim()))]
}

const GUESSES = ['ISO_IR 192', 'ISO_IR 100', 'GB18030', 'ISO_IR 13', 'ISO_IR 144']

/** Every UID at any depth that names an instance, not a class, a syntax or a coding scheme. */
export function instanceUids(dataset: Dataset, found: Set<string> = new Set()): ReadonlySet<string> {
  for (const element of dataset.elements) {
    if (element.value.kind === 'items') for (const item of element.value.items) instanceUids(item, found)
    if (element.vr !== 'UI' || isClassAttribute(element.tag)) continue
    for (const value of strings(dataset, element)) if (value !== '' && !isWellKnown(value)) found.add(value)
  }
  return found
}
