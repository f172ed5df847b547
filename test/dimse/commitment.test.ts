// Storage commitment (PS3.4 J): yes after the bytes were read again, no with its reason, and the news reaches a peer that
// has hung up meanwhile.

import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { IMPLEMENTATION } from '../../apps/gateway/src/cli/version.ts'
import { addNode } from '../../apps/gateway/src/nodes/registry.ts'
import { type OpenPort, openDicomPort } from '../../apps/gateway/src/serve/dicom.ts'
import { identifier, readIdentifier, writeIdentifier } from '../../apps/gateway/src/serve/identifier.ts'
import { dataset, find, make, Tags } from '../../packages/dicom/src/index.ts'
import { connect, FIELD, listen, whole } from '../../packages/dimse/src/index.ts'
import { damage, ingestAll } from '../support/archive.ts'
import { passable } from '../support/data-folder.ts'
import { made, uidOf } from '../support/instances.ts'

const EXPLICIT = '1.2.840.10008.1.2.1'
const CT = '1.2.840.10008.5.1.4.1.1.2'
const COMMITMENT = '1.2.840.10008.1.20.1'
const THREE = [1, 2, 3].map((number) => [CT, uidOf(number)] as const)
const folder = passable('roentgate-commitment-')

suite('storage commitment', () => {
  const open: { archive?: Archive; listener?: OpenPort; port: number } = { port: 0 }
  const archive = (): Archive => open.archive ?? assert.fail()

  before(async () => {
    const place = { dataFolder: join(folder, 'data'), keys: { passphrase: Buffer.from('x') } }
    open.archive = await openArchive(place)
    await ingestAll(archive(), [1, 2, 3].map(made))
    await ingestAll(archive(), [made(4)])
    const row = await archive()
      .database.kysely.selectFrom('instances')
      .select('blob_id')
      .where('sop_uid', '=', uidOf(4))
      .executeTakeFirstOrThrow()
    damage(place.dataFolder, row.blob_id)
    await addNode(
      archive().database.kysely,
      { ae: 'WS1', addresses: ['127.0.0.1'], fingerprints: [], services: ['commit'], outside: false },
      'ana',
    )
    const self = { aeTitle: 'RG', implementation: IMPLEMENTATION }
    open.listener = await openDicomPort(archive(), { host: '127.0.0.1', port: 0, self })
    open.port = open.listener.port
  })

  after(async () => {
    await open.listener?.close()
    await open.archive?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('storage commitment: on the same association, and on another one when that has gone', {
    timeout: 60_000,
  }, async () => {
    const told = await asked(open.port, '2.25.900', THREE)
    assert.deepEqual([told.type, told.committed, told.failed], [1, 3, []])
    const wrong = [
      ...THREE,
      [CT, '2.25.404'],
      ['1.2.840.10008.5.1.4.1.1.4', uidOf(1)],
      [CT, uidOf(4)],
    ] as const
    const partly = await asked(open.port, '2.25.901', wrong)
    assert.deepEqual([partly.type, partly.committed, partly.failed], [2, 3, [0x0112, 0x0119, 0x0110]])
    const later = await askedAndGone(archive(), open.port)
    assert.deepEqual([later.type, later.committed, later.failed], [1, 3, []])
    const left = await archive().database.kysely.selectFrom('commitment_requests').select('id').execute()
    assert.deepEqual(left, [])
  })
})

type Told = { readonly type: number; readonly committed: number; readonly failed: readonly number[] }

function toldOf(type: number, bytes: Uint8Array, syntax: string): Told {
  const report = readIdentifier(bytes, syntax)
  const items = (tag: (typeof Tags)['ReferencedSOPSequence' | 'FailedSOPSequence']) => {
    const element = find(report, tag)
    return element?.value.kind === 'items' ? element.value.items : []
  }
  const reasons = items(Tags.FailedSOPSequence).map((item) => {
    const reason = find(item, Tags.FailureReason)
    return reason?.value.kind === 'bytes' ? Buffer.from(reason.value.bytes).readUInt16LE() : 0
  })
  return { type, committed: items(Tags.ReferencedSOPSequence).length, failed: reasons }
}

function action(transaction: string, references: readonly (readonly [string, string])[]): Uint8Array {
  const owner = identifier([[Tags.TransactionUID, transaction]], EXPLICIT)
  const items = references.map(([sopClass, sopUid]) =>
    identifier(
      [
        [Tags.ReferencedSOPClassUID, sopClass],
        [Tags.ReferencedSOPInstanceUID, sopUid],
      ],
      EXPLICIT,
    ),
  )
  return writeIdentifier(
    dataset([...owner.elements, make(owner, Tags.ReferencedSOPSequence, 'SQ', items)], {
      encoding: owner.encoding,
    }),
    EXPLICIT,
  )
}

const COMMAND = {
  field: FIELD.nAction,
  requestedClass: COMMITMENT,
  requestedInstance: '1.2.840.10008.1.20.1.1',
  actionType: 1,
} as const

async function asked(
  port: number,
  transaction: string,
  references: readonly (readonly [string, string])[],
): Promise<Told> {
  const told = Promise.withResolvers<Told>()
  const association = await connect({
    host: '127.0.0.1',
    port,
    callingAe: 'WS1',
    calledAe: 'RG',
    contexts: [{ abstractSyntax: COMMITMENT, transferSyntaxes: [EXPLICIT] }],
    implementation: IMPLEMENTATION,
    handler: async function* ({ command, data }) {
      told.resolve(toldOf(command.eventType ?? 0, await whole(data, 1 << 20), EXPLICIT))
      yield { status: 0 }
    },
  })
  const content = action(transaction, references)
  for await (const { status } of association.request(association.contextFor(COMMITMENT), COMMAND, {
    content,
  }))
    assert.equal(status, 0)
  const result = await told.promise
  await sleep(100)
  await association.release()
  return result
}

/** It releases at once, as most do, and listens. */
async function askedAndGone({ database }: Archive, port: number): Promise<Told> {
  const told = Promise.withResolvers<Told>()
  const listener = await listen({
    host: '127.0.0.1',
    port: 0,
    implementation: IMPLEMENTATION,
    decide: (request) => ({
      kind: 'accept',
      contexts: request.contexts.map(({ id }) => ({ id, result: 0, transferSyntax: EXPLICIT })),
      user: { roles: request.user.roles },
      handler: async function* ({ command, data }) {
        told.resolve(toldOf(command.eventType ?? 0, await whole(data, 1 << 20), EXPLICIT))
        yield { status: 0 }
      },
    }),
  })
  await addNode(
    database.kysely,
    {
      ae: 'GONE',
      addresses: ['127.0.0.1'],
      fingerprints: [],
      services: ['commit'],
      outside: false,
      listens: { host: '127.0.0.1', port: listener.port },
    },
    'ana',
  )
  const association = await connect({
    host: '127.0.0.1',
    port,
    callingAe: 'GONE',
    calledAe: 'RG',
    contexts: [{ abstractSyntax: COMMITMENT, transferSyntaxes: [EXPLICIT] }],
    implementation: IMPLEMENTATION,
  })
  const content = action('2.25.902', THREE)
  for await (const { status } of association.request(association.contextFor(COMMITMENT), COMMAND, {
    content,
  }))
    assert.equal(status, 0)
  association.abort()
  const result = await told.promise
  await sleep(300)
  await listener.close()
  return result
}
