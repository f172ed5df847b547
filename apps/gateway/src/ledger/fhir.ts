// The ledger's entries as FHIR R4 AuditEvents.

import { type Context, type FhirAuditEvent, fhirAuditEvent, parseEntry } from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import { entries, type Range } from './read.ts'

export async function* auditEventsFor(db: Db, range: Range, context: Context): AsyncIterable<FhirAuditEvent> {
  for await (const line of entries(db, range)) yield fhirAuditEvent(parseEntry(line), context)
}
