// The gateway as a process, with DCMTK as the modality: from certificates to a stored study, and everybody who is not in.

import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { passable } from '../support/data-folder.ts'
import { made, uidOf } from '../support/instances.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { roentgate } from '../support/terminal.ts'

const [echoscu, storescu, openssl] = [peer('echoscu'), peer('storescu'), peer('openssl')]
const options = skipUnless(echoscu, storescu, openssl)
const folder = passable('roentgate-gateway-')
const at = (name: string): string => join(folder, name)
const PROGRAM = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))

function ssl(...args: readonly string[]): void {
  const done = spawnSync(openssl.path, args, { cwd: folder, encoding: 'utf8' })
  assert.equal(done.status, 0, done.stderr)
}

function certify(name: string, ca: string): void {
  ssl(
    'req',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    `/CN=${name}`,
  )
  writeFileSync(at('san'), 'subjectAltName=IP:127.0.0.1\n')
  ssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${ca}.pem`,
    '-CAkey',
    `${ca}.key`,
    '-CAcreateserial',
    '-out',
    `${name}.pem`,
    '-days',
    '2',
    '-extfile',
    'san',
  )
}

suite('the gateway and a modality', options, () => {
  const data = at('data')
  const here = { data, passphraseFile: at('passphrase') }
  const state: { child?: ChildProcess; port: string } = { port: '' }
  const run = (program: string, as: string, ...args: readonly string[]) => {
    const tls = ['+tls', at(`${as}.key`), at(`${as}.pem`), '+cf', at('ca.pem'), '+px']
    const done = spawnSync(program, [...tls, '-aec', 'ROENTGATE', ...args], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TCP_NODELAY: '1' },
      timeout: 20_000,
    })
    return { code: done.status, said: done.stdout + done.stderr }
  }
  const echo = (as: string, aet: string) => run(echoscu.path, as, '-aet', aet, '127.0.0.1', state.port)

  before(async () => {
    writeFileSync(at('passphrase'), 'for tests')
    for (const ca of ['ca', 'stranger'])
      ssl(
        'req',
        '-x509',
        '-newkey',
        'rsa:2048',
        '-nodes',
        '-keyout',
        `${ca}.key`,
        '-out',
        `${ca}.pem`,
        '-subj',
        `/CN=${ca}`,
        '-days',
        '2',
      )
    for (const name of ['gateway', 'ct1', 'mr1']) certify(name, 'ca')
    certify('outsider', 'stranger')
    const node = [
      'node',
      'add',
      'CT1',
      '--address',
      '127.0.0.0/8',
      '--certificate',
      at('ct1.pem'),
      '--by',
      'ana',
    ]
    assert.equal((await roentgate(node, here)).code, 0)
    const far = [
      'node',
      'add',
      'FAR',
      '--address',
      '10.1.0.0/16',
      '--certificate',
      at('mr1.pem'),
      '--by',
      'ana',
    ]
    assert.equal((await roentgate(far, here)).code, 0)
    const env = { ...process.env, ROENTGATE_DATA: data, ROENTGATE_PASSPHRASE_FILE: at('passphrase') }
    const args = [
      'serve',
      '--port',
      '0',
      '--cert',
      at('gateway.pem'),
      '--cert-key',
      at('gateway.key'),
      '--ca',
      at('ca.pem'),
    ]
    const child = spawn(process.execPath, [PROGRAM, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    state.child = child
    const [text] = (await once(child.stdout, 'data')) as [Buffer]
    state.port = /port (\d+): DICOM over TLS/.exec(text.toString())?.[1] ?? assert.fail(text.toString())
  })
  after(async () => {
    state.child?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  })

  test('a registered node is verified, and what it stores is kept byte for byte', async () => {
    assert.equal(echo('ct1', 'CT1').code, 0)
    const paths = Array.from({ length: 12 }, (_, number) => {
      writeFileSync(at(`in-${number}`), made(number))
      return at(`in-${number}`)
    })
    const sent = run(storescu.path, 'ct1', '-aet', 'CT1', '127.0.0.1', state.port, ...paths)
    assert.equal(sent.code, 0, sent.said)
    for (const [number] of paths.entries()) {
      const copy = at(`out-${number}`)
      assert.equal((await roentgate(['retrieve', uidOf(number), copy], here)).code, 0, 'beside the gateway')
      const [came, kept] = [Buffer.from(made(number)), readFileSync(copy)]
      const identity = Buffer.from([8, 0, 0x16, 0])
      assert.ok(came.subarray(came.indexOf(identity)).equals(kept.subarray(kept.indexOf(identity))))
      assert.equal(kept.toString('latin1', 128, 132), 'DICM')
    }
    const again = run(storescu.path, 'ct1', '-aet', 'CT1', '127.0.0.1', state.port, ...paths)
    assert.equal(again.code, 0, 'the same again is no error')
    const { out } = await roentgate(['audit', 'search', '--event', 'import', '--actor', 'CT1'], here)
    assert.match(out, /import {2}C {2}success {2}node CT1 at 127\.0\.0\.1 {2}study 2\.25\.80/)
  })

  const STRANGERS: readonly (readonly [what: string, as: string, aet: string, why: string])[] = [
    ['an AE title that nobody registered', 'ct1', 'CT9', 'ae'],
    ["another node's certificate", 'mr1', 'CT1', 'certificate'],
    ['an address that is not its own', 'mr1', 'FAR', 'address'],
  ]
  for (const [what, as, aet, why] of STRANGERS) {
    test(`refused, and in the ledger: ${what}`, async () => {
      const { code, said } = echo(as, aet)
      assert.notEqual(code, 0)
      assert.match(said, /Calling AE Title Not Recognized/)
      const { out } = await roentgate(
        ['audit', 'search', '--event', 'node-authentication', '--limit', '1', '--json'],
        here,
      )
      assert.match(out, new RegExp(`"reason":"${why}"`))
    })
  }

  test('a stranger to the authority does not get as far as an association', () => {
    assert.notEqual(echo('outsider', 'CT1').code, 0)
    const plain = spawnSync(echoscu.path, ['-aec', 'ROENTGATE', '-aet', 'CT1', '127.0.0.1', state.port], {
      timeout: 20_000,
    })
    assert.notEqual(plain.status, 0)
  })

  test('a block works at once, and is taken back', async () => {
    assert.equal((await roentgate(['node', 'block', 'CT1', '--by', 'ana'], here)).code, 0)
    assert.notEqual(echo('ct1', 'CT1').code, 0)
    assert.match((await roentgate(['node', 'list'], here)).out, /CT1 .* BLOCKED\n/)
    assert.equal((await roentgate(['node', 'unblock', 'CT1', '--by', 'ana'], here)).code, 0)
    assert.equal(echo('ct1', 'CT1').code, 0)
  })

  test('what is no DICOM is refused with a status, and the association goes on', () => {
    writeFileSync(at('bad'), made(77).subarray(0, 300))
    const { code, said } = run(
      storescu.path,
      'ct1',
      '-aet',
      'CT1',
      '-v',
      '127.0.0.1',
      state.port,
      at('bad'),
      at('in-1'),
    )
    assert.notEqual(code, 0, said)
    assert.equal(echo('ct1', 'CT1').code, 0)
  })

  test('it does not start insecure', async () => {
    const refused = async (...args: readonly string[]) =>
      (await roentgate(['serve', ...args], { data: at('empty') })).err
    assert.match(await refused(), /TLS wants an authority/)
    assert.match(await refused('--cert', at('ct1.pem')), /go together/)
    assert.match(await refused('--plain', '--host', '0.0.0.0'), /--plain is for this machine alone/)
    const tls = ['--cert', at('gateway.pem'), '--cert-key', at('gateway.key'), '--ca', at('ca.pem')]
    assert.match(await refused('--host', '0.0.0.0', ...tls), /nobody may speak to it yet/)
  })

  test('told to end, it ends in good order with everything signed', async () => {
    const { child } = state
    const ended = once(child ?? assert.fail(), 'exit')
    child?.kill('SIGINT')
    const [code] = await ended
    assert.equal(code, 0)
    assert.match((await roentgate(['audit', 'verify'], here)).out, /^INTACT/)
    assert.match((await roentgate(['scrub'], here)).out, /^12 instances intact, 0 damaged/)
  })
})
