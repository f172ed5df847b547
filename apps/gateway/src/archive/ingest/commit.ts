// What a batch of instances becomes: keys, rows and entries of the ledger, in one transaction, which ends after its blobs
// are durable.

import { sql } from 'kysely'
import { type Db, transact } from '../../db/database.ts'
import { keyRows } from '../../keys/rows.ts'
import { appendAfter, headOf, type NewEvent, readHead } from '../../ledger/append.ts'
import type { Archive } from '../archive.ts'
import type { KeyId } from '../ids.ts'
import type { InstanceFacts } from '../index/facts.ts'
import { insertInstances } from '../index/write.ts'
import type { Expected } from './facts.ts'

export type Outcome =
  | {
      readonly kind: 'stored' | 'duplicate' | 'conflict'
      readonly sopUid: string
      readonly collisions: readonly string[]
    }
  | { readonly kind: 'refused'; readonly code: string; readonly what: string }

export type Sender = NewEvent['actor']
/** Of what arrives: who sends it, and what they say that it is. */
export type From = { readonly sender: Sender; readonly expected?: Expected }

export type StudyKey = {
  readonly keyId: KeyId
  readonly dataKey: Buffer
  /** To be inserted with the study that it is made for. */
  readonly wrapped?: Awaited<ReturnType<Archive['keyring']['make']>>['wrapped']
}

/** Of studies that arrive; more at a time only cost a look each. */
const REMEMBERED = 1024

/** One a study: the one that it has, or a new one. What was remembered wrongly, the commit finds out: KeyGone. */
export async function keysFor(
  { database, keyring, studyKeys }: Archive,
  studies: Iterable<string>,
): Promise<Map<string, StudyKey>> {
  const uids = new Set(studies)
  const keys = new Map<string, StudyKey>()
  const unknown = [...uids].filter((uid) => !studyKeys.has(uid))
  for (const { study_uid, key_id } of unknown.length > 0 ? await keyIds(database.kysely, unknown) : [])
    studyKeys.set(study_uid, key_id as KeyId)
  for (const uid of uids) {
    const keyId = studyKeys.get(uid)
    keys.set(uid, keyId ? { keyId, dataKey: await keyring.get(keyId) } : await keyring.make())
  }
  for (const oldest of studyKeys.keys()) {
    if (studyKeys.size <= REMEMBERED) break
    studyKeys.delete(oldest)
  }
  return keys
}

async function keyIds(db: Db, uids: readonly string[]) {
  return await db
    .selectFrom('studies')
    .innerJoin('data_keys', 'data_keys.id', 'studies.key_id')
    .select(['study_uid', 'key_id'])
    .where('study_uid', 'in', uids)
    .where('data_keys.destroyed_at', 'is', null)
    .execute()
}

export type Committing = {
  readonly facts: readonly InstanceFacts[]
  readonly keys: ReadonlyMap<string, StudyKey>
  /** In the order of the facts. */
  readonly senders: readonly Sender[]
  readonly receivedAt: Date
}

/**
 * `durable`: the blobs, which a near store writes while the rows are written; a far one's would hold up under their locks
 * all that the study gets besides. @throws KeyGone
 */
export async function commitWith(durable: Promise<void>, archive: Archive, what: Committing) {
  // It may fail before it is waited for.
  durable.catch(() => undefined)
  if (!archive.blobs.isNear) await durable
  try {
    return await commit(archive, what, durable)
  } catch (error) {
    await durable.catch(() => undefined)
    throw error
  }
}

async function commit(
  archive: Archive,
  { facts, keys, senders, receivedAt }: Committing,
  durable: Promise<void>,
) {
  return await transact(archive.database.kysely, async (tx) => {
    for (const { keyId, wrapped } of keys.values()) if (wrapped) await keyRows(tx).insert(keyId, wrapped)
    const { inserted, along } = await insertInstances({ tx, columns: archive.columns }, facts, {
      ready: durable,
      from: 'ledger_head',
      columns: sql<Head>`size, frontier`,
    })
    const stories = inserted.flatMap(({ outcome }, place) => {
      const sender = senders[place]
      return sender ? [{ outcome, uid: facts[place]?.study.uid ?? '', sender }] : []
    })
    await durable
    const head = along ? headOf(along) : await readHead(tx, 'lock')
    await appendAfter(tx, head, { events: eventsOf(stories), at: receivedAt })
    return inserted
  })
}

type Head = { readonly size: number; readonly frontier: Buffer }
type Story = { readonly outcome: string; readonly uid: string; readonly sender: Sender }

/** One entry for the instances of a study that a sender sent together, and one for those that contradict what is there. */
function eventsOf(stories: readonly Story[]): readonly NewEvent[] {
  const groups = new Map<string, Story[]>()
  for (const story of stories) {
    const { kind, id, address = '' } = story.sender
    const name = [story.uid, kind, id, address].join('\n')
    groups.set(name, [...(groups.get(name) ?? []), story])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    return first ? eventsOfGroup(group, first) : []
  })
}

function eventsOfGroup(group: readonly Story[], { uid, sender }: Story): readonly NewEvent[] {
  const of = (kind: string, outcome: NewEvent['outcome']): readonly NewEvent[] => {
    const count = group.filter((one) => one.outcome === kind).length
    if (count === 0) return []
    const objects = [{ kind: 'study', id: uid, count }] as const
    return [{ event: 'import', action: 'C', outcome, actor: sender, objects, detail: { status: kind } }]
  }
  return [...of('stored', 'success'), ...of('duplicate', 'success'), ...of('conflict', 'minor')]
}
