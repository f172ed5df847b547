// What keeps a study and what ends it: holds that another person releases, keys that are destroyed with a certificate.

import assert from 'node:assert/strict'
import { createPublicKey } from 'node:crypto'
import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { openDirectoryStore } from '../../apps/gateway/src/archive/blobs/directory.ts'
import { openBlob } from '../../apps/gateway/src/archive/blobs/open.ts'
import { certificateKey, disposeStudy } from '../../apps/gateway/src/archive/dispose.ts'
import { placeHold, releaseHold } from '../../apps/gateway/src/archive/holds.ts'
import type { KeyId, ObjectId } from '../../apps/gateway/src/archive/ids.ts'
import { openInstance } from '../../apps/gateway/src/archive/retrieve.ts'
import { verifyCertificate } from '../../apps/gateway/src/keys/certificate.ts'
import { search } from '../../apps/gateway/src/ledger/read.ts'
import { withLedgerSeed } from '../../apps/gateway/src/ledger/signer.ts'
import { parseEntry } from '../../packages/audit/src/index.ts'
import { Tags } from '../../packages/dicom/src/index.ts'
import { ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { el, slice } from '../support/deid.ts'

const scratch = passable('roentgate-disposal-')

function made(study: number, number: number): Uint8Array {
  return slice([
    el.text(Tags.SOPInstanceUID, 'UI', `2.25.6${study}${number}`),
    el.text(Tags.StudyInstanceUID, 'UI', `2.25.5${study}`),
    el.text(Tags.SeriesInstanceUID, 'UI', `2.25.4${study}`),
  ])
}

suite('disposal', () => {
  const open: { archive?: Archive } = {}
  before(async () => {
    open.archive = await openArchive({
      dataFolder: join(scratch, 'data'),
      keys: { passphrase: Buffer.from('for tests') },
    })
    const files = [made(1, 1), made(1, 2), made(2, 1)]
    await ingestAll(open.archive, files)
  })
  after(async () => {
    await open.archive?.close()
    rmSync(scratch, { recursive: true, force: true })
  })
  const archive = (): Archive => open.archive ?? assert.fail()
  const key = () => withLedgerSeed(archive().database.kysely, archive().custodians, certificateKey)
  const isThere = async (uid: string): Promise<boolean> => {
    await using stored = await openInstance(archive(), uid)
    return stored !== undefined
  }
  const order = { study: '2.25.51', by: 'ana', second: 'ben', reason: 'retention is over' }

  test('a hold keeps a study, and its owner does not release it', async () => {
    const { kysely } = archive().database
    const hold = await placeHold(kysely, { matter: 'case 7', owner: 'ana', studies: ['2.25.51'] })
    const other = await placeHold(kysely, { matter: 'case 8', owner: 'eve', studies: ['2.25.51', '2.25.52'] })
    await assert.rejects(disposeStudy(archive(), order, await key()), { code: 'ON_HOLD' })
    await assert.rejects(releaseHold(kysely, hold, 'ana'), { code: 'SECOND_PERSON' })
    await releaseHold(kysely, hold, 'ben')
    await assert.rejects(releaseHold(kysely, hold, 'ben'), { code: 'NO_HOLD' })
    await assert.rejects(disposeStudy(archive(), order, await key()), { code: 'ON_HOLD' })
    await releaseHold(kysely, other, 'ben')
    await assert.rejects(placeHold(kysely, { matter: 'm', owner: 'ana', studies: ['1.2.3'] }), {
      code: 'NO_STUDY',
    })
  })

  test('one person alone destroys nothing', async () => {
    await assert.rejects(disposeStudy(archive(), { ...order, second: 'ana' }, await key()), {
      code: 'SECOND_PERSON',
    })
  })

  test('after disposal nothing comes back, not even from a copy of the disk; the certificate holds', async () => {
    const { database, keyring } = archive()
    const rows = await database.kysely
      .selectFrom('instances')
      .select(['blob_id', 'key_id', 'sop_uid'])
      .execute()
    const row = rows.find(({ sop_uid }) => sop_uid === '2.25.611') ?? assert.fail()
    const copy = join(scratch, 'copy')
    cpSync(join(scratch, 'data', 'blobs'), copy, { recursive: true })
    const private_ = await key()
    const [certificate = '', ...more] = await disposeStudy(archive(), order, private_)
    assert.equal(more.length, 0)
    const verdict = verifyCertificate(certificate, [createPublicKey(private_)])
    assert.ok(verdict.kind === 'valid' && verdict.destruction.second === 'ben')
    assert.equal(
      verifyCertificate(certificate.replace('ben', 'eve'), [createPublicKey(private_)]).kind,
      'forged',
    )
    assert.equal(await openInstance(archive(), '2.25.611'), undefined)
    await assert.rejects(keyring.get(row.key_id as KeyId), { code: 'NOT_FOUND' })
    const store = await openDirectoryStore({ root: copy })
    await using handle = await store.open(row.blob_id as ObjectId)
    const wrong = { objectId: row.blob_id as ObjectId, keyId: row.key_id as KeyId, dataKey: Buffer.alloc(32) }
    await assert.rejects(openBlob(handle, wrong), { code: 'CORRUPT' })
    const wrapped = await database.kysely
      .selectFrom('data_keys')
      .select('wrapped')
      .where('id', '=', row.key_id)
      .executeTakeFirst()
    assert.equal(wrapped?.wrapped, null)
    const { lines } = await search(database.kysely, { event: 'disposed' }, { limit: 1 })
    assert.equal(`entry ${parseEntry(lines[0] ?? '').index}`, verdict.destruction.ledger)
    assert.ok(await isThere('2.25.621'))
  })

  test('the study can come again, under another key', async () => {
    const [outcome] = await ingestAll(archive(), [made(1, 1)])
    assert.equal(outcome?.kind, 'stored')
    assert.ok(await isThere('2.25.611'))
  })
})
