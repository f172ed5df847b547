// Messages into data values, of the size that the peer takes.

import { type Command, encodeCommand } from './command.ts'
import type { DataValue } from './pdu.ts'
import type { Upper } from './upper.ts'

export type Content = Uint8Array | AsyncIterable<Uint8Array>

/** Of a P-DATA body less the header of a data value; where the peer says that any size will do. */
const UNLIMITED = 256 << 10
const PDV_HEADER = 6
/** A peer that says less cannot be talked to in sensible time, but it can be talked to. */
const LEAST = 1

export class Outbox {
  readonly #upper: Upper
  readonly #max: number
  /** One message after the other: they may not be mixed (PS3.8 Annex E.1). */
  #last: Promise<unknown> = Promise.resolve()

  constructor(upper: Upper, maxLength: number) {
    this.#upper = upper
    const body = maxLength === 0 ? UNLIMITED : Math.min(maxLength, UNLIMITED)
    this.#max = Math.max(LEAST, body - PDV_HEADER)
  }

  send(contextId: number, command: Command, content?: Content): Promise<void> {
    const sending = this.#last.then(() => this.#send(contextId, command, content))
    this.#last = sending.catch(() => undefined)
    return sending
  }

  async #send(contextId: number, command: Command, content: Content | undefined): Promise<void> {
    const bytes = encodeCommand(command)
    for (let at = 0; at < bytes.length; at += this.#max) {
      const data = bytes.subarray(at, at + this.#max)
      await this.#value({ contextId, isCommand: true, isLast: at + this.#max >= bytes.length, data })
    }
    if (content === undefined) return
    for await (const { data, isLast } of cut(content, this.#max))
      await this.#value({ contextId, isCommand: false, isLast, data })
  }

  async #value(value: DataValue): Promise<void> {
    await this.#upper.send([value])
  }
}

type Piece = { readonly data: Uint8Array; readonly isLast: boolean }

/** To pieces of exactly `max`, but for the last; each full one waits until it is known whether it is the last. */
async function* cut(content: Content, max: number): AsyncGenerator<Piece> {
  let held: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of content instanceof Uint8Array ? [content] : content) {
    let rest = chunk
    while (bytes + rest.length > max) {
      const part = rest.subarray(0, max - bytes)
      yield { data: joined([...held, part]), isLast: false }
      rest = rest.subarray(part.length)
      held = []
      bytes = 0
    }
    held.push(rest)
    bytes += rest.length
  }
  yield { data: joined(held), isLast: true }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts
  return parts.length === 1 && only ? only : Buffer.concat(parts)
}
