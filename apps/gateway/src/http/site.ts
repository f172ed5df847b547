// What routes need of the gateway, and of a request.

import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Archive } from '../archive/archive.ts'
import type { Party } from '../identity/passkeys.ts'
import { LIMITS, type Limits, whoIs } from '../identity/sessions.ts'
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
}

export type Site = {
  readonly archive: Archive
  readonly limits: Limits
  readonly cookies: { readonly session: string; readonly pending: string; readonly secure: boolean }
  readonly asked: (request: FastifyRequest) => Asked
  readonly person: (token: string | undefined) => Promise<Person | undefined>
}

/** `secure`: over TLS; a browser takes a __Host- cookie over nothing else. */
export function siteOf(
  archive: Archive,
  { secure, limits = LIMITS, names = [] }: { secure: boolean; limits?: Limits; names?: readonly string[] },
): Site {
  const prefix = secure ? '__Host-' : ''
  const cookies = { session: `${prefix}roentgate`, pending: `${prefix}roentgate-step`, secure }
  const store = { db: archive.database.kysely, columns: archive.columns }
  return {
    archive,
    limits,
    cookies,
    asked: (request) => ({
      session: request.cookies[cookies.session],
      pending: request.cookies[cookies.pending],
      address: request.ip,
      agent: String(request.headers['user-agent'] ?? ''),
      form: textsOf(request.body),
      parameters: textsOf(request.params),
      json: typeof request.body === 'object' && request.body !== null ? { ...request.body } : {},
      party: partyOf(request, { secure, names }),
    }),
    person: (token) => whoIs(store, token, { grantsOf: (id) => grantsOf(store.db, id), limits }),
  }
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

type CookieName = 'session' | 'pending'

/** A cookie of this site alone, that no script reads and no other site sends. Without a token: none any more. */
export function setCookie(
  reply: FastifyReply,
  { cookies }: Site,
  { name, token }: { readonly name: CookieName; readonly token?: string },
): void {
  const how = { path: '/', httpOnly: true, secure: cookies.secure, sameSite: 'strict' } as const
  if (token === undefined) reply.clearCookie(cookies[name], how)
  else reply.setCookie(cookies[name], token, how)
}
