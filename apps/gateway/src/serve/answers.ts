// What a query is answered with (PS3.4 C.6.1.1, C.6.2.1): the attributes that the index has, by keyword.

import type { NewValue } from '@roentgate/dicom'
import type { InstanceFound, PatientFound, SeriesFound, StudyFound } from '../archive/index/found.ts'
import type { Level } from '../archive/index/matching.ts'
import { SERIES_MORE, STUDY_MORE, type Texts } from '../archive/index/more.ts'

export type Found =
  | { readonly level: 'patient'; readonly patient: PatientFound }
  | { readonly level: 'study'; readonly study: StudyFound }
  | { readonly level: 'series'; readonly series: SeriesFound }
  | { readonly level: 'instance'; readonly instance: InstanceFound }

/** Items of a sequence are texts by keyword. */
export type Fields = Readonly<Record<string, NewValue | readonly Texts[]>>

const whole = (value: number | undefined): string => (value === undefined ? '' : String(value))

function patientFields({ id, issuer, name, birthDate, sex }: PatientFound): Fields {
  return {
    PatientID: id,
    IssuerOfPatientID: issuer,
    PatientName: name,
    PatientBirthDate: birthDate,
    PatientSex: sex,
  }
}

function studyFields(study: StudyFound): Fields {
  return {
    ...patientFields(study.patient),
    StudyInstanceUID: study.uid,
    StudyDate: study.date,
    StudyTime: study.time,
    AccessionNumber: study.accession,
    StudyDescription: study.description,
    ReferringPhysicianName: study.referrer,
    ModalitiesInStudy: study.modalities,
    ...study.more,
    NumberOfStudyRelatedSeries: whole(study.seriesCount),
    NumberOfStudyRelatedInstances: whole(study.instanceCount),
  }
}

function seriesFields(series: SeriesFound): Fields {
  return {
    ...studyFields(series.study),
    SeriesInstanceUID: series.uid,
    Modality: series.modality,
    SeriesNumber: whole(series.number),
    SeriesDescription: series.description,
    BodyPartExamined: series.bodyPart,
    ...series.more.texts,
    RequestAttributesSequence: series.more.requests,
    NumberOfSeriesRelatedInstances: whole(series.instanceCount),
  }
}

function instanceFields(instance: InstanceFound): Fields {
  return {
    ...seriesFields(instance.series),
    SOPInstanceUID: instance.sopUid,
    SOPClassUID: instance.sopClass,
    InstanceNumber: whole(instance.number),
    NumberOfFrames: whole(instance.frames),
    Rows: instance.rows === undefined ? [] : [instance.rows],
    Columns: instance.columns === undefined ? [] : [instance.columns],
    AvailableTransferSyntaxUID: instance.transferSyntax,
  }
}

export function fieldsOf(found: Found): Fields {
  switch (found.level) {
    case 'patient':
      return patientFields(found.patient)
    case 'study':
      return studyFields(found.study)
    case 'series':
      return seriesFields(found.series)
    default:
      return instanceFields(found.instance)
  }
}

const PATIENT = ['PatientID', 'IssuerOfPatientID', 'PatientName', 'PatientBirthDate', 'PatientSex'] as const
const STUDY = [
  'StudyInstanceUID',
  'StudyDate',
  'StudyTime',
  'AccessionNumber',
  'StudyDescription',
  'ReferringPhysicianName',
  'ModalitiesInStudy',
  'NumberOfStudyRelatedSeries',
  'NumberOfStudyRelatedInstances',
  ...STUDY_MORE,
] as const
const SERIES = [
  'SeriesInstanceUID',
  'Modality',
  'SeriesNumber',
  'SeriesDescription',
  'BodyPartExamined',
  'NumberOfSeriesRelatedInstances',
  'RequestAttributesSequence',
  ...SERIES_MORE,
] as const
const INSTANCE = [
  'SOPInstanceUID',
  'SOPClassUID',
  'InstanceNumber',
  'NumberOfFrames',
  'Rows',
  'Columns',
  'AvailableTransferSyntaxUID',
] as const

/** Keywords that answers of a level have: those above it too. */
export const ANSWERED: Readonly<Record<Level, ReadonlySet<string>>> = {
  patient: new Set(PATIENT),
  study: new Set([...PATIENT, ...STUDY]),
  series: new Set([...PATIENT, ...STUDY, ...SERIES]),
  instance: new Set([...PATIENT, ...STUDY, ...SERIES, ...INSTANCE]),
}
