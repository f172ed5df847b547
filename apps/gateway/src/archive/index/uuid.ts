// Row ids: UUIDv7 (RFC 9562 5.7), made here since a cell is encrypted under the id of its row before the row exists.
//
//   48 bits of milliseconds | version 7 | 12 random bits | variant 10 | 62 random bits

import { randomFillSync } from 'node:crypto'

/** New rows are neighbours in the primary key's tree. */
export function uuid7(milliseconds: number): string {
  const bytes = randomFillSync(Buffer.alloc(16))
  bytes.writeUIntBE(milliseconds, 0, 6)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
