// Roles and lists in the database, and the same policy in SQL: what is found, page by page, while others store.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Bench, benchOf, factsOf, insert, newUid } from '../../apps/gateway/src/archive/index/cases.ts'
import {
  findInstances,
  findPatients,
  findSeries,
  findStudies,
} from '../../apps/gateway/src/archive/index/find.ts'
import { type Database, openDatabase } from '../../apps/gateway/src/db/database.ts'
import {
  decideGrant,
  grantsOf,
  listGrants,
  type NewGrant,
  requestGrant,
  revokeGrant,
} from '../../apps/gateway/src/policy/grants.ts'
import { listLists, makeList } from '../../apps/gateway/src/policy/lists.ts'
import type { Scope } from '../../apps/gateway/src/policy/subject.ts'
import { visibleStudies } from '../../apps/gateway/src/policy/visible.ts'
import { passable } from '../support/data-folder.ts'

const folder = passable('roentgate-policy-')
const STUDIES = 500
/** Every fifth study, and one: 101 of 500. */
const isOurs = (number: number): boolean => number % 5 === 0 || number === 499

suite('roles, lists and what they let see', { timeout: 120_000 }, () => {
  const open: { database?: Database; bench?: Bench; list?: string; patients?: string } = {}
  const bench = (): Bench => open.bench ?? assert.fail()
  const uids = Array.from({ length: STUDIES }, newUid)

  before(async () => {
    open.database = await openDatabase({ dataFolder: join(folder, 'data') })
    open.bench = await benchOf(open.database)
    const facts = uids.map((uid, number) =>
      factsOf(bench(), {
        patient: { id: `P${number % 50}`, name: `Doe^${number % 50}` },
        study: { uid, date: `2024${String((number % 12) + 1).padStart(2, '0')}01` },
      }),
    )
    for (let at = 0; at < facts.length; at += 100) await insert(bench(), ...facts.slice(at, at + 100))
    const members = uids.filter((_, number) => isOurs(number))
    open.list = await makeList(bench(), { kind: 'studies', name: 'ours', members }, 'ana')
    open.patients = await makeList(bench(), { kind: 'patients', name: 'two', members: ['P1', 'P2'] }, 'ana')
  })

  after(async () => {
    await open.database?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const scope = (): Scope => ({ kind: 'studies', id: open.list ?? '' })
  const index = (...scopes: readonly Scope[]) => ({ ...bench(), visible: visibleStudies(scopes) })

  test('101 of 500 studies, in pages that others do not shift, and no other by any key', async () => {
    const found: string[] = []
    for (let after: string | undefined; ; ) {
      const page = await findStudies(index(scope()), {}, { limit: 25, after })
      found.push(...page.rows.map(({ uid }) => uid))
      await insert(
        bench(),
        factsOf(bench(), { patient: { id: 'NEW' }, study: { uid: newUid(), date: '20240601' } }),
      )
      if (page.next === undefined) break
      after = page.next
    }
    assert.equal(found.length, 101)
    assert.deepEqual(new Set(found), new Set(uids.filter((_, number) => isOurs(number))))
    const [, other = ''] = uids
    for (const query of [{ StudyInstanceUID: other }, { StudyInstanceUID: other, PatientName: 'Doe*' }]) {
      assert.deepEqual((await findStudies(index(scope()), query, { limit: 10 })).rows, [])
      assert.deepEqual((await findSeries(index(scope()), query, { limit: 10 })).rows, [])
      assert.deepEqual((await findInstances(index(scope()), query, { limit: 10 })).rows, [])
    }
    const offset = await findStudies(index(scope()), {}, { limit: 100, offset: 100 })
    assert.equal(offset.rows.length, 1)
  })

  test('of patients, those with a study that may be seen; of a list of patients, all their studies', async () => {
    const byStudies = await findPatients(index(scope()), {}, { limit: 100 })
    assert.deepEqual(
      new Set(byStudies.rows.map(({ id }) => id)),
      new Set(uids.flatMap((_, number) => (isOurs(number) ? [`P${number % 50}`] : []))),
    )
    const two: Scope = { kind: 'patients', id: open.patients ?? '' }
    const studies = await findStudies(index(two), {}, { limit: 100 })
    assert.equal(studies.rows.length, 20)
    const one = studies.rows[0]?.patient.rowId ?? ''
    assert.equal((await findStudies(index({ kind: 'patient', id: one }), {}, { limit: 100 })).rows.length, 10)
    assert.equal((await findStudies(index(scope(), two), {}, { limit: 200 })).rows.length, 121)
    const narrowed = visibleStudies([two], { scopes: [], patient: one })
    assert.equal((await findStudies({ ...bench(), visible: narrowed }, {}, { limit: 100 })).rows.length, 10)
    assert.equal((await findStudies(index(), {}, { limit: 100 })).rows.length, 0, 'no role, nothing')
    const all = await findStudies(index({ kind: 'institution' }), {}, { limit: 1000 })
    assert.ok(all.rows.length >= STUDIES)
  })

  test('a list of what is not there is not made', async () => {
    const list = (kind: 'studies' | 'patients', ...members: readonly string[]) =>
      makeList(bench(), { kind, name: newUid(), members }, 'ana')
    await assert.rejects(list('studies', '1.2.3'), { code: 'NO_LIST' })
    await assert.rejects(list('patients', 'NOBODY'), { code: 'NO_LIST' })
    await assert.rejects(makeList(bench(), { kind: 'studies', name: 'ours', members: [] }, 'ana'), {
      code: 'EXISTS',
    })
    assert.deepEqual(
      (await listLists(bench().db)).map(({ name, count }) => [name, count]),
      [
        ['two', 2],
        ['ours', 101],
      ],
    )
  })

  test('a role is asked for, decided on by somebody else, counts until it is over or revoked', async () => {
    const { db } = bench()
    const asked: NewGrant = {
      holder: 'rita',
      role: 'radiologist',
      scope: scope(),
      reason: 'joins the department',
    }
    const id = await requestGrant(db, asked, 'ben')
    assert.deepEqual(await grantsOf(db, 'rita'), [])
    await assert.rejects(decideGrant(db, id, { by: 'ben', granted: true }), { code: 'OWN_REQUEST' })
    await assert.rejects(decideGrant(db, id, { by: 'rita', granted: true }), { code: 'OWN_REQUEST' })
    await decideGrant(db, id, { by: 'sam', granted: true })
    assert.deepEqual(
      (await grantsOf(db, 'rita')).map(({ role, scope: own }) => [role, own]),
      [['radiologist', scope()]],
    )
    await assert.rejects(decideGrant(db, id, { by: 'sam', granted: false }), { code: 'NO_GRANT' })
    await revokeGrant(db, id, 'sam')
    assert.deepEqual(await grantsOf(db, 'rita'), [])
    const denied = await requestGrant(db, asked, 'ben')
    await decideGrant(db, denied, { by: 'sam', granted: false })
    assert.deepEqual(await grantsOf(db, 'rita'), [])
    const soon = await requestGrant(db, { ...asked, until: new Date(Date.now() + 150) }, 'ben')
    await decideGrant(db, soon, { by: 'sam', granted: true })
    assert.equal((await grantsOf(db, 'rita')).length, 1)
    await new Promise((resolve) => setTimeout(resolve, 200))
    assert.deepEqual(await grantsOf(db, 'rita'), [])
    assert.deepEqual(
      (await listGrants(db)).map(({ state }) => state),
      ['revoked', 'denied', 'granted'],
    )
    const lines = await db
      .selectFrom('ledger_entries')
      .select('line')
      .where('line', 'like', '%role-changed%')
      .execute()
    assert.equal(lines.length, 7, 'each step is in the ledger')
  })

  test('what is no role, no list or no reason is refused, and the table itself refuses deciding for oneself', async () => {
    const { db } = bench()
    const grant: NewGrant = {
      holder: 'rita',
      role: 'radiologist',
      scope: { kind: 'institution' },
      reason: 'x',
    }
    for (const wrong of [{ role: 'root' }, { holder: '' }, { reason: ' ' }, { until: new Date(0) }] as const)
      await assert.rejects(requestGrant(db, { ...grant, ...wrong }, 'ben'), { code: 'BAD_GRANT' })
    for (const id of ['x', '01900000-0000-7000-8000-000000000000'])
      await assert.rejects(requestGrant(db, { ...grant, scope: { kind: 'studies', id } }, 'ben'), {
        code: 'NO_LIST',
      })
    const id = await requestGrant(db, grant, 'ben')
    const update = db.updateTable('grants').set({ decided_by: 'ben', state: 'granted' }).where('id', '=', id)
    await assert.rejects(update.execute(), { code: 'CONSTRAINT' })
  })
})
