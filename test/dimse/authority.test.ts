// The way of a newcomer: an authority, a certificate for a modality, the node, the gateway, and DCMTK stores. OpenSSL is
// the judge of the certificates.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { passable } from '../support/data-folder.ts'
import { made } from '../support/instances.ts'
import { peer, skipUnless } from '../support/peers.ts'
import { roentgate } from '../support/terminal.ts'

const [storescu, openssl] = [peer('storescu'), peer('openssl')]
const folder = passable('roentgate-ca-')
const at = (name: string): string => join(folder, name)
const PROGRAM = fileURLToPath(new URL('../../apps/gateway/src/main.ts', import.meta.url))
after(() => rmSync(folder, { recursive: true, force: true }))

test('from nothing to a stored study in five commands', skipUnless(storescu, openssl), async () => {
  writeFileSync(at('passphrase'), 'for tests')
  writeFileSync(at('image'), made(1))
  const here = { data: at('data'), passphraseFile: at('passphrase') }
  const run = async (...args: readonly string[]) => {
    const done = await roentgate(args, here)
    assert.equal(done.code, 0, done.err)
    return done.out
  }
  await run('ca', 'init', '--name', 'Imaging network')
  await run('ca', 'issue', 'CT1', '--out', at('ct1'))
  await run('node', 'add', 'CT1', '--address', '127.0.0.1', '--certificate', at('ct1.pem'), '--by', 'ana')
  const env = { ...process.env, ROENTGATE_DATA: here.data, ROENTGATE_PASSPHRASE_FILE: here.passphraseFile }
  const child = spawn(process.execPath, [PROGRAM, 'serve', '--port', '0'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    const [text] = (await once(child.stdout, 'data')) as [Buffer]
    const port = /port (\d+): DICOM over TLS/.exec(text.toString())?.[1] ?? assert.fail(text.toString())
    const tls = ['+tls', at('ct1.key'), at('ct1.pem'), '+cf', at('ct1.ca.pem'), '+px']
    const sent = spawnSync(
      storescu.path,
      [...tls, '-aet', 'CT1', '-aec', 'ROENTGATE', '127.0.0.1', port, at('image')],
      { encoding: 'utf8', timeout: 20_000, env: { ...process.env, TCP_NODELAY: '1' } },
    )
    assert.equal(sent.status, 0, sent.stderr)
    assert.match(await run('audit', 'search', '--event', 'import'), /node CT1/)
    for (const [version, fits] of [
      ['-tls1_3', true],
      ['-tls1_2', true],
      ['-tls1_1', false],
    ] as const) {
      const shake = ['s_client', '-connect', `127.0.0.1:${port}`, version, '-CAfile', at('ct1.ca.pem')]
      const done = spawnSync(
        openssl.path,
        [
          ...shake,
          '-cert',
          at('ct1.pem'),
          '-key',
          at('ct1.key'),
          '-verify_return_error',
          '-verify_ip',
          '127.0.0.1',
        ],
        {
          input: '',
          encoding: 'utf8',
          timeout: 20_000,
        },
      )
      assert.equal(done.stdout.includes('Verify return code: 0 (ok)') && done.status === 0, fits, version)
    }
  } finally {
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await ended
  }
})

test(
  'what it issues is judged by OpenSSL; what it keeps is sealed; what it cannot do it says',
  skipUnless(storescu, openssl),
  async () => {
    const here = { data: at('data'), passphraseFile: at('passphrase') }
    const judged = spawnSync(
      openssl.path,
      ['verify', '-x509_strict', '-CAfile', at('ct1.ca.pem'), at('ct1.pem')],
      { encoding: 'utf8' },
    )
    assert.match(judged.stdout, /: OK\n/, judged.stderr)
    for (const name of readdirSync(join(here.data, 'ca')))
      assert.ok(!readFileSync(join(here.data, 'ca', name), 'utf8').includes('PRIVATE KEY'), name)
    const again = await roentgate(['ca', 'init', '--name', 'x'], here)
    assert.match(again.err, /EXISTS/)
    assert.match((await roentgate(['ca', 'issue', 'a/b', '--out', at('x')], here)).err, /BAD_NAME/)
    const none = await roentgate(['ca', 'issue', 'x', '--out', at('y')], { data: at('other') })
    assert.match(none.err, /NO_AUTHORITY/)
    const rotated = await roentgate(['keys', 'rotate'], here)
    assert.equal(rotated.code, 0)
    assert.equal((await roentgate(['ca', 'issue', 'MR1', '--out', at('mr1')], here)).code, 0)
  },
)
