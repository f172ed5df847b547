// When checkpoints are published: after so many entries or so much time, whichever comes first, and when we stop.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Signer } from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import { type NamedWitness, type Published, publishCheckpoint, unsigned } from './checkpoint.ts'

export type CheckpointEvent =
  | { readonly kind: 'published'; readonly size: number }
  | { readonly kind: 'witness-failed'; readonly witness: string; readonly error: unknown }
  /** Nothing was signed: the database is away, or the ledger is not what it was. */
  | { readonly kind: 'failed'; readonly error: unknown }

export type CheckpointsOptions = {
  readonly db: Db
  readonly signer: Signer
  readonly witnesses: readonly NamedWitness[]
  /** An entry is vouched for after this long. */
  readonly everyMs: number
  readonly everyEntries: number
  readonly onEvent?: (event: CheckpointEvent) => void
}

/** `stop` publishes what is left. */
export type Checkpoints = { readonly stop: () => Promise<void> }

const LOOK_MS = 1000

export function keepCheckpoints(options: CheckpointsOptions): Checkpoints {
  const stopping = new AbortController()
  const running = run(options, stopping.signal)
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

async function run(options: CheckpointsOptions, signal: AbortSignal): Promise<void> {
  const { everyMs, everyEntries } = options
  const lookMs = Math.min(LOOK_MS, everyMs)
  let owing: readonly NamedWitness[] = []
  let since = performance.now()
  while (!signal.aborted) {
    await sleep(lookMs, undefined, { signal }).catch(() => undefined)
    const isDue = signal.aborted || performance.now() - since >= everyMs
    try {
      const news = await unsigned(options.db)
      if (news > 0 && (isDue || news >= everyEntries)) owing = await publish(options, options.witnesses)
      else if (isDue && owing.length > 0) owing = await publish(options, owing)
      else if (!isDue) continue
    } catch (error) {
      options.onEvent?.({ kind: 'failed', error })
    }
    since = performance.now()
  }
}

/** The witnesses that are owed this one. */
async function publish(
  { db, signer, onEvent }: CheckpointsOptions,
  witnesses: readonly NamedWitness[],
): Promise<readonly NamedWitness[]> {
  const { size, failures }: Published = await publishCheckpoint(db, signer, witnesses)
  onEvent?.({ kind: 'published', size })
  for (const failure of failures) onEvent?.({ kind: 'witness-failed', ...failure })
  const failed = new Set(failures.map(({ witness }) => witness))
  return witnesses.filter(({ name }) => failed.has(name))
}
