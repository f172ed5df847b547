// Worklist and performed steps. DCMTK's wlmscpfs has the same items as we and is asked the same: the answers must be the
// same. dcmjs-dimse is the modality that begins and ends a step.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import dimse from 'dcmjs-dimse'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode } from '../../apps/gateway/src/nodes/registry.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { itemsOf, keyText, readIdentifier } from '../../apps/gateway/src/serve/identifier.ts'
import { addItems, plannedSteps } from '../../apps/gateway/src/worklist/items.ts'
import { beginStep, changeStep } from '../../apps/gateway/src/worklist/steps.ts'
import { EXPLICIT, even, forge, part10 } from '../../packages/dicom/src/forge.ts'
import { type Dataset, fromBytes, readFile, string, Tags } from '../../packages/dicom/src/index.ts'
import { connect, FIELD } from '../../packages/dimse/src/index.ts'
import { SENDER } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { freePort } from '../support/ports.ts'
import { roentgate } from '../support/terminal.ts'

const [findscu, wlmscpfs] = ['findscu', 'wlmscpfs'].map(peer)
const needs = [findscu, wlmscpfs].flatMap((one) => (one ? [one] : []))
const folder = passable('roentgate-worklist-')
const at = (...names: readonly string[]): string => join(folder, ...names)
const le = forge({ explicit: true, bigEndian: false })

type Item = {
  step: string
  name: string
  id: string
  day: string
  time: string
  modality: string
  station: string
}
const ITEMS: readonly Item[] = [
  {
    step: 'S1',
    name: 'Okonkwo^Zeph',
    id: 'P1',
    day: '20991105',
    time: '0800',
    modality: 'CT',
    station: 'CT1',
  },
  {
    step: 'S2',
    name: 'Okonkwo^Zeph',
    id: 'P1',
    day: '20991105',
    time: '0930',
    modality: 'MR',
    station: 'MR1',
  },
  {
    step: 'S3',
    name: 'M\xfcller^Anna',
    id: 'P2',
    day: '20991106',
    time: '0800',
    modality: 'CT',
    station: 'CT1',
  },
  { step: 'S4', name: 'Ode^Jean', id: 'P3', day: '20991107', time: '161530', modality: 'US', station: 'US1' },
]
const studyOf = ({ step }: Pick<Item, 'step'>): string => `2.25.77${step.slice(1)}`

function madeOf(item: Item): Uint8Array {
  const text = (tag: number, vr: 'CS' | 'PN' | 'LO' | 'DA' | 'TM' | 'SH' | 'AE', value: string) =>
    le.element(tag, vr, even(value, ' '))
  return part10(
    EXPLICIT,
    text(0x00080005, 'CS', 'ISO_IR 100'),
    text(0x00080050, 'SH', `A${item.step}`),
    text(0x00080090, 'PN', 'House^G'),
    text(0x00100010, 'PN', item.name),
    text(0x00100020, 'LO', item.id),
    text(0x00100030, 'DA', '19700131'),
    text(0x00100040, 'CS', 'O'),
    le.element(0x0020000d, 'UI', even(studyOf(item), '\0')),
    text(0x00321060, 'LO', `Procedure ${item.step}`),
    le.sequence(0x00400100, [
      le.item(
        text(0x00080060, 'CS', item.modality),
        text(0x00400001, 'AE', item.station),
        text(0x00400002, 'DA', item.day),
        text(0x00400003, 'TM', item.time),
        text(0x00400006, 'PN', 'Curie^M'),
        text(0x00400007, 'LO', `Step ${item.step}`),
        text(0x00400009, 'SH', item.step),
      ),
    ]),
    text(0x00401001, 'SH', `R${item.step}`),
  )
}

const STEP = 'ScheduledProcedureStepSequence[0].'
const RETURNED = [
  'PatientName',
  'PatientID',
  'AccessionNumber',
  `${STEP}ScheduledProcedureStepID`,
  `${STEP}Modality`,
]
const QUERIES: readonly (readonly [what: string, keys: readonly string[], steps: readonly string[]])[] = [
  ['everything', [], ['S1', 'S2', 'S3', 'S4']],
  ['of a station', [`${STEP}ScheduledStationAETitle=CT1`], ['S1', 'S3']],
  ['of a day', [`${STEP}ScheduledProcedureStepStartDate=20991105`], ['S1', 'S2']],
  ['of some days', [`${STEP}ScheduledProcedureStepStartDate=20991106-20991107`], ['S3', 'S4']],
  ['from a day on', [`${STEP}ScheduledProcedureStepStartDate=20991106-`], ['S3', 'S4']],
  ['until a day', [`${STEP}ScheduledProcedureStepStartDate=-20991105`], ['S1', 'S2']],
  ['between times', [`${STEP}ScheduledProcedureStepStartTime=0900-1700`], ['S2', 'S4']],
  [
    'of a modality on a day',
    [`${STEP}Modality=CT`, `${STEP}ScheduledProcedureStepStartDate=20991106`],
    ['S3'],
  ],
  ['of a patient', ['PatientID=P1'], ['S1', 'S2']],
  ['of a name', ['PatientName=Ok*'], ['S1', 'S2']],
  ['of a name with one character open', ['PatientName=Ode^Jea?'], ['S4']],
  ['of an accession number', ['AccessionNumber=AS2'], ['S2']],
  ['of nobody', ['PatientID=P9'], []],
]

suite('worklist', skipUnless(...needs), () => {
  const open: { archive?: Archive; listener?: OpenPort; child?: ChildProcess; peer: number } = { peer: 0 }
  const archive = (): Archive => open.archive ?? assert.fail()
  const ours = (): number => open.listener?.port ?? 0

  before(async () => {
    mkdirSync(at('wl', 'RG'), { recursive: true })
    writeFileSync(at('wl', 'RG', 'lockfile'), '')
    for (const item of ITEMS) writeFileSync(at('wl', 'RG', `${item.step}.wl`), madeOf(item))
    open.archive = await openArchive({ dataFolder: at('data'), keys: { passphrase: Buffer.from('x') } })
    const items = ITEMS.map((item) => readFile(fromBytes(madeOf(item))).dataset)
    await addItems(archive(), items, SENDER)
    await addItems(archive(), items.slice(0, 1), SENDER)
    open.peer = await freePort()
    open.child = spawn(wlmscpfs?.path ?? '', ['-csk', '-dfp', at('wl'), String(open.peer)], {
      stdio: 'ignore',
    })
    const node = { addresses: ['127.0.0.1'], fingerprints: [], outside: false }
    const db = archive().database.kysely
    await addNode(db, { ...node, ae: 'CT1', services: ['worklist', 'mpps'] }, 'ana')
    await addNode(db, { ...node, ae: 'MR1', services: ['mpps'] }, 'ana')
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION }
    open.listener = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self })
    await sleep(300)
  })

  after(async () => {
    open.child?.kill()
    await open.listener?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function found(port: number, keys: readonly string[]) {
    rmSync(at('answers'), { recursive: true, force: true })
    mkdirSync(at('answers'))
    const asked = [...RETURNED.filter((one) => !keys.some((key) => key.startsWith(`${one}=`))), ...keys]
    const args = ['-v', '-W', '-X', '-od', at('answers'), '-aet', 'CT1', '-aec', 'RG']
    const child = spawn(findscu?.path ?? '', [
      ...args,
      ...asked.flatMap((key) => ['-k', key]),
      '127.0.0.1',
      String(port),
    ])
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
    await once(child, 'close')
    const answers = readdirSync(at('answers')).map((name) => {
      const bytes = readFileSync(at('answers', name))
      const meta = bytes.indexOf('DICM') + 4
      return readIdentifier(bytes.subarray(meta + 12 + bytes.readUInt32LE(meta + 8)), EXPLICIT)
    })
    return { said, answers: answers.map(summary).sort() }
  }

  for (const [what, keys, steps] of QUERIES) {
    test(`C-FIND: ${what}: as wlmscpfs answers`, async () => {
      const [theirs, own] = [await found(open.peer, keys), await found(ours(), keys)]
      assert.deepEqual(own.answers.map((line) => line.split('|')[3]).sort(), [...steps], own.said)
      assert.deepEqual(own.answers, theirs.answers)
      assert.match(own.said, /Received Final Find Response \(Success\)/)
    })
  }

  test('C-FIND refuses a date that is none, and names the key, not its value', async () => {
    const { said, answers } = await found(ours(), [`${STEP}ScheduledProcedureStepStartDate=someday`])
    assert.equal(answers.length, 0)
    assert.match(said, /DoesNotMatchSOPClass/)
  })

  test('nothing of a patient is in the table in the clear, or in the ledger', async () => {
    const { rows } = await archive()
      .database.kysely.selectFrom('worklist')
      .selectAll()
      .execute()
      .then((all) => ({ rows: all }))
    const lines = await archive().database.kysely.selectFrom('ledger_entries').select('line').execute()
    const text = JSON.stringify(rows) + lines.map(({ line }) => line).join()
    for (const secret of ['Okonkwo', 'P1"', 'AS1', 'RS1', 'House']) assert.ok(!text.includes(secret), secret)
  })

  test('roentgate worklist add and list; roentgate query asks another system for its list', async () => {
    writeFileSync(at('passphrase'), 'for tests')
    const here = { data: at('cli'), passphraseFile: at('passphrase') }
    writeFileSync(at('no-item.dcm'), part10(EXPLICIT, le.element(0x00100020, 'LO', 'P1')))
    const added = await roentgate(['worklist', 'add', at('wl', 'RG', 'S1.wl'), at('no-item.dcm')], here)
    assert.equal(added.out, '1 step planned, 1 file left out.\n')
    assert.match(added.err, /no-item\.dcm: a Scheduled Procedure Step Sequence with one item is wanted/)
    const listed = await roentgate(['worklist', 'list'], here)
    assert.match(listed.out, /^([0-9a-f-]{36}) {2}2099-11-05 0800 {2}CT {3}CT1 +scheduled\n1 step\.\n$/)
    const id = listed.out.slice(0, 36)
    assert.equal((await roentgate(['worklist', 'remove', id], here)).out, '1 step removed.\n')
    const node = ['--address', '127.0.0.1', '--listens', `127.0.0.1:${open.peer}`, '--by', 'ana']
    assert.equal((await roentgate(['node', 'add', 'RG', ...node], here)).code, 0)
    const keys = [
      'PatientID',
      'ScheduledProcedureStepSequence.Modality=MR',
      'ScheduledProcedureStepSequence.ScheduledProcedureStepID',
    ]
    const asked = await roentgate(['query', 'RG', '--plain', '--root', 'worklist', '--key', ...keys], here)
    assert.match(asked.out, /^ScheduledProcedureStepSequence\.ScheduledProcedureStepID +S2$/m, asked.err)
    assert.match(asked.out, /^PatientID +P1$/m)
    assert.match(asked.out, /\n1 match\.\n$/)
  })

  const { Client } = dimse
  dimse.log.setLevel('silent')
  const { NCreateRequest, NSetRequest } = dimse.requests
  const CLASS = '1.2.840.10008.3.1.2.3.3'

  /** Statuses of the answers; dcmjs-dimse sends requests of one association one after the other. */
  async function asks(ae: string, ...requests: readonly InstanceType<typeof NSetRequest>[]) {
    const statuses: number[] = []
    const client = new Client()
    for (const request of requests) {
      request.on('response', (response) => statuses.push(response.getStatus()))
      client.addRequest(request)
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    client.on('closed', resolve)
    client.on('networkError', reject)
    client.on('associationRejected', reject)
    client.send('127.0.0.1', ours(), ae, 'RG')
    await promise
    return statuses
  }
  const create = (uid: string, elements: Record<string, unknown>) => {
    const request = new NCreateRequest(CLASS, uid)
    request.setDataset(new dimse.Dataset(elements))
    return request
  }
  const set = (uid: string, elements: Record<string, unknown>) => {
    const request = new NSetRequest(CLASS, uid)
    request.setDataset(new dimse.Dataset(elements))
    return request
  }
  const begun = (item: Item) => ({
    PatientID: item.id,
    PerformedProcedureStepID: 'PPS1',
    PerformedProcedureStepStatus: 'IN PROGRESS',
    Modality: item.modality,
    ScheduledStepAttributesSequence: [
      { StudyInstanceUID: studyOf(item), ScheduledProcedureStepID: item.step },
    ],
  })
  const state = async (step: number) => {
    const all = await plannedSteps(archive())
    return all[step]?.state
  }

  test('N-CREATE and N-SET: a step that was begun leaves the worklist, one that was ended changes no more', async () => {
    const [item] = ITEMS
    assert.ok(item)
    assert.deepEqual(await asks('CT1', create('2.25.901', begun(item))), [0x0000])
    assert.equal(await state(0), 'in-progress')
    assert.equal((await found(ours(), ['AccessionNumber=AS1'])).answers.length, 0)
    assert.deepEqual(await asks('CT1', create('2.25.901', begun(item))), [0x0111], 'duplicate')
    const comment = { PerformedProcedureStepDescription: 'with contrast' }
    assert.deepEqual(await asks('CT1', set('2.25.901', comment)), [0x0000])
    assert.deepEqual(await asks('MR1', set('2.25.901', comment)), [0x0124], 'of another node')
    assert.deepEqual(await asks('CT1', set('2.25.999', comment)), [0x0112], 'of none')
    const wrong = { PerformedProcedureStepStatus: 'FINISHED' }
    assert.deepEqual(await asks('CT1', set('2.25.901', wrong)), [0x0106])
    const ended = { PerformedProcedureStepStatus: 'COMPLETED' }
    assert.deepEqual(await asks('CT1', set('2.25.901', ended)), [0x0000])
    assert.equal(await state(0), 'completed')
    assert.deepEqual(await asks('CT1', set('2.25.901', comment)), [0x0110], 'no longer')
    const lines = await archive()
      .database.kysely.selectFrom('ledger_entries')
      .select('line')
      .where('line', 'like', '%"procedure-record"%')
      .orderBy('index')
      .execute()
    assert.equal(lines.length, 3)
    assert.match(lines[2]?.line ?? '', /"status":"completed".*2\.25\.901|2\.25\.901.*"status":"completed"/)
    assert.match(lines[2]?.line ?? '', /2\.25\.771/)
  })

  test('N-CREATE without a state, or in another one than in progress, makes no step', async () => {
    const [item] = ITEMS
    assert.ok(item)
    const { PerformedProcedureStepStatus: _, ...none } = begun(item)
    assert.deepEqual(await asks('CT1', create('2.25.902', none)), [0x0120])
    const ended = { ...begun(item), PerformedProcedureStepStatus: 'COMPLETED' }
    assert.deepEqual(await asks('CT1', create('2.25.902', ended)), [0x0106])
    assert.deepEqual(await asks('CT1', set('2.25.902', ended)), [0x0112])
  })

  test('N-SET in another character set keeps what was there; N-GET gives what is asked for', async () => {
    const sender = { kind: 'node', id: 'CT1' } as const
    const step = texts('ISO_IR 100', [0x00400252, 'CS', 'IN PROGRESS'], [0x00400254, 'LO', 'K\xf6rper'])
    assert.equal(await beginStep(archive(), { uid: '2.25.903', step }, sender), 'done')
    const change = texts('ISO_IR 192', [0x00400255, 'LO', '頭部'])
    assert.equal(await changeStep(archive(), { uid: '2.25.903', step: change }, sender), 'done')
    const association = await connect({
      host: '127.0.0.1',
      port: ours(),
      callingAe: 'CT1',
      calledAe: 'RG',
      implementation: IMPLEMENTATION,
      contexts: [{ abstractSyntax: '1.2.840.10008.3.1.2.3.4', transferSyntaxes: [EXPLICIT] }],
    })
    const context = association.contextFor('1.2.840.10008.3.1.2.3.4')
    const get = async (uid: string, attributes: readonly number[]) => {
      const command = {
        field: FIELD.nGet,
        requestedClass: context.abstractSyntax,
        requestedInstance: uid,
        attributes,
      }
      for await (const { status, data } of association.request(context, command))
        return { status, step: data && readIdentifier(data, EXPLICIT) }
      return assert.fail()
    }
    const { status, step: whole } = await get('2.25.903', [])
    assert.ok(status === 0 && whole)
    assert.equal(string(whole, Tags.PerformedProcedureStepDescription), 'Körper')
    assert.equal(string(whole, Tags.PerformedProcedureTypeDescription), '頭部')
    const { step: part } = await get('2.25.903', [Tags.PerformedProcedureStepStatus])
    assert.deepEqual(
      part?.elements.map(({ tag }) => tag),
      [Tags.PerformedProcedureStepStatus],
    )
    assert.equal((await get('2.25.999', [])).status, 0x0112)
    await association.release()
  })
})

function texts(
  charset: string,
  ...pairs: readonly (readonly [tag: number, vr: 'CS' | 'LO' | 'SH', text: string])[]
) {
  const elements = pairs.map(([tag, vr, text]) =>
    le.element(
      tag,
      vr,
      even(Buffer.from(text, charset === 'ISO_IR 192' ? 'utf8' : 'latin1').toString('latin1'), ' '),
    ),
  )
  return readFile(fromBytes(part10(EXPLICIT, le.element(0x00080005, 'CS', even(charset, ' ')), ...elements)))
    .dataset
}

function summary(answer: Dataset): string {
  const [step] = itemsOf(answer, Tags.ScheduledProcedureStepSequence)
  const own = [Tags.PatientName, Tags.PatientID, Tags.AccessionNumber].map((tag) => keyText(answer, tag))
  const inner = [Tags.ScheduledProcedureStepID, Tags.Modality].map((tag) => (step ? keyText(step, tag) : ''))
  return [...own, ...inner].join('|')
}
