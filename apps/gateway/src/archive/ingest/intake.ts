// Whoever stores, however many at once: small instances wait for each other and enter as a batch, so that many share one
// flush of the disk; large ones go in by themselves.
//
//   submit ─► queue ─► while fewer than LANES are under way: all that waits, up to a batch ─► ingest ─► each its outcome
//
// Nobody waits for a batch to fill: what is alone goes alone. A batch that the database refuses goes again one by one, so
// that one instance spoils nothing for the others.

import { DbError } from '../../db/errors.ts'
import type { Archive } from '../archive.ts'
import type { From, Outcome } from './commit.ts'
import { type Arrival, BATCH, ingest } from './ingest.ts'
import { ingestStream } from './stream.ts'

export type Intake = {
  /** Resolves when it is durable. Rejects where nothing was stored: the sender is to try again. */
  readonly submit: (source: AsyncIterable<Uint8Array>, from: From) => Promise<Outcome>
  readonly submitBytes: (bytes: Uint8Array, from: From) => Promise<Outcome>
}

/** Batches under way: while one waits for the disk, another is hashed. */
const LANES = 3
/** Of a batch, beside the one that is larger by itself. */
const BATCH_BYTES = 8 << 20

type Waiting = Arrival & {
  readonly resolve: (outcome: Outcome) => void
  readonly reject: (error: unknown) => void
}

export function openIntake(archive: Archive): Intake {
  const queue: Waiting[] = []
  let running = 0
  const pump = (): void => {
    while (running < LANES && queue.length > 0) {
      running++
      void settle(archive, takeBatch(queue)).finally(() => {
        running--
        pump()
      })
    }
  }
  const submitBytes = (bytes: Uint8Array, from: From): Promise<Outcome> => {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    queue.push({ bytes, ...from, resolve, reject })
    // After this turn of the loop, so that what arrives together goes together.
    setImmediate(pump)
    return promise
  }
  return {
    submitBytes,
    submit: async (source, from) => {
      const streamed = await ingestStream(archive, source, from)
      return streamed.kind === 'small' ? await submitBytes(streamed.bytes, from) : streamed.outcome
    },
  }
}

function takeBatch(queue: Waiting[]): readonly Waiting[] {
  let bytes = 0
  let count = 0
  for (const waiting of queue) {
    if (count === BATCH || (count > 0 && bytes + waiting.bytes.length > BATCH_BYTES)) break
    bytes += waiting.bytes.length
    count++
  }
  return queue.splice(0, count)
}

async function settle(archive: Archive, batch: readonly Waiting[]): Promise<void> {
  try {
    const outcomes = await ingest(archive, batch)
    for (const [place, outcome] of outcomes.entries()) batch[place]?.resolve(outcome)
  } catch (error) {
    const isOneOfThem = error instanceof DbError && (error.code === 'QUERY' || error.code === 'CONSTRAINT')
    if (isOneOfThem && batch.length > 1) {
      for (const waiting of batch) await settle(archive, [waiting])
      return
    }
    for (const { reject } of batch) reject(error)
  }
}
