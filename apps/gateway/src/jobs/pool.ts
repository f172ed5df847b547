// Worker threads. Jobs are handed out in order to whoever is free; a worker has at most IN_FLIGHT of them. A worker
// that dies takes its jobs with it: their items are tried again one by one, each alone on a worker, so that only the
// culprit is given up.

import { Worker } from 'node:worker_threads'
import type { Job, Reply, WorkerStart } from './messages.ts'

/** The one in work and the next one: no worker waits for the main thread. */
const IN_FLIGHT = 2
/** Deaths after which the fault is ours or the machine's, not an instance's. */
const MAX_CRASHES = 200

export type Work<T> = {
  readonly batches: AsyncIterable<readonly T[]> | Iterable<readonly T[]>
  /** `known` is this worker's: what it was sent before. */
  readonly pack: (items: readonly T[], known: Set<string>) => Job
  readonly done: (items: readonly T[], reply: Reply) => void
  /** The worker died of this one item. */
  readonly crashed: (item: T) => void
  readonly signal?: AbortSignal
}

type Flight = { readonly landed: (reply: Reply) => void; readonly lost: (why: unknown) => void }
type Hand = {
  readonly worker: Worker
  readonly known: Set<string>
  readonly flights: Flight[]
  busy: number
  alone: boolean
  ready: boolean
  error: unknown
}
type Waiter = {
  readonly alone: boolean
  readonly take: (hand: Hand) => void
  readonly fail: (why: unknown) => void
}

class Crash extends Error {}

/** What an instance leaves behind dies young; a larger nursery would only let it lie in memory longer. */
const YOUNG_MB = 12

export class Pool {
  readonly #start: WorkerStart
  readonly #size: number
  readonly #hands = new Set<Hand>()
  readonly #waiters: Waiter[] = []
  #crashes = 0
  #closed = false
  #broken: unknown

  constructor(size: number, start: WorkerStart) {
    this.#size = Math.max(1, size)
    this.#start = start
    this.#hire()
  }

  /** All batches, with back-pressure; ends when the last reply was taken, or soon after `signal`. */
  async run<T>(work: Work<T>): Promise<void> {
    const flying = new Set<Promise<void>>()
    const failures: unknown[] = []
    for await (const batch of work.batches) {
      if (work.signal?.aborted || failures.length > 0) break
      const hand = await this.#acquire(false)
      const flight: Promise<void> = this.#fly(hand, work, batch)
        .catch((error) => {
          failures.push(error)
        })
        .finally(() => flying.delete(flight))
      flying.add(flight)
    }
    await Promise.all(flying)
    if (failures.length > 0) throw failures[0]
  }

  /** Workers that died. */
  get crashes(): number {
    return this.#crashes
  }

  /** All workers now, where there is work for all: each takes a tenth of a second to start. */
  warm(): void {
    while (this.#hands.size < this.#size) this.#hire()
  }

  async ask(job: Job): Promise<Reply> {
    const hand = await this.#acquire(false)
    return this.#send(hand, job)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#hands].map((hand) => hand.worker.terminate()))
  }

  async #fly<T>(hand: Hand, work: Work<T>, items: readonly T[]): Promise<void> {
    try {
      work.done(items, await this.#send(hand, work.pack(items, hand.known)))
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      for (const item of items) await this.#tryAlone(work, item)
    }
  }

  async #tryAlone<T>(work: Work<T>, item: T): Promise<void> {
    if (work.signal?.aborted) return
    const hand = await this.#acquire(true)
    try {
      work.done([item], await this.#send(hand, work.pack([item], hand.known)))
    } catch (error) {
      if (!(error instanceof Crash)) throw error
      work.crashed(item)
    }
  }

  #send(hand: Hand, job: Job): Promise<Reply> {
    return new Promise<Reply>((landed, lost) => {
      hand.flights.push({ landed, lost })
      hand.worker.postMessage(job)
    }).finally(() => {
      hand.busy--
      hand.alone = false
      this.#match()
    })
  }

  #acquire(alone: boolean): Promise<Hand> {
    return new Promise((take, fail) => {
      this.#waiters.push({ alone, take, fail })
      this.#match()
    })
  }

  /** First come, first served: one who must be alone on a worker is not overtaken. */
  #match(): void {
    for (let waiter = this.#waiters[0]; waiter !== undefined; waiter = this.#waiters[0]) {
      if (this.#broken !== undefined) {
        this.#waiters.shift()
        waiter.fail(this.#broken)
        continue
      }
      const hand = this.#choose(waiter.alone)
      if (hand === undefined) return
      this.#waiters.shift()
      hand.busy++
      hand.alone = waiter.alone
      waiter.take(hand)
    }
  }

  #choose(alone: boolean): Hand | undefined {
    let best: Hand | undefined
    for (const hand of this.#hands) {
      if (hand.alone) continue
      if (best === undefined || hand.busy < best.busy) best = hand
    }
    if (best?.busy === 0) return best
    if (this.#hands.size < this.#size) return this.#hire()
    return best !== undefined && !alone && best.busy < IN_FLIGHT ? best : undefined
  }

  #hire(): Hand {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: this.#start,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    })
    const hand: Hand = {
      worker,
      known: new Set(),
      flights: [],
      busy: 0,
      alone: false,
      ready: false,
      error: undefined,
    }
    this.#hands.add(hand)
    worker.on('message', (reply: Reply) => {
      if (reply.kind === 'ready') hand.ready = true
      else hand.flights.shift()?.landed(reply)
    })
    worker.on('error', (error) => {
      hand.error = error
    })
    worker.on('exit', () => this.#buried(hand))
    return hand
  }

  #buried(hand: Hand): void {
    this.#hands.delete(hand)
    if (this.#closed) return
    this.#crashes++
    // One that never got ready would never get ready: the code itself does not load.
    if (!hand.ready || this.#crashes > MAX_CRASHES) {
      this.#broken ??= hand.error ?? new Error('worker threads keep dying')
    }
    const why = this.#broken ?? new Crash()
    for (const flight of hand.flights.splice(0)) flight.lost(why)
    this.#match()
  }
}
