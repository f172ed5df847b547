// What waits for a sink besides the ledger's entries, which need no copy: checkpoints, as finished messages.

import type { Db } from '../db/database.ts'

/** Some months of checkpoints for a collector that is away. Beyond it the oldest go: a later one vouches for more. */
const MAX_SPOOLED = 100_000

export type Letter = { readonly id: number; readonly payload: Buffer }

export async function enqueue(db: Db, sink: string, payload: Buffer): Promise<void> {
  const { id } = await db
    .insertInto('spool')
    .values({ sink, payload })
    .returning('id')
    .executeTakeFirstOrThrow()
  const isTimeToLook = id % 1000 === 0
  if (!isTimeToLook) return
  const kept = db
    .selectFrom('spool')
    .select('id')
    .where('sink', '=', sink)
    .orderBy('id', 'desc')
    .limit(1)
    .offset(MAX_SPOOLED)
  await db.deleteFrom('spool').where('sink', '=', sink).where('id', '<=', kept).execute()
}

/** In the order in which they were put there. */
export async function spooled(db: Db, sink: string, page: Page): Promise<readonly Letter[]> {
  return await db
    .selectFrom('spool')
    .select(['id', 'payload'])
    .where('sink', '=', sink)
    .where('id', '>', page.after)
    .orderBy('id')
    .limit(page.limit)
    .execute()
}

type Page = { readonly after: number; readonly limit: number }

/** Those up to `id` have arrived. */
export async function delivered(db: Db, sink: string, id: number): Promise<void> {
  await db.deleteFrom('spool').where('sink', '=', sink).where('id', '<=', id).execute()
}
