// A witness that is a syslog collector: the checkpoint is spooled for the sink and goes out among the entries. What the
// collector holds is read from its own file, by whoever has it (checkpointsInSyslog).

import { checkpointFrame, type SyslogHeader } from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import type { NamedWitness } from './checkpoint.ts'
import { enqueue } from './spool.ts'

export type SyslogWitness = {
  readonly db: Db
  /** As of the projection that sends it. */
  readonly sink: string
  readonly header: Omit<SyslogHeader, 'at' | 'messageId'>
}

export function syslogWitness({ db, sink, header }: SyslogWitness): NamedWitness {
  return {
    name: `syslog ${sink}`,
    publish: (text) => enqueue(db, sink, checkpointFrame(text, { ...header, at: new Date().toISOString() })),
    read: () => Promise.resolve([]),
  }
}
