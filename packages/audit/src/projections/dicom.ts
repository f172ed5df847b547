// A DICOM audit message:  Entry ─reportOf→ Report ─render→ XML by the schema of PS3.15 A.5.1.1.

import type { Entry } from '../entry.ts'
import type { Coded } from './codes.ts'
import { accessPointType, type Context, type Party, type Report, reportOf, type Thing } from './report.ts'
import { element, escapeXml } from './xml.ts'

/** PS3.15 A.5.1.2.1: application server process tier. */
const SOURCE_TYPE = '4'

export function dicomAuditMessage(entry: Entry, context: Context): string {
  const report = reportOf(entry, context)
  const content = [
    eventXml(report),
    ...report.parties.map(partyXml),
    sourceXml(context),
    ...report.things.map(thingXml),
  ].join('')
  return `<?xml version="1.0" encoding="UTF-8"?>${element('AuditMessage', {}, content)}`
}

function eventXml(report: Report): string {
  const attributes = {
    EventActionCode: report.action,
    EventDateTime: report.at,
    EventOutcomeIndicator: report.outcome,
  }
  const text = report.outcomeText
  const content = [
    codedXml('EventID', report.id),
    ...report.types.map((type) => codedXml('EventTypeCode', type)),
    text === undefined ? '' : element('EventOutcomeDescription', {}, escapeXml(text)),
  ].join('')
  return element('EventIdentification', attributes, content)
}

function partyXml({ roles, media, address, ...party }: Party): string {
  const attributes = {
    UserID: party.userId,
    AlternativeUserID: party.alternativeUserId,
    UserName: party.userName,
    UserIsRequestor: String(party.isRequestor),
    NetworkAccessPointID: address,
    NetworkAccessPointTypeCode: address === undefined ? undefined : accessPointType(address),
  }
  const content = [
    ...roles.map((role) => codedXml('RoleIDCode', role)),
    media === undefined ? '' : element('MediaIdentifier', {}, codedXml('MediaType', media)),
  ].join('')
  return element('ActiveParticipant', attributes, content)
}

function sourceXml({ source: { id, site } }: Context): string {
  const attributes = { AuditEnterpriseSiteID: site, AuditSourceID: id }
  return element(
    'AuditSourceIdentification',
    attributes,
    element('AuditSourceTypeCode', { 'csd-code': SOURCE_TYPE }),
  )
}

function thingXml(thing: Thing): string {
  const attributes = {
    ParticipantObjectID: thing.id,
    ParticipantObjectTypeCode: thing.type,
    ParticipantObjectTypeCodeRole: thing.role,
    ParticipantObjectDataLifeCycle: thing.lifeCycle === undefined ? undefined : String(thing.lifeCycle),
  }
  const { label } = thing
  const content = [
    codedXml('ParticipantObjectIDTypeCode', thing.idType),
    'name' in label
      ? element('ParticipantObjectName', {}, escapeXml(label.name))
      : element('ParticipantObjectQuery', {}, base64(label.query)),
    ...thing.details.map(({ type, value }) =>
      element('ParticipantObjectDetail', { type, value: base64(value) }),
    ),
    descriptionXml(thing),
  ].join('')
  return element('ParticipantObjectIdentification', attributes, content)
}

function descriptionXml({ instances }: Thing): string {
  if (instances === undefined) return ''
  const { sopClass, count, isAnonymized } = instances
  const content = [
    element('SOPClass', { UID: sopClass, NumberOfInstances: String(count) }),
    isAnonymized ? element('Anonymized', {}, 'true') : '',
  ].join('')
  return element('ParticipantObjectDescription', {}, content)
}

/** A.5.1.1 CodedValueType. */
function codedXml(name: string, { code, system, meaning }: Coded): string {
  return element(name, { 'csd-code': code, codeSystemName: system, originalText: meaning })
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
