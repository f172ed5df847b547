// C-STORE into the archive (PS3.4 B):  data set as it comes ─► Part 10 header before it ─► intake ─► durable ─► Success
//
// Invariant: Success is answered when the instance is durable, indexed and in the ledger, and not before.

import { type Answer, type Incoming, STATUS } from '@roentgate/dimse'
import { isStoreError } from '../archive/blobs/errors.ts'
import type { Outcome, Sender } from '../archive/ingest/commit.ts'
import type { Intake } from '../archive/ingest/intake.ts'
import { DbError } from '../db/errors.ts'
import { type Implementation, part10Head } from './part10.ts'

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
    const outcome = await intake.submit(prefixed(head, data), {
      sender,
      expected: { sopClass: affectedClass, sopUid: affectedInstance },
    })
    yield { status: statusOf(outcome) }
  } catch (error) {
    if (!(isStoreError(error) || error instanceof DbError)) throw error
    yield { status: STATUS.outOfResources }
  }
}

/** Of a data set that is not what the command says, nothing is stored. */
const MISMATCHES = new Set(['NO_UID', 'MISMATCH'])

function statusOf(outcome: Outcome): number {
  if (outcome.kind === 'refused')
    return MISMATCHES.has(outcome.code) ? STATUS.mismatch : STATUS.cannotUnderstand
  return outcome.kind === 'conflict' ? KEPT_BESIDE : STATUS.success
}

async function* prefixed(head: Uint8Array, data: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head
  yield* data
}
