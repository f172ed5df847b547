// SHA-256 of a prefix byte and what follows: RFC 6962 2.1 keeps leaves and nodes apart by it.
//
// Hex and back is the fast way: Node allocates a buffer of its own for a digest that is asked for as bytes.

import { hash } from 'node:crypto'

export function sha256(data: Uint8Array | string): Buffer {
  return Buffer.from(hash('sha256', data, 'hex'), 'hex')
}

export function prefixed(prefix: number, ...parts: readonly Uint8Array[]): Buffer {
  let size = 1
  for (const part of parts) size += part.byteLength
  const data = Buffer.allocUnsafe(size)
  data[0] = prefix
  let at = 1
  for (const part of parts) {
    data.set(part, at)
    at += part.byteLength
  }
  return sha256(data)
}
