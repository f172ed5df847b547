// Roles at the pages: asked for, decided on by another who may, reviewed by managers.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { grantsOf } from '../../apps/gateway/src/policy/grants.ts'
import type { Role } from '../../apps/gateway/src/policy/subject.ts'
import { POLICY } from '../../apps/gateway/src/policy/table.ts'
import { openWorld, type World } from '../support/app.ts'
import { type Browser, browser, enrolled, granted, signedIn } from '../support/browser.ts'

suite('roles at the pages', { timeout: 120_000 }, () => {
  const open: { world?: World } = {}
  const world = (): World => open.world ?? assert.fail()
  const db = () => world().archive.database.kysely
  const inside = new Map<string, Browser>()
  const of = (id: string): Browser => inside.get(id) ?? assert.fail()
  const rolesOf = async (id: string) => (await grantsOf(db(), id)).map(({ role }) => role)

  before(async () => {
    open.world = await openWorld('roentgate-roles-pages-')
    const { archive, origin } = world()
    const all: readonly (readonly [string, Role | undefined, string | undefined])[] = [
      ['sam', 'security-officer', undefined],
      ['sara', 'security-officer', undefined],
      ['aude', 'auditor', undefined],
      ['mona', 'radiologist', undefined],
      ['max', 'radiologist', undefined],
      ['nell', undefined, 'mona'],
      ['olaf', undefined, 'max'],
    ]
    for (const [id, role, manager] of all) {
      const from = browser(origin)
      const who = await enrolled(archive, id, from)
      if (manager) await db().updateTable('people').set({ manager }).where('id', '=', id).execute()
      if (role) await granted(archive, { holder: id, role })
      await signedIn(who, from)
      inside.set(id, from)
    }
  })
  after(() => open.world?.close())

  test('the policy is read by those it holds for, every line with its reason', async () => {
    const { text, status } = await of('aude').get('/policy')
    assert.equal(status, 200)
    for (const { because } of POLICY) assert.ok(text.includes(because.replaceAll("'", '&#39;')), because)
    assert.equal((await of('nell').get('/policy')).status, 403, 'without a role there is none that holds')
  })

  test('asked for by one who has a role, decided on by another who may, and by nobody else', async () => {
    const why = { role: 'technologist', reason: 'also acquires' }
    assert.match((await of('sam').post('/roles/ask', why)).text, /Somebody else decides on it/)
    const list = await of('sara').get('/roles')
    const [, id = ''] = /sam: technologist[\s\S]*?name="id" value="([0-9a-f-]+)"/.exec(list.text) ?? []
    assert.ok(id, list.text)
    assert.equal((await of('aude').post('/roles/decide', { id, granted: 'yes' })).status, 403, 'an auditor')
    assert.equal(
      (await of('mona').post('/roles/decide', { id, granted: 'yes' })).status,
      403,
      'a radiologist',
    )
    const own = await of('sam').post('/roles/decide', { id, granted: 'yes' })
    assert.equal(own.status, 403)
    assert.match(own.text, /Nobody decides on a role that they asked for/)
    const old = new Date(Date.now() - 3_600_000)
    await db().updateTable('sessions').set({ shown_at: old }).where('person', '=', 'sara').execute()
    assert.match(
      (await of('sara').post('/roles/decide', { id, granted: 'yes' })).text,
      /second factor once more/,
    )
    await db().updateTable('sessions').set({ shown_at: new Date() }).where('person', '=', 'sara').execute()
    assert.equal((await of('sara').post('/roles/decide', { id, granted: 'yes' })).onward, '/roles')
    assert.deepEqual(await rolesOf('sam'), ['security-officer', 'technologist'])
    assert.equal((await of('sara').post('/roles/revoke', { id })).onward, '/roles')
    assert.deepEqual(await rolesOf('sam'), ['security-officer'])
    assert.equal(
      (await of('sara').post('/roles/decide', { id, granted: 'yes' })).status,
      400,
      'it was decided',
    )
    assert.match((await of('sam').post('/roles/ask', { ...why, role: 'root' })).text, /A role is one of/)
  })

  test('a review: managers decide about their people, officers where there is no manager, and nobody about themselves', async () => {
    const nell = await granted(world().archive, { holder: 'nell', role: 'technologist' })
    await granted(world().archive, { holder: 'olaf', role: 'technologist' })
    assert.equal((await of('mona').post('/access-review/run', { what: 'start' })).status, 403)
    assert.equal((await of('sam').post('/access-review/run', { what: 'start' })).onward, '/access-review')
    const seen = (await of('mona').get('/access-review')).text
    assert.match(seen, /nell: technologist, never used/)
    assert.doesNotMatch(seen, /olaf/)
    assert.equal((await of('max').post('/access-review', { id: nell, decision: 'keep' })).status, 403)
    assert.equal((await of('sam').post('/access-review', { id: nell, decision: 'keep' })).status, 403)
    assert.equal(
      (await of('mona').post('/access-review', { id: nell, decision: 'revoke' })).onward,
      '/access-review',
    )
    assert.deepEqual(await rolesOf('nell'), [])
    assert.match((await of('sam').post('/access-review/run', { what: 'close' })).text, /wait for a decision/)
    for (const person of ['max', 'sam', 'sara'])
      for (const { text } of [await of(person).get('/access-review')])
        for (const [, id = ''] of text.matchAll(/name="id" value="([0-9a-f-]+)"/g))
          await of(person).post('/access-review', { id, decision: 'keep' })
    assert.equal((await of('sam').post('/access-review/run', { what: 'close' })).onward, '/access-review')
    assert.match((await of('sam').get('/access-review')).text, /No review is open/)
    assert.deepEqual(await rolesOf('olaf'), ['technologist'])
  })
})
