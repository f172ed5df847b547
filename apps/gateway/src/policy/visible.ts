// The same policy as a predicate of SQL:  scopes ─► which studies s a search may find
//
// A list is narrowed before it is cut into pages and counted; what is filtered afterwards tells by its gaps.

import { type RawBuilder, sql } from 'kysely'
import type { Narrowing, Scope } from './subject.ts'

/** Over studies s. Nothing is visible without a scope. */
export function visibleStudies(scopes: readonly Scope[], token?: Narrowing): RawBuilder<unknown> {
  const conditions = scopes.some(({ kind }) => kind === 'institution') ? [sql`true`] : conditionsOf(scopes)
  const granted = conditions.length === 0 ? sql`false` : sql`(${sql.join(conditions, sql` or `)})`
  const own = [
    ...(token?.patient === undefined ? [] : [sql`s.patient_id = ${token.patient}::uuid`]),
    ...(token?.project === undefined ? [] : [ofLists([token.project])]),
  ]
  return own.length === 0 ? granted : sql`(${sql.join([granted, ...own], sql` and `)})`
}

function conditionsOf(scopes: readonly Scope[]): RawBuilder<unknown>[] {
  const idsOf = (...kinds: readonly Scope['kind'][]): readonly string[] =>
    scopes.flatMap((scope) => (scope.kind !== 'institution' && kinds.includes(scope.kind) ? [scope.id] : []))
  const conditions: RawBuilder<unknown>[] = []
  const studies = idsOf('studies', 'project')
  if (studies.length > 0) conditions.push(ofLists(studies))
  const lists = idsOf('patients')
  if (lists.length > 0)
    conditions.push(sql`exists (select from scope_members m
      where m.list_id = any(${lists}::uuid[]) and m.member = s.patient_id)`)
  const patients = idsOf('patient')
  if (patients.length > 0) conditions.push(sql`s.patient_id = any(${patients}::uuid[])`)
  return conditions
}

function ofLists(lists: readonly string[]): RawBuilder<unknown> {
  return sql`exists (select from scope_members m where m.list_id = any(${lists}::uuid[]) and m.member = s.id)`
}
