// People over HTTP, as a browser does it: invited, enrolled, signed in with two factors, idle, ended; and those who try it
// another way.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { generate } from 'otplib'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { type OpenHttp, openHttp } from '../../apps/gateway/src/http/server.ts'
import { siteOf } from '../../apps/gateway/src/http/site.ts'
import { invite, recover, setState } from '../../apps/gateway/src/identity/people.ts'
import { decideGrant, requestGrant } from '../../apps/gateway/src/policy/grants.ts'
import {
  type Browser,
  browser,
  enrolled,
  ledgerLines,
  PASSWORD,
  type Someone,
  signedIn,
} from '../support/browser.ts'
import { passable } from '../support/data-folder.ts'

const folder = passable('roentgate-sign-in-')

suite('signing in', { timeout: 120_000 }, () => {
  const open: { archive?: Archive; http?: OpenHttp; brief?: OpenHttp } = {}
  const archive = (): Archive => open.archive ?? assert.fail()
  const db = () => archive().database.kysely

  before(async () => {
    open.archive = await openArchive({
      dataFolder: join(folder, 'data'),
      keys: { passphrase: Buffer.from('x') },
    })
    const here = { host: '127.0.0.1', port: 0 }
    open.http = await openHttp(siteOf(archive(), { secure: false, names: ['localhost'] }), here)
    const limits = { idleMs: 300, absoluteMs: 1500 }
    open.brief = await openHttp(siteOf(archive(), { secure: false, limits }), here)
  })

  after(async () => {
    await open.http?.close()
    await open.brief?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const visit = (port = open.http?.port): Browser => browser(`http://127.0.0.1:${port}`)
  const enrolledHere = (id: string): Promise<Someone> => enrolled(archive(), id, visit())
  async function signedInHere(who: Pick<Someone, 'id' | 'code'>, from = visit()): Promise<Browser> {
    await signedIn(who, from)
    return from
  }
  const events = (name: string) => ledgerLines(archive(), name)

  test('invited, enrolled, signed in with two factors; the account shows its sessions; signed out', async () => {
    const who = await enrolledHere('rita')
    const scope = { kind: 'institution' } as const
    const role = await requestGrant(db(), { holder: 'rita', role: 'auditor', scope, reason: 'x' }, 'ana')
    await decideGrant(db(), role, { by: 'ben', granted: true })
    const from = await signedInHere(who)
    const used = await db()
      .selectFrom('grants')
      .select('last_used_at')
      .where('id', '=', role)
      .executeTakeFirst()
    assert.ok(used?.last_used_at, 'her roles count as used')
    const account = await from.get('/account')
    assert.equal(account.status, 200)
    assert.match(account.text, /<h1>rita<\/h1>/)
    assert.match(account.text, /auditor for the institution/)
    assert.match(account.text, /this one/)
    assert.equal((await from.post('/sign-out')).status, 303)
    assert.equal((await from.get('/account')).headers.get('location'), '/sign-in')
    assert.ok((await events('login')).some((line) => line.includes('"status":"otp"')))
    assert.equal((await events('logout')).length, 1)
  })

  test('a cookie that was taken ends the session in another browser, with an alert', async () => {
    const from = await signedInHere(await enrolledHere('tom'))
    const cookie = [...from.jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const thief = await fetch(`http://127.0.0.1:${open.http?.port}/account`, {
      headers: { cookie, 'user-agent': 'another browser' },
      redirect: 'manual',
    })
    assert.deepEqual([thief.status, thief.headers.get('location')], [303, '/sign-in'])
    assert.equal((await from.get('/account')).headers.get('location'), '/sign-in', 'it is over for both')
    const told = await events('user-security-changed')
    assert.ok(told.some((line) => line.includes('session used by another browser') && line.includes('tom')))
  })

  test('at another address a session goes on, and what wants a fresh factor wants one there', async () => {
    const from = await signedInHere(await enrolledHere('uma'))
    const asks = async () => (await from.post('/account/passkeys/options', {})).text
    assert.doesNotMatch(await asks(), /second factor again first/)
    await db().updateTable('sessions').set({ address: '10.9.8.7' }).where('person', '=', 'uma').execute()
    assert.equal((await from.get('/account')).status, 200)
    assert.match(await asks(), /second factor again first/)
  })

  test('an invitation works once, and not with a password that others use', async () => {
    const token = await invite(db(), { id: 'dora', name: 'Dora' }, 'ana')
    const visitor = visit()
    const secret =
      /name="secret" value="([A-Z2-7]+)"/.exec((await visitor.get('/enrol')).text)?.[1] ?? assert.fail()
    const send = async (password: string, more: Record<string, string> = {}) =>
      await visitor.post('/enrol', { token, password, secret, code: await generate({ secret }), ...more })
    for (const [password, what] of [
      ['short', /12 to 256 characters/],
      ['aaaaaaaaaaaaaaaa', /again and again/],
      ['dora is my own name', /user ID in it/],
      ['qwertyuiop123', /lists of those who guess/],
    ] as const) {
      const answer = await send(password)
      assert.equal(answer.status, 400, password)
      assert.match(answer.text, what)
      assert.ok(!answer.text.includes(password), 'it is not shown again')
    }
    assert.match((await send(PASSWORD, { code: '000000' })).text, /not the code that the app shows/)
    assert.equal((await send(PASSWORD)).status, 200)
    assert.match((await send(PASSWORD)).text, /was used, or is too old/)
    assert.match((await send(PASSWORD, { token: 'x'.repeat(43) })).text, /was used, or is too old/)
    await assert.rejects(invite(db(), { id: 'dora', name: 'Another' }, 'ana'), { code: 'TAKEN' })
    await setState(db(), 'dora', { state: 'removed', by: 'ana' })
    await assert.rejects(
      invite(db(), { id: 'dora', name: 'Another' }, 'ana'),
      { code: 'TAKEN' },
      'also afterwards',
    )
  })

  test('a code opens once; a recovery code once ever; neither without the password', async () => {
    const who = await enrolledHere('udo')
    const code = await who.code()
    const one = visit()
    await one.post('/sign-in', { person: 'udo', password: PASSWORD })
    assert.equal((await one.post('/sign-in/second', { code })).status, 303)
    const again = visit()
    await again.post('/sign-in', { person: 'udo', password: PASSWORD })
    assert.equal((await again.post('/sign-in/second', { code })).status, 400, 'replayed')
    assert.equal(
      (await visit().post('/sign-in/second', { code: await who.code() })).status,
      400,
      'no first step',
    )
    const [recovery = ''] = who.codes
    assert.equal((await again.post('/sign-in/second', { code: recovery })).status, 303)
    const third = visit()
    await third.post('/sign-in', { person: 'udo', password: PASSWORD })
    assert.equal((await third.post('/sign-in/second', { code: recovery })).status, 400)
  })

  test('the token before the second factor opens nothing, and is another one than the session (fixation)', async () => {
    const who = await enrolledHere('fritz')
    const from = visit()
    from.jar.set('roentgate', 'A'.repeat(43))
    await from.post('/sign-in', { person: 'fritz', password: PASSWORD })
    const pending = from.jar.get('roentgate-step') ?? assert.fail()
    from.jar.set('roentgate', pending)
    assert.equal((await from.get('/account')).headers.get('location'), '/sign-in')
    await from.post('/sign-in/second', { code: await who.code() })
    const session = from.jar.get('roentgate')
    assert.ok(session && session !== pending && session !== 'A'.repeat(43))
    const stored = await db().selectFrom('sessions').selectAll().execute()
    assert.ok(!JSON.stringify(stored).includes(session), 'the database has its hash alone')
  })

  test('idle for too long, or older than it may be: over', async () => {
    const who = await enrolledHere('ida')
    const from = await signedInHere(who, visit(open.brief?.port))
    for (let turn = 0; turn < 3; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 150))
      await db().updateTable('sessions').set({ last_at: new Date() }).where('person', '=', 'ida').execute()
      assert.equal((await from.get('/account')).status, 200)
    }
    await new Promise((resolve) => setTimeout(resolve, 350))
    assert.equal((await from.get('/account')).status, 303, 'idle')
    const old = await signedInHere(who, visit(open.brief?.port))
    await db()
      .updateTable('sessions')
      .set({ begun_at: new Date(Date.now() - 1600), last_at: new Date() })
      .where('person', '=', 'ida')
      .execute()
    assert.equal((await old.get('/account')).status, 303, 'too old')
  })

  test('sessions end one by one and all at once; a suspension and a recovery end them all', async () => {
    const who = await enrolledHere('sam')
    const [one, two, three] = [await signedInHere(who), await signedInHere(who), await signedInHere(who)]
    const { text } = await one.get('/account')
    const [, id = ''] = /\/account\/sessions\/([0-9a-f-]{36})\/end/.exec(text) ?? []
    await one.post(`/account/sessions/${id}/end`)
    const open2 = async () =>
      (await Promise.all([one, two, three].map((each) => each.get('/account')))).map(({ status }) => status)
    assert.equal((await open2()).filter((status) => status === 200).length, 2)
    await one.post('/account/sessions/end')
    assert.deepEqual(
      (await open2()).map((status) => status === 200),
      [true, false, false],
    )
    await assert.rejects(recover(db(), 'sam', 'sam'), { code: 'REFUSED' })
    await recover(db(), 'sam', 'ana')
    assert.equal((await one.get('/account')).status, 303)
    const again = await signedInHere(who)
    await setState(db(), 'sam', { state: 'suspended', by: 'ana' })
    assert.equal((await again.get('/account')).status, 303)
    assert.equal((await visit().post('/sign-in', { person: 'sam', password: PASSWORD })).status, 400)
  })

  test('a passkey is not added long after the second factor, nor without an authenticator that was asked', async () => {
    const from = await signedInHere(await enrolledHere('pia'))
    const json = async (
      path: string,
      body: unknown,
    ): Promise<{ readonly status: number; readonly text: string }> => {
      const origin = `http://localhost:${open.http?.port}`
      const cookie = [...from.jar].map(([name, value]) => `${name}=${value}`).join('; ')
      const headers = { origin, cookie, 'content-type': 'application/json' }
      const answer = await fetch(origin + path, { method: 'POST', headers, body: JSON.stringify(body) })
      return { status: answer.status, text: await answer.text() }
    }
    const asked = await json('/account/passkeys/options', {})
    assert.equal(asked.status, 200, asked.text)
    const { rp, challenge } = JSON.parse(asked.text) as { rp: { id: string }; challenge: string }
    assert.equal(rp.id, 'localhost')
    assert.ok(challenge.length >= 43)
    const made = {
      name: 'x',
      response: {
        id: 'AA',
        rawId: 'AA',
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON: 'AA', attestationObject: 'AA' },
      },
    }
    assert.match((await json('/account/passkeys', made)).text, /does not hold/)
    assert.match((await json('/account/passkeys', made)).text, /start again/, 'a challenge is used once')
    const old = new Date(Date.now() - 6 * 60_000)
    await db().updateTable('sessions').set({ shown_at: old }).where('person', '=', 'pia').execute()
    assert.match((await json('/account/passkeys/options', {})).text, /second factor again first/)
    assert.equal((await json('/sign-in/second/options', {})).status, 400, 'without a first step')
  })

  test('of another person nothing is ended (IDOR)', async () => {
    const [own, other] = [
      await signedInHere(await enrolledHere('eva')),
      await signedInHere(await enrolledHere('otto')),
    ]
    const rows = await db()
      .selectFrom('sessions')
      .select('id')
      .where('person', '=', 'otto')
      .where('ended_at', 'is', null)
      .execute()
    for (const { id } of rows) await own.post(`/account/sessions/${id}/end`)
    assert.equal((await other.get('/account')).status, 200)
  })

  test('what does not come from a page of ours changes nothing (CSRF)', async () => {
    const from = await signedInHere(await enrolledHere('cora'))
    for (const headers of [
      {},
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'null' },
    ] as Record<string, string>[]) {
      assert.equal((await from.post('/sign-out', {}, headers)).status, 403, JSON.stringify(headers))
    }
    assert.equal((await from.get('/account')).status, 200)
  })

  test('a secret in a URL is refused; every answer has its headers; nothing of a request is quoted', async () => {
    for (const name of ['token', 'access_token', 'code', 'password']) {
      const answer = await visit().get(`/sign-in?${name}=hunter2hunter2`)
      assert.equal(answer.status, 400)
      assert.ok(!answer.text.includes('hunter2'))
    }
    for (const path of ['/sign-in', '/nowhere<script>', '/account', '/style.css']) {
      const { headers, text } = await visit().get(path)
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'.*frame-ancestors 'none'/)
      assert.equal(headers.get('cross-origin-opener-policy'), 'same-origin')
      assert.equal(headers.get('cross-origin-resource-policy'), 'same-origin')
      assert.equal(headers.get('x-content-type-options'), 'nosniff')
      assert.equal(headers.get('cache-control'), 'no-store')
      assert.ok(!text.includes('<script>'))
    }
    const script = '"><script>alert(1)</script>'
    const answer = await visit().post('/enrol', {
      token: script,
      password: script,
      secret: 'A'.repeat(32),
      code: '1',
    })
    assert.ok(!answer.text.includes('<script>alert'))
    const large = await visit().post('/sign-in', { person: 'x'.repeat(20_000), password: 'x' })
    assert.equal(large.status, 413)
  })

  test('guessing is slowed down, and shuts nobody out who comes from where they were', async () => {
    const who = await enrolledHere('gabi')
    await signedInHere(who)
    const guess = (person: string) => visit().post('/sign-in', { person, password: 'wrong wrong wrong' })
    for (let turn = 0; turn < 5; turn++) assert.equal((await guess('gabi')).status, 400)
    const slow = await guess('gabi')
    const refused = slow.status === 429 ? slow : await guess('gabi')
    assert.equal(refused.status, 429)
    assert.ok(Number(refused.headers.get('retry-after')) >= 1)
    // From a hundred other places: the account is closed to strangers, and open to its owner's.
    const now = new Date()
    const rows = Array.from({ length: 100 }, (_, n) => ({
      person: 'gabi',
      address: `203.0.113.${n}`,
      failures: 4,
      last_at: now,
    }))
    await db().insertInto('sign_in_attempts').values(rows).execute()
    await db()
      .updateTable('sign_in_attempts')
      .set({ failures: 0 })
      .where('address', '=', '127.0.0.1')
      .execute()
    await signedInHere(who)
    await db()
      .updateTable('sign_in_attempts')
      .set({ succeeded_at: null })
      .where('address', '=', '127.0.0.1')
      .execute()
    assert.equal(
      (await visit().post('/sign-in', { person: 'gabi', password: PASSWORD })).status,
      429,
      'a stranger waits',
    )
    const other = await enrolledHere('hans')
    await signedInHere(other)
    for (const line of [...(await events('login')), ...(await events('account-changed'))])
      for (const secret of [PASSWORD, 'wrong wrong', who.secret]) assert.ok(!line.includes(secret))
  })

  test('nobody and a wrong password take the same time, and get the same answer', async () => {
    await enrolledHere('wanda')
    const time = async (person: string, address: string): Promise<{ ms: number; text: string }> => {
      await db().deleteFrom('sign_in_attempts').where('address', '=', address).execute()
      const begun = performance.now()
      const { text } = await visit().post('/sign-in', { person, password: 'wrong wrong wrong' })
      return { ms: performance.now() - begun, text }
    }
    const [there, nobody]: [number[], number[]] = [[], []]
    for (let turn = 0; turn < 8; turn++) {
      const [one, two] = [await time('wanda', '127.0.0.1'), await time('nobody', '127.0.0.1')]
      assert.equal(one.text, two.text)
      there.push(one.ms)
      nobody.push(two.ms)
    }
    const middle = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0
    assert.ok(middle(nobody) > middle(there) / 2, `${middle(nobody)} ms against ${middle(there)} ms`)
  })
})
