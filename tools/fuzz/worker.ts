// One thread of `npm run fuzz`: every n-th case, its progress in shared memory so that a hang can be named.

import { parentPort, workerData } from 'node:worker_threads'
import { campaign, type Range } from './campaign.ts'

export type Work = Range & { readonly at: SharedArrayBuffer }

const work = workerData as Work
const at = new Int32Array(work.at)
parentPort?.postMessage(
  campaign(work, (index) => {
    Atomics.store(at, 0, index)
  }),
)
