// What implicit encoding leaves unsaid: the VR of an element, from the dictionaries (PS3.5 A.1, 6.2.2, 7.8.1).

import { lookup } from './dictionary.ts'
import { UNDEFINED_LENGTH } from './fragments.ts'
import type { Element, Tag, Vr } from './model.ts'
import { elementOf, groupOf, isPrivate, tag } from './model.ts'
import { privateEntry } from './private-dictionary.ts'
import { decodeAscii } from './values.ts'

const PIXEL_DATA = tag(0x7fe00010)

/** Private creators of one data set, by group and block: what the private elements after them mean. */
export type Creators = Map<number, string>

export function noteCreator(creators: Creators, element: Element): void {
  const low = elementOf(element.tag)
  if (!isPrivate(element.tag) || low < 0x10 || low > 0xff || element.value.kind !== 'bytes') return
  creators.set(groupOf(element.tag) * 0x100 + low, decodeAscii(element.value.bytes).trim())
}

export function implicitVr(t: Tag, length: number, creators: ReadonlyMap<number, string>): Vr {
  if (length === UNDEFINED_LENGTH && t !== PIXEL_DATA) return 'SQ'
  if (!isPrivate(t)) return implicitPublicVr(t, length)
  const low = elementOf(t)
  if (low >= 0x10 && low <= 0xff) return 'LO'
  const creator = creators.get(groupOf(t) * 0x100 + (low >> 8))
  const vr = creator === undefined ? undefined : privateEntry(creator, t)?.vr
  // A guessed private sequence that is none would refuse the whole file: bytes of unknown meaning stay bytes.
  return vr === undefined || vr === 'SQ' ? 'UN' : vr
}

/** PS3.5 A.1: what may be OB or OW is OW in implicit; encapsulated frames are OB wherever they stand (A.4). */
function implicitPublicVr(t: Tag, length: number): Vr {
  const entry = lookup(t)
  if (entry === undefined) return 'UN'
  if (entry.vrs.includes('OB') && entry.vrs.includes('OW')) return length === UNDEFINED_LENGTH ? 'OB' : 'OW'
  return entry.vr
}
