// The HTTPS port of roentgate serve, and the link that opens the first account.

import { X509Certificate } from 'node:crypto'
import type { Archive } from '../archive/archive.ts'
import { type OpenHttp, openHttp } from '../http/server.ts'
import { siteOf } from '../http/site.ts'
import { firstLink } from '../identity/first.ts'
import { namesIn } from '../nodes/registry.ts'
import { isLoopback, type Self } from '../serve/peer.ts'
import type { Invocation } from './program.ts'
import { UsageError } from './terminal.ts'

export type WebOptions = { readonly http: string }

/** @throws UsageError where it would be in the clear beyond this machine */
export async function openWeb(
  archive: Archive,
  self: Self,
  { options, terminal }: { readonly options: WebOptions; readonly terminal: Invocation['terminal'] },
): Promise<OpenHttp> {
  const { host, port } = placeOf(options.http)
  const { tls } = self
  if (!tls && !isLoopback(host))
    throw new UsageError('--plain is for this machine alone: --http 127.0.0.1:PORT')
  const site = siteOf(archive, { secure: tls !== undefined, names: tls ? namesOf(tls.cert) : ['localhost'] })
  const http = await openHttp(site, { host, port, ...(tls ? { tls } : {}) })
  const url = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${http.port}`
  terminal.out(`The pages are at ${url}${tls ? '' : ' IN THE CLEAR'}\n`)
  const link = await firstLink(archive.database.kysely)
  if (link !== undefined)
    terminal.out(
      `Nobody has an account yet. For 72 hours, once: ${url}/enrol#${link.token} (user ID ${link.person})\n`,
    )
  return http
}

/** Names of the certificate: by no other is the site what it says that it is. */
function namesOf(cert: string): readonly string[] {
  return namesIn(new X509Certificate(cert).subjectAltName)
    .filter((name) => name.startsWith('DNS:') && !name.includes('*'))
    .map((name) => name.slice('DNS:'.length).toLowerCase())
}

/** HOST:PORT, [IPv6]:PORT */
export function placeOf(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port = ''] = /^(?:\[([0-9a-f:]+)\]|([^:\s]+)):(\d{1,5})$/i.exec(text) ?? []
  const host = bracketed ?? plain
  if (host === undefined || Number(port) > 65_535)
    throw new UsageError('HOST:PORT is wanted, such as 127.0.0.1:8443')
  return { host, port: Number(port) }
}
