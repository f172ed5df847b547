// Searches as the standard's examples and viewers write them, and what is refused.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keywords, type Tag, Tags, tagOf } from '@roentgate/dicom'
import fc from 'fast-check'
import { WebError } from './errors.ts'
import { parseQuery, type Query, type Test } from './query.ts'

const ask = (text: string): Query => parseQuery(new URLSearchParams(text))
const single = (...values: readonly string[]): readonly Test[] =>
  values.map((value) => ({ kind: 'single', value }))
const pattern = (...patterns: readonly string[]): readonly Test[] =>
  patterns.map((each) => ({ kind: 'pattern', pattern: each }))
const range = (from?: string, to?: string): readonly Test[] => [{ kind: 'range', from, to }]

/** [query, path, VR, tests]. */
const MATCHES: readonly (readonly [string, readonly Tag[], string, readonly Test[]])[] = [
  // 8.3.4.1 and 10.6: the standard's own
  ['PatientID=11235813', [Tags.PatientID], 'LO', single('11235813')],
  ['00100010=SMITH*', [Tags.PatientName], 'PN', pattern('SMITH*')],
  ['00100010=SMITH*&00101002.00100020=11235813', [Tags.OtherPatientIDsSequence, Tags.PatientID], 'LO', single('11235813')],
  ['StudyDate=20130509', [Tags.StudyDate], 'DA', single('20130509')],
  ['StudyInstanceUID=1.2.392.200036.9116.2.2.2.2162893313.1029997326.94587%2C1.2.392.200036.9116.2.2.2.2162893313.1029997326.94588', [Tags.StudyInstanceUID], 'UI', single('1.2.392.200036.9116.2.2.2.2162893313.1029997326.94587', '1.2.392.200036.9116.2.2.2.2162893313.1029997326.94588')],
  ['0020000D=1.2\\1.3', [Tags.StudyInstanceUID], 'UI', single('1.2', '1.3')],
  ['0020000d=1.2,1.3\\01.4, ', [Tags.StudyInstanceUID], 'UI', single('1.2', '1.3', '01.4')],
  ['00400275.00400009=x', [Tags.RequestAttributesSequence, Tags.ScheduledProcedureStepID], 'SH', single('x')],
  ['RequestAttributesSequence.ScheduledProcedureStepID=x', [Tags.RequestAttributesSequence, Tags.ScheduledProcedureStepID], 'SH', single('x')],
  ['RequestAttributesSequence.00400009=x', [Tags.RequestAttributesSequence, Tags.ScheduledProcedureStepID], 'SH', single('x')],
  // universal
  ['PatientName=', [Tags.PatientName], 'PN', []],
  ['PatientName', [Tags.PatientName], 'PN', []],
  ['PatientName=*', [Tags.PatientName], 'PN', []],
  ['StudyDate=*', [Tags.StudyDate], 'DA', []],
  ['RequestAttributesSequence=', [Tags.RequestAttributesSequence], 'SQ', []],
  // wildcards
  ['PatientName=?MITH^J*', [Tags.PatientName], 'PN', pattern('?MITH^J*')],
  ['StudyDescription=a%20b', [Tags.StudyDescription], 'LO', single('a b')],
  ['StudyDescription=a+b*', [Tags.StudyDescription], 'LO', pattern('a b*')],
  ['PatientName=%E5%B1%B1%E7%94%B0*', [Tags.PatientName], 'PN', pattern('山田*')],
  // ranges
  ['StudyDate=20200101-20201231', [Tags.StudyDate], 'DA', range('20200101', '20201231')],
  ['StudyDate=20200101-', [Tags.StudyDate], 'DA', range('20200101', undefined)],
  ['StudyDate=-20201231', [Tags.StudyDate], 'DA', range(undefined, '20201231')],
  ['StudyTime=10-1159', [Tags.StudyTime], 'TM', range('10', '1159')],
  ['StudyTime=235960.123456', [Tags.StudyTime], 'TM', single('235960.123456')],
  ['AcquisitionDateTime=20200101100000.5', [Tags.AcquisitionDateTime], 'DT', single('20200101100000.5')],
  ['AcquisitionDateTime=20200101-20210101', [Tags.AcquisitionDateTime], 'DT', range('20200101', '20210101')],
  ['AcquisitionDateTime=20200101-0500', [Tags.AcquisitionDateTime], 'DT', single('20200101-0500')],
  ['AcquisitionDateTime=20200101-0500-20210101-0500', [Tags.AcquisitionDateTime], 'DT', range('20200101-0500', '20210101-0500')],
  ['AcquisitionDateTime=2020-2021', [Tags.AcquisitionDateTime], 'DT', range('2020', '2021')],
  ['AcquisitionDateTime=20200101%2B1400-', [Tags.AcquisitionDateTime], 'DT', range('20200101+1400', undefined)],
  // codes in lists, which viewers send
  ['ModalitiesInStudy=CT', [Tags.ModalitiesInStudy], 'CS', single('CT')],
  ['ModalitiesInStudy=CT,MR', [Tags.ModalitiesInStudy], 'CS', single('CT', 'MR')],
  ['ModalitiesInStudy=CT\\MR', [Tags.ModalitiesInStudy], 'CS', single('CT', 'MR')],
  // multiple and empty values
  ['PatientID=1\\2*&multiplevaluematching=true', [Tags.PatientID], 'LO', [...single('1'), ...pattern('2*')]],
  ['PatientID=1\\*&multiplevaluematching=true', [Tags.PatientID], 'LO', []],
  ['PatientID=""&emptyvaluematching=true', [Tags.PatientID], 'LO', [{ kind: 'empty' }]],
  ['PatientID=""', [Tags.PatientID], 'LO', single('""')],
  ['StudyDate=""&emptyvaluematching=true', [Tags.StudyDate], 'DA', [{ kind: 'empty' }]],
  ['Modality=CT\\""&emptyvaluematching=true&multiplevaluematching=true', [Tags.Modality], 'CS', [...single('CT'), { kind: 'empty' }]],
  // the rest of the VRs
  ['InstanceNumber=12', [Tags.InstanceNumber], 'IS', single('12')],
  ['SliceThickness=1.5e0', [Tags.SliceThickness], 'DS', single('1.5e0')],
  ['Rows=512', [Tags.Rows], 'US', single('512')],
  ['PatientAge=042Y', [Tags.PatientAge], 'AS', single('042Y')],
  ['FrameIncrementPointer=00181063', [Tags.FrameIncrementPointer], 'AT', single('00181063')],
  ['PatientComments=a\\b', [Tags.PatientComments], 'LT', single('a\\b')],
  ['00091001=x', [tagOf('00091001') as Tag], 'UN', single('x')],
  ['00090010=CREATOR', [tagOf('00090010') as Tag], 'LO', single('CREATOR')],
  ['00091001.00091002=x', [tagOf('00091001') as Tag, tagOf('00091002') as Tag], 'UN', single('x')],
] // biome-ignore format: one table

describe('an attribute', () => {
  for (const [query, path, vr, tests] of MATCHES)
    it(query, () => assert.deepEqual(ask(query).match.at(-1), { path, vr, tests }))
  it('every keyword, and its tag, is one', () => {
    for (const keyword of keywords()) {
      const t = tagOf(keyword) ?? 0
      if (t >>> 16 < 8 || t >>> 16 === 0xfffe) continue
      assert.deepEqual(ask(`${keyword}=`).match[0]?.path, [t], keyword)
    }
  })
})

describe('the other parameters', () => {
  const NOTHING: Query = {
    match: [],
    include: [],
    fuzzy: false,
    emptyValueMatching: false,
    multipleValueMatching: false,
    limit: undefined,
    isLimitLowered: false,
    offset: 0,
    unknown: 0,
  }
  const cases: readonly (readonly [string, Partial<Query>])[] = [
    ['', {}],
    ['limit=10&offset=20', { limit: 10, offset: 20 }],
    ['limit=0', { limit: 0 }],
    ['limit=10000', { limit: 10_000 }],
    ['limit=10001', { limit: 10_000, isLimitLowered: true }],
    ['fuzzymatching=true', { fuzzy: true }],
    ['fuzzymatching=false', {}],
    ['emptyvaluematching=true&multiplevaluematching=true', { emptyValueMatching: true, multipleValueMatching: true }],
    ['includefield=all', { include: 'all' }],
    ['includefield=PatientName&includefield=all', { include: 'all' }],
    ['includefield=00081030,00080060', { include: [[Tags.StudyDescription], [Tags.Modality]] }],
    ['includefield=StudyDescription&includefield=Modality,00081030', { include: [[Tags.StudyDescription], [Tags.Modality]] }],
    ['includefield=00400275.00400009', { include: [[Tags.RequestAttributesSequence, Tags.ScheduledProcedureStepID]] }],
    ['includefield=', {}],
    ['includefield=00091001', { include: [[tagOf('00091001') as Tag]] }],
    ['accept=application/json&charset=utf-8', {}],
    ['access_token=x&_=1&orderby=-StudyDate&Ωmega=1', { unknown: 4 }],
  ] // biome-ignore format: one table
  for (const [query, expected] of cases)
    it(query || 'none', () => assert.deepEqual(ask(query), { ...NOTHING, ...expected }))
})

describe('what is refused, and which parameter it is', () => {
  const cases: readonly (readonly [string, number])[] = [
    ['PatientNam=x', 1],
    ['PatientID=1&Secret=hidden', 2],
    ['PatientID=1&patientname=x&00100010=x&Limit=1', 4],
    ['includefield=PatientID&includefield=Secret', 2],
    ['includefield=secret', 1],
    ['PatientID.PatientName=x', 1],
    ['RequestAttributesSequence.Secret=x', 1],
    ['RequestAttributesSequence.=x', 1],
    ['00400275..00400009=x', 1],
    ['(0010,0010)=x', 0],
    ['RequestAttributesSequence=x', 1],
    ['PixelData=x', 1],
    ['00020010=1.2', 1],
    ['00000100=1', 1],
    ['FFFEE000=', 1],
    ['PatientID=1&PatientID=2', 2],
    ['PatientID=1&00100020=2', 2],
    ['limit=1&limit=1', 2],
    ['limit=-1', 1],
    ['limit=1.5', 1],
    ['limit=', 1],
    ['limit=1e3', 1],
    ['limit=9999999999999999999', 1],
    ['offset=1000001', 1],
    ['offset=x', 1],
    ['fuzzymatching=TRUE', 1],
    ['fuzzymatching', 1],
    ['StudyDate=2020', 1],
    ['StudyDate=2020-01-01', 1],
    ['StudyDate=20201301', 1],
    ['StudyDate=-', 1],
    ['StudyDate=202001*', 1],
    ['StudyDate=20200101-20210101-20220101', 1],
    ['StudyTime=25', 1],
    ['StudyTime=10:00', 1],
    ['AcquisitionDateTime=20200101+1500', 1],
    ['StudyInstanceUID=1.2.*', 1],
    ['StudyInstanceUID=1..2', 1],
    ['StudyInstanceUID=hidden', 1],
    [`StudyInstanceUID=${'1'.repeat(65)}`, 1],
    [`StudyInstanceUID=${'1.2,'.repeat(1001)}`, 1],
    [`PatientID=${'x'.repeat(70_000)}`, 1],
    ['PatientID=1\\2', 1],
    ['PatientID=a%00b', 1],
    ['InstanceNumber=x', 1],
    ['SliceThickness=1,5', 1],
    ['PatientAge=42', 1],
    [`${'00400275.'.repeat(8)}00400009=x`, 1],
  ]
  for (const [query, position] of cases)
    it(query.slice(0, 60), () => {
      if (position === 0) assert.equal(ask(query).unknown, 1)
      else
        assert.throws(
          () => ask(query),
          (error: unknown) =>
            error instanceof WebError &&
            error.code === 'BAD_QUERY' &&
            error.position === position &&
            !/hidden|secret/i.test(error.message),
        )
    })
  it('more parameters than allowed', () => {
    assert.throws(() => ask('a=b&'.repeat(201)), { code: 'BAD_QUERY' })
    assert.equal(ask('a=b&'.repeat(200)).unknown, 200)
  })
  it('any text is a query or a WebError, soon', () => {
    const name = fc.constantFrom(
      'PatientName',
      'StudyDate',
      'AcquisitionDateTime',
      'StudyInstanceUID',
      'SliceThickness',
      'limit',
      'includefield',
      '00400275.00400009',
      'x',
    )
    const value = fc.oneof(fc.string(), fc.stringMatching(/^[-0-9.\\,*"+]{0,60}$/))
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (pairs) => {
        try {
          parseQuery(new URLSearchParams(pairs))
        } catch (error) {
          assert.ok(error instanceof WebError, String(error))
        }
      }),
      { numRuns: 2000 },
    )
    for (const value of [
      '1'.repeat(60_000),
      '1.'.repeat(30_000),
      '20200101-'.repeat(7000),
      '*'.repeat(60_000),
    ])
      for (const name of [
        'StudyDate',
        'AcquisitionDateTime',
        'StudyInstanceUID',
        'SliceThickness',
        'StudyTime',
      ])
        assert.throws(() => ask(`${name}=${value}`), { code: 'BAD_QUERY' })
  })
})
