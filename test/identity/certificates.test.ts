// Services that show a certificate of our authority (RFC 8705), on a port of their own.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { decodeJwt } from 'jose'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { type OpenHttp, openHttp } from '../../apps/gateway/src/http/server.ts'
import { siteOf } from '../../apps/gateway/src/http/site.ts'
import { addService } from '../../apps/gateway/src/oidc/clients.ts'
import { gatewayIdentity, type Issued, initAuthority, issue } from '../../apps/gateway/src/pki/ca.ts'
import { granted, ledgerLines } from '../support/browser.ts'
import { passable } from '../support/data-folder.ts'
import { freePort } from '../support/ports.ts'

const folder = passable('roentgate-mtls-')
const data = join(folder, 'data')

suite('services with certificates', { timeout: 120_000 }, () => {
  const open: { archive?: Archive; doors: OpenHttp[]; port: number; mtls: number; ca: string } = {
    doors: [],
    port: 0,
    mtls: 0,
    ca: '',
  }
  const archive = (): Archive => open.archive ?? assert.fail()

  before(async () => {
    open.archive = await openArchive({ dataFolder: data, keys: { passphrase: Buffer.from('x') } })
    await initAuthority(archive(), data, { name: 'Test', hosts: ['localhost'] })
    const identity = (await gatewayIdentity(archive(), data)) ?? assert.fail()
    const { cert, key, ca } = identity
    open.ca = ca
    open.port = await freePort()
    open.mtls = await freePort()
    const url = `https://localhost:${open.port}`
    const names = ['localhost']
    const site = siteOf(archive(), { secure: true, names, url, mtlsUrl: `https://localhost:${open.mtls}` })
    const host = '127.0.0.1'
    open.doors.push(await openHttp(site, { host, port: open.port, tls: { cert, key } }))
    open.doors.push(await openHttp(site, { host, port: open.mtls, tls: { cert, key }, clients: { ca } }))
  })

  after(async () => {
    for (const door of open.doors) await door.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  type Ask = {
    readonly port?: number
    readonly path: string
    readonly shows?: Issued
    readonly form?: Record<string, string>
    readonly token?: string
  }

  function ask({
    port = open.mtls,
    path,
    shows,
    form,
    token,
  }: Ask): Promise<{ status: number; text: string }> {
    const headers = {
      ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      ...(token ? { authorization: `Bearer ${token}` } : {}),
    }
    const client = shows ? { cert: shows.certificate, key: shows.key } : {}
    return new Promise((done, fail) => {
      const options = {
        host: 'localhost',
        port,
        path,
        method: form ? 'POST' : 'GET',
        headers,
        ca: open.ca,
        ...client,
      }
      const asked = request(options, (answer) => {
        const pieces: Buffer[] = []
        answer.on('data', (piece: Buffer) => pieces.push(piece))
        answer.on('end', () =>
          done({ status: answer.statusCode ?? 0, text: Buffer.concat(pieces).toString() }),
        )
      })
      asked.on('error', fail)
      asked.end(form ? new URLSearchParams(form).toString() : undefined)
    })
  }

  test('a service gets a token by its certificate, and the token is of that certificate', async () => {
    const router = await issue(archive(), data, { name: 'Router', hosts: ['router.example'] })
    const other = await issue(archive(), data, { name: 'Other', hosts: ['other.example'] })
    const service = { id: 'router', name: 'Router', scopes: ['system/ImagingStudy.rs'] }
    const id = await addService(
      archive().database.kysely,
      { ...service, certificateName: 'router.example' },
      'ana',
    )
    await granted(archive(), { holder: id, role: 'service' })
    const found = await ask({ port: open.port, path: '/.well-known/openid-configuration' })
    const { mtls_endpoint_aliases: aliases } = JSON.parse(found.text) as Record<
      string,
      Record<string, string>
    >
    assert.equal(aliases?.token_endpoint, `https://localhost:${open.mtls}/oidc/token`)
    const form = { grant_type: 'client_credentials', client_id: id, scope: 'system/ImagingStudy.rs' }
    const given = await ask({ path: '/oidc/token', form, shows: router })
    assert.equal(given.status, 200, given.text)
    const { access_token: token, token_type } = JSON.parse(given.text) as Record<string, string>
    assert.equal(token_type, 'Bearer')
    assert.ok((decodeJwt(token ?? '').cnf as Record<string, string>)['x5t#S256'])
    const who = await ask({ path: '/whoami', shows: router, ...(token ? { token } : {}) })
    assert.equal(who.status, 200, who.text)
    assert.equal((JSON.parse(who.text) as Record<string, unknown>).id, id)
    for (const [what, stolen] of [
      ['another certificate', { shows: other }],
      ['the port without certificates', { port: open.port }],
    ] as const)
      assert.equal((await ask({ path: '/whoami', ...stolen, ...(token ? { token } : {}) })).status, 401, what)
    assert.equal((await ask({ path: '/oidc/token', form, shows: other })).status, 401, 'another name')
    assert.equal((await ask({ port: open.port, path: '/oidc/token', form })).status, 401, 'no certificate')
  })

  test('nobody without a certificate of our authority comes to that port', async () => {
    await assert.rejects(ask({ path: '/whoami' }))
    await open.doors[1]?.close()
    open.doors.pop()
    const told = await ledgerLines(archive(), 'access-denied')
    assert.ok(told.some((line) => line.includes('"error":"certificate"')))
  })
})
