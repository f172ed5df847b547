// A trie of attribute paths: what was decided for one instance holds for the next of the same SOP class.

import type { Tag } from '@roentgate/dicom'
import type { Decision, Path } from './model.ts'

/** Distinct paths remembered before starting anew; a hostile file could otherwise fill the memory. */
const MAX_LEVELS = 20_000

export type Level = {
  readonly path: Path
  /** By tag, and by VR where files disagree on it. */
  readonly decisions: Map<number, Decision>
  readonly children: Map<Tag, Level>
}

export type PathCache = { root: Map<string, Level>; levels: number }

export function newCache(): PathCache {
  return { root: new Map(), levels: 0 }
}

export function rootLevel(cache: PathCache, sopClass: string): Level {
  if (cache.levels > MAX_LEVELS) {
    cache.root = new Map()
    cache.levels = 0
  }
  const known = cache.root.get(sopClass)
  if (known) return known
  const level: Level = { path: [], decisions: new Map(), children: new Map() }
  cache.root.set(sopClass, level)
  cache.levels += 1
  return level
}

export function childLevel(cache: PathCache, parent: Level, t: Tag): Level {
  const known = parent.children.get(t)
  if (known) return known
  const level: Level = { path: [...parent.path, t], decisions: new Map(), children: new Map() }
  parent.children.set(t, level)
  cache.levels += 1
  return level
}
