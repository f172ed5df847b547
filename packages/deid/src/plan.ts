// Header → Plan (PS3.15 E.3): for every element, at every depth, what happens to it and why. Nothing is changed here.
//
// A plan mirrors the data set: one node an element, one list of nodes an item. It is shown by --dry-run, counted in
// the report, and used once by apply.

import type { Dataset, Element, Tag } from '@roentgate/dicom'
import { elementOf, find, groupOf, isPrivate, lookup, string, Tags } from '@roentgate/dicom'
import { decidePublic } from './decide.ts'
import type { Decision, Path, Recipe } from './model.ts'
import { childLevel, type Level, newCache, rootLevel } from './paths.ts'
import type { PlanContext, PlanNode, Planner } from './plan-model.ts'
import { decidePrivate, type PrivateBlocks, privateBlocks } from './private.ts'
import { planContent } from './structured.ts'

export function planner(recipe: Recipe): Planner {
  return { recipe, cache: newCache() }
}

export function planDataset(using: Planner, root: Dataset): readonly PlanNode[] {
  const sopClass = string(root, Tags.SOPClassUID) ?? ''
  const context: PlanContext = { planner: using, sopClass, root, planLevel }
  return planLevel(context, root, rootLevel(using.cache, sopClass))
}

export function planLevel(context: PlanContext, dataset: Dataset, level: Level): PlanNode[] {
  const blocks = dataset.elements.some((element) => isPrivate(element.tag))
    ? privateBlocks(dataset)
    : undefined
  const overlays = removedOverlays(context, dataset, level)
  const nodes: PlanNode[] = []
  for (const element of dataset.elements) {
    if (blocks && isPrivate(element.tag)) nodes.push(planPrivate(context, element, { blocks, level }))
    else nodes.push(planPublic(context, element, { level, overlays }))
  }
  return blocks ? withoutIdleCreators(nodes) : nodes
}

type Within = { readonly level: Level; readonly overlays: ReadonlyMap<number, Decision> }

function planPublic(context: PlanContext, element: Element, within: Within): PlanNode {
  const overlay = within.overlays.get(groupOf(element.tag))
  if (overlay) return { element, decision: overlay }
  const decision = remembered(context, element, within.level)
  return withItems(context, { element, decision }, within.level)
}

function remembered(context: PlanContext, element: Element, level: Level): Decision {
  // Files disagree on VRs; the decision may hang on it. 26 × 26 two-letter codes fit beside the 32-bit tag.
  const vr = element.vr === 'UN' ? (lookup(element.tag)?.vr ?? 'UN') : element.vr
  const key = element.tag * 0x400 + (vr.charCodeAt(0) - 65) * 26 + (vr.charCodeAt(1) - 65)
  const known = level.decisions.get(key)
  if (known) return known
  const decision = decidePublic(context.planner.recipe, {
    path: [...level.path, element.tag],
    vr,
    sopClass: context.sopClass,
  })
  level.decisions.set(key, decision)
  return decision
}

/** Walks into a sequence that stays. UN that could not be read as items has none: apply removes it. */
function withItems(context: PlanContext, node: PlanNode, level: Level): PlanNode {
  const { element, decision } = node
  if (element.value.kind !== 'items' || decision.action === 'X' || decision.action === 'Z') return node
  const child = childLevel(context.planner.cache, level, element.tag)
  if (isContent(element.tag)) return planContent(context, node, child)
  return { ...node, items: element.value.items.map((item) => planLevel(context, item, child)) }
}

function isContent(t: Tag): boolean {
  return t === Tags.ContentSequence || t === Tags.AcquisitionContextSequence
}

function planPrivate(
  context: PlanContext,
  element: Element,
  at: { readonly blocks: PrivateBlocks; readonly level: Level },
): PlanNode {
  const { decision, creator } = decidePrivate(context.planner.recipe, element, {
    blocks: at.blocks,
    path: [...at.level.path, element.tag],
    root: context.root,
  })
  const node: PlanNode = creator === undefined ? { element, decision } : { element, decision, creator }
  return withItems(context, node, at.level)
}

const IDLE: Decision = { action: 'X', because: { kind: 'structural', what: 'creator of no kept element' } }

/** A creator stays where an element of its block stays, and goes with the last of them. */
function withoutIdleCreators(nodes: readonly PlanNode[]): PlanNode[] {
  const busy = new Set<number>()
  for (const { element, decision } of nodes) {
    if (!isPrivate(element.tag) || decision.action === 'X') continue
    const low = elementOf(element.tag)
    if (low >= 0x1000) busy.add(groupOf(element.tag) * 0x100 + (low >> 8))
  }
  return nodes.map((node) => {
    const low = elementOf(node.element.tag)
    if (!isPrivate(node.element.tag) || low < 0x10 || low > 0xff) return node
    if (busy.has(groupOf(node.element.tag) * 0x100 + low)) return node
    return { ...node, decision: IDLE }
  })
}

/** An overlay plane without its data is no valid plane (PS3.3 C.9.2): the whole group goes where the data goes. */
function removedOverlays(
  context: PlanContext,
  dataset: Dataset,
  level: Level,
): ReadonlyMap<number, Decision> {
  const removed = new Map<number, Decision>()
  for (const element of dataset.elements) {
    const group = groupOf(element.tag)
    if (group < 0x6000 || group > 0x60ff || group % 2 === 1 || elementOf(element.tag) !== 0x3000) continue
    const decision = remembered(context, element, level)
    if (decision.action === 'X') removed.set(group, decision)
  }
  return removed
}

/** Depth first, for counting and showing: attribute paths with their decisions. */
export function* walkPlan(
  nodes: readonly PlanNode[],
  path: Path = [],
): Generator<{ path: Path; node: PlanNode }> {
  for (const node of nodes) {
    const here = [...path, node.element.tag]
    yield { path: here, node }
    for (const item of node.items ?? []) if (item) yield* walkPlan(item, here)
  }
}

export function sopInstanceOf(dataset: Dataset): string {
  return find(dataset, Tags.SOPInstanceUID) ? (string(dataset, Tags.SOPInstanceUID) ?? '') : ''
}
