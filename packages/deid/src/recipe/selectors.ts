// Which elements a rule is about:  text or mapping ─parseSelector→ Selector, its key, its rank, what it covers.
//
// Two selectors with the same key select the same elements. Two different selectors of the same rank never select the
// same element, except paths of different length (the longer goes first), so that the order of rules never matters.

import { elementOf, formatTag, groupOf, isPrivate, type Tag, tag, VRS } from '@roentgate/dicom'
import type { Selector } from '../model.ts'
import { type Dictionary, didYouMean } from './dictionary.ts'
import type { Mapping, Scalar, Value } from './document.ts'
import { type Place, RecipeError } from './errors.ts'

/** The reader allows no deeper nesting either. */
const MAX_PATH = 16
/** A dictionary may take bare digits for a number, and would let a private one pass. */
const KEYWORD = /^(?![0-9A-Fa-f]{8}$)[A-Z][A-Za-z0-9]*$/

export function parseSelector(value: Value, dictionary: Dictionary): Selector {
  if (value.kind === 'mapping') return parsePrivate(value)
  if (value.kind === 'list' || typeof value.value !== 'string') {
    throw new RecipeError(
      'BAD_SELECTOR',
      value.at,
      'a selector is a keyword, (gggg,eeee), a path, vr:, group: or private',
    )
  }
  const text = value.value
  if (text.startsWith('vr:')) return parseVr(text.slice(3).trim(), value.at)
  if (text.startsWith('group:')) return parseGroup(text.slice(6).trim(), value.at)
  const path = text.split('/').map((part) => parseTag(part.trim(), value.at, dictionary))
  if (path.length > MAX_PATH) {
    throw new RecipeError('LIMIT', value.at, `a path of more than ${MAX_PATH} steps`)
  }
  for (const enclosing of path.slice(0, -1)) {
    if (dictionary.vrsOf(enclosing)?.includes('SQ') !== true) {
      throw new RecipeError(
        'NOT_A_SEQUENCE',
        value.at,
        `${formatTag(enclosing)} is no sequence, nothing is in it`,
      )
    }
  }
  const last = path[path.length - 1]
  if (last === undefined) throw new RecipeError('BAD_SELECTOR', value.at, 'an empty selector')
  return path.length === 1 ? { kind: 'tag', tag: last } : { kind: 'path', path }
}

function parseTag(text: string, at: Place, dictionary: Dictionary): Tag {
  const numeric = /^\(([0-9a-f]{4}),\s*([0-9a-f]{4})\)$/i.exec(text)
  if (numeric === null) {
    const named = KEYWORD.test(text) ? dictionary.tagOf(text) : undefined
    if (named !== undefined) return named
    const hint = didYouMean(text, dictionary.keywords())
    throw new RecipeError('UNKNOWN_TAG', at, `no attribute of PS3.6 has the keyword ${quote(text)}${hint}`)
  }
  const found = tag(Number.parseInt(`${numeric[1]}${numeric[2]}`, 16))
  if (isPrivate(found)) {
    throw new RecipeError(
      'PRIVATE_WITHOUT_CREATOR',
      at,
      `${formatTag(found)} is private: its meaning hangs on its creator; select it by private: {creator, group, element}`,
    )
  }
  if (dictionary.vrsOf(found) === undefined) {
    throw new RecipeError('UNKNOWN_TAG', at, `PS3.6 has no attribute ${formatTag(found)}`)
  }
  return found
}

function parseVr(vr: string, at: Place): Selector {
  if ((VRS as readonly string[]).includes(vr)) return { kind: 'vr', vr }
  throw new RecipeError(
    'BAD_SELECTOR',
    at,
    `${quote(vr)} is no VR of PS3.5 Table 6.2-1${didYouMean(vr, VRS)}`,
  )
}

function parseGroup(text: string, at: Place): Selector {
  if (!/^0x[0-9a-f]{4}$/i.test(text)) {
    throw new RecipeError(
      'BAD_SELECTOR',
      at,
      'a group is written with four hexadecimal digits, as group:0x0040',
    )
  }
  return { kind: 'group', group: Number.parseInt(text, 16) }
}

const PRIVATE_KEYS = ['creator', 'group', 'element']

function parsePrivate(value: Mapping): Selector {
  const inner = value.entries.get('private')?.value
  if (value.entries.size !== 1 || inner?.kind !== 'mapping') {
    throw new RecipeError(
      'BAD_SELECTOR',
      value.at,
      'a selector in braces is private: {creator, group, element}; in braces, quote (gggg,eeee)',
    )
  }
  for (const [key, entry] of inner.entries) {
    if (!PRIVATE_KEYS.includes(key)) {
      throw new RecipeError(
        'UNKNOWN_KEY',
        entry.at,
        `unknown key ${quote(key)}${didYouMean(key, PRIVATE_KEYS)}`,
      )
    }
  }
  const creator = inner.entries.get('creator')?.value
  if (creator?.kind !== 'scalar' || typeof creator.value !== 'string' || creator.value.trim() === '') {
    throw new RecipeError('PRIVATE_WITHOUT_CREATOR', inner.at, 'a private selector names its creator')
  }
  const group = hexadecimal(inner, 'group', /^0x[0-9a-f]{4}$/i)
  if (group === undefined)
    throw new RecipeError('MISSING_KEY', inner.at, 'a private selector names its group')
  if (group % 2 === 0) throw new RecipeError('BAD_SELECTOR', inner.at, 'private groups are odd (PS3.5 7.8)')
  const low = hexadecimal(inner, 'element', /^0x[0-9a-f]{2}$/i)
  return { kind: 'private', creator: creator.value.trim(), group, low }
}

function hexadecimal(from: Mapping, key: string, form: RegExp): number | undefined {
  const entry = from.entries.get(key)
  if (entry === undefined) return undefined
  const source = entry.value.kind === 'scalar' ? entry.value.source : ''
  if (form.test(source)) return Number.parseInt(source, 16)
  const example = key === 'group' ? '0x0029' : '0x10, the low byte (the block is the creator’s)'
  throw new RecipeError('BAD_SELECTOR', entry.at, `${key} is hexadecimal, as ${example}`)
}

/** The same for the same elements: keyword or number, spaces or none. */
export function selectorKey(selector: Selector): string {
  switch (selector.kind) {
    case 'tag':
      return formatTag(selector.tag)
    case 'path':
      return selector.path.map(formatTag).join('/')
    case 'vr':
      return `vr:${selector.vr}`
    case 'group':
      return `group:0x${hex(selector.group, 4)}`
    case 'private': {
      const element = selector.low === undefined ? 'xx' : hex(selector.low, 2)
      return `(${hex(selector.group, 4)},xx${element}) ${selector.creator}`
    }
    default:
      return selector satisfies never
  }
}

/** Higher is more specific and decides first. */
export function rank(selector: Selector): number {
  switch (selector.kind) {
    case 'path':
      return 100 + selector.path.length
    case 'tag':
      return 5
    case 'private':
      return selector.low === undefined ? 3 : 4
    case 'vr':
      return 2
    case 'group':
      return 1
    default:
      return selector satisfies never
  }
}

/** Every element that `narrow` selects, `broad` selects too, and they are not the same. */
export function covers(broad: Selector, narrow: Selector, dictionary: Dictionary): boolean {
  if (narrow.kind === 'private') {
    if (broad.kind === 'group') return broad.group === narrow.group
    if (broad.kind !== 'private' || broad.low !== undefined || narrow.low === undefined) return false
    return broad.creator === narrow.creator && broad.group === narrow.group
  }
  const last = attributeOf(narrow)
  if (last === undefined) return false
  switch (broad.kind) {
    case 'group':
      return broad.group === groupOf(last)
    case 'vr': {
      const vrs = dictionary.vrsOf(last) ?? []
      return vrs.length > 0 && vrs.every((vr) => vr === broad.vr)
    }
    case 'tag':
      return narrow.kind === 'path' && broad.tag === last
    case 'path':
      return (
        narrow.kind === 'path' && narrow.path.length > broad.path.length && endsWith(narrow.path, broad.path)
      )
    case 'private':
      return false
    default:
      return broad satisfies never
  }
}

/** The one attribute that the selector is about, if it is about one of the standard. */
export function attributeOf(selector: Selector): Tag | undefined {
  if (selector.kind === 'tag') return selector.tag
  return selector.kind === 'path' ? selector.path[selector.path.length - 1] : undefined
}

/** All of the standard's attributes that the selector names or, by their group, includes. */
export function attributesOf(selector: Selector, dictionary: Dictionary): readonly Tag[] {
  const one = attributeOf(selector)
  if (one !== undefined) return [one]
  if (selector.kind !== 'group') return []
  const tags: Tag[] = []
  for (const keyword of dictionary.keywords()) {
    const t = dictionary.tagOf(keyword)
    if (t !== undefined && groupOf(t) === selector.group) tags.push(t)
  }
  return tags
}

export function isGroupLength(t: Tag): boolean {
  return elementOf(t) === 0
}

function endsWith(path: readonly Tag[], end: readonly Tag[]): boolean {
  const from = path.length - end.length
  return end.every((t, i) => path[from + i] === t)
}

function hex(value: number, width: number): string {
  return value.toString(16).toUpperCase().padStart(width, '0')
}

/** Control characters would spoil a terminal. */
export function quote(text: Scalar['value']): string {
  return JSON.stringify(text).slice(0, 80)
}
