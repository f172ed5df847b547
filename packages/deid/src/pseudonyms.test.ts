// Pseudonyms: determinism, separation of domains and keys, shape, uniformity.

import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Keyed, PseudonymDomain } from './model.ts'
import {
  dateOffsetDays,
  hasValidCheck,
  isPatientIdForm,
  isVariantId,
  type PatientIdentity,
  patientKey,
  patientPseudonym,
  pseudonymUid,
  shortPseudonym,
} from './pseudonyms.ts'

function keyOf(secret: string): Keyed {
  return (domain, value) => createHmac('sha256', secret).update(`${domain}\0${value}`).digest()
}
const keyed = keyOf('a')
const FORM = { prefix: 'RG-', digits: 10, check: true }
const ANYBODY: PatientIdentity = { patientId: '', issuer: '', name: '', birthDate: '', studyUid: '1.2.3' }

test('a UID is a UUIDv8 under 2.25, by value, whatever its padding', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 2000; i++) {
    const uid = pseudonymUid(keyed, `1.2.3.${i}`)
    seen.add(uid)
    assert.match(uid, /^2\.25\.[1-9][0-9]{0,38}$/)
    const hex = BigInt(uid.slice(5)).toString(16).padStart(32, '0')
    assert.equal(hex[12], '8')
    assert.match(hex[16] ?? '', /[89ab]/)
  }
  assert.equal(seen.size, 2000)
  assert.equal(pseudonymUid(keyed, '1.2.3\0'), pseudonymUid(keyed, '1.2.3'))
  assert.equal(pseudonymUid(keyed, ' 1.2.3 '), pseudonymUid(keyed, '1.2.3'))
  assert.notEqual(pseudonymUid(keyed, '1.2.3'), pseudonymUid(keyOf('b'), '1.2.3'))
})

test('a digest full of zeros still gives a UID without leading zero', () => {
  assert.match(
    pseudonymUid(() => new Uint8Array(32), '1.2'),
    /^2\.25\.[1-9]/,
  )
})

test('a patient code fits LO, names a folder and checks itself', () => {
  for (let digits = 4; digits <= 40; digits++) {
    for (const prefix of ['', 'RG-', 'STUDY_07-']) {
      const form = { prefix, digits, check: true }
      const code = patientPseudonym(keyed, `id\u001f\u001f${digits}`, form)
      assert.ok(code.length <= 64)
      assert.match(code, /^[A-Za-z0-9_-]+$/)
      assert.ok(hasValidCheck(code))
      assert.equal(code.slice(prefix.length).replace(/-/g, '').length, digits + 1)
    }
  }
})

test('the check character finds every single wrong character and every neighbour swap', () => {
  const code = patientPseudonym(keyed, 'x', FORM)
  for (let i = 0; i < code.length - 2; i++) {
    for (const wrong of '0123456789ABCDEFGHJKMNPQRSTVWXYZ') {
      if (code[i] === '-' || code[i] === wrong) continue
      assert.ok(!hasValidCheck(code.slice(0, i) + wrong + code.slice(i + 1)))
    }
  }
  // ISO 7064's own example for MOD 37,36.
  assert.ok(hasValidCheck('A12425GABC1234002-M'))
})

test('forms that cannot be written are refused', () => {
  for (const bad of [
    { prefix: 'A/B', digits: 8 },
    { prefix: '-', digits: 8 },
    { prefix: '..', digits: 8 },
    { prefix: 'x', digits: 3 },
    { prefix: 'x', digits: 41 },
    { prefix: 'x'.repeat(60), digits: 8 },
  ]) {
    assert.ok(!isPatientIdForm({ ...bad, check: true }))
    assert.throws(() => patientPseudonym(keyed, 'k', { ...bad, check: true }), RangeError)
  }
})

test('who is the same patient', () => {
  const same = (a: Partial<PatientIdentity>, b: Partial<PatientIdentity>) =>
    patientKey({ ...ANYBODY, ...a }) === patientKey({ ...ANYBODY, ...b })
  assert.ok(same({ patientId: 'ab 12', studyUid: '1' }, { patientId: ' AB  12\0', studyUid: '2' }))
  assert.ok(!same({ patientId: '12' }, { patientId: '0012' }))
  assert.ok(!same({ patientId: '12', issuer: 'A' }, { patientId: '12', issuer: 'B' }))
  assert.ok(
    same(
      { name: 'DOE^JANE^^', birthDate: '19700101', studyUid: '1' },
      { name: 'Doe^Jane', birthDate: '1970.01.01' },
    ),
  )
  assert.ok(!same({ name: 'DOE^JANE', birthDate: '19700101' }, { name: 'DOE^JANE', birthDate: '19700102' }))
  assert.ok(!same({ name: 'DOE^JANE', studyUid: '1' }, { name: 'DOE^JANE', studyUid: '2' }))
  assert.ok(!same({ studyUid: '1' }, { studyUid: '2' }))
  assert.ok(isVariantId(' a1'))
  assert.ok(!isVariantId('A1'))
})

test('short pseudonyms fit, differ by domain, and leave blanks blank', () => {
  const domains: readonly PseudonymDomain[] = ['accession', 'device-serial', 'study-id', 'person', 'other-id']
  for (const domain of domains) {
    for (const maxLength of [1, 4, 16, 64]) {
      const code = shortPseudonym(keyed, { domain, value: '4711', maxLength })
      assert.ok(code.length > 0 && code.length <= maxLength)
      assert.match(code, /^[A-Z](erson-)?[0-9A-Z]*$/)
    }
    assert.equal(shortPseudonym(keyed, { domain, value: ' \0', maxLength: 16 }), '')
  }
  assert.equal(
    new Set(domains.map((d) => shortPseudonym(keyed, { domain: d, value: '1', maxLength: 16 }).slice(-8)))
      .size,
    5,
  )
  assert.match(
    shortPseudonym(keyed, { domain: 'person', value: 'DOE^J', maxLength: 64 }),
    /^Person-[0-9A-Z]{8}$/,
  )
})

test('the offset is in [-max, -1], deterministic, and uniform', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 0xffff }), (id, max) => {
      const days = dateOffsetDays(keyed, id, max)
      return days <= -1 && days >= -max && days === dateOffsetDays(keyed, id, max)
    }),
  )
  const counts = new Array<number>(10).fill(0)
  for (let i = 0; i < 20_000; i++) {
    const bin = -dateOffsetDays(keyed, `p${i}`, 10) - 1
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  // 2000 expected; six standard deviations are 255.
  for (const count of counts) assert.ok(Math.abs(count - 2000) < 255)
})

test('a word above the last whole multiple is refused', () => {
  const high = new Uint8Array(32).fill(0xff)
  high.set([0, 0, 0, 5], 4)
  assert.equal(
    dateOffsetDays(() => high, 'p', 1000),
    -6,
  )
})
