// A reader in another language, written from docs/formats/store.md alone, reads what we wrote and refuses what was
// changed: the vectors, and blobs of a store with keys of a keyring.

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { after, test } from 'node:test'
import { openDirectoryStore } from '../../apps/gateway/src/archive/blobs/directory.ts'
import { sealBlob, sealBytes } from '../../apps/gateway/src/archive/blobs/seal.ts'
import { type BlobVector, patternOf } from '../../apps/gateway/src/archive/blobs/vectors.ts'
import { newObjectId, objectIds } from '../../apps/gateway/src/archive/ids.ts'
import { memoryKeyTable } from '../../apps/gateway/src/keys/key-table.ts'
import { openKeyring } from '../../apps/gateway/src/keys/keyring.ts'
import { createKeyFile } from '../../apps/gateway/src/keys/passphrase.ts'
import { wrappedText } from '../../apps/gateway/src/keys/provider.ts'
import type { KeyVectors } from '../../apps/gateway/src/keys/vectors.ts'
import { pythonCryptography, skipUnless } from '../support/peers.ts'

const FORMATS = resolve(import.meta.dirname, '../..', 'docs/formats')
const READER = join(FORMATS, 'read_store.py')
const python = pythonCryptography()
const folder = mkdtempSync(join(tmpdir(), 'roentgate-read-'))
after(() => rmSync(folder, { recursive: true, force: true }))

type Vectors = { readonly blobs: readonly BlobVector[]; readonly keys: KeyVectors }
const vectors = JSON.parse(readFileSync(join(FORMATS, 'store-vectors.json'), 'utf8')) as Vectors

function read(
  args: readonly string[],
  passphrase = '',
): { out: Buffer; status: number | null; said: string } {
  const run = spawnSync(python.path, [READER, ...args], { input: passphrase, maxBuffer: 64 << 20 })
  return { out: run.stdout, status: run.status, said: run.stderr.toString() }
}

test('read_store.py: reads the short vectors', skipUnless(python), () => {
  for (const { name, blob, dataKey, length } of vectors.blobs) {
    if (blob === undefined) continue
    const path = join(folder, 'vector.blob')
    writeFileSync(path, Buffer.from(blob, 'base64'))
    const { out, status, said } = read(['blob', path, '--data-key', dataKey])
    assert.equal(status, 0, `${name}: ${said}`)
    assert.ok(out.equals(patternOf(length)), name)
  }
})

test('read_store.py: unwraps the wrapped vectors', skipUnless(python), () => {
  const path = join(folder, 'vector-keys.json')
  writeFileSync(path, JSON.stringify(vectors.keys.keyFile))
  for (const { keyId, dataKey, wrapped } of vectors.keys.wraps) {
    const args = ['unwrap', '--key-file', path, '--wrapped', wrapped, '--key-id', keyId]
    const { out, said } = read(args, vectors.keys.passphrase)
    assert.equal(out.toString().trim(), dataKey, said)
  }
  const [one, two] = vectors.keys.wraps
  const args = ['unwrap', '--key-file', path, '--wrapped', one?.wrapped ?? '', '--key-id', two?.keyId ?? '']
  assert.equal(read(args, vectors.keys.passphrase).status, 1)
  assert.match(read(args, 'guess').said, /passphrase is wrong/)
})

test(
  'read_store.py: reads a store by key file and passphrase, and refuses what was changed',
  skipUnless(python),
  async () => {
    const root = join(folder, 'blobs')
    const path = join(folder, 'keys.json')
    const passphrase = Buffer.from('correct horse')
    const provider = await createKeyFile({ path, passphrase, cost: { n: 1024, r: 8, p: 1 } })
    await provider.rotate()
    const table = memoryKeyTable()
    const store = await openDirectoryStore({ root })
    await using ring = openKeyring({ table, providers: [provider] })
    const { keyId, dataKey } = await ring.create()
    const wrapped = await table.load(keyId)
    assert.ok(wrapped !== undefined)
    for (const length of [0, 1, 65_536, 131_072, 300_000]) {
      const plain = randomBytes(length)
      const objectId = newObjectId()
      const sealed = sealBlob({ objectId, keyId, dataKey }, [plain])
      await store.put(objectId, sealed)
      const blob = join(root, objectId.slice(0, 2), objectId.slice(2, 4), `${objectId}.blob`)
      const args = ['blob', blob, '--key-file', path, '--wrapped', wrappedText(wrapped)]
      const { out, said } = read(args, 'correct horse\n')
      assert.equal(createHash('sha256').update(out).digest('hex'), (await sealed.done).sha256, said)
      assert.ok(out.equals(plain))
      const bytes = readFileSync(blob)
      const at = bytes.length - 1
      bytes[at] = (bytes[at] ?? 0) ^ 1
      const bad = join(folder, 'bad.blob')
      writeFileSync(bad, bytes)
      assert.equal(read(['blob', bad, '--data-key', dataKey.toString('hex')]).status, 1)
    }
    const batch = objectIds()(3).map((objectId) => ({ objectId, plain: randomBytes(70_000) }))
    await store.putMany(
      batch.map(({ objectId, plain }) => ({
        id: objectId,
        bytes: sealBytes({ objectId, keyId, dataKey }, plain).blob,
      })),
    )
    const name = `${batch[0]?.objectId.replaceAll('-', '').slice(0, 24)}.pack`
    const pack = join(root, name.slice(0, 2), name.slice(2, 4), name)
    for (const { objectId, plain } of batch) {
      const { out } = read(['blob', pack, '--object-id', objectId, '--data-key', dataKey.toString('hex')])
      assert.ok(out.equals(plain))
    }
    const stranger = ['blob', pack, '--object-id', newObjectId(), '--data-key', dataKey.toString('hex')]
    assert.match(read(stranger).said, /no such blob/)
  },
)
