// Private elements by creator (PS3.5 7.8.1): the union of three dictionaries, matched by group and low byte.

import { PRIVATE } from './generated/private-dictionary.ts'
import type { Tag, Vr } from './model.ts'
import { elementOf, groupOf, VRS } from './model.ts'

export type PrivateEntry = { readonly vr: Vr; readonly vm: string; readonly name: string }

const VR_SET: ReadonlySet<string> = new Set(VRS)
const lazily: { rows?: ReadonlyMap<string, string> } = {}

export function privateEntry(creator: string, t: Tag): PrivateEntry | undefined {
  lazily.rows ??= index()
  const row = lazily.rows.get(keyOf(creator, t))
  if (row === undefined) return undefined
  const [, , vr = '', vm = '', name = ''] = row.split('\t')
  const known = vr.split(/ or |_/).find((each): each is Vr => VR_SET.has(each))
  return { vr: known ?? 'UN', vm, name }
}

function keyOf(creator: string, t: Tag): string {
  const group = groupOf(t).toString(16).padStart(4, '0')
  const low = (elementOf(t) & 0xff).toString(16).padStart(2, '0')
  return `${creator.trim()}\t${(group + low).toUpperCase()}`
}

function index(): ReadonlyMap<string, string> {
  const rows = new Map<string, string>()
  for (const row of PRIVATE.split('\n')) {
    const second = row.indexOf('\t', row.indexOf('\t') + 1)
    rows.set(row.slice(0, second), row)
  }
  return rows
}
