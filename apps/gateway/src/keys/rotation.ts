// All data keys of an installation wrapped anew by its custodian's newest key, whatever they are for. No blob is touched.

import type { Db } from '../db/database.ts'
import type { Custodians } from './custody.ts'
import { openKeyring, type Rewrapped } from './keyring.ts'
import { keyRows, PURPOSES } from './rows.ts'

/** Safe to repeat after an interruption, and beside whatever reads and writes. */
export async function rewrapEverything(db: Db, custodians: Custodians): Promise<Rewrapped> {
  const sum = { rewrapped: 0, current: 0, gone: 0 }
  for (const purpose of PURPOSES) {
    await using ring = openKeyring({ table: keyRows(db, purpose), providers: custodians })
    const { rewrapped, current, gone } = await ring.rewrapAll(custodians[0])
    sum.rewrapped += rewrapped
    sum.current += current
    sum.gone += gone
  }
  return sum
}
