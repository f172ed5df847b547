// The rows above an instance: patient ─► study ─► series, found or made.
//
// Locks are taken level by level and in sorted order within one, so that writers wait for each other and never in a
// circle. What is there is not overwritten: the first instance of a study speaks for it.

import type { Tx } from '../../db/database.ts'
import type { Columns } from './columns.ts'
import { accessionBlind, dayOf, type InstanceFacts, patientBlind } from './facts.ts'
import { sealMore } from './more.ts'
import { normaliseName } from './names.ts'
import { uuid7 } from './uuid.ts'

export type Writer = { readonly tx: Tx; readonly columns: Columns }

export type PatientRow = {
  readonly id: string
  readonly issuer: string
  readonly pid: string
  /** As first written. */
  readonly name: string
  readonly birthDate: string
}
export type StudyRow = { readonly id: string; readonly study_uid: string; readonly patient_id: string }
export type SeriesRow = { readonly id: string; readonly series_uid: string; readonly study_id: string }

/** Facts by a key of their own, in the key's order: one row is made for each. */
export function grouped(
  facts: readonly InstanceFacts[],
  keyOf: (facts: InstanceFacts) => string,
): ReadonlyMap<string, InstanceFacts> {
  const first = new Map<string, InstanceFacts>()
  for (const fact of facts) if (!first.has(keyOf(fact))) first.set(keyOf(fact), fact)
  return new Map([...first].sort(([a], [b]) => (a < b ? -1 : 1)))
}

export function pidOf(columns: Columns, { patient, study }: InstanceFacts): string {
  return patientBlind(columns, patient.id, study.uid).toString('hex')
}

export function patientKey(columns: Columns, facts: InstanceFacts): string {
  return `${pidOf(columns, facts)} ${facts.patient.issuer}`
}

/** What there was at the first look, level by level. */
export type Seen<Row> = { readonly facts: readonly InstanceFacts[]; readonly found: readonly Row[] }

/** All patients with these IDs, of any issuer. */
export async function upsertPatients(
  { tx, columns }: Writer,
  { facts, found }: Seen<PatientRow>,
): Promise<readonly PatientRow[]> {
  const wanted = grouped(facts, (fact) => patientKey(columns, fact))
  const pids = [...new Set([...wanted.values()].map((fact) => pidOf(columns, fact)))]
  const select = async (): Promise<PatientRow[]> => {
    const blinds = pids.map((pid) => Buffer.from(pid, 'hex'))
    const query = tx
      .selectFrom('patients')
      .select(['id', 'issuer', 'pid_blind', 'name_cipher', 'birth_cipher'])
    const rows = await query.where('pid_blind', 'in', blinds).execute()
    return rows.map(({ id, issuer, pid_blind, name_cipher, birth_cipher }) => ({
      id,
      issuer,
      pid: pid_blind.toString('hex'),
      name: columns.open({ table: 'patients', column: 'name', row: id }, name_cipher),
      birthDate: columns.open({ table: 'patients', column: 'birth', row: id }, birth_cipher),
    }))
  }
  const known = new Set(found.map(({ pid, issuer }) => `${pid} ${issuer}`))
  const missing = [...wanted].filter(([key]) => !known.has(key)).map(([, fact]) => fact)
  if (missing.length === 0) return found
  const rows = missing.map((fact) => patientRow(columns, fact))
  await tx
    .insertInto('patients')
    .values(rows)
    .onConflict((on) => on.doNothing())
    .execute()
  return select()
}

function patientRow(columns: Columns, { patient, study, receivedAt }: InstanceFacts) {
  const id = uuid7(receivedAt.getTime())
  const seal = (column: string, text: string) => columns.seal({ table: 'patients', column, row: id }, text)
  return {
    id,
    issuer: patient.issuer,
    pid_blind: patientBlind(columns, patient.id, study.uid),
    pid_cipher: seal('pid', patient.id),
    name_cipher: seal('name', patient.name),
    name_tokens: columns.nameTokens(patient.name),
    birth_cipher: seal('birth', patient.birthDate),
    sex: patient.sex,
  }
}

export async function upsertStudies(
  { tx, columns }: Writer,
  { facts, found }: Seen<StudyRow>,
  patientOf: (facts: InstanceFacts) => string,
): Promise<ReadonlyMap<string, StudyRow>> {
  const wanted = grouped(facts, ({ study }) => study.uid)
  const byUid = (rows: readonly StudyRow[]) => new Map(rows.map((row) => [row.study_uid, row]))
  const select = async () => {
    const query = tx.selectFrom('studies').select(['id', 'study_uid', 'patient_id'])
    return byUid(await query.where('study_uid', 'in', [...wanted.keys()]).execute())
  }
  const known = byUid(found)
  const missing = [...wanted].filter(([uid]) => !known.has(uid)).map(([, fact]) => fact)
  if (missing.length === 0) return known
  const rows = missing.map((fact) => studyRow(columns, fact, patientOf(fact)))
  await tx
    .insertInto('studies')
    .values(rows)
    .onConflict((on) => on.doNothing())
    .execute()
  return select()
}

function studyRow(columns: Columns, { study, keyId, receivedAt }: InstanceFacts, patientId: string) {
  const id = uuid7(receivedAt.getTime())
  const more = study.more && { texts: study.more, requests: [] }
  const seal = (column: string, text: string) => columns.seal({ table: 'studies', column, row: id }, text)
  return {
    id,
    study_uid: study.uid,
    patient_id: patientId,
    key_id: keyId,
    study_date: dayOf(study.date) ?? null,
    study_time: study.time.replaceAll(':', '').trim(),
    accession_blind: accessionBlind(columns, study.accession),
    accession_cipher: seal('accession', study.accession),
    description_cipher: seal('description', study.description),
    referrer_cipher: seal('referrer', study.referrer),
    more_cipher: sealMore(columns, { table: 'studies', row: id }, more),
    received_at: receivedAt,
    last_at: receivedAt,
  }
}

/** All series with these UIDs, of any study. */
export async function upsertSeries(
  { tx, columns }: Writer,
  { facts, found }: Seen<SeriesRow>,
  studyOf: (facts: InstanceFacts) => string,
): Promise<readonly SeriesRow[]> {
  const keyOf = (fact: InstanceFacts) => `${fact.series.uid} ${studyOf(fact)}`
  const wanted = grouped(facts, keyOf)
  const uids = [...new Set(facts.map(({ series }) => series.uid))]
  const select = () =>
    tx.selectFrom('series').select(['id', 'series_uid', 'study_id']).where('series_uid', 'in', uids).execute()
  const known = new Set(found.map(({ series_uid, study_id }) => `${series_uid} ${study_id}`))
  const missing = [...wanted].filter(([key]) => !known.has(key)).map(([, fact]) => fact)
  if (missing.length === 0) return found
  const rows = missing.map((fact) => seriesRow(columns, fact, studyOf(fact)))
  await tx
    .insertInto('series')
    .values(rows)
    .onConflict((on) => on.doNothing())
    .execute()
  return select()
}

function seriesRow(columns: Columns, { series, receivedAt }: InstanceFacts, studyId: string) {
  const id = uuid7(receivedAt.getTime())
  return {
    id,
    study_id: studyId,
    series_uid: series.uid,
    modality: series.modality,
    number: series.number ?? null,
    description_cipher: columns.seal({ table: 'series', column: 'description', row: id }, series.description),
    body_part: series.bodyPart,
    more_cipher: sealMore(columns, { table: 'series', row: id }, series.more),
    received_at: receivedAt,
  }
}

/** Another name or birth date under the same ID: a correction, a marriage, or two people. Blanks say nothing. */
export function isOtherPerson(known: PatientRow, { patient }: InstanceFacts): boolean {
  const differ = (a: string, b: string): boolean => a !== '' && b !== '' && a !== b
  const [was, is] = [normaliseName(known.name), normaliseName(patient.name)]
  return differ(was, is) || differ(dayOf(known.birthDate) ?? '', dayOf(patient.birthDate) ?? '')
}
