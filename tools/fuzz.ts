// `npm run fuzz`: a million broken files through the reader. Only a DicomError may come out, in under a second, within
// bounded memory.
//
//   npm run fuzz -- --cases 1000000 --seed 1      a campaign, in two threads
//   npm run fuzz -- --seed 1 --only 4711          one case again, with its bytes

import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { campaign, inputOf, type Tally } from './fuzz/campaign.ts'
import type { Work } from './fuzz/worker.ts'

const THREADS = 2
/** Above this a thread is killed, and that is a finding. Array buffers are not in it: hence MAX_RSS. */
const MAX_HEAP_MB = 256
const MAX_RSS = 768 * 1024 * 1024
/** A case that is at work for so long hangs. */
const MAX_STANDSTILL = 10_000

type Outcome = {
  readonly tallies: readonly Tally[]
  readonly failures: readonly string[]
  readonly rss: number
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      cases: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: `${Date.now() % 1_000_000}` },
      only: { type: 'string' },
    },
  })
  const seed = Number(values.seed)
  if (values.only !== undefined) {
    replay(seed, Number(values.only))
    return
  }
  const cases = Number(values.cases)
  console.log(`seed ${seed}, ${cases} cases in ${THREADS} threads`)
  const started = performance.now()
  const outcome = await run(seed, cases)
  report(outcome, (performance.now() - started) / 1000, seed)
}

function replay(seed: number, index: number): void {
  console.log(Buffer.from(inputOf(seed, index)).toString('hex'))
  console.log(campaign({ seed, from: index, to: index + 1, step: 1 }, () => {}))
}

async function run(seed: number, cases: number): Promise<Outcome> {
  const memory = watchMemory()
  const results = await Promise.all(
    Array.from({ length: THREADS }, (_, from) => thread({ seed, from, to: cases, step: THREADS })),
  )
  return {
    tallies: results.flatMap((result) => (typeof result === 'string' ? [] : [result])),
    failures: results.flatMap((result) => (typeof result === 'string' ? [result] : [])),
    rss: memory(),
  }
}

/** A tally, or what became of the thread. */
function thread(range: Omit<Work, 'at'>): Promise<Tally | string> {
  const at = new SharedArrayBuffer(4)
  const view = new Int32Array(at)
  const worker = new Worker(new URL('./fuzz/worker.ts', import.meta.url), {
    workerData: { ...range, at },
    resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MB },
  })
  return new Promise((done) => {
    let last = -1
    const watch = setInterval(() => {
      const now = Atomics.load(view, 0)
      if (now === last) finish(`case ${now} hangs`)
      last = now
    }, MAX_STANDSTILL)
    const finish = (result: Tally | string): void => {
      clearInterval(watch)
      void worker.terminate()
      done(result)
    }
    worker.on('message', (tally: Tally) => finish(tally))
    worker.on('error', (error) => finish(`case ${Atomics.load(view, 0)}: the thread died: ${error.message}`))
  })
}

/** The most that the process held, when asked. */
function watchMemory(): () => number {
  let most = process.memoryUsage.rss()
  const timer = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss())
  }, 200)
  return () => {
    clearInterval(timer)
    return most
  }
}

function report({ tallies, failures, rss }: Outcome, seconds: number, seed: number): void {
  const sum = (of: (tally: Tally) => number) => tallies.reduce((total, tally) => total + of(tally), 0)
  const most = (of: (tally: Tally) => number) => Math.max(0, ...tallies.map(of))
  const refused = new Map<string, number>()
  for (const tally of tallies) {
    for (const [code, count] of Object.entries(tally.refused))
      refused.set(code, (refused.get(code) ?? 0) + count)
  }
  const cases = sum(({ cases }) => cases)
  console.log(`${cases} cases in ${seconds.toFixed(1)} s: ${Math.round(cases / seconds)} cases/s`)
  console.log(`accepted ${sum(({ accepted }) => accepted)}, refused:`)
  for (const [code, count] of [...refused].sort((a, b) => b[1] - a[1]))
    console.log(`  ${code.padEnd(28)} ${count}`)
  console.log(
    `slowest ${most(({ slowest }) => slowest).toFixed(1)} ms, largest read ${most(({ mostRead }) => mostRead)}, ` +
      `most in all ${most(({ mostInAll }) => mostInAll)}, RSS ${Math.round(rss / 1024 / 1024)} MB`,
  )
  const broken = tallies.flatMap((tally) => tally.broken).map(({ index, what }) => `case ${index}: ${what}`)
  const all = [...failures, ...broken, ...(rss > MAX_RSS ? ['more memory than the bound'] : [])]
  for (const line of all) console.error(line)
  if (all.length === 0) return
  console.error(`again: npm run fuzz -- --seed ${seed} --only CASE`)
  process.exitCode = 1
}

await main()
