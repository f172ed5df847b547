// What a node is for says what it sees: DCMTK asks as five nodes, each for another purpose.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode } from '../../apps/gateway/src/nodes/registry.ts'
import type { Purpose } from '../../apps/gateway/src/policy/subject.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { keyText, readIdentifier } from '../../apps/gateway/src/serve/identifier.ts'
import { EXPLICIT } from '../../packages/dicom/src/forge.ts'
import { Tags } from '../../packages/dicom/src/index.ts'
import { ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { madeOf, STUDIES } from '../support/studies.ts'

const [findscu, movescu, getscu] = [peer('findscu'), peer('movescu'), peer('getscu')]
const folder = passable('roentgate-purpose-')
const at = (name: string): string => join(folder, name)
const NODES: Readonly<Record<string, Purpose>> = {
  READER: 'treatment',
  ROUTER: 'operations',
  BILLER: 'payment',
  STUDIER: 'research',
  LAWYER: 'legal',
}

suite('purposes of nodes', skipUnless(findscu, movescu, getscu), () => {
  const open: { archive?: Archive; listener?: OpenPort } = {}
  const archive = (): Archive => open.archive ?? assert.fail()

  before(async () => {
    open.archive = await openArchive({ dataFolder: at('data'), keys: { passphrase: Buffer.from('x') } })
    await ingestAll(archive(), STUDIES.map(madeOf))
    const services = ['find', 'move', 'get'] as const
    const node = { addresses: ['127.0.0.1'], fingerprints: [], outside: false, services }
    for (const [ae, purpose] of Object.entries(NODES)) {
      const listens = { host: '127.0.0.1', port: 1 }
      await addNode(archive().database.kysely, { ...node, ae, purpose, listens }, 'ana')
    }
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION }
    open.listener = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self })
  })

  after(async () => {
    await open.listener?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function asks(program: string, ae: string, ...args: readonly string[]) {
    rmSync(at('answers'), { recursive: true, force: true })
    mkdirSync(at('answers'))
    const to = ['127.0.0.1', String(open.listener?.port)]
    const child = spawn(program, [
      '-v',
      '-aet',
      ae,
      '-aec',
      'RG',
      ...(program === movescu.path ? [] : ['-od', at('answers')]),
      ...args,
      ...to,
    ])
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
    await once(child, 'close')
    const answers = readdirSync(at('answers')).map((name) => {
      const bytes = readFileSync(join(at('answers'), name))
      const meta = bytes.indexOf('DICM') + 4
      return readIdentifier(bytes.subarray(meta + 12 + bytes.readUInt32LE(meta + 8)), EXPLICIT)
    })
    return { said, answers }
  }
  const find = async (ae: string, ...keys: readonly string[]) =>
    await asks(
      findscu.path,
      ae,
      '-S',
      '-X',
      '-k',
      'QueryRetrieveLevel=STUDY',
      ...keys.flatMap((key) => ['-k', key]),
    )

  const SEEN = [
    'PatientName',
    'PatientID',
    'AccessionNumber',
    'StudyDate',
    'StudyInstanceUID',
    'ModalitiesInStudy',
  ] as const
  const sees: readonly (readonly [ae: string, seen: readonly (typeof SEEN)[number][]])[] = [
    ['READER', SEEN],
    ['ROUTER', ['StudyDate', 'StudyInstanceUID', 'ModalitiesInStudy']],
    ['BILLER', SEEN],
    ['STUDIER', ['StudyDate', 'ModalitiesInStudy']],
  ]
  for (const [ae, seen] of sees) {
    test(`C-FIND for ${NODES[ae]}: ${seen.length} of ${SEEN.length} attributes, and no search by the others`, async () => {
      const { answers, said } = await find(ae, ...SEEN)
      assert.equal(answers.length, 3, said)
      for (const answer of answers) {
        const filled = SEEN.filter((keyword) => keyText(answer, Tags[keyword]) !== '')
        assert.deepEqual(filled, [...seen])
      }
      const byName = await find(ae, 'PatientName=Nobody*', 'StudyDate')
      // A key that is not seen is not matched, as one that we do not know: neither a match nor a miss tells anything.
      assert.equal(byName.answers.length, seen.includes('PatientName') ? 0 : 3)
    })
  }

  test('C-FIND for a purpose without a row: not authorized, and in the ledger', async () => {
    const { answers, said } = await find('LAWYER', 'StudyDate')
    assert.equal(answers.length, 0)
    assert.match(said, /0x0?124/)
    const rows = await archive()
      .database.kysely.selectFrom('ledger_entries')
      .select('line')
      .orderBy('index', 'desc')
      .limit(1)
      .execute()
    assert.match(rows[0]?.line ?? '', /"event":"access-denied"/)
    assert.match(rows[0]?.line ?? '', /"policy":"find".*"purpose":"legal"/)
  })

  test('C-FIND at the level of patients is for those who may know who they are', async () => {
    const patients = async (ae: string) =>
      (await asks(findscu.path, ae, '-P', '-X', '-k', 'QueryRetrieveLevel=PATIENT', '-k', 'PatientID'))
        .answers.length
    assert.equal(await patients('READER'), 2)
    for (const ae of ['ROUTER', 'STUDIER', 'BILLER']) assert.equal(await patients(ae), 0, ae)
  })

  const study = ['-S', '-k', 'QueryRetrieveLevel=STUDY', '-k', 'StudyInstanceUID=2.25.11']
  test('C-GET and C-MOVE: images are for treatment, and go nowhere else', async () => {
    for (const [ae, purpose] of Object.entries(NODES)) {
      const got = await asks(getscu.path, ae, ...study)
      assert.equal(readdirSync(at('answers')).length, purpose === 'treatment' ? 3 : 0, `${ae}\n${got.said}`)
    }
    for (const ae of ['ROUTER', 'STUDIER']) {
      const { said } = await asks(movescu.path, 'READER', '-aem', ae, ...study)
      assert.match(said, /MoveDestinationUnknown/, ae)
      assert.match((await asks(movescu.path, ae, '-aem', 'READER', ...study)).said, /0x0?124/)
    }
  })
})
