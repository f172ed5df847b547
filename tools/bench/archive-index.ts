// How fast the archive's index answers: an embedded PostgreSQL filled with instances of our own making, then searches
// as C-FIND and QIDO-RS send them, one after the other, decryption included.

import { createHash, randomUUID } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { sql } from 'kysely'
import { type Columns, openColumns } from '../../apps/gateway/src/archive/index/columns.ts'
import {
  accessionBlind,
  type InstanceFacts,
  patientBlind,
} from '../../apps/gateway/src/archive/index/facts.ts'
import { findInstances, findSeries, findStudies } from '../../apps/gateway/src/archive/index/find.ts'
import { keyTable } from '../../apps/gateway/src/archive/index/key-table.ts'
import { uuid7 } from '../../apps/gateway/src/archive/index/uuid.ts'
import { insertInstances } from '../../apps/gateway/src/archive/index/write.ts'
import { type Db, openDatabase, transact } from '../../apps/gateway/src/db/database.ts'
import { machine, table } from './document.ts'
import { median } from './measure.ts'

export type IndexBench = {
  readonly scratch: string
  readonly instances: number
  readonly rounds: number
  readonly say: (line: string) => void
}

const PER_STUDY = 10
const STUDIES_PER_PATIENT = 2
const SERIES_PER_STUDY = 2
const CHUNK = 500
const BATCH = 64
const FAMILY = ['DOE', 'SMITH', 'MÜLLER', 'GARCIA', 'NGUYEN', 'IVANOV', 'KIM', 'ROSSI', 'SILVA', 'KHAN']
const GIVEN = ['JANE', 'JOHN', 'ANNA', 'LI', 'OMAR', 'EVA', 'PAUL', 'MARIA', 'NOAH', 'ZOE']

type Filled = { readonly db: Db; readonly columns: Columns; readonly keyId: string; readonly studies: number }

export async function benchIndex({ scratch, instances, rounds, say }: IndexBench): Promise<string> {
  chmodSync(scratch, 0o711)
  await using database = await openDatabase({ dataFolder: join(scratch, 'index') })
  const db = database.kysely
  const filled = {
    db,
    columns: openColumns(Buffer.alloc(32, 9)),
    keyId: randomUUID(),
    studies: instances / PER_STUDY,
  }
  await keyTable(db).insert(filled.keyId, 'wrapped')
  const start = performance.now()
  await fill(filled)
  say(`filled in ${((performance.now() - start) / 1000).toFixed(0)} s`)
  const rows = [
    ...(await searches(filled, rounds)),
    await inserts(filled, rounds),
    ...(await below(filled, rounds)),
  ]
  return `## index: ${instances} instances

The archive's index on the embedded PostgreSQL with ${instances} instances in ${filled.studies} studies of
${filled.studies / STUDIES_PER_PATIENT} patients; ${rounds} searches of each kind, one after the other, each for another value,
rows decrypted. ${machine()}.

${table(['', 'rows', 'p50 ms', 'p95 ms'], rows)}`
}

async function fill(filled: Filled): Promise<void> {
  const { db, studies } = filled
  for (let from = 0; from < studies; from += CHUNK) {
    const numbers = Array.from({ length: Math.min(CHUNK, studies - from) }, (_, i) => from + i)
    const patients = numbers.filter((n) => n % STUDIES_PER_PATIENT === 0).map((n) => patientRow(filled, n))
    if (patients.length > 0) await db.insertInto('patients').values(patients).execute()
    await db
      .insertInto('studies')
      .values(numbers.map((n) => studyRow(filled, n)))
      .execute()
  }
  await sql`
    insert into series (id, study_id, series_uid, modality, number, description_cipher, instance_count)
    select gen_random_uuid(), s.id, s.study_uid || '.' || n, 'CT', n, ${sealedSeries(filled)}, ${PER_STUDY / SERIES_PER_STUDY}
    from studies s, generate_series(1, ${SERIES_PER_STUDY}::int) n`.execute(db)
  await sql`
    insert into instances (id, series_id, sop_uid, sop_class, transfer_syntax, number, sha256, size, blob_id, key_id)
    select gen_random_uuid(), r.id, r.series_uid || '.' || n, '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2.1', n,
      sha256((r.series_uid || n)::bytea), 524288, gen_random_uuid(), ${filled.keyId}::uuid
    from series r, generate_series(1, ${PER_STUDY / SERIES_PER_STUDY}::int) n`.execute(db)
  await sql`vacuum analyze`.execute(db)
}

function rowId(kind: number, n: number): string {
  const hex = createHash('sha256').update(`${kind} ${n}`).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}

function nameOf(n: number): string {
  const patient = Math.floor(n / STUDIES_PER_PATIENT)
  return `${FAMILY[patient % 10]}${Math.floor(patient / 100)}^${GIVEN[Math.floor(patient / 10) % 10]}`
}

function patientRow({ columns }: Filled, n: number) {
  const id = rowId(0, n)
  const seal = (column: string, text: string) => columns.seal({ table: 'patients', column, row: id }, text)
  return {
    id,
    issuer: '',
    pid_blind: patientBlind(columns, `P${n}`),
    pid_cipher: seal('pid', `P${n}`),
    name_cipher: seal('name', nameOf(n)),
    name_tokens: columns.nameTokens(nameOf(n)),
    birth_cipher: seal('birth', '19700101'),
    sex: 'O',
  }
}

function dateOf(n: number): string {
  return new Date(Date.UTC(2010, 0, 1) + (n % 5000) * 86_400_000).toISOString().slice(0, 10)
}

function studyRow({ columns, keyId }: Filled, n: number) {
  const id = rowId(1, n)
  const seal = (column: string, text: string) => columns.seal({ table: 'studies', column, row: id }, text)
  return {
    id,
    study_uid: `2.25.${n}`,
    patient_id: rowId(0, n - (n % STUDIES_PER_PATIENT)),
    key_id: keyId,
    study_date: dateOf(n),
    study_time: '101500',
    accession_blind: accessionBlind(columns, `A${n}`),
    accession_cipher: seal('accession', `A${n}`),
    description_cipher: seal('description', 'CT HEAD'),
    referrer_cipher: seal('referrer', 'HOUSE^G'),
    modalities: ['CT'],
    series_count: SERIES_PER_STUDY,
    instance_count: PER_STUDY,
    bytes: PER_STUDY * 524_288,
  }
}

/** One cell for all series, which therefore opens in none: nobody asks for them. */
function sealedSeries({ columns }: Filled): Buffer {
  return columns.seal({ table: 'series', column: 'description', row: uuid7(0) }, 'AXIAL')
}

type Timed = {
  readonly name: string
  readonly run: (n: number) => Promise<{ readonly rows: readonly unknown[] }>
}

async function searches(filled: Filled, rounds: number): Promise<readonly (readonly string[])[]> {
  const page = { limit: 50 }
  const da = (n: number) => dateOf(n).replaceAll('-', '')
  const deep = await cursorAt(filled)
  const kinds: readonly Timed[] = [
    { name: 'patient ID', run: (n) => findStudies(filled, { PatientID: `P${n - (n % 2)}` }, page) },
    { name: 'accession number', run: (n) => findStudies(filled, { AccessionNumber: `A${n}` }, page) },
    { name: 'study UID', run: (n) => findStudies(filled, { StudyInstanceUID: `2.25.${n}` }, page) },
    {
      name: 'name, start of both parts',
      run: (n) => findStudies(filled, { PatientName: `${nameOf(n).slice(0, -2)}*` }, page),
    },
    { name: 'name, first letters (many)', run: () => findStudies(filled, { PatientName: 'DOE*' }, page) },
    { name: 'one day', run: (n) => findStudies(filled, { StudyDate: da(n) }, page) },
    { name: 'first page of 50', run: () => findStudies(filled, {}, page) },
    {
      name: 'page of 50 in the middle, by cursor',
      run: () => findStudies(filled, {}, { ...page, after: deep }),
    },
    {
      name: 'page of 50 in the middle, by offset',
      run: () => findStudies(filled, {}, { ...page, offset: filled.studies / 2 }),
    },
  ]
  const rows: (readonly string[])[] = []
  for (const { name, run } of kinds)
    rows.push(await time(name, rounds, (i) => run((i * 7919) % filled.studies)))
  return rows
}

async function cursorAt(filled: Filled): Promise<string | undefined> {
  return (await findStudies(filled, {}, { limit: 1, offset: filled.studies / 2 })).next
}

async function time(name: string, rounds: number, run: (i: number) => ReturnType<Timed['run']>) {
  const times: number[] = []
  const counts: number[] = []
  for (let i = -3; i < rounds; i++) {
    const start = performance.now()
    const { rows } = await run(i + 3)
    if (i < 0) continue
    times.push(performance.now() - start)
    counts.push(rows.length)
  }
  times.sort((a, b) => a - b)
  const p95 = times[Math.floor(times.length * 0.95)] ?? 0
  return [name, median(counts).toFixed(0), median(times).toFixed(1), p95.toFixed(1)]
}

/** Of the studies that were inserted before. */
async function below(filled: Filled, rounds: number): Promise<readonly (readonly string[])[]> {
  const page = { limit: 100 }
  return [
    await time('series of a study', rounds, (i) =>
      findSeries(filled, { StudyInstanceUID: `1.3.${i}` }, page),
    ),
    await time('instances of a series', rounds, (i) =>
      findInstances(filled, { SeriesInstanceUID: `1.3.${i}.1` }, page),
    ),
  ]
}

/** New studies of 64 instances, each study a transaction. */
async function inserts(filled: Filled, rounds: number): Promise<readonly string[]> {
  return time(`insert ${BATCH} instances of a new study`, rounds, async (i) => {
    const facts = Array.from({ length: BATCH }, (_, n) => factsOf(filled, i, n))
    return await transact(filled.db, async (tx) => {
      return { rows: (await insertInstances({ tx, columns: filled.columns }, facts)).inserted }
    })
  })
}

function factsOf({ keyId }: Filled, study: number, n: number): InstanceFacts {
  const uid = `1.3.${study}`
  return {
    patient: { id: `N${study}`, issuer: '', name: nameOf(study), birthDate: '19700101', sex: 'O' },
    study: { uid, date: '20250101', time: '', accession: `N${study}`, description: '', referrer: '' },
    series: { uid: `${uid}.1`, modality: 'CT', number: 1, description: '', bodyPart: '' },
    sopUid: `${uid}.1.${n}`,
    sopClass: '1.2.840.10008.5.1.4.1.1.2',
    transferSyntax: '1.2.840.10008.1.2.1',
    number: n,
    frames: 1,
    rows: 512,
    columns: 512,
    sha256: createHash('sha256').update(`${study} ${n}`).digest(),
    size: 524_288,
    blobId: randomUUID(),
    keyId,
    preamble: '',
    receivedAt: new Date(),
  }
}
