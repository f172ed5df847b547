// The published vectors are what we write, and what we read.

import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import type { KeyId, ObjectId } from '../ids.ts'
import { openBytes } from './open.ts'
import { type BlobVector, blobVectors, patternOf } from './vectors.ts'

const FILE = resolve(import.meta.dirname, '../../../../..', 'docs/formats/store-vectors.json')
type Published = { readonly blobs: readonly BlobVector[] }
const { blobs } = JSON.parse(readFileSync(FILE, 'utf8')) as Published

test('vectors: the blobs are what we write', () => {
  assert.deepEqual(blobs, blobVectors())
})

for (const vector of blobs.filter(({ blob }) => blob !== undefined)) {
  test(`vectors: ${vector.name} opens`, async () => {
    const plain = await openBytes(Buffer.from(vector.blob ?? '', 'base64'), {
      objectId: vector.objectId as ObjectId,
      keyId: vector.keyId as KeyId,
      dataKey: Buffer.from(vector.dataKey, 'hex'),
    })
    assert.ok(plain.equals(patternOf(vector.length)))
  })
}
