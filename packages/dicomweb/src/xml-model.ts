// What the writer and the reader of the Native DICOM Model share: names, and whose a private element is (PS3.19 A.1.5).

import {
  elementOf,
  groupOf,
  isPrivate,
  type JsonDataset,
  type JsonElement,
  type Tag,
  tag,
} from '@roentgate/dicom'

export const NAMESPACE = 'http://dicom.nema.org/PS3.19/models/NativeDICOM'
export const NAME_GROUPS = ['Alphabetic', 'Ideographic', 'Phonetic'] as const
/** PS3.5 6.2.1.1, in the order of the carets. */
export const NAME_COMPONENTS: readonly string[] = [
  'FamilyName',
  'GivenName',
  'MiddleName',
  'NamePrefix',
  'NameSuffix',
]
export const HEX8 = /^[0-9A-Fa-f]{8}$/

/** Of (gggg,xxyy) xx, in a private group; 0 elsewhere. */
export function blockOf(t: Tag): number {
  return isPrivate(t) ? elementOf(t) >>> 8 : 0
}

export function withBlock(t: Tag, block: number): Tag {
  return tag(((groupOf(t) << 16) | (block << 8) | (elementOf(t) & 0xff)) >>> 0)
}

export type Creator = {
  readonly name: string
  /** No lower block of the group is of the same name. */
  readonly isFirst: boolean
}

/** Group, as four digits → block → who reserved it (PS3.5 7.8.1). */
export function creatorsOf(dataset: JsonDataset): ReadonlyMap<string, ReadonlyMap<number, Creator>> {
  const groups = new Map<string, Map<number, Creator>>()
  for (const key of Object.keys(dataset).sort()) {
    const t = tag(Number.parseInt(key, 16))
    const block = elementOf(t)
    if (!isPrivate(t) || block < 0x10 || block > 0xff) continue
    const value = dataset[key]?.Value?.[0]
    const name = typeof value === 'string' ? value.trim() : ''
    if (name === '') continue
    const blocks = groups.get(key.slice(0, 4).toUpperCase()) ?? new Map<number, Creator>()
    const isFirst = ![...blocks.values()].some((each) => each.name === name)
    groups.set(key.slice(0, 4).toUpperCase(), blocks.set(block, { name, isFirst }))
  }
  return groups
}

/** (gggg,00xx). */
export function creatorTag(t: Tag, block: number): Tag {
  return tag(((groupOf(t) << 16) | block) >>> 0)
}

export type PrivateBlocks = {
  /** The block of the tag, or the creator's own, or the first that is free, now taken; undefined where there is none. */
  readonly blockFor: (t: Tag, creator: string) => number | undefined
}

type Group = {
  readonly owners: Map<number, string>
  readonly own: Map<string, number>
  readonly taken: Set<number>
}

/** What is reserved in one data set, and what is there without having been reserved. */
export function privateBlocks(members: ReadonlyMap<string, JsonElement>): PrivateBlocks {
  const groups = new Map<number, Group>()
  const groupFor = (t: Tag): Group => {
    const found = groups.get(groupOf(t)) ?? { owners: new Map(), own: new Map(), taken: new Set() }
    groups.set(groupOf(t), found)
    return found
  }
  const reserve = (group: Group, block: number, creator: string): number => {
    group.taken.add(block)
    group.owners.set(block, creator)
    if (!group.own.has(creator)) group.own.set(creator, block)
    return block
  }
  for (const [key] of members) {
    const t = tag(Number.parseInt(key, 16))
    if (isPrivate(t)) groupFor(t).taken.add(blockOf(t) === 0 ? elementOf(t) : blockOf(t))
  }
  for (const [group, blocks] of creatorsOf(Object.fromEntries(members)))
    for (const [block, { name }] of blocks)
      reserve(groupFor(tag(Number.parseInt(`${group}0000`, 16))), block, name)
  return {
    blockFor: (t, creator) => {
      const group = groupFor(t)
      const block = blockOf(t)
      if (block >= 0x10) {
        const owner = group.owners.get(block)
        return owner === undefined || owner === creator ? reserve(group, block, creator) : undefined
      }
      return block > 0 ? undefined : (group.own.get(creator) ?? free(group, creator))
    },
  }

  function free(group: Group, creator: string): number | undefined {
    for (let block = 0x10; block <= 0xff; block += 1)
      if (!group.taken.has(block)) return reserve(group, block, creator)
    return undefined
  }
}
