// What is asked of others by hand: DCMTK's dcmqrscp is sent to, searched, and asked to move; storescp is tested over TLS, and
// what its certificate was revoked is not spoken to any more.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { made, uidOf } from '../support/instances.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { freePort } from '../support/ports.ts'
import { roentgate } from '../support/terminal.ts'

const [dcmqrscp, storescp, echoscu] = [peer('dcmqrscp'), peer('storescp'), peer('echoscu')]
const PROGRAM = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))
const folder = passable('roentgate-remote-')
const at = (name: string): string => join(folder, name)

suite('peers that are asked', skipUnless(dcmqrscp, storescp, echoscu), () => {
  const here = { data: at('data'), passphraseFile: at('passphrase') }
  const children: ChildProcess[] = []
  const ports = { qr: 0, scp: 0, tls: 0 }
  const start = (program: string, ...args: readonly string[]): void => {
    children.push(spawn(program, args, { cwd: folder, stdio: 'ignore' }))
  }
  const add = async (ae: string, port: number, ...more: readonly string[]) => {
    const node = [
      'node',
      'add',
      ae,
      '--address',
      '127.0.0.1',
      '--listens',
      `127.0.0.1:${port}`,
      '--by',
      'ana',
      ...more,
    ]
    assert.equal((await roentgate(node, here)).code, 0)
  }

  before(async () => {
    writeFileSync(at('passphrase'), 'for tests')
    const archive = await openArchive({
      dataFolder: at('data'),
      keys: { passphrase: Buffer.from('for tests') },
    })
    await ingestAll(archive, [1, 2, 3].map(made))
    await archive.close()
    for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort()
    for (const name of ['qr', 'moved', 'secret']) mkdirSync(at(name))
    const host = (name: string, ae: string, port: number): string => `${name} = (${ae}, localhost, ${port})\n`
    writeFileSync(
      at('qr.cfg'),
      `NetworkTCPPort = ${ports.qr}\nMaxPDUSize = 16384\nMaxAssociations = 16\nHostTable BEGIN\n${host('rg', 'ROENTGATE', 1)}${host('scp', 'SCP', ports.scp)}HostTable END\nVendorTable BEGIN\nVendorTable END\nAETable BEGIN\nQR ${at('qr')} RW (200, 1024mb) ANY\nAETable END\n`,
    )
    start(dcmqrscp.path, '-c', at('qr.cfg'))
    start(storescp.path, '--fork', '-od', at('moved'), String(ports.scp))
    await add('QR', ports.qr)
    await add('SCP', ports.scp)
    await sleep(300)
  })

  after(() => {
    for (const child of children) child.kill()
    rmSync(folder, { recursive: true, force: true })
  })

  test('node test says whether it answers, or why not', async () => {
    assert.match((await roentgate(['node', 'test', 'QR', '--plain'], here)).out, /^QR answers IN THE CLEAR/)
    assert.match(
      (await roentgate(['node', 'test', 'NOBODY', '--plain'], here)).err,
      /no node of this AE title/,
    )
    const silent = await roentgate(['node', 'test', 'QR'], here)
    assert.match(silent.err, /roentgate ca init/)
  })

  test('send, query, move: an archive that we did not write has it, finds it, and sends it on', async () => {
    const sent = await roentgate(['send', 'QR', '--plain', '--study', '2.25.80'], here)
    assert.equal(sent.out, '3 instances sent, 0 not.\n', sent.err)
    const keys = [
      '--key',
      'StudyInstanceUID',
      'PatientName',
      'NumberOfStudyRelatedInstances',
      'PatientID=QX7731402',
    ]
    const found = await roentgate(['query', 'QR', '--plain', ...keys], here)
    assert.match(found.out, /StudyInstanceUID +2\.25\.80\n/)
    assert.match(found.out, /PatientName +Zephyrine\^Okonkwo\n/)
    assert.match(found.out, /\n1 match\.\n$/)
    const none = await roentgate(
      ['query', 'QR', '--plain', '--key', 'StudyInstanceUID', 'PatientID=NONE'],
      here,
    )
    assert.equal(none.out, '0 matches.\n')
    assert.match(
      (await roentgate(['query', 'QR', '--plain', '--key', 'NoKeyword=1'], here)).err,
      /keywords of the standard/,
    )
    const moved = await roentgate(['move', 'QR', '--plain', '--to', 'SCP', '--study', '2.25.80'], here)
    assert.equal(moved.out, '3 instances moved to SCP, 0 not.\n', moved.err)
    assert.equal(
      readdirSync(at('moved')).filter((name) => name.includes(uidOf(1)) || name.includes(uidOf(2))).length,
      2,
    )
    const elsewhere = await roentgate(['move', 'QR', '--plain', '--to', 'NOBODY', '--study', '2.25.80'], here)
    assert.match(elsewhere.err, /ended with status/)
    const log = (await roentgate(['audit', 'search', '--event', 'instances-transferred'], here)).out
    assert.match(log, /2\.25\.80/)
  })

  test('over TLS: only to the certificate of the node; revoked, it gets in no more, without a restart', {
    timeout: 60_000,
  }, async () => {
    assert.equal((await roentgate(['ca', 'init', '--name', 'Network'], here)).code, 0)
    for (const name of ['peer', 'other']) {
      const issued = ['ca', 'issue', name, '--out', at(name), '--host', '127.0.0.1']
      assert.equal((await roentgate(issued, here)).code, 0)
    }
    start(
      storescp.path,
      '--fork',
      '+tls',
      at('peer.key'),
      at('peer.pem'),
      '+cf',
      at('peer.ca.pem'),
      '+px',
      '-od',
      at('secret'),
      String(ports.tls),
    )
    await add('TRUE', ports.tls, '--certificate', at('peer.pem'))
    await add('NAMED', ports.tls, '--name', 'IP Address:127.0.0.1')
    await add('MISNAMED', ports.tls, '--name', 'DNS:127.0.0.1')
    await add('FALSE', ports.tls, '--certificate', at('other.pem'))
    await sleep(300)
    assert.match((await roentgate(['node', 'test', 'TRUE'], here)).out, /^TRUE answers over TLS/)
    assert.match((await roentgate(['node', 'test', 'FALSE'], here)).err, /no connection, or no TLS/)
    assert.match((await roentgate(['node', 'test', 'NAMED'], here)).out, /^NAMED answers over TLS/)
    assert.match((await roentgate(['node', 'test', 'MISNAMED'], here)).err, /no connection, or no TLS/)
    assert.match((await roentgate(['send', 'FALSE', '--study', '2.25.80'], here)).err, /CLOSED/)
    assert.deepEqual(readdirSync(at('secret')), [])
    assert.match((await roentgate(['send', 'TRUE', '--study', '2.25.80'], here)).out, /^3 instances sent/)
    assert.match((await roentgate(['ca', 'revoke', at('qr.cfg')], here)).err, /NOT_OURS/)
    await gatewayRuns(here, async (port) => {
      const echo = () =>
        spawnSync(
          echoscu.path,
          [
            '+tls',
            at('peer.key'),
            at('peer.pem'),
            '+cf',
            at('peer.ca.pem'),
            '+px',
            '-aet',
            'TRUE',
            '-aec',
            'ROENTGATE',
            '127.0.0.1',
            port,
          ],
          { timeout: 20_000 },
        ).status
      assert.equal(echo(), 0)
      assert.equal((await roentgate(['ca', 'revoke', at('peer.pem')], here)).code, 0)
      assert.ok(existsSync(join(at('data'), 'ca', 'ca.crl')))
      let status = echo()
      for (let turn = 0; status === 0 && turn < 20; turn++) {
        await sleep(500)
        status = echo()
      }
      assert.notEqual(status, 0, 'a revoked certificate is refused by the gateway that runs')
    })
    assert.match((await roentgate(['node', 'test', 'TRUE'], here)).err, /no connection, or no TLS/)
    const alerts = (await roentgate(['audit', 'search', '--event', 'node-authentication'], here)).out
    assert.match(alerts, /node-authentication {2}E {2}serious/)
  })
})

async function gatewayRuns(
  { data, passphraseFile }: { readonly data: string; readonly passphraseFile: string },
  act: (port: string) => Promise<void>,
): Promise<void> {
  const env = { ...process.env, ROENTGATE_DATA: data, ROENTGATE_PASSPHRASE_FILE: passphraseFile }
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const said = await new Promise<string>((done) =>
      child.stdout.once('data', (text: Buffer) => done(text.toString())),
    )
    await act(/port (\d+)/.exec(said)?.[1] ?? '')
  } finally {
    child.kill()
    await new Promise((done) => child.once('exit', done))
  }
}
