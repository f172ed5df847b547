// An entry as PS3.15 A.5 tells it: what happened, who took part in which role, to what. Both projections render this.
//
//   Entry + Context ─reportOf→ Report ─┬ dicom.ts → XML
//                                      └ fhir.ts  → AuditEvent

import type { Actor, AuditObject, DetailKey, Entry } from '../entry.ts'
import { type DcmCode, eventRow, type LifeCycle } from '../events.ts'
import { type Coded, eventCode, ID_TYPES, mediaCode, ours, ROLES } from './codes.ts'

/** What an entry does not hold because it is the same for all. */
export type Context = {
  readonly source: {
    readonly id: string
    /** AuditEnterpriseSiteID. */
    readonly site?: string
  }
  readonly application: {
    readonly id: string
    readonly name?: string
    readonly aeTitles?: readonly string[]
    readonly address?: string
  }
  /** URI of the ledger. */
  readonly ledger: string
  /** The Patient ID behind the archive's own, for receivers that may see it. Without it they see ours. */
  readonly identify?: (object: AuditObject) => { readonly id?: string; readonly name?: string } | undefined
}

export type Party = {
  readonly userId: string
  readonly alternativeUserId?: string
  readonly userName?: string
  readonly isRequestor: boolean
  readonly roles: readonly Coded[]
  readonly address?: string
  readonly media?: Coded
}

export type Pair = { readonly type: string; readonly value: string }

export type Thing = {
  readonly id: string
  /** PS3.15 A.5.1: 1 person, 2 system object. */
  readonly type: '1' | '2'
  readonly role?: string
  readonly lifeCycle?: LifeCycle
  readonly idType: Coded
  /** One of the two. */
  readonly label: { readonly name: string } | { readonly query: string }
  readonly details: readonly Pair[]
  readonly instances?: { readonly sopClass?: string; readonly count: number; readonly isAnonymized: boolean }
}

export type Report = {
  readonly id: Coded
  readonly types: readonly Coded[]
  readonly action: string
  readonly at: string
  readonly outcome: '0' | '4' | '8' | '12'
  readonly outcomeText?: string
  readonly parties: readonly Party[]
  readonly things: readonly Thing[]
}

const OUTCOME = { success: '0', minor: '4', serious: '8', major: '12' } as const
const UNKNOWN = 'unknown'
const UID = /^[012](?:\.(?:0|[1-9]\d*))+$/
const SECURITY_ALERT: DcmCode = 110113
const AUDIT_LOG_USED: DcmCode = 110101
/** What leaves these is free of identifiers. */
const ANONYMIZED: ReadonlySet<string> = new Set(['deidentified', 'released'])

export function reportOf(entry: Entry, context: Context): Report {
  const row = eventRow(entry.event)
  if (row === undefined) throw new RangeError('an entry that was not read by parseEntry')
  const own = row.ours ? [ours(entry.event)] : []
  const why = said(entry, 'error') ?? said(entry, 'reason')
  const text = entry.outcome === 'success' ? undefined : why
  return {
    id: eventCode(row.id),
    types: [...row.types.map(eventCode), ...own],
    action: entry.action,
    at: entry.at,
    outcome: OUTCOME[entry.outcome],
    ...(text === undefined ? {} : { outcomeText: text }),
    parties: partiesOf(row.id, entry, context),
    things: thingsOf(row.id, entry, context),
  }
}

type Cast = { readonly actor: Party; readonly us: Party; readonly isAlone: boolean }

/** The participants that A.5.3.x names, the clause beside each. */
function partiesOf(id: DcmCode, entry: Entry, context: Context): readonly Party[] {
  const actor = actorParty(entry)
  const us = ourParty(context)
  const cast: Cast = { actor, us, isAlone: actor.userId === us.userId }
  switch (id) {
    case 110100: // A.5.3.1
      if (cast.isAlone) return [{ ...as(us, ROLES.application), isRequestor: true }]
      return [as(us, ROLES.application), as(actor, ROLES.launcher)]
    case 110102: // A.5.3.3
    case 110104: // A.5.3.7
      return transferParties(entry, cast)
    case 110106: // A.5.3.4
      return [...both(cast, ROLES.source), mediaParty(entry, 'destination')]
    case 110107: // A.5.3.5
      return [...both(cast, ROLES.destination), mediaParty(entry, 'from')]
    case 110108: // A.5.3.9: the node itself, never as requestor
      return [{ ...actor, isRequestor: false }]
    case 110112: // A.5.3.10
      return [as(actor, ROLES.source), as(us, ROLES.destination)]
    case 110113: // A.5.3.11: who reports, then who did it, never as requestor
      return cast.isAlone ? [us] : [us, { ...actor, isRequestor: false }]
    case 110114: // A.5.3.12: where from is mandatory
      return [{ ...actor, address: actor.address ?? UNKNOWN }, us]
    default:
      return cast.isAlone ? [actor] : [actor, us]
  }
}

/** Create and update: they send, we receive. Else: we send, to the destination if it is another than who asked. */
function transferParties(entry: Entry, { actor, us }: Cast): readonly Party[] {
  if (entry.action === 'C' || entry.action === 'U') {
    return [as(actor, ROLES.source), as(us, ROLES.destination)]
  }
  const destination = said(entry, 'destination')
  const source = as(us, ROLES.source)
  if (destination === undefined) return [source, as(actor, ROLES.destination)]
  const third = { userId: destination, isRequestor: false, roles: [ROLES.destination] }
  return [source, third, actor]
}

function both({ actor, us, isAlone }: Cast, role: Coded): readonly Party[] {
  return isAlone ? [as(actor, role)] : [as(actor, role), as(us, role)]
}

function mediaParty(entry: Entry, where: 'destination' | 'from'): Party {
  return {
    userId: said(entry, where) ?? UNKNOWN,
    isRequestor: false,
    roles: [where === 'destination' ? ROLES.destinationMedia : ROLES.sourceMedia],
    media: mediaCode(said(entry, 'media')),
  }
}

function as(party: Party, role: Coded): Party {
  return { ...party, roles: [role, ...party.roles] }
}

function actorParty(entry: Entry): Party {
  const { id, role, address } = entry.actor
  const aet = isNode(entry.actor) ? said(entry, 'aet') : undefined
  return {
    userId: id,
    isRequestor: true,
    roles: role === undefined || role === '' ? [] : [{ code: role, system: '99ROENTGATE', meaning: role }],
    ...(aet === undefined ? {} : { alternativeUserId: aeTitles([aet]) }),
    ...(address === undefined || address === '' ? {} : { address }),
  }
}

function isNode({ kind }: Actor): boolean {
  return kind === 'node' || kind === 'system'
}

function ourParty({ application: { id, name, aeTitles: titles, address } }: Context): Party {
  return {
    userId: id,
    isRequestor: false,
    roles: [],
    ...(titles === undefined || titles.length === 0 ? {} : { alternativeUserId: aeTitles(titles) }),
    ...(name === undefined ? {} : { userName: name }),
    ...(address === undefined ? {} : { address }),
  }
}

/** PS3.15 A.5.2.2. */
function aeTitles(titles: readonly string[]): string {
  return `AETITLES=${titles.join(';')}`
}

function thingsOf(id: DcmCode, entry: Entry, context: Context): readonly Thing[] {
  const things = entry.objects.map((object) => thingOf(object, entry, context))
  const trace = traceOf(entry, context)
  // A.5.3.2: the log is named by its URI; elsewhere the entry is, so that a message leads back to it.
  const last: Thing =
    id === AUDIT_LOG_USED
      ? { ...trace, id: context.ledger, role: '13', label: { name: 'Security Audit Log' } }
      : trace
  const all = id === SECURITY_ALERT ? things.map((thing) => alerted(thing, entry)) : things
  return [...all, last]
}

function traceOf({ index, detail }: Entry, { ledger }: Context): Thing {
  const details = Object.entries(detail).map(([type, value]) => ({ type, value: String(value) }))
  return {
    id: `${ledger}#${index}`,
    type: '2',
    idType: ID_TYPES.uri,
    label: { name: 'Audit Log Entry' },
    details: [{ type: 'index', value: String(index) }, ...details],
  }
}

/** A.5.3.11: the subject of an alert is a master file or a security resource, and is described. */
function alerted(thing: Thing, { event }: Entry): Thing {
  const description = { type: 'Alert Description', value: ours(event).meaning }
  return { ...thing, role: thing.type === '1' ? '1' : '13', details: [description, ...thing.details] }
}

function thingOf(object: AuditObject, entry: Entry, { identify }: Context): Thing {
  const known = identify?.(object)
  const id = known?.id ?? object.id
  const lifeCycle = eventRow(entry.event)?.lifeCycle
  const instances = object.kind === 'study' ? instancesOf(object, entry) : undefined
  return {
    id,
    ...shapeOf(object, entry),
    ...(lifeCycle === undefined ? {} : { lifeCycle }),
    ...(known?.name === undefined ? {} : { label: { name: known.name } }),
    ...(instances === undefined ? {} : { instances }),
    details: [],
  }
}

type Shape = Pick<Thing, 'type' | 'role' | 'idType' | 'label'>

function shapeOf({ kind, id }: AuditObject, entry: Entry): Shape {
  const label = { name: id }
  switch (kind) {
    case 'patient':
      return { type: '1', role: '1', idType: ID_TYPES.patient, label }
    case 'study':
    case 'series':
    case 'instance':
    case 'report':
      return { type: '2', role: '3', idType: ID_TYPES[kind], label }
    case 'query': {
      // A.5.3.10: by SOP class; one that has none by its own words. The values asked for are not in the ledger.
      const query = said(entry, 'query') ?? ''
      const shape = UID.test(id)
        ? { role: '3', idType: ID_TYPES.sopClass }
        : { role: '24', idType: ID_TYPES.search }
      return { type: '2', ...shape, label: { query } }
    }
    case 'key':
      return { type: '2', role: '13', idType: ID_TYPES.key, label }
    case 'record':
      return { type: '2', role: '5', idType: ID_TYPES.record, label }
    default:
      return kind satisfies never
  }
}

/** SOPClass wants a number; without one it says nothing. */
function instancesOf({ count }: AuditObject, entry: Entry): Thing['instances'] | undefined {
  if (count === undefined) return undefined
  const sopClass = said(entry, 'sop-class')
  const isAnonymized = ANONYMIZED.has(entry.event)
  return sopClass === undefined ? { count, isAnonymized } : { sopClass, count, isAnonymized }
}

/** An empty one says nothing. */
function said({ detail }: Entry, key: DetailKey): string | undefined {
  const value = detail[key]
  return value === undefined || value === '' ? undefined : String(value)
}

/** PS3.15 A.5.1 NetworkAccessPointTypeCode: 2 an IP address, 1 a name. */
export function accessPointType(address: string): '1' | '2' {
  return /^\d{1,3}(?:\.\d{1,3}){3}$/.test(address) || /^[0-9a-f:.]*:[0-9a-f:.]*$/i.test(address) ? '2' : '1'
}
