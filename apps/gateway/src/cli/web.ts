// The HTTPS port of roentgate serve, and the link that opens the first account.

import { X509Certificate } from 'node:crypto'
import { createServer } from 'node:net'
import type { Archive } from '../archive/archive.ts'
import { type OpenHttp, openHttp } from '../http/server.ts'
import { siteOf } from '../http/site.ts'
import { firstLink } from '../identity/first.ts'
import { namesIn } from '../nodes/registry.ts'
import type { Access } from '../oidc/access.ts'
import { isLoopback, type Self } from '../serve/peer.ts'
import type { Invocation } from './program.ts'
import { UsageError } from './terminal.ts'

export type WebOptions = {
  readonly http: string
  /** Where people and apps find it; absent: by the name in the certificate. */
  readonly url?: string
  /** HOST:PORT where services show certificates. */
  readonly httpMtls?: string
}
type Opening = { readonly options: WebOptions; readonly terminal: Invocation['terminal'] }

export type Web = {
  /** By which tokens are known at other doors, too. */
  readonly access: Access | undefined
  readonly open: () => Promise<Omit<OpenHttp, 'port'>>
}

/** @throws UsageError where it would be in the clear beyond this machine */
export async function webOf(archive: Archive, self: Self, { options, terminal }: Opening): Promise<Web> {
  const place = await takenPlace(options.http)
  const { tls } = self
  if (!tls && !isLoopback(place.host))
    throw new UsageError('--plain is for this machine alone: --http 127.0.0.1:PORT')
  const names = tls ? namesOf(tls.cert) : ['localhost']
  const url = options.url === undefined ? urlFor(names, place.port, tls !== undefined) : urlOf(options.url)
  const mtls = options.httpMtls === undefined ? undefined : await takenPlace(options.httpMtls)
  if (mtls && !tls) throw new UsageError('--http-mtls wants certificates: not with --plain')
  const mtlsUrl = mtls && `https://${new URL(url).hostname}:${mtls.port}`
  const secure = tls !== undefined
  const site = siteOf(archive, { secure, names, url, ...(mtlsUrl ? { mtlsUrl } : {}) })
  const open = async (): Promise<Omit<OpenHttp, 'port'>> => {
    const doors = [await openHttp(site, { ...place, ...(tls ? { tls } : {}) })]
    if (mtls && tls) {
      const clients = { ca: tls.ca, ...(tls.crl === undefined ? {} : { crl: tls.crl }) }
      doors.push(await openHttp(site, { ...mtls, tls, clients }))
      terminal.out(`Services with certificates come to ${mtlsUrl}\n`)
    }
    await welcome(archive, { url, terminal, secure })
    return bothOf(doors)
  }
  return { access: site.oidc?.access, open }
}

function bothOf(doors: readonly OpenHttp[]): Omit<OpenHttp, 'port'> {
  return {
    renew: (renewed) => {
      for (const door of doors) door.renew(renewed)
    },
    close: async () => {
      for (const door of doors) await door.close()
    },
  }
}

type Place = { readonly host: string; readonly port: number }
type Welcome = {
  readonly url: string
  readonly terminal: Invocation['terminal']
  readonly secure: boolean
}

async function welcome(archive: Archive, { url, terminal, secure }: Welcome): Promise<void> {
  terminal.out(`The pages are at ${url}${secure ? '' : ' IN THE CLEAR'}\n`)
  const link = await firstLink(archive.database.kysely)
  if (link !== undefined)
    terminal.out(
      `Nobody has an account yet. For 72 hours, once: ${url}/enrol#${link.token} (user ID ${link.person})\n`,
    )
}

/** By the name under which others know it; of a demonstration that is localhost. */
function urlFor(names: readonly string[], port: number, secure: boolean): string {
  const name = names.find((one) => one !== 'localhost') ?? names[0] ?? 'localhost'
  return `${secure ? 'https' : 'http'}://${name}${port === 443 ? '' : `:${port}`}`
}

function urlOf(text: string): string {
  const url = URL.parse(text)
  if (url?.protocol !== 'https:' || url.pathname !== '/' || url.search !== '' || url.hash !== '')
    throw new UsageError('--url is https://NAME:PORT, without a path')
  return url.origin
}

/** Tokens name the port: 0 becomes one that is free. */
async function takenPlace(text: string): Promise<Place> {
  const { host, port } = placeOf(text)
  if (port !== 0) return { host, port }
  const server = createServer()
  await new Promise<void>((done, fail) => server.once('error', fail).listen(0, host, done))
  const address = server.address()
  await new Promise((done) => server.close(done))
  return { host, port: typeof address === 'object' && address ? address.port : 0 }
}

/** Names of the certificate: by no other is the site what it says that it is. */
function namesOf(cert: string): readonly string[] {
  return namesIn(new X509Certificate(cert).subjectAltName)
    .filter((name) => name.startsWith('DNS:') && !name.includes('*'))
    .map((name) => name.slice('DNS:'.length).toLowerCase())
}

/** HOST:PORT, [IPv6]:PORT */
export function placeOf(text: string): Place {
  const [, bracketed, plain, port = ''] = /^(?:\[([0-9a-f:]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) > 65_535)
    throw new UsageError('HOST:PORT is wanted, such as 127.0.0.1:8443')
  return { host, port: Number(port) }
}
