// The way to a syslog collector: TLS (RFC 5425), or, where it is asked for in so many words, TCP and UDP in the clear.
//
//   frames (length SP message) ─► socket            UDP (RFC 5426): a datagram a message, without the length
//
// A collector does not answer. What it has read is known only when the connection ends in good order; so a broken one
// says nothing about its last messages, and whoever sends them sends them again.

import { createSocket } from 'node:dgram'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { LedgerError } from './errors.ts'

type Place = { readonly host: string; readonly port: number }

export type SyslogTarget =
  | (Place & {
      readonly kind: 'tls'
      /** PEM of who signs the collector's certificate; without it the public authorities. */
      readonly ca?: string
      /** Ours, PEM, for a collector that asks. */
      readonly identity?: { readonly cert: string; readonly key: string }
    })
  /** Audit messages name people and their patients' pseudonyms: for a network that is trusted like a cable. */
  | (Place & { readonly kind: 'tcp' | 'udp'; readonly unencrypted: 'accepted' })

export type Connection = {
  /** Resolves when the system has taken them, which is not yet the collector. */
  readonly send: (frames: readonly Buffer[]) => Promise<void>
  /** Aborted when the connection is gone. */
  readonly lost: AbortSignal
  /** True: the collector read it all and closed in turn. */
  readonly end: () => Promise<boolean>
}

const CONNECT_MS = 10_000
/** A collector that does not read for so long is as good as away. */
const SEND_MS = 30_000
const END_MS = 3000
const KEEP_ALIVE_MS = 10_000
/** Of IPv4, less its headers. */
const MAX_DATAGRAM = 65_507

export async function connectSyslog(target: SyslogTarget): Promise<Connection> {
  return target.kind === 'udp' ? openUdp(target) : overSocket(await openSocket(target))
}

async function openSocket(target: Exclude<SyslogTarget, { kind: 'udp' }>): Promise<Socket> {
  const socket =
    target.kind === 'tls' ? tlsSocket(target) : connectPlain({ host: target.host, port: target.port })
  const outcome = Promise.withResolvers<void>()
  const timer = setTimeout(() => outcome.reject(failed('it does not answer')), CONNECT_MS)
  socket.once(target.kind === 'tls' ? 'secureConnect' : 'connect', outcome.resolve)
  socket.on('error', (cause) => outcome.reject(failed('no connection', cause)))
  socket.once('close', () => outcome.reject(failed('it hung up')))
  try {
    await outcome.promise
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
  socket.setKeepAlive(true, KEEP_ALIVE_MS)
  return socket
}

/** The certificate is checked, and so is the name on it. */
function tlsSocket({ host, port, ca, identity }: Extract<SyslogTarget, { kind: 'tls' }>): Socket {
  return connectTls({
    host,
    port,
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca }),
    ...identity,
  })
}

function overSocket(socket: Socket): Connection {
  const gone = new AbortController()
  const lose = (what: string) => gone.abort(failed(what))
  let isEnding = false
  socket.on('error', () => lose('the connection broke'))
  socket.on('close', () => lose('the connection broke'))
  socket.on('end', () => {
    if (!isEnding) lose('the collector hung up')
  })
  // What a collector says is of no meaning, and must not pile up.
  socket.resume()
  return {
    lost: gone.signal,
    send: (frames) => sent(socket, frames, gone.signal),
    end: async () => {
      isEnding = true
      if (!gone.signal.aborted) return await endsWell(socket)
      socket.destroy()
      return false
    },
  }
}

async function sent(socket: Socket, frames: readonly Buffer[], lost: AbortSignal): Promise<void> {
  lost.throwIfAborted()
  const outcome = Promise.withResolvers<void>()
  const onLost = () => outcome.reject(lost.reason)
  lost.addEventListener('abort', onLost, { once: true })
  const timer = setTimeout(() => socket.destroy(failed('the collector does not read')), SEND_MS)
  socket.write(Buffer.concat(frames), (error) =>
    error ? outcome.reject(failed('no way', error)) : outcome.resolve(),
  )
  try {
    await outcome.promise
  } finally {
    clearTimeout(timer)
    lost.removeEventListener('abort', onLost)
  }
}

async function endsWell(socket: Socket): Promise<boolean> {
  const outcome = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => outcome.resolve(false), END_MS)
  socket.once('close', (hadError) => outcome.resolve(!hadError))
  socket.end()
  const isWell = await outcome.promise
  clearTimeout(timer)
  socket.destroy()
  return isWell
}

function openUdp({ host, port }: Place): Connection {
  const socket = createSocket(isIP(host) === 6 ? 'udp6' : 'udp4')
  const gone = new AbortController()
  socket.on('error', (cause) => gone.abort(failed('no way', cause)))
  return {
    lost: gone.signal,
    send: async (frames) => {
      for (const frame of frames) {
        const message = frame.subarray(frame.indexOf(' ') + 1)
        // One that does not fit is lost whatever we do; it stands in the ledger.
        if (message.length <= MAX_DATAGRAM)
          await datagram(message, (bytes, done) => socket.send(bytes, port, host, done))
      }
    },
    end: async () => {
      await new Promise<void>((done) => socket.close(done))
      return true
    },
  }
}

type Send = (bytes: Buffer, done: (error: Error | null) => void) => void

function datagram(message: Buffer, send: Send): Promise<void> {
  const outcome = Promise.withResolvers<void>()
  send(message, (error) => (error === null ? outcome.resolve() : outcome.reject(failed('no way', error))))
  return outcome.promise
}

function failed(what: string, cause?: unknown): LedgerError {
  return new LedgerError('SINK_FAILED', `syslog: ${what}`, { cause })
}
