// Storage commitment, push model (PS3.4 J): N-ACTION ─► kept in the database ─► Success ─► every instance read and hashed
// ─► N-EVENT-REPORT, on the same association or on one of ours ─► forgotten
//
// What was promised is kept until it was told: a node that is away, and a gateway that ends, only make it later.

import { type Dataset, DicomError, dataset, make, string, Tags } from '@roentgate/dicom'
import {
  type Answer,
  type Association,
  FIELD,
  type Incoming,
  MAX_IDENTIFIER_BYTES,
  STATUS,
  whole,
} from '@roentgate/dimse'
import { sql } from 'kysely'
import type { Archive } from '../archive/archive.ts'
import { type Commitment, commitmentOf, type Reference } from '../archive/commitment.ts'
import { uuid7 } from '../archive/index/uuid.ts'
import { NodeError } from '../nodes/errors.ts'
import { receiver } from '../nodes/registry.ts'
import { identifier, itemsOf, type Pair, readIdentifier, writeIdentifier } from './identifier.ts'
import { call, type Self } from './peer.ts'

export const COMMITMENT = '1.2.840.10008.1.20.1'
const COMMITMENT_INSTANCE = '1.2.840.10008.1.20.1.1'
const IMPLICIT = '1.2.840.10008.1.2'
const EXPLICIT = '1.2.840.10008.1.2.1'
const REQUEST = 1
const EVENT = { allCommitted: 1, someFailed: 2 } as const
const NO_SUCH_ACTION = 0x0123
const INVALID_ARGUMENT = 0x0115
const DUPLICATE_TRANSACTION = 0x0131
const MAX_REFERENCES = 20_000
const UID = /^[0-9.]{1,64}$/
const FIRST_RETRY_SECONDS = 30
const MOST_RETRY_SECONDS = 3600
/** After that nobody waits for it. */
const GIVE_UP_DAYS = 7

export type Committing = { readonly archive: Archive; readonly self: Self; readonly ae: string }

export async function* commitment(incoming: Incoming, committing: Committing): AsyncGenerator<Answer> {
  const { command, context, data, association } = incoming
  const bytes = await whole(data, MAX_IDENTIFIER_BYTES)
  if (command.actionType !== REQUEST) return yield { status: NO_SUCH_ACTION }
  if (command.requestedInstance !== COMMITMENT_INSTANCE) return yield { status: STATUS.noSuchInstance }
  const asked = askedOf(bytes, context.transferSyntax)
  if (asked === undefined) return yield { status: INVALID_ARGUMENT }
  const { ae, archive } = committing
  const { numInsertedOrUpdatedRows } = await archive.database.kysely
    .insertInto('commitment_requests')
    .values({
      id: uuid7(Date.now()),
      ae,
      transaction_uid: asked.transaction,
      refs: JSON.stringify(asked.references.map(({ sopClass, sopUid }) => [sopClass, sopUid])),
      // Others leave it alone while it is tried here.
      next_at: new Date(Date.now() + FIRST_RETRY_SECONDS * 1000),
    })
    .onConflict((on) => on.doNothing())
    .executeTakeFirst()
  if (numInsertedOrUpdatedRows === 0n) return yield { status: DUPLICATE_TRANSACTION }
  try {
    yield { status: STATUS.success }
  } finally {
    void tell(committing, asked, association)
  }
}

type Asked = { readonly transaction: string; readonly references: readonly Reference[] }

function askedOf(bytes: Uint8Array, syntax: string): Asked | undefined {
  try {
    const action = readIdentifier(bytes, syntax)
    const transaction = string(action, Tags.TransactionUID) ?? ''
    const references = itemsOf(action, Tags.ReferencedSOPSequence).map((item) => ({
      sopClass: string(item, Tags.ReferencedSOPClassUID) ?? '',
      sopUid: string(item, Tags.ReferencedSOPInstanceUID) ?? '',
    }))
    const isWhole =
      UID.test(transaction) &&
      references.length > 0 &&
      references.length <= MAX_REFERENCES &&
      references.every(({ sopClass, sopUid }) => UID.test(sopClass) && UID.test(sopUid))
    return isWhole ? { transaction, references } : undefined
  } catch (error) {
    if (error instanceof DicomError) return undefined
    throw error
  }
}

/** On the association that asked, if it is still there; else on one of ours. False: later. */
async function tell(
  { archive, self, ae }: Committing,
  { transaction, references }: Asked,
  association?: Association,
): Promise<boolean> {
  try {
    const outcome = await commitmentOf(archive, references)
    const told =
      (association !== undefined && (await report(association, transaction, outcome))) ||
      (await reportAnew({ archive, self, ae }, transaction, outcome))
    if (told) await forget(archive, ae, transaction)
    return told
  } catch {
    return false
  }
}

async function reportAnew(
  { archive, self, ae }: Committing,
  transaction: string,
  outcome: Commitment,
): Promise<boolean> {
  const node = await receiver(archive.database.kysely, ae).catch((error) => {
    if (error instanceof NodeError) return undefined
    throw error
  })
  if (node === undefined) return false
  const association = await call(self, node, {
    contexts: [{ abstractSyntax: COMMITMENT, transferSyntaxes: [EXPLICIT, IMPLICIT] }],
    // We ask for the association, and are the SCP on it all the same (PS3.4 J.3.3.1.1).
    roles: [{ sopClass: COMMITMENT, scu: false, scp: true }],
  })
  try {
    return await report(association, transaction, outcome)
  } finally {
    await association.release().catch(() => undefined)
  }
}

async function report(association: Association, transaction: string, outcome: Commitment): Promise<boolean> {
  try {
    const context = association.contextFor(COMMITMENT)
    const content = reportBytes(transaction, outcome, context.transferSyntax)
    const command = {
      field: FIELD.nEventReport,
      affectedClass: COMMITMENT,
      affectedInstance: COMMITMENT_INSTANCE,
      eventType: outcome.failed.length > 0 ? EVENT.someFailed : EVENT.allCommitted,
    }
    for await (const { status } of association.request(context, command, { content }))
      return status === STATUS.success
  } catch {
    // It ended meanwhile, which most of them do: then on another.
  }
  return false
}

function reportBytes(transaction: string, { committed, failed }: Commitment, syntax: string): Uint8Array {
  const item = (pairs: readonly Pair[]): Dataset => identifier(pairs, syntax)
  const reference = ({ sopClass, sopUid }: Reference): readonly Pair[] => [
    [Tags.ReferencedSOPClassUID, sopClass],
    [Tags.ReferencedSOPInstanceUID, sopUid],
  ]
  const owner = item([[Tags.TransactionUID, transaction]])
  const elements = [...owner.elements]
  if (committed.length > 0) {
    const items = committed.map((one) => item(reference(one)))
    elements.push(make(owner, Tags.ReferencedSOPSequence, 'SQ', items))
  }
  if (failed.length > 0) {
    const items = failed.map((one) => item([...reference(one), [Tags.FailureReason, [one.reason]]]))
    elements.push(make(owner, Tags.FailedSOPSequence, 'SQ', items))
  }
  return writeIdentifier(dataset(elements, { encoding: owner.encoding }), syntax)
}

async function forget({ database }: Archive, ae: string, transaction: string): Promise<void> {
  await database.kysely
    .deleteFrom('commitment_requests')
    .where('ae', '=', ae)
    .where('transaction_uid', '=', transaction)
    .execute()
}

/** Those whose node could not be told, once more. */
export async function tellAgain({ archive, self }: Omit<Committing, 'ae'>): Promise<number> {
  const db = archive.database.kysely
  await sql`delete from commitment_requests where requested_at < now() - make_interval(days => ${GIVE_UP_DAYS})`.execute(
    db,
  )
  const due = await db
    .selectFrom('commitment_requests')
    .select(['id', 'ae', 'transaction_uid', 'refs', 'attempts'])
    .where('next_at', '<=', new Date())
    .orderBy('next_at')
    .limit(100)
    .execute()
  let told = 0
  for (const { id, ae, transaction_uid: transaction, refs, attempts } of due) {
    const seconds = Math.min(FIRST_RETRY_SECONDS * 2 ** attempts, MOST_RETRY_SECONDS)
    await db
      .updateTable('commitment_requests')
      .set({ attempts: attempts + 1, next_at: new Date(Date.now() + seconds * 1000) })
      .where('id', '=', id)
      .execute()
    const references = refs.map(([sopClass, sopUid]) => ({ sopClass, sopUid }))
    if (await tell({ archive, self, ae }, { transaction, references })) told++
  }
  return told
}
