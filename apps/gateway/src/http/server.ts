// The HTTPS server:  TLS 1.2 and later ─► limits ─► headers ─► origin of what changes something ─► a route of the table
//
// Invariants: a route that is not in the table does not exist; what changes something comes from a page of ours; nothing is
// cached that is about somebody; an error says what to do and quotes nothing of the request.

import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Server } from 'node:tls'
import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { IdentityError } from '../identity/errors.ts'
import { messagePage } from './pages.ts'
import { ROUTES, type Route } from './routes.ts'
import type { Site } from './site.ts'

export type HttpPort = {
  readonly host: string
  readonly port: number
  /** Without it the port is in the clear: loopback, for tests. */
  readonly tls?: { readonly cert: string; readonly key: string }
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
  '/passkeys.js': { file: new URL('./passkeys.js', import.meta.url), type: 'text/javascript; charset=utf-8' },
} as const
/** A parameter of a URL that would be a secret: it ends in logs and histories. */
const SECRET_PARAMETERS = ['token', 'access_token', 'id_token', 'code', 'password', 'authorization']

export async function openHttp(site: Site, { host, port, tls }: HttpPort): Promise<OpenHttp> {
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
          allowHTTP1: true,
          maxHeaderListPairs: 100,
        },
      })
    : fastify({ ...limits, http: { maxHeaderSize: MAX_HEADER_BYTES } })
  const server = app as unknown as FastifyInstance
  server.server.maxConnections = MAX_CONNECTIONS
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
    })
  }
  const sockets = new Set<Socket>()
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await server.listen({ host, port })
  const address = server.server.address()
  return {
    port: typeof address === 'object' && address ? address.port : port,
    renew: ({ cert, key }) => {
      if (tls) (server.server as unknown as Server).setSecureContext({ ...PROFILE, cert, key })
    },
    close: () => closed(server, sockets),
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
  const person = route.access === 'session' ? await site.person(asked.session) : undefined
  if (route.access === 'session' && person === undefined) return await reply.redirect('/sign-in', 303)
  return await route.handle({ site, asked, reply, ...(person ? { person } : {}) })
}

function guard(server: FastifyInstance, { isSecure }: { readonly isSecure: boolean }): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS)
    const { searchParams } = new URL(request.url, 'https://here')
    if (SECRET_PARAMETERS.some((name) => searchParams.has(name)))
      return await refused(reply, 400, 'nothing secret stands in a URL: send it in a form, or a header')
    if (request.method !== 'GET' && request.method !== 'HEAD' && !isOurs(request, isSecure))
      return await refused(reply, 403, 'this did not come from a page of this site')
  })
  server.setNotFoundHandler((_, reply) => refused(reply, 404, 'there is nothing here'))
  server.setErrorHandler((error, _, reply) => {
    const status = (error as { statusCode?: number }).statusCode ?? 500
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
