// Signing in at another provider: an oidc-provider of its own beside us, with its keys, which change, and which goes away.

import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:http'
import { after, before, suite, test } from 'node:test'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { interactionPolicy, Provider } from 'oidc-provider'
import { listElsewhere, removeElsewhere, setElsewhere } from '../../apps/gateway/src/identity/elsewhere.ts'
import { invite, setState } from '../../apps/gateway/src/identity/people.ts'
import { openWorld, type World } from '../support/app.ts'
import { type Answer, browser, ledgerLines } from '../support/browser.ts'
import { freePort } from '../support/ports.ts'

/** Who is signed in there, and how. */
type There = { sub: string; claims: Record<string, unknown>; amr: readonly string[]; acr?: string }
type Hospital = { readonly issuer: string; readonly close: () => Promise<void> }

const SECRET = 'a secret of theirs, long enough for anybody'
const code = (wanted: string) => (error: unknown) => (error as { code: string }).code === wanted

suite('another provider', { timeout: 120_000 }, () => {
  const open: { world?: World; hospital?: Hospital; port: number } = { port: 0 }
  const world = (): World => open.world ?? assert.fail()
  const db = () => world().archive.database.kysely
  const store = () => ({ db: db(), columns: world().archive.columns })
  const there: There = { sub: 's-1', claims: {}, amr: ['pwd', 'otp', 'mfa'] }

  async function newKey(kid: string): Promise<JWK> {
    const { privateKey } = await generateKeyPair('RS256', { extractable: true })
    return { ...(await exportJWK(privateKey)), kid, use: 'sig', alg: 'RS256' }
  }

  /** Everybody who comes is the one of `there`. */
  async function openHospital(port: number, keys: readonly JWK[]): Promise<Hospital> {
    const issuer = `http://localhost:${port}`
    const policy = interactionPolicy.base()
    const provider: Provider = new Provider(issuer, {
      jwks: { keys: keys as never },
      clients: [
        {
          client_id: 'roentgate',
          client_secret: SECRET,
          redirect_uris: [`${world().origin}/sign-in/back`],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      claims: {
        openid: ['sub', 'acr', 'amr', 'auth_time'],
        email: ['email', 'email_verified'],
        profile: ['preferred_username'],
      },
      conformIdTokenClaims: false,
      acrValues: ['gold'],
      features: { devInteractions: { enabled: false } },
      findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...there.claims }) }),
      interactions: { url: (_, { uid }) => `/there/${uid}`, policy },
      cookies: { keys: ['x'] },
      ttl: { Session: 60, Interaction: 60, Grant: 60, AccessToken: 60, IdToken: 60, AuthorizationCode: 60 },
    })
    const handle = provider.callback()
    const server: Server = createServer(async (request, response) => {
      if (!request.url?.startsWith('/there/')) return await handle(request, response)
      const { params } = await provider.interactionDetails(request, response)
      const grant = new provider.Grant({ accountId: there.sub, clientId: String(params.client_id) })
      grant.addOIDCScope(String(params.scope))
      const { amr, acr, sub: accountId } = there
      const login = { accountId, amr: [...amr], ...(acr ? { acr } : {}), remember: false }
      const consent = { grantId: await grant.save() }
      return await provider.interactionFinished(request, response, { login, consent })
    })
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done))
    return {
      issuer,
      close: () =>
        new Promise((done) => {
          server.closeAllConnections()
          server.close(() => done())
        }),
    }
  }

  const place = () => ({
    id: 'hospital',
    name: 'Hospital account',
    issuer: open.hospital?.issuer ?? assert.fail(),
    clientId: 'roentgate',
    secret: SECRET,
    idClaim: 'email@hospital.example',
    mfaAmr: ['mfa'],
    mfaAcr: ['gold'],
  })

  before(async () => {
    open.world = await openWorld('roentgate-elsewhere-')
    open.port = await freePort()
    open.hospital = await openHospital(open.port, [await newKey('one')])
    await setElsewhere(store(), place(), 'sam')
  })

  after(async () => {
    await open.hospital?.close()
    await open.world?.close()
  })

  /** The whole way, as a browser goes it; what our site answers in the end. */
  async function come(from = browser(world().origin), waits?: string): Promise<Answer> {
    const form = { provider: 'hospital', ...(waits ? { waits } : {}) }
    const begun = await from.post('/sign-in/elsewhere', form)
    assert.equal(begun.status, 200, begun.text)
    // A browser of their own: cookies are kept by site.
    const abroad = browser(open.hospital?.issuer ?? '')
    let answer = await abroad.get(begun.onward ?? assert.fail())
    for (let hops = 0; hops < 6 && !answer.onward?.startsWith(world().origin); hops++)
      answer = await abroad.get(answer.onward ?? assert.fail(answer.text))
    return await from.get(answer.onward ?? assert.fail(answer.text))
  }

  type How = { readonly amr?: readonly string[]; readonly acr?: string }

  function as(sub: string, email: string, { amr = ['pwd', 'mfa'], acr }: How = {}): void {
    const claims = { email, email_verified: true, preferred_username: email }
    Object.assign(there, { sub, claims, amr, acr })
  }

  test('who was invited comes in, with two factors there and no password here', async () => {
    await invite(db(), { id: 'eva.lang', name: 'Eva Lang' }, 'ana')
    as('s-eva', 'Eva.Lang@hospital.example')
    const from = browser(world().origin)
    assert.match((await from.get('/sign-in')).text, /Sign in with Hospital account/)
    const back = await come(from)
    assert.equal(back.onward, '/account', back.text)
    const account = await from.get('/account')
    assert.match(account.text, /<h1>eva.lang<\/h1>/)
    assert.match(account.text, /Show it again where you sign in/)
    assert.ok((await ledgerLines(world().archive, 'login')).some((line) => line.includes('elsewhere')))
    assert.ok(
      (await ledgerLines(world().archive, 'account-changed')).some((line) =>
        line.includes('"status":"bound"'),
      ),
    )
  })

  test('from then on the account counts, not its name', async () => {
    as('s-eva', 'eva.married@hospital.example')
    const from = browser(world().origin)
    assert.equal((await come(from)).onward, '/account')
    assert.match((await from.get('/account')).text, /<h1>eva.lang<\/h1>/)
    as('s-other', 'eva.lang@hospital.example')
    assert.match((await come()).text, /Nobody was invited here who has this account/)
  })

  test('who was not invited, is of another domain, has a password here, or is suspended, does not come in', async () => {
    await invite(db(), { id: 'max.roth', name: 'Max Roth' }, 'ana')
    as('s-1', 'nobody@hospital.example')
    assert.match((await come()).text, /Nobody was invited here/)
    as('s-2', 'max.roth@other.example')
    assert.match((await come()).text, /Nobody was invited here/)
    as('s-3', 'rita@hospital.example')
    assert.match((await come()).text, /Nobody was invited here/, 'rita has a password here')
    as('s-4', 'max.roth@hospital.example')
    Object.assign(there.claims, { email_verified: false })
    assert.match((await come()).text, /Nobody was invited here/, 'an address that nobody confirmed')
    as('s-4', 'max.roth@hospital.example')
    assert.equal((await come()).onward, '/account')
    await setState(db(), 'max.roth', { state: 'suspended', by: 'sam' })
    assert.match((await come()).text, /Nobody was invited here/)
  })

  test('without a second factor there nobody comes in; acr may say it, too', async () => {
    as('s-eva', 'eva.lang@hospital.example', { amr: ['pwd'] })
    assert.match((await come()).text, /with one factor alone/)
    as('s-eva', 'eva.lang@hospital.example', { amr: ['pwd'], acr: 'gold' })
    assert.equal((await come()).onward, '/account')
    as('s-eva', 'eva.lang@hospital.example', { amr: ['pwd'], acr: 'silver' })
    assert.match((await come()).text, /with one factor alone/)
  })

  test('the factors are shown once more there, for what wants them fresh', async () => {
    as('s-eva', 'eva.lang@hospital.example')
    const from = browser(world().origin)
    await come(from)
    const old = new Date(Date.now() - 3_600_000)
    await db().updateTable('sessions').set({ shown_at: old }).where('person', '=', 'eva.lang').execute()
    const begun = await from.post('/account/step-up/elsewhere')
    const url = new URL(begun.onward ?? assert.fail(begun.text))
    assert.deepEqual([url.searchParams.get('prompt'), url.searchParams.get('max_age')], ['login', '0'])
    const abroad = browser(open.hospital?.issuer ?? '')
    let answer = await abroad.get(url.href)
    for (let hops = 0; hops < 6 && !answer.onward?.startsWith(world().origin); hops++)
      answer = await abroad.get(answer.onward ?? assert.fail(answer.text))
    assert.equal((await from.get(answer.onward ?? '')).onward, '/account')
    const [, at = ''] = /Shown ([\d-]+ [\d:]+) UTC/.exec((await from.get('/account')).text) ?? []
    assert.ok(Date.now() - Date.parse(`${at}Z`) < 120_000, at)
  })

  test('an answer that was not asked for, or by another browser, or twice, opens nothing', async () => {
    as('s-eva', 'eva.lang@hospital.example')
    const from = browser(world().origin)
    const begun = await from.post('/sign-in/elsewhere', { provider: 'hospital' })
    const abroad = browser(open.hospital?.issuer ?? '')
    let answer = await abroad.get(begun.onward ?? assert.fail())
    for (let hops = 0; hops < 6 && !answer.onward?.startsWith(world().origin); hops++)
      answer = await abroad.get(answer.onward ?? assert.fail(answer.text))
    const back = answer.onward ?? assert.fail()
    assert.equal((await browser(world().origin).get(back)).status, 400, 'login CSRF')
    const forged = new URL(back)
    forged.searchParams.set('state', 'x')
    const flow = new Map(from.jar)
    assert.equal((await from.get(forged.href)).status, 400, 'another state')
    for (const [name, value] of flow) from.jar.set(name, value)
    assert.equal((await from.get(back)).onward, '/account')
    for (const [name, value] of flow) from.jar.set(name, value)
    assert.equal((await from.get(back)).status, 400, 'a code comes once')
  })

  test('their keys change, and signing in goes on; who signs with other keys is not believed', async () => {
    as('s-eva', 'eva.lang@hospital.example')
    assert.equal((await come()).onward, '/account')
    await open.hospital?.close()
    open.hospital = await openHospital(open.port, [await newKey('two')])
    assert.equal((await come()).onward, '/account')
  })

  test('when they are away it is said, and those with a password here come in', async () => {
    await open.hospital?.close()
    const from = browser(world().origin)
    const answer = await from.post('/sign-in/elsewhere', { provider: 'hospital' })
    assert.equal(answer.status, 400)
    assert.match(answer.text, /does not answer: try again, or use a password of this site/)
    const { rita } = world()
    assert.equal(
      (await from.post('/sign-in', { person: 'rita', password: 'violet anchor seven lamps' })).status,
      303,
    )
    assert.equal((await from.post('/sign-in/second', { code: await rita.code() })).status, 303)
    open.hospital = await openHospital(open.port, [await newKey('three')])
    assert.equal((await come()).onward, '/account')
  })

  test('what cannot be set is said; what is removed is gone', async () => {
    for (const change of [
      { id: 'No!' },
      { name: '' },
      { issuer: 'http://login.example' },
      { issuer: 'https://login.example/?x=1' },
      { issuer: 'file:///etc/passwd' },
      { idClaim: 'a b' },
      { mfaAmr: [], mfaAcr: [] },
    ])
      await assert.rejects(setElsewhere(store(), { ...place(), ...change }, 'sam'), code('BAD_CLIENT'))
    const [row] = await listElsewhere(db())
    assert.ok(row?.secret_cipher && !row.secret_cipher.includes(SECRET))
    await removeElsewhere(db(), 'hospital', 'sam')
    assert.equal(
      (await browser(world().origin).post('/sign-in/elsewhere', { provider: 'hospital' })).status,
      400,
    )
    await assert.rejects(removeElsewhere(db(), 'hospital', 'sam'), code('NO_CLIENT'))
  })
})
