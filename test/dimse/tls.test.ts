// The DICOM port's TLS as PS3.15 B.12 has it, with OpenSSL as the client: what is spoken, what is not, and who is believed.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { rmSync, writeFileSync } from 'node:fs'
import { connect as connectSocket } from 'node:net'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode, fingerprintOf } from '../../apps/gateway/src/nodes/registry.ts'
import { gatewayIdentity, initAuthority, issue } from '../../apps/gateway/src/pki/ca.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { encodePdu, NO_USER } from '../../packages/dimse/src/index.ts'
import { passable } from '../support/data-folder.ts'
import { peer, skipUnless } from '../support/peers.ts'

const openssl = peer('openssl')
const folder = passable('roentgate-tls-')
const at = (name: string): string => join(folder, name)
const data = at('data')

suite('TLS by PS3.15 B.12', { ...skipUnless(openssl), timeout: 60_000 }, () => {
  const open: { archive?: Archive; port?: OpenPort } = {}
  const archive = (): Archive => open.archive ?? assert.fail()

  before(async () => {
    open.archive = await openArchive({ dataFolder: data, keys: { passphrase: Buffer.from('x') } })
    await initAuthority(archive(), data, { name: 'Network', hosts: ['127.0.0.1'] })
    const { certificate, key, ca } = await issue(archive(), data, { name: 'CT1', hosts: [] })
    writeFileSync(at('ct1.pem'), certificate)
    writeFileSync(at('ct1.key'), key)
    writeFileSync(at('ca.pem'), ca)
    const fingerprints = [fingerprintOf(new X509Certificate(certificate).fingerprint256)]
    const node = {
      ae: 'CT1',
      addresses: ['127.0.0.1'],
      fingerprints,
      services: ['echo'] as const,
      outside: false,
    }
    await addNode(archive().database.kysely, node, 'ana')
    const tls = (await gatewayIdentity(archive(), data)) ?? assert.fail()
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION, tls }
    open.port = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self, tls })
  })

  after(async () => {
    await open.port?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  /** An association, or an abort or refusal of one, is a PDU back: TLS came about with this certificate. */
  const speaks = async (...args: readonly string[]): Promise<boolean> => {
    const child = spawn(openssl.path, [
      's_client',
      '-quiet',
      '-connect',
      `127.0.0.1:${open.port?.port}`,
      '-CAfile',
      at('ca.pem'),
      ...args,
    ])
    child.stdin.on('error', () => undefined)
    child.stdin.write(ECHO_REQUEST)
    const answer = Promise.race([
      once(child.stdout, 'data').then(([bytes]) => [2, 3, 7].includes((bytes as Buffer).readUInt8())),
      once(child, 'exit').then(() => false),
    ])
    const spoke = await answer
    child.kill()
    return spoke
  }
  const as = (name: string): string[] => ['-cert', at(`${name}.pem`), '-key', at(`${name}.key`)]

  test('1.3, and 1.2 with each suite that the profile lists', async () => {
    assert.ok(await speaks('-tls1_3', ...as('ct1')))
    for (const suite of ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256'])
      assert.ok(await speaks('-tls1_2', '-cipher', suite, ...as('ct1')), suite)
  })

  for (const [what, args] of [
    ['TLS 1.1', ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0']],
    ['TLS 1.0', ['-tls1', '-cipher', 'ALL:@SECLEVEL=0']],
    ['CBC', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0']],
    ['ChaCha20, which is not of the profile', ['-tls1_2', '-cipher', 'ECDHE-ECDSA-CHACHA20-POLY1305']],
    ['no encryption', ['-tls1_2', '-cipher', 'NULL:@SECLEVEL=0']],
  ] as const) {
    test(`not spoken: ${what}`, async () => {
      assert.ok(!(await speaks(...args, ...as('ct1'))))
    })
  }

  test('nobody without a certificate, with one of their own making, or of another authority of the same name', async () => {
    assert.ok(!(await speaks('-tls1_3')))
    const ssl = (...args: readonly string[]): void => {
      const done = spawnSync(openssl.path, args, { cwd: folder, encoding: 'utf8' })
      assert.equal(done.status, 0, done.stderr)
    }
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    ssl('req', '-x509', ...key, '-keyout', 'self.key', '-out', 'self.pem', '-subj', '/CN=CT1', '-days', '2')
    assert.ok(!(await speaks('-tls1_3', ...as('self'))))
    ssl(
      'req',
      '-x509',
      ...key,
      '-keyout',
      'other.key',
      '-out',
      'other.pem',
      '-subj',
      '/CN=Network',
      '-days',
      '2',
    )
    ssl('req', ...key, '-keyout', 'alien.key', '-out', 'alien.csr', '-subj', '/CN=CT1')
    ssl(
      'x509',
      '-req',
      '-in',
      'alien.csr',
      '-CA',
      'other.pem',
      '-CAkey',
      'other.key',
      '-CAcreateserial',
      '-out',
      'alien.pem',
      '-days',
      '2',
    )
    assert.ok(!(await speaks('-tls1_3', ...as('alien'))), 'an authority of the same name')
  })

  test('PDUs in the clear on the TLS port, and HTTP, get no PDU back', async () => {
    for (const bytes of [ECHO_REQUEST, Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')]) {
      const socket = connectSocket({ host: '127.0.0.1', port: open.port?.port ?? 0 })
      const back: Buffer[] = []
      socket.on('data', (chunk: Buffer) => back.push(chunk))
      socket.on('error', () => undefined)
      socket.write(bytes)
      await once(socket, 'close')
      const said = Buffer.concat(back)
      assert.ok(said.length === 0 || said.readUInt8() === 21, 'nothing, or an alert')
    }
  })

  test('all of that is in the ledger, without a word of what was sent', async () => {
    const lines = await alerts(archive())
    assert.ok(lines.length >= 5, `${lines.length}`)
    for (const line of lines) assert.match(line, /"detail":\{"peer":"127\.0\.0\.1","reason":"tls"\}/)
  })
})

async function alerts({ database }: Archive): Promise<readonly string[]> {
  const rows = await database.kysely.selectFrom('ledger_entries').select('line').execute()
  return rows.map(({ line }) => line).filter((line) => line.includes('"event":"node-authentication"'))
}

const ECHO_REQUEST = encodePdu({
  kind: 'associate-rq',
  protocolVersion: 1,
  calledAe: 'RG',
  callingAe: 'CT1',
  applicationContext: '1.2.840.10008.3.1.1.1',
  contexts: [{ id: 1, abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] }],
  user: { ...NO_USER, maxLength: 16384, implementationUid: '2.25.1' },
})
