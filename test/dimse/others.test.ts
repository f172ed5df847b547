// More programs of others against one gateway: odil, dcmjs-dimse, DCMTK's dcmsend and termscu, nmap.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import dimse from 'dcmjs-dimse'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode, fingerprintOf, receiver } from '../../apps/gateway/src/nodes/registry.ts'
import { gatewayIdentity, initAuthority, issue } from '../../apps/gateway/src/pki/ca.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { contextsFor, newCounts, sendAll } from '../../apps/gateway/src/serve/outgoing.ts'
import { call } from '../../apps/gateway/src/serve/peer.ts'
import { instancesOf } from '../../apps/gateway/src/serve/retrieve.ts'
import { concat, fromBytes, newFile, readFile, writeFile } from '../../packages/dicom/src/index.ts'
import { ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { made, uidOf } from '../support/instances.ts'
import { odil, peer, skipUnless } from '../support/peers.ts'
import { freePort } from '../support/ports.ts'

const [dcmsend, termscu, nmap] = [peer('dcmsend'), peer('termscu'), peer('nmap')]
const python = odil()
const ODIL = fileURLToPath(new URL('ask-odil.py', import.meta.url))
const folder = passable('roentgate-others-')
const at = (name: string): string => join(folder, name)
const self = { aeTitle: 'RG', implementation: IMPLEMENTATION }
const STUDY = '2.25.80'

/** With what PS3.10 wants in its meta group. */
function wholeFile(number: number): Uint8Array {
  const { dataset, transferSyntax } = readFile(fromBytes(made(number)))
  return concat([...writeFile(newFile({ dataset, transferSyntax }))])
}

suite('programs of others', () => {
  const open: { archive?: Archive; plain?: OpenPort; secure?: OpenPort; moved: number } = { moved: 0 }
  const archive = (): Archive => open.archive ?? assert.fail()
  const port = (): string => String(open.plain?.port)

  before(async () => {
    open.archive = await openArchive({ dataFolder: at('data'), keys: { passphrase: Buffer.from('x') } })
    await ingestAll(archive(), [1, 2, 3].map(made))
    await initAuthority(archive(), at('data'), { name: 'Network', hosts: ['127.0.0.1'] })
    const ct1 = await issue(archive(), at('data'), { name: 'CT1', hosts: [] })
    open.moved = await freePort()
    await addNode(
      archive().database.kysely,
      {
        ae: 'WS1',
        addresses: ['127.0.0.1'],
        fingerprints: [fingerprintOf(new X509Certificate(ct1.certificate).fingerprint256)],
        services: ['echo', 'store', 'find', 'move', 'get'],
        listens: { host: '127.0.0.1', port: open.moved },
        outside: false,
      },
      'ana',
    )
    open.plain = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self })
    const tls = (await gatewayIdentity(archive(), at('data'))) ?? assert.fail()
    open.secure = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self: { ...self, tls }, tls })
    for (const number of [11, 12, 13, 14]) writeFileSync(at(`${number}.dcm`), wholeFile(number))
  })

  after(async () => {
    await open.plain?.close()
    await open.secure?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  async function run(program: string, ...args: readonly string[]) {
    const child = spawn(program, args, { cwd: folder, env: { ...process.env, TCP_NODELAY: '1' } })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk))
    const [code] = (await once(child, 'close')) as [number]
    return { code, said }
  }
  const isThere = async (number: number): Promise<boolean> =>
    (await instancesOf(archive(), { SOPInstanceUID: uidOf(number) })).length === 1

  test('odil: C-ECHO, C-STORE, C-FIND, C-GET', skipUnless(python), async () => {
    const { code, said } = await run(python.path, ODIL, port(), at('12.dcm'), STUDY)
    assert.equal(code, 0, said)
    assert.ok(await isThere(12))
    assert.match(said, /^echo ok\nstore ok\nfind 1\nget [45]$/m)
  })

  test('dcmjs-dimse: C-ECHO, C-STORE, C-FIND, C-GET', async () => {
    dimse.log.setLevel('silent')
    const { CEchoRequest, CStoreRequest, CFindRequest, CGetRequest } = dimse.requests
    const statuses: number[] = []
    const [found, got]: [string[], number[]] = [[], []]
    const find = CFindRequest.createStudyFindRequest({ PatientID: 'QX7731402' })
    find.on('response', (response) => {
      const uid = response.getDataset()?.getElement('StudyInstanceUID')
      if (uid !== undefined) found.push(uid)
    })
    const get = CGetRequest.createStudyGetRequest(STUDY)
    for (const request of [new CEchoRequest(), new CStoreRequest(at('13.dcm')), find, get]) {
      const client = new dimse.Client()
      request.on('response', (response) => {
        if (response.getStatus() !== 0xff00) statuses.push(response.getStatus())
      })
      client.addRequest(request)
      client.on('cStoreRequest', (incoming, callback) => {
        got.push(1)
        const response = dimse.responses.CStoreResponse.fromRequest(incoming)
        response.setStatus(0)
        callback(response)
      })
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      client.on('closed', resolve)
      client.on('networkError', reject)
      client.send('127.0.0.1', Number(port()), 'WS1', 'RG')
      await promise
    }
    assert.deepEqual(statuses, [0, 0, 0, 0])
    assert.ok(await isThere(13))
    assert.deepEqual(found, [STUDY])
    assert.ok(got.length >= 4, `${got.length}`)
  })

  test(
    'dcmsend stores; termscu ends its own association and nothing else',
    skipUnless(dcmsend, termscu),
    async () => {
      const as = ['-aet', 'WS1', '-aec', 'RG', '127.0.0.1', port()]
      const { code, said } = await run(dcmsend.path, ...as, at('14.dcm'))
      assert.equal(code, 0, said)
      assert.ok(await isThere(14))
      await run(termscu.path, ...as)
      assert.equal((await run(dcmsend.path, ...as, at('14.dcm'))).code, 0)
    },
  )

  async function sent(): Promise<number> {
    const node = await receiver(archive().database.kysely, 'WS1')
    const instances = (await instancesOf(archive(), { StudyInstanceUID: STUDY })).slice(0, 3)
    const association = await call(self, node, { contexts: contextsFor(instances) })
    const counts = newCounts(instances.length)
    const { signal } = new AbortController()
    for await (const _ of sendAll({ archive: archive(), association, instances, counts, signal }));
    await association.release()
    return counts.completed
  }

  test('what we send, dcmjs-dimse takes', async () => {
    const received: string[] = []
    class Taker extends dimse.Scp {
      override associationRequested(association: InstanceType<typeof dimse.association.Association>): void {
        for (const { context } of association.getPresentationContexts()) {
          const accepted = context.getTransferSyntaxUids().find((one) => one === '1.2.840.10008.1.2.1')
          context.setResult(accepted ? 0 : 4, accepted)
        }
        this.sendAssociationAccept()
      }
      override cStoreRequest(
        request: InstanceType<typeof dimse.requests.CStoreRequest>,
        callback: (response: InstanceType<typeof dimse.responses.CStoreResponse>) => void,
      ): void {
        received.push(request.getAffectedSopInstanceUid())
        const response = dimse.responses.CStoreResponse.fromRequest(request)
        response.setStatus(0)
        callback(response)
      }
      override associationReleaseRequested(): void {
        this.sendAssociationReleaseResponse()
      }
    }
    const server = new dimse.Server(Taker)
    server.listen(open.moved)
    try {
      assert.equal(await sent(), 3)
      assert.equal(received.length, 3)
    } finally {
      server.close()
    }
  })

  test(
    'nmap: the ciphers are those of the profile; what asks without a title is not let in',
    skipUnless(nmap),
    async () => {
      const secure = String(open.secure?.port)
      const { said } = await run(nmap.path, '-Pn', '-p', secure, '--script', 'ssl-enum-ciphers', '127.0.0.1')
      const ciphers = [...said.matchAll(/TLS_\S+/g)].map(([name]) => name)
      assert.deepEqual(
        ciphers.sort(),
        [
          'TLS_AKE_WITH_AES_128_GCM_SHA256',
          'TLS_AKE_WITH_AES_256_GCM_SHA384',
          'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256',
          'TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384',
        ],
        said,
      )
      for (const script of ['dicom-ping', 'dicom-brute']) {
        const probed = await run(
          nmap.path,
          '-Pn',
          '-p',
          port(),
          '--script',
          script,
          '--script-args',
          'dicom.called_aet=RG',
          '127.0.0.1',
        )
        assert.ok(
          !/Accepted|accepts/i.test(probed.said.replaceAll(/does not accept|rejected/gi, '')),
          probed.said,
        )
      }
      const as = ['-aet', 'WS1', '-aec', 'RG', '127.0.0.1', port()]
      if (!dcmsend.skip) assert.equal((await run(dcmsend.path, ...as, at('14.dcm'))).code, 0, 'and goes on')
    },
  )
})
