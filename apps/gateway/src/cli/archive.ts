// roentgate import | scrub | retrieve: the archive without a socket.

import { closeSync, createReadStream, existsSync, openSync, readFileSync, statSync, writeSync } from 'node:fs'
import type { Archive } from '../archive/archive.ts'
import type { Outcome } from '../archive/ingest/commit.ts'
import { BATCH } from '../archive/ingest/ingest.ts'
import { openIntake } from '../archive/ingest/intake.ts'
import { SMALL_BYTES } from '../archive/ingest/stream.ts'
import { openInstance } from '../archive/retrieve.ts'
import { scrub } from '../archive/scrub.ts'
import { transact } from '../db/database.ts'
import { type Found, findInputs } from '../ingress/folder.ts'
import { appendEvents } from '../ledger/append.ts'
import { PRIVATE_FILE } from '../pipeline/atomic.ts'
import { openInput } from '../pipeline/input.ts'
import type { Input } from '../pipeline/types.ts'
import { actor, type DataOptions, withArchive } from './data.ts'
import { checkRoots } from './places.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

/** Files under way, and their bytes: enough to keep the disk, the database and a core busy. */
const MAX_FLYING = 3 * BATCH
const MAX_FLYING_BYTES = 24 << 20
/** What a large one holds in memory while it passes. */
const LARGE_COSTS = 8 << 20
const DAY_MS = 24 * 3600_000
const READING = { highWaterMark: 1 << 20 }

export async function importAll(
  paths: readonly string[],
  options: DataOptions,
  invocation: Invocation,
): Promise<number> {
  checkRoots(paths)
  const { terminal, signal } = invocation
  return await withArchive(options, invocation, async (archive) => {
    const counts = new Map<string, number>()
    const line = importLine(archive, (kind, said) => {
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      if (said !== undefined) terminal.err(`${said}\n`)
    })
    try {
      for await (const found of findInputs(paths)) {
        if (signal.aborted) break
        await line.take(found)
      }
    } finally {
      await line.end()
    }
    const of = (kind: string): number => counts.get(kind) ?? 0
    terminal.out(
      `${counted(of('stored'), 'instance')} stored, ${of('duplicate')} there already, ${of('conflict')} in conflict, ${of('refused')} refused.\n`,
    )
    if (signal.aborted) return EXIT.interrupted
    return of('conflict') + of('refused') > 0 ? EXIT.withheld : EXIT.done
  })
}

type ImportLine = {
  readonly take: (found: Found) => Promise<void>
  /** What is under way ends. */
  readonly end: () => Promise<void>
}

/** Files into the archive, a few megabytes of them at a time. */
function importLine(archive: Archive, tell: (kind: Outcome['kind'], said?: string) => void): ImportLine {
  const intake = openIntake(archive)
  const sender = actor()
  const flying = new Set<Promise<void>>()
  const failed: unknown[] = []
  let bytes = 0
  const fly = (name: string, size: number, submitted: Promise<Outcome>): void => {
    bytes += size
    const flight: Promise<void> = submitted
      .then((outcome) => {
        const what = lineOf(outcome)
        tell(outcome.kind, what === undefined ? undefined : `${name}: ${what}`)
      })
      .catch((error) => void failed.push(error))
      .finally(() => {
        bytes -= size
        flying.delete(flight)
      })
    flying.add(flight)
  }
  return {
    take: async (found) => {
      if (failed.length > 0) throw failed[0]
      const { input } = found
      const name = input.entry ? `${input.path}, ${input.entry}` : input.path
      if (found.kind !== 'input') return tell('refused', `${name}: ${found.reason.code}`)
      while (flying.size >= MAX_FLYING || bytes >= MAX_FLYING_BYTES) await Promise.race(flying)
      if (input.entry !== undefined) {
        const entry = wholeEntry(input)
        return fly(name, entry.length, intake.submitBytes(entry, { sender }))
      }
      const { size } = statSync(input.path)
      if (size > SMALL_BYTES)
        return fly(name, LARGE_COSTS, intake.submit(createReadStream(input.path, READING), { sender }))
      fly(name, size, intake.submitBytes(readFileSync(input.path), { sender }))
    },
    end: async () => {
      await Promise.all(flying)
      if (failed.length > 0) throw failed[0]
    },
  }
}

function wholeEntry(input: Input): Uint8Array {
  using source = openInput(input, 'whole')
  return new Uint8Array(source.read(0, source.size))
}

/** What a person should look at. */
function lineOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'refused') return `${outcome.code}: ${outcome.what}`
  const told = outcome.collisions.length > 0 ? `: ${outcome.collisions.join(', ')}` : ''
  if (outcome.kind === 'conflict') return `kept beside another instance of its UID with other bytes${told}`
  return told === '' ? undefined : `stored, but it contradicts what is there${told}`
}

export type ScrubOptions = DataOptions & { readonly olderThan?: number }

export async function scrubAll(
  { olderThan, ...options }: ScrubOptions,
  invocation: Invocation,
): Promise<number> {
  const before = olderThan === undefined ? {} : { before: new Date(Date.now() - olderThan * DAY_MS) }
  return await withArchive(options, invocation, async (archive) => {
    const { intact, damaged, missing, swept } = await scrub(archive, {
      signal: invocation.signal,
      ...before,
    })
    invocation.terminal.out(
      `${counted(intact, 'instance')} intact, ${damaged} damaged, ${missing} missing; ${counted(swept, 'blob')} that nothing names swept.\n`,
    )
    return damaged + missing > 0 ? EXIT.failed : EXIT.done
  })
}

export async function retrieve(
  { uid, file }: { readonly uid: string; readonly file: string },
  options: DataOptions,
  invocation: Invocation,
): Promise<number> {
  if (existsSync(file)) throw new UsageError(`${file} is there already: name another`)
  return await withArchive(options, invocation, async (archive) => {
    await using stored = await openInstance(archive, uid)
    if (stored === undefined) throw new UsageError('no instance of that UID is in the archive')
    const at = new Date()
    await transact(archive.database.kysely, (tx) =>
      appendEvents(
        tx,
        [
          {
            event: 'export',
            action: 'R',
            outcome: 'success',
            actor: actor(),
            objects: [{ kind: 'instance', id: uid }],
            detail: {},
          },
        ],
        at,
      ),
    )
    const fd = openSync(file, 'wx', PRIVATE_FILE)
    try {
      for await (const chunk of stored.read()) writeSync(fd, chunk)
    } finally {
      closeSync(fd)
    }
    return EXIT.done
  })
}
