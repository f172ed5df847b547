// Clean Structured Content (PS3.15 E.3.4): content items by concept (Table E.3.4-1) and value type.
//
// A concept that the table does not list is treated by its value type, and conservatively: text is cleaned, names are
// replaced, dates follow the recipe's dates, references are mapped.

import type { Dataset, Tag } from '@roentgate/dicom'
import { find, string, Tags } from '@roentgate/dicom'
import { dateDecision } from './decide.ts'
import type { Action, Because, Code, Decision, Option, Recipe } from './model.ts'
import type { Level } from './paths.ts'
import type { PlanContext, PlanNode } from './plan-model.ts'
import { sharedByContent } from './shared.ts'
import { type ConceptRow, conceptRow, PROFILE_EDITION } from './tables.ts'

/** Where a content item of each value type holds its value (PS3.3 C.17.3.2). */
const VALUE: Readonly<Record<string, readonly Tag[]>> = {
  TEXT: [Tags.TextValue],
  PNAME: [Tags.PersonName],
  DATE: [Tags.Date],
  TIME: [Tags.Time],
  DATETIME: [Tags.DateTime],
  UIDREF: [Tags.UID],
  CODE: [Tags.ConceptCodeSequence],
  NUM: [Tags.MeasuredValueSequence, Tags.NumericValue],
}

export function planContent(context: PlanContext, node: PlanNode, level: Level): PlanNode {
  if (node.element.value.kind !== 'items' || node.decision.action === 'D') return node
  return { ...node, items: node.element.value.items.map((item) => planItem(context, item, level)) }
}

function planItem(context: PlanContext, item: Dataset, level: Level): readonly PlanNode[] | undefined {
  const nodes = context.planLevel(context, item, level)
  const type = string(item, Tags.ValueType) ?? ''
  const row = rowOf(item, type)
  const chosen = row ? byRow(context.planner.recipe, row) : undefined
  if (chosen?.action === 'X') return undefined
  const values = VALUE[type]
  if (!values) return nodes
  const { recipe } = context.planner
  const decision = sharedByContent(recipe, decideValue(recipe, type, chosen))
  return nodes.map((each) =>
    values.includes(each.element.tag) ? override(context, each, { decision, level }) : each,
  )
}

/** A coded or measured value that stays keeps the plan of what is inside it. */
function override(
  context: PlanContext,
  node: PlanNode,
  by: { readonly decision: Decision; readonly level: Level },
): PlanNode {
  if (node.element.value.kind !== 'items') return { ...node, decision: by.decision }
  if (by.decision.action === 'D')
    return { element: node.element, decision: by.decision, items: itemsOf(context, node, by.level) }
  return node
}

function itemsOf(context: PlanContext, node: PlanNode, level: Level): (readonly PlanNode[])[] {
  if (node.element.value.kind !== 'items') return []
  return node.element.value.items.map((item) => context.planLevel(context, item, level))
}

function rowOf(item: Dataset, type: string): ConceptRow | undefined {
  const name = find(item, Tags.ConceptNameCodeSequence)
  const code = name?.value.kind === 'items' ? name.value.items[0] : undefined
  if (!code) return undefined
  return conceptRow(string(code, Tags.CodingSchemeDesignator) ?? '', string(code, Tags.CodeValue) ?? '', type)
}

type Chosen = { readonly action: Action; readonly because: Because }

function byRow(recipe: Recipe, row: ConceptRow): Chosen {
  let kept: Option | undefined
  for (const [option, code] of row.options) {
    if (!recipe.options.has(option)) continue
    if (code === 'C') return { action: 'C', because: { kind: 'profile', row: row.id, column: option } }
    kept ??= option
  }
  if (kept) return { action: 'K', because: { kind: 'profile', row: row.id, column: kept } }
  return { action: withoutTemplate(row.basic), because: { kind: 'profile', row: row.id, column: 'basic' } }
}

/** No table here says whether a template requires the item: a dummy is valid either way, an absent item may not be. */
function withoutTemplate(code: Code): Action {
  if (code === 'X/D' || code === 'Z/D' || code === 'X/Z/D') return 'D'
  if (code === 'X/Z' || code === 'X/Z/U*') return 'X'
  return code
}

function decideValue(recipe: Recipe, type: string, chosen: Chosen | undefined): Decision {
  const because: Because = chosen?.because ?? { kind: 'not-listed', edition: PROFILE_EDITION }
  if (chosen?.action === 'D' || chosen?.action === 'Z') return { action: 'D', because }
  switch (type) {
    case 'TEXT':
      return { action: 'C', because, transform: { kind: 'clean-text' } }
    case 'PNAME':
      return chosen?.action === 'K' ? { action: 'K', because } : { action: 'D', because }
    case 'UIDREF':
      return { action: recipe.options.has('uids') ? 'K' : 'U', because }
    case 'DATE':
    case 'DATETIME':
      return dateDecision(recipe, because, 'D')
    case 'TIME':
      return recipe.dates.kind === 'keep' || recipe.dates.kind === 'shift'
        ? { action: 'K', because }
        : { action: 'D', because }
    default:
      return { action: 'K', because }
  }
}
