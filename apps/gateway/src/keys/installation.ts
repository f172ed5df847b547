// The keys that an installation has one of: its index key, its ledger's seed. Rows of the database like others, wrapped by
// the custodian.

import type { KeyId } from '../archive/ids.ts'
import type { Db } from '../db/database.ts'
import type { Custodians } from './custody.ts'
import { openKeyring } from './keyring.ts'
import { keyRows } from './rows.ts'

/** Made by the first who asks; two at once agree on the older one. The key is the caller's, who wipes it. */
export async function installationKey(
  db: Db,
  custodians: Custodians,
  purpose: 'index' | 'ledger' | 'ca',
): Promise<{ readonly id: KeyId; readonly key: Buffer }> {
  await using ring = openKeyring({ table: keyRows(db, purpose), providers: custodians })
  const rows = db
    .selectFrom('data_keys')
    .select('id')
    .where('purpose', '=', purpose)
    .orderBy('created_at')
    .orderBy('id')
  if ((await rows.executeTakeFirst()) === undefined) await ring.create()
  const id = (await rows.executeTakeFirstOrThrow()).id as KeyId
  return { id, key: await ring.get(id) }
}
