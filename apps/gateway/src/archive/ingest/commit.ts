// What a batch of instances becomes, once its blobs are durable: keys, rows and entries of the ledger, in one transaction.

import { type Tx, transact } from '../../db/database.ts'
import { keyRows } from '../../keys/rows.ts'
import { appendEvents, type NewEvent } from '../../ledger/append.ts'
import type { Archive } from '../archive.ts'
import type { KeyId } from '../ids.ts'
import type { InstanceFacts } from '../index/facts.ts'
import { insertInstances } from '../index/write.ts'

export type Outcome =
  | {
      readonly kind: 'stored' | 'duplicate' | 'conflict'
      readonly sopUid: string
      readonly collisions: readonly string[]
    }
  | { readonly kind: 'refused'; readonly code: string; readonly what: string }

export type Sender = NewEvent['actor']

export type StudyKey = {
  readonly keyId: KeyId
  readonly dataKey: Buffer
  /** To be inserted with the study that it is made for. */
  readonly wrapped?: Awaited<ReturnType<Archive['keyring']['make']>>['wrapped']
}

/** One a study: the one that it has, or a new one. */
export async function keysFor(
  { database, keyring }: Archive,
  studies: Iterable<string>,
): Promise<Map<string, StudyKey>> {
  const uids = new Set(studies)
  const keys = new Map<string, StudyKey>()
  if (uids.size === 0) return keys
  const known = await database.kysely
    .selectFrom('studies')
    .innerJoin('data_keys', 'data_keys.id', 'studies.key_id')
    .select(['study_uid', 'key_id'])
    .where('study_uid', 'in', [...uids])
    .where('data_keys.destroyed_at', 'is', null)
    .execute()
  for (const { study_uid, key_id } of known) {
    const keyId = key_id as KeyId
    keys.set(study_uid, { keyId, dataKey: await keyring.get(keyId) })
  }
  for (const uid of uids) if (!keys.has(uid)) keys.set(uid, await keyring.make())
  return keys
}

export type Committing = {
  readonly facts: readonly InstanceFacts[]
  readonly keys: ReadonlyMap<string, StudyKey>
  /** In the order of the facts. */
  readonly senders: readonly Sender[]
  readonly receivedAt: Date
}

export async function commit(archive: Archive, { facts, keys, senders, receivedAt }: Committing) {
  return await transact(archive.database.kysely, async (tx) => {
    await assertAlive(tx, keys)
    for (const { keyId, wrapped } of keys.values()) if (wrapped) await keyRows(tx).insert(keyId, wrapped)
    const inserted = await insertInstances(tx, archive.columns, facts)
    const stories = inserted.flatMap(({ outcome }, place) => {
      const sender = senders[place]
      return sender ? [{ outcome, uid: facts[place]?.study.uid ?? '', sender }] : []
    })
    await appendEvents(tx, eventsOf(stories), receivedAt)
    return inserted
  })
}

/** Held until the rows that name them are there: what is encrypted under a key that was destroyed is lost. */
async function assertAlive(tx: Tx, keys: ReadonlyMap<string, StudyKey>): Promise<void> {
  const known = [...keys.values()].filter(({ wrapped }) => wrapped === undefined).map(({ keyId }) => keyId)
  if (known.length === 0) return
  const rows = await tx
    .selectFrom('data_keys')
    .select('id')
    .where('id', 'in', known)
    .where('destroyed_at', 'is', null)
    .orderBy('id')
    .forShare()
    .execute()
  if (rows.length < new Set(known).size) throw new KeyGone()
}

/** A study was destroyed between the look at its key and the commit. */
export class KeyGone extends Error {
  constructor() {
    super('the study was destroyed while its instances arrived: send them again')
    this.name = 'KeyGone'
  }
}

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
