// The policy at the pages: every route, with every role, fresh and stale; and an emergency from its opening to its review.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { ROUTES } from '../../apps/gateway/src/http/routes.ts'
import { decideAtPage, decideForStudies } from '../../apps/gateway/src/policy/doors.ts'
import { grantsOf } from '../../apps/gateway/src/policy/grants.ts'
import { NEVER } from '../../apps/gateway/src/policy/never.ts'
import { ROLES, type Role, type Subject } from '../../apps/gateway/src/policy/subject.ts'
import { openWorld, type World } from '../support/app.ts'
import {
  type Answer,
  type Browser,
  browser,
  enrolled,
  granted,
  ledgerLines,
  type Someone,
  signedIn,
} from '../support/browser.ts'

/** About oneself, or before one is known: these ask the policy nothing. A new route is here, or has an act. */
const WITHOUT_ACT = [
  'GET /',
  'GET /account',
  'GET /allow/:uid',
  'GET /break-glass',
  'GET /enrol',
  'GET /sign-in',
  'GET /sign-in/back',
  'GET /sign-in/second',
  'GET /whoami',
  'POST /account/passkeys',
  'POST /account/passkeys/options',
  'POST /account/passkeys/remove',
  'POST /account/sessions/:id/end',
  'POST /account/sessions/end',
  'POST /account/step-up',
  'POST /account/step-up/elsewhere',
  'POST /allow/:uid',
  'POST /break-glass/end',
  'POST /enrol',
  'POST /sign-in',
  'POST /sign-in/elsewhere',
  'POST /sign-in/second',
  'POST /sign-in/second/options',
  'POST /sign-in/second/passkey',
  'POST /sign-out',
]
const PEOPLE = ROLES.filter((role) => role !== 'service')

suite('the policy at the pages', { timeout: 180_000 }, () => {
  const open: { world?: World } = {}
  const world = (): World => open.world ?? assert.fail()
  const db = () => world().archive.database.kysely
  const inside = new Map<Role, { readonly who: Someone; readonly from: Browser }>()
  const of = (role: Role) => inside.get(role) ?? assert.fail()
  const stale = (person: string, ms: number) =>
    db()
      .updateTable('sessions')
      .set({ shown_at: new Date(Date.now() - ms) })
      .where('person', '=', person)
      .execute()

  before(async () => {
    open.world = await openWorld('roentgate-pages-policy-')
    for (const role of PEOPLE) {
      const from = browser(world().origin)
      const who = await enrolled(world().archive, `the.${role}`, from)
      await granted(world().archive, { holder: who.id, role })
      await signedIn(who, from)
      inside.set(role, { who, from })
    }
  })
  after(() => open.world?.close())

  test('every route has an act of the policy, or is on the list of those about oneself', () => {
    const without = ROUTES.filter(({ act, asks }) => act === undefined && asks === undefined).map(
      ({ method, path }) => `${method} ${path}`,
    )
    assert.deepEqual(without.sort(), WITHOUT_ACT)
  })

  test('who is nobody gets to nothing that wants somebody', async () => {
    for (const { method, path, access } of ROUTES) {
      if (access === 'public') continue
      const from = browser(world().origin)
      const answer = method === 'GET' ? await from.get(path) : await from.post(path)
      if (access === 'either') assert.equal(answer.status, 401, path)
      else assert.deepEqual([answer.status, answer.onward], [303, '/sign-in'], path)
    }
  })

  test('nothing is done for a page of another site', async () => {
    const { from } = of('privacy-officer')
    for (const { path } of ROUTES.filter(({ method }) => method === 'POST'))
      for (const more of [{}, { authorization: 'DPoP x.y.z' }])
        assert.equal(
          (await from.post(path, {}, { origin: 'https://evil.example', ...more })).status,
          403,
          path,
        )
  })

  for (const [what, ms] of [
    ['fresh', 0],
    ['stale', 3_600_000],
  ] as const)
    test(`every role at every route with an act, factors ${what}: as the table says, and never what must not be`, async () => {
      for (const [role, { who, from }] of inside) {
        await stale(who.id, ms)
        const at = new Date(Date.now() - ms)
        const authentication = { at, methods: ['pwd', 'otp', 'mfa'] }
        const grants = await grantsOf(db(), who.id)
        const subject: Subject = { kind: 'person', id: who.id, grants, authentication, session: 's' }
        for (const { method, path, act } of ROUTES) {
          if (act === undefined) continue
          const answer = method === 'GET' ? await from.get(path) : await from.post(path)
          const { kind } = decideAtPage(subject, act)
          const where = `${role} ${method} ${path}`
          assert.equal(answer.status === 403, kind !== 'allow', `${where}: ${kind}, ${answer.status}`)
          if (kind === 'deny') assert.match(answer.text, /your roles do not allow this/i, where)
          if (kind === 'step-up') assert.match(answer.text, /second factor once more/, where)
          const isNever = NEVER.some(
            ({ who: never, may, purposes }) => never.includes(role) && may.includes(act) && !purposes,
          )
          if (isNever) assert.equal(answer.status, 403, `never: ${where}`)
        }
      }
      assert.ok(
        (await ledgerLines(world().archive, 'access-denied')).some((line) =>
          line.includes('break-glass.review'),
        ),
      )
    })

  test('every role at every route of studies: refused where the table gives it no purpose, else what it may see', async () => {
    for (const [role, { who, from }] of inside) {
      await stale(who.id, 0)
      const authentication = { at: new Date(), methods: ['pwd', 'otp', 'mfa'] }
      const grants = await grantsOf(db(), who.id)
      const subject: Subject = { kind: 'person', id: who.id, grants, authentication, session: 's' }
      for (const { path, asks } of ROUTES) {
        if (asks !== 'studies.search' && asks !== 'studies.read') continue
        const url = path.replaceAll(/:\w+/g, '2.25.1').replace('*', '7FE00010')
        const { status } = await from.get(url)
        const { kind } = decideForStudies(subject, asks)
        const there = asks === 'studies.search' ? 200 : 404
        assert.equal(status, kind === 'allow' ? there : 403, `${role} ${path}`)
        const isNever = NEVER.some(
          ({ who: never, may, purposes }) => never.includes(role) && may.includes(asks) && !purposes,
        )
        if (isNever) assert.equal(status, 403, `never: ${role} ${path}`)
        for (const purpose of ['research', 'legal'] as const) {
          const asked: Answer = await from.get(url, { 'x-purpose-of-use': purpose })
          const own: string = decideForStudies(subject, asks, purpose).kind
          assert.equal(asked.status, own === 'allow' ? there : 403, `${role} ${path} for ${purpose}`)
        }
      }
    }
  })

  test('an emergency: opened with a reason, on top of every page, told, reviewed by another', async () => {
    const { archive } = world()
    const { who, from } = of('referring-clinician')
    const officer = of('privacy-officer')
    await stale(who.id, 0)
    await stale(officer.who.id, 0)
    const [first] = await db().selectFrom('patients').select(['id', 'pid_cipher']).execute()
    const pid = archive.columns.open(
      { table: 'patients', column: 'pid', row: first?.id ?? '' },
      first?.pid_cipher ?? Buffer.of(),
    )
    const reason = 'unconscious, allergy unknown'
    for (const [form, what] of [
      [{ patient: pid, reason: 'urgent' }, /A reason has 10 to 500 characters/],
      [{ patient: 'NOBODY-7', reason }, /There is no patient of this ID/],
      [{ patient: '', reason }, /There is no patient of this ID/],
    ] as const) {
      const answer = await from.post('/break-glass', form)
      assert.equal(answer.status, 400)
      assert.match(answer.text, what)
    }
    assert.equal((await from.post('/break-glass', { patient: pid, reason })).onward, '/break-glass')
    assert.match((await from.get('/break-glass')).text, /unconscious, allergy unknown/)
    assert.match((await from.get('/account')).text, /Emergency access to one patient until/)
    const [, opened = ''] = /name="id" value="([0-9a-f-]+)"/.exec((await from.get('/break-glass')).text) ?? []
    assert.match((await officer.from.get('/account')).text, /1 emergency access waits/)
    assert.match(
      (await officer.from.get('/break-glass/reviews')).text,
      /the.referring-clinician, referring-clinician/,
    )
    const stranger = of('radiologist').from
    assert.match(
      (await stranger.post('/break-glass/end', { id: opened })).text,
      /no emergency access of yours/,
    )
    assert.equal((await from.post('/break-glass/end', { id: opened })).onward, '/break-glass')
    assert.doesNotMatch((await from.get('/account')).text, /Emergency access to one patient/)
    const review = { id: opened, verdict: 'justified', note: 'as the chart says' }
    assert.match((await officer.from.post('/break-glass/reviews', { ...review, note: '' })).text, /says why/)
    assert.equal((await officer.from.post('/break-glass/reviews', review)).onward, '/break-glass/reviews')
    assert.doesNotMatch((await officer.from.get('/account')).text, /waits for a review/)
    const told = await ledgerLines(archive, 'break-glass')
    assert.ok(told.some((line) => line.includes(who.id)))
    assert.ok(
      told.every((line) => !line.includes(pid)),
      'no patient ID in the ledger',
    )
  })

  test('nobody reviews what they opened themselves', async () => {
    const { archive } = world()
    const both = browser(world().origin)
    const who = await enrolled(archive, 'two.hats', both)
    await granted(archive, { holder: who.id, role: 'radiologist' })
    await granted(archive, { holder: who.id, role: 'privacy-officer' })
    await signedIn(who, both)
    const [first] = await db().selectFrom('patients').select(['id', 'pid_cipher']).execute()
    const pid = archive.columns.open(
      { table: 'patients', column: 'pid', row: first?.id ?? '' },
      first?.pid_cipher ?? Buffer.of(),
    )
    await both.post('/break-glass', { patient: pid, reason: 'I want to know it all' })
    const [, id = ''] = /name="id" value="([0-9a-f-]+)"/.exec((await both.get('/break-glass')).text) ?? []
    const answer = await both.post('/break-glass/reviews', { id, verdict: 'justified', note: 'fine' })
    assert.equal(answer.status, 403)
    assert.match(answer.text, /Nobody reviews what they opened/)
  })
})
