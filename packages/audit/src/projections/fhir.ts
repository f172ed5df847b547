// A FHIR R4 AuditEvent: the same report as the DICOM message, in the words of hl7.org/fhir/R4/auditevent.html.

import type { Entry } from '../entry.ts'
import { LIFE_CYCLE } from '../events.ts'
import type { Coded, CodeSystem } from './codes.ts'
import { accessPointType, type Context, type Party, type Report, reportOf, type Thing } from './report.ts'

export type Coding = { readonly system: string; readonly code: string; readonly display?: string }
type Concept = { readonly coding: readonly Coding[] }
type Reference = { readonly identifier: { readonly system?: string; readonly value: string } }

export type FhirAgent = {
  readonly type?: Concept
  readonly role?: readonly Concept[]
  readonly who: Reference
  readonly altId?: string
  readonly name?: string
  readonly requestor: boolean
  readonly media?: Coding
  readonly network?: { readonly address: string; readonly type: '1' | '2' }
}

/** Either name or query: invariant sev-1. */
export type FhirEntity = {
  readonly what: Reference
  readonly type: Coding
  readonly role?: Coding
  readonly lifecycle?: Coding
  readonly name?: string
  readonly query?: string
  readonly detail?: readonly { readonly type: string; readonly valueString: string }[]
}

export type FhirAuditEvent = {
  readonly resourceType: 'AuditEvent'
  readonly type: Coding
  readonly subtype?: readonly Coding[]
  readonly action: string
  readonly recorded: string
  readonly outcome: '0' | '4' | '8' | '12'
  readonly outcomeDesc?: string
  readonly agent: readonly FhirAgent[]
  readonly source: { readonly site?: string; readonly observer: Reference; readonly type: readonly Coding[] }
  readonly entity: readonly FhirEntity[]
}

const TERMINOLOGY = 'http://terminology.hl7.org/CodeSystem'
const SYSTEMS: Readonly<Record<CodeSystem, string>> = {
  DCM: 'http://dicom.nema.org/resources/ontology/DCM',
  'RFC-3881': `${TERMINOLOGY}/audit-entity-type`,
  '99ROENTGATE': 'urn:x-roentgate:audit',
}
const UID = /^[012](?:\.(?:0|[1-9]\d*))+$/

export function fhirAuditEvent(entry: Entry, context: Context): FhirAuditEvent {
  const report = reportOf(entry, context)
  const { site, id } = context.source
  return {
    resourceType: 'AuditEvent',
    ...eventOf(report),
    agent: report.parties.map(agentOf),
    source: {
      ...(site === undefined ? {} : { site }),
      observer: { identifier: { value: id } },
      type: [{ system: `${TERMINOLOGY}/security-source-type`, code: '4', display: 'Application Server' }],
    },
    entity: report.things.map(entityOf),
  }
}

function eventOf(report: Report) {
  const { types, outcomeText } = report
  return {
    type: codingOf(report.id),
    ...(types.length === 0 ? {} : { subtype: types.map(codingOf) }),
    action: report.action,
    recorded: report.at,
    outcome: report.outcome,
    ...(outcomeText === undefined ? {} : { outcomeDesc: outcomeText }),
  }
}

/** `type` is the part played in the event, `role` what the account may do. */
function agentOf({
  userId,
  alternativeUserId,
  userName,
  isRequestor,
  roles,
  address,
  media,
}: Party): FhirAgent {
  const part = roles.find(({ system }) => system === 'DCM')
  const held = roles.filter(({ system }) => system !== 'DCM')
  return {
    ...(part === undefined ? {} : { type: conceptOf(part) }),
    ...(held.length === 0 ? {} : { role: held.map(conceptOf) }),
    who: { identifier: { value: userId } },
    ...(alternativeUserId === undefined ? {} : { altId: alternativeUserId }),
    ...(userName === undefined ? {} : { name: userName }),
    requestor: isRequestor,
    ...(media === undefined ? {} : { media: codingOf(media) }),
    ...(address === undefined ? {} : { network: { address, type: accessPointType(address) } }),
  }
}

function entityOf({ id, type, role, lifeCycle, label, details, instances }: Thing): FhirEntity {
  const count = instances === undefined ? [] : [{ type: 'NumberOfInstances', value: String(instances.count) }]
  // A FHIR string is never empty.
  const detail = [...count, ...details]
    .filter(({ value }) => value !== '')
    .map(({ type: name, value }) => ({ type: name, valueString: value }))
  return {
    what: { identifier: UID.test(id) ? { system: 'urn:dicom:uid', value: `urn:oid:${id}` } : { value: id } },
    type: { system: `${TERMINOLOGY}/audit-entity-type`, code: type },
    ...(role === undefined ? {} : { role: { system: `${TERMINOLOGY}/object-role`, code: role } }),
    ...(lifeCycle === undefined ? {} : { lifecycle: lifeCycleOf(lifeCycle) }),
    ...labelOf(label),
    ...(detail.length === 0 ? {} : { detail }),
  }
}

function labelOf(label: Thing['label']): { readonly name?: string; readonly query?: string } {
  if ('name' in label) return { name: label.name }
  return label.query === '' ? {} : { query: Buffer.from(label.query).toString('base64') }
}

function lifeCycleOf(code: keyof typeof LIFE_CYCLE): Coding {
  return { system: `${TERMINOLOGY}/dicom-audit-lifecycle`, code: String(code), display: LIFE_CYCLE[code] }
}

function conceptOf(code: Coded): Concept {
  return { coding: [codingOf(code)] }
}

function codingOf({ code, system, meaning }: Coded): Coding {
  return { system: SYSTEMS[system], code, display: meaning }
}
