// Who signs the ledger: a seed of the installation, wrapped by its custodian like every key.

import type { Signer } from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import type { Custodians } from '../keys/custody.ts'
import { installationKey } from '../keys/installation.ts'
import { openSigner } from './checkpoint.ts'

/** Its public key is what auditors are given. */
export async function ledgerSigner(db: Db, custodians: Custodians): Promise<Signer> {
  return await withLedgerSeed(db, custodians, (seed) => openSigner(db, seed))
}

/** The seed is wiped when `use` has ended. */
export async function withLedgerSeed<T>(
  db: Db,
  custodians: Custodians,
  use: (seed: Buffer) => T | Promise<T>,
): Promise<T> {
  const { key: seed } = await installationKey(db, custodians, 'ledger')
  try {
    return await use(seed)
  } finally {
    seed.fill(0)
  }
}
