// What a plan is made of: one node an element, one list of nodes an item; and what planning carries along.

import type { Dataset, Element } from '@roentgate/dicom'
import type { Decision, Recipe } from './model.ts'
import type { Level, PathCache } from './paths.ts'

export type PlanNode = {
  readonly element: Element
  readonly decision: Decision
  /** Of a sequence whose items are walked: one list an item; undefined marks an item that is removed. */
  readonly items?: readonly (readonly PlanNode[] | undefined)[]
  /** Of a private element: its creator. */
  readonly creator?: string
}

export type Planner = { readonly recipe: Recipe; readonly cache: PathCache }

export type PlanContext = {
  readonly planner: Planner
  readonly sopClass: string
  readonly root: Dataset
  /** Plans one level and all below it; a value, so that content items can call back. */
  readonly planLevel: (context: PlanContext, dataset: Dataset, level: Level) => readonly PlanNode[]
}
