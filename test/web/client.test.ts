// A DICOMweb client that we did not write (npm dicomweb-client), in Debian's Chromium, on a page of ours with its session.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { after, before, suite, test } from 'node:test'
import { type Browser, chromium, type Page } from 'playwright-core'
import { openWorld, type World } from '../support/app.ts'
import { ingestAll } from '../support/archive.ts'
import { PASSWORD } from '../support/browser.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { madeOf, STUDIES } from '../support/studies.ts'

const found = peer('chromium')
const SCRIPT = createRequire(import.meta.url).resolve('dicomweb-client/build/dicomweb-client.js')

suite('dicomweb-client', { ...skipUnless(found), timeout: 120_000 }, () => {
  const open: { world?: World; browser?: Browser; page?: Page; problems: string[] } = { problems: [] }
  const world = (): World => open.world ?? assert.fail()
  const page = (): Page => open.page ?? assert.fail()
  const files = STUDIES.map(madeOf)

  before(async () => {
    open.world = await openWorld('roentgate-client-')
    const { archive, origin, rita } = world()
    await ingestAll(archive, files)
    open.browser = await chromium.launch({ executablePath: found.path, args: ['--no-sandbox'] })
    // The script is put into a page of ours, which its policy forbids to anybody else.
    const context = await open.browser.newContext({ bypassCSP: true })
    open.page = await context.newPage()
    page().on('pageerror', (error) => open.problems.push(String(error)))
    page().on('requestfailed', (request) => open.problems.push(request.url()))
    await page().goto(`${origin}/sign-in`)
    await page().fill('#person', 'rita')
    await page().fill('#password', PASSWORD)
    await page().click('text=Go on')
    await page().fill('#code', await rita.code())
    await page().click('text=Sign in')
    await page().waitForSelector('h1:has-text("rita")')
    await page().addScriptTag({ path: SCRIPT })
  })

  after(async () => {
    await open.browser?.close()
    await open.world?.close()
  })

  /** A method of the client, by name, as a page calls it. */
  async function calls(method: string, options: Record<string, unknown>): Promise<unknown> {
    return await page().evaluate(
      async ({ name, given, url }) => {
        const { DICOMwebClient } = globalThis as unknown as {
          DICOMwebClient: {
            api: { DICOMwebClient: new (o: object) => Record<string, (o: object) => Promise<unknown>> }
          }
        }
        const client = new DICOMwebClient.api.DICOMwebClient({ url, verbose: false })
        const answer = await client[name]?.(given)
        const hashed = async (bytes: ArrayBuffer): Promise<string> =>
          [...new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))]
            .map((byte) => byte.toString(16).padStart(2, '0'))
            .join('')
        if (answer instanceof ArrayBuffer) return await hashed(answer)
        if (Array.isArray(answer) && answer[0] instanceof ArrayBuffer)
          return await Promise.all(answer.map((one) => hashed(one as ArrayBuffer)))
        return answer
      },
      { name: method, given: options, url: `${world().origin}/dicomweb` },
    )
  }
  const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
  type Found = readonly Readonly<Record<string, { readonly Value?: readonly unknown[] }>>[]
  const texts = (all: unknown, tag: string) => (all as Found).map((one) => one[tag]?.Value?.[0]).sort()

  const study = { studyInstanceUID: '2.25.11' }
  const series = { ...study, seriesInstanceUID: '2.25.11.1' }
  const instance = { ...series, sopInstanceUID: '2.25.11.1.1' }

  test('searches', async () => {
    const queryParams = { PatientID: 'P2' }
    assert.deepEqual(texts(await calls('searchForStudies', { queryParams }), '00200010'), ['S2', 'S3'])
    assert.deepEqual(texts(await calls('searchForSeries', study), '0020000E'), ['2.25.11.1', '2.25.11.2'])
    assert.deepEqual(texts(await calls('searchForInstances', series), '00080018'), [
      '2.25.11.1.1',
      '2.25.11.1.2',
    ])
    assert.deepEqual(await calls('searchForStudies', { queryParams: { PatientID: 'NOBODY' } }), [])
  })

  test('metadata of a study, a series, an instance', async () => {
    assert.equal(((await calls('retrieveStudyMetadata', study)) as Found).length, 3)
    assert.equal(((await calls('retrieveSeriesMetadata', series)) as Found).length, 2)
    const one = (await calls('retrieveInstanceMetadata', instance)) as Found | Found[number]
    assert.match(JSON.stringify(one), /2\.25\.11\.1\.1/)
  })

  test('instances as they were stored', async () => {
    assert.equal(await calls('retrieveInstance', instance), hashOf(files[0] ?? assert.fail()))
    const two = (await calls('retrieveSeries', series)) as string[]
    assert.deepEqual(two.sort(), files.slice(0, 2).map(hashOf).sort())
    const three = (await calls('retrieveStudy', study)) as string[]
    assert.deepEqual(three.sort(), files.slice(0, 3).map(hashOf).sort())
  })

  test('nothing failed on the way', () => {
    assert.deepEqual(open.problems, [])
  })
})
