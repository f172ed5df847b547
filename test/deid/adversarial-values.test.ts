// How identifiers are written: character sets, name orders, dates, UIDs in text, reports, IDs that are words or numbers.

import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import {
  type Dataset,
  dataset,
  type Element,
  find,
  make,
  sequence,
  string,
  strings,
  Tags,
  tag,
} from '../../packages/dicom/src/index.ts'
import { deidentify, el, leaks, released, slice } from '../support/deid.ts'

const RECIPES = ['basic', 'safe-harbor', 'limited-data-set', 'research']

suite('names in every character set', () => {
  const CASES: readonly {
    readonly charset: readonly string[]
    readonly name: string
    readonly parts: readonly string[]
  }[] = [
    { charset: ['ISO_IR 192'], name: 'Wang^XiaoDong=王^小东', parts: ['小东', 'XiaoDong'] },
    { charset: ['GB18030'], name: 'Wang^XiaoDong=王^小东', parts: ['XiaoDong'] },
    {
      charset: ['', 'ISO 2022 IR 87'],
      name: 'Yamada^Tarou=山田^太郎=やまだ^たろう',
      parts: ['Yamada', 'Tarou'],
    },
    { charset: ['', 'ISO 2022 IR 149'], name: 'Hong^Gildong=洪^吉洞=홍^길동', parts: ['Gildong'] },
    { charset: ['ISO_IR 100'], name: 'Müllerstein^Jérôme', parts: ['Müllerstein', 'Jérôme'] },
    { charset: ['ISO_IR 144'], name: 'Ильинский^Ольга', parts: [] },
    { charset: ['ISO_IR 126'], name: 'Παπαδόπουλος^Νίκος', parts: [] },
    { charset: ['ISO_IR 138'], name: 'שרון^דבורה', parts: [] },
    { charset: ['ISO_IR 166'], name: 'สมชาย^ใจดี', parts: [] },
  ]
  for (const { charset, name, parts } of CASES) {
    test(charset.join('/') || 'default', () => {
      const comment = name
        .split('=')
        .map((group) => group.split('^').reverse().join(' '))
        .join(' und ')
      const file = slice(
        [
          el.textIn(charset)(Tags.ImageComments, 'LT', `seen: ${comment}.`),
          el.textIn(charset)(Tags.SeriesDescription, 'LO', 'AXIAL T1'),
        ],
        { name, charset },
      )
      for (const recipe of RECIPES) {
        const out = released(file, { recipe })
        assert.deepEqual(leaks(out.bytes, parts), [], recipe)
        const found = find(out.file.dataset, Tags.ImageComments)
        const left = found ? strings(out.file.dataset, found).join() : ''
        for (const word of name.split(/[\^=]/))
          assert.ok(word === '' || !left.includes(word), `${recipe}: ${left}`)
      }
    })
  }

  test('no (0008,0005) at all, and bytes above 7F', () => {
    const raw = new Uint8Array([...Buffer.from('J\xe9r\xf4me Zyzzogeton', 'latin1'), 0x20])
    const out = released(
      slice([el.bytes(Tags.SeriesDescription, 'LO', raw), el.bytes(Tags.ImageComments, 'LT', raw)]),
    )
    assert.deepEqual(leaks(out.bytes, ['Zyzzogeton']), [])
  })

  test('a name under another character set inside an item', () => {
    const inner: Element[] = [
      el.text(Tags.SpecificCharacterSet, 'CS', 'ISO_IR 144'),
      el.text(Tags.FilterMaterial, 'CS', 'COPPER'),
    ]
    const item = dataset(
      [
        ...inner,
        make(dataset([], { charset: ['ISO_IR 144'] }), Tags.ImageComments, 'LT', 'пациент Ильинский'),
      ],
      { charset: ['ISO_IR 144'] },
    )
    const file = slice([sequence(Tags.CTExposureSequence, [item])], {
      name: 'Ильинский^Ольга',
      charset: ['ISO_IR 192'],
    })
    const { file: out } = released(file)
    const inside = find(out.dataset, Tags.CTExposureSequence)
    const made = inside?.value.kind === 'items' ? inside.value.items[0] : undefined
    assert.ok(made)
    assert.ok(!(string(made, Tags.ImageComments) ?? '').includes('Ильинский'))
    assert.equal(string(made, Tags.FilterMaterial), 'COPPER')
  })
})

suite('dates', () => {
  const days = (value: string): number =>
    Date.UTC(Number(value.slice(0, 4)), Number(value.slice(4, 6)) - 1, Number(value.slice(6, 8))) / 86_400_000

  test('one shift per patient: intervals exact over DA, DT and text, over files, none original', () => {
    const first = slice([
      el.text(Tags.SeriesDate, 'DA', '20190523'),
      el.text(Tags.AcquisitionDateTime, 'DT', '20200229235959.5+0100'),
      el.text(Tags.ImageComments, 'LT', 'prior of 2019-05-21, and 05/23/2019'),
    ])
    const second = slice([
      el.text(Tags.SOPInstanceUID, 'UI', '1.2.826.0.1.99.1.1.2'),
      el.text(Tags.StudyDate, 'DA', '20181231'),
    ])
    const [a, b] = deidentify([first, second], { recipe: 'research' })
    assert.ok(a?.file && b?.file)
    const at = (ds: Dataset, t: number): string => string(ds, tag(t)) ?? ''
    const offset = days(at(a.file.dataset, Tags.StudyDate)) - days('20190521')
    assert.ok(offset < 0)
    assert.equal(days(at(a.file.dataset, Tags.SeriesDate)) - days('20190523'), offset)
    assert.equal(days(at(a.file.dataset, Tags.AcquisitionDateTime)) - days('20200229'), offset)
    assert.match(at(a.file.dataset, Tags.AcquisitionDateTime), /235959\.5\+0100$/)
    assert.equal(days(at(b.file.dataset, Tags.StudyDate)) - days('20181231'), offset)
    const text = at(a.file.dataset, Tags.ImageComments)
    const [, iso = '', us = ''] = /prior of (\S+), and (\S+)$/.exec(text) ?? []
    assert.equal(days(iso.replaceAll('-', '')) - days('20190521'), offset)
    assert.equal(days(us.slice(6) + us.slice(0, 2) + us.slice(3, 5)) - days('20190523'), offset)
    assert.equal(at(a.file.dataset, Tags.StudyTime), '101112')
    assert.deepEqual(
      leaks(a.bytes ?? new Uint8Array(), ['20190521', '20190523', '20200229', '2019-05-21']),
      [],
    )
  })

  test('in seven spellings, gone where dates are removed', () => {
    const spellings = [
      '19621103',
      '1962-11-03',
      '1962.11.03',
      '11/03/1962',
      '03.11.1962',
      '3-Nov-1962',
      'November 3, 1962',
      '03NOV1962',
    ]
    for (const recipe of ['basic', 'safe-harbor']) {
      const { bytes } = released(slice([el.text(Tags.ImageComments, 'LT', spellings.join(' ; '))]), {
        recipe,
      })
      assert.deepEqual(leaks(bytes, spellings), [], recipe)
    }
  })

  test('a year may stay under Safe Harbor, and nothing finer', () => {
    const { file, bytes } = released(
      slice([
        el.text(Tags.PatientAge, 'AS', '094Y'),
        el.text(Tags.ImageComments, 'LT', 'a 95-year-old, seen May 2018'),
      ]),
      { recipe: 'safe-harbor' },
    )
    assert.equal(string(file.dataset, Tags.StudyDate), '20190101')
    assert.equal(string(file.dataset, Tags.PatientAge), '090Y')
    assert.deepEqual(leaks(bytes, ['20190521', '094Y', '95-year', 'May 2018', '19621103']), [])
  })

  test('impossible dates are emptied, never passed on', () => {
    const { file } = released(slice([el.text(Tags.StudyDate, 'DA', '20191399')]), { recipe: 'research' })
    assert.equal(string(file.dataset, Tags.StudyDate), '')
  })
})

suite('UIDs', () => {
  test('by value, wherever they stand; classes and schemes stay; one to one', () => {
    const own = '1.2.826.0.1.99.1.1.1'
    const extra = [
      el.items(Tags.ReferencedImageSequence, [
        el.text(Tags.ReferencedSOPClassUID, 'UI', '1.2.840.10008.5.1.4.1.1.2'),
        el.text(Tags.ReferencedSOPInstanceUID, 'UI', own),
      ]),
      el.text(Tags.ImageComments, 'LT', `see instance ${own} of study 1.2.826.0.1.99.1.77.12345`),
      el.items(Tags.CodingSchemeIdentificationSequence, [
        el.text(Tags.CodingSchemeDesignator, 'SH', 'SCT'),
        el.text(Tags.CodingSchemeUID, 'UI', '2.16.840.1.113883.6.96'),
      ]),
      el.text(Tags.RelatedGeneralSOPClassUID, 'UI', '1.2.826.0.1.3680043.2.999.5'),
    ]
    const { file, bytes } = released(slice(extra))
    assert.deepEqual(leaks(bytes, [own, '1.2.826.0.1.99.1.77']), [])
    const made = string(file.dataset, Tags.SOPInstanceUID) ?? ''
    assert.match(made, /^2\.25\.\d{30,39}$/)
    assert.equal(file.meta && string(file.meta, Tags.MediaStorageSOPInstanceUID), made)
    const references = find(file.dataset, Tags.ReferencedImageSequence)
    if (references?.value.kind === 'items' && references.value.items[0]) {
      assert.equal(string(references.value.items[0], Tags.ReferencedSOPInstanceUID), made)
      assert.equal(string(references.value.items[0], Tags.ReferencedSOPClassUID), '1.2.840.10008.5.1.4.1.1.2')
    }
    assert.ok((string(file.dataset, Tags.ImageComments) ?? '').includes(made))
    assert.ok(Buffer.from(bytes).includes('2.16.840.1.113883.6.96'))
    assert.equal(string(file.dataset, Tags.RelatedGeneralSOPClassUID), '1.2.826.0.1.3680043.2.999.5')
  })

  test('another key: nothing in common', () => {
    const [a] = deidentify([slice()])
    const [b] = deidentify([slice()], { key: '22'.repeat(32) })
    assert.ok(a?.file && b?.file)
    for (const t of [
      Tags.PatientID,
      Tags.PatientName,
      Tags.StudyInstanceUID,
      Tags.SOPInstanceUID,
      Tags.StudyDate,
    ]) {
      assert.notEqual(string(a.file.dataset, t), string(b.file.dataset, t))
    }
  })
})

suite('reports', () => {
  const item = (type: string, concept: readonly [string, string, string], value: readonly Element[]): readonly Element[] => [
    el.text(Tags.RelationshipType, 'CS', 'CONTAINS'), el.text(Tags.ValueType, 'CS', type), el.items(Tags.ConceptNameCodeSequence, el.code(...concept)), ...value,
  ] // biome-ignore format: one item
  const content = el.items(
    Tags.ContentSequence,
    item(
      'PNAME',
      ['121008', 'DCM', 'Person Observer Name'],
      [el.text(Tags.PersonName, 'PN', 'Observatrix^Olga')],
    ),
    item(
      'TEXT',
      ['121071', 'DCM', 'Finding'],
      [el.text(Tags.TextValue, 'UT', 'Zyzzogeton has a nodule of 8 mm, seen 21 May 2019')],
    ),
    item(
      'NUM',
      ['410668003', 'SCT', 'Length'],
      [el.items(Tags.MeasuredValueSequence, [el.text(Tags.NumericValue, 'DS', '8.25')])],
    ),
    item(
      'CODE',
      ['121071', 'DCM', 'Finding'],
      [el.items(Tags.ConceptCodeSequence, el.code('27925004', 'SCT', 'Nodule'))],
    ),
    item('UIDREF', ['112039', 'DCM', 'Tracking Identifier'], [el.text(Tags.UID, 'UI', '1.2.826.0.1.99.9.9')]),
    item('TEXT', ['121022', 'DCM', 'Accession Number'], [el.text(Tags.TextValue, 'UT', 'ACC-998877')]),
    item('DATE', ['999', '99X', 'Some date'], [el.text(Tags.Date, 'DA', '20190521')]),
  )
  const report = slice([
    el.text(Tags.SOPClassUID, 'UI', '1.2.840.10008.5.1.4.1.1.88.33'),
    el.text(Tags.ValueType, 'CS', 'CONTAINER'),
    content,
  ])
  const canaries = [
    'Observatrix',
    'Zyzzogeton',
    '21 May 2019',
    '1.2.826.0.1.99.9.9',
    'ACC-998877',
    '20190521',
  ]

  test('research: findings and measurements stay, people and dates do not', () => {
    const { bytes } = released(report)
    assert.deepEqual(leaks(bytes, canaries), [])
    for (const kept of ['nodule of 8 mm', '8.25', '27925004', 'Length'])
      assert.ok(Buffer.from(bytes).includes(kept), kept)
  })

  test('basic: the content is replaced', () => {
    const { bytes } = released(report, { recipe: 'basic' })
    assert.deepEqual(leaks(bytes, [...canaries, 'nodule']), [])
  })
})

suite('people and words', () => {
  test('a patient called May Lung: reports keep their lungs and their May', () => {
    const { file } = released(
      slice(
        [
          el.text(Tags.SeriesDescription, 'LO', 'Lung window'),
          el.text(Tags.ImageComments, 'LT', 'nodule may be benign; lung clear'),
        ],
        { name: 'Lung^May' },
      ),
    )
    assert.equal(string(file.dataset, Tags.SeriesDescription), 'Lung window')
    assert.equal(string(file.dataset, Tags.ImageComments), 'nodule may be benign; lung clear')
    const { bytes } = released(
      slice([el.text(Tags.ImageComments, 'LT', 'LUNG^MAY, patient name: Lung, May')], { name: 'Lung^May' }),
    )
    assert.deepEqual(leaks(bytes, ['LUNG^MAY', 'Lung, May']), [])
  })

  test('an ID of three digits is not hunted through numbers', () => {
    const { file } = released(
      slice([el.text(Tags.ImageComments, 'LT', '120 kVp, slice 120 of 300')], { id: '120' }),
    )
    assert.equal(string(file.dataset, Tags.ImageComments), '120 kVp, slice 120 of 300')
    assert.equal(string(file.dataset, Tags.KVP), '120')
  })

  test('texts of the trade come through untouched', () => {
    for (const text of [
      'T1_SE_TRA 5.0 mm x 3',
      'L4-L5 ax',
      'W:400 L:40',
      'Series 3 of 12',
      '512\\512',
      'Dr Foley catheter in situ',
      'Parkinson protocol',
    ]) {
      const { file } = released(slice([el.text(Tags.ImageComments, 'LT', text)]))
      assert.equal(string(file.dataset, Tags.ImageComments), text)
    }
  })

  test('equal IDs of two issuers are two patients; spellings of one ID are one', () => {
    const from = (id: string, issuer: string, n: number): Uint8Array =>
      slice(
        [
          el.text(Tags.IssuerOfPatientID, 'LO', issuer),
          el.text(Tags.SOPInstanceUID, 'UI', `1.2.826.0.1.99.5.${n}`),
        ],
        { id },
      )
    const codes = deidentify([
      from('A-77123', 'NORTH', 1),
      from('A-77123', 'SOUTH', 2),
      from('a-77123 ', 'NORTH', 3),
    ]).map(({ file }) => file && string(file.dataset, Tags.PatientID))
    assert.notEqual(codes[0], codes[1])
    assert.equal(codes[0], codes[2])
  })

  test('a blank ID is somebody all the same', () => {
    const { file } = released(slice([], { id: '' }))
    assert.match(string(file.dataset, Tags.PatientID) ?? '', /^RG-/)
  })

  test('what another instance of the patient says is looked for in this one', () => {
    const first = slice([el.text(Tags.OtherPatientNames, 'PN', 'Maidenname^Quilla')])
    const second = slice([
      el.text(Tags.SOPInstanceUID, 'UI', '1.2.826.0.1.99.1.1.2'),
      el.text(Tags.ImageComments, 'LT', 'formerly Maidenname'),
    ])
    const [, out] = deidentify([first, second])
    assert.ok(out?.bytes)
    assert.deepEqual(leaks(out.bytes, ['Maidenname']), [])
  })
})
