// Wrapped data keys in the database. A destroyed key leaves its row, without the key: what it was for, and when it went.

import type { Db } from '../../db/database.ts'

export type WrappedKey = { readonly id: string; readonly wrapped: string }

export type KeyTable = {
  readonly load: (id: string) => Promise<string | undefined>
  readonly insert: (id: string, wrapped: string) => Promise<void>
  readonly update: (id: string, wrapped: string) => Promise<void>
  readonly remove: (id: string) => Promise<void>
  readonly list: () => AsyncIterable<WrappedKey>
}

/** Rows at a time, so that re-wrapping a million keys holds a few. */
const PAGE = 1000

/** `db` may be a transaction: then the key is there when the rows that name it are. */
export function keyTable(db: Db, purpose = 'study'): KeyTable {
  return {
    load: async (id) => {
      const row = await db.selectFrom('data_keys').select('wrapped').where('id', '=', id).executeTakeFirst()
      return row?.wrapped ?? undefined
    },
    insert: async (id, wrapped) => {
      await db.insertInto('data_keys').values({ id, purpose, wrapped }).execute()
    },
    update: async (id, wrapped) => {
      await db
        .updateTable('data_keys')
        .set({ wrapped })
        .where('id', '=', id)
        .where('destroyed_at', 'is', null)
        .execute()
    },
    remove: async (id) => {
      const gone = { wrapped: null, destroyed_at: new Date() }
      await db
        .updateTable('data_keys')
        .set(gone)
        .where('id', '=', id)
        .where('destroyed_at', 'is', null)
        .execute()
    },
    list: () => list(db, purpose),
  }
}

async function* list(db: Db, purpose: string): AsyncGenerator<WrappedKey> {
  let after: string | undefined
  for (;;) {
    let query = db.selectFrom('data_keys').select(['id', 'wrapped']).where('purpose', '=', purpose)
    query = query.where('destroyed_at', 'is', null).orderBy('id').limit(PAGE)
    const rows = await (after === undefined ? query : query.where('id', '>', after)).execute()
    for (const { id, wrapped } of rows) if (wrapped !== null) yield { id, wrapped }
    after = rows.at(-1)?.id
    if (rows.length < PAGE || after === undefined) return
  }
}
