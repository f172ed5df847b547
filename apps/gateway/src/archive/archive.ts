// The archive as one thing: database, keys and blobs, opened together and closed together.
//
//   DATA/keys.json   key-encryption keys, sealed by the passphrase      DATA/blobs   encrypted instances
//                                                                         or a bucket of S3's
//   DATA/postgres    the embedded database, unless a URL names another
//
// Invariant: whoever has DATA without the passphrase has ciphertext and what docs/formats says leaks.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Database, openBeside, openDatabase } from '../db/database.ts'
import { type Custodians, closeCustodians } from '../keys/custody.ts'
import { installationKey } from '../keys/installation.ts'
import { type Keyring, openKeyring } from '../keys/keyring.ts'
import { createKeyFile, openKeyFileProvider, type PassphraseProvider } from '../keys/passphrase.ts'
import { keyRows } from '../keys/rows.ts'
import { type Bucket, bucketPlace } from './blobs/bucket.ts'
import { openDirectoryStore } from './blobs/directory.ts'
import type { BlobStore } from './blobs/store.ts'
import { type KeyId, type ObjectIds, objectIds } from './ids.ts'
import { type Columns, openColumns } from './index/columns.ts'

export type Archive = {
  readonly database: Database
  readonly columns: Columns
  readonly keyring: Keyring
  readonly custodians: Custodians
  readonly blobs: BlobStore
  /** For the next blobs, which are stored together. */
  readonly nextIds: ObjectIds
  /** Of studies that came lately: each UID's key. */
  readonly studyKeys: Map<string, KeyId>
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

export type ArchivePlace = {
  readonly dataFolder: string
  /** A server of one's own. */
  readonly url?: string
  /** `s3://bucket/prefix/`; a directory in the data folder where it is absent. */
  readonly bucket?: Bucket
  /** Of DATA/keys.json, and the caller's, who wipes it; or the custodians that the caller opened, ours to close. */
  readonly keys: { readonly passphrase: Buffer } | { readonly custodians: Custodians }
}

export async function openArchive({ dataFolder, url, bucket, keys }: ArchivePlace): Promise<Archive> {
  const custodians: Custodians =
    'custodians' in keys ? keys.custodians : [await keyFile(dataFolder, keys.passphrase)]
  const database = await (url === undefined ? openBeside(dataFolder) : openDatabase({ url })).catch(
    async (error) => {
      await closeCustodians(custodians)
      throw error
    },
  )
  try {
    const keyring = openKeyring({ table: keyRows(database.kysely), providers: custodians })
    const columns = openColumns((await installationKey(database.kysely, custodians, 'index')).key)
    const blobs = bucket
      ? await openBucket(bucket)
      : await openDirectoryStore({ root: join(dataFolder, 'blobs') })
    const close = async () => {
      await blobs.close()
      await keyring.close()
      await database.close()
      await closeCustodians(custodians)
    }
    return {
      database,
      columns,
      keyring,
      custodians,
      blobs,
      nextIds: objectIds(),
      studyKeys: new Map(),
      close,
      [Symbol.asyncDispose]: close,
    }
  } catch (error) {
    await database.close()
    await closeCustodians(custodians)
    throw error
  }
}

async function keyFile(dataFolder: string, passphrase: Buffer): Promise<PassphraseProvider> {
  const options = { path: join(dataFolder, 'keys.json'), passphrase }
  return existsSync(options.path) ? await openKeyFileProvider(options) : await createKeyFile(options)
}

async function openBucket(bucket: Bucket): Promise<BlobStore> {
  const { openS3Store } = await import('./blobs/s3.ts')
  return await openS3Store(bucketPlace(bucket))
}
