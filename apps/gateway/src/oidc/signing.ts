// The keys that tokens are signed with: ES256, sealed in the database, replaced every 90 days.
//
//   newest ─► signs        older, until nothing that they signed is valid ─► only checked with ─► gone
//
// Invariant: of what a check accepts, the algorithm is fixed here, never read from a token (RFC 8725 3.1).

import { randomBytes } from 'node:crypto'
import { exportJWK, generateKeyPair, type JWK } from 'jose'
import { sql } from 'kysely'
import type { Columns } from '../archive/index/columns.ts'
import { type Db, type Tx, transact } from '../db/database.ts'
import { appendEvents } from '../ledger/append.ts'

export const ALGORITHM = 'ES256'
export type SigningKey = { readonly kid: string; readonly jwk: JWK; readonly madeAt: Date }
export type SigningStore = { readonly db: Db; readonly columns: Columns }

const DAY_MS = 24 * 3_600_000
const LASTS_MS = 90 * DAY_MS
/** Longer than any token is valid. */
const OVERLAP_MS = DAY_MS
const KID_BYTES = 12
/** 'RGsignin': of several that start at once, one makes the key. */
const LOCK = sql.lit(0x5247_7369)

function cell(kid: string) {
  return { table: 'signing_keys', column: 'secret', row: kid } as const
}

/** Newest first; the first one signs. Makes one where there is none, or where the newest is old. */
export async function signingKeys(
  { db, columns }: SigningStore,
  at = new Date(),
): Promise<readonly SigningKey[]> {
  const keys = await all(db, columns)
  const newest = keys[0]
  if (newest && at.getTime() - newest.madeAt.getTime() < LASTS_MS) return keys
  return await rotateSigningKey({ db, columns }, { at, ifOlderThan: newest?.madeAt ?? at })
}

async function all(db: Db | Tx, columns: Columns): Promise<readonly SigningKey[]> {
  const rows = await db.selectFrom('signing_keys').selectAll().orderBy('made_at', 'desc').execute()
  return rows.map(({ kid, secret_cipher, made_at }) => ({
    kid,
    jwk: { ...(JSON.parse(columns.open(cell(kid), secret_cipher)) as JWK), kid, use: 'sig', alg: ALGORITHM },
    madeAt: made_at,
  }))
}

export type Rotation = {
  readonly at: Date
  readonly by?: string
  /** Somebody else may have been faster. */
  readonly ifOlderThan?: Date
}

/** What the key of before signed stays good until it expires. */
export async function rotateSigningKey(
  { db, columns }: SigningStore,
  { at, by, ifOlderThan }: Rotation,
): Promise<readonly SigningKey[]> {
  const { privateKey } = await generateKeyPair(ALGORITHM, { extractable: true })
  const secret = JSON.stringify(await exportJWK(privateKey))
  const kid = randomBytes(KID_BYTES).toString('base64url')
  await transact(db, async (tx) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx)
    const [newest] = await all(tx, columns)
    if (ifOlderThan && newest && newest.madeAt > ifOlderThan) return
    await tx
      .deleteFrom('signing_keys')
      .where('made_at', '<', new Date(at.getTime() - LASTS_MS - OVERLAP_MS))
      .execute()
    const row = { kid, secret_cipher: columns.seal(cell(kid), secret), made_at: at }
    await tx.insertInto('signing_keys').values(row).execute()
    const event = {
      event: newest ? 'key-rotated' : 'key-created',
      action: 'E',
      outcome: 'success',
      actor: { kind: by === undefined ? 'system' : 'person', id: by ?? 'gateway' },
      objects: [{ kind: 'key', id: kid }],
      detail: { key: kid, rule: 'signing' },
    } as const
    await appendEvents(tx, [event], at)
  })
  return await all(db, columns)
}

/** After a theft: nothing that was signed before is believed any more. */
export async function dropSigningKeys({ db, columns }: SigningStore, by: string): Promise<void> {
  const [newest] = await rotateSigningKey({ db, columns }, { at: new Date(), by })
  if (newest) await db.deleteFrom('signing_keys').where('kid', '<>', newest.kid).execute()
}
