// What the index wants to know of an instance, from its header.

import { type Dataset, type DicomFile, find, numbers, string, type Tag, Tags } from '@roentgate/dicom'
import type { InstanceFacts } from '../index/facts.ts'
import { MAX_REQUESTS, REQUEST, SERIES_MORE, STUDY_MORE, type Texts } from '../index/more.ts'

export type HeaderFacts = Omit<
  InstanceFacts,
  'sha256' | 'size' | 'blobId' | 'keyId' | 'preamble' | 'receivedAt'
>

/** What the sender says that comes: the affected class and instance of a C-STORE. */
export type Expected = { readonly sopClass: string; readonly sopUid: string }

/** Why it is not taken (PS3.4 B.2.3), if it is another than was said. */
export function mismatchOf(
  { sopClass, sopUid }: Pick<HeaderFacts, 'sopClass' | 'sopUid'>,
  expected: Expected | undefined,
): { readonly kind: 'refused'; readonly code: string; readonly what: string } | undefined {
  if (!expected || (expected.sopClass === sopClass && expected.sopUid === sopUid)) return undefined
  return { kind: 'refused', code: 'MISMATCH', what: 'another SOP Class or Instance than its sender said' }
}

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
      more: texts(dataset, STUDY_MORE),
    },
    series: {
      uid: series,
      modality: text(Tags.Modality),
      number: integer(Tags.SeriesNumber),
      description: text(Tags.SeriesDescription),
      bodyPart: text(Tags.BodyPartExamined),
      more: { texts: texts(dataset, SERIES_MORE), requests: requestsOf(dataset) },
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

function texts(from: Dataset, keywords: readonly (keyof typeof Tags)[]): Texts {
  const pairs = keywords.map((keyword) => [keyword, string(from, Tags[keyword]) ?? ''] as const)
  return Object.fromEntries(pairs.filter(([, value]) => value !== ''))
}

function requestsOf(dataset: Dataset): readonly Texts[] {
  const element = find(dataset, Tags.RequestAttributesSequence)
  const items = element?.value.kind === 'items' ? element.value.items : []
  return items.slice(0, MAX_REQUESTS).map((item) => texts(item, REQUEST))
}
