// DICOMweb as an app asks it (openid-client, DPoP): searches and retrievals, and that nobody finds what they may not see.

import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import * as client from 'openid-client'
import { placeHold, releaseHold } from '../../apps/gateway/src/archive/holds.ts'
import { putInTrash, takeFromTrash } from '../../apps/gateway/src/archive/trash.ts'
import { makeList } from '../../apps/gateway/src/policy/lists.ts'
import type { JsonDataset } from '../../packages/dicom/src/index.ts'
import { multipartReader, multipartType } from '../../packages/dicomweb/src/index.ts'
import { openWorld, tokensFor, type World } from '../support/app.ts'
import { ingestAll } from '../support/archive.ts'
import { type Browser, browser, enrolled, granted, ledgerLines, signedIn } from '../support/browser.ts'
import { madeOf, STUDIES } from '../support/studies.ts'

const DICOM = 'multipart/related; type="application/dicom"; transfer-syntax=*'

suite('DICOMweb', { timeout: 120_000 }, () => {
  const open: { world?: World } = {}
  const world = (): World => open.world ?? assert.fail()
  const db = () => world().archive.database.kysely
  const files = STUDIES.map(madeOf)

  before(async () => {
    open.world = await openWorld('roentgate-dicomweb-')
    await ingestAll(world().archive, files)
  })
  after(() => open.world?.close())

  type Ask = (path: string, headers?: Record<string, string>) => Promise<Response>

  /** By a token of an app, for a radiologist of the institution. */
  async function asApp(scope = 'openid user/ImagingStudy.rs', patient?: string): Promise<Ask> {
    const { setting, tokens, DPoP } = await tokensFor(world(), { scope, ...(patient ? { patient } : {}) })
    return async (path, headers = {}) => {
      const url = new URL(`/dicomweb${path}`, world().origin)
      const options = { DPoP }
      return await client.fetchProtectedResource(
        setting,
        tokens.access_token,
        url,
        'GET',
        null,
        new Headers(headers),
        options,
      )
    }
  }

  async function inside(
    id: string,
    role: Parameters<typeof granted>[1]['role'],
    studies?: readonly string[],
  ): Promise<Browser> {
    const { archive, origin } = world()
    const from = browser(origin)
    const who = await enrolled(archive, id, from)
    const store = { db: db(), columns: archive.columns }
    const list =
      studies && (await makeList(store, { kind: 'studies', name: `of ${id}`, members: studies }, 'ana'))
    await granted(archive, { holder: id, role, ...(list ? { scope: { kind: 'studies', id: list } } : {}) })
    await signedIn(who, from)
    return from
  }

  const valuesOf = (all: readonly JsonDataset[], tag: string): readonly unknown[] =>
    all.map((one) => one[tag]?.Value?.[0] ?? '').sort()
  const json = async (answer: Response): Promise<readonly JsonDataset[]> => {
    assert.equal(answer.status, 200)
    assert.match(answer.headers.get('content-type') ?? '', /^application\/dicom\+json/)
    return (await answer.json()) as readonly JsonDataset[]
  }

  async function partsIn(answer: Response): Promise<readonly Buffer[]> {
    const { boundary } = multipartType(answer.headers.get('content-type') ?? '')
    const reader = multipartReader(boundary)
    const parts: Buffer[][] = []
    const events = [...reader.push(Buffer.from(await answer.arrayBuffer()))]
    reader.end()
    for (const event of events) {
      if (event.kind === 'part-begin') parts.push([])
      if (event.kind === 'part-data') parts.at(-1)?.push(Buffer.from(event.bytes))
    }
    return parts.map((pieces) => Buffer.concat(pieces))
  }

  test('a search at every level, by keyword, tag, range, wildcard and path', async () => {
    const ask = await asApp()
    const ids = async (query: string) =>
      valuesOf(await json(await ask(query)), '00200010').filter((one) => one !== '')
    assert.deepEqual(await ids('/studies'), ['S1', 'S2', 'S3'])
    assert.deepEqual(await ids('/studies?PatientID=P2'), ['S2', 'S3'])
    assert.deepEqual(await ids('/studies?00100020=P1'), ['S1'])
    assert.deepEqual(await ids('/studies?PatientName=M%C3%BCl*'), ['S1'])
    assert.deepEqual(await ids('/studies?StudyDate=20240101-20241231'), ['S1', 'S2'])
    assert.deepEqual(await ids('/studies?StudyInstanceUID=2.25.11,2.25.13'), ['S1', 'S3'])
    assert.deepEqual(await ids('/studies?ModalitiesInStudy=SR'), ['S1'])
    assert.deepEqual(await json(await ask('/studies?PatientID=NOBODY')), [], '200 and nothing')
    const series = await json(await ask('/studies/2.25.11/series'))
    assert.deepEqual(valuesOf(series, '0020000E'), ['2.25.11.1', '2.25.11.2'])
    const step = '00400275.00400009=SPS2'
    assert.deepEqual(valuesOf(await json(await ask(`/series?${step}`)), '0020000E'), ['2.25.11.2'])
    const instances = await json(await ask('/studies/2.25.11/series/2.25.11.1/instances'))
    assert.deepEqual(valuesOf(instances, '00080018'), ['2.25.11.1.1', '2.25.11.1.2'])
    assert.equal(
      instances[0]?.['00081190']?.Value?.[0],
      `${world().origin}/dicomweb/studies/2.25.11/series/2.25.11.1/instances/${instances[0]?.['00080018']?.Value?.[0]}`,
    )
  })

  test('pages follow each other; what is no condition is said, and a bad value refused', async () => {
    const ask = await asApp()
    const seen: unknown[] = []
    for (let offset = 0; offset < 3; offset++) {
      const answer = await ask(`/studies?StudyID=S*&limit=1&offset=${offset}`)
      if (offset < 2) assert.match(answer.headers.get('warning') ?? '', /there are more/)
      seen.push(...valuesOf(await json(answer), '00200010'))
    }
    assert.deepEqual(seen, ['S3', 'S2', 'S1'])
    const ignored = await ask('/studies?SliceThickness=1')
    assert.match(ignored.headers.get('warning') ?? '', /no conditions here/)
    for (const query of ['StudyDate=yesterday', 'NoSuchThing=1', 'limit=x', 'PatientID=1&PatientID=2']) {
      const answer = await ask(`/studies?${query}`)
      assert.equal(answer.status, 400, query)
      assert.doesNotMatch(await answer.text(), /yesterday|NoSuchThing/)
    }
  })

  test('instances come byte for byte as they were stored, by study, series and instance', async () => {
    const ask = await asApp()
    const whole = await partsIn(await ask('/studies/2.25.11', { accept: DICOM }))
    assert.deepEqual(
      whole.map((one) => one.toString('hex')).sort(),
      files
        .slice(0, 3)
        .map((one) => Buffer.from(one).toString('hex'))
        .sort(),
    )
    assert.equal((await partsIn(await ask('/studies/2.25.11/series/2.25.11.1', { accept: DICOM }))).length, 2)
    const [one] = await partsIn(
      await ask('/studies/2.25.12/series/2.25.12.1/instances/2.25.12.1.4', { accept: DICOM }),
    )
    assert.ok(one?.equals(Buffer.from(files[3] ?? assert.fail())))
    assert.equal((await ask('/studies/2.25.11', { accept: 'image/tiff' })).status, 406)
    const told = await ledgerLines(world().archive, 'instances-transferred')
    assert.ok(
      told.some(
        (line) => line.includes('"count":3') && line.includes('"id":"rita"') && line.includes('WADO-RS'),
      ),
    )
  })

  test('metadata as JSON and XML; long values where their URI says', async () => {
    const ask = await asApp()
    const path = '/studies/2.25.12/series/2.25.12.1/instances/2.25.12.1.4'
    const [one] = await json(await ask(`${path}/metadata`))
    assert.deepEqual(one?.['00100020'], { vr: 'LO', Value: ['P2'] })
    const uri = one?.['7FE00010']?.BulkDataURI ?? assert.fail()
    const bulk = await ask(uri.slice(uri.indexOf('/dicomweb') + '/dicomweb'.length))
    assert.equal(bulk.status, 200)
    assert.deepEqual(new Uint8Array(await bulk.arrayBuffer()), new Uint8Array(3000).fill(4))
    const xml = await ask(`${path}/metadata`, { accept: 'multipart/related; type="application/dicom+xml"' })
    const [part] = await partsIn(xml)
    assert.match(part?.toString() ?? '', /<NativeDicomModel/)
    assert.equal((await ask(`${path}/bulkdata/00080018x`)).status, 400)
    assert.equal((await ask(`${path}/bulkdata/00081111/0/00080018`)).status, 404)
  })

  test('who has a list of studies finds those; any other is as one that does not exist', async () => {
    const from = await inside('karl', 'radiologist', ['2.25.12'])
    const found = JSON.parse((await from.get('/dicomweb/studies')).text) as readonly JsonDataset[]
    assert.deepEqual(valuesOf(found, '00200010'), ['S2'])
    assert.equal((await from.get('/dicomweb/studies?PatientID=P1')).text, '[]')
    assert.equal((await from.get('/dicomweb/instances?StudyInstanceUID=2.25.11')).text, '[]')
    for (const path of [
      '',
      '/metadata',
      '/series/2.25.11.1',
      '/series/2.25.11.1/instances/2.25.11.1.1',
      '/series/2.25.11.1/instances/2.25.11.1.1/bulkdata/7FE00010',
    ]) {
      const other = await from.get(`/dicomweb/studies/2.25.11${path}`)
      const none = await from.get(`/dicomweb/studies/2.25.9999${path}`)
      assert.deepEqual([other.status, other.text], [404, none.text], path)
      assert.equal(none.status, 404)
    }
    // A series of another study, below a study that is theirs.
    assert.equal((await from.get('/dicomweb/studies/2.25.12/series/2.25.11.1')).status, 404)
    assert.equal(
      (await from.get('/dicomweb/studies/2.25.12/series/2.25.12.1/instances/2.25.12.1.4/metadata')).status,
      200,
    )
  })

  test('a token of one patient finds that one on every path', async () => {
    for (const scope of ['patient/ImagingStudy.rs', 'patient/*.read']) {
      const ask = await asApp(`openid ${scope}`, 'P1')
      assert.deepEqual(valuesOf(await json(await ask('/studies')), '00100020'), ['P1'])
      assert.deepEqual(await json(await ask('/studies?PatientID=P2')), [])
      assert.deepEqual(await json(await ask('/studies/2.25.12/series')), [])
      assert.equal((await ask('/studies/2.25.12', { accept: DICOM })).status, 404)
      assert.equal((await ask('/studies/2.25.12/metadata')).status, 404)
      assert.equal((await ask('/studies/2.25.11/metadata')).status, 200)
    }
    const less = await asApp('openid dicomweb:search')
    assert.equal((await less('/studies')).status, 200)
    assert.equal((await less('/studies/2.25.11/metadata')).status, 403, 'a token for searching opens nothing')
  })

  test('roles see their view, and search by no more than it shows', async () => {
    const admin = await inside('imad', 'imaging-administrator')
    const found = JSON.parse((await admin.get('/dicomweb/studies')).text) as readonly JsonDataset[]
    assert.ok(found.length >= 3)
    for (const one of found)
      for (const tag of ['00100010', '00100020', '00100030', '00080050', '00081030'])
        assert.equal(one[tag], undefined, tag)
    const probe = await admin.get('/dicomweb/studies?PatientID=P1')
    assert.match(probe.headers.get('warning') ?? '', /no conditions here/)
    assert.equal(
      (JSON.parse(probe.text) as readonly unknown[]).length,
      found.length,
      'nothing is told by what matches',
    )
    assert.equal((await admin.get('/dicomweb/studies/2.25.11')).status, 403)
    const billing = await admin.get('/dicomweb/studies?PatientID=P1')
    assert.equal(billing.status, 200)
    for (const role of ['security-officer', 'auditor', 'researcher'] as const) {
      const from = await inside(`an.${role}`, role)
      assert.equal((await from.get('/dicomweb/studies')).status, 403, role)
      assert.equal((await from.get('/dicomweb/studies/2.25.11/metadata')).status, 403, role)
    }
    assert.equal((await browser(world().origin).get('/dicomweb/studies')).status, 401)
  })

  test('what is held is there; what is in the trash is as what never was', async () => {
    const from = await inside('hana', 'radiologist')
    const { archive } = world()
    const hold = await placeHold(db(), { matter: 'm', owner: 'ana', studies: ['2.25.13'] })
    assert.equal((await from.get('/dicomweb/studies/2.25.13/metadata')).status, 200)
    await releaseHold(db(), hold, 'ben')
    await putInTrash(archive, '2.25.13', { by: 'ana', reason: 'for a test' })
    const gone = await from.get('/dicomweb/studies/2.25.13/metadata')
    const none = await from.get('/dicomweb/studies/2.25.9999/metadata')
    assert.deepEqual([gone.status, gone.text], [404, none.text])
    assert.equal((await from.get('/dicomweb/studies?StudyInstanceUID=2.25.13')).text, '[]')
    await takeFromTrash(archive, '2.25.13', 'ana')
    assert.equal((await from.get('/dicomweb/studies/2.25.13/metadata')).status, 200)
  })

  test('an emergency opens a patient here, too', async () => {
    const from = await inside('nora', 'radiologist', ['2.25.11'])
    assert.equal((await from.get('/dicomweb/studies/2.25.12/metadata')).status, 404)
    await from.post('/break-glass', { patient: 'P2', reason: 'unconscious, allergy unknown' })
    assert.equal((await from.get('/dicomweb/studies/2.25.12/metadata')).status, 200)
    const [, id = ''] = /name="id" value="([0-9a-f-]+)"/.exec((await from.get('/break-glass')).text) ?? []
    await from.post('/break-glass/end', { id })
    assert.equal((await from.get('/dicomweb/studies/2.25.12/metadata')).status, 404)
  })
})
