// The key file, the keyring, two custodians, the certificate.

import assert from 'node:assert/strict'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { type KeyId, newKeyId } from '../archive/ids.ts'
import { canonical, type Destruction, signCertificate, signerOf, verifyCertificate } from './certificate.ts'
import { dualProvider } from './dual.ts'
import { type CustodyCode, isCustodyError } from './errors.ts'
import { memoryKeyTable } from './key-table.ts'
import { keyAad, openKeyring } from './keyring.ts'
import { createKeyFile, openKeyFileProvider, type PassphraseProvider } from './passphrase.ts'
import { type KeyProvider, parseWrapped, type Wrapped, wrappedText } from './provider.ts'

const base = mkdtempSync(join(tmpdir(), 'roentgate-keys-'))
after(() => rmSync(base, { recursive: true, force: true }))
/** Real files cost 2¹⁷. */
const cost = { n: 1024, r: 8, p: 1 }
const PASSPHRASE = Buffer.from('Grüße aus dem Röntgenraum')
const is =
  (code: CustodyCode) =>
  (error: unknown): boolean =>
    isCustodyError(error, code)
const freshPath = (): string => join(mkdtempSync(join(base, 'k-')), 'keys.json')
const create = (path = freshPath()): Promise<PassphraseProvider> =>
  createKeyFile({ path, passphrase: PASSPHRASE, cost })

test('wrapped keys: the text form gives back what went in, and nothing else is taken', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 1, unit: 'grapheme' }),
      fc.string({ minLength: 1 }),
      fc.uint8Array({ minLength: 1 }),
      (provider, kek, bytes) => {
        const wrapped: Wrapped = { provider, kek, bytes: Buffer.from(bytes) }
        assert.deepEqual(parseWrapped(wrappedText(wrapped)), wrapped)
      },
    ),
  )
  for (const text of [
    '',
    'rgk1',
    'rgk2.YQ.YQ.YQ',
    'rgk1.YQ.YQ',
    'rgk1.YQ.YQ.YQ.YQ',
    'rgk1.YQ..YQ',
    'rgk1.Y Q.YQ.YQ',
  ]) {
    assert.throws(() => parseWrapped(text), is('FORMAT'), text)
  }
})

test('key file: wraps, unwraps, and is bound to its aad', async () => {
  const provider = await create()
  const dataKey = randomBytes(32)
  const aad = keyAad(newKeyId())
  const wrapped = await provider.wrap(dataKey, aad)
  assert.deepEqual(await provider.unwrap(parseWrapped(wrappedText(wrapped)), aad), dataKey)
  await assert.rejects(provider.unwrap(wrapped, keyAad(newKeyId())), is('CORRUPT'))
  for (let at = 0; at < wrapped.bytes.length; at++) {
    const bytes = Buffer.from(wrapped.bytes)
    bytes[at] = (bytes[at] ?? 0) ^ 1
    await assert.rejects(provider.unwrap({ ...wrapped, bytes }, aad), is('CORRUPT'))
  }
  await assert.rejects(provider.unwrap({ ...wrapped, bytes: Buffer.alloc(5) }, aad), is('CORRUPT'))
  await assert.rejects(provider.unwrap({ ...wrapped, kek: newKeyId() }, aad), is('UNKNOWN_KEK'))
  await assert.rejects((await create()).unwrap(wrapped, aad), is('UNKNOWN_PROVIDER'))
  await provider.close()
  await assert.rejects(provider.wrap(dataKey, aad), is('CLOSED'))
})

test('key file: private, opened again by its passphrase in either Unicode form, never overwritten', async () => {
  const path = freshPath()
  const provider = await create(path)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const aad = keyAad(newKeyId())
  const dataKey = randomBytes(32)
  const wrapped = await provider.wrap(dataKey, aad)
  const decomposed = Buffer.from(PASSPHRASE.toString('utf8').normalize('NFD'))
  const again = await openKeyFileProvider({ path, passphrase: decomposed })
  assert.deepEqual(await again.unwrap(wrapped, aad), dataKey)
  await assert.rejects(
    openKeyFileProvider({ path, passphrase: Buffer.from('guess') }),
    is('WRONG_PASSPHRASE'),
  )
  await assert.rejects(create(path), is('EXISTS'))
  await assert.rejects(
    createKeyFile({ path: freshPath(), passphrase: Buffer.alloc(0) }),
    is('WRONG_PASSPHRASE'),
  )
  await assert.rejects(openKeyFileProvider({ path: freshPath(), passphrase: PASSPHRASE }), is('UNAVAILABLE'))
})

test('key file: a version more, seen by a process that had the file open; a new passphrase', async () => {
  const path = freshPath()
  const [one, two] = [await create(path), await openKeyFileProvider({ path, passphrase: PASSPHRASE })]
  const aad = keyAad(newKeyId())
  const dataKey = randomBytes(32)
  const old = await one.wrap(dataKey, aad)
  const status = await one.rotate()
  assert.equal(status.versions.length, 2)
  const fresh = await one.wrap(dataKey, aad)
  assert.equal(fresh.kek, status.kek)
  assert.notEqual(fresh.kek, old.kek)
  assert.deepEqual(await two.unwrap(fresh, aad), dataKey)
  assert.equal((await two.rotate()).versions.length, 3)
  const passphrase = Buffer.from('another one')
  await one.changePassphrase(passphrase)
  assert.equal((await one.describe()).versions.length, 3)
  assert.deepEqual(await one.unwrap(old, aad), dataKey)
  await assert.rejects(openKeyFileProvider({ path, passphrase: PASSPHRASE }), is('WRONG_PASSPHRASE'))
  const reopened = await openKeyFileProvider({ path, passphrase })
  assert.deepEqual(await reopened.unwrap(old, aad), dataKey)
  assert.equal((await reopened.rotate()).versions.length, 4)
  writeFileSync(`${path}.lock`, '')
  await assert.rejects(reopened.rotate(), is('UNAVAILABLE'))
})

test('key file: damaged or dressed up, it is refused', async () => {
  const path = freshPath()
  await create(path)
  const good = JSON.parse(readFileSync(path, 'utf8')) as { kdf: object; keks: string; nonce: string }
  const flipped = Buffer.from(good.keks, 'base64')
  flipped[0] = (flipped[0] ?? 0) ^ 1
  const cases: readonly (readonly [unknown, CustodyCode])[] = [
    [{ ...good, keks: flipped.toString('base64') }, 'CORRUPT'],
    [{ ...good, id: newKeyId() }, 'CORRUPT'],
    [{ ...good, keyfile: 'roentgate/2' }, 'FORMAT'],
    [{ ...good, nonce: 'AAAA' }, 'FORMAT'],
    [{ ...good, keks: '' }, 'FORMAT'],
    [{ ...good, kdf: { ...good.kdf, n: 2 ** 24 } }, 'FORMAT'],
    [{ ...good, kdf: { ...good.kdf, n: 1000 } }, 'FORMAT'],
    [{ ...good, kdf: { ...good.kdf, r: 1 << 20 } }, 'FORMAT'],
    [{ ...good, kdf: { ...good.kdf, n: 2048 } }, 'WRONG_PASSPHRASE'],
    [{ ...good, kdf: { ...good.kdf, salt: 'AAAA' } }, 'FORMAT'],
    [[], 'FORMAT'],
    [null, 'FORMAT'],
  ]
  for (const [json, code] of cases) {
    writeFileSync(path, JSON.stringify(json))
    await assert.rejects(openKeyFileProvider({ path, passphrase: PASSPHRASE }), is(code), code)
  }
  writeFileSync(path, '{"keyfile"')
  await assert.rejects(openKeyFileProvider({ path, passphrase: PASSPHRASE }), is('FORMAT'))
})

/** Counts what it is asked for. */
function counted(provider: KeyProvider): KeyProvider & { unwraps: number } {
  const counting = {
    ...provider,
    unwraps: 0,
    unwrap: async (wrapped: Wrapped, aad: Buffer) => {
      counting.unwraps += 1
      await new Promise((resolve) => setTimeout(resolve, 5))
      return await provider.unwrap(wrapped, aad)
    },
  }
  return counting
}

test('keyring: unwraps once, hands out copies, forgets the least recently used', async () => {
  const table = memoryKeyTable()
  const provider = counted(await create())
  let now = 0
  const maker = openKeyring({ table, providers: [provider] })
  const made = [await maker.create(), await maker.create(), await maker.create()]
  await using ring = openKeyring({ table, providers: [provider], capacity: 2, now: () => now, lifetime: 100 })
  const [a, b, c] = made.map(({ keyId }) => keyId) as [KeyId, KeyId, KeyId]
  const [first, second] = await Promise.all([ring.get(a), ring.get(a)])
  assert.deepEqual(first, made[0]?.dataKey)
  assert.equal(provider.unwraps, 1)
  first.fill(0)
  assert.deepEqual(second, made[0]?.dataKey)
  assert.deepEqual(await ring.get(a), made[0]?.dataKey)
  await ring.get(b)
  await ring.get(a)
  await ring.get(c)
  assert.equal(provider.unwraps, 3)
  await ring.get(a)
  assert.equal(provider.unwraps, 3)
  await ring.get(b)
  assert.equal(provider.unwraps, 4)
  now = 100
  assert.deepEqual(await ring.get(b), made[1]?.dataKey)
  assert.equal(provider.unwraps, 5)
  await ring.close()
  await assert.rejects(ring.get(a), is('CLOSED'))
})

test('keyring: what was destroyed is gone, also for who was waiting for it', async () => {
  const table = memoryKeyTable()
  const provider = counted(await create())
  const ring = openKeyring({ table, providers: [provider] })
  const { keyId } = await ring.create()
  assert.deepEqual(await ring.destroy(keyId), { keyId, existed: true })
  assert.deepEqual(await ring.destroy(keyId), { keyId, existed: false })
  await assert.rejects(ring.get(keyId), is('NOT_FOUND'))
  const maker = openKeyring({ table, providers: [provider] })
  const other = await maker.create()
  const waiting = ring.get(other.keyId)
  const refused = assert.rejects(waiting, is('NOT_FOUND'))
  await new Promise((resolve) => setTimeout(resolve, 1))
  await ring.destroy(other.keyId)
  await refused
})

test('keyring: all keys move to a new version, and to a new custodian', async () => {
  const table = memoryKeyTable()
  const [old, target] = [await create(), await create()]
  const ring = openKeyring({ table, providers: [old] })
  const made = [await ring.create(), await ring.create(), await ring.create()]
  assert.deepEqual(await ring.rewrapAll(old), { rewrapped: 0, current: 3, gone: 0 })
  await old.rotate()
  assert.deepEqual(await ring.rewrapAll(old), { rewrapped: 3, current: 0, gone: 0 })
  const seen: number[] = []
  assert.deepEqual(await ring.rewrapAll(target, (done) => seen.push(done)), {
    rewrapped: 3,
    current: 0,
    gone: 0,
  })
  assert.deepEqual(seen, [1, 2, 3])
  const moved = openKeyring({ table, providers: [target] })
  for (const { keyId, dataKey } of made) assert.deepEqual(await moved.get(keyId), dataKey)
  await assert.rejects(
    openKeyring({ table, providers: [old] }).get(made[0]?.keyId ?? newKeyId()),
    is('UNKNOWN_PROVIDER'),
  )
})

test('keyring: a custodian that does not give back what it took is not trusted with a row', async () => {
  const table = memoryKeyTable()
  const old = await create()
  const ring = openKeyring({ table, providers: [old] })
  const { keyId, dataKey } = await ring.create()
  const broken: KeyProvider = { ...(await create()), unwrap: async () => randomBytes(32) }
  await assert.rejects(ring.rewrapAll(broken), is('CORRUPT'))
  assert.deepEqual(await openKeyring({ table, providers: [old] }).get(keyId), dataKey)
})

test('two custodians: both or nothing', async () => {
  const [a, b] = [await create(), await create()]
  const dual = dualProvider([a, b])
  const keyId = newKeyId()
  const aad = keyAad(keyId)
  const dataKey = randomBytes(32)
  const wrapped = await dual.wrap(dataKey, aad)
  assert.deepEqual(await dual.unwrap(parseWrapped(wrappedText(wrapped)), aad), dataKey)
  await assert.rejects(dual.unwrap(wrapped, keyAad(newKeyId())), is('CORRUPT'))
  const lines = wrapped.bytes.toString('utf8').split('\n')
  for (const line of lines) {
    for (const one of [a, b]) await assert.rejects(one.unwrap(parseWrapped(line), aad))
  }
  const swapped = { ...wrapped, bytes: Buffer.from(lines.toReversed().join('\n')) }
  await assert.rejects(dual.unwrap(swapped, aad), is('UNKNOWN_PROVIDER'))
  const alone = { ...wrapped, bytes: Buffer.from(lines[0] ?? '') }
  await assert.rejects(dual.unwrap(alone, aad), is('CORRUPT'))
  const away: KeyProvider = {
    ...b,
    unwrap: async () => {
      throw new Error('on holiday')
    },
  }
  await assert.rejects(dualProvider([a, away]).unwrap(wrapped, aad), /on holiday/)
  const before = await dual.describe()
  const after = await dual.rotate()
  assert.notEqual(after.kek, before.kek)
  assert.deepEqual(await dual.unwrap(wrapped, aad), dataKey)
  const ring = openKeyring({ table: memoryKeyTable(), providers: [dual] })
  const made = await ring.create()
  assert.deepEqual(await ring.rewrapAll(a), { rewrapped: 1, current: 0, gone: 0 })
  assert.deepEqual(
    await openKeyring({ table: memoryKeyTable(), providers: [a] })
      .make()
      .then((one) => one.dataKey.length),
    32,
  )
  assert.deepEqual(await ring.get(made.keyId), made.dataKey)
  assert.throws(() => dualProvider([a]), RangeError)
  assert.throws(() => dualProvider([a, a]), RangeError)
})

const DESTRUCTION: Destruction = {
  keyId: 'b8f7c8a4-3c55-4f53-9a9e-1f0a4c1e2d3b' as KeyId,
  study: 'ab'.repeat(32),
  at: '2026-01-02T03:04:05.678Z',
  by: 'account-1',
  second: 'account-2',
  reason: 'retention ended',
  ledger: 'entry 4711',
}

test('certificate: verifies with its key, for this text, and says why it does not', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const other = generateKeyPairSync('ed25519').publicKey
  const text = signCertificate(DESTRUCTION, privateKey)
  const valid = { kind: 'valid', destruction: DESTRUCTION, signer: signerOf(publicKey) }
  assert.deepEqual(verifyCertificate(text, [other, publicKey]), valid)
  assert.deepEqual(verifyCertificate(`${text}\n`, [publicKey]), valid)
  assert.equal(verifyCertificate(text, [other]).kind, 'unknown-signer')
  const fields = JSON.parse(text) as Record<string, string>
  for (const [field, value] of Object.entries(fields)) {
    const changed = canonical({
      ...fields,
      [field]: field === 'signature' ? `${value.startsWith('A') ? 'B' : 'A'}${value.slice(1)}` : `${value}x`,
    })
    const verdict = verifyCertificate(changed, [publicKey])
    assert.notEqual(verdict.kind, 'valid', field)
  }
  const respelled = canonical({ ...fields, signature: `${fields.signature?.slice(0, -2)}  ` })
  assert.notEqual(verifyCertificate(respelled, [publicKey]).kind, 'valid')
  assert.equal(verifyCertificate(JSON.stringify(fields, null, 1), [publicKey]).kind, 'unreadable')
  assert.equal(verifyCertificate(canonical({ ...fields, more: 'x' }), [publicKey]).kind, 'unreadable')
  for (const bad of ['', 'null', '[]', '{}', text.slice(0, -1)]) {
    assert.equal(verifyCertificate(bad, [publicKey]).kind, 'unreadable')
  }
})

test('certificate: one person, or a field out of form, is not signed', () => {
  const { privateKey } = generateKeyPairSync('ed25519')
  const wrong: readonly Partial<Destruction>[] = [
    { second: 'account-1' },
    { keyId: 'x' as KeyId },
    { study: '1.2.840.113619.2' },
    { at: 'yesterday' },
    { at: '2026-13-02T03:04:05Z' },
    { reason: '' },
    { ledger: '' },
    { by: '\ud800' },
  ]
  for (const part of wrong) {
    assert.throws(
      () => signCertificate({ ...DESTRUCTION, ...part }, privateKey),
      RangeError,
      JSON.stringify(part),
    )
  }
})
