// A backup into an empty place:
//
//   manifest, its signature ─► files ─► dump ─► database, in one transaction ─► blobs, each with its hash
//   ─► the ledger against the backup's checkpoint ─► every instance read, decrypted, hashed ─► done
//
// Until it is done a mark in the data folder keeps every command out; killed, it is begun again by the same command.

import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseVerifierKey, type VerifierKey } from '@roentgate/audit'
import { type Archive, type ArchivePlace, openArchive } from '../archive/archive.ts'
import { isStoreError } from '../archive/blobs/errors.ts'
import { openBlob } from '../archive/blobs/open.ts'
import { packOf } from '../archive/blobs/pack.ts'
import type { BlobStore, NewBlob } from '../archive/blobs/store.ts'
import type { KeyId, ObjectId } from '../archive/ids.ts'
import { type Scrubbed, scrub } from '../archive/scrub.ts'
import { openDatabase, transact } from '../db/database.ts'
import { MIGRATIONS } from '../db/migrate.ts'
import { type Custodians, closeCustodians } from '../keys/custody.ts'
import { keyAad } from '../keys/keyring.ts'
import { openKeyFileProvider } from '../keys/passphrase.ts'
import { parseWrapped } from '../keys/provider.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { verifyDatabase } from '../ledger/verify.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../pipeline/atomic.ts'
import { load } from './dump.ts'
import { BackupError } from './errors.ts'
import type { Place } from './inventory.ts'
import { claimedKey, type Manifest, openManifest } from './manifest.ts'
import { UNFINISHED } from './mark.ts'
import { damaged, openObject, readObject, unzipped } from './objects.ts'
import { blobOf, noteOf, placesOf } from './read.ts'
import type { Target } from './target.ts'

export type RestorePlace = Omit<ArchivePlace, 'keys'> & {
  /** The passphrase of the key file in the backup, or custodians of elsewhere. Opened anew each time it is asked. */
  readonly keys: () => Promise<ArchivePlace['keys']>
}

export type Restore = {
  readonly by: NewEvent['actor']
  readonly backup?: string
  /** Noted down at the start; without them the backup vouches for itself. */
  readonly trusted?: readonly VerifierKey[]
}

export type Restored = { readonly manifest: Manifest; readonly blobs: number; readonly scrubbed: Scrubbed }

const KEY_FILE = 'keys.json'
/** Small ones are held, so that those of a pack become one again. */
const SMALL_BYTES = 8 << 20

export async function restore(target: Target, place: RestorePlace, how: Restore): Promise<Restored> {
  const note = await noteOf(target, how.backup)
  const keys = how.trusted ?? [parseVerifierKey(claimedKey(note))]
  const manifest = openManifest(note, keys)
  assertSchema(manifest)
  begin(place.dataFolder)
  await bringFiles(target, manifest, place.dataFolder)
  await loadDatabase(target, manifest, place)
  const opened: ArchivePlace = { ...place, keys: await place.keys() }
  await using archive = await openArchive(opened)
  const places = await placesOf(target, manifest)
  if (places.size !== manifest.blobs) throw damaged()
  const blobs = await bringBlobs(target, archive, [...places.values()])
  const scrubbed = await verified(archive, manifest, keys)
  rmSync(join(place.dataFolder, UNFINISHED))
  await record(archive, how.by, manifest)
  return { manifest, blobs, scrubbed }
}

function assertSchema({ migrations }: Manifest): void {
  const ours = MIGRATIONS.map(({ name }) => name)
  if (migrations.join() !== ours.join())
    throw new BackupError(
      'OTHER_SCHEMA',
      'the backup was made by another version of the program: restore it with that one, then upgrade',
    )
}

/** Nothing but what an earlier try of ours left. @throws BackupError NOT_EMPTY */
function begin(dataFolder: string): void {
  mkdirSync(dataFolder, { recursive: true, mode: PRIVATE_FOLDER })
  const mark = join(dataFolder, UNFINISHED)
  if (existsSync(mark)) return
  if (readdirSync(dataFolder).some((name) => name !== 'passphrase'))
    throw new BackupError('NOT_EMPTY', 'the data folder is not empty: name another')
  writeFileSync(
    mark,
    'A restore was begun here. Run it again; until then nothing else opens this folder.\n',
    {
      mode: PRIVATE_FILE,
    },
  )
}

async function bringFiles(target: Target, { files }: Manifest, dataFolder: string): Promise<void> {
  for (const file of files) {
    const path = join(dataFolder, file.path)
    if (existsSync(path)) continue
    mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER })
    const chunks: Uint8Array[] = []
    for await (const chunk of readObject(target.objects, file)) chunks.push(chunk)
    writeFileSync(path, Buffer.concat(chunks), { mode: PRIVATE_FILE })
  }
}

async function loadDatabase(target: Target, manifest: Manifest, place: RestorePlace): Promise<void> {
  const { url, dataFolder } = place
  await using database = await openDatabase(url === undefined ? { dataFolder } : { url })
  const db = database.kysely
  const head = await db.selectFrom('ledger_head').select('size').executeTakeFirstOrThrow()
  if (head.size > 0) {
    const origin = await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()
    if (manifest.origin === `roentgate/${origin.id}`) return
    throw new BackupError('NOT_EMPTY', 'the database is not empty: name another')
  }
  const { dump } = manifest
  const dataKey = await unwrapped(manifest, place)
  await using handle = await openObject(target.objects, dump.id)
  using blob = await openBlob(handle, {
    objectId: dump.id as ObjectId,
    keyId: dump.keyId as KeyId,
    dataKey,
  })
  dataKey.fill(0)
  await load(db, unzipped(blob.read()))
}

async function unwrapped({ dump }: Manifest, { dataFolder, keys }: RestorePlace): Promise<Buffer> {
  const given = await keys()
  const custodians: Custodians =
    'custodians' in given
      ? given.custodians
      : [await openKeyFileProvider({ path: join(dataFolder, KEY_FILE), passphrase: given.passphrase })]
  try {
    const wrapped = parseWrapped(dump.wrapped)
    const provider = custodians.find(({ id }) => id === wrapped.provider)
    if (provider === undefined)
      throw new BackupError('NO_BACKUP', 'none of these custodians can open the backup')
    return await provider.unwrap(wrapped, keyAad(dump.keyId as KeyId))
  } finally {
    await closeCustodians(custodians)
  }
}

/** What an earlier try brought is left; what is there under the same id with other bytes is found by the scrub. */
async function bringBlobs(target: Target, archive: Archive, places: readonly Place[]): Promise<number> {
  let batch: NewBlob[] = []
  let bytes = 0
  let count = 0
  const flush = async (): Promise<void> => {
    if (batch.length > 0) await put(archive, batch)
    count += batch.length
    batch = []
    bytes = 0
  }
  for (const place of places) {
    const [first] = batch
    const isOther = first !== undefined && packOf(first.id) !== packOf(place.id as ObjectId)
    if (isOther || bytes + place.length > SMALL_BYTES) await flush()
    const id = place.id as ObjectId
    batch.push({
      id,
      bytes: place.length > SMALL_BYTES ? blobOf(target, place) : [await small(target, place)],
    })
    bytes += place.length
  }
  await flush()
  return count
}

async function small(target: Target, place: Place): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of blobOf(target, place)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function put({ blobs }: Archive, batch: readonly NewBlob[]): Promise<void> {
  const missing: NewBlob[] = []
  for (const blob of batch) if (!(await isThere(blobs, blob.id))) missing.push(blob)
  if (missing.length > 0) await blobs.putMany(missing)
}

async function isThere(blobs: BlobStore, id: ObjectId): Promise<boolean> {
  try {
    await blobs.size(id)
    return true
  } catch (error) {
    if (isStoreError(error, 'NOT_FOUND')) return false
    throw error
  }
}

/** @throws BackupError DAMAGED */
async function verified(
  archive: Archive,
  { checkpoint }: Manifest,
  keys: readonly VerifierKey[],
): Promise<Scrubbed> {
  const db = archive.database.kysely
  const { verdict, differences } = await verifyDatabase(db, { keys, witnesses: [[checkpoint]] })
  const isFine = verdict.kind === 'intact' || verdict.kind === 'unsigned-tail'
  if (!isFine || differences.length > 0)
    throw new BackupError('DAMAGED', 'the restored ledger is not the one that was signed')
  const scrubbed = await scrub(archive)
  if (scrubbed.damaged + scrubbed.missing > 0)
    throw new BackupError(
      'DAMAGED',
      `${scrubbed.damaged + scrubbed.missing} instances did not come back whole`,
    )
  return scrubbed
}

async function record({ database }: Archive, actor: NewEvent['actor'], manifest: Manifest): Promise<void> {
  const event: NewEvent = {
    event: 'restored',
    action: 'C',
    outcome: 'success',
    actor,
    objects: [],
    detail: { count: manifest.blobs, digest: manifest.dump.sha256 },
  }
  await transact(database.kysely, (tx) => appendEvents(tx, [event], new Date()))
}
