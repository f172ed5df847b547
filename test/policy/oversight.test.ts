// Emergencies and reviews of access, in the database and by command.

import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { findStudies } from '../../apps/gateway/src/archive/index/find.ts'
import {
  endBreakGlass,
  listBreakGlass,
  openBreakGlass,
  reviewBreakGlass,
} from '../../apps/gateway/src/policy/break-glass.ts'
import { decide, scopeKey } from '../../apps/gateway/src/policy/decide.ts'
import { decideGrant, grantsOf, markUsed, requestGrant } from '../../apps/gateway/src/policy/grants.ts'
import { makeList } from '../../apps/gateway/src/policy/lists.ts'
import { closeReview, decideItem, reviewItems, startReview } from '../../apps/gateway/src/policy/reviews.ts'
import type { Grant, Subject } from '../../apps/gateway/src/policy/subject.ts'
import { ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { madeOf, STUDIES } from '../support/studies.ts'
import { roentgate } from '../support/terminal.ts'

const folder = passable('roentgate-oversight-')
const at = (name: string): string => join(folder, name)
const REASON = 'unconscious, no record of allergies'
const MFA = ['pwd', 'otp', 'mfa']

type Person = Extract<Subject, { kind: 'person' }>
const person = (id: string, grants: readonly Grant[], methods = MFA): Person => {
  return { kind: 'person', id, grants, authentication: { at: new Date(), methods }, session: 's' }
}

suite('oversight', () => {
  const open: { archive?: Archive; patient?: string; other?: string } = {}
  const db = () => (open.archive ?? assert.fail()).database.kysely
  const keys = { passphrase: Buffer.from('for tests') }

  before(async () => {
    writeFileSync(at('passphrase'), 'for tests')
    open.archive = await openArchive({ dataFolder: at('data'), keys })
    await ingestAll(open.archive, STUDIES.map(madeOf))
    const index = { db: db(), columns: open.archive.columns }
    const [one, two] = (await findStudies(index, {}, { limit: 10 })).rows
    open.patient = one?.patient.rowId ?? assert.fail()
    open.other =
      (await findStudies(index, { PatientID: 'P1' }, { limit: 1 })).rows[0]?.patient.rowId ?? assert.fail()
    assert.ok(two)
  })

  after(async () => {
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const granted = async (holder: string, role: string, list?: string): Promise<string> => {
    const scope = list ? ({ kind: 'studies', id: list } as const) : ({ kind: 'institution' } as const)
    const id = await requestGrant(db(), { holder, role, scope, reason: 'x' }, 'ana')
    await decideGrant(db(), id, { by: 'ben', granted: true })
    return id
  }
  const events = async (name: string): Promise<number> => {
    const rows = await db().selectFrom('ledger_entries').select('line').execute()
    return rows.filter(({ line }) => line.includes(`"event":"${name}"`)).length
  }

  test('an emergency opens one patient, for an hour, and is reviewed by another', async () => {
    const columns = open.archive?.columns ?? assert.fail()
    const list = await makeList({ db: db(), columns }, { kind: 'studies', name: 'none', members: [] }, 'ana')
    await granted('rita', 'radiologist', list)
    const patient = open.patient ?? ''
    const grants = await grantsOf(db(), 'rita')
    const study = {
      kind: 'study',
      scopes: new Set([scopeKey({ kind: 'patient', id: patient })]),
      state: 'live',
    } as const
    const reads = async (when = new Date()) => {
      const subject = person('rita', await grantsOf(db(), 'rita'))
      return decide({ subject, action: 'studies.read', thing: study, purpose: 'treatment', at: when }).kind
    }
    assert.equal(await reads(), 'deny')
    const now = new Date()
    const opening = { subject: person('rita', grants), patient, reason: REASON, at: now }
    const weak = person('rita', grants, ['pwd'])
    await assert.rejects(openBreakGlass(db(), { ...opening, subject: weak }), { code: 'STEP_UP' })
    await assert.rejects(openBreakGlass(db(), { ...opening, reason: 'urgent' }), { code: 'BAD_REASON' })
    const nobody = '01900000-0000-7000-8000-000000000000'
    await assert.rejects(openBreakGlass(db(), { ...opening, patient: nobody }), { code: 'NO_PATIENT' })
    const alerts = await events('break-glass')
    const { id, until } = await openBreakGlass(db(), opening)
    assert.equal(until.getTime() - now.getTime(), 3_600_000)
    assert.equal(await events('break-glass'), alerts + 1, 'the officer is told')
    assert.equal(await reads(), 'allow')
    assert.equal(await reads(until), 'deny', 'an hour later')
    const emergencies = (await grantsOf(db(), 'rita')).filter(({ emergency }) => emergency)
    assert.equal(emergencies.length, 1)
    const alone = person('rita', emergencies)
    await assert.rejects(
      openBreakGlass(db(), { ...opening, subject: alone }),
      { code: 'DENIED' },
      'no chain of them',
    )
    const over = person('rita', [{ role: 'radiologist', scope: { kind: 'institution' }, until: now }])
    await assert.rejects(openBreakGlass(db(), { ...opening, subject: over }), { code: 'DENIED' })
    const other = {
      kind: 'study',
      scopes: new Set([scopeKey({ kind: 'patient', id: open.other ?? '' })]),
      state: 'live',
    } as const
    const subject = person('rita', await grantsOf(db(), 'rita'))
    const elsewhere = decide({ subject, action: 'studies.read', thing: other, purpose: 'treatment', at: now })
    assert.deepEqual(elsewhere, { kind: 'deny', reason: 'out-of-scope' }, 'another patient')
    const verdict = { verdict: 'justified', note: 'as the chart says' } as const
    await assert.rejects(reviewBreakGlass(db(), id, { by: 'rita', ...verdict }), { code: 'OWN_REQUEST' })
    assert.equal((await listBreakGlass(db(), 'waiting')).length, 1)
    await reviewBreakGlass(db(), id, { by: 'petra', ...verdict })
    assert.equal((await listBreakGlass(db(), 'waiting')).length, 0)
    assert.equal(await reads(), 'deny', 'the review ends it')
    await assert.rejects(reviewBreakGlass(db(), id, { by: 'petra', ...verdict }), { code: 'NO_GRANT' })
    await assert.rejects(endBreakGlass(db(), id, 'rita'), { code: 'NO_GRANT' })
  })

  test('who does not treat opens none, and that is in the ledger', async () => {
    const subject = person('sam', [{ role: 'security-officer', scope: { kind: 'institution' } }])
    const denied = await events('access-denied')
    const opening = { subject, patient: open.patient ?? '', reason: REASON, at: new Date() }
    await assert.rejects(openBreakGlass(db(), opening), { code: 'DENIED' })
    assert.equal(await events('access-denied'), denied + 1)
  })

  test('a review lists every role that counts, proposes what nobody used, and revokes at once', async () => {
    const [used, dormant] = [await granted('udo', 'technologist'), await granted('dora', 'auditor')]
    await markUsed(db(), 'udo')
    const old = new Date(Date.now() - 91 * 86_400_000)
    await db().updateTable('grants').set({ decided_at: old }).where('id', '=', dormant).execute()
    await startReview(db(), 'petra')
    await assert.rejects(startReview(db(), 'petra'), { code: 'EXISTS' })
    const items = await reviewItems(db())
    assert.deepEqual(
      items.map(({ holder, proposal, lastUsed }) => [holder, proposal, lastUsed !== undefined]),
      [
        ['dora', 'revoke', false],
        ['rita', 'keep', false],
        ['udo', 'keep', true],
      ],
    )
    await assert.rejects(decideItem(db(), dormant, { by: 'dora', decision: 'keep' }), { code: 'OWN_REQUEST' })
    await assert.rejects(closeReview(db(), 'petra'), { code: 'UNDECIDED' })
    await decideItem(db(), dormant, { by: 'petra', decision: 'revoke' })
    assert.deepEqual(await grantsOf(db(), 'dora'), [], 'at once')
    for (const { grant, holder } of items.filter(({ holder }) => holder !== 'dora')) {
      await decideItem(db(), grant, { by: 'petra', decision: 'keep' })
      await assert.rejects(
        decideItem(db(), grant, { by: 'petra', decision: 'revoke' }),
        { code: 'NO_GRANT' },
        holder,
      )
    }
    assert.equal((await grantsOf(db(), 'udo')).length, 1)
    await closeReview(db(), 'petra')
    await assert.rejects(reviewItems(db()), { code: 'NO_GRANT' })
    assert.ok(used)
  })

  test('by command', async () => {
    const [rita] = await grantsOf(db(), 'rita')
    assert.ok(rita)
    const subject = person('rita', [rita])
    const { id } = await openBreakGlass(db(), {
      subject,
      patient: open.patient ?? '',
      reason: REASON,
      at: new Date(),
    })
    await open.archive?.close()
    const here = { data: at('data'), passphraseFile: at('passphrase') }
    const run = (...words: readonly string[]) => roentgate(words, here)
    const list = await run('break-glass', 'list')
    assert.match(
      list.out,
      new RegExp(`^${id} .* rita \\(radiologist\\) {2}patient [0-9a-f-]{36} {2}waits for a review\\n`),
    )
    const said = ['--verdict', 'unjustified', '--note', 'another patient was meant']
    assert.match((await run('break-glass', 'review', id, ...said, '--by', 'rita')).err, /nobody reviews/)
    assert.equal((await run('break-glass', 'review', id, ...said, '--by', 'petra')).code, 0)
    assert.match(
      (await run('break-glass', 'list', '--all')).out,
      /unjustified, says petra[\s\S]*2 emergency accesses\.\n$/,
    )
    assert.match((await run('access-review', 'start', '--by', 'petra')).out, /^2 roles to be decided on/)
    const items = await run('access-review', 'list')
    const grants = [...items.out.matchAll(/^([0-9a-f-]{36}) {2}/gm)].map(([, grant = '']) => grant)
    assert.match(
      items.out,
      /udo +technologist +last used \d{4}-.* proposed: keep\n2 roles, 2 to be decided on\.\n$/,
    )
    assert.match((await run('access-review', 'close', '--by', 'petra')).err, /2 of its roles wait/)
    for (const grant of grants)
      assert.equal((await run('access-review', 'decide', grant, 'keep', '--by', 'petra')).code, 0)
    assert.equal((await run('access-review', 'close', '--by', 'petra')).code, 0)
    assert.match((await run('access-review', 'list')).err, /no review is open/)
    open.archive = await openArchive({ dataFolder: at('data'), keys })
  })
})
