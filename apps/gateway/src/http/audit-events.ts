// The ledger for those who search it with FHIR (IHE ITI-81, Retrieve ATNA Audit Event; profile BALP):
//
//   GET /fhir/AuditEvent?date=ge…&patient.identifier=… ─► search of the ledger ─► Bundle of AuditEvents, latest first
//
// The search is an entry of the ledger itself, before its answer.

import {
  type Action,
  EVENTS,
  type EventName,
  fhirAuditEvent,
  type Outcome,
  parseEntry,
} from '@roentgate/audit'
import { z } from 'zod'
import { transact } from '../db/database.ts'
import { appendEvents } from '../ledger/append.ts'
import { originOf } from '../ledger/checkpoint.ts'
import { LedgerError } from '../ledger/errors.ts'
import { type Search, search } from '../ledger/read.ts'
import { actorOf, type Turn } from './turn.ts'

export const AUDIT_EVENTS = '/fhir/AuditEvent'
const FHIR = 'application/fhir+json; charset=utf-8'
const PAGE = 100
const MAX_PAGE = 1000
const MAX_TEXT = 200
const OUTCOMES: Readonly<Record<string, Outcome>> = { 0: 'success', 4: 'minor', 8: 'serious', 12: 'major' }
/** FHIR: a prefix and a date, which may be a day, or a time with its zone. */
const DATE = /^(ge|gt|le|lt|eq)?(\d{4}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:\d\d))?$/
const DAY_MS = 24 * 3_600_000

const TEXT = z.string().min(1).max(MAX_TEXT)
const QUERY = z.strictObject({
  date: z.union([z.array(TEXT).max(2), TEXT]).optional(),
  'agent.identifier': TEXT.optional(),
  user: TEXT.optional(),
  address: TEXT.optional(),
  'patient.identifier': TEXT.optional(),
  entity: TEXT.optional(),
  'entity-id': TEXT.optional(),
  'entity.identifier': TEXT.optional(),
  type: TEXT.optional(),
  subtype: TEXT.optional(),
  outcome: TEXT.optional(),
  action: z.enum(['C', 'R', 'U', 'D', 'E']).optional(),
  _count: z.coerce.number().int().min(1).max(MAX_PAGE).default(PAGE),
  _format: z.enum(['json', 'application/json', 'application/fhir+json']).optional(),
  _after: z
    .string()
    .regex(/^\d{1,16}$/)
    .optional(),
})
type Query = z.infer<typeof QUERY>

export async function auditEvents({ site, request, reply, subject }: Turn): Promise<unknown> {
  const parsed = QUERY.safeParse(request.query)
  const wanted = parsed.success ? wantedOf(parsed.data) : undefined
  if (!parsed.success || wanted === undefined || subject === undefined)
    return await reply
      .status(400)
      .type(FHIR)
      .send(outcome(parsed.success ? 'date, type, subtype or outcome' : parametersOf(parsed.error)))
  const { _count: limit, _after: after } = parsed.data
  const db = site.archive.database.kysely
  try {
    const found = await search(db, wanted, { limit, ...(after ? { after } : {}) })
    const use = {
      event: 'audit-log-used',
      action: 'R',
      outcome: 'success',
      actor: actorOf(subject),
      objects: [],
      detail: { count: found.lines.length },
    } as const
    await transact(db, (tx) => appendEvents(tx, [use], new Date()))
    const ledger = await originOf(db)
    const context = { source: { id: ledger }, application: { id: 'roentgate' }, ledger }
    const base = `${site.url ?? ''}${AUDIT_EVENTS}`
    const entry = found.lines.map((line) => {
      const one = parseEntry(line)
      const id = String(one.index)
      return {
        fullUrl: `${base}/${id}`,
        resource: { ...fhirAuditEvent(one, context), id },
        search: { mode: 'match' },
      }
    })
    return await reply.type(FHIR).send({
      resourceType: 'Bundle',
      type: 'searchset',
      timestamp: new Date().toISOString(),
      link: linksOf(base, parsed.data, found.next),
      entry,
    })
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error
    return await reply.status(400).type(FHIR).send(outcome('_after'))
  }
}

/** What could not be read, by its name alone. */
function parametersOf({ issues }: z.ZodError): string {
  const names = issues.flatMap(({ path, ...issue }) =>
    'keys' in issue ? 'a parameter that is not one of this search' : path.map(String),
  )
  return [...new Set(names)].join(', ')
}

function outcome(what: string) {
  const diagnostics = `not understood: ${what}`
  return { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'invalid', diagnostics }] }
}

/** Undefined: something of it is of no form that there is. */
function wantedOf(query: Query): Search | undefined {
  const range = rangeOf(query.date)
  const events = eventsOf(query.type, query.subtype)
  const actor = query['agent.identifier'] ?? query.user
  const patient = query['patient.identifier']
  const entity = query.entity ?? query['entity-id'] ?? query['entity.identifier']
  const result = query.outcome === undefined ? undefined : OUTCOMES[query.outcome]
  if (range === undefined || events?.length === 0 || (query.outcome !== undefined && result === undefined))
    return undefined
  const object = patient ?? entity
  return {
    ...range,
    ...(events ? { events } : {}),
    ...(result ? { outcome: result } : {}),
    ...(query.action ? { action: query.action as Action } : {}),
    ...(query.address ? { address: query.address } : {}),
    ...(actor ? { actor: plain(actor) } : {}),
    ...(object ? { object: plain(object) } : {}),
    ...(patient ? { kind: 'patient' } : {}),
  }
}

/** Of a token: SYSTEM|VALUE, urn:oid:UID. */
function plain(token: string): string {
  return token.slice(token.lastIndexOf('|') + 1).replace(/^urn:oid:/, '')
}

function rangeOf(dates: string | readonly string[] = []): Pick<Search, 'from' | 'to'> | undefined {
  const range: { from?: Date; to?: Date } = {}
  for (const text of typeof dates === 'string' ? [dates] : dates) {
    const [, how = 'eq', day, time] = DATE.exec(text) ?? []
    const at = new Date(`${day}${time ?? 'T00:00:00Z'}`)
    if (Number.isNaN(at.getTime())) return undefined
    // A day is all of it; a time is its millisecond.
    const end = new Date(at.getTime() + (time === undefined ? DAY_MS : 1))
    if (how === 'ge' || how === 'eq') range.from = at
    if (how === 'gt') range.from = end
    if (how === 'le' || how === 'eq') range.to = end
    if (how === 'lt') range.to = at
  }
  return range
}

/** Those that DICOM's codes stand for; undefined: all. */
function eventsOf(type: string | undefined, subtype: string | undefined): readonly EventName[] | undefined {
  if (type === undefined && subtype === undefined) return undefined
  const [id, sub] = [type, subtype].map((token) => (token === undefined ? undefined : plain(token)))
  return Object.entries(EVENTS)
    .filter(
      ([name, row]) =>
        (id === undefined || String(row.id) === id) &&
        (sub === undefined || name === sub || row.types.some((code) => String(code) === sub)),
    )
    .map(([name]) => name as EventName)
}

function linksOf(base: string, query: Query, next: string | undefined) {
  const urlOf = (more: Record<string, string>): string => {
    const url = new URLSearchParams()
    for (const [name, value] of Object.entries({ ...query, ...more }))
      for (const one of [value].flat()) if (one !== undefined) url.append(name, String(one))
    return `${base}?${url}`
  }
  const self = { relation: 'self', url: urlOf({}) }
  return next === undefined ? [self] : [self, { relation: 'next', url: urlOf({ _after: next }) }]
}
