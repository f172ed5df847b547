// Instances out of the archive, over an association: what C-MOVE, C-GET and `roentgate send` have in common.
//
//   instances ─► a context each ─► as it is stored, or its native data set in another encoding ─► C-STORE ─► counts
//
// An instance that is damaged, has gone, or that the peer takes in no encoding that we can give fails by itself; the others
// go on (PS3.4 C.4.2.3.1).

import {
  concat,
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
  const syntaxes = isNative(stored) ? new Set([stored, ...NATIVE]) : [stored]
  return [...syntaxes].map((one) => ({ abstractSyntax: sopClass, transferSyntaxes: [one] }))
}

function isNative(syntax: string): boolean {
  return transferSyntax(syntax)?.encapsulated === false
}

export function newCounts(remaining: number): Counts {
  return { remaining, completed: 0, failed: 0, warning: 0, failures: [], sent: new Map() }
}

/** Counts, and yields, after each instance. @throws DimseError where the association ends */
export async function* sendAll({ counts, signal, instances, ...through }: Sending): AsyncGenerator<void> {
  for (const instance of instances) {
    if (signal.aborted) return
    const status = await sendOne(through, instance)
    counts.remaining--
    const kind = status === undefined ? 'failure' : statusKind(status)
    if (kind === 'success' || kind === 'warning') {
      counts[kind === 'success' ? 'completed' : 'warning']++
      counts.sent.set(instance.study, (counts.sent.get(instance.study) ?? 0) + 1)
    } else {
      counts.failed++
      counts.failures.push(instance.sopUid)
    }
    yield
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

/** Undefined: it could not be sent at all. */
async function sendOne(
  { archive, association, originator }: Pick<Sending, 'archive' | 'association' | 'originator'>,
  { sopUid, sopClass, transferSyntax: stored }: Outgoing,
): Promise<number | undefined> {
  const syntax = acceptedFor(association, sopClass, stored)
  if (syntax === undefined) return undefined
  try {
    await using instance = await openInstance(archive, sopUid)
    if (instance === undefined) return undefined
    const data = syntax === stored ? asStored(instance) : await rewritten(instance, syntax)
    if (data === undefined) return undefined
    const request = { sopClass, sopInstance: sopUid, transferSyntax: syntax, data }
    return await association.store(originator ? { ...request, originator } : request)
  } catch (error) {
    if (error instanceof DimseError && error.code !== 'NO_CONTEXT') throw error
    if (isStoreError(error)) return undefined
    throw error
  }
}

function acceptedFor({ contexts }: Association, sopClass: string, stored: string): string | undefined {
  const accepted = contexts.filter((one) => one.abstractSyntax === sopClass).map((one) => one.transferSyntax)
  if (accepted.includes(stored)) return stored
  return isNative(stored) ? NATIVE.find((one) => accepted.includes(one)) : undefined
}

async function* asStored(instance: Stored): AsyncGenerator<Uint8Array> {
  const first = await gathered(instance.read({ start: 0, end: Math.min(FIRST_BYTES, instance.size) }))
  const at = dataSetStart(fromBytes(first))
  yield* instance.read({ start: at, end: instance.size })
}

/** A native data set in another encoding. */
async function rewritten(instance: Stored, syntax: string): Promise<Uint8Array | undefined> {
  if (instance.size > MAX_REWRITTEN) return undefined
  const file = readFile(fromBytes(await gathered(instance.read())), { inflate })
  const moved = { ...file, preamble: undefined, meta: undefined, transferSyntax: syntax as Uid }
  return concat([...writeFile(moved)])
}

async function gathered(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}
