// What was done to which attribute, and why, for one instance: counted along its plan. Rows are spelled out once and
// shared by all instances, because slices of a series have the same ones.

import type { Decision, PlanNode } from '@roentgate/deid'
import { elementOf, formatTag, groupOf, isPrivate, lookup, type Tag } from '@roentgate/dicom'
import type { AttributeCount, PlanLine } from './types.ts'

type Spelled = Omit<AttributeCount, 'count'>
type Level = {
  readonly rows: Map<Tag, Map<Decision, Map<string, Spelled>>>
  readonly children: Map<Tag, Level>
  readonly path: string
}

/** `recent`: the last lists of counts, so that an equal one is the same array. */
export type Spelling = { root: Level; rows: number; recent: (readonly AttributeCount[])[] }

const MAX_RECENT = 8
/** Distinct rows remembered; beyond it all are forgotten and spelled again. */
const MAX_ROWS = 100_000

export function newSpelling(): Spelling {
  return { root: newLevel(''), rows: 0, recent: [] }
}

function newLevel(path: string): Level {
  return { rows: new Map(), children: new Map(), path }
}

/** In order of first appearance; an instance that counts as one before it did gets that one's array. */
export function countAttributes(spelling: Spelling, nodes: readonly PlanNode[]): readonly AttributeCount[] {
  if (spelling.rows > MAX_ROWS) {
    spelling.root = newLevel('')
    spelling.rows = 0
  }
  const counts = new Map<Spelled, number>()
  countLevel({ spelling, counts }, spelling.root, nodes)
  const known = spelling.recent.find((list) => isEqual(list, counts))
  if (known) return known
  const made = [...counts].map(([row, count]) => ({ ...row, count }))
  if (spelling.recent.length >= MAX_RECENT) spelling.recent.pop()
  spelling.recent.unshift(made)
  return made
}

/** Rows are told apart by what they say: two that say the same add up to the same. */
function isEqual(list: readonly AttributeCount[], counts: ReadonlyMap<Spelled, number>): boolean {
  if (list.length !== counts.size) return false
  let at = 0
  for (const [row, count] of counts) {
    const other = list[at++]
    if (other === undefined || other.count !== count || other.attribute !== row.attribute) return false
    if (other.vr !== row.vr || other.action !== row.action || other.because !== row.because) return false
  }
  return true
}

type Counting = { readonly spelling: Spelling; readonly counts: Map<Spelled, number> }

function countLevel(counting: Counting, level: Level, nodes: readonly PlanNode[]): void {
  for (const node of nodes) {
    const row = rowOf(counting.spelling, level, node)
    counting.counts.set(row, (counting.counts.get(row) ?? 0) + 1)
    if (!node.items) continue
    const t = node.element.tag
    const child = level.children.get(t) ?? newLevel(`${level.path}${formatTag(t)}.`)
    level.children.set(t, child)
    for (const item of node.items) if (item) countLevel(counting, child, item)
  }
}

function rowOf(spelling: Spelling, level: Level, node: PlanNode): Spelled {
  const { element, decision } = node
  // Decisions are shared objects: equal ones are the same.
  const rows = within(within(level.rows, element.tag), decision)
  // One private tag stands for as many things as there are creators: its VR and a name that may be told.
  const key = isVouched(node) ? `${element.vr}${node.creator ?? ''}` : element.vr
  const known = rows.get(key)
  if (known) return known
  const row: Spelled = {
    attribute: level.path + spellTag(node),
    name: nameOfTag(element.tag),
    vr: element.vr,
    action: spellAction(decision),
    because: spellBecause(decision),
  }
  rows.set(key, row)
  spelling.rows += 1
  return row
}

function within<K, L, V>(map: Map<K, Map<L, V>>, key: K): Map<L, V> {
  const known = map.get(key)
  if (known) return known
  const made = new Map<L, V>()
  map.set(key, made)
  return made
}

function isVouched({ element, decision }: PlanNode): boolean {
  const { kind } = decision.because
  return isPrivate(element.tag) && (kind === 'safe-private' || kind === 'recipe')
}

/** A private element by its block's creator only where something vouches for it: a creator is free text. */
function spellTag(node: PlanNode): string {
  const { element, creator } = node
  const t = element.tag
  if (!isPrivate(t) || elementOf(t) < 0x1000) return formatTag(t)
  const group = groupOf(t).toString(16).toUpperCase().padStart(4, '0')
  const low = (elementOf(t) & 0xff).toString(16).toUpperCase().padStart(2, '0')
  return `(${group},xx${low})${isVouched(node) && creator ? ` ${creator}` : ''}`
}

function nameOfTag(t: Tag): string {
  return lookup(t)?.name ?? (isPrivate(t) ? 'private' : 'unknown')
}

function spellAction(decision: Decision): string {
  return decision.transform ? `${decision.action} ${decision.transform.kind}` : decision.action
}

function spellBecause({ because }: Decision): string {
  switch (because.kind) {
    case 'profile':
      return `PS3.15 row ${because.row}, ${because.column}`
    case 'recipe':
      return `recipe ${because.rule}: ${because.reason}`
    case 'safe-private':
      return `safe private: ${because.basis}`
    case 'not-listed':
      return `not in Table E.1-1 of ${because.edition}: kept`
    case 'unknown':
      return 'neither in the standard nor known to be safe'
    case 'structural':
      return because.what
    default:
      return because satisfies never
  }
}

export function planLines(nodes: readonly PlanNode[], path = ''): readonly PlanLine[] {
  return nodes.flatMap((node) => {
    const here = path + spellTag(node)
    const line: PlanLine = {
      path: here,
      name: nameOfTag(node.element.tag),
      vr: node.element.vr,
      action: spellAction(node.decision),
      because: spellBecause(node.decision),
    }
    const inner = (node.items ?? []).flatMap((item, index) =>
      item ? planLines(item, `${here}[${index}].`) : [],
    )
    return [line, ...inner]
  })
}
