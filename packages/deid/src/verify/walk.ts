// The files as verify sees them: every element with its place, decoded on its own terms, once for all checks.
//
// What the standard says about a place hangs on its path alone, so it is kept in a trie of paths that lives as long as
// the process; it holds tags and table rows, nothing of a file's values.

import type { AttributeType, Dataset, Element, Tag, Vr } from '@roentgate/dicom'
import { attributeType, formatTag, isPrivate, lookup, strings } from '@roentgate/dicom'
import { type ProfileRow, profileRow } from '../tables.ts'

/** Attributes whose UIDs name no instance. */
const CLASS_LIKE = /(?:Class|Syntax|Scheme|Context|Resource|Creator)(?:es)?UID/

/** Enclosing sequences, then the attribute; item positions are not part of it. */
export class Spot {
  readonly path: readonly Tag[]
  readonly private: boolean
  /** Undefined for a private attribute, whatever its tag looks like. */
  readonly row: ProfileRow | undefined
  /** What PS3.6 says, for elements that say UN. */
  readonly vr: Vr
  readonly namesClass: boolean
  readonly #children = new Map<Tag, Spot>()
  readonly #types = new Map<string, AttributeType | undefined>()

  constructor(path: readonly Tag[]) {
    this.path = path
    const t = path[path.length - 1]
    const entry = t === undefined ? undefined : lookup(t)
    this.private = t !== undefined && isPrivate(t)
    this.row = t === undefined || this.private ? undefined : profileRow(t)
    this.vr = entry?.vr ?? 'UN'
    this.namesClass = CLASS_LIKE.test(entry?.keyword ?? '')
  }

  child(t: Tag): Spot {
    const known = this.#children.get(t)
    if (known) return known
    const made = new Spot([...this.path, t])
    this.#children.set(t, made)
    trie.size += 1
    return made
  }

  typeIn(sopClass: string): AttributeType | undefined {
    if (this.#types.has(sopClass)) return this.#types.get(sopClass)
    const type = attributeType(sopClass, this.path)
    this.#types.set(sopClass, type)
    trie.size += 1
    return type
  }
}

/** Paths come from files: a hostile one must not fill the memory for all that come after it. */
const MAX_SPOTS = 100_000
const trie = { root: new Spot([]), size: 0 }

/** For one verification: within it, equal paths are the same Spot. */
export function rootSpot(): Spot {
  if (trie.size > MAX_SPOTS) {
    trie.root = new Spot([])
    trie.size = 0
  }
  return trie.root
}

export class Place {
  readonly dataset: Dataset
  readonly element: Element
  readonly spot: Spot
  /** The VR that the element has, or that its attribute should have where it says UN. */
  readonly vr: Vr
  #values: readonly string[] | undefined

  constructor(dataset: Dataset, element: Element, spot: Spot) {
    this.dataset = dataset
    this.element = element
    this.spot = spot
    this.vr = element.vr === 'UN' ? spot.vr : element.vr
  }

  /** As text; bytes of unknown meaning as if they were one. */
  get values(): readonly string[] {
    const { element, vr } = this
    this.#values ??= strings(
      this.dataset,
      vr === element.vr && vr !== 'UN'
        ? element
        : { tag: element.tag, vr: vr === 'UN' ? 'LO' : vr, value: element.value },
    )
    return this.#values
  }
}

export function places(dataset: Dataset, root: Spot): readonly Place[] {
  const found: Place[] = []
  collect(dataset, root, found)
  return found
}

function collect(dataset: Dataset, at: Spot, found: Place[]): void {
  for (const element of dataset.elements) {
    const spot = at.child(element.tag)
    found.push(new Place(dataset, element, spot))
    if (element.value.kind !== 'items') continue
    for (const item of element.value.items) collect(item, spot, found)
  }
}

export function where(path: readonly Tag[]): string {
  return path.map((t) => formatTag(t)).join('.')
}

/** One character a byte, so that a regular expression can run over bytes. */
export function latin1(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(decoder.decode(bytes.subarray(at, at + CHUNK)))
  return parts.join('')
}

/** UTF-16 code units from bytes interleaved with zeros would be slower; x-user-defined maps 80-FF to F780-F7FF. */
const decoder = new TextDecoder('x-user-defined')
const CHUNK = 1024 * 1024
