// Instances into an archive, for tests that are about something else.

import type { Archive } from '../../apps/gateway/src/archive/archive.ts'
import type { Outcome, Sender } from '../../apps/gateway/src/archive/ingest/commit.ts'
import { ingest } from '../../apps/gateway/src/archive/ingest/ingest.ts'

export const SENDER: Sender = { kind: 'system', id: 'test' }

export function ingestAll(archive: Archive, files: readonly Uint8Array[]): Promise<readonly Outcome[]> {
  return ingest(
    archive,
    files.map((bytes) => ({ bytes, sender: SENDER })),
  )
}
