// What an instance says of itself, as the index takes it: text as in the data set, without padding; '' for absent.

import type { Columns } from './columns.ts'
import type { More, Texts } from './more.ts'

export type PatientFacts = {
  readonly id: string
  readonly issuer: string
  readonly name: string
  /** DA. */
  readonly birthDate: string
  readonly sex: string
}

export type StudyFacts = {
  readonly uid: string
  /** DA; one that is no date is taken for absent. */
  readonly date: string
  /** TM. */
  readonly time: string
  readonly accession: string
  readonly description: string
  readonly referrer: string
  readonly more?: Texts
}

export type SeriesFacts = {
  readonly uid: string
  readonly modality: string
  readonly number: number | undefined
  readonly description: string
  readonly bodyPart: string
  readonly more?: More
}

export type InstanceFacts = {
  readonly patient: PatientFacts
  readonly study: StudyFacts
  readonly series: SeriesFacts
  readonly sopUid: string
  readonly sopClass: string
  readonly transferSyntax: string
  readonly number: number | undefined
  readonly frames: number
  readonly rows: number | undefined
  readonly columns: number | undefined
  readonly sha256: Uint8Array
  readonly size: number
  readonly blobId: string
  /** Of the blob, and of the study if this is its first instance; in data_keys already. */
  readonly keyId: string
  /** What stood before the DICM prefix: '' for zeros. */
  readonly preamble: string
  readonly receivedAt: Date
}

const UNIT = '\u001f'

/** IDs are compared as written but for padding. Without an ID every study has a patient of its own: none are merged. */
export function patientBlind(columns: Columns, id: string, studyUid?: string): Buffer {
  const trimmed = id.normalize('NFC').trim()
  const value = trimmed === '' ? `study${UNIT}${studyUid ?? ''}` : `id${UNIT}${trimmed}`
  return columns.blind('patients.pid', value)
}

export function accessionBlind(columns: Columns, accession: string): Buffer | null {
  const trimmed = accession.normalize('NFC').trim()
  return trimmed === '' ? null : columns.blind('studies.accession', trimmed)
}

/** DA → 'YYYY-MM-DD'; undefined if there is no such day. */
export function dayOf(date: string): string | undefined {
  const [, year, month, day] = /^(\d{4})[.-]?(\d{2})[.-]?(\d{2})$/.exec(date.trim()) ?? []
  if (year === undefined || year === '0000') return undefined
  const text = `${year}-${month}-${day}`
  const parsed = new Date(`${text}T00:00:00Z`)
  return Number.isNaN(parsed.getTime()) || parsed.toISOString().slice(0, 10) !== text ? undefined : text
}
