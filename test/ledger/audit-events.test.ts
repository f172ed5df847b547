// The ledger by FHIR search (IHE ITI-81): who may, what is found, page by page, and that the search itself is an entry.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { openWorld, type World } from '../support/app.ts'
import { type Browser, browser, enrolled, granted, ledgerLines, signedIn } from '../support/browser.ts'

type Coding = { readonly code: string }
type Event = {
  readonly id: string
  readonly type: Coding
  readonly subtype?: readonly Coding[]
  readonly recorded: string
  readonly outcome: string
  readonly agent: readonly { readonly who: { readonly identifier: { readonly value: string } } }[]
  readonly entity: readonly { readonly what: { readonly identifier: { readonly value: string } } }[]
}
type Bundle = {
  readonly resourceType: string
  readonly type: string
  readonly link: readonly { readonly relation: string; readonly url: string }[]
  readonly entry: readonly { readonly resource: Event }[]
}

suite('the ledger by FHIR search', { timeout: 120_000 }, () => {
  const open: { world?: World; auditor?: Browser; study: string } = { study: '' }
  const world = (): World => open.world ?? assert.fail()

  before(async () => {
    open.world = await openWorld('roentgate-iti81-')
    const { archive, origin } = world()
    open.auditor = browser(origin)
    const who = await enrolled(archive, 'the.auditor', open.auditor)
    await granted(archive, { holder: who.id, role: 'auditor' })
    await signedIn(who, open.auditor)
    const row = await archive.database.kysely
      .selectFrom('studies')
      .select('study_uid')
      .executeTakeFirstOrThrow()
    open.study = row.study_uid
  })
  after(() => open.world?.close())

  async function found(query: string): Promise<Bundle> {
    const answer = (await open.auditor?.get(`/fhir/AuditEvent?${query}`)) ?? assert.fail()
    assert.equal(answer.status, 200, answer.text)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/fhir\+json/)
    return JSON.parse(answer.text) as Bundle
  }
  const events = ({ entry }: Bundle): readonly Event[] => entry.map(({ resource }) => resource)

  test('all of it, the latest first, in pages that follow each other', async () => {
    const first = await found('_count=3')
    assert.deepEqual([first.resourceType, first.type, first.entry.length], ['Bundle', 'searchset', 3])
    const seen = events(first).map(({ id }) => Number(id))
    let url = first.link.find(({ relation }) => relation === 'next')?.url
    while (url !== undefined) {
      const page = await found(new URL(url).searchParams.toString())
      seen.push(...events(page).map(({ id }) => Number(id)))
      url = page.link.find(({ relation }) => relation === 'next')?.url
    }
    assert.deepEqual(
      seen,
      [...seen].sort((a, b) => b - a),
    )
    assert.equal(seen.at(-1), 0)
    assert.equal(new Set(seen).size, seen.length)
  })

  test('by event, person, study, patient, outcome and time', async () => {
    const logins = events(await found('type=110114&subtype=110122&agent.identifier=the.auditor'))
    assert.ok(logins.length > 0)
    assert.ok(logins.every(({ agent }) => agent.some(({ who }) => who.identifier.value === 'the.auditor')))
    const system = 'http://dicom.nema.org/resources/ontology/DCM'
    const imports = events(await found(`type=${encodeURIComponent(`${system}|110107`)}`))
    assert.ok(imports.length > 0 && imports.every(({ type }) => type.code === '110107'))
    const ofStudy = events(await found(`entity=${encodeURIComponent(`urn:dicom:uid|urn:oid:${open.study}`)}`))
    assert.ok(ofStudy.length > 0)
    assert.ok(
      ofStudy.every(({ entity }) => entity.some(({ what }) => what.identifier.value.endsWith(open.study))),
    )
    assert.deepEqual(events(await found(`patient.identifier=${open.study}`)), [], 'a study is no patient')
    const now = new Date().toISOString()
    const day = now.slice(0, 10)
    assert.ok(events(await found(`date=ge${day}&date=le${day}`)).length > 0)
    assert.deepEqual(events(await found('date=lt2020-01-01')), [])
    assert.deepEqual(events(await found(`date=gt${encodeURIComponent('2999-01-01T00:00:00Z')}`)), [])
    assert.deepEqual(events(await found('outcome=12')), [])
    assert.ok(events(await found('action=C')).every(({ type }) => type.code === '110107'))
  })

  test('what is not understood is said by its name, without its value', async () => {
    for (const [query, what] of [
      ['date=yesterday', /date/],
      ['outcome=5', /outcome/],
      ['type=1', /type/],
      ['_count=0', /_count/],
      ['_after=x', /_after/],
      ['patient=Doe', /a parameter that is not one of this search/],
    ] as const) {
      const answer = (await open.auditor?.get(`/fhir/AuditEvent?${query}`)) ?? assert.fail()
      assert.equal(answer.status, 400, query)
      assert.match(answer.text, /OperationOutcome/)
      assert.match(answer.text, what)
      assert.doesNotMatch(answer.text, /yesterday|Doe/)
    }
  })

  test('who treats does not read it; who reads it is in it', async () => {
    const { origin, archive, rita } = world()
    const from = browser(origin)
    await signedIn(rita, from)
    assert.equal((await from.get('/fhir/AuditEvent')).status, 403)
    assert.equal((await browser(origin).get('/fhir/AuditEvent')).status, 401)
    const before = (await ledgerLines(archive, 'audit-log-used')).length
    await found('_count=1')
    const told = await ledgerLines(archive, 'audit-log-used')
    assert.equal(told.length, before + 1)
    assert.match(told.at(-1) ?? '', /"id":"the.auditor"/)
  })
})
