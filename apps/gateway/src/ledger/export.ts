// The ledger as files, for who judges it elsewhere with roentgate-audit-verify:
//
//   FILE              the entries, one a line (docs/formats/audit.md)
//   FILE.checkpoints  our own checkpoints; those of the witnesses are asked of the witnesses
//   FILE.keys         the verifier keys, as we say: to be compared with those that were noted down at the start

import { formatVerifierKey } from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import { openAtomic, PRIVATE_FILE, writeAtomic } from '../pipeline/atomic.ts'
import { originOf, ownCheckpoints, ownKeys } from './checkpoint.ts'
import { auditEventsFor } from './fhir.ts'
import { entries } from './read.ts'

export type Exported = { readonly entries: number; readonly checkpoints: number }

/** The checkpoints are read first: a ledger that grows meanwhile has a tail that they do not cover. */
export async function exportLedger(db: Db, path: string): Promise<Exported> {
  const checkpoints = await ownCheckpoints(db)
  const keys = await ownKeys(db)
  let count = 0
  using file = openAtomic(path, PRIVATE_FILE)
  for await (const line of entries(db)) {
    file.write(`${line}\n`)
    count++
  }
  writeAtomic(`${path}.checkpoints`, checkpoints.join(''), PRIVATE_FILE)
  writeAtomic(`${path}.keys`, keys.map((key) => `${formatVerifierKey(key)}\n`).join(''), PRIVATE_FILE)
  file.commit()
  return { entries: count, checkpoints: checkpoints.length }
}

/** FHIR R4 AuditEvents, one a line (ndjson). */
export async function exportFhir(db: Db, path: string): Promise<number> {
  const ledger = await originOf(db)
  const context = { source: { id: ledger }, application: { id: 'roentgate' }, ledger }
  using file = openAtomic(path, PRIVATE_FILE)
  let count = 0
  for await (const event of auditEventsFor(db, {}, context)) {
    file.write(`${JSON.stringify(event)}\n`)
    count++
  }
  file.commit()
  return count
}
