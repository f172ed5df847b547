// Items of the association PDUs (PS3.8 9.3.2):  type 1 | reserved 1 | length 2, big-endian | value

import { DimseError } from './errors.ts'
import { MAX_ITEMS } from './limits.ts'

export type Item = { readonly type: number; readonly value: Buffer }

const HEADER = 4

export function encodeItem(type: number, ...parts: readonly Uint8Array[]): Buffer {
  const value = Buffer.concat(parts)
  const head = Buffer.alloc(HEADER)
  head.writeUInt8(type)
  head.writeUInt16BE(value.length, 2)
  return Buffer.concat([head, value])
}

export function decodeItems(bytes: Buffer): readonly Item[] {
  const items: Item[] = []
  for (let at = 0; at < bytes.length; ) {
    if (at + HEADER > bytes.length) throw new DimseError('BAD_PDU', 'an item without its header')
    const end = at + HEADER + bytes.readUInt16BE(at + 2)
    if (end > bytes.length) throw new DimseError('BAD_PDU', 'an item longer than what holds it')
    items.push({ type: bytes.readUInt8(at), value: bytes.subarray(at + HEADER, end) })
    if (items.length > MAX_ITEMS) throw new DimseError('LIMIT_ITEMS', 'more items than a PDU may have')
    at = end
  }
  return items
}

/** A UID or a name: some senders pad with a zero byte or with spaces. */
export function itemText(value: Buffer): string {
  let end = value.length
  while (end > 0 && (value[end - 1] === 0 || value[end - 1] === 0x20)) end--
  return value.toString('latin1', 0, end)
}

/** Fields one after the other; what is not there is BAD_PDU. */
export class Fields {
  readonly #bytes: Buffer
  #at = 0
  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }
  u8(): number {
    return this.take(1).readUInt8()
  }
  u16(): number {
    return this.take(2).readUInt16BE()
  }
  u32(): number {
    return this.take(4).readUInt32BE()
  }
  skip(count: number): void {
    this.take(count)
  }
  take(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw new DimseError('BAD_PDU', 'an item that ends too early')
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }
  /** A length of two bytes, then so many. */
  counted(): Buffer {
    return this.take(this.u16())
  }
  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at)
  }
  get left(): number {
    return this.#bytes.length - this.#at
  }
}

/** A length of two bytes, then the bytes. */
export function counted(value: Uint8Array): Buffer {
  const head = Buffer.alloc(2)
  head.writeUInt16BE(value.length)
  return Buffer.concat([head, value])
}
