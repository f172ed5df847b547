// What a target has: its backups, their inventories, and whether all of it is still what was written.

import { createHash } from 'node:crypto'
import type { VerifierKey } from '@roentgate/audit'
import { BackupError } from './errors.ts'
import { type Place, parsePlace } from './inventory.ts'
import { type Manifest, openManifest } from './manifest.ts'
import { damaged, openObject, readObject, unzipped } from './objects.ts'
import type { Target } from './target.ts'

const PIECE = 1 << 20
const UNFINISHED_MS = 24 * 3600_000

export type Backup = { readonly name: string; readonly note: string; readonly manifest: Manifest }

/** The oldest first. @throws BackupError FORGED */
export async function backups(target: Target, keys: readonly VerifierKey[]): Promise<readonly Backup[]> {
  const found: Backup[] = []
  for (const name of await target.notes.list()) {
    const note = await target.notes.get(name)
    if (note !== undefined) found.push({ name, note, manifest: openManifest(note, keys) })
  }
  return found
}

export async function newest(target: Target, keys: readonly VerifierKey[]): Promise<Backup | undefined> {
  return (await backups(target, keys)).at(-1)
}

/** The note of one, or of the newest. @throws BackupError NO_BACKUP */
export async function noteOf(target: Target, wanted: string | undefined): Promise<string> {
  const name = wanted ?? (await target.notes.list()).at(-1)
  const note = name === undefined ? undefined : await target.notes.get(name)
  if (note === undefined) throw new BackupError('NO_BACKUP', 'there is no such backup at this place')
  return note
}

/** By blob id, in order. @throws BackupError DAMAGED */
export async function placesOf({ objects }: Target, { inventory }: Manifest): Promise<Map<string, Place>> {
  const places = new Map<string, Place>()
  for await (const line of unzipped(readObject(objects, inventory))) {
    if (line === '') continue
    const place = parsePlace(line)
    places.set(place.id, place)
  }
  return places
}

/** The bytes of one blob, in pieces; throws at the end where they are not those that were copied. */
export async function* blobOf(target: Target, place: Place): AsyncGenerator<Uint8Array> {
  await using handle = await openObject(target.objects, place.bundle)
  const end = place.offset + place.length
  if (end > handle.size) throw damaged()
  const hash = createHash('sha256')
  for (let at = place.offset; at < end; at += PIECE) {
    const piece = await handle.readAt(at, Math.min(PIECE, end - at))
    hash.update(piece)
    yield piece
  }
  if (hash.digest('hex') !== place.sha256) throw damaged()
}

/** Reads all of a backup. @throws BackupError DAMAGED */
export async function check(target: Target, manifest: Manifest): Promise<void> {
  const { dump, inventory, files } = manifest
  for (const object of [dump, inventory, ...files]) for await (const _ of readObject(target.objects, object));
  for (const place of (await placesOf(target, manifest)).values())
    for await (const _ of blobOf(target, place));
}

/** All but the newest `keep` go, and the objects that none of those names; what no backup names at all may be of one
 * that runs, and goes when it is a day old. */
export async function prune(
  target: Target,
  keys: readonly VerifierKey[],
  keep: number,
): Promise<{ readonly backups: number; readonly objects: number }> {
  const all = await backups(target, keys)
  const kept = all.slice(-Math.max(1, keep))
  const going = all.slice(0, all.length - kept.length)
  const named = await objectsOf(target, kept)
  const old = await objectsOf(target, going)
  for (const { name } of going) await target.notes.delete(name)
  let objects = 0
  const before = Date.now() - UNFINISHED_MS
  for await (const { id, modified } of target.objects.list()) {
    if (named.has(id) || (modified.getTime() > before && !old.has(id))) continue
    await target.objects.delete(id)
    objects++
  }
  return { backups: going.length, objects }
}

async function objectsOf(target: Target, all: readonly Backup[]): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for (const { manifest } of all) {
    const { dump, inventory, files } = manifest
    for (const object of [dump, inventory, ...files]) ids.add(object.id)
    for (const { bundle } of (await placesOf(target, manifest)).values()) ids.add(bundle)
  }
  return ids
}
