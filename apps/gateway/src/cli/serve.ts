// roentgate serve: the gateway as a process. It starts only in a state that can be answered for, and ends in good order.
//
//   archive ─► DICOM port ─► until it is interrupted ─► no new associations ─► those under way end ─► last checkpoint
//
// Beside it: checkpoints to the witness, and the scrub that goes round.

import { existsSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import type { Archive } from '../archive/archive.ts'
import { scrub } from '../archive/scrub.ts'
import { type Checkpoints, keepCheckpoints } from '../ledger/schedule.ts'
import { ledgerSigner } from '../ledger/signer.ts'
import { fileWitness } from '../ledger/witness-file.ts'
import { listNodes } from '../nodes/registry.ts'
import type { Identity } from '../pki/ca.ts'
import { openDicomPort } from '../serve/dicom.ts'
import { type DataOptions, dataFolderOf, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { EXIT, UsageError } from './terminal.ts'
import { IMPLEMENTATION } from './version.ts'

export type ServeOptions = DataOptions & {
  readonly host: string
  readonly port: number
  readonly aeTitle: string
  readonly cert?: string
  readonly certKey?: string
  readonly ca?: string
  readonly plain?: boolean
}

const CHECKPOINT_MS = 60_000
const CHECKPOINT_ENTRIES = 1000
const SCRUB_EVERY_MS = 3600_000
const SCRUB_AFTER_MS = 30 * 24 * 3600_000

/** Instances come and go beside a small heap, and each counts towards the next collection of all of it: at the default
 * that is one collection for every few of them. */
const HEAP_GROWING = '--heap-growing-percent=200'

export async function serve(options: ServeOptions, invocation: Invocation): Promise<number> {
  setFlagsFromString(HEAP_GROWING)
  const { terminal, signal } = invocation
  const named = tlsOf(options)
  return await withArchive(options, invocation, async (archive) => {
    const tls = options.plain ? undefined : (named ?? (await ownIdentity(archive, options, invocation)))
    await assertReachable(archive, options)
    const checkpoints = await keeper(archive, options, invocation)
    const stopping = new AbortController()
    const scrubbing = keepScrubbing(archive, stopping.signal, terminal.err)
    const port = await openDicomPort(archive, {
      host: options.host,
      port: options.port,
      self: { aeTitle: options.aeTitle, implementation: IMPLEMENTATION, ...(tls ? { tls } : {}) },
      ...(tls ? { tls } : {}),
      onEvent: (event) =>
        terminal.err(
          event.kind === 'refused' ? `Refused a peer: ${event.why}\n` : 'The ledger took no entry.\n',
        ),
    })
    const how = tls ? 'DICOM over TLS' : 'DICOM IN THE CLEAR'
    terminal.out(`${options.aeTitle} listens on ${options.host} port ${port.port}: ${how}\n`)
    await interrupted(signal)
    terminal.err('Ending: no new associations.\n')
    await port.close()
    stopping.abort()
    await scrubbing
    await checkpoints.stop()
    return EXIT.done
  })
}

function tlsOf({ cert, certKey, ca, plain, host }: ServeOptions): Identity | undefined {
  if (plain) {
    if (!isLoopback(host)) throw new UsageError('--plain is for this machine alone: --host 127.0.0.1')
    return undefined
  }
  if (cert === undefined && certKey === undefined && ca === undefined) return undefined
  if (cert === undefined || certKey === undefined || ca === undefined)
    throw new UsageError('--cert, --cert-key and --ca go together')
  return { cert: textIn(cert), key: textIn(certKey), ca: textIn(ca) }
}

async function ownIdentity(
  archive: Archive,
  options: DataOptions,
  invocation: Invocation,
): Promise<Identity> {
  const { gatewayIdentity } = await import('../pki/ca.ts')
  const identity = await gatewayIdentity(archive, dataFolderOf(options, invocation))
  if (identity) return identity
  throw new UsageError(
    'TLS wants an authority: roentgate ca init, or --cert, --cert-key and --ca of your own; --plain on loopback is for tests',
  )
}

function textIn(path: string): string {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  return readFileSync(path, 'utf8')
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
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
