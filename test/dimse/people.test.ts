// People at a workstation that speaks DICOM: each association says who, by a token that is bound to its certificate; what is
// found is what they may see, an emergency included. DCMTK's storescu brings a token, too.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomUUID, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { importJWK, SignJWT } from 'jose'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { setState } from '../../apps/gateway/src/identity/people.ts'
import { addNode, fingerprintOf } from '../../apps/gateway/src/nodes/registry.ts'
import { addApp } from '../../apps/gateway/src/oidc/clients.ts'
import { keepConsent } from '../../apps/gateway/src/oidc/consents.ts'
import { signingKeys } from '../../apps/gateway/src/oidc/signing.ts'
import { gatewayIdentity, type Issued, initAuthority, issue } from '../../apps/gateway/src/pki/ca.ts'
import { makeList } from '../../apps/gateway/src/policy/lists.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import {
  identifier,
  keyText,
  readIdentifier,
  writeIdentifier,
} from '../../apps/gateway/src/serve/identifier.ts'
import { EXPLICIT } from '../../packages/dicom/src/forge.ts'
import { Tags } from '../../packages/dicom/src/index.ts'
import { type Association, connect, FIELD, STATUS } from '../../packages/dimse/src/index.ts'
import { openWorld, REDIRECT, type World } from '../support/app.ts'
import { ingestAll } from '../support/archive.ts'
import { browser, enrolled, granted, ledgerLines, type Someone, signedIn } from '../support/browser.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { madeOf, STUDIES } from '../support/studies.ts'

const storescu = peer('storescu')
const FIND = '1.2.840.10008.5.1.4.1.2.2.1'
const GET = '1.2.840.10008.5.1.4.1.2.2.3'
const CT = '1.2.840.10008.5.1.4.1.1.2'
const PENDING: readonly number[] = [0xff00, 0xff01]

type Identity = { readonly type: number; readonly primary: string }

suite('people at nodes', { ...skipUnless(storescu), timeout: 120_000 }, () => {
  const open: { world?: World; port?: OpenPort; station?: Issued; other?: Issued; ca: string } = { ca: '' }
  const world = (): World => open.world ?? assert.fail()
  const db = () => world().archive.database.kysely
  const station = (): Issued => open.station ?? assert.fail()

  before(async () => {
    open.world = await openWorld('roentgate-people-nodes-')
    const { archive, data, site } = world()
    await ingestAll(archive, STUDIES.map(madeOf))
    await initAuthority(archive, data, { name: 'Test', hosts: ['localhost'] })
    const { cert, key, ca } = (await gatewayIdentity(archive, data)) ?? assert.fail()
    open.ca = ca
    open.station = await issue(archive, data, { name: 'WS1', hosts: ['ws1.example'] })
    open.other = await issue(archive, data, { name: 'WS2', hosts: ['ws2.example'] })
    for (const [ae, people, issued] of [
      ['WS1', true, station()],
      ['WS2', false, open.other],
    ] as const) {
      const fingerprints = [fingerprintOf(new X509Certificate(issued.certificate).fingerprint256)]
      const services = ['echo', 'store', 'find', 'get'] as const
      await addNode(
        db(),
        { ae, addresses: ['127.0.0.1'], fingerprints, outside: false, services, people },
        'ana',
      )
    }
    const scopes = ['user/ImagingStudy.rs', 'dicomweb:store']
    const app = { id: 'ws1', name: 'WS1', redirects: [REDIRECT], scopes, certificateName: 'ws1.example' }
    await addApp(db(), app, 'ana')
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION, tls: { cert, key, ca } }
    const { access } = site.oidc ?? assert.fail()
    open.port = await openDicomPort(archive, {
      host: '127.0.0.1',
      port: 0,
      self,
      tls: { cert, key, ca },
      access,
    })
  })

  after(async () => {
    await open.port?.close()
    await open.world?.close()
  })

  type Asked = { readonly who: Someone; readonly scope?: string; readonly of?: Issued; readonly exp?: number }

  /** As the app of the workstation gets it over its certificate (test/identity/certificates.test.ts). */
  async function tokenFor({
    who,
    scope = 'user/ImagingStudy.rs',
    of = station(),
    exp = 300,
  }: Asked): Promise<string> {
    const { archive, origin } = world()
    await signedIn(who, browser(origin))
    const { id: session } = await db()
      .selectFrom('sessions')
      .select('id')
      .where('person', '=', who.id)
      .where('ended_at', 'is', null)
      .orderBy('begun_at', 'desc')
      .executeTakeFirstOrThrow()
    const grant = randomUUID()
    await keepConsent(db(), { grantId: grant, session, client: 'app:ws1', patient: undefined })
    const [key] = await signingKeys({ db: db(), columns: archive.columns })
    const x5t = createHash('sha256').update(new X509Certificate(of.certificate).raw).digest('base64url')
    const now = Math.floor(Date.now() / 1000)
    return await new SignJWT({ scope, grant, client_id: 'app:ws1', cnf: { 'x5t#S256': x5t } })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key?.kid ?? '' })
      .setIssuer(origin)
      .setAudience(`${origin}/dicomweb`)
      .setSubject(who.id)
      .setJti(randomUUID())
      .setIssuedAt(now)
      .setExpirationTime(now + exp)
      .sign(await importJWK(key?.jwk ?? assert.fail(), 'ES256'))
  }

  async function associated(identity?: Identity, ae = 'WS1', shown = station()): Promise<Association> {
    const user = identity && {
      type: identity.type,
      wantsAnswer: true,
      primary: Buffer.from(identity.primary),
      secondary: Buffer.from(identity.type === 2 ? 'violet anchor seven lamps' : ''),
    }
    return await connect({
      host: '127.0.0.1',
      port: open.port?.port ?? 0,
      callingAe: ae,
      calledAe: 'RG',
      contexts: [FIND, GET, CT].map((abstractSyntax) => ({ abstractSyntax, transferSyntaxes: [EXPLICIT] })),
      implementation: IMPLEMENTATION,
      tls: { cert: shown.certificate, key: shown.key, ca: open.ca, checkServerIdentity: () => undefined },
      ...(user ? { identity: user } : {}),
    })
  }

  /** Study IDs, and the status in the end. */
  async function found(association: Association): Promise<{ ids: readonly string[]; status: number }> {
    const content = writeIdentifier(
      identifier(
        [
          [Tags.QueryRetrieveLevel, 'STUDY'],
          [Tags.StudyID, 'S*'],
        ],
        EXPLICIT,
      ),
      EXPLICIT,
    )
    const ids: string[] = []
    let last = -1
    const command = { field: FIELD.cFind, affectedClass: FIND, priority: 0 }
    for await (const { status, data } of association.request(association.contextFor(FIND), command, {
      content,
    })) {
      last = status
      if (PENDING.includes(status) && data)
        ids.push(keyText(readIdentifier(data, EXPLICIT), Tags.StudyID).trim())
    }
    return { ids: ids.sort(), status: last }
  }

  async function reader(id: string, studies: readonly string[]): Promise<Someone> {
    const { archive, origin } = world()
    const who = await enrolled(archive, id, browser(origin))
    const store = { db: db(), columns: archive.columns }
    const list = await makeList(store, { kind: 'studies', name: `of ${id}`, members: studies }, 'ana')
    await granted(archive, { holder: id, role: 'radiologist', scope: { kind: 'studies', id: list } })
    return who
  }

  test('nobody is let in without saying who they are, or with less than a good token', async () => {
    const who = await reader('karl', ['2.25.11'])
    const good = await tokenFor({ who })
    await (await associated({ type: 5, primary: good })).release()
    for (const [what, identity] of [
      ['no identity', undefined],
      ['a name', { type: 1, primary: 'karl' }],
      ['a name and a passcode', { type: 2, primary: 'karl' }],
      ['no token', { type: 5, primary: 'x' }],
      ['one that was changed', { type: 5, primary: `${good.slice(0, -4)}AAAA` }],
      [
        'one of another certificate',
        { type: 5, primary: await tokenFor({ who, of: open.other ?? assert.fail() }) },
      ],
      ['one that has expired', { type: 5, primary: await tokenFor({ who, exp: -60 }) }],
    ] as const)
      await assert.rejects(associated(identity), what)
    await assert.rejects(associated({ type: 5, primary: good }, 'WS2', open.other), 'stolen, at another node')
    const told = await ledgerLines(world().archive, 'node-authentication')
    assert.ok(told.some((line) => line.includes('user-missing')))
    assert.ok(told.some((line) => line.includes('user-token')))
    assert.ok(told.every((line) => !line.includes(good.slice(-20))))
  })

  test('what is found and had is what the person may see, and the ledger names the person', async () => {
    const who = await reader('lena', ['2.25.11', '2.25.13'])
    const association = await associated({ type: 5, primary: await tokenFor({ who }) })
    assert.deepEqual(await found(association), { ids: ['S1', 'S3'], status: STATUS.success })
    await association.release()
    const told = await ledgerLines(world().archive, 'query')
    assert.match(
      told.at(-1) ?? '',
      /"actor":\{"address":"127.0.0.1","id":"lena","kind":"person","role":"WS1"\}/,
    )
    const anybody = await associated(undefined, 'WS2', open.other)
    const { ids } = await found(anybody)
    assert.ok(ids.includes('S2'), 'a node of its own sees all')
    await anybody.release()
  })

  test('a study of others is not there for C-GET either', async () => {
    const who = await reader('mia', ['2.25.11'])
    const association = await associated({ type: 5, primary: await tokenFor({ who }) })
    for (const study of ['2.25.12', '2.25.999']) {
      const pairs = [
        [Tags.QueryRetrieveLevel, 'STUDY'],
        [Tags.StudyInstanceUID, study],
      ] as const
      const content = writeIdentifier(identifier(pairs, EXPLICIT), EXPLICIT)
      const command = { field: FIELD.cGet, affectedClass: GET, priority: 0 }
      const answers: (readonly [number, number, number])[] = []
      for await (const { status, command: one } of association.request(association.contextFor(GET), command, {
        content,
      }))
        answers.push([status, one.completed ?? 0, one.failed ?? 0])
      assert.deepEqual(answers, [[STATUS.success, 0, 0]], 'as one that does not exist')
    }
    await association.release()
  })

  test('an emergency opens a patient in an association that goes on, and closes it again', async () => {
    const who = await reader('nora', ['2.25.11'])
    const from = browser(world().origin)
    const association = await associated({ type: 5, primary: await tokenFor({ who }) })
    assert.deepEqual((await found(association)).ids, ['S1'])
    await signedIn(who, from)
    const form = { patient: 'P2', reason: 'unconscious, allergy unknown' }
    assert.equal((await from.post('/break-glass', form)).onward, '/break-glass')
    assert.deepEqual((await found(association)).ids, ['S1', 'S2', 'S3'])
    const [, id = ''] = /name="id" value="([0-9a-f-]+)"/.exec((await from.get('/break-glass')).text) ?? []
    await from.post('/break-glass/end', { id })
    assert.deepEqual((await found(association)).ids, ['S1'])
    await setState(db(), 'nora', { state: 'suspended', by: 'sam' })
    assert.deepEqual(await found(association), { ids: [], status: STATUS.notAuthorized })
    await association.release()
  })

  test('a token for less is for less: no search by one for storing', async () => {
    const who = await reader('olga', ['2.25.11'])
    const association = await associated({
      type: 5,
      primary: await tokenFor({ who, scope: 'dicomweb:store' }),
    })
    assert.deepEqual(await found(association), { ids: [], status: STATUS.notAuthorized })
    await association.release()
    assert.ok((await ledgerLines(world().archive, 'access-denied')).at(-1)?.includes('"reason":"token"'))
  })

  test('DCMTK stores with a token, as the person; a researcher does not', async () => {
    const { archive, data, origin } = world()
    const at = (name: string): string => join(data, '..', name)
    writeFileSync(at('ws.pem'), station().certificate)
    writeFileSync(at('ws.key'), station().key)
    writeFileSync(at('ca.pem'), open.ca)
    const file = { study: 9, series: 1, number: 99, name: 'Ng^Bo', id: 'P9', date: '20250401' }
    writeFileSync(at('one.dcm'), madeOf(file))
    const stored = async (token: string): Promise<string> => {
      writeFileSync(at('token'), token)
      const tls = ['+tls', at('ws.key'), at('ws.pem'), '+cf', at('ca.pem')]
      const args = ['-v', ...tls, '--jwt', at('token'), '-aet', 'WS1', '-aec', 'RG']
      const child = spawn(storescu.path, [...args, '127.0.0.1', String(open.port?.port), at('one.dcm')])
      let said = ''
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
      await once(child, 'close')
      return said
    }
    const scope = 'dicomweb:store'
    const researcher = await enrolled(archive, 'rolf', browser(origin))
    await granted(archive, { holder: 'rolf', role: 'researcher' })
    const refused = await stored(await tokenFor({ who: researcher, scope }))
    assert.match(refused, /Store Response \(.*0x124\)/)
    const technologist = await enrolled(archive, 'tina', browser(origin))
    await granted(archive, { holder: 'tina', role: 'technologist' })
    const done = await stored(await tokenFor({ who: technologist, scope }))
    assert.match(done, /Received Store Response \(Success\)/)
    const lines = await ledgerLines(archive, 'import')
    assert.ok(
      lines.some((line) => line.includes('"id":"tina"')),
      lines.at(-1),
    )
  })
})
