// Dates in free text: what is one, what is none, and how each is written again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dateSpellings, formatDa, fromDays, shiftDa, toDays } from '../dates.ts'
import { findDates, removeDatesInText, shiftDatesInText } from './dates.ts'

/** text, the text moved by -30 days. */
const DATES: readonly (readonly [string, string])[] = [
  ['20190521', '20190421'],
  ['2019-05-21', '2019-04-21'],
  ['2019.05.21', '2019.04.21'],
  ['2019/05/21', '2019/04/21'],
  ['2019_05_21', '2019_04_21'],
  ['2019 05 21', '2019 04 21'],
  ['05/21/2019', '04/21/2019'],
  ['5/21/2019', '4/21/2019'],
  ['21/05/2019', '21/04/2019'],
  ['21.05.2019', '21.04.2019'],
  ['21-05-2019', '21-04-2019'],
  ['05-21-2019', '04-21-2019'],
  ['05/21/19', '04/21/19'],
  ['21.05.19', '21.04.19'],
  ['21-May-2019', '21-Apr-2019'],
  ['21-May-19', '21-Apr-19'],
  ['21 May 2019', '21 Apr 2019'],
  ['21st of June 2019', '22st of May 2019'],
  ['June 21, 2019', 'May 22, 2019'],
  ['May 21, 2019', 'Apr 21, 2019'],
  ['21MAY2019', '21APR2019'],
  ['12-AUG-1970', '13-JUL-1970'],
  ['2019-May-21', '2019-Apr-21'],
  ['21. März 2019', '19. Februar 2019'],
  ['21 août 2019', '22 juillet 2019'],
  ['21 de mayo de 2019', '21 de abril de 2019'],
  ['2019年5月21日', '2019年4月21日'],
  ['2019년 5월 21일', '2019년 4월 21일'],
  ['Tue May 21 10:30:00 2019', 'Tue Apr 21 10:30:00 2019'],
  ['2019-05-21T14:30:22Z', '2019-04-21T14:30:22Z'],
  ['20190521143022', '20190421143022'],
  ['20190521_143022', '20190421_143022'],
  ['20190521.143022', '20190421.143022'],
  ['CT_20190521_Thorax.dcm', 'CT_20190421_Thorax.dcm'],
  ['compared to 05/21/2019 and 20190522.', 'compared to 04/21/2019 and 20190422.'],
  ['03/01/2020', '01/31/2020'],
  ['1/5/2019', '12/6/2018'],
  ['01.05.2019', '01.04.2019'],
  ['scan 2019-05-21.', 'scan 2019-04-21.'],
]

const NO_DATES: readonly string[] = [
  '1.2.840.10008.5.1.4.1.1.2',
  '1.3.12.2.1107.5.1.4.12345.30000019052110300000000',
  '1.2.840.113619.20190521.12',
  '2.25.20190521123456',
  'VB17A 10.12.15',
  'version 4.10.12',
  'Software v12.10.02',
  'syngo 5.3.1',
  '3.1.2',
  '12345678',
  '20191399',
  '20190230',
  '18490101',
  '120190521',
  '201905210',
  '512\\512',
  '0.20190521',
  '1/2/3',
  '10:30:45',
  '5.0 mm x 3',
  '100-200-300',
  '1-2-3',
  'L4-L5',
  'Series 3 of 12',
  'May',
  'march 3 slices',
  'TE 20 mar 100',
  '256 256 12',
  '2019',
  '31/31/2019',
]

test('each spelling is found and written again as it was', () => {
  for (const [text, expected] of DATES) {
    assert.equal(shiftDatesInText(text, -30), expected)
    assert.ok(!/2019/.test(removeDatesInText(text, '')), text)
  }
})

test('what is no date stays', () => {
  for (const text of NO_DATES) {
    assert.deepEqual(findDates(text), [], text)
    assert.equal(shiftDatesInText(text, -30), text)
  }
})

test('ambiguous order is marked', () => {
  assert.equal(findDates('05/06/2019')[0]?.ambiguous, true)
  assert.deepEqual(findDates('05/06/2019')[0]?.date, { year: 2019, month: 5, day: 6 })
  assert.deepEqual(findDates('05/06/2019')[0]?.other, { year: 2019, month: 6, day: 5 })
  assert.equal(findDates('05/21/2019')[0]?.ambiguous, false)
  assert.equal(findDates('05/05/2019')[0]?.ambiguous, false)
  assert.deepEqual(findDates('05.06.2019')[0]?.date, { year: 2019, month: 6, day: 5 })
})

const day = fc
  .integer({ min: toDays({ year: 1950, month: 1, day: 1 }), max: toDays({ year: 2049, month: 12, day: 31 }) })
  .map((n) => formatDa(fromDays(n), ''))

test('every spelling of every date but the orders without separators is found in text', () => {
  fc.assert(
    fc.property(day, (da) => {
      for (const spelling of dateSpellings(da)) {
        if (/^\d{8}$/.test(spelling) && spelling !== da) continue
        // One digit and a two-digit year with dots or hyphens may be a version.
        if (/^\d{1,2}([-.])\d{1,2}\1\d{1,2}$/.test(spelling) && !/^\d\d.\d\d.\d\d$/.test(spelling)) continue
        if (spelling.startsWith(da.slice(2, 4)) && /^\d\d\D\d\d\D\d\d$/.test(spelling)) continue
        const text = `seen ${spelling} again`
        assert.equal(removeDatesInText(text, '#'), 'seen # again', spelling)
      }
    }),
    { numRuns: 100 },
  )
})

test('shifted and shifted back is the text again', () => {
  fc.assert(
    fc.property(day, fc.integer({ min: -3000, max: -1 }), (da, days) => {
      const iso = `${da.slice(0, 4)}-${da.slice(4, 6)}-${da.slice(6)}`
      const text = `on ${iso}, again ${da}`
      const moved = shiftDatesInText(text, days)
      assert.ok(moved.includes(shiftDa(da, days) ?? '?'))
      assert.equal(shiftDatesInText(moved, -days), text)
    }),
  )
})
