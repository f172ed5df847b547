// Events for the tests and the benchmark, by number.

import type { Db } from '../db/database.ts'
import { transact } from '../db/database.ts'
import { type Appended, appendEvents, type NewEvent } from './append.ts'

export const START = new Date('2026-03-01T08:00:00.000Z')
const MINUTE = 60_000

export function eventOf(n: number, change: Partial<NewEvent> = {}): NewEvent {
  return {
    event: 'instances-transferred',
    action: 'C',
    outcome: 'success',
    actor: { kind: 'node', id: 'CT_ER', address: '10.0.0.7' },
    objects: [{ kind: 'study', id: `2.25.${1000 + n}`, count: 1 }],
    detail: { aet: 'CT_ER', 'transfer-syntax': '1.2.840.10008.1.2.1' },
    ...change,
  }
}

/** As many entries more, in batches, each a minute after the one before. */
export async function grow(db: Db, count: number, batch = 500): Promise<Appended> {
  let last: Appended = { first: 0, size: 0 }
  for (let done = 0; done < count; done += batch) {
    const events = Array.from({ length: Math.min(batch, count - done) }, (_, i) => eventOf(done + i))
    const at = new Date(START.getTime() + done * MINUTE)
    last = await transact(db, (tx) => appendEvents(tx, events, at))
  }
  return last
}
