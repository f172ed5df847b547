// A study is destroyed by destroying its keys: what is left of its blobs, here and on every copy of the disk, is noise.
//
//   hold? → keys, rows, certificate and ledger in one transaction → the blobs themselves
//
// Invariants: never under a hold; never on one person's word; the certificate names the entry of the ledger that it is in.
// A crash after the transaction leaves ciphertext without a key, for the scrub to sweep.

import { createPrivateKey, type KeyObject, randomUUID } from 'node:crypto'
import { type Tx, transact } from '../db/database.ts'
import { type Destruction, signCertificate } from '../keys/certificate.ts'
import { keyRows } from '../keys/rows.ts'
import { appendEvents } from '../ledger/append.ts'
import type { Archive } from './archive.ts'
import { ArchiveError } from './errors.ts'
import type { KeyId, ObjectId } from './ids.ts'

export type Order = {
  readonly study: string
  readonly by: string
  /** Another person. */
  readonly second: string
  readonly reason: string
  /** Only if it went into the trash by then, and is still there. */
  readonly trashedBy?: Date
}

/** Ed25519, PKCS #8: what stands before the 32 bytes of the seed (RFC 8410). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export function certificateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
}

/** The certificates, one a key. @throws ArchiveError NO_STUDY, ON_HOLD, SECOND_PERSON */
export async function disposeStudy(
  archive: Archive,
  order: Order,
  key: KeyObject,
): Promise<readonly string[]> {
  if (order.by === order.second || order.second === '')
    throw new ArchiveError('SECOND_PERSON', 'a destruction needs a second person, who is not the first')
  const { database, blobs } = archive
  const done = await transact(database.kysely, (tx) => destroy(tx, archive, { order, key }))
  for (const { keyId } of done.keys) await archive.keyring.destroy(keyId)
  for (const id of done.blobs) await blobs.delete(id)
  return done.keys.map(({ certificate }) => certificate)
}

type Destroyed = {
  readonly keys: readonly { readonly keyId: KeyId; readonly certificate: string }[]
  readonly blobs: readonly ObjectId[]
}

async function destroy(
  tx: Tx,
  { columns }: Archive,
  { order, key }: { readonly order: Order; readonly key: KeyObject },
): Promise<Destroyed> {
  const study = await tx
    .selectFrom('studies')
    .select(['id', 'key_id', 'hold_count', 'trashed_at'])
    .where('study_uid', '=', order.study)
    .forUpdate()
    .executeTakeFirst()
  if (study === undefined) throw new ArchiveError('NO_STUDY', 'no study of that UID is in the archive')
  if (study.hold_count > 0) throw new ArchiveError('ON_HOLD', 'the study is under a legal hold: it is kept')
  if (order.trashedBy && !(study.trashed_at && study.trashed_at <= order.trashedBy))
    throw new ArchiveError('NO_STUDY', 'the study was taken out of the trash')
  const series = tx.selectFrom('series').select('id').where('study_id', '=', study.id)
  const instances = await tx
    .selectFrom('instances')
    .select(['id', 'blob_id', 'key_id'])
    .where('series_id', 'in', series)
    .execute()
  const ids = [...new Set([study.key_id, ...instances.map(({ key_id }) => key_id)])] as KeyId[]
  const at = new Date()
  const digest = columns.blind('studies.disposed', order.study)
  await tx.deleteFrom('conflicts').where('study_id', '=', study.id).execute()
  await tx.deleteFrom('instances').where('series_id', 'in', series).execute()
  await tx.deleteFrom('series').where('study_id', '=', study.id).execute()
  await tx.deleteFrom('hold_studies').where('study_id', '=', study.id).execute()
  await tx.deleteFrom('studies').where('id', '=', study.id).execute()
  const event = {
    event: 'disposed',
    action: 'D',
    outcome: 'success',
    actor: { kind: 'person', id: order.by },
    objects: [{ kind: 'study', id: order.study, count: instances.length }],
    detail: { approval: order.second, reason: order.reason, digest: digest.toString('hex') },
  } as const
  const { first } = await appendEvents(tx, [event], at)
  const keys: { keyId: KeyId; certificate: string }[] = []
  for (const keyId of ids) {
    const destruction: Destruction = {
      keyId,
      study: digest.toString('hex'),
      at: at.toISOString(),
      by: order.by,
      second: order.second,
      reason: order.reason,
      ledger: `entry ${first}`,
    }
    const certificate = signCertificate(destruction, key)
    await keyRows(tx).remove(keyId)
    await tx.updateTable('data_keys').set({ certificate }).where('id', '=', keyId).execute()
    await tx
      .insertInto('disposals')
      .values({ id: randomUUID(), study_uid_digest: digest, policy_id: null, at, certificate })
      .execute()
    keys.push({ keyId, certificate })
  }
  return { keys, blobs: instances.map(({ blob_id }) => blob_id as ObjectId) }
}
