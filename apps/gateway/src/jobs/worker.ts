// The entry of a worker thread: compile cache first, then the code, then one reply per job, in order.

import module from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { Job, WorkerStart } from './messages.ts'

module.enableCompileCache()

const port = parentPort
if (port === null) throw new Error('jobs/worker.ts is started by jobs/pool.ts only')
const { settings, instance } = workerData as WorkerStart
const [{ perform, transferable }, stages] = await Promise.all([import('./work.ts'), import(instance)])
const bench = {
  stages,
  settings: stages.prepare?.(settings) ?? settings,
  ...(await import('./bench.ts')).emptyBench(),
}
// Most instances never wait; one whose pixels are searched does. The next job is not begun before.
const line = { last: Promise.resolve() }
port.on('message', (job: Job) => {
  line.last = line.last.then(async () => {
    const reply = await perform(job, bench)
    port.postMessage(reply, transferable(reply))
  })
})
port.postMessage({ kind: 'ready' })
