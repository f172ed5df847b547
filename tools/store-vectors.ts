// Writes the published vectors of the store. Their tests fail when they are not what we write.
//
//   node tools/store-vectors.ts

import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { blobVectors } from '../apps/gateway/src/archive/blobs/vectors.ts'
import { keyVectors } from '../apps/gateway/src/keys/vectors.ts'

const FILE = resolve(import.meta.dirname, '..', 'docs/formats/store-vectors.json')
const vectors = { blobs: blobVectors(), keys: await keyVectors() }
writeFileSync(FILE, `${JSON.stringify(vectors, null, 2)}\n`)
console.log(`${vectors.blobs.length} blobs, ${vectors.keys.wraps.length} wrapped keys`)
