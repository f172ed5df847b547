// What the OpenID provider keeps, in PostgreSQL (the adapter of oidc-provider): sessions, codes, tokens, by the hash of their
// value, with a sealed payload. Who reads the database has no token, and sees of none whose it is.
//
// Invariants: a code and a refresh token are consumed once, also when two come at the same moment; what has expired is not
// found.

import { createHash } from 'node:crypto'
import { type Adapter, type AdapterPayload, errors } from 'oidc-provider'
import type { Columns } from '../archive/index/columns.ts'
import type { Db } from '../db/database.ts'
import { type Client, clientOf } from './clients.ts'
import { revokeConsent } from './consents.ts'
import { metadataOf } from './metadata.ts'

export type RecordStore = { readonly db: Db; readonly columns: Columns }

/** Proofs that were seen: one of them is not seen again (RFC 9449 11.1). */
const ONCE = 'ReplayDetection'
/** They are never looked for once they have expired; a little later they go. */
const SWEEP_MS = 60_000

/** Of what has no end of its own. */
const LONGEST_S = 12 * 3600

type Kept = { readonly payload_cipher: Buffer; readonly hash: Buffer; readonly consumed_at: Date | null }

export function recordsOf(store: RecordStore): (model: string) => Adapter {
  const sweep = { at: 0 }
  return (model) => (model === 'Client' ? clients(store.db) : records({ ...store, sweep }, model))
}

function hashOf(id: string): Buffer {
  return createHash('sha256').update(id, 'utf8').digest()
}

/** Registered by people (clients.ts), never over the network. */
function clients(db: Db): Adapter {
  const none = async (): Promise<undefined> => undefined
  return {
    find: async (id) => {
      const client: Client | undefined = await clientOf(db, id)
      return client && metadataOf(client)
    },
    findByUid: none,
    findByUserCode: none,
    upsert: none,
    consume: none,
    destroy: none,
    revokeByGrantId: none,
  }
}

function records(
  { db, columns, sweep }: RecordStore & { readonly sweep: { at: number } },
  model: string,
): Adapter {
  const cell = (hash: Buffer) =>
    ({ table: 'oidc_records', column: 'payload', row: `${model} ${hash.toString('hex')}` }) as const
  const opened = (row: Kept | undefined): AdapterPayload | undefined =>
    row && {
      ...(JSON.parse(columns.open(cell(row.hash), row.payload_cipher)) as AdapterPayload),
      ...(row.consumed_at ? { consumed: Math.floor(row.consumed_at.getTime() / 1000) } : {}),
    }
  const live = () =>
    db
      .selectFrom('oidc_records')
      .select(['hash', 'payload_cipher', 'consumed_at'])
      .where('model', '=', model)
      .where('expires_at', '>', new Date())
  return {
    find: async (id) => opened(await live().where('hash', '=', hashOf(id)).executeTakeFirst()),
    findByUid: async (uid) => opened(await live().where('uid', '=', uid).executeTakeFirst()),
    findByUserCode: async () => undefined,
    upsert: async (id, payload, expiresIn) => {
      const hash = hashOf(id)
      const row = {
        payload_cipher: columns.seal(cell(hash), JSON.stringify(payload)),
        grant_id: payload.grantId ?? null,
        uid: payload.uid ?? null,
        expires_at: new Date(Date.now() + (expiresIn ?? LONGEST_S) * 1000),
      }
      const insert = db.insertInto('oidc_records').values({ model, hash, ...row })
      const { numInsertedOrUpdatedRows } = await insert
        .onConflict((on) =>
          model === ONCE ? on.doNothing() : on.columns(['model', 'hash']).doUpdateSet(row),
        )
        .executeTakeFirst()
      if (numInsertedOrUpdatedRows === 0n) throw new errors.InvalidGrant('it was used already')
      await swept(db, sweep)
    },
    consume: async (id) => {
      const row = await db
        .selectFrom('oidc_records')
        .select('grant_id')
        .where('model', '=', model)
        .where('hash', '=', hashOf(id))
        .executeTakeFirst()
      const { numUpdatedRows } = await db
        .updateTable('oidc_records')
        .set({ consumed_at: new Date() })
        .where('model', '=', model)
        .where('hash', '=', hashOf(id))
        .where('consumed_at', 'is', null)
        .executeTakeFirst()
      if (numUpdatedRows > 0n) return
      if (row?.grant_id) await revokeConsent(db, row.grant_id)
      throw new errors.InvalidGrant('it was used already')
    },
    destroy: async (id) => {
      await db.deleteFrom('oidc_records').where('model', '=', model).where('hash', '=', hashOf(id)).execute()
    },
    revokeByGrantId: async (grantId) => {
      await db.deleteFrom('oidc_records').where('model', '=', model).where('grant_id', '=', grantId).execute()
      await revokeConsent(db, grantId)
    },
  }
}

async function swept(db: Db, sweep: { at: number }): Promise<void> {
  if (Date.now() - sweep.at < SWEEP_MS) return
  sweep.at = Date.now()
  await db.deleteFrom('oidc_records').where('expires_at', '<', new Date()).execute()
}
