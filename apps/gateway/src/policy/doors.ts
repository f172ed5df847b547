// Which act each door stands for. A service or a command that is not here cannot be used; a test says so when one is added.

import type { RawBuilder } from 'kysely'
import type { Service } from '../nodes/registry.ts'
import type { Action } from './actions.ts'
import { type Decision, decide, scopesFor } from './decide.ts'
import type { Purpose, Subject } from './subject.ts'
import { VIEWS, type View } from './views.ts'
import { visibleStudies } from './visible.ts'

/** Of DICOM. Verification is open to every registered node: it says that we are here. */
export const SERVICE_ACTS: Readonly<Record<Service, Action | 'open'>> = {
  echo: 'open',
  store: 'studies.store',
  find: 'studies.search',
  move: 'studies.send',
  get: 'studies.read',
  commit: 'commitment.ask',
  worklist: 'worklist.read',
  mpps: 'steps.write',
}

/** Of the command line, by the words of the command. */
export const COMMAND_ACTS: Readonly<Record<string, Action>> = {
  deid: 'deid.run',
  verify: 'deid.verify',
  transcode: 'deid.run',
  demo: 'deid.run',
  start: 'system.run',
  serve: 'system.run',
  'node add': 'nodes.change',
  'node block': 'nodes.change',
  'node unblock': 'nodes.change',
  'node test': 'nodes.change',
  'node list': 'nodes.read',
  'ca init': 'certificates.issue',
  'ca issue': 'certificates.issue',
  'ca revoke': 'certificates.issue',
  send: 'studies.send',
  query: 'studies.search',
  move: 'studies.send',
  import: 'studies.store',
  retrieve: 'studies.read',
  scrub: 'studies.check',
  'worklist add': 'worklist.write',
  'worklist list': 'worklist.write',
  'worklist remove': 'worklist.write',
  'audit verify': 'audit.verify',
  'audit search': 'audit.read',
  'audit export': 'audit.export',
  'audit forward': 'audit.export',
  'audit checkpoint': 'audit.verify',
  backup: 'backup.run',
  restore: 'backup.restore',
  'keys status': 'keys.status',
  'keys rotate': 'keys.rotate',
  'keys destroy': 'studies.destroy',
  'hold place': 'holds.place',
  'hold release': 'holds.release',
  'retention set': 'retention.set',
  'retention end': 'retention.set',
  'retention due': 'retention.read',
  'retention run': 'retention.run',
  'trash put': 'studies.trash',
  'trash take': 'studies.trash',
  'trash list': 'retention.read',
  'trash empty': 'studies.destroy',
  'policy show': 'policy.read',
  'policy check': 'policy.read',
  'grant request': 'grants.request',
  'grant approve': 'grants.approve',
  'grant deny': 'grants.approve',
  'grant revoke': 'grants.revoke',
  'grant list': 'grants.read',
  'break-glass list': 'grants.read',
  'break-glass review': 'break-glass.review',
  'access-review start': 'access-reviews.run',
  'access-review list': 'grants.read',
  'access-review decide': 'access-reviews.decide',
  'access-review close': 'access-reviews.run',
  'person invite': 'people.manage',
  'person recover': 'people.manage',
  'person suspend': 'people.manage',
  'person activate': 'people.manage',
  'person remove': 'people.manage',
  'person list': 'grants.read',
  'sessions revoke': 'sessions.revoke',
  'app add': 'services.manage',
  'app revoke': 'services.manage',
  'app list': 'grants.read',
  'service add': 'services.manage',
  'service revoke': 'services.manage',
  'sign-in set': 'identity.configure',
  'sign-in remove': 'identity.configure',
  'sign-in list': 'grants.read',
  'keys rotate-signing': 'keys.rotate',
  'scope add': 'grants.request',
  'scope list': 'grants.read',
}

type AtDoor = {
  readonly ae: string
  readonly outside: boolean
  readonly purpose: Purpose
}

/** Undefined: open. Things are searched for at these doors: what is found is narrowed in SQL. */
export function decideService({ ae, outside, purpose }: AtDoor, service: Service): Decision | undefined {
  const action = SERVICE_ACTS[service]
  if (action === 'open') return undefined
  const subject = { kind: 'node', ae, outside } as const
  return decide({ subject, action, thing: { kind: 'search' }, purpose, at: new Date() })
}

/** What a person at such a node is asked about; the rest is the node's own. */
const OF_PEOPLE: ReadonlySet<Service> = new Set(['store', 'find', 'move', 'get'])

export type Personal = { readonly decision: Decision; readonly visible: RawBuilder<unknown> }

/** A person at a node: both must be allowed, and what is found is within the roles of the person. Undefined: it is the
 * node's alone. */
export function decidePersonal(subject: Subject, purpose: Purpose, service: Service): Personal | undefined {
  const action = SERVICE_ACTS[service]
  if (action === 'open' || !OF_PEOPLE.has(service)) return undefined
  const asked = { subject, action, purpose, at: new Date() }
  const decision = decide({ ...asked, thing: { kind: 'search' } })
  const scopes = decision.kind === 'allow' ? scopesFor(asked, decision.view) : []
  const token = 'token' in subject ? subject.token : undefined
  return { decision, visible: visibleStudies(scopes, token) }
}

export type Allowed = {
  readonly kind: 'allow'
  readonly view: View
  readonly visible: RawBuilder<unknown>
  readonly purpose: Purpose
}

/** Of those that a role can be for, the first that allows it; what somebody treats for comes first. */
const USUAL: readonly Purpose[] = ['treatment', 'operations', 'payment', 'research']

/** Over DICOMweb: what of the studies, and which of them. */
export function decideForStudies(
  subject: Subject,
  action: 'studies.search' | 'studies.read',
  asked?: Purpose,
): Allowed | Exclude<Decision, { readonly kind: 'allow' }> {
  const at = new Date()
  const token = 'token' in subject ? subject.token : undefined
  const decisions = (asked === undefined ? USUAL : [asked]).map((purpose) => {
    const one = { subject, action, purpose, at }
    const decision = decide({ ...one, thing: { kind: 'search' } })
    if (decision.kind !== 'allow') return decision
    const visible = visibleStudies(scopesFor(one, decision.view), token)
    return { kind: 'allow', view: VIEWS[decision.view], visible, purpose } as const
  })
  return decisions.find(({ kind }) => kind === 'allow') ?? decisions[0] ?? { kind: 'deny', reason: 'no-role' }
}

/** Whether identified studies may go there, whoever asks for it: to a node for treatment alone. */
export function mayReceive({
  ae,
  outside,
  purpose = 'treatment',
}: Omit<AtDoor, 'purpose'> & { purpose?: Purpose }) {
  return decideService({ ae, outside, purpose }, 'get')?.kind === 'allow'
}

/** An act of a page, by a person; treating where the act is for treating, else for operations. */
export function decideAtPage(subject: Subject, action: Action): Decision {
  const purpose = action === 'break-glass.open' ? 'treatment' : 'operations'
  return decide({ subject, action, thing: { kind: 'system' }, purpose, at: new Date() })
}

/** `words`: of the command. One that is not in the list is denied. */
export function decideCommand(words: string, operator: string): Decision {
  const action = Object.hasOwn(COMMAND_ACTS, words) ? COMMAND_ACTS[words] : undefined
  if (action === undefined) return { kind: 'deny', reason: 'no-role' }
  const subject = { kind: 'operator', id: operator } as const
  return decide({ subject, action, thing: { kind: 'system' }, purpose: 'operations', at: new Date() })
}
