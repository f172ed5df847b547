// Compressed instances for peers that take native ones alone:  file ─► worker thread: decode ─► data set in another encoding
//
// One worker, begun when it is needed and ended when it was idle for a while: decoders take memory, and must not hold up
// the sockets. What does not decode within its time, or takes the worker down, is one instance that fails.

import { Worker } from 'node:worker_threads'

/** Of one instance; a frame takes milliseconds. */
const DEADLINE_MS = 120_000
const IDLE_MS = 30_000

export type Decompression = { readonly id: number; readonly bytes: Uint8Array; readonly syntax: string }
/** No bytes: nothing that can be decoded. */
export type Decompressed = { readonly id: number; readonly bytes?: Uint8Array }

type Waiting = { readonly worker: Worker; readonly give: (bytes: Uint8Array | undefined) => void }

const state: { worker?: Worker; idle?: NodeJS.Timeout; next: number } = { next: 1 }
const waiting = new Map<number, Waiting>()

/** The data set alone, in `syntax`, a native one. Undefined: its pixels cannot be decoded. */
export async function decompressed(bytes: Uint8Array, syntax: string): Promise<Uint8Array | undefined> {
  clearTimeout(state.idle)
  const worker = state.worker ?? hire()
  const id = state.next++
  const { promise, resolve } = Promise.withResolvers<Uint8Array | undefined>()
  waiting.set(id, { worker, give: resolve })
  const late = setTimeout(() => void worker.terminate(), DEADLINE_MS)
  worker.postMessage({ id, bytes, syntax } satisfies Decompression)
  try {
    return await promise
  } finally {
    clearTimeout(late)
    waiting.delete(id)
    if (waiting.size === 0) state.idle = setTimeout(dismiss, IDLE_MS).unref()
  }
}

function hire(): Worker {
  const worker = new Worker(new URL('./decompress-worker.ts', import.meta.url))
  state.worker = worker
  worker.on('message', ({ id, bytes }: Decompressed) => waiting.get(id)?.give(bytes))
  worker.on('error', () => undefined)
  worker.on('exit', () => {
    if (state.worker === worker) delete state.worker
    for (const one of waiting.values()) if (one.worker === worker) one.give(undefined)
  })
  // Listening keeps the process; nobody waits for an idle worker.
  worker.unref()
  return worker
}

/** Who comes from now on gets another one. */
function dismiss(): void {
  const { worker } = state
  delete state.worker
  void worker?.terminate()
}
