// C-STORE into the archive (PS3.4 B):  data set as it comes ─► Part 10 header before it ─► intake ─► durable ─► Success
//
// Invariant: Success is answered when the instance is durable, indexed and in the ledger, and not before.

import { Tags } from '@roentgate/dicom'
import { type Answer, type Incoming, STATUS } from '@roentgate/dimse'
import { isStoreError } from '../archive/blobs/errors.ts'
import type { Outcome, Sender } from '../archive/ingest/commit.ts'
import type { Intake } from '../archive/ingest/intake.ts'
import { DbError } from '../db/errors.ts'

export type Implementation = { readonly uid: string; readonly version: string }

/** Coercion of data elements, duplicates with other bytes included, is a warning: kept beside (PS3.4 B.2.3). */
const KEPT_BESIDE = 0xb000
const UID = /^[0-9.]{1,64}$/

export async function* store(
  { command, context, data }: Incoming,
  intake: Intake,
  { sender, implementation }: { readonly sender: Sender; readonly implementation: Implementation },
): AsyncGenerator<Answer> {
  const { affectedClass = '', affectedInstance = '' } = command
  if (!UID.test(affectedClass) || !UID.test(affectedInstance) || !command.hasData) {
    yield { status: STATUS.cannotUnderstand }
    return
  }
  if (affectedClass !== context.abstractSyntax) {
    yield { status: STATUS.mismatch }
    return
  }
  const head = part10Head({
    sopClass: affectedClass,
    sopInstance: affectedInstance,
    transferSyntax: context.transferSyntax,
    implementation,
    sourceAe: sender.id,
  })
  try {
    const outcome = await intake.submit(prefixed(head, data), sender)
    yield { status: statusOf(outcome, affectedInstance) }
  } catch (error) {
    if (!(isStoreError(error) || error instanceof DbError)) throw error
    yield { status: STATUS.outOfResources }
  }
}

/** What was stored under another UID than the command said is there, and the sender is told that it is not what it says. */
function statusOf(outcome: Outcome, sopInstance: string): number {
  if (outcome.kind === 'refused') return outcome.code === 'NO_UID' ? STATUS.mismatch : STATUS.cannotUnderstand
  if (outcome.sopUid !== sopInstance) return STATUS.mismatch
  return outcome.kind === 'conflict' ? KEPT_BESIDE : STATUS.success
}

async function* prefixed(head: Uint8Array, data: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  yield* data
}

type Head = {
  readonly sopClass: string
  readonly sopInstance: string
  readonly transferSyntax: string
  readonly implementation: Implementation
  readonly sourceAe: string
}

/** Preamble of zeros, DICM and group 0002 (PS3.10 7.1). */
function part10Head({ sopClass, sopInstance, transferSyntax, implementation, sourceAe }: Head): Buffer {
  const uid = (tag: number, text: string): Buffer =>
    element(tag, 'UI', text.length % 2 === 0 ? text : `${text}\0`)
  const padded = (tag: number, vr: string, text: string): Buffer =>
    element(tag, vr, text.length % 2 === 0 ? text : `${text} `)
  const version = Buffer.from([2, 0, 0, 0, 0x4f, 0x42, 0, 0, 2, 0, 0, 0, 0, 1])
  version.writeUInt16LE(1, 2)
  const body = Buffer.concat([
    version,
    uid(Tags.MediaStorageSOPClassUID, sopClass),
    uid(Tags.MediaStorageSOPInstanceUID, sopInstance),
    uid(Tags.TransferSyntaxUID, transferSyntax),
    uid(Tags.ImplementationClassUID, implementation.uid),
    padded(Tags.ImplementationVersionName, 'SH', implementation.version),
    padded(Tags.SourceApplicationEntityTitle, 'AE', sourceAe),
  ])
  const length = Buffer.alloc(4)
  length.writeUInt32LE(body.length)
  const group = Buffer.concat([element(Tags.FileMetaInformationGroupLength, 'UL', length), body])
  return Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), group])
}

function element(tag: number, vr: string, value: string | Buffer): Buffer {
  const bytes = typeof value === 'string' ? Buffer.from(value, 'latin1') : value
  const head = Buffer.alloc(8)
  head.writeUInt16LE(tag >>> 16)
  head.writeUInt16LE(tag & 0xffff, 2)
  head.write(vr, 4, 'latin1')
  head.writeUInt16LE(bytes.length, 6)
  return Buffer.concat([head, bytes])
}
