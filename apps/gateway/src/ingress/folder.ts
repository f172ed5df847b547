// Files, folders and ZIP archives → inputs, one at a time, in an order that depends on names alone.
//
// Invariants: every directory entry that is not a folder becomes exactly one Found, so that the manifest can account
// for all of them; a folder is entered once, whatever symbolic links lead to it; nothing here opens a DICOM file.

import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Input, Reason } from '../pipeline/types.ts'
import { isZipName, zipEntries } from './zip.ts'

export type Found =
  | { readonly kind: 'input'; readonly input: Input }
  /** Seen, but not to be opened: `failed` could not be read, `ignored` holds no instance, the rest is refused. */
  | {
      readonly kind: 'settled'
      readonly input: Input
      readonly outcome: 'failed' | 'ignored' | 'quarantined'
      readonly reason: Reason
    }

/** Without `index`, which counting adds. */
type Sighting =
  | { readonly kind: 'input'; readonly input: Omit<Input, 'index'> }
  | {
      readonly kind: 'settled'
      readonly input: Omit<Input, 'index'>
      readonly outcome: 'failed' | 'ignored' | 'quarantined'
      readonly reason: Reason
    }

export async function* findInputs(roots: readonly string[]): AsyncGenerator<Found> {
  let index = 0
  const entered = new Set<string>()
  for (const root of roots) {
    for (const place of walk(root, entered)) {
      if (place.kind === 'input' && isZipName(place.input.path)) {
        for await (const found of zipEntries(place.input.path)) yield numbered(found, index++)
      } else yield numbered(place, index++)
    }
  }
}

function numbered(sighting: Sighting, index: number): Found {
  return { ...sighting, input: { index, ...sighting.input } }
}

/** Depth first, names in code unit order. Synchronous: readdir is cheaper here than a turn of the event loop. */
function* walk(path: string, entered: Set<string>): Generator<Sighting> {
  const kind = kindOf(path)
  if (kind.kind === 'file') yield { kind: 'input', input: { path } }
  else if (kind.kind === 'folder') yield* walkFolder(path, kind.id, entered)
  else yield { kind: 'settled', input: { path }, ...kind.why }
}

function* walkFolder(path: string, id: string, entered: Set<string>): Generator<Sighting> {
  if (entered.has(id)) {
    yield settled(path, 'ignored', { code: 'FOLDER_SEEN', what: 'a link to a folder that was read already' })
    return
  }
  entered.add(id)
  const entries = list(path)
  if (!Array.isArray(entries)) {
    yield settled(path, 'failed', entries)
    return
  }
  for (const entry of entries) {
    const inside = join(path, entry.name)
    if (entry.isFile()) yield { kind: 'input', input: { path: inside } }
    else yield* walk(inside, entered)
  }
}

function list(path: string): Dirent[] | Reason {
  try {
    return readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch (error) {
    return unreadable(error)
  }
}

type Kind =
  | { readonly kind: 'file' }
  | { readonly kind: 'folder'; readonly id: string }
  | {
      readonly kind: 'none'
      readonly why: { readonly outcome: 'failed' | 'ignored'; readonly reason: Reason }
    }

function kindOf(path: string): Kind {
  try {
    const stat = statSync(path, { bigint: true })
    if (stat.isFile()) return { kind: 'file' }
    if (stat.isDirectory()) return { kind: 'folder', id: `${stat.dev}:${stat.ino}` }
    const reason = { code: 'NOT_A_FILE', what: 'a device, socket or pipe' }
    return { kind: 'none', why: { outcome: 'ignored', reason } }
  } catch (error) {
    return { kind: 'none', why: { outcome: 'failed', reason: unreadable(error) } }
  }
}

/** Are there at least `count` entries? Looks no further than it must. */
export function hasMany(roots: readonly string[], count: number): boolean {
  const queue = [...roots]
  for (let seen = 0; seen < count; ) {
    const path = queue.pop()
    if (path === undefined) return false
    if (isZipName(path)) return true
    const kind = kindOf(path)
    const entries = kind.kind === 'folder' ? list(path) : []
    if (!Array.isArray(entries)) continue
    for (const entry of entries) if (entry.isDirectory()) queue.push(join(path, entry.name))
    seen += entries.length
    if (seen >= count) return true
  }
  return true
}

/** The system's code, never its message: that one holds the path. */
export function unreadable(error: unknown): Reason {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return { code: 'READ_FAILED', what: `the system could not read it (${code})` }
}

function settled(path: string, outcome: 'failed' | 'ignored', reason: Reason): Sighting {
  return { kind: 'settled', input: { path }, outcome, reason }
}
