// Data values into messages: a command set, and the data set that follows it as a stream.
//
//   P-DATA ─► command fragments ─► Command ─► Message ─┬─► queue, taken one by one
//             data fragments ──────────────────────────┘─► its data, taken as it comes
//
// Invariants: little waits in memory: when a receiver lags, the transport is paused; a fragment out of its place, or of
// another presentation context, ends the association (PS3.7 6.3, PS3.8 Annex E).

import { type Command, decodeCommand } from './command.ts'
import { DimseError } from './errors.ts'
import { MAX_COMMAND_BYTES } from './limits.ts'
import type { DataValue } from './pdu.ts'

export type Message = {
  readonly contextId: number
  readonly command: Command
  /** Taken once, or drained by the next. */
  readonly data: DataStream
}

export type DataStream = AsyncIterable<Uint8Array> & {
  /** What is left is dropped. */
  readonly drain: () => Promise<void>
}

export type Flow = { readonly pause: () => void; readonly resume: () => void }

/** Of a data set that nobody takes yet. */
const HIGH_WATER = 256 << 10

export class Inbox {
  readonly #flow: Flow
  #fragments: Uint8Array[] = []
  #fragmentBytes = 0
  #contextId: number | undefined
  #open: Pipe | undefined
  readonly #messages: Message[] = []
  #waiting: PromiseWithResolvers<Message | undefined> | undefined
  #ended: { readonly error: DimseError | undefined } | undefined

  constructor(flow: Flow) {
    this.#flow = flow
  }

  /** @throws DimseError BAD_PDU, BAD_COMMAND, LIMIT_PDU */
  push(values: readonly DataValue[]): void {
    for (const value of values) {
      if (value.isCommand) this.#command(value)
      else this.#data(value)
    }
  }

  #command({ contextId, isLast, data }: DataValue): void {
    if (this.#open) throw new DimseError('BAD_PDU', 'a command inside a data set')
    if (this.#contextId !== undefined && this.#contextId !== contextId) throw interleaved()
    this.#contextId = contextId
    this.#fragments.push(data)
    this.#fragmentBytes += data.length
    if (this.#fragmentBytes > MAX_COMMAND_BYTES) throw new DimseError('LIMIT_PDU', 'a command set too large')
    if (!isLast) return
    const command = decodeCommand(Buffer.concat(this.#fragments))
    this.#fragments = []
    this.#fragmentBytes = 0
    const pipe = new Pipe(this.#flow)
    if (command.hasData) this.#open = pipe
    else {
      pipe.end(undefined)
      this.#contextId = undefined
    }
    this.#deliver({ contextId, command, data: pipe })
  }

  #data({ contextId, isLast, data }: DataValue): void {
    if (this.#open === undefined || this.#contextId !== contextId) throw interleaved()
    this.#open.push(data)
    if (!isLast) return
    this.#open.end(undefined)
    this.#open = undefined
    this.#contextId = undefined
  }

  #deliver(message: Message): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    if (waiting) waiting.resolve(message)
    else this.#messages.push(message)
  }

  /** Undefined after the end in good order. */
  async next(): Promise<Message | undefined> {
    const message = this.#messages.shift()
    if (message) return message
    if (this.#ended?.error) throw this.#ended.error
    if (this.#ended) return undefined
    this.#waiting = Promise.withResolvers()
    return await this.#waiting.promise
  }

  end(error: DimseError | undefined): void {
    if (this.#ended) return
    this.#ended = { error }
    this.#open?.end(error ?? new DimseError('CLOSED', 'the association ended inside a data set'))
    if (error) this.#waiting?.reject(error)
    else this.#waiting?.resolve(undefined)
    this.#waiting = undefined
  }
}

function interleaved(): DimseError {
  return new DimseError('BAD_PDU', 'a data value out of its place')
}

class Pipe implements DataStream {
  readonly #flow: Flow
  #chunks: Uint8Array[] = []
  #bytes = 0
  #isPaused = false
  #isDraining = false
  #ended: { readonly error: DimseError | undefined } | undefined
  #waiting: (() => void) | undefined

  constructor(flow: Flow) {
    this.#flow = flow
  }

  push(chunk: Uint8Array): void {
    if (this.#isDraining || chunk.length === 0) return
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    if (this.#bytes > HIGH_WATER && !this.#isPaused) {
      this.#isPaused = true
      this.#flow.pause()
    }
    this.#wake()
  }

  end(error: DimseError | undefined): void {
    this.#ended ??= { error }
    this.#wake()
  }

  #wake(): void {
    this.#waiting?.()
    this.#waiting = undefined
  }

  #went(): void {
    if (!this.#isPaused || this.#bytes > HIGH_WATER / 2) return
    this.#isPaused = false
    this.#flow.resume()
  }

  async drain(): Promise<void> {
    this.#isDraining = true
    this.#chunks = []
    this.#bytes = 0
    this.#went()
    while (this.#ended === undefined) await this.#more()
  }

  async #more(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting = resolve
    await promise
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      const chunk = this.#chunks.shift()
      if (chunk) {
        this.#bytes -= chunk.length
        this.#went()
        yield chunk
      } else if (this.#ended?.error) throw this.#ended.error
      else if (this.#ended) return
      else await this.#more()
    }
  }
}

/** A data set that is small by its nature: a query, an action. @throws DimseError LIMIT_PDU */
export async function whole(data: AsyncIterable<Uint8Array>, max: number): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of data) {
    chunks.push(chunk)
    size += chunk.length
    if (size > max) throw new DimseError('LIMIT_PDU', 'a data set larger than one may be here')
  }
  return Buffer.concat(chunks)
}
