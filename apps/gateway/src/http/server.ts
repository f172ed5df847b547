// The HTTPS server:  TLS 1.2 and later ─► limits ─► headers ─► origin of what changes something ─► a route of the table
//
// Invariants: a route that is not in the table does not exist; what changes something comes from a page of ours; nothing is
// cached that is about somebody; an error says what to do and quotes nothing of the request.

import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Server } from 'node:tls'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import { WebError } from '@roentgate/dicomweb'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { IndexError } from '../archive/index/errors.ts'
import { transact } from '../db/database.ts'
import { IdentityError } from '../identity/errors.ts'
import { appendEvents } from '../ledger/append.ts'
import { certificateOf } from '../oidc/certificate.ts'
import { AccessError, challengeOf } from '../oidc/errors.ts'
import type { Action } from '../policy/actions.ts'
import { decideAtPage } from '../policy/doors.ts'
import type { Subject } from '../policy/subject.ts'
import { BACK } from './elsewhere.ts'
import { messagePage } from './pages.ts'
import { mountProtocol, PROTOCOL_PATHS, SMART } from './protocol.ts'
import { ROUTES, type Route } from './routes.ts'
import type { Site } from './site.ts'
import { actorOf } from './turn.ts'

export type HttpPort = {
  readonly host: string
  readonly port: number
  /** Without it the port is in the clear: loopback, for tests. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Who speaks to it shows a certificate of this authority (RFC 8705). */
  readonly clients?: { readonly ca: string; readonly crl?: string }
}
export type OpenHttp = {
  readonly port: number
  /** For connections to come. */
  readonly renew: (tls: { readonly cert: string; readonly key: string }) => void
  readonly close: () => Promise<void>
}

/** Forms; what is larger has a route of its own. */
const BODY_BYTES = 16 << 10
/** Of a whole request: who sends it drop by drop is cut off. */
const REQUEST_MS = 10_000
const CONNECTION_MS = 60_000
const MAX_HEADER_BYTES = 16 << 10
const MAX_CONNECTIONS = 2000
const GRACE_MS = 2000
const PROFILE = {
  minVersion: 'TLSv1.2',
  ciphers:
    'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  honorCipherOrder: true,
} as const

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
  'cross-origin-resource-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
  'cache-control': 'no-store',
} as const
const ASSETS = {
  '/style.css': { file: new URL('./style.css', import.meta.url), type: 'text/css; charset=utf-8' },
  '/enrol.js': { file: new URL('./enrol.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
  '/idle.js': { file: new URL('./idle.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
  '/passkeys.js': { file: new URL('./passkeys.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
} as const
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.keys(ASSETS),
  ...ROUTES.map(({ path }) => path),
  ...PROTOCOL_PATHS,
  SMART,
])
/** A parameter of a URL that would be a secret: it ends in logs and histories. */
const SECRET_PARAMETERS = ['token', 'access_token', 'id_token', 'code', 'password', 'authorization']

export async function openHttp(site: Site, { host, port, tls, clients }: HttpPort): Promise<OpenHttp> {
  const limits = {
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_MS,
    connectionTimeout: CONNECTION_MS,
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 64 },
    logger: false,
  } as const
  const app = tls
    ? fastify({
        ...limits,
        http2: true,
        https: {
          ...PROFILE,
          ...tls,
          ...(clients ? { ...clients, requestCert: true, rejectUnauthorized: true } : {}),
          allowHTTP1: true,
          maxHeaderListPairs: 100,
        },
      })
    : fastify({ ...limits, http: { maxHeaderSize: MAX_HEADER_BYTES } })
  const server = app as unknown as FastifyInstance
  server.server.maxConnections = MAX_CONNECTIONS
  server.addHook('onRoute', ({ url }) => {
    // One without a row of a table is a bug of ours, and nobody gets to it.
    if (!KNOWN.has(url)) throw new Error(`the route ${url} is in no table`)
  })
  await server.register(cookie)
  await server.register(formbody, { bodyLimit: BODY_BYTES })
  guard(server, { isSecure: tls !== undefined })
  for (const [path, { file, type }] of Object.entries(ASSETS)) {
    const body = readFileSync(file)
    server.get(path, async (_, reply) => await reply.type(type).send(body))
  }
  for (const route of ROUTES) {
    server.route({
      method: route.method,
      url: route.path,
      handler: (request, reply) => handled(site, route, { request, reply }),
      config: { tokens: route.access === 'either' },
    })
  }
  const { oidc } = site
  if (oidc)
    await server.register((own, _, done) => {
      mountProtocol(own, oidc.provider, HEADERS)
      done()
    })
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  if (clients)
    server.server.on('tlsClientError', (_: Error, { remoteAddress = '' }: Socket) =>
      oidc?.refusals.note({ error: 'certificate', address: remoteAddress }),
    )
  await server.listen({ host, port })
  const address = server.server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    renew: ({ cert, key }) => {
      if (tls) (server.server as unknown as Server).setSecureContext({ ...PROFILE, ...clients, cert, key })
    },
    close: async () => {
      await closed(server, sockets)
      await site.oidc?.refusals.flush()
    },
  }
}

/** Requests under way end; connections that are kept open without one do not hold it up. */
async function closed(server: FastifyInstance, sockets: ReadonlySet<Socket>): Promise<void> {
  const late = setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, GRACE_MS)
  try {
    await server.close()
  } finally {
    clearTimeout(late)
  }
}

type Turn = { readonly request: FastifyRequest; readonly reply: FastifyReply }

async function handled(site: Site, route: Route, { request, reply }: Turn): Promise<unknown> {
  const asked = site.asked(request)
  const turn = { site, asked, request, reply }
  if (route.access === 'public') return await route.handle(turn)
  const isToken = route.access === 'either' && request.headers.authorization !== undefined
  const person = isToken ? undefined : await site.person(asked)
  if (!isToken && person === undefined) {
    if (route.access === 'either') throw new AccessError('NO_TOKEN', 'sign in, or send a token')
    return await reply.redirect('/sign-in', 303)
  }
  const subject = person ?? (await subjectOf(site, request))
  const refusal = route.act && (await refusedByPolicy(site, route.act, subject))
  if (refusal)
    return route.access === 'either'
      ? await reply.status(403).send({ error: 'DENIED', what: refusal })
      : await refused(reply, 403, refusal)
  return await route.handle({ ...turn, ...(person ? { person } : {}), subject })
}

/** @throws AccessError */
async function subjectOf(
  { oidc, url }: Site,
  { headers, method, url: path, raw, ip }: FastifyRequest,
): Promise<Subject> {
  if (oidc === undefined) throw new AccessError('BAD_TOKEN', 'tokens are not taken here')
  const { dpop } = headers
  try {
    return await oidc.access.subjectOf({
      authorization: headers.authorization,
      // Two of them are none (RFC 9449 4.3).
      proof: typeof dpop === 'string' && !dpop.includes(',') ? dpop : undefined,
      method,
      url: `${url}${path.split('?')[0]}`,
      certificate: certificateOf(raw),
    })
  } catch (error) {
    if (error instanceof AccessError) oidc.refusals.note({ error: error.code, address: ip })
    throw error
  }
}

const DENIED = 'your roles do not allow this'

/** What it says; undefined: allowed. A denial is in the ledger. */
async function refusedByPolicy(
  { archive }: Site,
  action: Action,
  subject: Subject,
): Promise<string | undefined> {
  const decision = decideAtPage(subject, action)
  if (decision.kind === 'allow') return undefined
  if (decision.kind === 'step-up') return 'this wants your second factor once more: show it at your account'
  const event = {
    event: 'access-denied',
    action: 'E',
    outcome: 'minor',
    actor: actorOf(subject),
    objects: [],
    detail: { policy: action, reason: decision.reason },
  } as const
  await transact(archive.database.kysely, (tx) => appendEvents(tx, [event], new Date()))
  return DENIED
}

function guard(server: FastifyInstance, { isSecure }: { readonly isSecure: boolean }): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS)
    const { searchParams } = new URL(request.url, 'https://here')
    const { url, config } = request.routeOptions
    // Another provider sends people back with a code in the address: it opens once, with what their browser has besides.
    if (url !== BACK && SECRET_PARAMETERS.some((name) => searchParams.has(name)))
      return await refused(reply, 400, 'nothing secret stands in a URL: send it in a form, or a header')
    const { foreign, tokens } = config as { foreign?: boolean; tokens?: boolean }
    // A token counts where it is asked for; with one, no cookie does.
    const isForeign = foreign === true || (tokens === true && request.headers.authorization !== undefined)
    if (request.method !== 'GET' && request.method !== 'HEAD' && !isForeign && !isOurs(request, isSecure))
      return await refused(reply, 403, 'this did not come from a page of this site')
  })
  server.setNotFoundHandler((_, reply) => refused(reply, 404, 'there is nothing here'))
  server.setErrorHandler((error, _, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500
    if (error instanceof WebError || error instanceof IndexError)
      return reply.status(400).send({ error: error.code, what: error.message })
    if (error instanceof AccessError) {
      if (error.code !== 'BUSY') reply.header('www-authenticate', challengeOf(error))
      return reply.status(error.code === 'BUSY' ? 503 : 401).send({ error: error.code, what: error.message })
    }
    if (error instanceof IdentityError)
      return refused(reply, error.code === 'WAIT' ? 429 : 400, error.message)
    return refused(
      reply,
      status,
      status < 500
        ? 'the request is not one that this page sends'
        : 'something failed here, and is not your fault',
    )
  })
}

/** Fetch Metadata, and the Origin of browsers that have none (OWASP: cross-site request forgery). */
function isOurs({ headers }: FastifyRequest, isSecure: boolean): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin'
  const host = headers.host ?? headers[':authority']
  return headers.origin === `${isSecure ? 'https' : 'http'}://${host}`
}

async function refused(reply: FastifyReply, status: number, what: string): Promise<FastifyReply> {
  return await reply
    .status(status)
    .type('text/html; charset=utf-8')
    .send(messagePage('That did not work', what))
}
