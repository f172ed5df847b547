// Small blobs that are written together lie in one file, so that they share one flush of the disk.
//
//   "RGPACK01" | count u32 | 0 u32 | count × ( suffix u32 | offset u64 | length u64 ) | the blobs      big-endian
//
// The ids of a pack agree in all but their last eight digits: from an id follows its pack, and from its suffix the place.
// Nothing in a pack is written twice, but for a length: deletion sets it to zero. A pack whose blobs are all deleted goes.

import type { ObjectId } from '../ids.ts'
import { corrupt } from './errors.ts'

const MAGIC = Buffer.from('RGPACK01', 'ascii')
export const PACK_HEADER_BYTES = 16
const COUNT_AT = 8
const ENTRY_BYTES = 20
const LENGTH_AT = 12
const SUFFIX_DIGITS = 8
/** No batch has more. */
const MAX_ENTRIES = 65_536
export const PACK_SUFFIX = '.pack'
const NAME = /^[0-9a-f]{24}\.pack$/

export type PackEntry = { readonly offset: number; readonly length: number; readonly slot: number }
/** By suffix; what was deleted is left out. */
export type PackTable = Map<string, PackEntry>

export type PackBlob = { readonly id: ObjectId; readonly pieces: readonly Uint8Array[] }

/** What the ids of one pack have in common; also the name of its file, without the ending. */
export function packOf(id: ObjectId): string {
  return id.replaceAll('-', '').slice(0, -SUFFIX_DIGITS)
}

export function suffixOf(id: ObjectId): string {
  return id.slice(-SUFFIX_DIGITS)
}

export function packFromFile(name: string): string | undefined {
  return NAME.test(name) ? name.slice(0, -PACK_SUFFIX.length) : undefined
}

export function idIn(pack: string, suffix: string): ObjectId {
  const hex = pack + suffix
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    '-',
  ) as ObjectId
}

export function encodePack(blobs: readonly PackBlob[]): readonly Uint8Array[] {
  const head = Buffer.alloc(PACK_HEADER_BYTES + blobs.length * ENTRY_BYTES)
  MAGIC.copy(head, 0)
  head.writeUInt32BE(blobs.length, COUNT_AT)
  const pieces: Uint8Array[] = [head]
  let offset = head.length
  for (const [slot, { id, pieces: parts }] of blobs.entries()) {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    const at = PACK_HEADER_BYTES + slot * ENTRY_BYTES
    head.write(suffixOf(id), at, 'hex')
    head.writeBigUInt64BE(BigInt(offset), at + 4)
    head.writeBigUInt64BE(BigInt(length), at + LENGTH_AT)
    pieces.push(...parts)
    offset += length
  }
  return pieces
}

/** How long the table is, from the first bytes of the file. @throws StoreError CORRUPT */
export function tableBytes(head: Uint8Array): number {
  const bytes = Buffer.from(head)
  const isPack = bytes.length >= PACK_HEADER_BYTES && bytes.subarray(0, COUNT_AT).equals(MAGIC)
  const count = isPack ? bytes.readUInt32BE(COUNT_AT) : 0
  if (count === 0 || count > MAX_ENTRIES) throw corrupt('not a pack')
  return count * ENTRY_BYTES
}

/** `size`: of the whole file. @throws StoreError CORRUPT where a blob would lie beyond it. */
export function decodeTable(table: Uint8Array, size: number): PackTable {
  const bytes = Buffer.from(table)
  const entries: PackTable = new Map()
  for (let slot = 0; slot * ENTRY_BYTES < bytes.length; slot++) {
    const at = slot * ENTRY_BYTES
    const offset = Number(bytes.readBigUInt64BE(at + 4))
    const length = Number(bytes.readBigUInt64BE(at + LENGTH_AT))
    if (offset + length > size) throw corrupt('a pack that is shorter than it was')
    if (length > 0) entries.set(bytes.toString('hex', at, at + 4), { offset, length, slot })
  }
  return entries
}

/** Where the length of a slot is in the file: eight zero bytes there delete it. */
export function lengthPlace(slot: number): number {
  return PACK_HEADER_BYTES + slot * ENTRY_BYTES + LENGTH_AT
}
