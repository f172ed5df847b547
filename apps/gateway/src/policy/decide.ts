// The one decision that every door asks for:  subject, action, thing, purpose ─► rows of the table ─► allow | step up | deny
//
// Pure: what is needed of the database was read before, the time is a parameter. What no row allows is denied; a doubt is
// a denial. A denial says why to the ledger, and to the one who asks only what does not tell whether something exists.

import type { Action } from './actions.ts'
import { isInScopes } from './scopes.ts'
import type { Grant, Purpose, Scope, Subject } from './subject.ts'
import { POLICY, type Principal, type Row } from './table.ts'
import type { ViewName } from './views.ts'

export type Thing =
  /** An act on the system, its rules or its people. */
  | { readonly kind: 'system' }
  /** A search: what is found is narrowed in SQL (visible.ts). */
  | { readonly kind: 'search' }
  | {
      readonly kind: 'study'
      /** The scopes that it is in, as scopeKey writes them. */
      readonly scopes: ReadonlySet<string>
      readonly state: 'live' | 'held' | 'trashed' | 'disposed'
    }
  /** Something that somebody asked for, and that is to be decided on. */
  | { readonly kind: 'request'; readonly by: string }

export type Asked = {
  readonly subject: Subject
  readonly action: Action
  readonly thing: Thing
  readonly purpose: Purpose
  readonly at: Date
}

export type Denial =
  /** No row gives the act to any role of the subject. */
  | 'no-role'
  /** A row does, for another purpose. */
  | 'other-purpose'
  /** A row does, for other things: to the subject this one does not exist. */
  | 'out-of-scope'
  /** What is in the trash or destroyed does not exist. */
  | 'gone'
  | 'held'
  | 'own-request'
  /** The token is for less than its owner may. */
  | 'token'

export type Decision =
  | { readonly kind: 'allow'; readonly row: string; readonly view: ViewName }
  | { readonly kind: 'step-up'; readonly row: string }
  | { readonly kind: 'deny'; readonly reason: Denial }

/** A second factor is fresh for so long. */
export const STEP_UP_MS = 5 * 60_000
/** From wide to narrow: of two rows that allow, the wider view holds. */
const WIDTH: readonly ViewName[] = ['full', 'billing', 'limited', 'technical', 'counts']
/** What a legal hold forbids (docs/guide: retention). */
const FORBIDDEN_IF_HELD: ReadonlySet<Action> = new Set(['studies.trash', 'studies.destroy'])
const ON_WHAT_IS_GONE: ReadonlySet<Action> = new Set(['studies.trash', 'studies.destroy'])
/** A token for a patient without one is for nobody. */
const PERSON_SCOPE = /^(?:patient\/|user\/|dicomweb:|dicom:)/
const SERVICE_SCOPE = /^(?:system\/|dicomweb:|dicom:)/
const SYSTEM: Scope = { kind: 'institution' }

export function scopeKey(scope: Scope): string {
  return scope.kind === 'institution' ? 'institution' : `${scope.kind}:${scope.id}`
}

const BY_ACT = new Map<string, readonly Row[]>()
for (const row of POLICY) {
  for (const principal of row.who) {
    for (const act of row.may)
      BY_ACT.set(`${principal} ${act}`, [...(BY_ACT.get(`${principal} ${act}`) ?? []), row])
  }
}

/** A role of the subject that counts now, and what for. */
type Hat = { readonly principal: Principal; readonly scope: Scope; readonly emergency?: true }

function hatsOf(subject: Subject, at: Date): readonly Hat[] {
  switch (subject.kind) {
    case 'node':
      return [{ principal: 'node', scope: SYSTEM }]
    case 'operator':
      return [{ principal: 'operator', scope: SYSTEM }]
    default:
      return subject.grants
        .filter((grant) => isLive(grant, at) && (grant.role === 'service') === (subject.kind === 'service'))
        .map(({ role, scope, emergency }) => ({
          principal: role,
          scope,
          ...(emergency ? { emergency } : {}),
        }))
  }
}

/** An emergency opens a record to be read: with it nothing is stored, sent on, or opened further. */
const IN_EMERGENCY: ReadonlySet<Action> = new Set(['studies.search', 'studies.read'])

function rowsFor({ principal, emergency }: Hat, action: Action): readonly Row[] {
  return emergency && !IN_EMERGENCY.has(action) ? [] : (BY_ACT.get(`${principal} ${action}`) ?? [])
}

export function isLive({ until }: Grant, at: Date): boolean {
  return until === undefined || until.getTime() > at.getTime()
}

export function decide({ subject, action, thing, purpose, at }: Asked): Decision {
  if (!isInToken(subject, action)) return { kind: 'deny', reason: 'token' }
  if (thing.kind === 'request' && thing.by === subjectId(subject))
    return { kind: 'deny', reason: 'own-request' }
  let nearest: Denial = 'no-role'
  let best: { readonly row: Row; readonly isFresh: boolean } | undefined
  for (const hat of hatsOf(subject, at)) {
    const { scope } = hat
    for (const row of rowsFor(hat, action)) {
      if (row.purposes !== undefined && !row.purposes.includes(purpose)) {
        if (nearest === 'no-role') nearest = 'other-purpose'
      } else if (!reaches(scope, thing, row) || !isOfToken(subject, thing)) nearest = 'out-of-scope'
      else best = better(best, { row, isFresh: row.stepUp !== true || isFresh(subject, at) })
    }
  }
  if (best === undefined) return { kind: 'deny', reason: nearest }
  const state = thing.kind === 'study' ? thing.state : 'live'
  if ((state === 'trashed' || state === 'disposed') && !ON_WHAT_IS_GONE.has(action))
    return { kind: 'deny', reason: 'gone' }
  if (state === 'held' && FORBIDDEN_IF_HELD.has(action)) return { kind: 'deny', reason: 'held' }
  const { row } = best
  return best.isFresh
    ? { kind: 'allow', row: row.id, view: row.view ?? 'full' }
    : { kind: 'step-up', row: row.id }
}

type Candidate = { readonly row: Row; readonly isFresh: boolean }

/** What can be done at once comes before what wants a second factor; then the wider view. */
function better(best: Candidate | undefined, next: Candidate): Candidate {
  if (best === undefined) return next
  if (best.isFresh !== next.isFresh) return best.isFresh ? best : next
  const width = ({ row }: Candidate): number => WIDTH.indexOf(row.view ?? 'full')
  return width(next) < width(best) ? next : best
}

/** The rules themselves are for all; a part of the studies says nothing of the system. */
function reaches(scope: Scope, thing: Thing, row: Row): boolean {
  if (scope.kind === 'institution' || row.anyScope === true) return true
  switch (thing.kind) {
    case 'search':
      return true
    case 'study':
      return thing.scopes.has(scopeKey(scope))
    default:
      return false
  }
}

function isInToken(subject: Subject, action: Action): boolean {
  if (!('token' in subject) || subject.token === undefined) return true
  const { scopes, patient } = subject.token
  const own = subject.kind === 'service' ? SERVICE_SCOPE : PERSON_SCOPE
  const usable = scopes.filter(
    (scope) => own.test(scope) && (!scope.startsWith('patient/') || patient !== undefined),
  )
  return isInScopes(usable, action)
}

/** A token for one patient, or for one project, reaches no other study; in a search SQL sees to it. */
function isOfToken(subject: Subject, thing: Thing): boolean {
  if (thing.kind !== 'study' || !('token' in subject) || subject.token === undefined) return true
  const { patient, project } = subject.token
  return (
    (patient === undefined || thing.scopes.has(scopeKey({ kind: 'patient', id: patient }))) &&
    (project === undefined || thing.scopes.has(scopeKey({ kind: 'project', id: project })))
  )
}

function isFresh(subject: Subject, at: Date): boolean {
  if (subject.kind !== 'person') return false
  const { methods, at: shown } = subject.authentication
  const age = at.getTime() - shown.getTime()
  return methods.includes('mfa') && age >= 0 && age <= STEP_UP_MS
}

function subjectId(subject: Subject): string {
  return subject.kind === 'node' ? (subject.person ?? subject.ae) : subject.id
}

/** The scopes within which what was allowed is allowed with that view or a wider one: a search is narrowed to them. */
export function scopesFor(
  { subject, action, purpose, at }: Omit<Asked, 'thing'>,
  view: ViewName,
): readonly Scope[] {
  return hatsOf(subject, at)
    .filter((hat) =>
      rowsFor(hat, action).some(
        ({ purposes, view: own = 'full' }) =>
          (purposes === undefined || purposes.includes(purpose)) && WIDTH.indexOf(own) <= WIDTH.indexOf(view),
      ),
    )
    .map(({ scope }) => scope)
}
