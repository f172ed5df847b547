// Query and retrieve, with DCMTK as the one who asks and the one who gets: every level, every kind of key, every way that a
// sub-operation ends.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode, type Service } from '../../apps/gateway/src/nodes/registry.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import {
  identifier,
  itemsOf,
  readIdentifier,
  writeIdentifier,
} from '../../apps/gateway/src/serve/identifier.ts'
import { EXPLICIT } from '../../packages/dicom/src/forge.ts'
import { find, string, Tags } from '../../packages/dicom/src/index.ts'
import { connect, FIELD } from '../../packages/dimse/src/index.ts'
import { damage, ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { freePort } from '../support/ports.ts'
import { CT, madeOf, STUDIES, uidOf } from '../support/studies.ts'

const [findscu, movescu, getscu, storescp] = ['findscu', 'movescu', 'getscu', 'storescp'].map(peer)
const needs = [findscu, movescu, getscu, storescp].flatMap((one) => (one ? [one] : []))
const folder = passable('roentgate-query-')
const at = (name: string): string => join(folder, name)
const ALL: readonly Service[] = ['echo', 'store', 'find', 'move', 'get', 'commit']

suite('query and retrieve', skipUnless(...needs), () => {
  const open: { archive?: Archive; listener?: OpenPort; child?: ChildProcess; port: number } = { port: 0 }
  const archive = (): Archive => open.archive ?? assert.fail()
  const asks = async (program: string, ...args: readonly string[]) => {
    const child = spawn(program, ['-v', '-aet', 'WS1', '-aec', 'RG', ...args], {
      cwd: folder,
      env: { ...process.env, TCP_NODELAY: '1' },
      timeout: 30_000,
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
    const [code] = (await once(child, 'close')) as [number]
    return { code, said }
  }
  const where = (): string[] => ['127.0.0.1', String(open.port)]
  /** findscu's -X writes each answer to a file. */
  const found = async (root: '-S' | '-P', ...keys: readonly string[]) => {
    rmSync(at('answers'), { recursive: true, force: true })
    mkdirSync(at('answers'))
    const { said } = await asks(
      'findscu',
      root,
      '-X',
      '-od',
      at('answers'),
      ...keys.flatMap((key) => ['-k', key]),
      ...where(),
    )
    const answers = readdirSync(at('answers'))
      .sort()
      .map((name) => {
        const bytes = readFileSync(join(at('answers'), name))
        return readIdentifier(
          bytes.subarray(bytes.indexOf('DICM') + 4 + 12 + bytes.readUInt32LE(bytes.indexOf('DICM') + 12)),
          EXPLICIT,
        )
      })
    return { said, answers }
  }
  const received = (into: string): readonly string[] => readdirSync(at(into)).sort()

  before(async () => {
    open.archive = await openArchive({ dataFolder: at('data'), keys: { passphrase: Buffer.from('x') } })
    await ingestAll(archive(), STUDIES.map(madeOf))
    const port = await freePort()
    const node = { addresses: ['127.0.0.1'], fingerprints: [], outside: false }
    const db = archive().database.kysely
    await addNode(db, { ...node, ae: 'WS1', services: ALL, listens: { host: '127.0.0.1', port } }, 'ana')
    await addNode(db, { ...node, ae: 'AWAY', services: ALL, listens: { host: '127.0.0.1', port: 1 } }, 'ana')
    await addNode(
      db,
      { ...node, ae: 'OUT', services: [], outside: true, listens: { host: '127.0.0.1', port } },
      'ana',
    )
    await addNode(db, { ...node, ae: 'DEAF', services: ALL }, 'ana')
    await addNode(db, { ...node, ae: 'ECHOER', services: ['echo'] }, 'ana')
    mkdirSync(at('arrived'))
    open.child = spawn(storescp?.path ?? '', ['-od', at('arrived'), '--fork', String(port)], {
      stdio: 'ignore',
    })
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION }
    open.listener = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self })
    open.port = open.listener.port
    await sleep(300)
  })

  after(async () => {
    open.child?.kill()
    await open.listener?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const QUERIES: readonly (readonly [
    what: string,
    root: '-S' | '-P',
    keys: readonly string[],
    matches: number,
  ])[] = [
    ['all studies', '-S', ['QueryRetrieveLevel=STUDY', 'StudyInstanceUID'], 3],
    ['by patient ID', '-S', ['QueryRetrieveLevel=STUDY', 'PatientID=P2', 'StudyInstanceUID'], 2],
    [
      'another case of an ID is another ID',
      '-S',
      ['QueryRetrieveLevel=STUDY', 'PatientID=p2', 'StudyInstanceUID'],
      0,
    ],
    [
      'a name in any case, with a wildcard',
      '-S',
      ['QueryRetrieveLevel=STUDY', 'PatientName=okon*', 'StudyInstanceUID'],
      2,
    ],
    ['one character', '-S', ['QueryRetrieveLevel=STUDY', 'PatientName=Okonkw?^Zeph', 'StudyInstanceUID'], 2],
    [
      'a range of dates',
      '-S',
      ['QueryRetrieveLevel=STUDY', 'StudyDate=20240101-20241231', 'StudyInstanceUID'],
      2,
    ],
    ['open to the right', '-S', ['QueryRetrieveLevel=STUDY', 'StudyDate=20240201-', 'StudyInstanceUID'], 2],
    ['open to the left', '-S', ['QueryRetrieveLevel=STUDY', 'StudyDate=-20240105', 'StudyInstanceUID'], 1],
    ['a list of UIDs', '-S', ['QueryRetrieveLevel=STUDY', 'StudyInstanceUID=2.25.11\\2.25.13'], 2],
    [
      'an accession number',
      '-S',
      ['QueryRetrieveLevel=STUDY', 'AccessionNumber=ACC3', 'StudyInstanceUID'],
      1,
    ],
    [
      'modalities in study',
      '-S',
      ['QueryRetrieveLevel=STUDY', 'ModalitiesInStudy=SR', 'StudyInstanceUID'],
      1,
    ],
    ['a study ID', '-S', ['QueryRetrieveLevel=STUDY', 'StudyID=S2', 'StudyInstanceUID'], 1],
    ['nobody', '-S', ['QueryRetrieveLevel=STUDY', 'PatientID=NOBODY', 'StudyInstanceUID'], 0],
    [
      'series of a study',
      '-S',
      ['QueryRetrieveLevel=SERIES', 'StudyInstanceUID=2.25.11', 'SeriesInstanceUID'],
      2,
    ],
    [
      'instances of a series',
      '-S',
      [
        'QueryRetrieveLevel=IMAGE',
        'StudyInstanceUID=2.25.11',
        'SeriesInstanceUID=2.25.11.1',
        'SOPInstanceUID',
      ],
      2,
    ],
    [
      'the step that a series was asked for by',
      '-S',
      [
        'QueryRetrieveLevel=SERIES',
        'StudyInstanceUID=2.25.11',
        'SeriesInstanceUID',
        'RequestAttributesSequence[0].ScheduledProcedureStepID=SPS2',
      ],
      1,
    ],
    ['patients', '-P', ['QueryRetrieveLevel=PATIENT', 'PatientID', 'PatientName'], 2],
    ['one of them', '-P', ['QueryRetrieveLevel=PATIENT', 'PatientID', 'PatientName=M*'], 1],
    ['studies of a patient', '-P', ['QueryRetrieveLevel=STUDY', 'PatientID=P2', 'StudyInstanceUID'], 2],
  ]
  for (const [what, root, keys, matches] of QUERIES) {
    test(`C-FIND: ${what}`, async () => {
      const { said, answers } = await found(root, ...keys)
      assert.equal(answers.length, matches, said)
      assert.match(said, /Received Final Find Response \(Success\)/)
    })
  }

  test('C-FIND: names come back whole, in a character set that the answer names', async () => {
    const { answers } = await found(
      '-S',
      'QueryRetrieveLevel=STUDY',
      'PatientID=P1',
      'PatientName',
      'StudyInstanceUID',
      'NumberOfStudyRelatedInstances',
      'StudyDate',
    )
    const [answer] = answers
    assert.ok(answer)
    assert.equal(string(answer, Tags.PatientName), 'Müller^Anna')
    assert.equal(string(answer, Tags.SpecificCharacterSet), 'ISO_IR 192')
    assert.equal(string(answer, Tags.NumberOfStudyRelatedInstances), '3')
    assert.equal(string(answer, Tags.StudyDate), '20240105')
    assert.equal(string(answer, Tags.RetrieveAETitle), 'RG')
    assert.equal(find(answer, Tags.AccessionNumber), undefined, 'nothing that was not asked for')
    const asked = await found(
      '-S',
      'QueryRetrieveLevel=STUDY',
      'SpecificCharacterSet=ISO_IR 100',
      'PatientID=P1',
      'PatientName',
      'StudyInstanceUID',
    )
    const [latin] = asked.answers
    assert.ok(latin)
    assert.equal(string(latin, Tags.SpecificCharacterSet), 'ISO_IR 100')
    assert.equal(string(latin, Tags.PatientName), 'Müller^Anna')
  })

  test('C-FIND: the items of a sequence come back with what was asked for', async () => {
    const { answers } = await found(
      '-S',
      'QueryRetrieveLevel=SERIES',
      'StudyInstanceUID=2.25.13',
      'RequestAttributesSequence[0].RequestedProcedureID',
    )
    const [item] = answers.flatMap((answer) => itemsOf(answer, Tags.RequestAttributesSequence))
    assert.ok(item)
    assert.equal(string(item, Tags.RequestedProcedureID), 'RP')
    assert.equal(string(item, Tags.ScheduledProcedureStepID), undefined, 'nothing that was not asked for')
  })

  const REFUSED: readonly (readonly [what: string, keys: readonly string[], said: RegExp])[] = [
    [
      'no level',
      ['StudyInstanceUID'],
      /Failed: IdentifierDoesNotMatchSOPClass|Error: DataSetDoesNotMatchSOPClass/,
    ],
    [
      'a level that the root does not have',
      ['QueryRetrieveLevel=PATIENT', 'PatientID'],
      /DoesNotMatchSOPClass/,
    ],
    [
      'a series without its study',
      ['QueryRetrieveLevel=SERIES', 'SeriesInstanceUID'],
      /DoesNotMatchSOPClass/,
    ],
    ['a date that is none', ['QueryRetrieveLevel=STUDY', 'StudyDate=yesterday'], /DoesNotMatchSOPClass/],
  ]
  for (const [what, keys, wanted] of REFUSED) {
    test(`C-FIND refuses: ${what}`, async () => {
      const { said, answers } = await found('-S', ...keys)
      assert.equal(answers.length, 0)
      assert.match(said, wanted)
    })
  }

  test('C-FIND: a key that is not searched comes back empty, with the warning that says so', async () => {
    const { said, answers } = await found(
      '-S',
      'QueryRetrieveLevel=STUDY',
      'StudyInstanceUID=2.25.11',
      'AdmittingDiagnosesDescription=*',
    )
    assert.equal(answers.length, 1)
    assert.match(said, /Pending: WarningUnsupportedOptionalKeys|0xff01/i)
  })

  test('C-MOVE: what is asked for arrives as it was stored; the ledger says who moved it where', async () => {
    const { said } = await asks(
      'movescu',
      '-S',
      '-aem',
      'WS1',
      '-k',
      'QueryRetrieveLevel=STUDY',
      '-k',
      'StudyInstanceUID=2.25.11',
      ...where(),
    )
    assert.match(said, /Received Final Move Response \(Success\)/)
    assert.equal(received('arrived').length, 3)
    for (const one of STUDIES.slice(0, 3)) {
      const name = received('arrived').find((file) => file.endsWith(uidOf(one))) ?? assert.fail()
      const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
      const tail = (bytes: Uint8Array): Uint8Array => bytes.subarray(bytes.length - 3100)
      assert.equal(hash(tail(readFileSync(join(at('arrived'), name)))), hash(tail(madeOf(one))))
    }
    const [line] = await lastLines(archive(), 1)
    assert.match(line ?? '', /"event":"instances-transferred".*"count":3.*"id":"2.25.11"/)
    assert.match(line ?? '', /"destination":"WS1"/)
  })

  test('C-MOVE to a node that is outside is a disclosure', async () => {
    const { said } = await asks(
      'movescu',
      '-S',
      '-aem',
      'OUT',
      '-k',
      'QueryRetrieveLevel=IMAGE',
      '-k',
      'StudyInstanceUID=2.25.11',
      '-k',
      'SeriesInstanceUID=2.25.11.1',
      '-k',
      `SOPInstanceUID=${uidOf({ study: 1, series: 1, number: 1 })}`,
      ...where(),
    )
    assert.match(said, /Received Final Move Response \(Success\)/)
    assert.match((await lastLines(archive(), 1))[0] ?? '', /"event":"shared"/)
  })

  for (const [what, destination, wanted] of [
    ['a destination that nobody knows', 'NOBODY', /MoveDestinationUnknown/],
    ['a node of which nobody knows where it listens', 'DEAF', /MoveDestinationUnknown/],
    ['a node that is away', 'AWAY', /UnableToPerformSubOperations|SubOperations/],
  ] as const) {
    test(`C-MOVE: ${what}`, async () => {
      const { said } = await asks(
        'movescu',
        '-S',
        '-aem',
        destination,
        '-k',
        'QueryRetrieveLevel=STUDY',
        '-k',
        'StudyInstanceUID=2.25.11',
        ...where(),
      )
      assert.match(said, wanted)
    })
  }

  test('C-GET: over the same association, as many as were asked for', async () => {
    mkdirSync(at('got'))
    const { said } = await asks(
      'getscu',
      '-S',
      '-od',
      at('got'),
      '-k',
      'QueryRetrieveLevel=STUDY',
      '-k',
      'StudyInstanceUID=2.25.11',
      ...where(),
    )
    assert.equal(received('got').length, 3, said)
    assert.match(said, /Final.*Success|Success/)
  })

  test('C-GET: an instance that is damaged fails by itself, and is named', async () => {
    const row = await archive()
      .database.kysely.selectFrom('instances')
      .select('blob_id')
      .where('sop_uid', '=', uidOf({ study: 2, series: 1, number: 4 }))
      .executeTakeFirstOrThrow()
    await archive().close()
    damage(at('data'), row.blob_id)
    await open.listener?.close()
    open.archive = await openArchive({ dataFolder: at('data'), keys: { passphrase: Buffer.from('x') } })
    open.listener = await openDicomPort(archive(), {
      host: '127.0.0.1',
      port: 0,
      self: { aeTitle: 'RG', implementation: IMPLEMENTATION },
    })
    open.port = open.listener.port
    mkdirSync(at('got2'))
    await asks(
      'getscu',
      '-P',
      '-od',
      at('got2'),
      '-k',
      'QueryRetrieveLevel=PATIENT',
      '-k',
      'PatientID=P2',
      ...where(),
    )
    assert.equal(received('got2').length, 1)
    const outcome = await moved(open.port, 'P2', 'WS1')
    assert.equal(outcome.status, 0xb000)
    assert.deepEqual([outcome.completed, outcome.failed], [1, 1])
    assert.deepEqual(outcome.failures, [uidOf({ study: 2, series: 1, number: 4 })])
  })

  test('a service that a node does not have is not accepted', async () => {
    const association = connect({
      host: '127.0.0.1',
      port: open.port,
      callingAe: 'ECHOER',
      calledAe: 'RG',
      contexts: [
        { abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] },
        { abstractSyntax: '1.2.840.10008.5.1.4.1.2.2.1', transferSyntaxes: ['1.2.840.10008.1.2'] },
        { abstractSyntax: CT, transferSyntaxes: ['1.2.840.10008.1.2'] },
      ],
      implementation: IMPLEMENTATION,
    })
    const accepted = await association
    assert.deepEqual(
      accepted.contexts.map(({ abstractSyntax }) => abstractSyntax),
      ['1.2.840.10008.1.1'],
    )
    await accepted.release()
  })
})

async function lastLines({ database }: Archive, count: number): Promise<readonly string[]> {
  const rows = await database.kysely
    .selectFrom('ledger_entries')
    .select('line')
    .orderBy('index', 'desc')
    .limit(count)
    .execute()
  return rows.map(({ line }) => line)
}

/** C-MOVE by our own SCU, for what DCMTK's does not print. */
async function moved(port: number, patient: string, destination: string) {
  const model = '1.2.840.10008.5.1.4.1.2.1.2'
  const association = await connect({
    host: '127.0.0.1',
    port,
    callingAe: 'WS1',
    calledAe: 'RG',
    contexts: [{ abstractSyntax: model, transferSyntaxes: [EXPLICIT] }],
    implementation: IMPLEMENTATION,
  })
  const context = association.contextFor(model)
  const content = writeIdentifier(
    identifier(
      [
        [Tags.QueryRetrieveLevel, 'PATIENT'],
        [Tags.PatientID, patient],
      ],
      EXPLICIT,
    ),
    EXPLICIT,
  )
  let last = { status: -1, completed: 0, failed: 0, failures: [] as readonly string[] }
  const command = { field: FIELD.cMove, affectedClass: model, moveDestination: destination, priority: 0 }
  for await (const { status, command: answer, data } of association.request(context, command, { content })) {
    const list = data ? find(readIdentifier(data, EXPLICIT), Tags.FailedSOPInstanceUIDList) : undefined
    const text =
      list?.value.kind === 'bytes' ? Buffer.from(list.value.bytes).toString('latin1').replace(/\0/g, '') : ''
    last = {
      status,
      completed: answer.completed ?? 0,
      failed: answer.failed ?? 0,
      failures: text === '' ? [] : text.split('\\'),
    }
  }
  await association.release()
  return last
}
