// Instances enter the index.   facts ─► patients ─► studies ─► series ─► instances ─► conflicts ─► counts
//
// Invariants: at most one instance a SOP Instance UID is current; no bytes are dropped: the same UID with other bytes
// is kept as a conflict; the same UID with the same bytes is a duplicate and makes no row; counts are those of the
// current instances, whatever the number of writers.

import { type RawBuilder, sql } from 'kysely'
import type { Tx } from '../../db/database.ts'
import { DbError } from '../../db/errors.ts'
import type { ConflictKind, InstanceState } from '../../db/schema.ts'
import { IndexError, KeyGone } from './errors.ts'
import type { InstanceFacts } from './facts.ts'
import { type InstanceRow, type Kept, type Look, look } from './look.ts'
import {
  isOtherPerson,
  patientKey,
  pidOf,
  upsertPatients,
  upsertSeries,
  upsertStudies,
  type Writer,
} from './upsert.ts'
import { uuid7 } from './uuid.ts'

export type Inserted = {
  readonly outcome: 'stored' | 'duplicate' | 'conflict'
  /** Of the row that holds these bytes: for a duplicate the earlier one, whose blob is to be used. */
  readonly instanceId: string
  readonly blobId: string
  readonly seriesId: string
  readonly studyId: string
  /** Besides bytes that differ: what does not fit together above the instance. Recorded once, in `conflicts`. */
  readonly collisions: readonly Exclude<ConflictKind, 'different-bytes'>[]
}

/** Parameters of one statement are counted in 16 bits; and locks are held for as long as the batch takes. */
export const MAX_FACTS = 256
/** Each round settles one fact of every UID; more only if others insert or delete between our look and our insert. */
const MAX_ROUNDS = 4

/** What a transaction ends with, in the statement of the rows if that is possible: a round trip less. */
export type Along<T> = {
  /** That statement waits for this. */
  readonly ready: Promise<void>
  /** Of the one row of this table, which is locked when everything else is. */
  readonly from: string
  readonly columns: RawBuilder<T>
}
export type Written<T> = { readonly inserted: readonly Inserted[]; readonly along?: T }

/** In the order of the facts. The transaction has done nothing else to the index before, nor does after. */
export async function insertInstances<T>(
  writer: Writer,
  facts: readonly InstanceFacts[],
  along?: Along<T>,
): Promise<Written<T>> {
  if (facts.length === 0) return { inserted: [] }
  if (facts.length > MAX_FACTS) throw new IndexError('TOO_MANY_FACTS', `at most ${MAX_FACTS} facts at once`)
  const { tx } = writer
  const seen = await look(writer, facts)
  if (facts.some(({ keyId }) => !seen.alive.has(keyId))) throw new KeyGone()
  const homes = await placeAll(writer, facts, seen)
  if (along !== undefined && isAllNew(facts, { homes, there: seen.instances }))
    return await insertNew(tx, facts, { homes, along })
  const rows = await insertRows(tx, facts, { homes, there: seen.instances })
  await recordConflicts(tx, rows)
  await count(tx, rows)
  await keep(tx, rows)
  return { inserted: rows.map(asInserted) }
}

function asInserted({ outcome, kept, home }: Row): Inserted {
  return {
    outcome,
    instanceId: kept.id,
    blobId: kept.blob_id,
    seriesId: kept.series_id,
    studyId: home.studyId,
    collisions: home.collisions.map(({ kind }) => kind),
  }
}

type Placed = { readonly homes: readonly Home[]; readonly there: readonly InstanceRow[] }

function isAllNew(facts: readonly InstanceFacts[], { homes, there }: Placed): boolean {
  const isDistinct = new Set(facts.map(({ sopUid }) => sopUid)).size === facts.length
  return isDistinct && there.length === 0 && homes.every(({ collisions }) => collisions.length === 0)
}

/** What nearly all instances are. @throws DbError CONTENTION where one of them came in meanwhile: once more. */
async function insertNew<T>(
  tx: Tx,
  facts: readonly InstanceFacts[],
  { homes, along }: { readonly homes: readonly Home[]; readonly along: Along<T> },
): Promise<Written<T>> {
  const rows = facts.map((fact, place): Row & { readonly row: ReturnType<typeof instanceRow> } => {
    const home = must(homes[place])
    const row = instanceRow(fact, home, 'current')
    return { outcome: 'stored', fact, home, kept: row, row }
  })
  // Of one order, whoever inserts: two that wait for each other would wait long.
  const sorted = rows.map(({ row }) => row).sort((a, b) => (a.sop_uid < b.sop_uid ? -1 : 1))
  const made = tx
    .insertInto('instances')
    .values(sorted)
    .onConflict((on) => on.doNothing())
    .returning('id')
  await along.ready
  const { rows: answers } = await sql<T & { readonly made: number }>`
    with made as (${made}),
    ${counting(rows, sql`(select count(*) from made) >= 0`)}
    select ${along.columns}, (select count(*) from made)::int as made from ${sql.table(along.from)}
    where (select count(*) from studies_done) >= 0 for update`.execute(tx)
  const [answer] = answers
  if (answer === undefined) throw new Error('a table of one row has none')
  if (answer.made < rows.length)
    throw new DbError('CONTENTION', 'an instance came in by another way meanwhile')
  return { inserted: rows.map(asInserted), along: answer }
}

type Collision = {
  readonly kind: Exclude<ConflictKind, 'different-bytes'>
  readonly study_id: string
  readonly patient_id: string
  readonly other_patient_id: string | null
}
type Home = { readonly studyId: string; readonly seriesId: string; readonly collisions: readonly Collision[] }

async function placeAll(
  writer: Writer,
  facts: readonly InstanceFacts[],
  seen: Look,
): Promise<readonly Home[]> {
  const { columns } = writer
  const patients = await upsertPatients(writer, { facts, found: seen.patients })
  const byKey = new Map(patients.map((row) => [`${row.pid} ${row.issuer}`, row]))
  const patientOf = (fact: InstanceFacts) => must(byKey.get(patientKey(columns, fact)))
  const studies = await upsertStudies(writer, { facts, found: seen.studies }, (fact) => patientOf(fact).id)
  const studyOf = ({ study }: InstanceFacts) => must(studies.get(study.uid))
  const series = await upsertSeries(writer, { facts, found: seen.series }, (fact) => studyOf(fact).id)
  return facts.map((fact): Home => {
    const study = studyOf(fact)
    const patient = patientOf(fact)
    const same = series.filter(({ series_uid }) => series_uid === fact.series.uid)
    const home = must(same.find(({ study_id }) => study_id === study.id))
    const pid = pidOf(columns, fact)
    const others = patients.filter((row) => row.pid === pid && row.id !== patient.id)
    const collision = (kind: Collision['kind'], other: string | null): Collision => {
      return { kind, study_id: study.id, patient_id: patient.id, other_patient_id: other }
    }
    const collisions = others.map(({ id }) => collision('issuer-collision', id))
    if (study.patient_id !== patient.id) collisions.push(collision('patient-mismatch', study.patient_id))
    if (same.length > 1) collisions.push(collision('series-mismatch', null))
    if (isOtherPerson(patient, fact)) collisions.push(collision('demographics-mismatch', null))
    return { studyId: study.id, seriesId: home.id, collisions }
  })
}

type Row = {
  readonly outcome: Inserted['outcome']
  readonly fact: InstanceFacts
  readonly home: Home
  readonly kept: Kept
}
type Waiting = {
  readonly index: number
  readonly fact: InstanceFacts
  readonly home: Home
  readonly hash: string
}

async function insertRows(
  tx: Tx,
  facts: readonly InstanceFacts[],
  { homes, there }: { readonly homes: readonly Home[]; readonly there: readonly InstanceRow[] },
): Promise<readonly Row[]> {
  const done: Row[] = []
  let waiting = facts.map((fact, index): Waiting => {
    return { index, fact, home: must(homes[index]), hash: Buffer.from(fact.sha256).toString('hex') }
  })
  waiting.sort((a, b) =>
    a.fact.sopUid < b.fact.sopUid ? -1 : a.fact.sopUid > b.fact.sopUid ? 1 : a.index - b.index,
  )
  for (let round = 0; waiting.length > 0; round++) {
    if (round === facts.length + MAX_ROUNDS)
      throw new Error('an instance is neither there nor can be inserted')
    const known = round === 0 ? there : await thereNow(tx, waiting)
    waiting = [...(await insertRound(tx, { waiting, there: known }, done))]
  }
  return done
}

async function thereNow(tx: Tx, waiting: readonly Waiting[]): Promise<readonly InstanceRow[]> {
  const uids = [...new Set(waiting.map(({ fact }) => fact.sopUid))]
  const select = tx
    .selectFrom('instances')
    .select(['id', 'blob_id', 'series_id', 'sop_uid', 'sha256', 'state'])
  const there = await select.where('sop_uid', 'in', uids).where('state', '<>', 'trashed').execute()
  return there.map((row) => ({ ...row, sha256: row.sha256.toString('hex') }))
}

type Round = { readonly waiting: readonly Waiting[]; readonly there: readonly InstanceRow[] }

/** Those that have to look again: rows that came in between, of others or of this very batch. */
async function insertRound(tx: Tx, { waiting, there }: Round, done: Row[]): Promise<readonly Waiting[]> {
  const byBytes = new Map(there.map((row) => [`${row.sop_uid} ${row.sha256}`, row]))
  const taken = new Set(there.filter(({ state }) => state === 'current').map(({ sop_uid }) => sop_uid))
  const fresh = new Map<string, Waiting>()
  const later: Waiting[] = []
  for (const each of waiting) {
    const known = byBytes.get(`${each.fact.sopUid} ${each.hash}`)
    if (known !== undefined) done[each.index] = { ...each, outcome: 'duplicate', kept: known }
    else if (fresh.has(each.fact.sopUid)) later.push(each)
    else fresh.set(each.fact.sopUid, each)
  }
  if (fresh.size === 0) return later
  const stateOf = (uid: string): InstanceState => (taken.has(uid) ? 'conflict' : 'current')
  const rows = [...fresh.values()].map(({ fact, home }) => instanceRow(fact, home, stateOf(fact.sopUid)))
  const insert = tx
    .insertInto('instances')
    .values(rows)
    .onConflict((on) => on.doNothing())
  const made = await insert.returning(['id', 'blob_id', 'series_id', 'sop_uid', 'state']).execute()
  const bySop = new Map(made.map((row) => [row.sop_uid, row]))
  for (const each of fresh.values()) {
    const row = bySop.get(each.fact.sopUid)
    if (row === undefined) later.push(each)
    else done[each.index] = { ...each, outcome: row.state === 'current' ? 'stored' : 'conflict', kept: row }
  }
  return later
}

function instanceRow(fact: InstanceFacts, { seriesId }: Home, state: InstanceState) {
  return {
    id: uuid7(fact.receivedAt.getTime()),
    series_id: seriesId,
    sop_uid: fact.sopUid,
    sop_class: fact.sopClass,
    transfer_syntax: fact.transferSyntax,
    number: fact.number ?? null,
    frames: fact.frames,
    rows: fact.rows ?? null,
    columns: fact.columns ?? null,
    sha256: Buffer.from(fact.sha256),
    size: fact.size,
    blob_id: fact.blobId,
    key_id: fact.keyId,
    preamble: fact.preamble,
    received_at: fact.receivedAt,
    state,
  }
}

async function recordConflicts(tx: Tx, rows: readonly Row[]): Promise<void> {
  const found = new Map<string, Collision & { readonly at: Date }>()
  for (const { home, fact } of rows) {
    for (const each of home.collisions) {
      const key = `${each.kind} ${each.study_id} ${each.patient_id} ${each.other_patient_id}`
      if (!found.has(key)) found.set(key, { ...each, at: fact.receivedAt })
    }
  }
  const above = [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { at, ...collision }]) => {
      return { ...collision, id: uuid7(at.getTime()), found_at: at, instance_id: null }
    })
  const bytes = rows.flatMap(({ outcome, fact, home, kept }) => {
    if (outcome !== 'conflict') return []
    const id = uuid7(fact.receivedAt.getTime())
    const what = { kind: 'different-bytes' as const, study_id: home.studyId, instance_id: kept.id }
    return [{ ...what, id, found_at: fact.receivedAt, patient_id: null, other_patient_id: null }]
  })
  const all = [...above, ...bytes]
  if (all.length === 0) return
  await tx
    .insertInto('conflicts')
    .values(all)
    .onConflict((on) => on.doNothing())
    .execute()
}

/** Under the locks of studies and series. What comes in takes its study out of the trash. */
/** Its sender is told that an instance is kept: then its study is not in the trash, even if nothing is new. */
async function keep(tx: Tx, rows: readonly Row[]): Promise<void> {
  const again = rows.filter(({ outcome }) => outcome === 'duplicate').map(({ fact }) => fact.sopUid)
  if (again.length === 0) return
  await sql`
    update studies set trashed_at = null
    where trashed_at is not null and id in (
      select study_id from series join instances on instances.series_id = series.id
      where sop_uid = any(${[...new Set(again)]}::text[]) and state <> 'trashed')`.execute(tx)
}

async function count(tx: Tx, rows: readonly Row[]): Promise<void> {
  const added = rows.filter(({ outcome }) => outcome !== 'duplicate')
  if (added.length === 0) return
  await sql`with ${counting(added, sql`true`)} select count(*) from studies_done`.execute(tx)
}

/** Common table expressions, the last of which is studies_done. `when`: what is done before the locks are taken. */
function counting(added: readonly Row[], when: RawBuilder<unknown>): RawBuilder<unknown> {
  const series = additions(added, ({ home }) => home.seriesId)
  const studies = additions(added, ({ home }) => home.studyId)
  const ids = (all: readonly Addition[]) => all.map(({ id }) => id)
  // The locks first, studies before series: a sub-select that another one waits for runs before it.
  return sql`
    studies_locked as materialized (
      select id from studies where id = any(${ids(studies)}::uuid[]) and ${when} order by id for no key update),
    series_locked as materialized (
      select id from series where id = any(${ids(series)}::uuid[]) and (select count(*) from studies_locked) > 0
      order by id for no key update),
    series_done as (
      update series set instance_count = series.instance_count + added.instances
      from jsonb_to_recordset(${JSON.stringify(series)}::jsonb) as added(id uuid, instances int)
      join series_locked using (id)
      where series.id = added.id
      returning series.study_id, added.instances > 0 and series.instance_count = added.instances as is_first),
    studies_done as (
      update studies set
        instance_count = studies.instance_count + added.instances,
        series_count = studies.series_count + (
          select count(*) from series_done where series_done.study_id = studies.id and is_first),
        bytes = studies.bytes + added.bytes,
        modalities = array(select distinct unnest(studies.modalities || added.modalities) order by 1),
        last_at = greatest(studies.last_at, added.last),
        trashed_at = null
      from jsonb_to_recordset(${JSON.stringify(studies)}::jsonb)
        as added(id uuid, instances int, bytes bigint, modalities text[], last timestamptz)
      where studies.id = added.id
      returning studies.id)`
}

type Addition = {
  readonly id: string
  /** Current ones; the rest of the numbers likewise. */
  readonly instances: number
  readonly bytes: number
  readonly modalities: readonly string[]
  readonly last: string
}

function additions(added: readonly Row[], idOf: (row: Row) => string): readonly Addition[] {
  const ids = [...new Set(added.map(idOf))].sort()
  return ids.map((id) => {
    const all = added.filter((row) => idOf(row) === id)
    const current = all.filter(({ outcome }) => outcome === 'stored')
    return {
      id,
      instances: current.length,
      bytes: current.reduce((sum, { fact }) => sum + fact.size, 0),
      modalities: [...new Set(current.map(({ fact }) => fact.series.modality).filter((text) => text !== ''))],
      last: new Date(Math.max(...all.map(({ fact }) => fact.receivedAt.getTime()))).toISOString(),
    }
  })
}

function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a row that was just written is not there')
  return value
}
