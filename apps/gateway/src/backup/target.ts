// Where backups go: objects that are written once, as an archive's blobs are, and notes by name.
//
//   TARGET/objects/…            dumps, inventories, bundles, key files: a directory or a bucket as for blobs
//   TARGET/backups/NAME.note    a signed manifest

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { type Bucket, bucketPlace } from '../archive/blobs/bucket.ts'
import { openDirectoryStore } from '../archive/blobs/directory.ts'
import type { BlobStore } from '../archive/blobs/store.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER, writeAtomic } from '../pipeline/atomic.ts'

export type Notes = {
  readonly put: (name: string, text: string) => Promise<void>
  readonly get: (name: string) => Promise<string | undefined>
  /** In the order of their names. */
  readonly list: () => Promise<readonly string[]>
  readonly delete: (name: string) => Promise<void>
}

export type Target = {
  readonly name: string
  readonly objects: BlobStore
  readonly notes: Notes
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

const ENDING = '.note'

/** A folder, or a URL of a bucket. @throws StoreError */
export async function openTarget({ url: place, endpoint }: Bucket): Promise<Target> {
  if (place.startsWith('s3://')) return await bucketTarget({ url: place, ...(endpoint ? { endpoint } : {}) })
  const root = resolve(place)
  mkdirSync(join(root, 'backups'), { recursive: true, mode: PRIVATE_FOLDER })
  const objects = await openDirectoryStore({ root: join(root, 'objects') })
  return {
    name: root,
    objects,
    notes: folderNotes(join(root, 'backups')),
    [Symbol.asyncDispose]: () => objects.close(),
  }
}

function folderNotes(folder: string): Notes {
  const pathOf = (name: string): string => join(folder, name + ENDING)
  return {
    put: async (name, text) => writeAtomic(pathOf(name), text, PRIVATE_FILE),
    get: async (name) => (existsSync(pathOf(name)) ? readFileSync(pathOf(name), 'utf8') : undefined),
    list: async () => namesOf(readdirSync(folder)),
    delete: async (name) => rmSync(pathOf(name), { force: true }),
  }
}

function namesOf(files: readonly string[]): readonly string[] {
  return files
    .filter((file) => file.endsWith(ENDING) && !file.startsWith('.'))
    .map((file) => file.slice(0, -ENDING.length))
    .toSorted()
}

async function bucketTarget(bucket: Bucket): Promise<Target> {
  const { openS3Store, s3Notes } = await import('./bucket-target.ts')
  const place = bucketPlace(bucket)
  const objects = await openS3Store({ ...place, prefix: `${place.prefix}objects/` })
  const notes = s3Notes({ ...place, prefix: `${place.prefix}backups/` })
  return {
    name: bucket.url,
    objects,
    notes: {
      put: (name, text) => notes.put(name + ENDING, text),
      get: (name) => notes.get(name + ENDING),
      list: async () => namesOf(await notes.list()),
      delete: (name) => notes.delete(name + ENDING),
    },
    [Symbol.asyncDispose]: async () => {
      notes.close()
      await objects.close()
    },
  }
}
