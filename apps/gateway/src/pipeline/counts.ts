// How often what was done to which attribute, and why: counted along the plan in a trie, spelled out once at the end.

import type { Decision, PlanNode } from '@roentgate/deid'
import { elementOf, formatTag, groupOf, isPrivate, lookup, type Tag } from '@roentgate/dicom'
import type { AttributeCount, PlanLine } from './types.ts'

type Row = { readonly vr: string; readonly creator: string | undefined; readonly decision: Decision; count: number }
type Level = { readonly rows: Map<string | Decision, Row>[]; readonly tags: Map<Tag, number>; readonly children: Map<Tag, Level> }

export type Counts = { readonly scanners: Map<string, Level>; rows: number }

/** Distinct attribute × decision rows kept; a hostile corpus could otherwise fill the memory. */
const MAX_ROWS = 200_000

export function newCounts(): Counts {
  return { scanners: new Map(), rows: 0 }
}

function newLevel(): Level {
  return { rows: [], tags: new Map(), children: new Map() }
}

export function countPlan(counts: Counts, scanner: string, nodes: readonly PlanNode[]): void {
  let level = counts.scanners.get(scanner)
  if (!level) counts.scanners.set(scanner, (level = newLevel()))
  countLevel(counts, level, nodes)
}

function countLevel(counts: Counts, level: Level, nodes: readonly PlanNode[]): void {
  for (const node of nodes) {
    const t = node.element.tag
    let slot = level.tags.get(t)
    if (slot === undefined) {
      if (counts.rows > MAX_ROWS) continue
      slot = level.rows.push(new Map()) - 1
      level.tags.set(t, slot)
    }
    countRow(counts, level.rows[slot] ?? new Map(), node)
    if (!node.items) continue
    let child = level.children.get(t)
    if (!child) level.children.set(t, (child = newLevel()))
    for (const item of node.items) if (item) countLevel(counts, child, item)
  }
}

function countRow(counts: Counts, rows: Map<string | Decision, Row>, node: PlanNode): void {
  // Decisions of public attributes are shared objects; those of private ones are told apart by what they say.
  const key = isPrivate(node.element.tag) ? `${node.creator ?? ''}\u0000${JSON.stringify(node.decision)}` : node.decision
  const row = rows.get(key)
  if (row) {
    row.count += 1
    return
  }
  counts.rows += 1
  rows.set(key, { vr: node.element.vr, creator: node.creator, decision: node.decision, count: 1 })
}

export function spelledOut(counts: Counts): readonly AttributeCount[] {
  const out: AttributeCount[] = []
  for (const [scanner, level] of counts.scanners) spellLevel({ level, path: '', scanner }, out)
  return out
}

function spellLevel(at: { readonly level: Level; readonly path: string; readonly scanner: string }, out: AttributeCount[]): void {
  for (const [t, slot] of at.level.tags) {
    for (const row of at.level.rows[slot]?.values() ?? []) {
      const place = at.path + spellTag(t, row.creator)
      const { vr, count, decision } = row
      out.push({ attribute: place, name: nameOfTag(t), vr, action: spellAction(decision), because: spellBecause(decision), count, scanner: at.scanner })
    }
    const child = at.level.children.get(t)
    if (child) spellLevel({ level: child, path: `${at.path}${formatTag(t)}.`, scanner: at.scanner }, out)
  }
}

/** A private attribute by its block's creator only where a list vouches for it: a creator is free text. */
function spellTag(t: Tag, creator: string | undefined): string {
  if (!isPrivate(t) || elementOf(t) < 0x1000) return formatTag(t)
  const [group, low] = [groupOf(t), elementOf(t) & 0xff].map((n, i) => n.toString(16).toUpperCase().padStart(i === 0 ? 4 : 2, '0'))
  return `(${group},xx${low})${creator ? ` ${creator}` : ''}`
}

function nameOfTag(t: Tag): string {
  return lookup(t)?.name ?? (isPrivate(t) ? 'private' : 'unknown')
}

export function spellAction(decision: Decision): string {
  return decision.transform ? `${decision.action} ${decision.transform.kind}` : decision.action
}

export function spellBecause({ because }: Decision): string {
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
    const t = node.element.tag
    const attribute = spellTag(t, node.creator)
    const line: PlanLine = {
      path: path + attribute,
      attribute,
      name: nameOfTag(t),
      vr: node.element.vr,
      action: spellAction(node.decision),
      because: spellBecause(node.decision),
    }
    const inner = (node.items ?? []).flatMap((item, index) => (item ? planLines(item, `${path}${attribute}[${index}].`) : []))
    return [line, ...inner]
  })
}
