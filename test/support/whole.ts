// What must hold of an archive after its gateway was killed; and numbers that a seed repeats.

import assert from 'node:assert/strict'
import type { Archive } from '../../apps/gateway/src/archive/archive.ts'
import { openInstance } from '../../apps/gateway/src/archive/retrieve.ts'
import { scrub } from '../../apps/gateway/src/archive/scrub.ts'
import { publishCheckpoint } from '../../apps/gateway/src/ledger/checkpoint.ts'
import { ledgerSigner } from '../../apps/gateway/src/ledger/signer.ts'
import { verifyDatabase } from '../../apps/gateway/src/ledger/verify.ts'
import { made, uidOf } from './instances.ts'

/** A small generator of numbers below 1 (mulberry32). */
export function numbersFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What was acknowledged is there, in the part that counts byte for byte; rows and blobs are of one mind; the ledger verifies. */
export async function assertWhole(
  archive: Archive,
  acknowledged: ReadonlySet<number>,
  part = (bytes: Uint8Array): Uint8Array => bytes,
): Promise<void> {
  for (const number of acknowledged) {
    await using stored = (await openInstance(archive, uidOf(number))) ?? assert.fail()
    const chunks: Uint8Array[] = []
    for await (const chunk of stored.read()) chunks.push(chunk)
    assert.ok(Buffer.from(part(Buffer.concat(chunks))).equals(part(made(number))), String(number))
  }
  const { intact, damaged, missing } = await scrub(archive, { orphansOlderThan: 0 })
  assert.deepEqual([damaged, missing], [0, 0])
  assert.ok(intact >= acknowledged.size)
  let blobs = 0
  for await (const _ of archive.blobs.list()) blobs++
  assert.equal(blobs, intact, 'what no row names was swept, every row has its blob')
  const db = archive.database.kysely
  const signer = await ledgerSigner(db, archive.custodians)
  await publishCheckpoint(db, signer, [])
  const { verdict, differences } = await verifyDatabase(db, { keys: [signer.key], witnesses: [] })
  assert.deepEqual([verdict.kind, differences], ['intact', []])
}
