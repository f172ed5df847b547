// Date arithmetic: vectors and properties.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  ageInYears,
  dateSpellings,
  formatDa,
  fromDays,
  isCivilDate,
  shiftDa,
  shiftDt,
  toDays,
  yearOnlyDa,
  yearOnlyDt,
} from './dates.ts'

const DA: readonly (readonly [string, number, string | undefined])[] = [
  ['20190521', -1, '20190520'],
  ['20190521 ', -21, '20190430'],
  ['20200301', -1, '20200229'],
  ['20190301', -1, '20190228'],
  ['19000301', -1, '19000228'],
  ['20000301', -1, '20000229'],
  ['20200229', -366, '20190228'],
  ['1993.08.22', -22, '1993.07.31'],
  ['20190101-20190110', -1, '20181231-20190109'],
  ['20190101-', -1, '20181231-'],
  ['-20190101', -1, '-20181231'],
  ['00010101', -1, undefined],
  ['99991231', 1, undefined],
  ['00010102', -1, '00010101'],
  ['00000101', 5, undefined],
  ['', -5, ''],
  ['  \0', -5, ''],
  ['-', -1, undefined],
  ['20190229', -1, undefined],
  ['20191301', -1, undefined],
  ['2019', -1, undefined],
  ['201905', -1, undefined],
  ['2019-05-21', -1, undefined],
  ['1993.0822', -1, undefined],
  ['ABCDEFGH', -1, undefined],
]

const DT: readonly (readonly [string, number, string | undefined])[] = [
  ['20190521143022.123456+0100', -1, '20190520143022.123456+0100'],
  ['20190521143022-0500', -21, '20190430143022-0500'],
  ['20190521143022', 1, '20190522143022'],
  ['201905211430', 1, '201905221430'],
  ['2019052114', 1, '2019052214'],
  ['20190521', 1, '20190522'],
  ['201905', -1, '201904'],
  ['2019', -1, '2018'],
  ['2019+0100', -1, '2018+0100'],
  ['20190521143022.1', 1, '20190522143022.1'],
  ['20190101-20190110', -1, '20181231-20190109'],
  ['20190101000000-0500-20190102000000-0500', 1, '20190102000000-0500-20190103000000-0500'],
  ['20190521-', 1, '20190522-'],
  ['-20190521', 1, '-20190522'],
  ['2018-2020', -1, '2017-2019'],
  ['', -1, ''],
  ['-', -1, undefined],
  ['20190521243022', 1, undefined],
  ['20190521.123', 1, undefined],
  ['20190521143022+1500', 1, undefined],
  ['2019-05-21', 1, undefined],
]

test('DA moves, or is undefined', () => {
  for (const [value, days, expected] of DA) assert.equal(shiftDa(value, days), expected, value)
})

test('DT moves at its precision and keeps its offset', () => {
  for (const [value, days, expected] of DT) assert.equal(shiftDt(value, days), expected, value)
})

const day = fc.integer({
  min: toDays({ year: 1, month: 1, day: 1 }),
  max: toDays({ year: 9999, month: 12, day: 31 }),
})
const offset = fc.integer({ min: -40_000, max: 40_000 })

test('every day number is one civil date and back, as Date has it', () => {
  fc.assert(
    fc.property(day, (n) => {
      const date = fromDays(n)
      const iso = new Date(n * 86_400_000).toISOString()
      return isCivilDate(date) && toDays(date) === n && iso.startsWith(formatDa(date, '-'))
    }),
    { numRuns: 2000 },
  )
})

test('intervals are exact and shifting back gives the value again', () => {
  const numberOf = (da: string) =>
    toDays({ year: Number(da.slice(0, 4)), month: Number(da.slice(4, 6)), day: Number(da.slice(6)) })
  fc.assert(
    fc.property(day, day, offset, (a, b, shift) => {
      const first = formatDa(fromDays(a), '')
      const second = formatDa(fromDays(b), '')
      const movedFirst = shiftDa(first, shift)
      const movedSecond = shiftDa(second, shift)
      if (movedFirst === undefined || movedSecond === undefined) return true
      assert.equal(numberOf(movedSecond) - numberOf(movedFirst), b - a)
      assert.equal(shiftDa(movedFirst, -shift), first)
      assert.equal(shiftDt(`${first}093000.5+0200`, shift), `${movedFirst}093000.5+0200`)
      return true
    }),
    { numRuns: 2000 },
  )
})

test('a year alone', () => {
  assert.equal(yearOnlyDa('20190521'), '20190101')
  assert.equal(yearOnlyDa('1993.08.22'), '1993.01.01')
  assert.equal(yearOnlyDa('20191399'), undefined)
  assert.equal(yearOnlyDa(''), '')
  assert.equal(yearOnlyDt('20190521143022.5+0100'), '20190101')
  assert.equal(yearOnlyDt('201905'), '20190101')
  assert.equal(yearOnlyDt('x'), undefined)
})

test('full years of age', () => {
  assert.equal(ageInYears('19300522', '20200521'), 89)
  assert.equal(ageInYears('19300521', '20200521'), 90)
  assert.equal(ageInYears('', '20200521'), undefined)
})

test('the spellings of a known date', () => {
  const spellings = new Set(dateSpellings('20190521'))
  for (const expected of [
    '20190521', '2019-05-21', '2019.05.21', '2019/05/21', '05/21/2019', '5/21/2019', '21/05/2019', '21.05.2019',
    '21-05-2019', '05-21-2019', '05/21/19', '21-may-2019', '21 may 2019', 'may 21, 2019', '21may2019', '05212019',
  ]) // biome-ignore format: one table
    assert.ok(spellings.has(expected), expected)
  assert.ok(dateSpellings('19700812').includes('12-aug-1970'))
  assert.deepEqual(dateSpellings('not a date'), [])
})
