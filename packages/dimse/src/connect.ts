// To a peer:  connect ─► transport, TLS ─► A-ASSOCIATE ─► Association

import { connect as connectPlain, type Socket } from 'node:net'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { Association, type Context, type Handler } from './association.ts'
import { STATUS } from './command.ts'
import { DimseError } from './errors.ts'
import { MAX_CONTEXTS, MAX_DATA_BYTES } from './limits.ts'
import { type AssociateAccept, DICOM_APPLICATION } from './pdu.ts'
import { type Deadlines, openUpper } from './upper.ts'
import { type Identity, NO_USER, type Role } from './user.ts'

export type Wanted = { readonly abstractSyntax: string; readonly transferSyntaxes: readonly string[] }

export type ConnectOptions = {
  readonly host: string
  readonly port: number
  readonly callingAe: string
  readonly calledAe: string
  readonly contexts: readonly Wanted[]
  readonly implementation: { readonly uid: string; readonly version: string }
  /** For what the peer asks of us: C-STORE while C-GET runs, N-EVENT-REPORT. */
  readonly handler?: Handler
  readonly roles?: readonly Role[]
  readonly identity?: Identity
  /** Without it the transport is in the clear. */
  readonly tls?: ConnectionOptions
  readonly deadlines?: Partial<Deadlines>
  readonly connectMs?: number
}

const CONNECT_MS = 10_000

/** @throws DimseError CLOSED, TIMEOUT, REJECTED, ABORTED */
export async function connect(options: ConnectOptions): Promise<Association> {
  if (options.contexts.length > MAX_CONTEXTS)
    throw new DimseError('LIMIT_ITEMS', 'more presentation contexts than an association has')
  const socket = await transport(options)
  socket.setNoDelay(true)
  const established = Promise.withResolvers<AssociateAccept>()
  let association: Association | undefined
  const upper = openUpper(socket, 'requestor', {
    ...(options.deadlines ? { deadlines: options.deadlines } : {}),
    indications: {
      accepted: (pdu) => {
        association = new Association(
          upper,
          { contexts: acceptedOf(options.contexts, pdu), maxLength: pdu.user.maxLength },
          options.handler ?? refuseAll,
        )
        established.resolve(pdu)
      },
      data: (values) => association?.push(values),
      releasing: () => upper.answerRelease(),
      released: () => association?.end(undefined),
      failed: (error) => {
        established.reject(error)
        association?.end(error)
      },
    },
  })
  upper.request({
    kind: 'associate-rq',
    protocolVersion: 1,
    calledAe: options.calledAe,
    callingAe: options.callingAe,
    applicationContext: DICOM_APPLICATION,
    contexts: options.contexts.map((one, place) => ({ id: place * 2 + 1, ...one })),
    user: {
      ...NO_USER,
      maxLength: MAX_DATA_BYTES,
      implementationUid: options.implementation.uid,
      implementationVersion: options.implementation.version,
      roles: options.roles ?? [],
      ...(options.identity ? { identity: options.identity } : {}),
    },
  })
  await established.promise
  if (association === undefined) throw new Error('accepted without an association')
  return association
}

function acceptedOf(wanted: readonly Wanted[], { contexts }: AssociateAccept): readonly Context[] {
  return contexts.flatMap(({ id, result, transferSyntax }) => {
    const one = wanted[(id - 1) / 2]
    const isOurs = one?.transferSyntaxes.includes(transferSyntax) === true
    return result === 0 && one && isOurs ? [{ id, abstractSyntax: one.abstractSyntax, transferSyntax }] : []
  })
}

async function* refuseAll() {
  yield { status: STATUS.sopClassNotSupported }
}

async function transport({ host, port, tls, connectMs = CONNECT_MS }: ConnectOptions): Promise<Socket> {
  const socket = tls ? connectTls({ ...tls, host, port }) : connectPlain({ host, port })
  const up = Promise.withResolvers<void>()
  const timer = setTimeout(() => up.reject(new DimseError('TIMEOUT', 'the peer does not answer')), connectMs)
  const onError = () =>
    up.reject(new DimseError('CLOSED', tls ? 'no connection, or no TLS' : 'no connection'))
  socket.once(tls ? 'secureConnect' : 'connect', up.resolve)
  socket.once('error', onError)
  socket.once('close', onError)
  try {
    await up.promise
    return socket
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
    socket.off('error', onError)
    socket.off('close', onError)
  }
}
