// An instance as it came: the row says where, the blob proves itself, the hash is that of the row or nothing is given.

import { createHash } from 'node:crypto'
import type { Archive } from './archive.ts'
import { StoreError } from './blobs/errors.ts'
import type { Range } from './blobs/format.ts'
import { openBlob } from './blobs/open.ts'
import type { KeyId, ObjectId } from './ids.ts'

export type Stored = {
  readonly size: number
  readonly transferSyntax: string
  /** Frame by frame authenticated; only what the range needs is read. */
  readonly read: (range?: Range) => AsyncIterable<Uint8Array>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** Undefined where there is no current instance of that UID outside the trash. @throws StoreError CORRUPT where it was found damaged. */
export async function openInstance(archive: Archive, sopUid: string): Promise<Stored | undefined> {
  const row = await archive.database.kysely
    .selectFrom('instances')
    .innerJoin('series', 'series.id', 'instances.series_id')
    .innerJoin('studies', 'studies.id', 'series.study_id')
    .select(['blob_id', 'instances.key_id', 'transfer_syntax', 'check_state'])
    .where('sop_uid', '=', sopUid)
    .where('state', '=', 'current')
    .where('studies.trashed_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) return undefined
  if (row.check_state === 'damaged') throw new StoreError('CORRUPT', 'the scrub found this instance damaged')
  const objectId = row.blob_id as ObjectId
  const keyId = row.key_id as KeyId
  const handle = await archive.blobs.open(objectId)
  try {
    const dataKey = await archive.keyring.get(keyId)
    const blob = await openBlob(handle, { objectId, keyId, dataKey })
    dataKey.fill(0)
    return {
      size: blob.size,
      transferSyntax: row.transfer_syntax,
      read: (range) => blob.read(range),
      [Symbol.asyncDispose]: async () => {
        blob.close()
        await handle.close()
      },
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** SHA-256 of the plaintext, hex, of a blob whatever its row's state. */
export async function hashOf(
  archive: Archive,
  row: { readonly blob_id: string; readonly key_id: string },
): Promise<string> {
  const objectId = row.blob_id as ObjectId
  const keyId = row.key_id as KeyId
  await using handle = await archive.blobs.open(objectId)
  const dataKey = await archive.keyring.get(keyId)
  using blob = await openBlob(handle, { objectId, keyId, dataKey })
  dataKey.fill(0)
  const hash = createHash('sha256')
  for await (const chunk of blob.read()) hash.update(chunk)
  return hash.digest('hex')
}
