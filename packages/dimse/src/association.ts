// An association that was agreed on, from either side: requests go out and their answers come back, requests come in and
// each is answered.
//
// Invariants: each request that comes in gets exactly one final answer, whatever its handler does; handlers run one after
// the other, while answers to our own requests and C-CANCEL go past them; what ends the association ends all of it.

import { type Command, FIELD, RESPONSE, STATUS, statusKind } from './command.ts'
import { DimseError } from './errors.ts'
import { MAX_IDENTIFIER_BYTES } from './limits.ts'
import { type DataStream, Inbox, type Message, whole } from './messages.ts'
import { type Content, Outbox } from './outbox.ts'
import type { DataValue } from './pdu.ts'
import type { Upper } from './upper.ts'

export type Context = {
  readonly id: number
  readonly abstractSyntax: string
  readonly transferSyntax: string
}

export type Incoming = {
  readonly command: Command
  readonly context: Context
  readonly data: DataStream
  /** Aborted by C-CANCEL, and by the end of the association. */
  readonly signal: AbortSignal
  readonly association: Association
}

/** `data` only with a status that has some; `fields`: counts, a comment. */
export type Answer = {
  readonly status: number
  readonly data?: Content
  readonly fields?: Partial<Command>
}

/** Any number of pending answers, then a final one. */
export type Handler = (incoming: Incoming) => AsyncIterable<Answer>

export type Response = {
  readonly command: Command
  readonly status: number
  readonly data: Buffer | undefined
}

export type Instance = {
  readonly sopClass: string
  readonly sopInstance: string
  readonly transferSyntax: string
  /** The data set alone, in that syntax. */
  readonly data: Content
  readonly originator?: { readonly ae: string; readonly messageId: number }
}

/** Requests that wait for their turn; a peer that sends more without waiting is not one of ours. */
const MAX_WAITING = 64
const ANSWERED = new Set<number>(Object.values(FIELD))

type Pending = {
  readonly push: (response: Response) => void
  readonly fail: (error: DimseError) => void
}

export class Association {
  readonly contexts: readonly Context[]
  readonly #upper: Upper
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #handler: Handler
  readonly #pending = new Map<number, Pending>()
  readonly #cancels = new Map<number, AbortController>()
  readonly #over = new AbortController()
  readonly #ended = Promise.withResolvers<void>()
  #chain: Promise<void> = Promise.resolve()
  #waiting = 0
  #nextId = 1

  constructor(
    upper: Upper,
    agreed: { readonly contexts: readonly Context[]; readonly maxLength: number },
    handler: Handler,
  ) {
    this.#upper = upper
    this.contexts = agreed.contexts
    this.#handler = handler
    this.#outbox = new Outbox(upper, agreed.maxLength)
    this.#inbox = new Inbox(upper)
    this.#ended.promise.catch(() => undefined)
    void this.#run()
  }

  /** Resolves at the end in good order, rejects at any other. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** From the upper layer. */
  push(values: readonly DataValue[]): void {
    try {
      this.#inbox.push(values)
    } catch (error) {
      if (!(error instanceof DimseError)) throw error
      this.#upper.abort(error)
    }
  }

  /** From the upper layer. */
  end(error: DimseError | undefined): void {
    const cause = error ?? new DimseError('CLOSED', 'the association has ended')
    this.#over.abort(cause)
    for (const pending of this.#pending.values()) pending.fail(cause)
    this.#pending.clear()
    for (const cancel of this.#cancels.values()) cancel.abort(cause)
    this.#inbox.end(error)
    if (error) this.#ended.reject(error)
    else this.#ended.resolve()
  }

  async release(): Promise<void> {
    if (this.#over.signal.aborted) return
    this.#upper.release()
    await this.ended
  }

  abort(): void {
    this.#upper.abort()
  }

  contextFor(abstractSyntax: string, transferSyntax?: string): Context {
    const found = this.contexts.find(
      (one) =>
        one.abstractSyntax === abstractSyntax &&
        (transferSyntax === undefined || one.transferSyntax === transferSyntax),
    )
    if (found === undefined)
      throw new DimseError('NO_CONTEXT', 'no presentation context was accepted for that')
    return found
  }

  /** The answers to one request, the final one last. @throws DimseError where the association ends before it. */
  async *request(
    context: Context,
    command: Omit<Command, 'hasData' | 'messageId'>,
    { content, signal }: { readonly content?: Content; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<Response> {
    const messageId = this.#nextId
    this.#nextId = (this.#nextId % 0xffff) + 1
    const answers = new Answers()
    this.#over.signal.throwIfAborted()
    this.#pending.set(messageId, answers)
    const cancel = () => void this.#cancel(context, messageId)
    signal?.addEventListener('abort', cancel, { once: true })
    try {
      const full = { ...command, messageId, hasData: content !== undefined }
      const sending = this.#outbox.send(context.id, full, content)
      sending.catch((error) => answers.fail(error as DimseError))
      for (;;) {
        const response = await answers.next()
        yield response
        if (statusKind(response.status) !== 'pending') return
      }
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#pending.delete(messageId)
    }
  }

  async #cancel(context: Context, respondedTo: number): Promise<void> {
    await this.#outbox
      .send(context.id, { field: FIELD.cCancel, respondedTo, hasData: false })
      .catch(() => undefined)
  }

  async #only(responses: AsyncIterable<Response>): Promise<Response> {
    for await (const response of responses) return response
    throw new DimseError('CLOSED', 'no answer came')
  }

  async echo(): Promise<number> {
    const context = this.contextFor(VERIFICATION)
    const { status } = await this.#only(
      this.request(context, { field: FIELD.cEcho, affectedClass: VERIFICATION }),
    )
    return status
  }

  /** The status of the answer. */
  async store({ sopClass, sopInstance, transferSyntax, data, originator }: Instance): Promise<number> {
    const context = this.contextFor(sopClass, transferSyntax)
    const command = {
      field: FIELD.cStore,
      affectedClass: sopClass,
      affectedInstance: sopInstance,
      priority: 0,
      ...(originator ? { originatorAe: originator.ae, originatorId: originator.messageId } : {}),
    }
    return (await this.#only(this.request(context, command, { content: data }))).status
  }

  async #run(): Promise<void> {
    try {
      for (let message = await this.#inbox.next(); message; message = await this.#inbox.next())
        await this.#take(message)
    } catch (error) {
      if (!(error instanceof DimseError)) throw error
      this.#upper.abort(error)
    }
  }

  async #take(message: Message): Promise<void> {
    const { command } = message
    if ((command.field & RESPONSE) !== 0) return await this.#response(message)
    if (command.field === FIELD.cCancel) {
      this.#cancels.get(command.respondedTo ?? -1)?.abort(new DimseError('ABORTED', 'cancelled by the peer'))
      return
    }
    if (++this.#waiting > MAX_WAITING)
      throw new DimseError('UNEXPECTED', 'more requests than were agreed on without an answer')
    this.#chain = this.#chain
      .then(() => this.#handle(message))
      .catch((error) => this.#upper.abort(error instanceof DimseError ? error : undefined))
      .finally(() => {
        this.#waiting--
      })
  }

  async #response({ command, data }: Message): Promise<void> {
    const content = command.hasData ? await whole(data, MAX_IDENTIFIER_BYTES) : undefined
    this.#pending
      .get(command.respondedTo ?? -1)
      ?.push({ command, status: command.status ?? STATUS.processingFailure, data: content })
  }

  async #handle(message: Message): Promise<void> {
    const { command, data, contextId } = message
    const context = this.contexts.find(({ id }) => id === contextId)
    if (context === undefined) throw new DimseError('BAD_PDU', 'a message in no accepted context')
    const messageId = command.messageId ?? 0
    const cancel = new AbortController()
    this.#cancels.set(messageId, cancel)
    const signal = AbortSignal.any([cancel.signal, this.#over.signal])
    const answer = (one: Answer) => this.#answer(context, command, one)
    try {
      const isFinal = await this.#answers({ command, context, data, signal, association: this }, answer)
      await data.drain()
      if (!isFinal && !this.#over.signal.aborted) await answer({ status: STATUS.processingFailure })
    } finally {
      this.#cancels.delete(messageId)
    }
  }

  /** False where the handler gave no final answer, or failed. */
  async #answers(incoming: Incoming, answer: (one: Answer) => Promise<void>): Promise<boolean> {
    if (!ANSWERED.has(incoming.command.field)) {
      await incoming.data.drain()
      await answer({ status: STATUS.unrecognizedOperation })
      return true
    }
    try {
      for await (const one of this.#handler(incoming)) {
        const isFinal = statusKind(one.status) !== 'pending'
        // The data set is read to its end first: a peer that is still sending does not read.
        if (isFinal) await incoming.data.drain()
        await answer(one)
        if (isFinal) return true
      }
    } catch (error) {
      if (error instanceof DimseError && this.#over.signal.aborted) throw error
    }
    return false
  }

  async #answer(context: Context, request: Command, { status, data, fields }: Answer): Promise<void> {
    const { affectedClass, requestedClass, affectedInstance, requestedInstance, messageId } = request
    const sopClass = affectedClass ?? requestedClass
    const sopInstance = affectedInstance ?? requestedInstance
    const command: Command = {
      field: request.field | RESPONSE,
      ...(messageId === undefined ? {} : { respondedTo: messageId }),
      ...(sopClass === undefined ? {} : { affectedClass: sopClass }),
      ...(sopInstance === undefined ? {} : { affectedInstance: sopInstance }),
      ...fields,
      status,
      hasData: data !== undefined,
    }
    await this.#outbox.send(context.id, command, data)
  }
}

export const VERIFICATION = '1.2.840.10008.1.1'

/** What came and was not asked for yet. */
class Answers implements Pending {
  readonly #responses: Response[] = []
  #error: DimseError | undefined
  #waiting: PromiseWithResolvers<Response> | undefined

  push(response: Response): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting.resolve(response)
    else this.#responses.push(response)
  }

  fail(error: DimseError): void {
    this.#error ??= error
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  async next(): Promise<Response> {
    const response = this.#responses.shift()
    if (response) return response
    if (this.#error) throw this.#error
    this.#waiting = Promise.withResolvers()
    return await this.#waiting.promise
  }
}
