// A stream of bytes into PDUs, whatever the chunks.   chunk ─► header ─► is that length allowed? ─► body ─► Pdu
//
// The length is judged when the six bytes of the header are there: nothing is allocated for what will be refused. Data is
// not put together: of a P-DATA-TF each chunk passes on what it has, without a copy, as a value that is not the last.

import { DimseError } from './errors.ts'
import { MAX_ASSOCIATE_BYTES, MAX_DATA_BYTES } from './limits.ts'
import { type DataValue, decodePdu, kindOf, PDU_HEADER, PDV_HEADER, type Pdu } from './pdu.ts'

export type ReaderLimits = { readonly data: number; readonly associate: number }

export type PduReader = {
  /** What this chunk completes; of data, what there is. @throws DimseError BAD_PDU, LIMIT_PDU, LIMIT_ITEMS */
  readonly push: (chunk: Buffer) => readonly Pdu[]
  /** A PDU has begun and has not ended. */
  readonly isInside: () => boolean
  /** PDUs that have begun since the start. */
  readonly begun: () => number
}

const FIXED_BYTES = 4

export function pduReader(limits: Partial<ReaderLimits> = {}): PduReader {
  const { data = MAX_DATA_BYTES, associate = MAX_ASSOCIATE_BYTES } = limits
  const held = new Held()
  let kind: Exclude<Pdu['kind'], 'p-data'> | undefined
  let length = 0
  let begun = 0
  let values: ValueReader | undefined
  const limitOf = (of: Pdu['kind']): number => {
    if (of === 'p-data') return data
    return of === 'associate-rq' || of === 'associate-ac' ? associate : FIXED_BYTES
  }
  const begin = (header: Buffer): void => {
    const type = kindOf(header.readUInt8())
    if (type === undefined) throw new DimseError('BAD_PDU', 'a type that PS3.8 does not know')
    length = header.readUInt32BE(2)
    if (length > limitOf(type)) throw new DimseError('LIMIT_PDU', 'a PDU larger than one may be')
    begun++
    if (type === 'p-data') values = new ValueReader(length)
    else kind = type
  }
  /** Undefined: the chunk has no more. */
  const next = (chunk: Buffer): { readonly rest: Buffer; readonly pdu?: Pdu } | undefined => {
    if (values !== undefined) {
      const { rest, pieces } = values.push(chunk)
      if (values.isDone) values = undefined
      else if (pieces.length === 0) return undefined
      return pieces.length > 0 ? { rest, pdu: { kind: 'p-data', values: pieces } } : { rest }
    }
    if (kind === undefined) {
      const { whole, rest } = held.take(chunk, PDU_HEADER)
      if (whole === undefined) return undefined
      begin(whole)
      return { rest }
    }
    const { whole, rest } = held.take(chunk, length)
    if (whole === undefined) return undefined
    const pdu = decodePdu(kind, whole)
    kind = undefined
    return { rest, pdu }
  }
  return {
    isInside: () => kind !== undefined || values !== undefined || held.bytes > 0,
    begun: () => begun,
    push: (chunk) => {
      const pdus: Pdu[] = []
      for (let step = next(chunk); step; step = next(step.rest)) if (step.pdu) pdus.push(step.pdu)
      return pdus
    },
  }
}

/** Chunks until there is enough of them. */
class Held {
  #chunks: Buffer[] = []
  bytes = 0

  take(chunk: Buffer, length: number): { readonly whole?: Buffer; readonly rest: Buffer } {
    const missing = length - this.bytes
    const rest = chunk.subarray(missing)
    if (chunk.length < missing) {
      if (chunk.length > 0) this.#chunks.push(chunk)
      this.bytes += chunk.length
      return { rest }
    }
    const last = chunk.subarray(0, missing)
    const whole = this.bytes === 0 ? last : Buffer.concat([...this.#chunks, last])
    this.#chunks = []
    this.bytes = 0
    return { whole, rest }
  }
}

/** The presentation data values of one P-DATA-TF (PS3.8 9.3.5, Annex E.2). */
class ValueReader {
  readonly #held = new Held()
  #left: number
  #value: (Omit<DataValue, 'data'> & { left: number }) | undefined

  constructor(length: number) {
    if (length === 0) throw bad('P-DATA without a data value')
    this.#left = length
  }

  get isDone(): boolean {
    return this.#left === 0 && this.#value === undefined
  }

  push(chunk: Buffer): { readonly rest: Buffer; readonly pieces: readonly DataValue[] } {
    const pieces: DataValue[] = []
    let rest = chunk
    while (!this.isDone) {
      if (this.#value === undefined) {
        if (this.#left < PDV_HEADER) throw bad('a data value without its header')
        const taken = this.#held.take(rest, PDV_HEADER)
        rest = taken.rest
        if (taken.whole === undefined) break
        this.#begin(taken.whole)
      }
      const value = this.#value
      if (value === undefined) break
      const data = rest.subarray(0, value.left)
      rest = rest.subarray(data.length)
      value.left -= data.length
      this.#left -= data.length
      const { contextId, isCommand } = value
      const isWhole = value.left === 0
      if (isWhole || data.length > 0)
        pieces.push({ contextId, isCommand, isLast: isWhole && value.isLast, data })
      if (!isWhole) break
      this.#value = undefined
    }
    return { rest, pieces }
  }

  #begin(header: Buffer): void {
    const length = header.readUInt32BE()
    const contextId = header.readUInt8(4)
    const control = header.readUInt8(5)
    if (length < 2 || 4 + length > this.#left) throw bad('a data value of a wrong length')
    if (contextId % 2 === 0) throw bad('a data value of no presentation context')
    this.#left -= PDV_HEADER
    this.#value = {
      contextId,
      isCommand: (control & 1) === 1,
      isLast: (control & 2) === 2,
      left: length - 2,
    }
  }
}

function bad(what: string): DimseError {
  return new DimseError('BAD_PDU', what)
}
