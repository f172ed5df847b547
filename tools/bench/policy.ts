// What a decision of the policy costs: one after the other, over every role, act and purpose, with ten roles a person.

import { ACTIONS, type Action } from '../../apps/gateway/src/policy/actions.ts'
import { decide, scopeKey } from '../../apps/gateway/src/policy/decide.ts'
import {
  type Grant,
  PURPOSES,
  ROLES,
  type Scope,
  type Subject,
} from '../../apps/gateway/src/policy/subject.ts'
import { machine, table } from './document.ts'
import { median } from './measure.ts'

const DECISIONS = 200_000
const GRANTS = 10
const LISTS = 50

export function benchPolicy(rounds: number): string {
  const scopes = Array.from({ length: LISTS }, (_, n): Scope => ({ kind: 'studies', id: `list-${n}` }))
  const subjects = ROLES.map((_, place): Subject => {
    const grants = Array.from({ length: GRANTS }, (_, n): Grant => {
      return {
        role: ROLES[(place + n) % ROLES.length] ?? 'auditor',
        scope: scopes[(place * 7 + n) % LISTS] ?? { kind: 'institution' },
      }
    })
    const authentication = { at: new Date(), methods: ['pwd', 'otp', 'mfa'] }
    return { kind: 'person', id: `p${place}`, grants, authentication, session: 's' }
  })
  const things = scopes.map((scope) => {
    return { kind: 'study', scopes: new Set([scopeKey(scope)]), state: 'live' } as const
  })
  const actions = Object.keys(ACTIONS) as Action[]
  const round = (): { readonly ms: number; readonly allowed: number } => {
    let allowed = 0
    const at = new Date()
    const begun = performance.now()
    for (let n = 0; n < DECISIONS; n++) {
      const subject = pick(subjects, n)
      const asked = {
        subject,
        action: pick(actions, n * 3),
        thing: pick(things, n * 5),
        purpose: pick(PURPOSES, n),
        at,
      }
      if (decide(asked).kind === 'allow') allowed++
    }
    return { ms: performance.now() - begun, allowed }
  }
  round()
  const all = Array.from({ length: rounds }, round)
  const micros = median(all.map(({ ms }) => (ms * 1000) / DECISIONS))
  const share = ((all[0]?.allowed ?? 0) / DECISIONS) * 100
  return `## policy: a decision

${DECISIONS} decisions, every act and purpose in turn, about studies of ${LISTS} lists, by people with ${GRANTS} roles each.
Median of ${rounds} rounds. ${machine()}.

${table(
  ['', ''],
  [
    ['µs a decision', micros.toFixed(2)],
    ['allowed', `${share.toFixed(1)} %`],
  ],
)}`
}

function pick<T>(from: readonly T[], n: number): T {
  const one = from[n % from.length]
  if (one === undefined) throw new Error('nothing to pick from')
  return one
}
