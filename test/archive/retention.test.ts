// How long studies are kept: policies and the longest of them, the trash and its time of grace, what comes again while its
// study is in it; and storage commitment, which is a promise about all of this.

import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { commitmentOf } from '../../apps/gateway/src/archive/commitment.ts'
import { placeHold, releaseHold } from '../../apps/gateway/src/archive/holds.ts'
import { findStudies } from '../../apps/gateway/src/archive/index/find.ts'
import { dueStudies, endPolicy, setPolicy, termOf } from '../../apps/gateway/src/archive/retention.ts'
import { openInstance } from '../../apps/gateway/src/archive/retrieve.ts'
import { putInTrash, runRetention, takeFromTrash, trashed } from '../../apps/gateway/src/archive/trash.ts'
import { Tags } from '../../packages/dicom/src/index.ts'
import { damage, ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { el, slice } from '../support/deid.ts'
import { roentgate } from '../support/terminal.ts'

const scratch = passable('roentgate-retention-')
const passphrase = 'for tests'
const CT = '1.2.840.10008.5.1.4.1.1.2'
const dataFolder = join(scratch, 'data')
const day = (text: string): Date => new Date(`${text}T00:00:00Z`)

type Made = {
  readonly study: number
  readonly date: string
  readonly modality?: string
  readonly born?: string
}

function made({ study, date, modality = 'CT', born = '' }: Made): Uint8Array {
  return slice([
    el.text(Tags.SOPClassUID, 'UI', CT),
    el.text(Tags.SOPInstanceUID, 'UI', `2.25.3${study}`),
    el.text(Tags.StudyInstanceUID, 'UI', `2.25.2${study}`),
    el.text(Tags.SeriesInstanceUID, 'UI', `2.25.1${study}`),
    el.text(Tags.PatientID, 'LO', `P${study}`),
    el.text(Tags.PatientBirthDate, 'DA', born),
    el.text(Tags.StudyDate, 'DA', date),
    el.text(Tags.Modality, 'CS', modality),
  ])
}

const STUDIES: readonly Made[] = [
  { study: 1, date: '20100301', born: '19500101' },
  { study: 2, date: '20100301', born: '20090101' },
  { study: 3, date: '20100301' },
  { study: 4, date: '20100301', modality: 'MG', born: '19500101' },
  { study: 5, date: '20240301', born: '19500101' },
]

const terms = { name: 'all', jurisdiction: '', basis: '', years: 7, minorsUntilAge: 21 }
const termCases: readonly (readonly [
  what: string,
  subject: Parameters<typeof termOf>[1],
  due: string | undefined,
])[] = [
  ['an adult', { modalities: ['CT'], taken: day('2010-03-01'), born: day('1950-01-01') }, '2017-03-01'],
  ['a child', { modalities: ['CT'], taken: day('2010-03-01'), born: day('2009-01-01') }, '2030-01-01'],
  ['nobody knows', { modalities: ['CT'], taken: day('2010-03-01'), born: undefined }, '2031-03-01'],
  ['of 20', { modalities: ['CT'], taken: day('2010-03-01'), born: day('1990-03-01') }, '2017-03-01'],
  ['a leap day', { modalities: ['CT'], taken: day('2012-02-29'), born: day('1950-01-01') }, '2019-03-01'],
]
for (const [what, subject, due] of termCases) {
  test(`kept until: ${what}`, () => {
    assert.equal(termOf([terms], subject)?.due.toISOString().slice(0, 10), due)
  })
}

test('of two policies the longer one holds, and without one nothing is due', () => {
  const subject = { modalities: ['CT', 'PT'], taken: day('2010-03-01'), born: day('1950-01-01') }
  const short = { name: 'short', jurisdiction: 'A', basis: '', years: 2 }
  const long = { name: 'long', jurisdiction: 'B', basis: '', years: 30, modality: 'PT' }
  assert.equal(termOf([short, long], subject)?.policy, 'long')
  assert.equal(termOf([short, long], { ...subject, modalities: ['CT'] })?.policy, 'short')
  assert.equal(termOf([long], { ...subject, modalities: ['CT'] }), undefined)
})

suite('retention in the archive', () => {
  const open: { archive?: Archive } = {}
  before(async () => {
    open.archive = await openArchive({ dataFolder, keys: { passphrase: Buffer.from(passphrase) } })
    await ingestAll(open.archive, STUDIES.map(made))
  })
  after(async () => {
    await open.archive?.close()
    rmSync(scratch, { recursive: true, force: true })
  })
  const archive = (): Archive => open.archive ?? assert.fail()
  const db = () => archive().database.kysely
  const due = async (now: string): Promise<readonly string[]> => {
    const found: string[] = []
    for await (const { study } of dueStudies(archive(), day(now))) found.push(study)
    return found.sort()
  }
  const visible = async (): Promise<readonly string[]> => {
    const page = await findStudies({ db: db(), columns: archive().columns }, {}, { limit: 100 })
    return page.rows.map(({ uid }) => uid).sort()
  }

  test('what is due follows the policies, and a hold stops it', async () => {
    assert.deepEqual(await due('2100-01-01'), [])
    await setPolicy(db(), terms, 'ana')
    await setPolicy(
      db(),
      { name: 'mammograms', modality: 'MG', jurisdiction: 'US', years: 10, basis: '21 CFR 900.12(c)(4)' },
      'ana',
    )
    assert.deepEqual(await due('2017-02-28'), [])
    assert.deepEqual(await due('2018-01-01'), ['2.25.21'])
    assert.deepEqual(await due('2021-01-01'), ['2.25.21', '2.25.24'])
    assert.deepEqual(await due('2030-06-01'), ['2.25.21', '2.25.22', '2.25.24'])
    const hold = await placeHold(db(), { matter: 'm', owner: 'ana', studies: ['2.25.21'] })
    assert.deepEqual(await due('2021-01-01'), ['2.25.24'])
    await assert.rejects(putInTrash(archive(), '2.25.21', { by: 'ana', reason: 'x' }), { code: 'ON_HOLD' })
    await releaseHold(db(), hold, 'ben')
    await endPolicy(db(), 'mammograms', 'ana')
    await assert.rejects(endPolicy(db(), 'mammograms', 'ana'), { code: 'NO_POLICY' })
    assert.deepEqual(await due('2018-01-01'), ['2.25.21', '2.25.24'])
  })

  test('in the trash it is out of sight; it is taken out, or comes out when its instance comes again', async () => {
    assert.equal(await runRetention(archive(), 'ana', day('2018-01-01')), 2)
    assert.deepEqual(await visible(), ['2.25.22', '2.25.23', '2.25.25'])
    assert.equal(await openInstance(archive(), '2.25.31'), undefined)
    assert.deepEqual(await commitmentOf(archive(), [{ sopClass: CT, sopUid: '2.25.31' }]), {
      committed: [],
      failed: [{ sopClass: CT, sopUid: '2.25.31', reason: 0x0112 }],
    })
    await takeFromTrash(archive(), '2.25.21', 'ana')
    await assert.rejects(takeFromTrash(archive(), '2.25.21', 'ana'), { code: 'NO_STUDY' })
    const [again] = await ingestAll(archive(), [made(STUDIES[3] ?? assert.fail())])
    assert.equal(again?.kind, 'duplicate')
    assert.equal((await visible()).length, 5)
    assert.deepEqual(await trashed(archive(), new Date()), [])
  })

  test('committed is what was read and hashed; the rest has its reason', async () => {
    const other = '1.2.840.10008.5.1.4.1.1.4'
    const asked = [
      { sopClass: CT, sopUid: '2.25.31' },
      { sopClass: other, sopUid: '2.25.32' },
      { sopClass: CT, sopUid: '2.25.99' },
      { sopClass: CT, sopUid: '2.25.33' },
    ]
    const rows = await db().selectFrom('instances').select(['sop_uid', 'blob_id']).execute()
    const blob = rows.find(({ sop_uid }) => sop_uid === '2.25.33')?.blob_id ?? assert.fail()
    damage(dataFolder, blob)
    const { committed, failed } = await commitmentOf(archive(), asked)
    assert.deepEqual(
      committed.map(({ sopUid }) => sopUid),
      ['2.25.31'],
    )
    assert.deepEqual(
      failed.map(({ reason }) => reason),
      [0x0119, 0x0112, 0x0110],
    )
  })

  test('the commands: a policy, what is due, the trash, its grace, and the certificates', async () => {
    await archive().close()
    const secret = join(scratch, 'passphrase')
    writeFileSync(secret, passphrase)
    const run = (...args: readonly string[]) => roentgate(args, { data: dataFolder, passphraseFile: secret })
    const certificate = join(scratch, 'certificate')
    const set = await run('retention', 'set', 'CT', '--years', '1', '--modality', 'CT', '--by', 'ana')
    assert.equal(set.out, 'In force: CT: studies with CT for 1 year\n')
    assert.equal((await run('retention', 'set', 'CT', '--years', '-1', '--by', 'ana')).code, 1)
    assert.match(
      (await run('retention', 'due')).out,
      /2\.25\.21 {2}due since 2017-03-01 {2}all\n[\s\S]*2 studies due/,
    )
    assert.match((await run('retention', 'run', '--by', 'ana')).out, /^2 studies put/)
    assert.match((await run('trash', 'put', '2.25.25', '--by', 'ana', '--reason', 'sent twice')).out, /^$/)
    assert.match((await run('trash', 'list')).out, /3 studies in the trash/)
    const two = ['--by', 'ana', '--second', 'ben', '--certificate']
    const early = await run('trash', 'empty', ...two, join(scratch, 'early'))
    assert.match(early.out, /^0 studies destroyed, 0 kept/)
    assert.equal((await run('hold', 'place', '2.25.25', '--matter', 'm', '--by', 'ana')).code, 0)
    const emptied = await run('trash', 'empty', ...two, certificate, '--grace', '0')
    assert.match(emptied.out, /^2 studies destroyed, 1 kept/)
    assert.match(emptied.err, /2\.25\.25: the study is under a legal hold/)
    assert.equal(readFileSync(certificate, 'utf8').trim().split('\n').length, 2)
    const alone = await run(
      'keys',
      'destroy',
      '2.25.22',
      '--by',
      'ana',
      '--second',
      'ana',
      '--reason',
      'r',
      '--certificate',
      join(scratch, 'alone'),
    )
    assert.match(alone.err, /SECOND_PERSON/)
    assert.ok(existsSync(certificate))
    assert.match(
      (await run('audit', 'search', '--event', 'disposed')).out,
      /disposed {2}D {2}success {2}person ana/,
    )
    const verified = await run('audit', 'verify')
    assert.match(verified.out, /^INTACT/)
    open.archive = await openArchive({ dataFolder, keys: { passphrase: Buffer.from(passphrase) } })
  })
})
