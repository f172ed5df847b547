// Keys in a token: SoftHSM, which speaks PKCS#11 as hardware does, with a token of its own for this test.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { newKeyId } from '../../apps/gateway/src/archive/ids.ts'
import { dualProvider } from '../../apps/gateway/src/keys/dual.ts'
import { type CustodyCode, isCustodyError } from '../../apps/gateway/src/keys/errors.ts'
import { memoryKeyTable } from '../../apps/gateway/src/keys/key-table.ts'
import { keyAad, openKeyring } from '../../apps/gateway/src/keys/keyring.ts'
import { createKeyFile } from '../../apps/gateway/src/keys/passphrase.ts'
import { openPkcs11Provider, type Pkcs11Options } from '../../apps/gateway/src/keys/pkcs11.ts'
import { loadPkcs11 } from '../../apps/gateway/src/keys/pkcs11-library.ts'
import { parseWrapped, wrappedText } from '../../apps/gateway/src/keys/provider.ts'
import { passable } from '../support/data-folder.ts'
import { type Found, type Missing, peer, skipUnless, softHsm } from '../support/peers.ts'
import { roentgate } from '../support/terminal.ts'

const module = softHsm()
const tool = peer('softhsm2-util')
const binding = await loadPkcs11().then(
  (): Found => ({ path: 'graphene-pk11', skip: false }),
  (): Missing => ({ path: '', skip: 'graphene-pk11 could not be built here (it needs a C++ compiler)' }),
)
const options = skipUnless(module, tool, binding)
const PIN = '1234'
const folder = mkdtempSync(join(tmpdir(), 'roentgate-hsm-'))
after(() => rmSync(folder, { recursive: true, force: true }))

/** SoftHSM reads its configuration once, at the first use in a process. */
function prepare(): void {
  const tokens = join(folder, 'tokens')
  const configuration = join(folder, 'softhsm2.conf')
  mkdirSync(tokens)
  writeFileSync(
    configuration,
    `directories.tokendir = ${tokens}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  )
  process.env.SOFTHSM2_CONF = configuration
  for (const token of ['gateway', 'officer']) {
    const args = ['--init-token', '--free', '--label', token, '--pin', PIN, '--so-pin', '5678']
    const run = spawnSync(tool.path, args, { encoding: 'utf8' })
    assert.equal(run.status, 0, run.stderr)
  }
}
if (options.skip === false) prepare()

const where = (more: Partial<Pkcs11Options> = {}): Pkcs11Options => ({
  module: module.path,
  token: 'gateway',
  label: 'roentgate',
  pin: async () => PIN,
  ...more,
})
const is =
  (code: CustodyCode) =>
  (error: unknown): boolean =>
    isCustodyError(error, code)

for (const mechanism of ['gcm', 'kwp'] as const) {
  test(`pkcs11, ${mechanism}: wraps, unwraps, rotates, and is bound to its aad`, options, async () => {
    const label = `roentgate ${mechanism}`
    const provider = await openPkcs11Provider(where({ mechanism, label }))
    const dataKey = randomBytes(32)
    const aad = keyAad(newKeyId())
    const old = await provider.wrap(dataKey, aad)
    assert.ok(!old.bytes.includes(dataKey))
    assert.deepEqual(await provider.unwrap(parseWrapped(wrappedText(old)), aad), dataKey)
    await assert.rejects(provider.unwrap(old, keyAad(newKeyId())), is('CORRUPT'))
    for (let at = 0; at < old.bytes.length; at++) {
      const bytes = Buffer.from(old.bytes)
      bytes[at] = (bytes[at] ?? 0) ^ 4
      await assert.rejects(provider.unwrap({ ...old, bytes }, aad), is('CORRUPT'), `byte ${at}`)
    }
    const second = await openPkcs11Provider(where({ mechanism, label }))
    const status = await second.rotate()
    assert.equal(status.versions.length, 2)
    const fresh = await second.wrap(dataKey, aad)
    assert.notEqual(fresh.kek, old.kek)
    assert.deepEqual(await second.unwrap(old, aad), dataKey)
    assert.deepEqual(await provider.unwrap(fresh, aad), dataKey)
    await assert.rejects(provider.unwrap({ ...old, kek: 'v9-00000000' }, aad), is('UNKNOWN_KEK'))
    await provider.close()
    assert.deepEqual(await second.unwrap(old, aad), dataKey)
    assert.deepEqual(await provider.unwrap(old, aad), dataKey, 'opens its session again')
    await Promise.all([provider.close(), second.close()])
  })
}

test('pkcs11: the KEK cannot be read out of the token', options, async () => {
  const provider = await openPkcs11Provider(where({ label: 'sensitive' }))
  const library = await loadPkcs11()
  const slots = library.Module.load(module.path).getSlots(true)
  let found = 0
  for (let i = 0; i < slots.length; i++) {
    if (slots.items(i).getToken().label.trim() !== 'gateway') continue
    const objects = slots.items(i).open(6).find({ class: 4, token: true })
    for (let j = 0; j < objects.length; j++) {
      const key = objects.items(j).toType()
      if (!key.label.startsWith('sensitive')) continue
      found += 1
      assert.throws(() => key.getAttribute({ value: null }), /CKR_ATTRIBUTE_SENSITIVE/)
    }
  }
  assert.equal(found, 1)
  await provider.close()
})

test('pkcs11: a wrong PIN, a missing token, a missing module', options, async () => {
  await assert.rejects(openPkcs11Provider(where({ token: 'officer', pin: async () => '9999' })), is('DENIED'))
  await assert.rejects(openPkcs11Provider(where({ token: 'nobody' })), is('UNAVAILABLE'))
  await assert.rejects(openPkcs11Provider(where({ module: join(folder, 'none.so') })), is('UNAVAILABLE'))
})

test('pkcs11: a token and a key file as two custodians of one keyring', options, async () => {
  const cost = { n: 1024, r: 8, p: 1 }
  const path = join(folder, 'keys.json')
  const [hsm, file] = [
    await openPkcs11Provider(where({ token: 'officer' })),
    await createKeyFile({ path, passphrase: Buffer.from('second'), cost }),
  ]
  const table = memoryKeyTable()
  const ring = openKeyring({ table, providers: [dualProvider([hsm, file])] })
  const { keyId, dataKey } = await ring.create()
  await using other = openKeyring({ table, providers: [dualProvider([hsm, file])] })
  assert.deepEqual(await other.get(keyId), dataKey)
  const secrets = readdirSync(join(folder, 'tokens'), { recursive: true, withFileTypes: true })
  for (const entry of secrets.filter((one) => one.isFile())) {
    assert.ok(!readFileSync(join(entry.parentPath, entry.name)).includes(dataKey))
  }
})

test('the commands keep their keys in a token that a file names', options, async () => {
  const data = passable('roentgate-hsm-data-')
  try {
    const pinFile = join(folder, 'pin')
    const custody = join(folder, 'custody.json')
    writeFileSync(pinFile, `${PIN}\n`)
    const token = { kind: 'pkcs11', module: module.path, token: 'gateway', label: 'commands', pinFile }
    writeFileSync(custody, JSON.stringify({ custodians: [token] }))
    assert.equal((await roentgate(['audit', 'checkpoint'], { data, custody })).code, 0)
    const status = await roentgate(['keys', 'status'], { data, custody })
    assert.match(status.out, /"kind": "pkcs11"/)
    assert.equal((await roentgate(['keys', 'rotate'], { data, custody })).code, 0)
    writeFileSync(custody, JSON.stringify({ custodians: [{ ...token, token: 'another' }] }))
    const refused = await roentgate(['audit', 'checkpoint'], { data, custody })
    assert.match(refused.err, /no token of that label/)
    assert.equal(refused.code, 1)
  } finally {
    rmSync(data, { recursive: true, force: true })
  }
})
