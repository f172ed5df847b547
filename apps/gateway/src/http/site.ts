// What routes need of the gateway, and of a request.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Archive } from '../archive/archive.ts'
import type { Party } from '../identity/passkeys.ts'
import { LIMITS, type Limits, whoIs } from '../identity/sessions.ts'
import { type Access, openAccess } from '../oidc/access.ts'
import { openProofs } from '../oidc/proofs.ts'
import { type OpenProvider, openProvider } from '../oidc/provider.ts'
import { openRefusals, type Refusals } from '../oidc/refusals.ts'
import { grantsOf } from '../policy/grants.ts'
import type { Subject } from '../policy/subject.ts'

export type Person = Extract<Subject, { kind: 'person' }>

export type Asked = {
  /** Of the session, and of the step before one. */
  readonly session: string | undefined
  readonly pending: string | undefined
  readonly address: string
  readonly agent: string
  /** Of a form: each field once, as text. */
  readonly form: Readonly<Record<string, string>>
  readonly parameters: Readonly<Record<string, string>>
  /** What a script of ours sent. */
  readonly json: Readonly<Record<string, unknown>>
  /** Undefined where the site is asked by a name that is not of its certificate: then there are no passkeys. */
  readonly party: Party | undefined
  /** What waits behind signing in: /allow/WAITS. */
  readonly waits: string | undefined
}

/** Tokens: who gives them, and who they are at our doors. */
export type Oidc = {
  readonly provider: OpenProvider
  readonly access: Access
  readonly refusals: Refusals
}

export type Site = {
  readonly archive: Archive
  readonly limits: Limits
  /** https://gateway.example:8443; without it there are no tokens. */
  readonly url: string | undefined
  readonly oidc: Oidc | undefined
  readonly cookies: Readonly<Record<CookieName, string>> & { readonly secure: boolean }
  readonly asked: (request: FastifyRequest) => Asked
  readonly person: (asked: Pick<Asked, 'session' | 'address' | 'agent'>) => Promise<Person | undefined>
}

export type SiteOptions = {
  /** Over TLS; a browser takes a __Host- cookie over nothing else. */
  readonly secure: boolean
  readonly limits?: Limits
  /** Of the certificate. */
  readonly names?: readonly string[]
  readonly url?: string
  /** The same place, where certificates are asked for. */
  readonly mtlsUrl?: string
}

export function siteOf(archive: Archive, options: SiteOptions): Site {
  const { secure, limits = LIMITS, names = [], url } = options
  const prefix = secure ? '__Host-' : ''
  const cookies = {
    session: `${prefix}roentgate`,
    pending: `${prefix}roentgate-step`,
    elsewhere: `${prefix}roentgate-elsewhere`,
    secure,
  }
  const store = { db: archive.database.kysely, columns: archive.columns }
  return {
    archive,
    limits,
    cookies,
    url,
    oidc: url === undefined ? undefined : oidcOf(archive, { ...options, limits, url }),
    asked: (request) => ({
      session: request.cookies[cookies.session],
      pending: request.cookies[cookies.pending],
      address: request.ip,
      agent: String(request.headers['user-agent'] ?? ''),
      form: textsOf(request.body),
      parameters: textsOf(request.params),
      json: typeof request.body === 'object' && request.body !== null ? { ...request.body } : {},
      party: partyOf(request, { secure, names }),
      waits: waitsOf(request),
    }),
    person: ({ session, address, agent }) =>
      whoIs(store, session, { grantsOf: (id) => grantsOf(store.db, id), limits, client: { address, agent } }),
  }
}

type OidcOptions = SiteOptions & { readonly limits: Limits; readonly url: string }

function oidcOf({ database, columns }: Archive, { url, mtlsUrl, limits, secure }: OidcOptions): Oidc {
  const db = database.kysely
  const refusals = openRefusals(db)
  const setting = { db, columns, limits, secure, issuer: url, onRefusal: refusals.note }
  const provider = openProvider({ ...setting, ...(mtlsUrl ? { mtlsIssuer: mtlsUrl } : {}) })
  const { issuer, audience, keys } = provider
  const doors = { db, issuer, audience, limits, keys, proofs: openProofs() }
  return { provider, access: openAccess(doors), refusals }
}

/** As oidc-provider names what waits. */
const WAITS = /^[\w-]{20,64}$/

function waitsOf({ query, body }: FastifyRequest): string | undefined {
  const waits = textsOf(body).waits ?? textsOf(query).waits ?? ''
  return WAITS.test(waits) ? waits : undefined
}

type Named = { readonly secure: boolean; readonly names: readonly string[] }

/** A passkey is of a name, never of an address (WebAuthn 5.1.2). */
function partyOf({ headers }: FastifyRequest, { secure, names }: Named): Party | undefined {
  const host = String(headers.host ?? headers[':authority'] ?? '')
  const id = host.replace(/:\d+$/, '').toLowerCase()
  return names.includes(id) ? { id, origin: `${secure ? 'https' : 'http'}://${host}` } : undefined
}

function textsOf(from: unknown): Readonly<Record<string, string>> {
  if (typeof from !== 'object' || from === null) return {}
  return Object.fromEntries(
    Object.entries(from).filter((pair): pair is [string, string] => typeof pair[1] === 'string'),
  )
}

type CookieName = 'session' | 'pending' | 'elsewhere'

/** A cookie of this site alone, that no script reads and no other site sends; but for `elsewhere`, which comes with somebody
 * whom another site sends back, and opens nothing. Without a token: none any more. */
export function setCookie(
  reply: FastifyReply,
  { cookies }: Site,
  { name, token }: { readonly name: CookieName; readonly token?: string },
): void {
  const sameSite = name === 'elsewhere' ? 'lax' : 'strict'
  const how = { path: '/', httpOnly: true, secure: cookies.secure, sameSite } as const
  if (token === undefined) reply.clearCookie(cookies[name], how)
  else reply.setCookie(cookies[name], token, how)
}
