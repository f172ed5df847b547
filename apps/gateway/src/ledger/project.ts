// New entries to a sink, in order, each at least once, whatever is killed meanwhile:
//
//   take the cursor ─► connect ─► read ─► send ─► wait until settled ─► move the cursor ─► read …
//        ▲                                │
//        └──── wait, twice as long each time ◄── anything fails: begin again at the cursor
//
// A collector does not acknowledge (syslog.ts). Sent is settled when the connection has held for a while after, or ended
// in good order; until then the cursor stays, and what a breaking connection swallowed is sent again.

import { setTimeout as sleep } from 'node:timers/promises'
import {
  AuditError,
  type Context,
  dicomAuditMessage,
  parseEntry,
  type SyslogHeader,
  syslogFrame,
} from '@roentgate/audit'
import type { Db } from '../db/database.ts'
import { type Cursor, openCursor, RENEW_MS } from './cursor.ts'
import { LedgerError } from './errors.ts'
import { type Row, readRows } from './read.ts'
import { delivered, spooled } from './spool.ts'
import { type Connection, connectSyslog, type SyslogTarget } from './syslog.ts'

export type Sink = {
  /** For ever the same: the cursor goes by it. */
  readonly name: string
  readonly connect: () => Promise<Connection>
  /** Throws AuditError for a line that is no entry. */
  readonly render: (line: string) => Buffer
}

export type SyslogSink = {
  readonly name: string
  readonly target: SyslogTarget
  readonly header: Omit<SyslogHeader, 'at' | 'messageId'>
  readonly context: Context
}

export type ProjectionEvent =
  | { readonly kind: 'connected' }
  | { readonly kind: 'failed'; readonly error: unknown; readonly againInMs: number }
  /** A line that somebody changed: left out here, found by `audit verify`. */
  | { readonly kind: 'unreadable'; readonly index: number }

export type ProjectionOptions = {
  readonly db: Db
  readonly sink: Sink
  /** Where a new sink begins. */
  readonly first?: number
  readonly onEvent?: (event: ProjectionEvent) => void
  readonly pace?: Partial<Pace>
}

export type Pace = {
  readonly pollMs: number
  readonly settleMs: number
  readonly firstDelayMs: number
  readonly maxDelayMs: number
}

/** `stop` waits for the end of the connection, a few seconds at most. */
export type Projection = { readonly stop: () => Promise<void> }

const PACE: Pace = { pollMs: 500, settleMs: 2000, firstDelayMs: 500, maxDelayMs: 60_000 }
const BATCH = 200
/** Of batches that are sent and not settled: then sending waits. */
const MAX_UNSETTLED = 64

export function syslogSink({ name, target, header, context }: SyslogSink): Sink {
  return {
    name,
    connect: () => connectSyslog(target),
    render: (line) => {
      const entry = parseEntry(line)
      return syslogFrame(dicomAuditMessage(entry, context), { ...header, at: entry.at })
    },
  }
}

export function keepProjection(options: ProjectionOptions): Projection {
  const stopping = new AbortController()
  const running = run(options, stopping.signal)
  return {
    stop: async () => {
      stopping.abort()
      await running
    },
  }
}

async function run(options: ProjectionOptions, signal: AbortSignal): Promise<void> {
  const { db, sink, first = 0 } = options
  const pace = { ...PACE, ...options.pace }
  const cursor = openCursor(db, sink.name, first)
  let delay = pace.firstDelayMs
  while (!signal.aborted) {
    try {
      const next = await cursor.take()
      if (next === undefined) await pause(RENEW_MS, signal)
      else {
        await pump({ ...options, pace, cursor, signal }, next)
        delay = pace.firstDelayMs
      }
    } catch (error) {
      const isBroken = error instanceof Broken
      if (isBroken && error.hadSettled) delay = pace.firstDelayMs
      options.onEvent?.({ kind: 'failed', error: isBroken ? error.cause : error, againInMs: delay })
      await pause(delay, signal)
      delay = Math.min(delay * 2, pace.maxDelayMs)
    }
  }
  await cursor.release().catch(() => undefined)
}

type Pumping = ProjectionOptions & {
  readonly pace: Pace
  readonly cursor: Cursor
  readonly signal: AbortSignal
}
/** Up to here, sent at that time. */
type Sent = { readonly next: number; readonly letter: number; readonly at: number }

class Broken extends Error {
  readonly hadSettled: boolean
  constructor(cause: unknown, hadSettled: boolean) {
    super('the connection ended', { cause })
    this.hadSettled = hadSettled
  }
}

/** One connection's life. */
async function pump(pumping: Pumping, from: number): Promise<void> {
  const { sink, signal, pace, onEvent } = pumping
  const connection = await sink.connect()
  onEvent?.({ kind: 'connected' })
  const either = AbortSignal.any([signal, connection.lost])
  let sent: Sent = { next: from, letter: 0, at: 0 }
  let settled = sent
  let renewed = performance.now()
  let unsettled: readonly Sent[] = []
  try {
    while (!signal.aborted) {
      const before = sent
      if (unsettled.length < MAX_UNSETTLED) sent = await sendMore(pumping, connection, sent)
      if (sent !== before) unsettled = [...unsettled, sent]
      connection.lost.throwIfAborted()
      const due = unsettled.findLast(({ at }) => performance.now() - at >= pace.settleMs)
      if (due !== undefined || performance.now() - renewed > RENEW_MS) {
        settled = due ?? settled
        await settle(pumping, settled)
        unsettled = unsettled.filter(({ at }) => at > settled.at)
        renewed = performance.now()
      }
      if (sent === before) await pause(pace.pollMs, either)
    }
    if (await connection.end()) await settle(pumping, sent)
  } catch (error) {
    await connection.end().catch(() => undefined)
    throw new Broken(error, settled.at > 0)
  }
}

/** Checkpoints first: they are older than the entries that follow. The same object: there was nothing. */
async function sendMore({ db, sink, onEvent }: Pumping, connection: Connection, sent: Sent): Promise<Sent> {
  const letters = await spooled(db, sink.name, { after: sent.letter, limit: BATCH })
  const rows = await readRows(db, { from: sent.next }, BATCH)
  if (letters.length === 0 && rows.length === 0) return sent
  const frames = rows.flatMap((row) => rendered(sink, row, onEvent))
  await connection.send([...letters.map(({ payload }) => payload), ...frames])
  const last = rows.at(-1)
  return {
    next: last === undefined ? sent.next : last.index + 1,
    letter: letters.at(-1)?.id ?? sent.letter,
    at: performance.now(),
  }
}

function rendered(
  sink: Sink,
  { index, line }: Row,
  onEvent: ProjectionOptions['onEvent'],
): readonly Buffer[] {
  try {
    return [sink.render(line)]
  } catch (error) {
    if (!(error instanceof AuditError) || error.code === 'BAD_HEADER') throw error
    onEvent?.({ kind: 'unreadable', index })
    return []
  }
}

async function settle({ db, sink, cursor }: Pumping, { next, letter }: Sent): Promise<void> {
  if (!(await cursor.advance(next)))
    throw new LedgerError('SINK_FAILED', 'another gateway sends to this sink')
  if (letter > 0) await delivered(db, sink.name, letter)
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}
