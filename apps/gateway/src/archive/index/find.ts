// Searches of the index, for C-FIND and QIDO-RS.
//
//   query ─► matching ─► few patients? resolve them first ─► ids in order, a batch at a time ─► load, decrypt, test ─► page
//
// Orders are total and stable: studies newest first, series and instances by their parent. A page goes on where the
// one before it ended (`after`), at the same cost on every page, or from an `offset`.

import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../../db/database.ts'
import type { Columns } from './columns.ts'
import { IndexError } from './errors.ts'
import {
  type InstanceFound,
  type Loader,
  loaderOf,
  type PatientFound,
  type SeriesFound,
  type StudyFound,
} from './found.ts'
import { type Condition, type Level, type Matching, matchingOf, type Query, STUDY_DAY } from './matching.ts'

export type Index = {
  readonly db: Db
  readonly columns: Columns
  /** MAX_SCAN where it is not given. */
  readonly maxScan?: number
  readonly combines?: boolean
  /** Over studies s: those that may be found (policy/visible.ts). Absent: all. */
  readonly visible?: Condition
}

export type Window = {
  readonly limit: number
  readonly offset?: number
  /** `next` of the page before. It holds a study's date: to be treated as the answers are. */
  readonly after?: string | undefined
}

export type Page<T> = { readonly rows: readonly T[]; readonly next: string | undefined }

export const MAX_LIMIT = 5000
/** Rows that one query decrypts to find those that match; about a quarter of a second. */
export const MAX_SCAN = 20_000
/** Rows to decrypt at a time: few at first, as the newest often match. */
const FIRST_BATCH = 100
const MAX_BATCH = 1600
/** Patients that are looked up before their studies; more are joined. */
const MAX_PATIENTS = 500

export type Search = { readonly query: Query; readonly window: Window }

/** Those who have a study outside the trash. */
export function findPatients(index: Index, query: Query, window: Window): Promise<Page<PatientFound>> {
  return find(index, { query, window }, PATIENT)
}

export function findStudies(index: Index, query: Query, window: Window): Promise<Page<StudyFound>> {
  return find(index, { query, window }, STUDY)
}

export function findSeries(index: Index, query: Query, window: Window): Promise<Page<SeriesFound>> {
  return find(index, { query, window }, SERIES)
}

/** Current ones only: neither conflicts nor trash. */
export function findInstances(index: Index, query: Query, window: Window): Promise<Page<InstanceFound>> {
  return find(index, { query, window }, INSTANCE)
}

type Shape<T> = {
  readonly level: Level
  readonly from: Condition
  /** The column that has the patient's row. */
  readonly patient: Condition
  /** Unique together; the last is the row's id. */
  readonly keys: readonly { readonly value: Condition; readonly type: Condition; readonly form: RegExp }[]
  readonly direction: 'asc' | 'desc'
  /** `visible`: over studies s. */
  readonly where: (visible: Condition) => readonly Condition[]
  readonly load: (loader: Loader, ids: readonly string[]) => Promise<readonly T[]>
  readonly matches: (found: T, tests: Matching['tests']) => boolean
}

const UUID = { type: sql`uuid`, form: /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/ }
const LIVE = sql`s.trashed_at is null and s.disposed_at is null`
const ANY = sql`true`

const PATIENT: Shape<PatientFound> = {
  level: 'patient',
  from: sql`patients p`,
  patient: sql`p.id`,
  keys: [{ value: sql`p.id`, ...UUID }],
  direction: 'asc',
  where: (visible) => [
    sql`exists (select from studies s where s.patient_id = p.id and ${LIVE} and ${visible})`,
  ],
  load: (loader, ids) => loader.patients(ids),
  matches: (patient, tests) => tests.patient.every((test) => test(patient)),
}

const STUDY: Shape<StudyFound> = {
  level: 'study',
  from: sql`studies s join patients p on p.id = s.patient_id`,
  patient: sql`s.patient_id`,
  keys: [
    {
      value: STUDY_DAY,
      type: sql`date`,
      form: /^(?:-infinity|\d{4}-\d{2}-\d{2})$/,
    },
    { value: sql`s.id`, ...UUID },
  ],
  direction: 'desc',
  where: (visible) => [LIVE, visible],
  load: (loader, ids) => loader.studies(ids),
  matches: matchesStudy,
}

const SERIES: Shape<SeriesFound> = {
  level: 'series',
  from: sql`series r join studies s on s.id = r.study_id join patients p on p.id = s.patient_id`,
  patient: sql`s.patient_id`,
  keys: [
    { value: sql`r.study_id`, ...UUID },
    { value: sql`r.id`, ...UUID },
  ],
  direction: 'asc',
  where: (visible) => [LIVE, visible],
  load: (loader, ids) => loader.series(ids),
  matches: matchesSeries,
}

const INSTANCE: Shape<InstanceFound> = {
  level: 'instance',
  from: sql`instances i join series r on r.id = i.series_id join studies s on s.id = r.study_id
    join patients p on p.id = s.patient_id`,
  patient: sql`s.patient_id`,
  keys: [
    { value: sql`i.series_id`, ...UUID },
    { value: sql`coalesce(i.number, 2147483647)`, type: sql`integer`, form: /^-?\d{1,10}$/ },
    { value: sql`i.id`, ...UUID },
  ],
  direction: 'asc',
  where: (visible) => [LIVE, visible, sql`i.state = 'current'`],
  load: (loader, ids) => loader.instances(ids),
  matches: ({ series }, tests) => matchesSeries(series, tests),
}

function matchesStudy(study: StudyFound, { patient, study: own }: Matching['tests']): boolean {
  return patient.every((test) => test(study.patient)) && own.every((test) => test(study))
}

function matchesSeries(series: SeriesFound, tests: Matching['tests']): boolean {
  return tests.series.every((test) => test(series)) && matchesStudy(series.study, tests)
}

async function find<T>(index: Index, { query, window }: Search, shape: Shape<T>): Promise<Page<T>> {
  const { limit, offset = 0, after } = window
  const isCount = Number.isSafeInteger(limit) && Number.isSafeInteger(offset)
  if (!isCount || limit < 1 || limit > MAX_LIMIT || offset < 0) {
    throw new IndexError('BAD_QUERY', `limit is 1 to ${MAX_LIMIT}, offset is not negative`, 'limit')
  }
  const loader = loaderOf(index)
  const wanted = { matching: matchingOf(query, shape.level, index), column: shape.patient }
  const matching = await narrowed(index, wanted, loader)
  if (matching === undefined) return { rows: [], next: undefined }
  const { tests } = matching
  const isTested = tests.patient.length + tests.study.length + tests.series.length > 0
  const rows: T[] = []
  let [skip, scanned, cursor, batchSize] = [isTested ? offset : 0, 0, after, FIRST_BATCH]
  for (;;) {
    // One more than is wanted tells whether there is a next page.
    const size = isTested ? batchSize : limit + 1
    batchSize = Math.min(batchSize * 2, MAX_BATCH)
    const sqlOffset = isTested ? 0 : offset
    const batch = await select(index, { shape, matching, cursor, size, offset: sqlOffset })
    const found = await shape.load(
      loader,
      batch.map(({ id }) => id),
    )
    const ends = new Map(batch.map(({ id, cursor: end }) => [id, end]))
    for (const each of found) {
      if (!shape.matches(each, tests) || skip-- > 0) continue
      if (rows.length === limit) return { rows, next: cursor }
      rows.push(each)
      cursor = ends.get((each as { readonly rowId?: string }).rowId ?? '')
    }
    if (batch.length < size) return { rows, next: undefined }
    scanned += batch.length
    cursor = batch.at(-1)?.cursor
    if (scanned >= (index.maxScan ?? MAX_SCAN))
      throw new IndexError('TOO_BROAD', 'too many rows would have to be decrypted')
  }
}

type Selection<T> = {
  readonly shape: Shape<T>
  readonly matching: Matching
  readonly cursor: string | undefined
  readonly size: number
  readonly offset: number
}

type Found = { readonly id: string; readonly cursor: string }

async function select<T>({ db, visible = ANY }: Index, selection: Selection<T>): Promise<readonly Found[]> {
  const { shape, matching, cursor, size, offset } = selection
  const { keys, direction } = shape
  const isDown = direction === 'desc'
  const conditions = [...shape.where(visible), ...matching.patient, ...matching.below]
  const tuple = sql`(${sql.join(keys.map(({ value }) => value))})`
  if (cursor !== undefined) {
    conditions.push(sql`${tuple} ${isDown ? sql`<` : sql`>`} ${cursorValues(cursor, keys)}`)
  }
  const order = keys.map(({ value }) => sql`${value} ${isDown ? sql`desc` : sql`asc`}`)
  const names = keys.map(({ value }) => sql`${value}::text`)
  const { rows } = await sql<{ keys: readonly string[] }>`
    select array[${sql.join(names)}] as keys from ${shape.from}
    where ${sql.join(conditions, sql` and `)}
    order by ${sql.join(order)} limit ${size} offset ${offset}`.execute(db)
  return rows.map(({ keys: values }) => ({
    id: values.at(-1) ?? '',
    cursor: Buffer.from(JSON.stringify(values)).toString('base64url'),
  }))
}

function cursorValues<T>(cursor: string, keys: Shape<T>['keys']): RawBuilder<unknown> {
  const values = parsed(Buffer.from(cursor, 'base64url').toString('utf8'))
  const isOurs = Array.isArray(values) && values.length === keys.length
  if (!isOurs || !keys.every(({ form }, i) => form.test(String(values[i])))) {
    throw new IndexError('BAD_QUERY', 'not the end of a page', 'after')
  }
  return sql`(${sql.join(keys.map(({ type }, i) => sql`${String(values[i])}::${type}`))})`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/**
 * With the ID or the start of a name there are mostly few patients: they are looked up, decrypted and tested first,
 * which spares the planner a guess that it gets wrong. Undefined: there is none.
 */
async function narrowed(
  index: Index,
  { matching, column }: { readonly matching: Matching; readonly column: Condition },
  loader: Loader,
): Promise<Matching | undefined> {
  if (!matching.isSelective) return matching
  const { rows } = await sql<{ id: string }>`
    select p.id from patients p where ${sql.join(matching.patient, sql` and `)}
    limit ${MAX_PATIENTS + 1}`.execute(index.db)
  if (rows.length > MAX_PATIENTS) return matching
  const patients = await loader.patients(rows.map(({ id }) => id))
  const ids = patients
    .filter((one) => matching.tests.patient.every((test) => test(one)))
    .map(({ rowId }) => rowId)
  if (ids.length === 0) return undefined
  const tests = { ...matching.tests, patient: [] }
  return { ...matching, patient: [sql`${column} = any(${ids}::uuid[])`], tests }
}
