// Patterns: what must go, what must stay.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { findPatterns } from './patterns.ts'

const REMOVED: readonly (readonly [kind: string, text: string, found: string])[] = [
  ['phone', 'call (217) 555-0142 now', '(217) 555-0142'],
  ['phone', '217-555-0142', '217-555-0142'],
  ['phone', '217.555.0142', '217.555.0142'],
  ['phone', '+1 217 555 0142', '+1 217 555 0142'],
  ['phone', '1-217-555-0142', '1-217-555-0142'],
  ['phone', '+49 (0)30 1234567', '+49 (0)30 1234567'],
  ['phone', '+33 1 42 68 53 00', '+33 1 42 68 53 00'],
  ['phone', 'Tel: 0171 1234567', '0171 1234567'],
  ['phone', 'phone 555-0142', '555-0142'],
  ['phone', 'Fax no. 020 7946 0958', '020 7946 0958'],
  ['email', 'mail jane.doe@example.org.', 'jane.doe@example.org'],
  ['email', 'a_b+c@x-y.co.uk', 'a_b+c@x-y.co.uk'],
  ['ssn', 'SSN 078-05-1120', '078-05-1120'],
  ['ssn', '078-05-1120', '078-05-1120'],
  ['ssn', 'SSN: 078051120', '078051120'],
  ['url', 'see https://pacs.example.org/studies/1?x=2 there', 'https://pacs.example.org/studies/1?x=2'],
  ['url', 'www.example.org/x', 'www.example.org/x'],
  ['ip', 'from 192.168.10.44', '192.168.10.44'],
  ['ip', 'IP: 5.6.7.8', '5.6.7.8'],
  ['ip', '10.1.22.3', '10.1.22.3'],
  ['ip', '2001:db8:0:0:0:0:2:1', '2001:db8:0:0:0:0:2:1'],
  ['ip', 'fe80::1ff:fe23:4567:890a', 'fe80::1ff:fe23:4567:890a'],
  ['mac', '00:1A:2B:3C:4D:5E', '00:1A:2B:3C:4D:5E'],
  ['id', 'MRN: 123456', '123456'],
  ['id', 'MRN 123456', '123456'],
  ['id', 'Patient ID 1234', '1234'],
  ['id', 'PatientID=AB-1234', 'AB-1234'],
  ['id', 'Acc# A123', 'A123'],
  ['id', 'Accession 20190001', '20190001'],
  ['id', 'ID: 4455667', '4455667'],
  ['id', 'Medical Record Number: X99812', 'X99812'],
  ['person', 'Dr. Smithers saw', 'Smithers'],
  ['person', 'Dr Smithers', 'Smithers'],
  ['person', 'Mr John Doerr was', 'John Doerr'],
  ['person', 'DR. SMITHERS', 'SMITHERS'],
  ['person', 'Pt: Doerr, John', 'Doerr, John'],
  ['person', 'Patient: DOERR^JOHN', 'DOERR^JOHN'],
  ['person', 'Patient Name: Jane Q. Doerr', 'Jane Q. Doerr'],
  ['person', 'Dr. J. Doerr', 'J. Doerr'],
  ['person', 'Referring: Doerr', 'Doerr'],
  ['person', 'Read by Jane Doerr', 'Jane Doerr'],
  ['person', 'Frau Müllerin Chest', 'Müllerin'],
  ['zip', 'Boston, MA 02115', '02115'],
  ['zip', 'Boulder CO 80303-1234', '80303-1234'],
  ['address', 'at 742 Evergreen Street', '742 Evergreen Street'],
  ['address', 'Hauptstraße 12', 'Hauptstraße 12'],
]

const KEPT: readonly string[] = [
  '1.2.840.10008.5.1.4.1.1.2',
  '1.3.12.2.1107.5.1.4.50585.4.0.7023259421321855',
  '2.25.123456789012345678901234567890',
  '512\\512',
  '120 kVp',
  '120kV 200mAs',
  'T1_SE_TRA',
  'ORIGINAL PRIMARY AXIAL',
  'ORIGINAL\\PRIMARY\\AXIAL\\CT_SOM5 SPI',
  '5.0 mm x 3',
  'L4-L5',
  'Series 3 of 12',
  'W:400 L:40',
  'MR HEAD',
  'MR Brain W/O',
  'DR CHEST PA',
  'PT WB',
  'MS protocol',
  'CT 12345',
  'PA 12345',
  'MR 54321',
  'syngo MR B17',
  'syngo 11.0.0.9',
  'version 5.4.3.2',
  'VB17A 10.12.15.16',
  'v10.0.0.1',
  '12:30:45',
  '12:30:45:10',
  'a::b',
  '0.625\\0.625',
  '-123.456\\-234.567\\100.5',
  '256 256 1024',
  '1000-2000-3000',
  '100-200-3000',
  '+120 +450 -20',
  '+1000',
  'Patient: Head First Supine',
  'Patient Position HFS',
  'Protocol Name: T1_SE',
  'Series Name: Axial',
  'Coil ID: 12345',
  'Acc factor 2',
  'acc. factor 2.5',
  'case 3',
  'HEAD 2.0 H31s',
  'TE 90 TR 4000 FA 90',
  'b=1000 s/mm2',
  'ep_b50_400_800',
  '20190521',
  'http://www.w3.org/2001/XMLSchema',
  'Performed by technologist',
  'Dr. Chest',
  'Mr Chest',
  'the patient was supine',
  'GE MEDICAL SYSTEMS',
  'Lossy 10:1',
  '3 Chest Ct',
  '[REMOVED]',
  'Name: [REMOVED]',
  'Dr. [REMOVED]',
  'MRN: [REMOVED]',
]

test('what gives itself away is found, and only it', () => {
  for (const [kind, text, found] of REMOVED) {
    const spans = findPatterns(text)
    assert.deepEqual(
      spans.map((span) => [span.kind, text.slice(span.start, span.end)]),
      [[kind, found]],
      text,
    )
  }
})

test('technical text stays', () => {
  for (const text of KEPT) {
    const found = findPatterns(text).map(({ kind, start, end }) => `${kind} ${text.slice(start, end)}`)
    assert.deepEqual(found, [], text)
  }
})

test('no text takes long', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'0123456789.-:/ @aDrMt^+()'), maxLength: 400 }),
      (text) => {
        const started = performance.now()
        findPatterns(text)
        return performance.now() - started < 200
      },
    ),
  )
  for (const piece of ['1', '1.', '1-', 'a', 'A ', 'a@', '1:', '(1', 'Dr. ', 'tel ']) {
    const started = performance.now()
    findPatterns(piece.repeat(10_000))
    assert.ok(performance.now() - started < 1500, piece)
  }
})
