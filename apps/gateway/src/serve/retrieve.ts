// C-MOVE and C-GET (PS3.4 C.4.2, C.4.3): identifier ─► instances ─► sub-operations, counted ─► final status ─► ledger
//
// C-MOVE goes to nodes that are registered and listen, and to nobody else: a destination in a message is no address.
// What leaves is in the ledger per study, before the final answer; where the receiver is outside, as a disclosure.

import { DicomError, Tags } from '@roentgate/dicom'
import {
  type Answer,
  type Association,
  DimseError,
  type Incoming,
  MAX_IDENTIFIER_BYTES,
  STATUS,
  whole,
} from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import { IndexError } from '../archive/index/errors.ts'
import { findInstances } from '../archive/index/find.ts'
import type { Condition, Query } from '../archive/index/matching.ts'
import type { NewEvent } from '../ledger/append.ts'
import { NodeError } from '../nodes/errors.ts'
import { type Node, receiver } from '../nodes/registry.ts'
import { mayReceive } from '../policy/doors.ts'
import { identifier, readIdentifier, writeIdentifier } from './identifier.ts'
import { askedOf, modelOf } from './models.ts'
import {
  byContexts,
  type Counts,
  contextsFor,
  lost,
  newCounts,
  type Outgoing,
  type Sending,
  sendAll,
} from './outgoing.ts'
import { call, type Reachable, type Self } from './peer.ts'

export type Retrieving = {
  readonly archive: Archive
  readonly self: Self
  /** Who asks. */
  readonly node: Node
  readonly sender: NewEvent['actor']
  readonly record: (events: readonly NewEvent[]) => Promise<void>
  /** Over studies s: those that may be had. Absent: all. */
  readonly visible?: Condition
}

const PAGE = 1000
const MOVE = {
  unknownDestination: 0xa801,
  noSuboperations: 0xa702,
  someFailed: 0xb000,
} as const

type Ready = { readonly instances: readonly Outgoing[] } | { readonly refused: Answer }

async function ready({ context, data }: Incoming, { archive, visible }: Retrieving): Promise<Ready> {
  const model = modelOf(context.abstractSyntax)
  const refused = (status: number, comment: string): Ready => ({ refused: { status, fields: { comment } } })
  try {
    const asked = readIdentifier(await whole(data, MAX_IDENTIFIER_BYTES), context.transferSyntax)
    const keys = model && askedOf(model, asked)?.keys
    if (keys === undefined) return refused(STATUS.mismatch, 'level, or unique keys, are missing')
    const query = Object.fromEntries([...keys].map(([keyword, values]) => [keyword, values.join('\\')]))
    return { instances: await instancesOf(archive, query, visible) }
  } catch (error) {
    if (error instanceof DicomError) return refused(STATUS.cannotUnderstand, 'the identifier is no data set')
    if (error instanceof IndexError)
      return refused(STATUS.mismatch, 'a key of a form that its VR does not have')
    throw error
  }
}

export async function instancesOf(
  { database, columns }: Archive,
  query: Query,
  visible?: Condition,
): Promise<readonly Outgoing[]> {
  const found: Outgoing[] = []
  const index = { db: database.kysely, columns, ...(visible ? { visible } : {}) }
  for (let after: string | undefined; ; ) {
    const page = await findInstances(index, query, { limit: PAGE, after })
    for (const { sopUid, sopClass, transferSyntax, size, series } of page.rows)
      found.push({ sopUid, sopClass, transferSyntax, size, study: series.study.uid })
    if (page.next === undefined) return found
    after = page.next
  }
}

export async function* move(incoming: Incoming, retrieving: Retrieving): AsyncGenerator<Answer> {
  const { archive, self } = retrieving
  const { command, signal } = incoming
  const prepared = await ready(incoming, retrieving)
  if ('refused' in prepared) return yield prepared.refused
  let to: Reachable
  try {
    to = await receiver(archive.database.kysely, command.moveDestination ?? '')
  } catch (error) {
    if (!(error instanceof NodeError)) throw error
    return yield {
      status: MOVE.unknownDestination,
      fields: { comment: 'the destination is no node that listens' },
    }
  }
  if (!mayReceive(to))
    return yield {
      status: MOVE.unknownDestination,
      fields: { comment: 'the destination is not for treatment' },
    }
  const originator = { ae: retrieving.node.ae, messageId: command.messageId ?? 0 }
  const counts = newCounts(prepared.instances.length)
  for (const instances of byContexts(prepared.instances)) {
    let association: Association
    try {
      association = await call(self, to, { contexts: contextsFor(instances) })
    } catch (error) {
      if (!(error instanceof DimseError || error instanceof NodeError)) throw error
      lost(counts, instances)
      continue
    }
    try {
      yield* passed({ archive, association, instances, signal, counts, originator })
    } finally {
      await association.release().catch(() => undefined)
    }
  }
  await retrieving.record(transfers(retrieving, counts, to))
  yield ended(incoming, counts)
}

/** The sub-operations run on the association of the request: its peer took the role of the SCP (PS3.7 D.3.3.4). */
export async function* get(incoming: Incoming, retrieving: Retrieving): AsyncGenerator<Answer> {
  const { archive, node } = retrieving
  const { association, signal } = incoming
  const prepared = await ready(incoming, retrieving)
  if ('refused' in prepared) return yield prepared.refused
  const { instances } = prepared
  const counts = newCounts(instances.length)
  yield* passed({ archive, association, instances, signal, counts })
  await retrieving.record(transfers(retrieving, counts, node))
  yield ended(incoming, counts)
}

type Sub = Pick<Sending, 'archive' | 'association' | 'signal' | 'instances' | 'counts' | 'originator'>

/** A pending answer after each, but for the last. */
async function* passed(sending: Sub): AsyncGenerator<Answer> {
  const { counts, instances } = sending
  let done = 0
  try {
    for await (const _ of sendAll(sending)) {
      done++
      if (counts.remaining > 0) yield { status: STATUS.pending, fields: counted(counts) }
    }
  } catch (error) {
    if (!(error instanceof DimseError)) throw error
    lost(counts, instances.slice(done))
  }
}

function counted({ remaining, completed, failed, warning }: Counts) {
  const capped = (value: number): number => Math.min(value, 0xffff)
  return {
    remaining: capped(remaining),
    completed: capped(completed),
    failed: capped(failed),
    warning: capped(warning),
  }
}

/** With the list of what failed (PS3.4 C.4.2.1.5). */
function ended({ signal, context }: Incoming, counts: Counts): Answer {
  const { remaining, ...rest } = counted(counts)
  const data =
    counts.failures.length > 0 || counts.remaining > 0
      ? {
          data: writeIdentifier(
            identifier([[Tags.FailedSOPInstanceUIDList, counts.failures]], context.transferSyntax),
            context.transferSyntax,
          ),
        }
      : {}
  if (signal.aborted) return { status: STATUS.cancel, fields: { ...rest, remaining }, ...data }
  if (counts.failed === 0) return { status: STATUS.success, fields: rest }
  const isAll = counts.completed + counts.warning === 0
  return { status: isAll ? MOVE.noSuboperations : MOVE.someFailed, fields: rest, ...data }
}

/** One a study. */
export function transfers(
  { sender, self }: Pick<Retrieving, 'sender' | 'self'>,
  { sent, failed }: Counts,
  to: Pick<Node, 'ae' | 'outside'>,
): readonly NewEvent[] {
  return [...sent].map(([study, count]) => ({
    event: to.outside ? 'shared' : 'instances-transferred',
    action: 'R',
    outcome: failed > 0 ? 'minor' : 'success',
    actor: sender,
    objects: [{ kind: 'study', id: study, count }],
    detail: { from: self.aeTitle, destination: to.ae },
  }))
}
