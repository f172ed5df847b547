// How far a sink has come, in the database: the index that it gets next, and which gateway sends to it now.
//
// A gateway holds a sink for a while and renews that while it sends; one that was killed loses it by doing nothing.

import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'

export type Cursor = {
  /** The next index, if the sink is ours now. */
  readonly take: () => Promise<number | undefined>
  /** False: it is another's by now. */
  readonly advance: (next: number) => Promise<boolean>
  readonly release: () => Promise<void>
}

const HELD_SECONDS = 30
export const RENEW_MS = 10_000

/** `first`: where a sink begins that is new; later it has no effect. */
export function openCursor(db: Db, sink: string, first: number): Cursor {
  const holder = randomUUID()
  const until = sql<Date>`now() + make_interval(secs => ${HELD_SECONDS})`
  return {
    take: async () => {
      await db
        .insertInto('ledger_cursors')
        .values({ sink, next: first })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
      const row = await db
        .updateTable('ledger_cursors')
        .set({ holder, held_until: until })
        .where('sink', '=', sink)
        .where((all) =>
          all.or([
            all('holder', 'is', null),
            all('holder', '=', holder),
            all('held_until', '<', sql<Date>`now()`),
          ]),
        )
        .returning('next')
        .executeTakeFirst()
      return row?.next
    },
    advance: async (next) => {
      const { numUpdatedRows } = await db
        .updateTable('ledger_cursors')
        .set({ next, held_until: until })
        .where('sink', '=', sink)
        .where('holder', '=', holder)
        .executeTakeFirst()
      return numUpdatedRows > 0n
    },
    release: async () => {
      await db
        .updateTable('ledger_cursors')
        .set({ holder: null, held_until: null })
        .where('sink', '=', sink)
        .where('holder', '=', holder)
        .execute()
    },
  }
}
