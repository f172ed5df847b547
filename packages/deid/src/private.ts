// Private elements (PS3.5 7.8, PS3.15 E.3.10): removed unless something says that they are safe, and says who says so.
//
//   (gggg,00bb) creator        reserves      (gggg,bb00) to (gggg,bbFF)
//
// Matched by creator, group and low byte, never by the block number, which every writer chooses anew.

import type { Dataset, Element, Tag, Vr } from '@roentgate/dicom'
import { elementOf, find, groupOf, numbers, string, strings, Tags } from '@roentgate/dicom'
import { dateDecision, fromRule } from './decide.ts'
import type { Decision, Path, Recipe, Rule, SafePrivateBasis } from './model.ts'
import { shared } from './shared.ts'
import { safePrivate } from './tables.ts'

/** group * 0x100 + block → creator, '' where two creators claim one block. */
export type PrivateBlocks = ReadonlyMap<number, string>

export type PrivateSubject = { readonly blocks: PrivateBlocks; readonly path: Path; readonly root: Dataset }
export type PrivateDecision = { readonly decision: Decision; readonly creator?: string }

const UNKNOWN: Decision = { action: 'X', because: { kind: 'unknown' } }
const CREATOR: Decision = { action: 'K', because: { kind: 'structural', what: 'private creator' } }

export function privateBlocks(dataset: Dataset): PrivateBlocks {
  const blocks = new Map<number, string>()
  for (const element of dataset.elements) {
    const group = groupOf(element.tag)
    const low = elementOf(element.tag)
    if (group % 2 === 0 || low < 0x10 || low > 0xff) continue
    const key = group * 0x100 + low
    blocks.set(key, blocks.has(key) ? '' : (strings(dataset, { ...element, vr: 'LO' })[0] ?? ''))
  }
  return blocks
}

export function decidePrivate(recipe: Recipe, element: Element, subject: PrivateSubject): PrivateDecision {
  const group = groupOf(element.tag)
  const low = elementOf(element.tag)
  // Odd groups 0001 to 0007 and FFFF are no private groups (PS3.5 7.8); below (gggg,0010) nothing may stand.
  if (group < 0x0009 || group === 0xffff || low < 0x10) return { decision: UNKNOWN }
  if (low <= 0xff) return { decision: CREATOR, creator: subject.blocks.get(group * 0x100 + low) ?? '' }
  const creator = subject.blocks.get(group * 0x100 + (low >> 8))
  if (!creator) return { decision: UNKNOWN }
  const rule = recipe.rules.find((candidate) => matches(candidate, creator, element.tag))
  if (rule) return { decision: ruled(recipe, rule, { element, path: subject.path }), creator }
  if (!recipe.options.has('safe-private')) return { decision: UNKNOWN, creator }
  const safe = safePrivate(creator, element.tag)
  if (safe?.basis === 'E.3.10-1' || (safe && recipe.knowledgeBase)) {
    const vr = element.vr === 'UN' ? safe.vr : element.vr
    return { decision: vouched(recipe, vr, safe.basis), creator }
  }
  if (declaredSafe(subject.root, creator, element.tag)) {
    return { decision: vouched(recipe, element.vr, '(0008,0300)'), creator }
  }
  return { decision: UNKNOWN, creator }
}

function matches(rule: Rule, creator: string, t: Tag): boolean {
  const { select } = rule
  if (select.kind === 'tag') return select.tag === t
  if (select.kind === 'group') return select.group === groupOf(t)
  if (select.kind !== 'private' || select.creator !== creator || select.group !== groupOf(t)) return false
  return select.low === undefined || select.low === (elementOf(t) & 0xff)
}

type Ruled = { readonly element: Element; readonly path: Path }

function ruled(recipe: Recipe, rule: Rule, { element, path }: Ruled): Decision {
  const { vr } = element
  // Without a SOP class the path decides nothing: one decision holds wherever the rule does.
  return shared(rule, vr, () => {
    const decision = fromRule(rule, { path, vr, sopClass: '' })
    return decision.action === 'K' ? keep(recipe, vr, decision) : decision
  })
}

function vouched(recipe: Recipe, vr: Vr, basis: SafePrivateBasis): Decision {
  return shared(recipe, `${basis} ${vr}`, () =>
    keep(recipe, vr, { action: 'K', because: { kind: 'safe-private', basis } }),
  )
}

/** Safe says that the vendor puts no identity there; what somebody typed there is still looked at. */
function keep(recipe: Recipe, vr: Vr, by: Decision): Decision {
  const { because } = by
  if (by.transform) return by
  switch (vr) {
    case 'PN':
      return { action: 'X', because }
    case 'UI':
      return recipe.options.has('uids') ? { action: 'K', because } : { action: 'U', because }
    case 'DA':
    case 'DT':
      return dateDecision(recipe, because, 'X')
    case 'LO':
    case 'SH':
    case 'ST':
    case 'LT':
    case 'UT':
    case 'UC':
    case 'UR':
      return { action: 'C', because, transform: { kind: 'clean-text' } }
    default:
      return { action: 'K', because }
  }
}

/** PS3.3 C.12.1.1.7: Private Data Element Characteristics, the sender's own word on its private blocks. */
function declaredSafe(root: Dataset, creator: string, t: Tag): boolean {
  const element = find(root, Tags.PrivateDataElementCharacteristicsSequence)
  if (element?.value.kind !== 'items') return false
  return element.value.items.some((item) => {
    if (firstNumber(item, Tags.PrivateGroupReference) !== groupOf(t)) return false
    if (string(item, Tags.PrivateCreatorReference) !== creator) return false
    const status = string(item, Tags.BlockIdentifyingInformationStatus)
    if (status === 'SAFE') return true
    if (status !== 'MIXED') return false
    const listed = find(item, Tags.NonidentifyingPrivateElements)
    return listed !== undefined && numbers(item, listed).some((low) => (low & 0xff) === (elementOf(t) & 0xff))
  })
}

function firstNumber(dataset: Dataset, t: Tag): number | undefined {
  const element = find(dataset, t)
  return element && numbers(dataset, element)[0]
}
