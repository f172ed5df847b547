// An archive into a target, what is there already not again:
//
//   checkpoint ─► snapshot of the database, sealed ─► the blobs that it names and no backup has, in bundles ─► inventory
//   ─► manifest, signed, last: without it nothing else counts
//
// Killed anywhere it leaves the backups before it as they were, and objects that nothing names, which the next prune
// sweeps. A study that is destroyed meanwhile is not in the backup: then the snapshot is taken again.

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { formatVerifierKey } from '@roentgate/audit'
import type { Archive } from '../archive/archive.ts'
import { isStoreError } from '../archive/blobs/errors.ts'
import { sealBlob } from '../archive/blobs/seal.ts'
import { newObjectId, type ObjectId } from '../archive/ids.ts'
import { transact } from '../db/database.ts'
import { openKeyring } from '../keys/keyring.ts'
import { wrappedText } from '../keys/provider.ts'
import { keyRows } from '../keys/rows.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { publishCheckpoint } from '../ledger/checkpoint.ts'
import { ledgerSigner } from '../ledger/signer.ts'
import { withSnapshot } from './dump.ts'
import { BackupError } from './errors.ts'
import { type Place, placeLine } from './inventory.ts'
import { type Manifest, type StoredObject, signManifest } from './manifest.ts'
import { piecesOf, putObject, zipped } from './objects.ts'
import { newest, placesOf } from './read.ts'
import type { Target } from './target.ts'

export type BackUp = { readonly dataFolder: string; readonly by: NewEvent['actor'] }
export type BackedUp = {
  readonly name: string
  readonly manifest: Manifest
  /** Blobs that were copied now. */
  readonly copied: number
  /** Blobs that the database names and the store does not have: for the scrub. */
  readonly missing: number
}

const TRIES = 3
const BUNDLE_BYTES = 256 << 20
const BUNDLE_BLOBS = 50_000

export async function backUp(
  archive: Archive,
  target: Target,
  { dataFolder, by }: BackUp,
): Promise<BackedUp> {
  const db = archive.database.kysely
  const signer = await ledgerSigner(db, archive.custodians)
  const last = await newest(target, [signer.key])
  const places = last ? await placesOf(target, last.manifest) : new Map<string, Place>()
  const before = places.size
  for (let attempt = 1; ; attempt++) {
    const { text: checkpoint } = await publishCheckpoint(db, signer, [])
    const dumped = await dump(archive, target)
    const gone = await copy(archive, target, { ids: dumped.blobIds, places })
    if (await isDestroyed(archive, gone)) {
      if (attempt === TRIES)
        throw new BackupError('RESTLESS', 'studies are destroyed while the backup runs: try again')
      continue
    }
    const kept = dumped.blobIds.flatMap((id) => places.get(id) ?? [])
    const manifest: Manifest = {
      version: 1,
      origin: signer.key.name,
      key: formatVerifierKey(signer.key),
      at: new Date().toISOString(),
      migrations: [...dumped.migrations],
      dump: dumped.dump,
      inventory: await putObject(target.objects, zipped(kept.map(placeLine))),
      files: await filesOf(target, dataFolder),
      blobs: kept.length,
      bytes: kept.reduce((sum, { length }) => sum + length, 0),
      checkpoint,
    }
    const note = signManifest(manifest, signer)
    const name = nameAfter(last?.name, manifest.at)
    await target.notes.put(name, note)
    await record(archive, by, { note, blobs: kept.length })
    return { name, manifest, copied: places.size - before, missing: gone.length }
  }
}

/** By the time, and after the one before it whatever the clock says: which is the newest is read off the names. */
export function nameAfter(last: string | undefined, at: string): string {
  const stamp = at.replaceAll(/[-:]/g, '')
  const [before = '', turn = '0'] = last?.split('-') ?? []
  const [first, place] = before < stamp ? [stamp, 0] : [before, Number(turn) + 1]
  return `${first}-${String(place).padStart(4, '0')}-${newObjectId().slice(0, 8)}`
}

async function filesOf(target: Target, dataFolder: string): Promise<Manifest['files']> {
  const authority = join(dataFolder, 'ca')
  const names = existsSync(authority) ? readdirSync(authority).filter((name) => !name.startsWith('.')) : []
  const paths = ['keys.json', ...names.map((name) => `ca/${name}`)]
  const files: Manifest['files'] = []
  for (const path of paths) {
    const full = join(dataFolder, path)
    if (existsSync(full)) files.push({ path, ...(await putObject(target.objects, inOnePiece(full))) })
  }
  return files
}

async function* inOnePiece(path: string): AsyncGenerator<Uint8Array> {
  yield readFileSync(path)
}

type Dumped = {
  readonly dump: Manifest['dump']
  readonly migrations: readonly string[]
  readonly blobIds: readonly string[]
}

/** Under a key of its own: who has the target, and not the custodian, has nothing. */
async function dump(archive: Archive, target: Target): Promise<Dumped> {
  const db = archive.database.kysely
  const table = keyRows(db, 'backup')
  await using ring = openKeyring({ table, providers: archive.custodians })
  const { keyId, dataKey } = await ring.create()
  const wrapped = await table.load(keyId)
  if (wrapped === undefined) throw new Error('a key that was just made is gone')
  return await withSnapshot(db, async ({ migrations, blobIds, lines }) => {
    const id = newObjectId()
    const sealed = sealBlob({ objectId: id, keyId, dataKey }, zipped(lines))
    dataKey.fill(0)
    const stored: StoredObject = await putObject(target.objects, sealed, id)
    return { dump: { ...stored, keyId, wrapped: wrappedText(wrapped) }, migrations, blobIds }
  })
}

type Copying = { readonly ids: readonly string[]; readonly places: Map<string, Place> }

/** Those that are not there. Places are known when their bundle is durable. */
async function copy(
  { blobs }: Archive,
  { objects }: Target,
  { ids, places }: Copying,
): Promise<readonly string[]> {
  const gone: string[] = []
  const wanted = ids.filter((id) => !places.has(id)).values()
  for (let next = wanted.next(); !next.done; ) {
    const bundle = newObjectId()
    const held: Place[] = []
    const bytes = async function* () {
      let offset = 0
      for (; !next.done && offset < BUNDLE_BYTES && held.length < BUNDLE_BLOBS; next = wanted.next()) {
        const id = next.value
        const handle = await blobs.open(id as ObjectId).catch((error) => {
          if (isStoreError(error, 'NOT_FOUND')) return undefined
          throw error
        })
        if (handle === undefined) {
          gone.push(id)
          continue
        }
        await using _ = handle
        const hash = createHash('sha256')
        for await (const piece of piecesOf(handle)) {
          hash.update(piece)
          yield piece
        }
        held.push({ id, bundle, offset, length: handle.size, sha256: hash.digest('hex') })
        offset += handle.size
      }
    }
    await objects.put(bundle, bytes())
    for (const place of held) places.set(place.id, place)
  }
  return gone
}

/** Their rows are gone too: nothing is missing, something was destroyed. */
async function isDestroyed({ database }: Archive, ids: readonly string[]): Promise<boolean> {
  if (ids.length === 0) return false
  const rows = await database.kysely
    .selectFrom('instances')
    .select('blob_id')
    .distinct()
    .where('blob_id', 'in', [...ids])
    .execute()
  return rows.length < ids.length
}

type Told = { readonly note: string; readonly blobs: number }

async function record({ database }: Archive, actor: NewEvent['actor'], { note, blobs }: Told): Promise<void> {
  const digest = createHash('sha256').update(note).digest('hex')
  const event: NewEvent = {
    event: 'backed-up',
    action: 'R',
    outcome: 'success',
    actor,
    objects: [],
    detail: { digest, count: blobs },
  }
  await transact(database.kysely, (tx) => appendEvents(tx, [event], new Date()))
}
