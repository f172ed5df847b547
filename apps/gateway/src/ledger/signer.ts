// Who signs the ledger: a seed of the installation, wrapped by its custodian like every key.

import type { Signer } from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import { installationKey } from '../keys/installation.ts'
import type { KeyProvider } from '../keys/provider.ts'
import { openSigner } from './checkpoint.ts'

/** Its public key is what auditors are given. */
export async function ledgerSigner(db: Db, provider: KeyProvider): Promise<Signer> {
  return await withLedgerSeed(db, provider, (seed) => openSigner(db, seed))
}

/** The seed is wiped when `use` has ended. */
export async function withLedgerSeed<T>(
  db: Db,
  provider: KeyProvider,
  use: (seed: Buffer) => T | Promise<T>,
): Promise<T> {
  const { key: seed } = await installationKey(db, provider, 'ledger')
  try {
    return await use(seed)
  } finally {
    seed.fill(0)
  }
}
