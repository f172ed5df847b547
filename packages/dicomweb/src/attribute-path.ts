// How a query names an attribute (PS3.18 8.3.4.1): keyword or eight digits, inside sequences after a dot.
//
//   "RequestAttributesSequence.ScheduledProcedureStepID" = "00400275.00400009" → [(0040,0275), (0040,0009)]

import { groupOf, isPrivate, lookup, type Tag, tagOf, type Vr } from '@roentgate/dicom'

export type AttributePath = {
  /** Outermost first; never empty. */
  readonly path: readonly Tag[]
  /** Of the last; UN where the dictionary does not have it. */
  readonly vr: Vr
}

/** No query looks deeper: the deepest of PS3.4 K has two. */
const MAX_DEPTH = 8
/** Keywords begin in upper case, save for dBdt. What does not is no attribute, but somebody's own parameter. */
const LOOKS_LIKE_ONE = /^(?:[A-Z]|dBdt$|[0-9A-Fa-f]{8}(?:\.|$))/
const HEX8 = /^[0-9A-Fa-f]{8}$/

export function looksLikeAttribute(name: string): boolean {
  return LOOKS_LIKE_ONE.test(name)
}

/** Undefined for an unknown name, for a step into what is no sequence, and for what no data set holds. */
export function attributePath(name: string): AttributePath | undefined {
  const parts = name.split('.', MAX_DEPTH + 1)
  if (parts.length > MAX_DEPTH) return undefined
  const path: Tag[] = []
  for (const part of parts) {
    const t = HEX8.test(part) || /^[A-Za-z]\w*$/.test(part) ? tagOf(part) : undefined
    if (t === undefined || groupOf(t) < 0x0008 || groupOf(t) === 0xfffe) return undefined
    path.push(t)
  }
  const [last] = path.slice(-1)
  if (last === undefined || !path.slice(0, -1).every(mayHoldItems)) return undefined
  return { path, vr: vrOf(last) }
}

function mayHoldItems(t: Tag): boolean {
  return vrOf(t) === 'SQ' || lookup(t) === undefined
}

function vrOf(t: Tag): Vr {
  const isElement = isPrivate(t) && lookup(t) === undefined
  return isElement ? 'UN' : (lookup(t)?.vr ?? 'UN')
}
