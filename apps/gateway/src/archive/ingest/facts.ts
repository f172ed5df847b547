// What the index wants to know of an instance, from its header.

import { type DicomFile, find, numbers, string, type Tag, Tags } from '@roentgate/dicom'
import type { InstanceFacts } from '../index/facts.ts'

export type HeaderFacts = Omit<
  InstanceFacts,
  'sha256' | 'size' | 'blobId' | 'keyId' | 'preamble' | 'receivedAt'
>

/** Undefined where a UID is missing that an instance is found by. */
export function headerFacts({ dataset, transferSyntax }: DicomFile): HeaderFacts | undefined {
  const text = (t: Tag): string => string(dataset, t) ?? ''
  const integer = (t: Tag): number | undefined => {
    const element = find(dataset, t)
    const value = element ? Number(numbers(dataset, element)[0]) : Number.NaN
    return Number.isSafeInteger(value) ? value : undefined
  }
  const sopUid = text(Tags.SOPInstanceUID)
  const sopClass = text(Tags.SOPClassUID)
  const study = text(Tags.StudyInstanceUID)
  const series = text(Tags.SeriesInstanceUID)
  if (sopUid === '' || sopClass === '' || study === '' || series === '') return undefined
  return {
    patient: {
      id: text(Tags.PatientID),
      issuer: text(Tags.IssuerOfPatientID),
      name: text(Tags.PatientName),
      birthDate: text(Tags.PatientBirthDate),
      sex: text(Tags.PatientSex),
    },
    study: {
      uid: study,
      date: text(Tags.StudyDate),
      time: text(Tags.StudyTime),
      accession: text(Tags.AccessionNumber),
      description: text(Tags.StudyDescription),
      referrer: text(Tags.ReferringPhysicianName),
    },
    series: {
      uid: series,
      modality: text(Tags.Modality),
      number: integer(Tags.SeriesNumber),
      description: text(Tags.SeriesDescription),
      bodyPart: text(Tags.BodyPartExamined),
    },
    sopUid,
    sopClass,
    transferSyntax,
    number: integer(Tags.InstanceNumber),
    frames: Math.max(1, integer(Tags.NumberOfFrames) ?? 1),
    rows: integer(Tags.Rows),
    columns: integer(Tags.Columns),
  }
}
