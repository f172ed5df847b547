// roentgate serve: the gateway as a process. It starts only in a state that can be answered for, and ends in good order.
//
//   archive ─► DICOM port ─► until it is interrupted ─► no new associations ─► those under way end ─► last checkpoint
//
// Beside it: checkpoints to the witness, and the scrub that goes round.

import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import type { Archive } from '../archive/archive.ts'
import { scrub } from '../archive/scrub.ts'
import { transact } from '../db/database.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { type Checkpoints, keepCheckpoints } from '../ledger/schedule.ts'
import { ledgerSigner } from '../ledger/signer.ts'
import { fileWitness } from '../ledger/witness-file.ts'
import { listNodes } from '../nodes/registry.ts'
import { openDicomPort } from '../serve/dicom.ts'
import { isLoopback, type Self } from '../serve/peer.ts'
import { type DataOptions, dataFolderOf, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { type SelfOptions, selfOf, watchIdentity } from './self.ts'
import { EXIT, UsageError } from './terminal.ts'
import { webOf } from './web.ts'

export type ServeOptions = SelfOptions & {
  readonly host: string
  readonly port: number
  /** HOST:PORT of the pages; absent: there are none. */
  readonly http?: string
  readonly url?: string
  readonly httpMtls?: string
}

const CHECKPOINT_MS = 60_000
const CHECKPOINT_ENTRIES = 1000
const SCRUB_EVERY_MS = 3600_000
const SCRUB_AFTER_MS = 30 * 24 * 3600_000

/** Instances come and go beside a small heap, and each counts towards the next collection of all of it: at the default
 * that is one collection for every few of them. */
const HEAP_GROWING = '--heap-growing-percent=200'

export type Serving = { readonly archive: Archive; readonly self: Self; readonly port: number }

/** `then`: what the same process does once it listens. */
export async function serve(
  options: ServeOptions,
  invocation: Invocation,
  then?: (serving: Serving) => Promise<void>,
): Promise<number> {
  setFlagsFromString(HEAP_GROWING)
  const { terminal, signal } = invocation
  if (options.plain && !isLoopback(options.host))
    throw new UsageError('--plain is for this machine alone: --host 127.0.0.1')
  return await withArchive(options, invocation, async (archive) => {
    const self = await selfOf(archive, options, invocation)
    const { tls } = self
    await assertReachable(archive, options)
    const checkpoints = await keeper(archive, options, invocation)
    const stopping = new AbortController()
    const scrubbing = keepScrubbing(archive, stopping.signal, terminal.err)
    const { http } = options
    const pages =
      http === undefined ? undefined : await webOf(archive, self, { options: { ...options, http }, terminal })
    const port = await openDicomPort(archive, {
      host: options.host,
      port: options.port,
      self,
      ...(tls ? { tls } : {}),
      ...(pages?.access ? { access: pages.access } : {}),
      onEvent: (event) =>
        terminal.err(
          event.kind === 'refused' ? `Refused a peer: ${event.why}\n` : 'The ledger took no entry.\n',
        ),
    })
    const web = await pages?.open()
    const unwatch = await watchIdentity(archive, { options, invocation }, (identity) => {
      port.renew(identity)
      web?.renew(identity)
      terminal.err('The certificates changed: new associations get them.\n')
    })
    await record(archive, {
      event: 'application-start',
      detail: { aet: self.aeTitle, setting: tls ? 'tls' : 'plain' },
    })
    const how = tls ? 'DICOM over TLS' : 'DICOM IN THE CLEAR'
    terminal.out(`${options.aeTitle} listens on ${options.host} port ${port.port}: ${how}\n`)
    await then?.({ archive, self, port: port.port })
    await interrupted(signal)
    terminal.err('Ending: no new associations.\n')
    unwatch()
    await web?.close()
    await port.close()
    await record(archive, { event: 'application-stop', detail: { aet: self.aeTitle } })
    stopping.abort()
    await scrubbing
    await checkpoints.stop()
    return EXIT.done
  })
}

async function record(
  { database }: Archive,
  { event, detail }: Pick<NewEvent, 'event' | 'detail'>,
): Promise<void> {
  const actor = { kind: 'system', id: 'gateway' } as const
  const entry = { event, action: 'E', outcome: 'success', actor, objects: [], detail } as const
  await transact(database.kysely, (tx) => appendEvents(tx, [entry], new Date()))
}

async function assertReachable({ database }: Archive, { host }: ServeOptions): Promise<void> {
  if (isLoopback(host) || (await listNodes(database.kysely)).length > 0) return
  throw new UsageError('nobody may speak to it yet: roentgate node add, then start it')
}

async function keeper(archive: Archive, options: DataOptions, invocation: Invocation): Promise<Checkpoints> {
  const { witness } = invocation.environment
  const dataFolder = dataFolderOf(options, invocation)
  const db = archive.database.kysely
  return keepCheckpoints({
    db,
    signer: await ledgerSigner(db, archive.custodians),
    witnesses: witness ? [fileWitness({ path: witness, dataFolder })] : [],
    everyMs: CHECKPOINT_MS,
    everyEntries: CHECKPOINT_ENTRIES,
    onEvent: (event) => {
      if (event.kind === 'witness-failed') invocation.terminal.err('The witness did not take a checkpoint.\n')
      if (event.kind === 'failed')
        invocation.terminal.err('No checkpoint was signed: roentgate audit verify\n')
    },
  })
}

/** Everything is read once a month, what was not read for longest first come. */
async function keepScrubbing(
  archive: Archive,
  signal: AbortSignal,
  say: (text: string) => void,
): Promise<void> {
  while (!signal.aborted) {
    await sleep(SCRUB_EVERY_MS, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    try {
      const { damaged, missing } = await scrub(archive, {
        signal,
        before: new Date(Date.now() - SCRUB_AFTER_MS),
      })
      if (damaged + missing > 0) say(`The scrub found ${damaged} damaged and ${missing} missing instances.\n`)
    } catch {
      say('The scrub could not go on; it is tried again in an hour.\n')
    }
  }
}

async function interrupted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }))
}
