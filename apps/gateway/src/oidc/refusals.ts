// Refusals of tokens, in the ledger: the first of a kind at once, those that follow within a while as one entry with their
// number, so that who floods a door does not flood the ledger.

import { type Db, transact } from '../db/database.ts'
import { appendEvents } from '../ledger/append.ts'

export type Refusal = { readonly error: string; readonly client?: string; readonly address: string }
export type Refusals = {
  readonly note: (refusal: Refusal) => void
  /** What was counted and not yet written. */
  readonly flush: () => Promise<void>
}

const WINDOW_MS = 10_000
/** Kinds that are told apart; what comes beyond is one kind. */
const MAX_KINDS = 500
const MAX_TEXT = 120

type Counted = Refusal & { count: number; since: number }

export function openRefusals(db: Db): Refusals {
  const kinds = new Map<string, Counted>()
  const writing = new Set<Promise<void>>()

  function write(refusal: Refusal, count: number): void {
    const done = record(db, refusal, count)
      // A refusal stands, whether or not it could be written; the gateway says so elsewhere when the ledger fails.
      .catch(() => undefined)
      .finally(() => writing.delete(done))
    writing.add(done)
  }

  function sweep(now: number): void {
    for (const [key, kind] of kinds) {
      if (now - kind.since < WINDOW_MS) continue
      kinds.delete(key)
      if (kind.count > 0) write(kind, kind.count)
    }
  }

  return {
    note: (refusal) => {
      const now = Date.now()
      sweep(now)
      const key = kinds.size < MAX_KINDS ? `${refusal.address} ${refusal.client ?? ''} ${refusal.error}` : ''
      const kind = kinds.get(key)
      if (kind) kind.count++
      else {
        kinds.set(key, { ...refusal, count: 0, since: now })
        write(refusal, 1)
      }
    },
    flush: async () => {
      sweep(Number.POSITIVE_INFINITY)
      await Promise.all(writing)
    },
  }
}

async function record(db: Db, { error, client, address }: Refusal, count: number): Promise<void> {
  const event = {
    event: 'access-denied',
    action: 'E',
    outcome: 'minor',
    actor: { kind: 'service', id: printable(client ?? 'unknown'), address },
    objects: [],
    detail: { error: printable(error), count },
  } as const
  await transact(db, (tx) => appendEvents(tx, [event], new Date()))
}

function printable(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, MAX_TEXT)
}
