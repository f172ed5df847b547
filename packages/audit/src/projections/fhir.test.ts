// AuditEvents against the rules of FHIR R4, and syslog frames byte for byte.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { entries } from '../arbitrary.test.ts'
import type { AuditError } from '../errors.ts'
import { plainEntry } from '../forge.ts'
import { fhirAuditEvent } from './fhir.ts'
import type { Context } from './report.ts'
import { type SyslogHeader, syslogFrame } from './syslog.ts'

const CONTEXT: Context = {
  source: { id: 'roentgate-1' },
  application: { id: 'gateway@pacs.example.org' },
  ledger: 'https://pacs.example.org/ledger',
}

/** hl7.org/fhir/R4/auditevent-definitions.html: no empty string, array or object anywhere. */
function assertFilled(value: unknown, path: string): void {
  if (typeof value === 'string') assert.notEqual(value, '', path)
  if (typeof value !== 'object' || value === null) return
  const members = Object.entries(value)
  assert.notEqual(members.length, 0, path)
  for (const [name, one] of members) assertFilled(one, `${path}.${name}`)
}

describe('an AuditEvent', () => {
  it('keeps the rules, whatever the entry', () => {
    fc.assert(
      fc.property(entries(), (entry) => {
        const event = fhirAuditEvent(entry, CONTEXT)
        assertFilled(event, 'AuditEvent')
        assert.match(event.recorded, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
        assert.match(event.action, /^[CRUDE]$/)
        assert.ok(event.agent.length >= 1)
        assert.ok(
          event.entity.every(({ name, query }) => name === undefined || query === undefined),
          'sev-1',
        )
        assert.deepEqual(JSON.parse(JSON.stringify(event)), event)
      }),
      { numRuns: 1000 },
    )
  })

  it('says what the entry says', () => {
    const entry = plainEntry(3, {
      event: 'deidentified',
      action: 'C',
      actor: { kind: 'person', id: 'ada@example.org', role: 'coordinator', address: '10.0.0.9' },
    })
    const event = fhirAuditEvent(entry, CONTEXT)
    const DCM = 'http://dicom.nema.org/resources/ontology/DCM'
    assert.deepEqual(event.type, { system: DCM, code: '110103', display: 'DICOM Instances Accessed' })
    assert.deepEqual(event.subtype, [
      { system: 'urn:x-roentgate:audit', code: 'deidentified', display: 'Deidentified' },
    ])
    assert.deepEqual(event.agent[0], {
      role: [{ coding: [{ system: 'urn:x-roentgate:audit', code: 'coordinator', display: 'coordinator' }] }],
      who: { identifier: { value: 'ada@example.org' } },
      requestor: true,
      network: { address: '10.0.0.9', type: '2' },
    })
    assert.deepEqual(event.entity[0], {
      what: { identifier: { system: 'urn:dicom:uid', value: 'urn:oid:2.25.1003' } },
      type: { system: 'http://terminology.hl7.org/CodeSystem/audit-entity-type', code: '2' },
      role: { system: 'http://terminology.hl7.org/CodeSystem/object-role', code: '3' },
      lifecycle: {
        system: 'http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle',
        code: '7',
        display: 'De-identification',
      },
      name: '2.25.1003',
      detail: [{ type: 'NumberOfInstances', valueString: '3' }],
    })
  })
})

describe('a syslog frame', () => {
  const header: SyslogHeader = {
    at: '2026-11-23T15:33:27.042Z',
    host: 'pacs.example.org',
    app: 'roentgate',
    process: '17',
  }

  it('counts its octets', () => {
    const frame = syslogFrame('<a>\u00fc</a>', header)
    const message =
      '<85>1 2026-11-23T15:33:27.042Z pacs.example.org roentgate 17 DICOM+RFC3881 - \ufeff<a>\u00fc</a>'
    assert.equal(frame.toString(), `${Buffer.byteLength(message)} ${message}`)
  })
  it('writes what it does not know as nil, and the severity it is told', () => {
    const { process: _, ...rest } = header
    assert.match(syslogFrame('', { ...rest, severity: 2 }).toString(), /<82>1 \S+ \S+ \S+ - DICOM/)
  })
  const bad: readonly [string, SyslogHeader][] = [
    ['a space in the host', { ...header, host: 'a b' }],
    ['a line feed in the app', { ...header, app: 'a\nb' }],
    ['a long app', { ...header, app: 'a'.repeat(49) }],
    ['a host that is not ASCII', { ...header, host: '\u00fc' }],
    ['no time', { ...header, at: 'now' }],
  ]
  for (const [what, one] of bad) {
    it(`is not made with ${what}`, () => {
      assert.throws(
        () => syslogFrame('', one),
        (error: AuditError) => error.code === 'BAD_HEADER',
      )
    })
  }
})
