// Rows of the index, decrypted.   ids ─► rows ─► open cells ─► what a query answers with

import type { Db } from '../../db/database.ts'
import type { CheckState } from '../../db/schema.ts'
import type { Cell, Columns } from './columns.ts'
import type { InstanceFacts } from './facts.ts'
import { type More, openMore, type Texts } from './more.ts'

export type PatientFound = {
  readonly rowId: string
  readonly id: string
  readonly issuer: string
  readonly name: string
  readonly birthDate: string
  readonly sex: string
}

export type StudyFound = {
  readonly rowId: string
  readonly patient: PatientFound
  readonly uid: string
  readonly keyId: string
  /** DA, '' if there is none. */
  readonly date: string
  readonly time: string
  readonly accession: string
  readonly description: string
  readonly referrer: string
  readonly more: Texts
  readonly modalities: readonly string[]
  readonly seriesCount: number
  readonly instanceCount: number
  readonly bytes: number
  readonly receivedAt: Date
  readonly lastAt: Date
  readonly holdCount: number
}

export type SeriesFound = {
  readonly rowId: string
  readonly study: StudyFound
  readonly uid: string
  readonly modality: string
  readonly number: number | undefined
  readonly description: string
  readonly bodyPart: string
  readonly more: More
  readonly instanceCount: number
}

/** What it came in with, but for what its series says. */
export type InstanceFound = Omit<InstanceFacts, 'patient' | 'study' | 'series'> & {
  readonly rowId: string
  readonly series: SeriesFound
  readonly checkState: CheckState
}

/** Loads rows with what is above them; each is decrypted once in a loader's life, which is that of one query. */
export type Loader = {
  readonly patients: (ids: readonly string[]) => Promise<readonly PatientFound[]>
  readonly studies: (ids: readonly string[]) => Promise<readonly StudyFound[]>
  readonly series: (ids: readonly string[]) => Promise<readonly SeriesFound[]>
  readonly instances: (ids: readonly string[]) => Promise<readonly InstanceFound[]>
}

type Source = { readonly db: Db; readonly columns: Columns }

export function loaderOf(source: Source): Loader {
  const patients = cached((ids) => loadPatients(source, ids))
  const studies = cached((ids) => loadStudies(source, ids, patients))
  const series = cached((ids) => loadSeries(source, ids, studies))
  return { patients, studies, series, instances: (ids) => loadInstances(source, ids, series) }
}

type Load<T> = (ids: readonly string[]) => Promise<readonly T[]>

/** In the order of the ids; what was deleted since is left out. */
function cached<T extends { readonly rowId: string }>(load: Load<T>): Load<T> {
  const known = new Map<string, T>()
  return async (ids) => {
    const missing = [...new Set(ids)].filter((id) => !known.has(id))
    if (missing.length > 0) for (const found of await load(missing)) known.set(found.rowId, found)
    return ids.flatMap((id) => known.get(id) ?? [])
  }
}

async function above<T extends { readonly rowId: string }>(
  load: Load<T>,
  ids: readonly string[],
): Promise<ReadonlyMap<string, T>> {
  return new Map((await load(ids)).map((found) => [found.rowId, found]))
}

async function loadPatients(
  { db, columns }: Source,
  ids: readonly string[],
): Promise<readonly PatientFound[]> {
  const rows = await db
    .selectFrom('patients')
    .select(['id', 'issuer', 'pid_cipher', 'name_cipher', 'birth_cipher', 'sex'])
    .where('id', 'in', ids)
    .execute()
  return rows.map((row) => {
    const open = opener(columns, 'patients', row.id)
    return {
      rowId: row.id,
      id: open('pid', row.pid_cipher),
      issuer: row.issuer,
      name: open('name', row.name_cipher),
      birthDate: open('birth', row.birth_cipher),
      sex: row.sex,
    }
  })
}

async function loadStudies(
  { db, columns }: Source,
  ids: readonly string[],
  patients: Load<PatientFound>,
): Promise<readonly StudyFound[]> {
  const rows = await db.selectFrom('studies').selectAll().where('id', 'in', ids).execute()
  const owners = await above(
    patients,
    rows.map(({ patient_id }) => patient_id),
  )
  return rows.flatMap((row) => {
    const patient = owners.get(row.patient_id)
    if (patient === undefined) return []
    const open = opener(columns, 'studies', row.id)
    return {
      rowId: row.id,
      patient,
      uid: row.study_uid,
      keyId: row.key_id,
      date: row.study_date?.replaceAll('-', '') ?? '',
      time: row.study_time,
      accession: open('accession', row.accession_cipher),
      description: open('description', row.description_cipher),
      referrer: open('referrer', row.referrer_cipher),
      more: openMore(columns, { table: 'studies', row: row.id }, row.more_cipher).texts,
      modalities: row.modalities,
      seriesCount: row.series_count,
      instanceCount: row.instance_count,
      bytes: row.bytes,
      receivedAt: row.received_at,
      lastAt: row.last_at,
      holdCount: row.hold_count,
    }
  })
}

async function loadSeries(
  { db, columns }: Source,
  ids: readonly string[],
  studies: Load<StudyFound>,
): Promise<readonly SeriesFound[]> {
  const rows = await db.selectFrom('series').selectAll().where('id', 'in', ids).execute()
  const owners = await above(
    studies,
    rows.map(({ study_id }) => study_id),
  )
  return rows.flatMap((row) => {
    const study = owners.get(row.study_id)
    if (study === undefined) return []
    return {
      rowId: row.id,
      study,
      uid: row.series_uid,
      modality: row.modality,
      number: row.number ?? undefined,
      description: opener(columns, 'series', row.id)('description', row.description_cipher),
      bodyPart: row.body_part,
      more: openMore(columns, { table: 'series', row: row.id }, row.more_cipher),
      instanceCount: row.instance_count,
    }
  })
}

async function loadInstances(
  { db }: Source,
  ids: readonly string[],
  series: Load<SeriesFound>,
): Promise<readonly InstanceFound[]> {
  if (ids.length === 0) return []
  const rows = await db.selectFrom('instances').selectAll().where('id', 'in', ids).execute()
  const owners = await above(
    series,
    rows.map(({ series_id }) => series_id),
  )
  const found = rows.flatMap((row): readonly InstanceFound[] => {
    const owner = owners.get(row.series_id)
    if (owner === undefined) return []
    return [
      {
        rowId: row.id,
        series: owner,
        sopUid: row.sop_uid,
        sopClass: row.sop_class,
        transferSyntax: row.transfer_syntax,
        number: row.number ?? undefined,
        frames: row.frames,
        rows: row.rows ?? undefined,
        columns: row.columns ?? undefined,
        sha256: row.sha256,
        size: row.size,
        blobId: row.blob_id,
        keyId: row.key_id,
        preamble: row.preamble,
        receivedAt: row.received_at,
        checkState: row.check_state,
      },
    ]
  })
  const byId = new Map(found.map((each) => [each.rowId, each]))
  return ids.flatMap((id) => byId.get(id) ?? [])
}

function opener(columns: Columns, table: Cell['table'], row: string) {
  return (column: string, sealed: Uint8Array): string => columns.open({ table, column, row }, sealed)
}
