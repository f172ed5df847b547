// What the index has of a batch already, in one statement: a round trip each would take longer than the work.

import { sql } from 'kysely'
import type { InstanceState } from '../../db/schema.ts'
import { type InstanceFacts, patientBlind } from './facts.ts'
import type { PatientRow, SeriesRow, StudyRow, Writer } from './upsert.ts'

export type Kept = { readonly id: string; readonly blob_id: string; readonly series_id: string }
export type InstanceRow = Kept & {
  readonly sop_uid: string
  /** Hexadecimal. */
  readonly sha256: string
  readonly state: InstanceState
}

export type Look = {
  /** Keys that are not destroyed, and are not until the transaction ends. */
  readonly alive: ReadonlySet<string>
  readonly patients: readonly PatientRow[]
  readonly studies: readonly StudyRow[]
  readonly series: readonly SeriesRow[]
  /** Those in the trash are not there. */
  readonly instances: readonly InstanceRow[]
}

type Sealed = Omit<PatientRow, 'name' | 'birthDate'> & { readonly name: string; readonly birth: string }

export async function look({ tx, columns }: Writer, facts: readonly InstanceFacts[]): Promise<Look> {
  const all = <T>(pick: (fact: InstanceFacts) => T): readonly T[] => [...new Set(facts.map(pick))]
  const blinds = new Map(
    facts.map(({ patient, study }) => {
      const blind = patientBlind(columns, patient.id, study.uid)
      return [blind.toString('hex'), blind]
    }),
  )
  const { rows } = await sql<Omit<Look, 'alive' | 'patients'> & { alive: string[]; patients: Sealed[] }>`
    with alive as materialized (
      select id from data_keys
      where id = any(${all(({ keyId }) => keyId)}::uuid[]) and destroyed_at is null order by id for share)
    select
      (select coalesce(json_agg(id), '[]') from alive) as alive,
      (select coalesce(json_agg(json_build_object('id', id, 'issuer', issuer, 'pid', encode(pid_blind, 'hex'),
          'name', encode(name_cipher, 'hex'), 'birth', encode(birth_cipher, 'hex'))), '[]')
        from patients where pid_blind = any(${[...blinds.values()]}::bytea[])) as patients,
      (select coalesce(json_agg(json_build_object('id', id, 'study_uid', study_uid, 'patient_id', patient_id)), '[]')
        from studies where study_uid = any(${all(({ study }) => study.uid)}::text[])) as studies,
      (select coalesce(json_agg(json_build_object('id', id, 'series_uid', series_uid, 'study_id', study_id)), '[]')
        from series where series_uid = any(${all(({ series }) => series.uid)}::text[])) as series,
      (select coalesce(json_agg(json_build_object('id', id, 'blob_id', blob_id, 'series_id', series_id,
          'sop_uid', sop_uid, 'sha256', encode(sha256, 'hex'), 'state', state)), '[]')
        from instances
        where sop_uid = any(${all(({ sopUid }) => sopUid)}::text[]) and state <> 'trashed') as instances`.execute(
    tx,
  )
  const [found] = rows
  if (found === undefined) throw new Error('a statement of one row gave none')
  const opened = (column: string, row: string, hex: string): string =>
    columns.open({ table: 'patients', column, row }, Buffer.from(hex, 'hex'))
  return {
    ...found,
    alive: new Set(found.alive),
    patients: found.patients.map(({ id, issuer, pid, name, birth }) => {
      return { id, issuer, pid, name: opened('name', id, name), birthDate: opened('birth', id, birth) }
    }),
  }
}
