// For peers:  listen ─► transport, TLS ─► who may? ─► Association, handlers
//
// Invariants: no transport and no association beyond their numbers; nobody who waits costs another anything; closing lets
// associations end and then ends them.

import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, TLSSocket, type TlsOptions, Server as TlsServer } from 'node:tls'
import { Association, type Handler } from './association.ts'
import { MAX_DATA_BYTES } from './limits.ts'
import { type AnsweredContext, type AssociateRequest, DICOM_APPLICATION } from './pdu.ts'
import { type Deadlines, openUpper, type Upper } from './upper.ts'
import { NO_USER, type UserInformation } from './user.ts'

export type Peer = {
  readonly address: string
  /** Of a peer that showed one, verified; undefined without TLS. */
  readonly certificate: ReturnType<TLSSocket['getPeerX509Certificate']>
  readonly socket: Socket
}

/** PS3.8 Table 9-21. */
export type Refusal = { readonly result: 1 | 2; readonly source: 1 | 2 | 3; readonly reason: number }
export const REFUSAL = {
  noReason: { result: 1, source: 1, reason: 1 },
  applicationContext: { result: 1, source: 1, reason: 2 },
  callingAe: { result: 1, source: 1, reason: 3 },
  calledAe: { result: 1, source: 1, reason: 7 },
  protocolVersion: { result: 1, source: 2, reason: 2 },
  congestion: { result: 2, source: 3, reason: 1 },
  localLimit: { result: 2, source: 3, reason: 2 },
} as const satisfies Readonly<Record<string, Refusal>>

export type Decision =
  | { readonly kind: 'refuse'; readonly refusal: Refusal }
  | {
      readonly kind: 'accept'
      readonly contexts: readonly AnsweredContext[]
      readonly user?: Partial<UserInformation>
      readonly handler: Handler
    }

export type ListenOptions = {
  readonly host: string
  readonly port: number
  /** Without it the port is in the clear. */
  readonly tls?: TlsOptions
  readonly implementation: { readonly uid: string; readonly version: string }
  /** Who may, and for what. What it throws is a refusal without a reason. */
  readonly decide: (request: AssociateRequest, peer: Peer) => Decision | Promise<Decision>
  /** A peer with which TLS did not come about; never more than its address. */
  readonly onTlsRefused?: (address: string) => void
  readonly onEnd?: (request: AssociateRequest, error: Error | undefined) => void
  readonly deadlines?: Partial<Deadlines>
  readonly maxTransports?: number
  readonly maxAssociations?: number
}

export type Listener = {
  readonly port: number
  readonly associations: () => number
  /** Certificates, keys and revocations for the transports to come. */
  readonly renew: (tls: TlsOptions) => void
  /** No new ones; those that are there may end within `graceMs`. */
  readonly close: (graceMs?: number) => Promise<void>
}

const MAX_TRANSPORTS = 4096
const MAX_ASSOCIATIONS = 256
const GRACE_MS = 5000

export async function listen(options: ListenOptions): Promise<Listener> {
  const server = options.tls
    ? createTlsServer({ ...options.tls, pauseOnConnect: false })
    : createServer({ allowHalfOpen: false })
  const state: State = { options, sockets: new Set(), uppers: new Set() }
  server.maxConnections = options.maxTransports ?? MAX_TRANSPORTS
  server.on(options.tls ? 'secureConnection' : 'connection', (socket: Socket) => welcome(state, socket))
  const up = Promise.withResolvers<void>()
  server.once('error', up.reject)
  if (options.tls && options.onTlsRefused) watchHandshakes(server, options.onTlsRefused)
  server.listen(options.port, options.host, up.resolve)
  await up.promise
  server.off('error', up.reject)
  server.on('error', () => undefined)
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    associations: () => state.uppers.size,
    renew: (tls) => {
      if (server instanceof TlsServer) server.setSecureContext(tls)
    },
    close: (graceMs = GRACE_MS) => close(server, state, graceMs),
  }
}

type State = {
  readonly options: ListenOptions
  readonly sockets: Set<Socket>
  readonly uppers: Set<Upper>
}

/** The address is asked for while there is one: of a transport that failed nobody knows it. */
function watchHandshakes(server: Server, refused: (address: string) => void): void {
  const waiting = new Map<string, string>()
  const nameOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`
  server.on('connection', (socket: Socket) => {
    const name = nameOf(socket)
    waiting.set(name, socket.remoteAddress ?? '')
    socket.once('close', () => {
      const address = waiting.get(name)
      waiting.delete(name)
      if (address !== undefined) refused(address)
    })
  })
  server.on('secureConnection', (socket: Socket) => waiting.delete(nameOf(socket)))
  // Without it the error would be the server's.
  server.on('tlsClientError', () => undefined)
}

async function close(server: Server, state: State, graceMs: number): Promise<void> {
  const closed = new Promise<void>((done) => server.close(() => done()))
  const timer = setTimeout(() => {
    for (const upper of state.uppers) upper.abort()
    for (const socket of state.sockets) socket.destroySoon()
  }, graceMs)
  if (state.uppers.size === 0) for (const socket of state.sockets) socket.destroy()
  await closed
  clearTimeout(timer)
}

function welcome(state: State, socket: Socket): void {
  const { options, sockets, uppers } = state
  socket.setNoDelay(true)
  sockets.add(socket)
  socket.once('close', () => sockets.delete(socket))
  let association: Association | undefined
  let request: AssociateRequest | undefined
  const over = (error: Error | undefined): void => {
    uppers.delete(upper)
    if (request && association) options.onEnd?.(request, error)
  }
  const upper = openUpper(socket, 'acceptor', {
    ...(options.deadlines ? { deadlines: options.deadlines } : {}),
    indications: {
      requested: (pdu) => {
        request = pdu
        void decided(state, pdu, socket).then((decision) => {
          if (socket.destroyed) return
          if (decision.kind === 'refuse') upper.reject({ kind: 'associate-rj', ...decision.refusal })
          else association = accept({ upper, options, uppers }, pdu, decision)
        })
      },
      data: (values) => association?.push(values),
      releasing: () => upper.answerRelease(),
      released: () => {
        association?.end(undefined)
        over(undefined)
      },
      failed: (error) => {
        association?.end(error)
        over(error)
      },
    },
  })
}

async function decided({ options, uppers }: State, pdu: AssociateRequest, socket: Socket): Promise<Decision> {
  if (pdu.protocolVersion % 2 === 0) return { kind: 'refuse', refusal: REFUSAL.protocolVersion }
  if (pdu.applicationContext !== DICOM_APPLICATION)
    return { kind: 'refuse', refusal: REFUSAL.applicationContext }
  if (uppers.size >= (options.maxAssociations ?? MAX_ASSOCIATIONS))
    return { kind: 'refuse', refusal: REFUSAL.localLimit }
  try {
    const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined
    return await options.decide(pdu, { address: socket.remoteAddress ?? '', certificate, socket })
  } catch {
    return { kind: 'refuse', refusal: REFUSAL.noReason }
  }
}

type Accepting = {
  readonly upper: Upper
  readonly options: ListenOptions
  readonly uppers: Set<Upper>
}

function accept(
  { upper, options, uppers }: Accepting,
  pdu: AssociateRequest,
  { contexts, user, handler }: Extract<Decision, { kind: 'accept' }>,
): Association {
  uppers.add(upper)
  const agreed = contexts.flatMap(({ id, result, transferSyntax }) => {
    const proposed = pdu.contexts.find((one) => one.id === id)
    return result === 0 && proposed ? [{ id, abstractSyntax: proposed.abstractSyntax, transferSyntax }] : []
  })
  const association = new Association(upper, { contexts: agreed, maxLength: pdu.user.maxLength }, handler)
  upper.accept({
    kind: 'associate-ac',
    protocolVersion: 1,
    calledAe: pdu.calledAe,
    callingAe: pdu.callingAe,
    applicationContext: DICOM_APPLICATION,
    contexts,
    user: {
      ...NO_USER,
      maxLength: MAX_DATA_BYTES,
      implementationUid: options.implementation.uid,
      implementationVersion: options.implementation.version,
      ...user,
    },
  })
  return association
}

/** For each context our favourite of the transfer syntaxes that it has (PS3.8 9.3.3.2). */
export function negotiate(
  { contexts }: AssociateRequest,
  syntaxesFor: (abstractSyntax: string) => readonly string[] | undefined,
): readonly AnsweredContext[] {
  return contexts.map(({ id, abstractSyntax, transferSyntaxes }): AnsweredContext => {
    const ours = syntaxesFor(abstractSyntax)
    const first = transferSyntaxes[0] ?? ''
    if (ours === undefined) return { id, result: 3, transferSyntax: first }
    const common = ours.find((uid) => transferSyntaxes.includes(uid))
    return common === undefined
      ? { id, result: 4, transferSyntax: first }
      : { id, result: 0, transferSyntax: common }
  })
}
