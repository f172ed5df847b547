// Orthanc, an archive of others, against the gateway: it stores into it with commitment, searches it, and lets it move.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode } from '../../apps/gateway/src/nodes/registry.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { made, uidOf } from '../support/instances.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { freePort } from '../support/ports.ts'

const orthanc = peer('Orthanc')
const folder = passable('roentgate-orthanc-')
const at = (name: string): string => join(folder, name)

type Json = { readonly [key: string]: unknown }

suite('Orthanc and the gateway', { ...skipUnless(orthanc), timeout: 120_000 }, () => {
  const open: { archive?: Archive; listener?: OpenPort; child?: ChildProcess; http: number } = { http: 0 }
  const archive = (): Archive => open.archive ?? assert.fail()
  const ask = async (path: string, body?: unknown): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${open.http}${path}`, {
      ...(body === undefined
        ? {}
        : {
            method: 'POST',
            body: body instanceof Uint8Array ? (body as Uint8Array<ArrayBuffer>) : JSON.stringify(body),
          }),
    })
    const text = await answer.text()
    assert.ok(answer.ok, `${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }
  const stored = async (number: number): Promise<string> =>
    ((await ask('/instances', made(number))) as Json).ID as string

  before(async () => {
    open.archive = await openArchive({ dataFolder: at('data'), keys: { passphrase: Buffer.from('x') } })
    await ingestAll(archive(), [1, 2, 3].map(made))
    const [dicom, http] = [await freePort(), await freePort()]
    open.http = http
    const node = {
      addresses: ['127.0.0.1'],
      fingerprints: [],
      outside: false,
      listens: { host: '127.0.0.1', port: dicom },
    }
    const services = ['echo', 'store', 'find', 'move', 'get', 'commit'] as const
    await addNode(archive().database.kysely, { ...node, ae: 'ORTHANC', services }, 'ana')
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION }
    open.listener = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self })
    mkdirSync(at('orthanc'))
    const configuration = {
      Name: 'test',
      StorageDirectory: at('orthanc'),
      IndexDirectory: at('orthanc'),
      DicomAet: 'ORTHANC',
      DicomPort: dicom,
      HttpPort: http,
      RemoteAccessAllowed: false,
      AuthenticationEnabled: false,
      DicomAlwaysAllowStore: true,
      Plugins: [],
      DicomModalities: {
        rg: { AET: 'RG', Host: '127.0.0.1', Port: open.listener.port, AllowStorageCommitment: true },
      },
    }
    writeFileSync(at('orthanc.json'), JSON.stringify(configuration))
    open.child = spawn(orthanc.path, [at('orthanc.json')], {
      stdio: 'ignore',
      env: { ...process.env, TCP_NODELAY: '1' },
    })
    for (let turn = 0; turn < 100; turn++) {
      if (
        await ask('/system').then(
          () => true,
          () => false,
        )
      )
        return
      await sleep(100)
    }
    assert.fail('Orthanc does not start')
  })

  after(async () => {
    open.child?.kill()
    await open.listener?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('C-ECHO, and C-STORE with commitment of what it stored', async () => {
    await ask('/modalities/rg/echo', {})
    const ids = [await stored(101), await stored(102)]
    const done = (await ask('/modalities/rg/store', {
      Resources: ids,
      StorageCommitment: true,
      Synchronous: true,
    })) as Json
    assert.equal(done.FailedInstancesCount, 0)
    const transaction = done.StorageCommitmentTransactionUID as string
    let report: Json = {}
    for (let turn = 0; turn < 100 && report.Status !== 'Success'; turn++) {
      await sleep(100)
      report = (await ask(`/storage-commitment/${transaction}`)) as Json
      assert.notEqual(report.Status, 'Failure')
    }
    assert.equal(report.Status, 'Success')
    assert.equal((report.Success as unknown[]).length, 2)
    const row = await archive()
      .database.kysely.selectFrom('instances')
      .select('id')
      .where('sop_uid', '=', uidOf(102))
      .executeTakeFirst()
    assert.ok(row)
  })

  test('C-FIND finds, C-MOVE brings it home', async () => {
    const query = (await ask('/modalities/rg/query', {
      Level: 'Study',
      Query: { PatientID: 'QX7731402', StudyInstanceUID: '' },
    })) as Json
    const answers = (await ask(`/queries/${query.ID}/answers?expand&simplify`)) as Json[]
    assert.deepEqual(answers.map((one) => one.StudyInstanceUID).toSorted(), ['2.25.80', '2.25.81'])
    const before = ((await ask('/instances')) as unknown[]).length
    const place = answers.findIndex((one) => one.StudyInstanceUID === '2.25.80')
    await ask(`/queries/${query.ID}/answers/${place}/retrieve`, { TargetAet: 'ORTHANC', Synchronous: true })
    assert.equal(((await ask('/instances')) as unknown[]).length, before + 3)
  })

  test('instances of a series are found by the keys above them', async () => {
    const query = (await ask('/modalities/rg/query', {
      Level: 'Instance',
      Query: { StudyInstanceUID: '2.25.80', SeriesInstanceUID: '2.25.70' },
    })) as Json
    const answers = (await ask(`/queries/${query.ID}/answers?expand&simplify`)) as Json[]
    assert.deepEqual(answers.map((one) => one.SOPInstanceUID).toSorted(), [1, 2, 3].map(uidOf))
  })
})
