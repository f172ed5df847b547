// PS3.6 as a lookup: tag → entry, keyword → tag. Repeating groups (50xx, 60xx and older ones) are resolved.

import { ELEMENTS, REPEATERS } from './generated/dictionary.ts'
import type { Tag, Vr } from './model.ts'
import { elementOf, groupOf, hex8, isPrivate, tag, VRS } from './model.ts'

export { Tags } from './generated/tags.ts'

export type Entry = {
  readonly keyword: string
  readonly name: string
  /** The first where the standard allows several (`US or SS`). */
  readonly vr: Vr
  readonly vrs: readonly Vr[]
  readonly vm: string
  readonly retired: boolean
}

type Index = {
  readonly byTag: ReadonlyMap<number, string>
  readonly repeaters: readonly { readonly mask: number; readonly value: number; readonly row: string }[]
  readonly entries: Map<number, Entry | undefined>
}

const VR_SET: ReadonlySet<string> = new Set(VRS)
const GROUP_LENGTH: Entry = {
  keyword: 'GroupLength',
  name: 'Group Length',
  vr: 'UL',
  vrs: ['UL'],
  vm: '1',
  retired: true,
}
const PRIVATE_CREATOR: Entry = {
  keyword: 'PrivateCreator',
  name: 'Private Creator',
  vr: 'LO',
  vrs: ['LO'],
  vm: '1',
  retired: false,
}

const lazily: { index?: Index; keywords?: ReadonlyMap<string, Tag> } = {}

/** The entry of a public attribute, of a group length or of a private creator; undefined where PS3.6 has none. */
export function lookup(t: Tag): Entry | undefined {
  lazily.index ??= build()
  const { index } = lazily
  if (index.entries.has(t)) return index.entries.get(t)
  const entry = resolveEntry(index, t)
  if (index.entries.size < 100_000) index.entries.set(t, entry)
  return entry
}

function resolveEntry(index: Index, t: Tag): Entry | undefined {
  const row = index.byTag.get(t)
  if (row !== undefined) return parse(row)
  if (elementOf(t) === 0) return GROUP_LENGTH
  if (isPrivate(t)) return elementOf(t) >= 0x10 && elementOf(t) <= 0xff ? PRIVATE_CREATOR : undefined
  if (groupOf(t) === 0x0002 || groupOf(t) === 0x0000) return undefined
  const repeater = index.repeaters.find(({ mask, value }) => (t & mask) >>> 0 === value)
  return repeater && parse(repeater.row)
}

function parse(row: string): Entry {
  const [, vr = '', vm = '', retired = '', keyword = '', name = ''] = row.split('\t')
  const vrs = vr.split(/ or |\W+/).filter((each): each is Vr => VR_SET.has(each))
  return {
    keyword,
    name,
    vr: vrs[0] ?? 'UN',
    vrs: vrs.length > 0 ? vrs : ['UN'],
    vm,
    retired: retired !== '',
  }
}

function build(): Index {
  const byTag = new Map<number, string>()
  for (const row of ELEMENTS.split('\n')) byTag.set(Number.parseInt(row.slice(0, 8), 16), row)
  const repeaters = REPEATERS.split('\n').map((row) => {
    const pattern = row.slice(0, 8)
    return {
      mask: Number.parseInt(pattern.replace(/[^x]/g, 'f').replace(/x/g, '0'), 16) >>> 0,
      value: Number.parseInt(pattern.replace(/x/g, '0'), 16) >>> 0,
      row,
    }
  })
  return { byTag, repeaters, entries: new Map() }
}

/** `PatientName`, `(0010,0010)` or `00100010` → tag; undefined for a name that is none. */
export function tagOf(name: string): Tag | undefined {
  const hex = /^\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?$/.exec(name)
  if (hex) return tag(Number.parseInt(`${hex[1]}${hex[2]}`, 16))
  lazily.keywords ??= indexKeywords()
  return lazily.keywords.get(name)
}

function indexKeywords(): ReadonlyMap<string, Tag> {
  const keywords = new Map<string, Tag>()
  for (const row of ELEMENTS.split('\n')) {
    const [hex = '', , , , keyword = ''] = row.split('\t')
    if (keyword !== '' && !keywords.has(keyword)) keywords.set(keyword, tag(Number.parseInt(hex, 16)))
  }
  return keywords
}

/** Every keyword, for suggestions. */
export function keywords(): Iterable<string> {
  lazily.keywords ??= indexKeywords()
  return lazily.keywords.keys()
}

/** `Patient's Name`, or the tag where there is no name. */
export function nameOf(t: Tag): string {
  return lookup(t)?.name ?? hex8(t)
}
