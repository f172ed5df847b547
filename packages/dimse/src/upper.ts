// The upper layer over one transport: performs what the machine says, and nothing else.
//
//   socket ─► PDUs ─► step ─► effects: send, indicate, close, timers
//
// Invariants: what waits has a deadline: ARTIM (PS3.8 9.1.4), a PDU that has begun, an association nobody uses. A peer
// that does not read pauses our sending; a receiver that does not take pauses the socket.

import type { Socket } from 'node:net'
import { DimseError } from './errors.ts'
import { type Effect, type Event, type Role, type State, step } from './machine.ts'
import {
  type Abort,
  type AssociateAccept,
  type AssociateReject,
  type AssociateRequest,
  type DataValue,
  encodePdu,
  PDU_HEADER,
  type Pdu,
  pdvHeader,
} from './pdu.ts'
import { pduReader } from './reader.ts'

export type Deadlines = {
  /** ARTIM: a transport without an association, and one that is to be closed. */
  readonly artimMs: number
  /** A PDU, from its first byte to its last; and the answer to an association request. */
  readonly pduMs: number
  /** Without a byte either way. */
  readonly idleMs: number
}

export const DEADLINES: Deadlines = { artimMs: 10_000, pduMs: 30_000, idleMs: 60_000 }

/** What the layer above is told. */
export type Indications = {
  readonly requested?: (pdu: AssociateRequest) => void
  readonly accepted?: (pdu: AssociateAccept) => void
  readonly data: (values: readonly DataValue[]) => void
  readonly releasing?: () => void
  /** The end in good order. */
  readonly released: () => void
  /** Every other end: rejected, aborted by either side, transport gone, deadline. */
  readonly failed: (error: DimseError) => void
}

export type Upper = {
  readonly request: (pdu: AssociateRequest) => void
  readonly accept: (pdu: AssociateAccept) => void
  readonly reject: (pdu: AssociateReject) => void
  /** Resolves when the transport has room again. */
  readonly send: (values: readonly DataValue[]) => Promise<void>
  readonly release: () => void
  readonly answerRelease: () => void
  readonly abort: (error?: DimseError) => void
  readonly pause: () => void
  readonly resume: () => void
}

/** PS3.8 Table 9-26: 0 service-user; 2 service-provider with its reasons. */
const BY_USER: Abort = { kind: 'abort', source: 0, reason: 0 }
const REASON = { unrecognized: 1, unexpected: 2, invalid: 6 }

export function openUpper(
  socket: Socket,
  role: Role,
  given: { readonly indications: Indications; readonly deadlines?: Partial<Deadlines> },
): Upper {
  return new UpperLayer(socket, role, given).door()
}

class UpperLayer {
  readonly #socket: Socket
  readonly #role: Role
  readonly #indications: Indications
  readonly #deadlines: Deadlines
  readonly #reader = pduReader()
  #state: State = 1
  #hasEnded = false
  #error: DimseError | undefined
  #abortReason = 0
  #outgoing: Pdu | undefined
  #artim: NodeJS.Timeout | undefined
  #pdu: NodeJS.Timeout | undefined
  readonly #idle: NodeJS.Timeout

  constructor(
    socket: Socket,
    role: Role,
    {
      indications,
      deadlines,
    }: { readonly indications: Indications; readonly deadlines?: Partial<Deadlines> },
  ) {
    this.#socket = socket
    this.#role = role
    this.#indications = indications
    this.#deadlines = { ...DEADLINES, ...deadlines }
    this.#idle = setTimeout(() => this.#timeout('nothing was heard for too long'), this.#deadlines.idleMs)
    socket.on('data', (chunk: Buffer) => this.#received(chunk))
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#closed())
    socket.on('end', () => socket.end())
    if (role === 'acceptor') this.#event('incoming')
  }

  door(): Upper {
    return {
      request: (pdu) => {
        this.#event('associate-request')
        this.#outgoing = pdu
        this.#event('connected')
        this.#watchPdu()
      },
      accept: (pdu) => this.#sending(pdu, 'accept'),
      reject: (pdu) => this.#sending(pdu, 'reject'),
      send: (values) => this.#send(values),
      release: () => this.#event('release-request'),
      answerRelease: () => this.#event('release-response'),
      abort: (error) => {
        if (this.#hasEnded || this.#state === 1 || this.#state === 13) return
        this.#error ??= error ?? new DimseError('ABORTED', 'the association was aborted here')
        this.#event('abort-request')
        this.#end(this.#error)
      },
      pause: () => this.#socket.pause(),
      resume: () => this.#socket.resume(),
    }
  }

  #sending(pdu: Pdu, event: Event): void {
    this.#outgoing = pdu
    this.#event(event)
  }

  async #send(values: readonly DataValue[]): Promise<void> {
    if (this.#hasEnded) throw this.#error ?? new DimseError('CLOSED', 'the association has ended')
    step(this.#state, 'data-request', this.#role)
    const length = values.reduce((sum, { data }) => sum + PDU_HEADER + data.length, 0)
    const head = Buffer.alloc(PDU_HEADER)
    head.writeUInt8(4)
    head.writeUInt32BE(length, 2)
    this.#socket.cork()
    let hasRoom = this.#socket.write(head)
    for (const value of values) {
      hasRoom = this.#socket.write(pdvHeader(value))
      if (value.data.length > 0) hasRoom = this.#socket.write(value.data)
    }
    this.#socket.uncork()
    this.#idle.refresh()
    if (!hasRoom) await this.#drained()
  }

  async #drained(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#socket.once('drain', resolve)
    this.#socket.once('close', resolve)
    await promise
    this.#socket.off('drain', resolve)
    this.#socket.off('close', resolve)
    if (this.#hasEnded) throw this.#error ?? new DimseError('CLOSED', 'the association has ended')
  }

  #received(chunk: Buffer): void {
    this.#idle.refresh()
    if (this.#state === 1) return
    try {
      const before = this.#reader.begun()
      const pdus = this.#reader.push(chunk)
      if (!this.#reader.isInside()) this.#unwatchPdu()
      else if (this.#reader.begun() > before || this.#pdu === undefined) this.#watchPdu()
      for (const pdu of pdus) this.#pduReceived(pdu)
    } catch (error) {
      if (!(error instanceof DimseError)) throw error
      this.#error ??= error
      this.#abortReason = error.code === 'BAD_PDU' ? REASON.unrecognized : REASON.invalid
      this.#event('invalid')
      this.#socket.pause()
    }
  }

  #pduReceived(pdu: Pdu): void {
    if (this.#state === 1) return
    this.#abortReason = REASON.unexpected
    switch (pdu.kind) {
      case 'associate-ac':
        if (this.#event(pdu.kind).includes('indicate-accepted')) this.#indications.accepted?.(pdu)
        return
      case 'associate-rq':
        if (this.#event(pdu.kind).includes('indicate-request')) this.#indications.requested?.(pdu)
        return
      case 'associate-rj':
        this.#error ??= new DimseError('REJECTED', 'the peer refused the association', {
          result: pdu.result,
          source: pdu.source,
          reason: pdu.reason,
        })
        this.#event(pdu.kind)
        return
      case 'abort':
        this.#error ??= new DimseError('ABORTED', 'the peer aborted the association', {
          source: pdu.source,
          reason: pdu.reason,
        })
        this.#event(pdu.kind)
        return
      case 'p-data':
        if (this.#event(pdu.kind).includes('indicate-data')) this.#indications.data(pdu.values)
        return
      default:
        this.#event(pdu.kind)
    }
  }

  /** One step, its effects performed. */
  #event(event: Event): readonly Effect[] {
    const { state, effects } = step(this.#state, event, this.#role)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
    return effects
  }

  #perform(effect: Effect): void {
    switch (effect) {
      case 'send-associate-rq':
      case 'send-associate-ac':
      case 'send-associate-rj':
        if (this.#outgoing) this.#write(this.#outgoing)
        if (effect === 'send-associate-rj')
          this.#end(new DimseError('REJECTED', 'the association was refused here'))
        return
      case 'send-release-rq':
        this.#write({ kind: 'release-rq' })
        return
      case 'send-release-rp':
        this.#write({ kind: 'release-rp' })
        // After the answer there is nothing but the close, unless the other release is still to be answered.
        if (this.#state === 13) this.#end(undefined)
        return
      case 'send-abort':
        this.#write(BY_USER)
        return
      case 'send-provider-abort':
        this.#write({ kind: 'abort', source: 2, reason: this.#abortReason })
        return
      case 'start-artim':
        clearTimeout(this.#artim)
        this.#artim = setTimeout(() => this.#artimExpired(), this.#deadlines.artimMs)
        return
      case 'stop-artim':
        clearTimeout(this.#artim)
        return
      case 'close':
        this.#socket.destroySoon()
        return
      default:
        this.#indicate(effect)
    }
  }

  #indicate(effect: Effect): void {
    if (effect === 'indicate-release') this.#indications.releasing?.()
    // A collision: the requestor answers at once, the acceptor when it has its own answer (PS3.8 9.2.3).
    if (effect === 'indicate-collision' && this.#role === 'requestor') this.#event('release-response')
    if (effect === 'indicate-released' && this.#state === 12) this.#event('release-response')
    else if (effect === 'indicate-released') this.#end(undefined)
    if (effect === 'indicate-provider-abort')
      this.#end(this.#error ?? new DimseError('UNEXPECTED', 'the peer sent what its state does not allow'))
    if (effect === 'indicate-abort' || effect === 'indicate-rejected') this.#end(this.#error)
    if (effect === 'indicate-closed')
      this.#end(this.#error ?? new DimseError('CLOSED', 'the connection broke'))
  }

  #artimExpired(): void {
    if (this.#state === 2) this.#error ??= new DimseError('TIMEOUT', 'no association was asked for')
    if (this.#state === 2 || this.#state === 13) this.#event('artim')
    this.#socket.destroy()
  }

  #timeout(what: string): void {
    this.#error ??= new DimseError('TIMEOUT', what)
    if (this.#state === 2) this.#socket.destroy()
    else this.door().abort(this.#error)
  }

  #watchPdu(): void {
    this.#unwatchPdu()
    this.#pdu = setTimeout(() => this.#timeout('a PDU takes too long'), this.#deadlines.pduMs)
  }

  #unwatchPdu(): void {
    clearTimeout(this.#pdu)
    this.#pdu = undefined
  }

  #closed(): void {
    clearTimeout(this.#artim)
    clearTimeout(this.#idle)
    this.#unwatchPdu()
    if (this.#state !== 1) this.#event('closed')
    this.#end(this.#error ?? new DimseError('CLOSED', 'the connection broke'))
  }

  #write(pdu: Pdu): void {
    if (!this.#socket.destroyed) this.#socket.write(encodePdu(pdu))
  }

  /** Told once. */
  #end(error: DimseError | undefined): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#idle)
    this.#unwatchPdu()
    this.#error ??= error
    if (error === undefined) this.#indications.released()
    else this.#indications.failed(error)
    // After an abort or a refusal the peer closes; ARTIM does if it does not.
    this.#socket.resume()
  }
}
