// Audit messages against PS3.15: the schema of A.5.1 by xmllint, the tables of A.5.3 as a table here, escaping by property.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { entries } from '../arbitrary.test.ts'
import type { Entry } from '../entry.ts'
import { DCM, EVENTS, type EventName } from '../events.ts'
import { plainEntry } from '../forge.ts'
import { dicomAuditMessage } from './dicom.ts'
import { type Context, reportOf } from './report.ts'
import { element, escapeXml } from './xml.ts'

const CONTEXT: Context = {
  source: { id: 'roentgate-1', site: 'St. Mary & <Sons>' },
  application: {
    id: 'gateway@pacs.example.org',
    name: 'Roentgate',
    aeTitles: ['RG_IN', 'RG_OUT'],
    address: '10.0.0.2',
  },
  ledger: 'https://pacs.example.org/ledger',
}
const SCHEMA = join(import.meta.dirname, 'audit-message.rng')
const hasXmllint = spawnSync('xmllint', ['--version']).status === 0
const names = Object.keys(EVENTS) as EventName[]

function example(event: EventName, change: Partial<Entry> = {}): Entry {
  return plainEntry(7, {
    event,
    action: EVENTS[event].actions[0] ?? 'E',
    actor: { kind: 'node', id: 'CT-1', address: 'ct1.example.org', role: 'modality' },
    objects: [
      { kind: 'study', id: '2.25.1', count: 4 },
      { kind: 'patient', id: 'p-1' },
      { kind: 'query', id: '1.2.840.10008.5.1.4.1.2.2.1' },
    ],
    detail: {
      aet: 'CT1',
      'sop-class': '1.2.840.10008.5.1.4.1.1.2',
      query: 'PatientID',
      media: 'dvd',
      reason: 'x<y',
    },
    ...change,
  })
}

/** [event, EventID, EventTypeCode, each participant: roles, and ! for the requestor]; A.5.3.x beside it. */
const TABLE: readonly (readonly [EventName, number, readonly number[], readonly string[]])[] = [
  ['application-start', 110100, [110120], ['110150', '!110151']], // A.5.3.1
  ['application-stop', 110100, [110121], ['110150', '!110151']],
  ['audit-log-used', 110101, [], ['!', '']], // A.5.3.2
  ['begin-transferring', 110102, [], ['110153', '!110152']], // A.5.3.3
  ['export', 110106, [], ['!110153', '110153', '110154']], // A.5.3.4
  ['import', 110107, [], ['!110152', '110152', '110155']], // A.5.3.5
  ['instances-accessed', 110103, [], ['!', '']], // A.5.3.6
  ['instances-transferred', 110104, [], ['!110153', '110152']], // A.5.3.7
  ['study-deleted', 110105, [], ['!', '']], // A.5.3.8
  ['network-attach', 110108, [110124], ['']], // A.5.3.9
  ['network-detach', 110108, [110125], ['']],
  ['query', 110112, [], ['!110153', '110152']], // A.5.3.10
  ['node-authentication', 110113, [110126], ['', '']], // A.5.3.11
  ['emergency-override-started', 110113, [110127], ['', '']],
  ['login', 110114, [110122], ['!', '']], // A.5.3.12
  ['logout', 110114, [110123], ['!', '']],
  ['order-record', 110109, [], ['!', '']], // A.5.3.13
  ['patient-record', 110110, [], ['!', '']], // A.5.3.14
  ['procedure-record', 110111, [], ['!', '']], // A.5.3.15
]

/** PS3.15 A.5.3: EventActionCode by EventID. */
const ACTIONS: Readonly<Record<number, string>> = {
  110100: 'E',
  110101: 'R',
  110102: 'E',
  110103: 'CRUD',
  110104: 'CRU',
  110105: 'D',
  110106: 'R',
  110107: 'C',
  110108: 'E',
  110109: 'CRUD',
  110110: 'CRUD',
  110111: 'CRUD',
  110112: 'E',
  110113: 'E',
  110114: 'E',
}

describe('an audit message', () => {
  for (const [event, id, types, parties] of TABLE) {
    it(`of ${event} is as its table says`, () => {
      const report = reportOf(example(event), CONTEXT)
      assert.deepEqual(report.id, { code: String(id), system: 'DCM', meaning: DCM[id as keyof typeof DCM] })
      assert.deepEqual(
        report.types.map(({ code }) => Number(code)),
        types,
      )
      const found = report.parties.map(({ isRequestor, roles }) => {
        const parts = roles.filter(({ system }) => system === 'DCM').map(({ code }) => code)
        return (isRequestor ? '!' : '') + parts.join()
      })
      assert.deepEqual(found, parties)
    })
  }

  it('has no other actions than A.5.3 allows, and every one of them', () => {
    for (const name of names) {
      const { id, actions, ours } = EVENTS[name]
      const allowed = ACTIONS[id] ?? ''
      assert.ok(
        actions.every((action) => allowed.includes(action)),
        name,
      )
      assert.ok(ours || actions.join('') === allowed, name)
    }
  })

  it('says both the event of the standard and ours', () => {
    const report = reportOf(example('key-rotated'), CONTEXT)
    assert.deepEqual(
      [report.id, ...report.types].map(({ code, system }) => `${system} ${code}`),
      ['DCM 110113', 'DCM 110129', '99ROENTGATE key-rotated'],
    )
  })

  it('is written as the example of PS3.17 WW is', () => {
    const entry = example('instances-transferred', {
      objects: [{ kind: 'study', id: '2.25.1', count: 4 }],
      detail: { aet: 'CT1', 'sop-class': '1.2.3' },
    })
    const coded = (name: string, code: string, text: string) =>
      `<${name} csd-code="${code}" codeSystemName="DCM" originalText="${text}"/>`
    const xml = dicomAuditMessage(entry, CONTEXT)
    assert.ok(
      xml.startsWith(
        '<?xml version="1.0" encoding="UTF-8"?><AuditMessage><EventIdentification EventActionCode="C" EventDateTime="2026-01-01T00:07:00.000Z" EventOutcomeIndicator="0">',
      ),
    )
    assert.ok(xml.includes(coded('EventID', '110104', 'DICOM Instances Transferred')))
    assert.ok(
      xml.includes(
        `<ActiveParticipant UserID="CT-1" AlternativeUserID="AETITLES=CT1" UserIsRequestor="true" NetworkAccessPointID="ct1.example.org" NetworkAccessPointTypeCode="1">${coded('RoleIDCode', '110153', 'Source Role ID')}`,
      ),
    )
    assert.ok(
      xml.includes(
        `UserID="gateway@pacs.example.org" AlternativeUserID="AETITLES=RG_IN;RG_OUT" UserName="Roentgate" UserIsRequestor="false" NetworkAccessPointID="10.0.0.2" NetworkAccessPointTypeCode="2">`,
      ),
    )
    assert.ok(
      xml.includes(
        '<AuditSourceIdentification AuditEnterpriseSiteID="St. Mary &#38; &#60;Sons&#62;" AuditSourceID="roentgate-1"><AuditSourceTypeCode csd-code="4"/>',
      ),
    )
    assert.ok(
      xml.includes(
        `<ParticipantObjectIdentification ParticipantObjectID="2.25.1" ParticipantObjectTypeCode="2" ParticipantObjectTypeCodeRole="3">${coded('ParticipantObjectIDTypeCode', '110180', 'Study Instance UID')}`,
      ),
    )
    assert.ok(xml.includes('<SOPClass UID="1.2.3" NumberOfInstances="4"/>'))
  })

  it('has each outcome of A.5.2', () => {
    const outcomes = (['success', 'minor', 'serious', 'major'] as const).map((outcome) => {
      const { outcome: code, outcomeText } = reportOf(example('export', { outcome }), CONTEXT)
      return [code, outcomeText]
    })
    assert.deepEqual(outcomes, [
      ['0', undefined],
      ['4', 'x<y'],
      ['8', 'x<y'],
      ['12', 'x<y'],
    ])
  })

  it('names the destination of a move beside who asked for it', () => {
    const { parties } = reportOf(example('begin-transferring', { detail: { destination: 'WS2' } }), CONTEXT)
    assert.deepEqual(
      parties.map(({ userId, isRequestor }) => [userId, isRequestor]),
      [
        ['gateway@pacs.example.org', false],
        ['WS2', false],
        ['CT-1', true],
      ],
    )
  })

  it('tells the Patient ID to whom the context lets know it', () => {
    const identify = ({ kind }: { kind: string }) =>
      kind === 'patient' ? { id: 'MRN 1', name: 'Doe^J' } : undefined
    const patient = (context: Context) =>
      reportOf(example('export'), context).things.find(({ type }) => type === '1')
    assert.deepEqual([patient(CONTEXT)?.id, patient(CONTEXT)?.label], ['p-1', { name: 'p-1' }])
    assert.deepEqual(
      [patient({ ...CONTEXT, identify })?.id, patient({ ...CONTEXT, identify })?.label],
      ['MRN 1', { name: 'Doe^J' }],
    )
  })

  it('leads back to its entry, or names the log that was read', () => {
    assert.equal(reportOf(example('login'), CONTEXT).things.at(-1)?.id, 'https://pacs.example.org/ledger#7')
    const log = reportOf(example('audit-log-used'), CONTEXT).things.at(-1)
    assert.deepEqual(
      [log?.id, log?.role, log?.label],
      ['https://pacs.example.org/ledger', '13', { name: 'Security Audit Log' }],
    )
  })

  it('never has two requestors', () => {
    fc.assert(
      fc.property(entries(), (entry) => {
        assert.ok(reportOf(entry, CONTEXT).parties.filter(({ isRequestor }) => isRequestor).length <= 1)
      }),
    )
  })

  it('is valid by the schema of A.5.1, whatever the entry', {
    skip: !hasXmllint && process.env.CI !== 'true' && 'xmllint is not installed',
  }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'audit-'))
    try {
      const some = [
        ...names.map((event) => example(event)),
        ...names.map((event) => example(event, { objects: [], detail: {} })),
        ...fc.sample(entries(), 150),
      ]
      const files = some.map((entry, i) => {
        const path = join(folder, `${i}.xml`)
        writeFileSync(path, dicomAuditMessage(entry, CONTEXT))
        return path
      })
      const run = spawnSync('xmllint', ['--noout', '--nonet', '--relaxng', SCHEMA, ...files], {
        encoding: 'utf8',
      })
      assert.equal(
        run.status,
        0,
        run.stderr
          .split('\n')
          .filter((line) => !line.endsWith(' validates'))
          .slice(0, 5)
          .join('\n'),
      )
      writeFileSync(
        join(folder, 'bad.xml'),
        dicomAuditMessage(example('login'), CONTEXT).replace('EventID', 'EventName'),
      )
      assert.notEqual(
        spawnSync('xmllint', ['--noout', '--relaxng', SCHEMA, join(folder, 'bad.xml')]).status,
        0,
      )
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe('escaping', () => {
  it('leaves nothing that could be markup, and loses nothing', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const escaped = escapeXml(text)
        assert.doesNotMatch(escaped, /[<>"'\t\r\n]|&(?!#\d+;)/)
        const back = escaped.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
        assert.equal(back, text.toWellFormed().replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd'))
      }),
    )
  })
  it('happens in attributes', () => {
    assert.equal(element('a', { b: '"/><c d=\'', e: undefined }), '<a b="&#34;/&#62;&#60;c d=&#39;"/>')
  })
})
