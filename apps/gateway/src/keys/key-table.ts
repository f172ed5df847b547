// Where wrapped data keys are kept: rows of the index, or, for tests, a map.

import type { KeyId } from '../archive/ids.ts'
import { CustodyError } from './errors.ts'
import type { Wrapped } from './provider.ts'

export type KeyTable = {
  /** Undefined where there is none: never made, or destroyed. */
  readonly load: (id: KeyId) => Promise<Wrapped | undefined>
  /** EXISTS where the id is taken. */
  readonly insert: (id: KeyId, wrapped: Wrapped) => Promise<void>
  /** NOT_FOUND where there is none: a key that was destroyed meanwhile must not come back. */
  readonly update: (id: KeyId, wrapped: Wrapped) => Promise<void>
  /** Of the live row, durably; says whether there was one. */
  readonly remove: (id: KeyId) => Promise<boolean>
  readonly list: () => AsyncIterable<KeyId>
}

export function memoryKeyTable(): KeyTable {
  const rows = new Map<KeyId, Wrapped>()
  return {
    load: async (id) => rows.get(id),
    insert: async (id, wrapped) => {
      if (rows.has(id)) throw new CustodyError('EXISTS', 'the id of a key is taken')
      rows.set(id, wrapped)
    },
    update: async (id, wrapped) => {
      if (!rows.has(id)) throw new CustodyError('NOT_FOUND', 'no such key')
      rows.set(id, wrapped)
    },
    remove: async (id) => rows.delete(id),
    list: async function* () {
      yield* [...rows.keys()]
    },
  }
}
