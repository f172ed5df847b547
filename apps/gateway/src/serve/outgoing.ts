// Instances out of the archive, over an association: what C-MOVE, C-GET and `roentgate send` have in common.
//
//   instances ─► a context each ─► as it is stored, or native in another encoding, decompressed ─► C-STORE ─► counts
//
// An instance that is damaged, has gone, or that the peer takes in no encoding that we can give fails by itself; the others
// go on (PS3.4 C.4.2.3.1).

import {
  concat,
  DicomError,
  dataSetStart,
  fromBytes,
  readFile,
  transferSyntax,
  type Uid,
  writeFile,
} from '@roentgate/dicom'
import { type Association, DimseError, MAX_CONTEXTS, statusKind, type Wanted } from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import { isStoreError } from '../archive/blobs/errors.ts'
import type { InstanceFound } from '../archive/index/found.ts'
import { openInstance, type Stored } from '../archive/retrieve.ts'
import { inflate } from '../pipeline/inflate.ts'
import { decompressed } from './decompress.ts'

export type Outgoing = Pick<InstanceFound, 'sopUid' | 'sopClass' | 'transferSyntax' | 'size'> & {
  readonly study: string
}

export type Counts = {
  remaining: number
  completed: number
  failed: number
  warning: number
  readonly failures: string[]
  /** Instances that arrived, by study: for the ledger. */
  readonly sent: Map<string, number>
}

export type Sending = {
  readonly archive: Archive
  readonly association: Association
  readonly counts: Counts
  readonly instances: readonly Outgoing[]
  readonly signal: AbortSignal
  readonly originator?: { readonly ae: string; readonly messageId: number }
}

const IMPLICIT = '1.2.840.10008.1.2'
const EXPLICIT = '1.2.840.10008.1.2.1'
/** Any that we can write out of any of the others. */
const NATIVE = [EXPLICIT, IMPLICIT]
/** A meta group is some hundred bytes; of others' making it may be more. */
const FIRST_BYTES = 64 << 10
/** Read whole, one while another is sent. */
const SMALL_BYTES = 4 << 20
/** What is written anew is in memory while it is. */
const MAX_REWRITTEN = 512 << 20

/** For what is to be sent: each class with the syntaxes that it is stored in, and the native ones it can be given in. */
export function contextsFor(instances: readonly Outgoing[]): readonly Wanted[] {
  const pairs = new Map<string, Wanted>()
  for (const one of instances.flatMap(pairsOf))
    pairs.set(`${one.abstractSyntax} ${one.transferSyntaxes}`, one)
  return [...pairs.values()]
}

function pairsOf({ sopClass, transferSyntax: stored }: Outgoing): readonly Wanted[] {
  return [...new Set([stored, ...NATIVE])].map((one) => ({
    abstractSyntax: sopClass,
    transferSyntaxes: [one],
  }))
}

function isNative(syntax: string): boolean {
  return transferSyntax(syntax)?.encapsulated === false
}

export function newCounts(remaining: number): Counts {
  return { remaining, completed: 0, failed: 0, warning: 0, failures: [], sent: new Map() }
}

/** Counts, and yields, after each instance; while one is sent, the next is read. @throws DimseError where the association ends */
export async function* sendAll(sending: Sending): AsyncGenerator<void> {
  const { counts, signal, instances } = sending
  const readAt = (place: number): Promise<Prepared> | undefined => {
    const instance = instances[place]
    const reading = instance && prepared(sending, instance)
    // Looked at when its turn comes.
    reading?.catch(() => undefined)
    return reading
  }
  let next = readAt(0)
  try {
    for (const [place, instance] of instances.entries()) {
      if (signal.aborted) return
      await using current = await next
      next = readAt(place + 1)
      const status = current?.data === undefined ? undefined : await sendOne(sending, instance, current)
      count(counts, instance, status)
      yield
    }
  } finally {
    await next?.then(
      (unused) => unused[Symbol.asyncDispose](),
      () => undefined,
    )
  }
}

/** No status: it could not be sent at all. */
function count(counts: Counts, { study, sopUid }: Outgoing, status: number | undefined): void {
  const kind = status === undefined ? 'failure' : statusKind(status)
  counts.remaining--
  if (kind === 'success' || kind === 'warning') {
    counts[kind === 'success' ? 'completed' : 'warning']++
    counts.sent.set(study, (counts.sent.get(study) ?? 0) + 1)
  } else {
    counts.failed++
    counts.failures.push(sopUid)
  }
}

/** What is left fails: the association has gone, or there was none. */
export function lost(counts: Counts, instances: readonly Outgoing[]): void {
  counts.remaining -= instances.length
  counts.failed += instances.length
  counts.failures.push(...instances.map(({ sopUid }) => sopUid))
}

/** As many at a time as one association has contexts for. */
export function* byContexts(instances: readonly Outgoing[]): Generator<readonly Outgoing[]> {
  let batch: Outgoing[] = []
  let pairs = new Set<string>()
  for (const instance of instances) {
    const own = pairsOf(instance)
    if (pairs.size + own.length > MAX_CONTEXTS) {
      yield batch
      batch = []
      pairs = new Set()
    }
    batch.push(instance)
    for (const { abstractSyntax, transferSyntaxes } of own) pairs.add(`${abstractSyntax} ${transferSyntaxes}`)
  }
  if (batch.length > 0) yield batch
}

type Prepared = AsyncDisposable & {
  readonly syntax: string
  /** Of the data set; undefined where it cannot be sent. */
  readonly data: Uint8Array | AsyncIterable<Uint8Array> | undefined
}

const NOTHING: Prepared = { syntax: '', data: undefined, [Symbol.asyncDispose]: async () => undefined }

/** Small ones are read, which proves them, before their first byte goes; large ones as they go. */
async function prepared(
  { archive, association }: Pick<Sending, 'archive' | 'association'>,
  { sopUid, sopClass, transferSyntax: stored }: Outgoing,
): Promise<Prepared> {
  const syntax = acceptedFor(association, sopClass, stored)
  if (syntax === undefined) return NOTHING
  try {
    const instance = await openInstance(archive, sopUid)
    if (instance === undefined) return NOTHING
    if (syntax === stored && instance.size > SMALL_BYTES) {
      const data = asStored(instance)
      return { syntax, data, [Symbol.asyncDispose]: () => instance[Symbol.asyncDispose]() }
    }
    await using whole = instance
    return { ...NOTHING, syntax, data: await inMemory(whole, { stored, syntax }) }
  } catch (error) {
    if (isStoreError(error) || error instanceof DicomError) return NOTHING
    throw error
  }
}

async function sendOne(
  { association, originator }: Pick<Sending, 'association' | 'originator'>,
  { sopUid, sopClass }: Outgoing,
  { syntax, data = new Uint8Array(0) }: Prepared,
): Promise<number | undefined> {
  const request = { sopClass, sopInstance: sopUid, transferSyntax: syntax, data }
  try {
    return await association.store(originator ? { ...request, originator } : request)
  } catch (error) {
    if (!isStoreError(error)) throw error
    // Half of it has gone: nothing else can follow on this association.
    association.abort()
    throw new DimseError('ABORTED', 'an instance could not be read to its end')
  }
}

function acceptedFor({ contexts }: Association, sopClass: string, stored: string): string | undefined {
  const accepted = contexts.filter((one) => one.abstractSyntax === sopClass).map((one) => one.transferSyntax)
  if (accepted.includes(stored)) return stored
  return NATIVE.find((one) => accepted.includes(one))
}

async function* asStored(instance: Stored): AsyncGenerator<Uint8Array> {
  const first = await gathered(instance.read({ start: 0, end: Math.min(FIRST_BYTES, instance.size) }))
  const at = dataSetStart(fromBytes(first))
  yield* instance.read({ start: at, end: instance.size })
}

/** The data set, as it is stored, or in another encoding; undefined where that is not possible. */
async function inMemory(
  instance: Stored,
  { stored, syntax }: { readonly stored: string; readonly syntax: string },
): Promise<Uint8Array | undefined> {
  if (instance.size > MAX_REWRITTEN) return undefined
  const bytes = await gathered(instance.read())
  if (syntax === stored) return bytes.subarray(dataSetStart(fromBytes(bytes)))
  if (!isNative(stored)) return await decompressed(bytes, syntax)
  const file = readFile(fromBytes(bytes), { inflate })
  const moved = { ...file, preamble: undefined, meta: undefined, transferSyntax: syntax as Uid }
  return concat([...writeFile(moved)])
}

async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}
