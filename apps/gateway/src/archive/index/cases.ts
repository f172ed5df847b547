// What the index must do on any PostgreSQL: run against the embedded one by index.test.ts beside this file, and against
// a server of one's own by the tests that start one.

import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { type Database, type Db, transact } from '../../db/database.ts'
import { type Columns, openColumns } from './columns.ts'
import type { InstanceFacts } from './facts.ts'
import { keyTable, type WrappedKey } from './key-table.ts'
import { type Inserted, insertInstances } from './write.ts'

export type Bench = { readonly db: Db; readonly columns: Columns; readonly keyId: string }
export type Case = { readonly name: string; readonly run: (bench: Bench) => Promise<void> }

/** Every case has patients, studies and keys of its own: they run in any order in one database. */
export async function benchOf({ kysely }: Database): Promise<Bench> {
  const keyId = randomUUID()
  await keyTable(kysely).insert(keyId, 'wrapped')
  return { db: kysely, columns: openColumns(Buffer.alloc(32, 1)), keyId }
}

export type Sketch = {
  readonly patient?: Partial<InstanceFacts['patient']>
  readonly study?: Partial<InstanceFacts['study']>
  readonly series?: Partial<InstanceFacts['series']>
  readonly sop?: string
  readonly bytes?: string
  readonly number?: number
  readonly size?: number
}

const RECEIVED = new Date('2026-01-02T03:04:05Z')

export function factsOf({ keyId }: Bench, sketch: Sketch): InstanceFacts {
  const sopUid = sketch.sop ?? newUid()
  return {
    patient: { id: 'P1', issuer: '', name: 'DOE^JANE', birthDate: '19700131', sex: 'F', ...sketch.patient },
    study: {
      uid: newUid(),
      date: '20240229',
      time: '101500',
      accession: 'A1',
      description: 'CT HEAD',
      referrer: 'REF^ERRER',
      ...sketch.study,
    },
    series: {
      uid: newUid(),
      modality: 'CT',
      number: 1,
      description: 'AXIAL',
      bodyPart: 'HEAD',
      ...sketch.series,
    },
    sopUid,
    sopClass: '1.2.840.10008.5.1.4.1.1.2',
    transferSyntax: '1.2.840.10008.1.2.1',
    number: sketch.number ?? 1,
    frames: 1,
    rows: 512,
    columns: 512,
    sha256: createHash('sha256')
      .update(sketch.bytes ?? sopUid)
      .digest(),
    size: sketch.size ?? 1000,
    blobId: randomUUID(),
    keyId,
    preamble: '',
    receivedAt: RECEIVED,
  }
}

export function newUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`
}

export function insert(bench: Bench, ...facts: readonly InstanceFacts[]): Promise<readonly Inserted[]> {
  const along = { ready: Promise.resolve(), from: 'ledger_head', columns: sql`size` }
  return transact(bench.db, async (tx) => {
    return (await insertInstances({ tx, columns: bench.columns }, facts, along)).inserted
  })
}

const outcomes = (all: readonly Inserted[]) => all.map(({ outcome }) => outcome)

async function studyOf({ db }: Bench, uid: string) {
  return db.selectFrom('studies').selectAll().where('study_uid', '=', uid).executeTakeFirstOrThrow()
}

const SAME: Case = {
  name: 'the same bytes are a duplicate, other bytes a conflict, within a batch and across batches',
  run: async (bench) => {
    const study = { uid: newUid() }
    const sop = newUid()
    const [one, two, three] = ['1', '2', '3'].map((bytes) => factsOf(bench, { study, sop, bytes, size: 10 }))
    assert.ok(one && two && three)
    const first = await insert(bench, one, { ...one, blobId: randomUUID() }, two)
    assert.deepEqual(outcomes(first), ['stored', 'duplicate', 'conflict'])
    assert.equal(first[1]?.blobId, one.blobId)
    assert.deepEqual(outcomes(await insert(bench, two, one, three)), ['duplicate', 'duplicate', 'conflict'])
    const { instance_count, bytes, series_count } = await studyOf(bench, study.uid)
    assert.deepEqual([instance_count, bytes, series_count], [1, 10, 1])
    const found = await bench.db
      .selectFrom('conflicts')
      .selectAll()
      .where('study_id', '=', first[0]?.studyId ?? '')
      .execute()
    assert.deepEqual(
      found.map(({ kind }) => kind),
      ['different-bytes', 'different-bytes'],
    )
  },
}

const COLLISIONS: Case = {
  name: 'an ID of two issuers, a study of two patients and a series of two studies are kept apart and recorded once',
  run: async (bench) => {
    const [id, study, series] = [newUid(), { uid: newUid() }, { uid: newUid() }]
    const mine = { id, issuer: 'A' }
    await insert(bench, factsOf(bench, { patient: mine, study, series }))
    const issuer = await insert(bench, factsOf(bench, { patient: { id, issuer: 'B' } }))
    assert.deepEqual(issuer[0]?.collisions, ['issuer-collision'])
    const stranger = factsOf(bench, { patient: { id: newUid() }, study })
    const other = await insert(bench, stranger, { ...stranger, sopUid: newUid() })
    assert.deepEqual(
      other.map(({ collisions }) => collisions),
      [['patient-mismatch'], ['patient-mismatch']],
    )
    const elsewhere = await insert(bench, factsOf(bench, { patient: { id: newUid() }, series }))
    assert.deepEqual(elsewhere[0]?.collisions, ['series-mismatch'])
    assert.notEqual(elsewhere[0]?.studyId, other[0]?.studyId)
    const ids = [issuer, other, elsewhere].map(([first]) => first?.studyId ?? '')
    const rows = await bench.db
      .selectFrom('conflicts')
      .select('kind')
      .where('study_id', 'in', ids)
      .orderBy('kind')
      .execute()
    assert.deepEqual(
      rows.map(({ kind }) => kind),
      ['issuer-collision', 'patient-mismatch', 'series-mismatch'],
    )
  },
}

const OTHER_PERSON: Case = {
  name: 'another name or birth date under a known ID is recorded, another spelling or a blank is not',
  run: async (bench) => {
    const id = newUid()
    const collisions = async (patient: Sketch['patient']) => {
      const [first] = await insert(bench, factsOf(bench, { patient: { id, ...patient } }))
      return first?.collisions
    }
    assert.deepEqual(await collisions({}), [])
    assert.deepEqual(await collisions({ name: 'Doe^Jane^^', birthDate: '' }), [])
    assert.deepEqual(await collisions({ name: '' }), [])
    assert.deepEqual(await collisions({ name: 'ROE^JANE' }), ['demographics-mismatch'])
    assert.deepEqual(await collisions({ birthDate: '19700201' }), ['demographics-mismatch'])
  },
}

const NAMELESS: Case = {
  name: 'studies without a patient ID are not one patient',
  run: async (bench) => {
    const patient = { id: ' ' }
    const studies = [newUid(), newUid()]
    await insert(bench, ...studies.map((uid) => factsOf(bench, { patient, study: { uid } })))
    const rows = await Promise.all(studies.map((uid) => studyOf(bench, uid)))
    assert.notEqual(rows[0]?.patient_id, rows[1]?.patient_id)
  },
}

const WRITERS = 4
const BATCHES = 6
const BATCH = 16

const PARALLEL: Case = {
  name: `counts are right after ${WRITERS} writers in parallel, duplicates and all`,
  run: async (bench) => {
    const studies = Array.from({ length: 3 }, () => ({ uid: newUid() }))
    const series = Array.from({ length: 5 }, (_, i) => ({
      uid: newUid(),
      modality: i % 2 === 0 ? 'CT' : 'PT',
    }))
    const patient = { id: newUid() }
    const sops = Array.from({ length: 120 }, newUid)
    const write = async (writer: number): Promise<readonly Inserted[]> => {
      const all: Inserted[] = []
      for (let batch = 0; batch < BATCHES; batch++) {
        const facts = Array.from({ length: BATCH }, (_, i) => {
          const n = (writer * 31 + batch * 17 + i * 7) % sops.length
          const sop = sops[n] ?? ''
          const [study = { uid: '' }, into = { uid: '' }] = [studies[n % 3], series[n % 5]]
          const uid = `${into.uid}.${n % 3}`
          return factsOf(bench, { patient, study, series: { ...into, uid }, sop, size: n + 1 })
        })
        all.push(...(await insert(bench, ...facts)))
      }
      return all
    }
    const all = (await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))).flat()
    assert.equal(all.length, WRITERS * BATCHES * BATCH)
    assert.ok(all.every(({ outcome }) => outcome !== 'conflict'))
    const rows = await bench.db
      .selectFrom('studies')
      .innerJoin('series', 'series.study_id', 'studies.id')
      .innerJoin('instances', 'instances.series_id', 'series.id')
      .where(
        'study_uid',
        'in',
        studies.map(({ uid }) => uid),
      )
      .groupBy('studies.id')
      .select(({ fn }) => [
        'studies.instance_count',
        'studies.series_count',
        'studies.bytes',
        'studies.modalities',
        fn.countAll<number>().as('instances'),
        fn.sum<string>('size').as('size'),
        fn.count<number>('series.id').distinct().as('series'),
      ])
      .execute()
    assert.equal(rows.length, 3)
    for (const row of rows) {
      assert.deepEqual(
        [row.instance_count, row.series_count, row.bytes],
        [row.instances, row.series, Number(row.size)],
      )
      assert.deepEqual(row.modalities, ['CT', 'PT'])
    }
    const stored = all.filter(({ outcome }) => outcome === 'stored')
    assert.equal(stored.length, new Set(all.map(({ instanceId }) => instanceId)).size)
    assert.equal(
      stored.length,
      rows.reduce((sum, { instances }) => sum + instances, 0),
    )
  },
}

const NO_PLAIN_TEXT: Case = {
  name: 'no name, ID, accession number or description is in a table as it was',
  run: async (bench) => {
    const canary = 'CANARYVALUE'
    await insert(
      bench,
      factsOf(bench, {
        patient: { id: canary, name: `${canary}^X`, birthDate: canary },
        study: { uid: newUid(), accession: canary, description: canary, referrer: canary },
        series: { description: canary },
      }),
    )
    for (const table of ['patients', 'studies', 'series', 'instances', 'conflicts'] as const) {
      for (const row of await bench.db.selectFrom(table).selectAll().execute()) {
        const text = JSON.stringify(row, (_, value) =>
          value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value,
        )
        assert.ok(!text.includes(canary), table)
      }
    }
  },
}

const KEYS: Case = {
  name: 'the key table lists what was not removed, and a removed key is gone for good',
  run: async ({ db }) => {
    const purpose = randomUUID()
    const keys = keyTable(db, purpose)
    const [a, b] = [randomUUID(), randomUUID()]
    await keys.insert(a, 'A')
    await keys.insert(b, 'B')
    await keys.update(b, 'B2')
    assert.deepEqual(
      [await keys.load(a), await keys.load(b), await keys.load(randomUUID())],
      ['A', 'B2', undefined],
    )
    await keys.remove(a)
    await keys.update(a, 'again')
    assert.equal(await keys.load(a), undefined)
    const listed: WrappedKey[] = []
    for await (const key of keys.list()) listed.push(key)
    assert.deepEqual(listed, [{ id: b, wrapped: 'B2' }])
    await assert.rejects(keys.insert(a, 'A'), { code: 'CONSTRAINT' })
  },
}

/** Tables that others fill, with the types that they will use. */
const TABLES: Case = {
  name: 'holds, policies, disposals, ledger and spool are as their types say',
  run: async (bench) => {
    const { db } = bench
    const [inserted] = await insert(bench, factsOf(bench, {}))
    const id = randomUUID()
    const study = { hold_id: id, study_id: inserted?.studyId ?? '' }
    await db
      .insertInto('holds')
      .values({ id, matter: 'M', owner: 'O', second: null, released_by: null })
      .execute()
    await db.insertInto('hold_studies').values(study).execute()
    assert.deepEqual(await db.selectFrom('hold_studies').selectAll().where('hold_id', '=', id).execute(), [
      study,
    ])
    const policy = { id, name: id, modality: 'MG', years: 10, minors_until_age: 21 }
    const made = await db
      .insertInto('retention_policies')
      .values(policy)
      .returningAll()
      .executeTakeFirstOrThrow()
    assert.deepEqual([made.years, made.active, made.jurisdiction], [10, true, ''])
    const disposal = { id, study_uid_digest: Buffer.alloc(32), policy_id: id, certificate: '{"by":"x"}' }
    const gone = await db.insertInto('disposals').values(disposal).returningAll().executeTakeFirstOrThrow()
    assert.deepEqual([gone.certificate, gone.at instanceof Date], [{ by: 'x' }, true])
    const refused = { name: 'DbError', code: 'CONSTRAINT', table: 'disposals' }
    await assert.rejects(db.deleteFrom('disposals').where('id', '=', id).execute(), refused)
    const index = Date.now()
    await db
      .insertInto('ledger_entries')
      .values({ index, line: '{}', leaf: Buffer.alloc(32, 1) })
      .execute()
    const entries = await db.selectFrom('ledger_entries').selectAll().where('index', '=', index).execute()
    assert.deepEqual(entries, [{ index, line: '{}', leaf: Buffer.alloc(32, 1) }])
    const { size, frontier, singleton } = await db
      .selectFrom('ledger_head')
      .selectAll()
      .executeTakeFirstOrThrow()
    assert.deepEqual([size, frontier.length, singleton], [0, 0, true])
    await db.insertInto('checkpoints').values({ size: index, text: 'T' }).execute()
    const job = await db
      .insertInto('spool')
      .values({ sink: id, payload: Buffer.of(1) })
      .returningAll()
      .executeTakeFirstOrThrow()
    assert.deepEqual([typeof job.id, job.tries, job.payload], ['number', 0, Buffer.of(1)])
  },
}

export const WRITE_CASES: readonly Case[] = [
  SAME,
  COLLISIONS,
  OTHER_PERSON,
  NAMELESS,
  PARALLEL,
  NO_PLAIN_TEXT,
  KEYS,
  TABLES,
]
