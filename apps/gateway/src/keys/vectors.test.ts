// The published vectors of keys are what we write, and what we read.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { test } from 'node:test'
import type { KeyId } from '../archive/ids.ts'
import { keyAad } from './keyring.ts'
import { openKeyFileProvider } from './passphrase.ts'
import { parseWrapped } from './provider.ts'
import { type KeyVectors, keyVectors } from './vectors.ts'

const FILE = resolve(import.meta.dirname, '../../../..', 'docs/formats/store-vectors.json')
const { keys } = JSON.parse(readFileSync(FILE, 'utf8')) as { readonly keys: KeyVectors }

test('vectors: the key file and the wraps are what we write', async () => {
  assert.deepEqual(keys, await keyVectors())
})

test('vectors: the key file unwraps the wraps', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'roentgate-vectors-'))
  try {
    const path = join(folder, 'keys.json')
    writeFileSync(path, JSON.stringify(keys.keyFile))
    const provider = await openKeyFileProvider({ path, passphrase: Buffer.from(keys.passphrase) })
    for (const { keyId, dataKey, wrapped } of keys.wraps) {
      const key = await provider.unwrap(parseWrapped(wrapped), keyAad(keyId as KeyId))
      assert.equal(key.toString('hex'), dataKey)
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
})
