// roentgate import | scrub | retrieve: the archive without a socket.

import { closeSync, existsSync, openSync, statSync, writeSync } from 'node:fs'
import type { Archive } from '../archive/archive.ts'
import { BATCH, ingest, type Outcome } from '../archive/ingest/ingest.ts'
import { openInstance } from '../archive/retrieve.ts'
import { scrub } from '../archive/scrub.ts'
import { transact } from '../db/database.ts'
import { type Found, findInputs } from '../ingress/folder.ts'
import { appendEvents } from '../ledger/append.ts'
import { PRIVATE_FILE } from '../pipeline/atomic.ts'
import { openInput } from '../pipeline/input.ts'
import { actor, type DataOptions, withArchive } from './data.ts'
import { checkRoots } from './places.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

/** Of a batch, beside the one file that is larger by itself. */
const BATCH_BYTES = 12 << 20
/** Batches under way: while one waits for the disk, another is hashed, and a third is in the database. */
const IN_FLIGHT = 4
/** A file is held in memory while it enters. */
const MAX_FILE = 1 << 30

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
  /** What is held goes in, and what is under way ends. */
  readonly end: () => Promise<void>
}

/** Files into batches, batches into the archive, a few at a time. */
function importLine(archive: Archive, tell: (kind: Outcome['kind'], said?: string) => void): ImportLine {
  const held = { names: [] as string[], files: [] as Uint8Array[], bytes: 0 }
  const flying = new Set<Promise<void>>()
  const failed: unknown[] = []
  const fly = async (files: readonly Uint8Array[], names: readonly string[]): Promise<void> => {
    for (const [place, outcome] of (await ingest(archive, files, actor())).entries()) {
      const what = lineOf(outcome)
      tell(outcome.kind, what === undefined ? undefined : `${names[place]}: ${what}`)
    }
  }
  const flush = (): void => {
    if (held.files.length === 0) return
    const flight: Promise<void> = fly(held.files, held.names)
      .catch((error) => void failed.push(error))
      .finally(() => flying.delete(flight))
    flying.add(flight)
    Object.assign(held, { names: [], files: [], bytes: 0 })
  }
  return {
    take: async (found) => {
      if (failed.length > 0) throw failed[0]
      const { input } = found
      const name = input.entry ? `${input.path}, ${input.entry}` : input.path
      if (found.kind !== 'input') return tell('refused', `${name}: ${found.reason.code}`)
      if (input.entry === undefined && statSync(input.path).size > MAX_FILE)
        return tell('refused', `${name}: larger than ${MAX_FILE >> 20} MiB, which import holds in memory`)
      using source = openInput(input, 'whole')
      held.names.push(name)
      held.files.push(new Uint8Array(source.read(0, source.size)))
      held.bytes += source.size
      if (held.files.length >= BATCH || held.bytes >= BATCH_BYTES) flush()
      if (flying.size >= IN_FLIGHT) await Promise.race(flying)
    },
    end: async () => {
      flush()
      await Promise.all(flying)
      if (failed.length > 0) throw failed[0]
    },
  }
}

/** What a person should look at. */
function lineOf(outcome: Outcome): string | undefined {
  if (outcome.kind === 'refused') return `${outcome.code}: ${outcome.what}`
  const told = outcome.collisions.length > 0 ? `: ${outcome.collisions.join(', ')}` : ''
  if (outcome.kind === 'conflict') return `kept beside another instance of its UID with other bytes${told}`
  return told === '' ? undefined : `stored, but it contradicts what is there${told}`
}

export async function scrubAll(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    const { intact, damaged, missing, swept } = await scrub(archive, invocation.signal)
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
