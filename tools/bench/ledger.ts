// What an entry of the ledger costs its act, and how fast a ledger is judged: an embedded PostgreSQL, one event an
// object, in transactions of 1 and of 64, by one writer and by four.

import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { type Db, openDatabase, transact } from '../../apps/gateway/src/db/database.ts'
import { appendEvents } from '../../apps/gateway/src/ledger/append.ts'
import { eventOf, grow } from '../../apps/gateway/src/ledger/cases.ts'
import { openSigner, ownKeys, publishCheckpoint } from '../../apps/gateway/src/ledger/checkpoint.ts'
import { proveInclusion } from '../../apps/gateway/src/ledger/proofs.ts'
import { search } from '../../apps/gateway/src/ledger/read.ts'
import { verifyDatabase } from '../../apps/gateway/src/ledger/verify.ts'
import { machine, table } from './document.ts'
import { BenchError, median } from './measure.ts'

export type LedgerBench = {
  readonly scratch: string
  readonly entries: number
  readonly rounds: number
  readonly say: (line: string) => void
}

const BATCH = 64
const GROWTH = 1000

export async function benchLedger({ scratch, entries, rounds, say }: LedgerBench): Promise<string> {
  chmodSync(scratch, 0o711)
  await using database = await openDatabase({ dataFolder: join(scratch, 'ledger') })
  const db = database.kysely
  const start = performance.now()
  await grow(db, entries, GROWTH)
  say(`filled in ${((performance.now() - start) / 1000).toFixed(0)} s`)
  const appends = [
    await appending(db, { batch: 1, writers: 1, rounds }),
    await appending(db, { batch: BATCH, writers: 1, rounds }),
    await appending(db, { batch: 1, writers: 4, rounds }),
    await appending(db, { batch: BATCH, writers: 4, rounds }),
  ]
  return `## ledger: ${entries} entries

The audit ledger on the embedded PostgreSQL with ${entries} entries in it, every transaction flushed to disk.
${machine()}.

${table(['events a transaction', 'writers', 'ms a transaction', 'ms an event', 'events/s'], appends)}

${table(['', ''], await readings(db, rounds))}`
}

type Load = { readonly batch: number; readonly writers: number; readonly rounds: number }

async function appending(db: Db, { batch, writers, rounds }: Load): Promise<readonly string[]> {
  const times: number[] = []
  const write = async (): Promise<void> => {
    for (let i = 0; i < rounds; i++) {
      const events = Array.from({ length: batch }, (_, n) => eventOf(i * batch + n))
      const from = performance.now()
      await transact(db, (tx) => appendEvents(tx, events, new Date()))
      times.push(performance.now() - from)
    }
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: writers }, write))
  const seconds = (performance.now() - start) / 1000
  const rate = (writers * rounds * batch) / seconds
  const middle = median(times)
  return [String(batch), String(writers), middle.toFixed(2), (middle / batch).toFixed(3), rate.toFixed(0)]
}

async function readings(db: Db, rounds: number): Promise<readonly (readonly string[])[]> {
  const signer = await openSigner(db, Buffer.alloc(32, 7))
  const { size } = await publishCheckpoint(db, signer, [])
  const start = performance.now()
  const { verdict } = await verifyDatabase(db, { keys: await ownKeys(db), witnesses: [] })
  const seconds = (performance.now() - start) / 1000
  if (verdict.kind !== 'intact') throw new BenchError(`the ledger is ${verdict.kind}`)
  const places = Array.from({ length: rounds }, (_, i) => (i * 7919) % size)
  const proof = await middleOf(places, (index) => proveInclusion(db, index, size))
  const object = await middleOf(places, (n) =>
    search(db, { object: `2.25.${1000 + (n % GROWTH)}` }, { limit: 50 }),
  )
  return [
    ['verified, entries/s', (size / seconds).toFixed(0)],
    ['inclusion proof, ms', proof.toFixed(1)],
    ['search for an object, ms', object.toFixed(1)],
  ]
}

async function middleOf(places: readonly number[], act: (n: number) => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (const n of places) {
    const start = performance.now()
    await act(n)
    times.push(performance.now() - start)
  }
  return median(times)
}
