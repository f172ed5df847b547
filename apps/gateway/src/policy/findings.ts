// What of the policy and the registered nodes is not as it should be, for those who answer for it: a door for research or
// payment without a view of its own shows everything (45 CFR 164.502(b)), and is a finding.

import type { Node } from '../nodes/registry.ts'
import { decideService } from './doors.ts'
import type { Purpose } from './subject.ts'
import { POLICY, type Row } from './table.ts'

export type Finding = {
  readonly kind: 'row-without-view' | 'node-without-view' | 'images-leave'
  /** A row of the table, or an AE title. */
  readonly where: string
  readonly what: string
}

/** Exempt from the minimum are treatment, and what patients or the law ask for (164.502(b)(2)). */
const MINIMUM: ReadonlySet<Purpose> = new Set(['payment', 'operations', 'research', 'public-health'])
const SHOWS = new Set(['studies.search', 'studies.read', 'projects.read'])

export function findingsOf(nodes: readonly Node[], table: readonly Row[] = POLICY): readonly Finding[] {
  return [...table.flatMap(ofRow), ...nodes.flatMap(ofNode)]
}

function ofRow({ id, may, purposes = [], view, who }: Row): readonly Finding[] {
  const isShown = may.some((act) => SHOWS.has(act)) && !who.includes('operator')
  const bound = purposes.filter((purpose) => MINIMUM.has(purpose))
  // Who reads what is de-identified already sees all of it.
  const isIdentified = may.some((act) => act !== 'projects.read' && SHOWS.has(act))
  if (!isShown || !isIdentified || bound.length === 0 || (view !== undefined && view !== 'full')) return []
  return [{ kind: 'row-without-view', where: id, what: `shows everything for ${bound.join(' and ')}` }]
}

function ofNode({ ae, outside, purpose = 'treatment', services, blocked }: Node): readonly Finding[] {
  if (blocked || !MINIMUM.has(purpose)) return []
  const asked = (['find', 'get', 'move'] as const).filter((service) => services.includes(service))
  return asked.flatMap((service): readonly Finding[] => {
    const decision = decideService({ ae, outside, purpose }, service)
    if (decision?.kind !== 'allow') return []
    if (service !== 'find')
      return [{ kind: 'images-leave', where: ae, what: `identified images for ${purpose}` }]
    return decision.view === 'full'
      ? [{ kind: 'node-without-view', where: ae, what: `finds everything for ${purpose}` }]
      : []
  })
}
