// Instances into an archive, for tests that are about something else.

import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Archive } from '../../apps/gateway/src/archive/archive.ts'
import {
  decodeTable,
  PACK_HEADER_BYTES,
  packOf,
  suffixOf,
  tableBytes,
} from '../../apps/gateway/src/archive/blobs/pack.ts'
import type { ObjectId } from '../../apps/gateway/src/archive/ids.ts'
import type { Outcome, Sender } from '../../apps/gateway/src/archive/ingest/commit.ts'
import { ingest } from '../../apps/gateway/src/archive/ingest/ingest.ts'

export const SENDER: Sender = { kind: 'system', id: 'test' }

export function ingestAll(archive: Archive, files: readonly Uint8Array[]): Promise<readonly Outcome[]> {
  return ingest(
    archive,
    files.map((bytes) => ({ bytes, sender: SENDER })),
  )
}

/** One bit of a blob's last bytes, on disk. */
export function damage(dataFolder: string, id: string): void {
  const blobs = join(dataFolder, 'blobs')
  const names = readdirSync(blobs, { recursive: true, encoding: 'utf8' })
  const pack = packOf(id as ObjectId)
  const name = names.find((one) => one.includes(id) || one.includes(pack)) ?? ''
  const path = join(blobs, name)
  const bytes = readFileSync(path)
  const table = name.endsWith('.pack')
    ? decodeTable(bytes.subarray(PACK_HEADER_BYTES, PACK_HEADER_BYTES + tableBytes(bytes)), bytes.length)
    : undefined
  const place = table?.get(suffixOf(id as ObjectId)) ?? { offset: 0, length: bytes.length }
  const at = place.offset + place.length - 9
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  rmSync(path)
  writeFileSync(path, bytes)
}
