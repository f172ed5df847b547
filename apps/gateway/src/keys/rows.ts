// The keyring's table over the rows of the database.

import type { KeyId } from '../archive/ids.ts'
import { keyTable } from '../archive/index/key-table.ts'
import type { Db } from '../db/database.ts'
import { CustodyError } from './errors.ts'
import type { KeyTable } from './key-table.ts'
import { parseWrapped, wrappedText } from './provider.ts'

/** What a data key encrypts: a study's blobs, the identifying columns, the seed of the ledger's signatures,
 * a dump of the database, the keys of
 * the certificate authority. */
export const PURPOSES = ['study', 'index', 'ledger', 'backup', 'ca'] as const
export type Purpose = (typeof PURPOSES)[number]

/** `db` may be a transaction: then the key is there when the rows that name it are. */
export function keyRows(db: Db, purpose: Purpose = 'study'): KeyTable {
  const rows = keyTable(db, purpose)
  return {
    load: async (id) => {
      const text = await rows.load(id)
      return text === undefined ? undefined : parseWrapped(text)
    },
    insert: (id, wrapped) => rows.insert(id, wrappedText(wrapped)),
    update: async (id, wrapped) => {
      if ((await rows.load(id)) === undefined) throw new CustodyError('NOT_FOUND', 'a key that was destroyed')
      await rows.update(id, wrappedText(wrapped))
    },
    remove: async (id) => {
      const there = (await rows.load(id)) !== undefined
      if (there) await rows.remove(id)
      return there
    },
    list: () => ids(rows.list()),
  }
}

async function* ids(rows: AsyncIterable<{ readonly id: string }>): AsyncGenerator<KeyId> {
  for await (const { id } of rows) yield id as KeyId
}
