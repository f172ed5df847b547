// Reviews of access (45 CFR 164.308(a)(4)(ii)(C)):  every role that counts ─► when it was last used ─► keep or revoke ─► closed
//
// A role that nobody used for 90 days is proposed for revocation. What is revoked counts no more from that moment on. A
// review is not closed while a role waits for a decision, and there is one at a time.

import { sql } from 'kysely'
import { uuid7 } from '../archive/index/uuid.ts'
import { type Db, type Tx, transact } from '../db/database.ts'
import { appendEvents } from '../ledger/append.ts'
import { PolicyError } from './errors.ts'
import { revokeIn } from './grants.ts'

export const DORMANT_DAYS = 90

export type Item = {
  readonly grant: string
  readonly holder: string
  /** Who answers for the holder's roles; undefined: the officers. */
  readonly manager: string | undefined
  readonly role: string
  readonly lastUsed: Date | undefined
  readonly proposal: 'keep' | 'revoke'
  readonly decision: 'keep' | 'revoke' | undefined
  readonly decidedBy: string | undefined
}

/** The id. @throws PolicyError EXISTS where one is open */
export async function startReview(db: Db, by: string): Promise<string> {
  const id = uuid7(Date.now())
  await transact(db, async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('access_reviews')
      .values({ id, started_by: by })
      .onConflict((on) => on.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows === 0n) throw new PolicyError('EXISTS', 'a review is open: close it first')
    await sql`
      insert into access_review_items (review_id, grant_id, last_used_at, proposal)
      select ${id}::uuid, id, last_used_at,
        case when coalesce(last_used_at, decided_at) < now() - make_interval(days => ${DORMANT_DAYS})
          then 'revoke' else 'keep' end
      from grants where state = 'granted' and (until is null or until > now())`.execute(tx)
    await told(tx, { id, by, status: 'started' })
  })
  return id
}

async function told(
  tx: Tx,
  { id, by, status }: { readonly id: string; readonly by: string; readonly status: string },
): Promise<void> {
  const event = {
    event: 'policy-changed',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [{ kind: 'record', id }],
    detail: { item: 'access review', status },
  } as const
  await appendEvents(tx, [event], new Date())
}

/** The one that is open. @throws PolicyError NO_GRANT */
async function openReview(db: Db): Promise<string> {
  const row = await db
    .selectFrom('access_reviews')
    .select('id')
    .where('closed_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) throw new PolicyError('NO_GRANT', 'no review is open')
  return row.id
}

/** Of the one that is open. @throws PolicyError NO_GRANT */
export async function reviewItems(db: Db): Promise<readonly Item[]> {
  const rows = await db
    .selectFrom('access_review_items as i')
    .innerJoin('grants as g', 'g.id', 'i.grant_id')
    .leftJoin('people as p', 'p.id', 'g.holder')
    .select(['g.id', 'holder', 'role', 'i.last_used_at', 'proposal', 'decision', 'i.decided_by', 'p.manager'])
    .where('review_id', '=', await openReview(db))
    .orderBy('holder')
    .orderBy('g.id')
    .execute()
  return rows.map(({ id, holder, manager, role, last_used_at, proposal, decision, decided_by }) => ({
    grant: id,
    holder,
    manager: manager ?? undefined,
    role,
    lastUsed: last_used_at ?? undefined,
    proposal,
    decision: decision ?? undefined,
    decidedBy: decided_by ?? undefined,
  }))
}

export type ItemDecision = {
  readonly by: string
  readonly decision: 'keep' | 'revoke'
  /** Who is known to be who they say decides as the holder's manager, or as an officer where there is none. */
  readonly as?: 'manager' | 'officer'
}

/** @throws PolicyError NO_GRANT, OWN_REQUEST, DENIED */
export async function decideItem(db: Db, grant: string, { by, decision, as }: ItemDecision): Promise<void> {
  const review = await openReview(db)
  await transact(db, async (tx) => {
    const item = await tx
      .selectFrom('access_review_items as i')
      .innerJoin('grants as g', 'g.id', 'i.grant_id')
      .leftJoin('people as p', 'p.id', 'g.holder')
      .select(['holder', 'g.state', 'decision', 'manager'])
      .where('review_id', '=', review)
      .where('grant_id', '=', grant)
      .forUpdate(['i', 'g'])
      .executeTakeFirst()
    if (item === undefined || item.decision !== null)
      throw new PolicyError('NO_GRANT', 'no such role waits for a decision in this review')
    if (item.holder === by) throw new PolicyError('OWN_REQUEST', 'nobody decides on a role of their own')
    const isTheirs = item.manager === by || (item.manager === null && as === 'officer')
    if (as !== undefined && !isTheirs)
      throw new PolicyError('DENIED', 'their manager decides on this, or an officer where there is none')
    await tx
      .updateTable('access_review_items')
      .set({ decision, decided_by: by, decided_at: new Date() })
      .where('review_id', '=', review)
      .where('grant_id', '=', grant)
      .execute()
    if (decision === 'revoke' && item.state === 'granted') await revokeIn(tx, grant, by)
    else await told(tx, { id: review, by, status: 'kept' })
  })
}

/** @throws PolicyError NO_GRANT, UNDECIDED */
export async function closeReview(db: Db, by: string): Promise<void> {
  const waiting = (await reviewItems(db)).filter(({ decision }) => decision === undefined).length
  if (waiting > 0) throw new PolicyError('UNDECIDED', `${waiting} of its roles wait for a decision`)
  const id = await openReview(db)
  await transact(db, async (tx) => {
    await tx
      .updateTable('access_reviews')
      .set({ closed_by: by, closed_at: new Date() })
      .where('id', '=', id)
      .execute()
    await told(tx, { id, by, status: 'closed' })
  })
}
