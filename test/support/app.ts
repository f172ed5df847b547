// A gateway with people, and an app that asks for tokens as openid-client does it.

import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, SignJWT } from 'jose'
import * as client from 'openid-client'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { type OpenHttp, openHttp } from '../../apps/gateway/src/http/server.ts'
import { type Site, siteOf } from '../../apps/gateway/src/http/site.ts'
import { addApp } from '../../apps/gateway/src/oidc/clients.ts'
import { ingestAll } from './archive.ts'
import { type Browser, browser, enrolled, granted, type Someone, signedIn } from './browser.ts'
import { passable } from './data-folder.ts'
import { made } from './instances.ts'
import { freePort } from './ports.ts'

export const REDIRECT = 'https://viewer.example/callback'
export const SCOPES = ['user/ImagingStudy.rs', 'patient/ImagingStudy.rs', 'patient/*.read', 'dicomweb:search']
export const INSECURE = { execute: [client.allowInsecureRequests] }

/** Of an OAuth error. */
export const because = (wanted: string) => (error: unknown) => (error as { error?: string }).error === wanted

export type Tokens = client.TokenEndpointResponse & client.TokenEndpointResponseHelpers
export type Asking = { readonly scope?: string; readonly patient?: string; readonly from?: Browser }
export type Keys = { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey }
type Changed = { readonly claims?: Record<string, unknown>; readonly header?: Record<string, unknown> }

export type World = {
  readonly archive: Archive
  readonly site: Site
  readonly http: OpenHttp
  readonly origin: string
  readonly data: string
  /** A radiologist. */
  readonly rita: Someone
  readonly close: () => Promise<void>
}

/** With two studies, and the app `app:viewer`. */
export async function openWorld(name: string): Promise<World> {
  const folder = passable(name)
  const keys = { passphrase: Buffer.from('x') }
  const archive = await openArchive({ dataFolder: join(folder, 'data'), keys })
  await ingestAll(archive, [1, 2].map(made))
  const port = await freePort()
  const origin = `http://localhost:${port}`
  const site = siteOf(archive, { secure: false, names: ['localhost'], url: origin })
  const http = await openHttp(site, { host: '127.0.0.1', port })
  const rita = await enrolled(archive, 'rita', browser(origin))
  await granted(archive, { holder: 'rita', role: 'radiologist' })
  const viewer = { id: 'viewer', name: 'Viewer', redirects: [REDIRECT], scopes: SCOPES }
  await addApp(archive.database.kysely, viewer, 'ana')
  return {
    data: join(folder, 'data'),
    archive,
    site,
    http,
    origin,
    rita,
    close: async () => {
      await http.close()
      await archive.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export function configOf({ origin }: World, id = 'app:viewer'): Promise<client.Configuration> {
  return client.discovery(new URL(origin), id, undefined, client.None(), INSECURE)
}

/** Up to the code, which the browser brings back to the app. */
export async function authorized(
  { origin, rita }: World,
  setting: client.Configuration,
  asking: Asking = {},
) {
  const { scope = 'openid online_access user/ImagingStudy.rs', patient, from = browser(origin) } = asking
  const verifier = client.randomPKCECodeVerifier()
  const state = client.randomState()
  const url = client.buildAuthorizationUrl(setting, {
    redirect_uri: REDIRECT,
    scope,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
    state,
  })
  const asked = await from.get(url.href)
  assert.equal(asked.status, 303, asked.text)
  const page = asked.onward ?? assert.fail()
  assert.match((await from.get(page)).text, /<h1>Viewer asks you<\/h1>/)
  const first = await from.post(page, { yes: '1' })
  if (first.onward?.startsWith('/sign-in')) {
    const waits = first.onward.split('waits=')[1] ?? assert.fail()
    assert.equal((await signedIn(rita, from, waits)).onward, page)
  }
  const form = { yes: '1', ...(patient === undefined ? {} : { patient }) }
  const allowed = first.onward?.startsWith('/sign-in') ? await from.post(page, form) : first
  assert.equal(allowed.status, 200, allowed.text)
  const back = (await from.get(allowed.onward ?? assert.fail(allowed.text))).onward ?? assert.fail()
  assert.ok(back.startsWith(`${REDIRECT}?`), back)
  return { back: new URL(back), verifier, state, from }
}

export async function tokensFor(world: World, asking: Asking = {}) {
  const setting = await configOf(world)
  const { back, verifier, state, from } = await authorized(world, setting, asking)
  const key = await client.randomDPoPKeyPair('ES256')
  const DPoP = client.getDPoPHandle(setting, key)
  const checks = { pkceCodeVerifier: verifier, expectedState: state }
  const tokens: Tokens = await client.authorizationCodeGrant(setting, back, checks, undefined, { DPoP })
  return { setting, tokens, key, DPoP, from, back, checks }
}

export function whoami({ origin }: World): URL {
  return new URL('/whoami', origin)
}

/** By hand, to change any of it. */
export async function proofBy(
  world: World,
  { publicKey, privateKey }: Keys,
  { token, claims = {}, header = {} }: Changed & { readonly token: string },
): Promise<string> {
  const ath = createHash('sha256').update(token).digest('base64url')
  const now = Math.floor(Date.now() / 1000)
  return await new SignJWT({
    jti: randomUUID(),
    htm: 'GET',
    htu: whoami(world).href,
    ath,
    iat: now,
    ...claims,
  })
    .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: await exportJWK(publicKey), ...header })
    .sign(privateKey)
}

export async function asked(
  world: World,
  headers: Record<string, string>,
): Promise<{ status: number; text: string }> {
  const answer = await fetch(whoami(world), { headers })
  if (answer.status === 401) assert.match(answer.headers.get('www-authenticate') ?? '', /^DPoP /)
  return { status: answer.status, text: await answer.text() }
}
