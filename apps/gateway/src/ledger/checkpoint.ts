// What the ledger was, signed, and given to whoever is out of reach of those who keep it.
//
//   head ─sign→ checkpoint ─→ the table beside the ledger, and every witness
//
// The signing key is a data key like others, wrapped by the custodian. A witness is a file somewhere else: another disk,
// another machine's mount, a printer's spool. The table's own copy vouches for nothing; it tells an old copy from a cut.

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import {
  openCheckpoint,
  parseFrontier,
  root,
  type Signer,
  seedSigner,
  signCheckpoint,
  splitCheckpoints,
  type Witness,
} from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import { installationKey } from '../keys/installation.ts'
import type { KeyProvider } from '../keys/provider.ts'

/** Of the installation: its name says which, its public key is what auditors are given. */
export async function ledgerSigner(db: Db, provider: KeyProvider): Promise<Signer> {
  return await withLedgerSeed(db, provider, (name, seed) => seedSigner(name, seed))
}

/** The seed is wiped when `use` has returned. */
export async function withLedgerSeed<T>(
  db: Db,
  provider: KeyProvider,
  use: (name: string, seed: Buffer) => T,
): Promise<T> {
  const { id, key: seed } = await installationKey(db, provider, 'ledger')
  try {
    return use(`roentgate/${id}`, seed)
  } finally {
    seed.fill(0)
  }
}

/** Its size; undefined where nothing was appended since the last one. */
export async function publishCheckpoint(
  db: Db,
  signer: Signer,
  witnesses: readonly Witness[],
): Promise<number | undefined> {
  const head = await db.selectFrom('ledger_head').selectAll().executeTakeFirstOrThrow()
  if (head.size === 0) return undefined
  const last = await db
    .selectFrom('checkpoints')
    .select('size')
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst()
  const known = last?.size === head.size
  const time = new Date().toISOString()
  const note = signCheckpoint(
    { origin: signer.key.name, size: head.size, root: root(parseFrontier(head.frontier)), time },
    signer,
  )
  if (!known) {
    await db
      .insertInto('checkpoints')
      .values({ size: head.size, text: note })
      .onConflict((on) => on.doNothing())
      .execute()
  }
  for (const witness of witnesses) {
    const seen = await witness.read()
    const newest = seen.at(-1)
    if (newest === undefined || openCheckpoint(newest, [signer.key]).size !== head.size)
      await witness.publish(note)
  }
  return known ? undefined : head.size
}

/** Only ever appended to, and synced. */
export function fileWitness(path: string): Witness {
  return {
    publish: async (text) => {
      const fd = openSync(path, 'a', 0o600)
      try {
        writeSync(fd, text)
        fsyncSync(fd)
      } finally {
        closeSync(fd)
      }
    },
    read: async () => (existsSync(path) ? [...splitCheckpoints(readFileSync(path, 'utf8'))] : []),
  }
}
