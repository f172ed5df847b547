// What searches must find on any PostgreSQL; run as cases.ts is.

import assert from 'node:assert/strict'
import { type Bench, type Case, factsOf, insert, newUid } from './cases.ts'
import { findInstances, findSeries, findStudies, type Page } from './find.ts'
import type { StudyFound } from './found.ts'
import type { Query } from './matching.ts'

const TEN = { limit: 10 }

/** Three studies of three patients whose issuer is the case's own, so that other cases are not found. */
async function three(bench: Bench): Promise<{ readonly issuer: string; readonly uids: readonly string[] }> {
  const issuer = newUid()
  const uids = [newUid(), newUid(), newUid()]
  const [a = '', b = '', c = ''] = uids
  await insert(
    bench,
    factsOf(bench, {
      patient: { id: 'MRN-1', issuer, name: 'Doe^Jane', birthDate: '19700131' },
      study: {
        uid: a,
        date: '20240101',
        time: '0915',
        accession: 'ACC-1',
        description: 'CT HEAD',
        more: { StudyID: 'S-77', NameOfPhysiciansReadingStudy: 'Grün^Eva' },
      },
    }),
    factsOf(bench, {
      patient: { id: 'MRN-2', issuer, name: 'DOE^JOHN=山田^太郎', birthDate: '19801231', sex: 'M' },
      study: { uid: b, date: '20240229', time: '101530.25', accession: 'ACC-2', description: 'MR 100%_ok' },
      series: { modality: 'MR', bodyPart: 'KNEE', number: 7 },
    }),
    factsOf(bench, {
      patient: { id: 'mrn-1', issuer, name: 'MÜLLER-LÜDENSCHEIDT^HANS', birthDate: '' },
      study: { uid: c, date: 'yesterday', time: '', accession: '', description: '', referrer: 'HOUSE^G' },
      series: { modality: 'PT' },
    }),
  )
  return { issuer, uids }
}

/** Which of the three, newest first: the third has no date. */
const SEARCHES: readonly (readonly [Query, readonly number[]])[] = [
  [{}, [1, 0, 2]],
  [{ PatientName: '*', StudyDate: '', PatientID: '*' }, [1, 0, 2]],
  [{ PatientID: 'MRN-1' }, [0]],
  [{ PatientID: ' MRN-1 ' }, [0]],
  [{ PatientID: 'MRN-?' }, [1, 0]],
  [{ PatientID: '*-1' }, [0, 2]],
  [{ PatientID: 'MRN-9' }, []],
  [{ PatientName: 'DOE^JANE' }, [0]],
  [{ PatientName: 'doe^j*' }, [1, 0]],
  [{ PatientName: 'DOE' }, []],
  [{ PatientName: '*ja*' }, [0]],
  [{ PatientName: 'D?E^J*' }, [1, 0]],
  [{ PatientName: '山田*' }, [1]],
  [{ PatientName: 'Mu\u0308ller-lüden*' }, [2]],
  [{ PatientName: 'MÜLLER-X*' }, []],
  [{ PatientBirthDate: '19700131' }, [0]],
  [{ PatientBirthDate: '19700201-' }, [1]],
  [{ PatientBirthDate: '-19991231' }, [1, 0]],
  [{ PatientSex: 'M' }, [1]],
  [{ StudyDate: '20240229' }, [1]],
  [{ StudyDate: '20240101-20240228' }, [0]],
  [{ StudyDate: '20240102-' }, [1]],
  [{ StudyDate: '-20241231' }, [1, 0]],
  [{ StudyTime: '10' }, [1]],
  [{ StudyTime: '0900-0915' }, [0]],
  [{ StudyTime: '-1015' }, [1, 0]],
  [{ StudyTime: '0916-' }, [1]],
  [{ AccessionNumber: 'ACC-2' }, [1]],
  [{ AccessionNumber: 'acc-2' }, []],
  [{ AccessionNumber: 'ACC*' }, [1, 0]],
  [{ StudyDescription: '*100%_*' }, [1]],
  [{ StudyDescription: 'CT HEAD' }, [0]],
  [{ ReferringPhysicianName: 'house*' }, [2]],
  [{ StudyID: 'S-77' }, [0]],
  [{ StudyID: 'S-7?' }, [0]],
  [{ StudyID: '77' }, []],
  [{ NameOfPhysiciansReadingStudy: 'grün*' }, [0]],
  [{ ModalitiesInStudy: 'MR' }, [1]],
  [{ ModalitiesInStudy: 'MR\\PT' }, [1, 2]],
  [{ ModalitiesInStudy: '?T' }, [0, 2]],
  [{ PatientName: 'DOE*', StudyDate: '20240101', ModalitiesInStudy: 'CT' }, [0]],
]

/** From a moment to another, not within hours of days (PS3.4 C.2.2.2.5.4): the first is of 09:15, the second of 10:15. */
const MOMENTS: readonly (readonly [Query, readonly number[]])[] = [
  [{ StudyDate: '20240101-20240229', StudyTime: '1000-1200' }, [1]],
  [{ StudyDate: '20240101-20240229', StudyTime: '0900-0930' }, [0]],
  [{ StudyDate: '20231231-20240301', StudyTime: '2300-0100' }, [1, 0]],
  [{ StudyDate: '20240101-', StudyTime: '0916-' }, [1]],
  [{ StudyDate: '-20240229', StudyTime: '-1015' }, [1, 0]],
  [{ StudyDate: '-20240229', StudyTime: '-1014' }, [0]],
  [{ StudyDate: '20240101', StudyTime: '0900-0930' }, [0]],
]

const MATCHES: Case = {
  name: 'studies are found by every attribute in every way that PS3.4 C.2.2.2 knows',
  run: async (bench) => {
    const { issuer, uids } = await three(bench)
    for (const [query, expected] of SEARCHES) {
      const { rows, next } = await findStudies(bench, { ...query, IssuerOfPatientID: issuer }, TEN)
      assert.deepEqual(
        rows.map(({ uid }) => uids.indexOf(uid)),
        expected,
        JSON.stringify(query),
      )
      assert.equal(next, undefined)
    }
    for (const [query, expected] of MOMENTS) {
      const { rows } = await findStudies(
        { ...bench, combines: true },
        { ...query, IssuerOfPatientID: issuer },
        TEN,
      )
      const found = rows.map(({ uid }) => uids.indexOf(uid))
      assert.deepEqual(found, expected, JSON.stringify(query))
    }
    const two = await findStudies(bench, { StudyInstanceUID: `${uids[0]}\\${uids[2]}\\1.2.3` }, TEN)
    assert.deepEqual(
      two.rows.map(({ uid }) => uids.indexOf(uid)),
      [0, 2],
    )
    const [found] = two.rows
    assert.deepEqual(
      [found?.patient.id, found?.patient.name, found?.patient.birthDate],
      ['MRN-1', 'Doe^Jane', '19700131'],
    )
    assert.deepEqual([found?.date, found?.accession, found?.description], ['20240101', 'ACC-1', 'CT HEAD'])
  },
}

const BELOW: Case = {
  name: 'series and instances are found under their study, instances by number',
  run: async (bench) => {
    const study = { uid: newUid() }
    const [one, two] = [
      {
        uid: newUid(),
        number: 7,
        bodyPart: 'KNEE',
        description: 'SAG T2',
        more: {
          texts: { SeriesDate: '20240301', SeriesTime: '101500', ProtocolName: 'KNEE ROUTINE' },
          requests: [
            { ScheduledProcedureStepID: 'SPS1', RequestedProcedureID: 'RP1' },
            { ScheduledProcedureStepID: 'SPS2', RequestedProcedureID: 'RP2' },
          ],
        },
      },
      { uid: newUid(), modality: 'SR' },
    ]
    const facts = [3, 1, 2].map((number) => factsOf(bench, { study, series: one, number }))
    await insert(bench, ...facts, factsOf(bench, { study, series: two }))
    const StudyInstanceUID = study.uid
    const series = async (query: Query) =>
      (await findSeries(bench, { StudyInstanceUID, ...query }, TEN)).rows.map(({ uid }) => uid).sort()
    assert.deepEqual(await series({}), [one.uid, two.uid].sort())
    for (const query of [
      { Modality: 'C?' },
      { SeriesNumber: '7' },
      { BodyPartExamined: 'KNEE' },
      { SeriesDescription: '*T2' },
      { SeriesDate: '20240201-20240331' },
      { SeriesTime: '10' },
      { ProtocolName: 'KNEE*' },
      { 'RequestAttributesSequence.ScheduledProcedureStepID': 'SPS1' },
      {
        'RequestAttributesSequence.ScheduledProcedureStepID': 'SPS2',
        'RequestAttributesSequence.RequestedProcedureID': 'RP?',
      },
    ]) {
      assert.deepEqual(await series(query), [one.uid], JSON.stringify(query))
    }
    const ofTwoItems = {
      'RequestAttributesSequence.ScheduledProcedureStepID': 'SPS1',
      'RequestAttributesSequence.RequestedProcedureID': 'RP2',
    }
    assert.deepEqual(await series(ofTwoItems), [], 'one item must have both')
    const { rows } = await findInstances(bench, { SeriesInstanceUID: one.uid, PatientID: 'P1' }, TEN)
    assert.deepEqual(
      rows.map(({ number }) => number),
      [1, 2, 3],
    )
    assert.equal(rows[0]?.series.study.uid, study.uid)
    const { sopUid } = rows[1] ?? assert.fail()
    const exact = await findInstances(bench, { SOPInstanceUID: sopUid, InstanceNumber: '2' }, TEN)
    assert.deepEqual(
      exact.rows.map((row) => row.sopUid),
      [sopUid],
    )
    await insert(bench, factsOf(bench, { study, series: one, sop: sopUid, bytes: 'other' }))
    assert.equal((await findInstances(bench, { StudyInstanceUID }, TEN)).rows.length, 4)
  },
}

const PAGES: Case = {
  name: 'pages follow each other without a gap or a repetition, with and without decryption, by cursor and by offset',
  run: async (bench) => {
    const issuer = newUid()
    const facts = Array.from({ length: 23 }, (_, i) =>
      factsOf(bench, {
        patient: { id: `${i % 5}`, issuer, name: i % 2 === 0 ? 'EVEN^E' : 'ODD^O' },
        study: { uid: newUid(), date: i % 7 === 0 ? '' : `2024010${(i % 3) + 1}`, description: `D${i % 2}` },
      }),
    )
    await insert(bench, ...facts)
    for (const query of [{}, { StudyDescription: 'D1' }, { StudyDescription: 'D?' }]) {
      const all = await findStudies(bench, { ...query, IssuerOfPatientID: issuer }, { limit: 100 })
      const uids = all.rows.map(({ uid }) => uid)
      assert.equal(uids.length, query.StudyDescription === 'D1' ? 11 : 23)
      for (const limit of [1, 4, 23]) {
        const [cursors, offsets]: [string[], string[]] = [[], []]
        let page: Page<StudyFound> = { rows: [], next: undefined }
        do {
          const window = { limit, after: page.next }
          page = await findStudies(bench, { ...query, IssuerOfPatientID: issuer }, window)
          cursors.push(...page.rows.map(({ uid }) => uid))
          const skipped = { limit, offset: offsets.length }
          const again = await findStudies(bench, { ...query, IssuerOfPatientID: issuer }, skipped)
          offsets.push(...again.rows.map(({ uid }) => uid))
        } while (page.next !== undefined)
        assert.deepEqual([cursors, offsets], [uids, uids])
      }
    }
  },
}

const TRASH: Case = {
  name: 'what is in the trash is not found, and comes back with the next instance',
  run: async (bench) => {
    const study = { uid: newUid() }
    await insert(bench, factsOf(bench, { study }))
    await bench.db
      .updateTable('studies')
      .set({ trashed_at: new Date() })
      .where('study_uid', '=', study.uid)
      .execute()
    const count = async () => (await findStudies(bench, { StudyInstanceUID: study.uid }, TEN)).rows.length
    assert.equal(await count(), 0)
    await insert(bench, factsOf(bench, { study }))
    assert.equal(await count(), 1)
  },
}

const WRONG: readonly (readonly [query: Record<string, string>, field: string])[] = [
  [{ StudyDate: '20241301' }, 'StudyDate'],
  [{ StudyDate: '-' }, 'StudyDate'],
  [{ StudyDate: "2024'; drop table studies" }, 'StudyDate'],
  [{ PatientBirthDate: '1970' }, 'PatientBirthDate'],
  [{ StudyTime: '1' }, 'StudyTime'],
  [{ SeriesInstanceUID: '1.2' }, 'SeriesInstanceUID'],
  [{ PatientWeight: '70' }, 'PatientWeight'],
  [{ constructor: 'x' }, 'constructor'],
]

const REFUSED: Case = {
  name: 'wrong values, unknown attributes, foreign cursors and limits are refused by name',
  run: async (bench) => {
    for (const [query, field] of WRONG) {
      await assert.rejects(findStudies(bench, query as Query, TEN), { code: 'BAD_QUERY', field })
    }
    await assert.rejects(findSeries(bench, { SeriesNumber: '1.5' }, TEN), { code: 'BAD_QUERY' })
    for (const after of ['x', Buffer.from('["2024-01-01","x"]').toString('base64url'), 'bnVsbA']) {
      await assert.rejects(findStudies(bench, {}, { limit: 1, after }), { code: 'BAD_QUERY', field: 'after' })
    }
    for (const limit of [0, 1.5, 1e9])
      await assert.rejects(findStudies(bench, {}, { limit }), { code: 'BAD_QUERY' })
  },
}

const BROAD: Case = {
  name: 'a search that would decrypt too much is refused, unless its page is full before',
  run: async (bench) => {
    const issuer = newUid()
    const facts = Array.from({ length: 120 }, (_, i) => {
      const name = i < 3 ? 'NEW^N' : `OLD^${i}`
      return factsOf(bench, {
        patient: { id: `${i}`, issuer, name },
        study: { uid: newUid(), date: i < 3 ? '2024' : '' },
      })
    })
    await insert(bench, ...facts)
    const bounded = { ...bench, maxScan: 50 }
    const query = { IssuerOfPatientID: issuer, PatientName: '*N' }
    await assert.rejects(findStudies(bounded, query, TEN), { name: 'IndexError', code: 'TOO_BROAD' })
    assert.equal((await findStudies(bounded, { ...query, PatientName: 'N*N' }, TEN)).rows.length, 3)
    assert.equal((await findStudies(bounded, { ...query, PatientName: '*L*' }, TEN)).rows.length, 10)
    assert.equal((await findStudies(bench, query, TEN)).rows.length, 3)
  },
}

export const FIND_CASES: readonly Case[] = [MATCHES, BELOW, PAGES, TRASH, REFUSED, BROAD]
