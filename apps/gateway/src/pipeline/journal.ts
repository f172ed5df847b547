// OUT/.roentgate/journal.jsonl on disk: appended as results come, read back by place. Format: journal-lines.ts.
//
// Invariants: a line is written after the output that it speaks of; a torn last line is dropped on opening; later
// lines about the same fingerprint replace earlier ones.

import { closeSync, existsSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { writeAll } from './atomic.ts'
import { type Entry, JOURNAL_FORMAT } from './journal-lines.ts'

export type JournalHeader = {
  readonly recipe: string
  readonly edition: string
  readonly version: string
  /** Key id, not the key. */
  readonly key: string
  /** Keyed digest of --patients, and what else changes results. */
  readonly settings: string
}

export type Place = { readonly start: number; readonly end: number }

export class JournalError extends Error {
  readonly code: 'NO_JOURNAL' | 'BAD_JOURNAL' | 'OTHER_RUN'
  constructor(code: 'NO_JOURNAL' | 'BAD_JOURNAL' | 'OTHER_RUN', what: string) {
    super(what)
    this.name = 'JournalError'
    this.code = code
  }
}

const BUFFERED = 1 << 18
const CHUNK = 1 << 20
/** Far above a result with a thousand references; more is not a journal of ours. */
const MAX_LINE = 1 << 28
const NEWLINE = 0x0a

export function journalPath(out: string): string {
  return join(out, '.roentgate', 'journal.jsonl')
}

export class Journal {
  readonly #fd: number
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #size: number

  private constructor(fd: number, size: number) {
    this.#fd = fd
    this.#size = size
  }

  static create(path: string, header: JournalHeader): Journal {
    mkdirSync(dirname(path), { recursive: true })
    const journal = new Journal(openSync(path, 'w+'), 0)
    journal.append(Buffer.from(`${JSON.stringify({ journal: JOURNAL_FORMAT, ...header })}\n`))
    journal.flush()
    return journal
  }

  /** What is known already, by fingerprint. */
  static reopen(path: string, header: JournalHeader): { journal: Journal; known: Map<string, Place> } {
    if (!existsSync(path)) throw new JournalError('NO_JOURNAL', 'there is no unfinished run to resume')
    const fd = openSync(path, 'r+')
    const known = new Map<string, Place>()
    let size = 0
    let first = true
    for (const { line, start, end } of linesOf(fd)) {
      if (first) checkHeader(line, header)
      first = false
      size = end
      if (line.startsWith('{"f":"')) known.set(line.slice(6, line.indexOf('"', 6)), { start, end })
    }
    if (first) throw new JournalError('BAD_JOURNAL', 'the journal of the unfinished run is empty')
    ftruncateSync(fd, size)
    return { journal: new Journal(fd, size), known }
  }

  /** Returns where the bytes begin. */
  append(bytes: Uint8Array): number {
    const start = this.#size
    this.#size += bytes.length
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes > BUFFERED) this.flush()
    return start
  }

  flush(): void {
    if (this.#pending.length === 0) return
    writeAll(this.#fd, Buffer.concat(this.#pending), this.#size - this.#pendingBytes)
    this.#pending = []
    this.#pendingBytes = 0
  }

  read({ start, end }: Place): Entry {
    const bytes = Buffer.allocUnsafe(end - start)
    readSync(this.#fd, bytes, 0, bytes.length, start)
    return JSON.parse(bytes.toString('utf8')) as Entry
  }

  /** Lines in the order of writing. */
  *lines(): Generator<string> {
    for (const { line } of linesOf(this.#fd)) yield line
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }

  sync(): void {
    this.flush()
    fsyncSync(this.#fd)
  }
}

type Line = Place & { readonly line: string }

/** Whole lines only; memory is bounded by the longest. */
function* linesOf(fd: number): Generator<Line> {
  let rest: Buffer = Buffer.alloc(0)
  let restStart = 0
  let at = 0
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK)
    const count = readSync(fd, chunk, 0, CHUNK, at)
    if (count === 0) return
    at += count
    const bytes =
      rest.length === 0 ? chunk.subarray(0, count) : Buffer.concat([rest, chunk.subarray(0, count)])
    let from = 0
    for (let to = bytes.indexOf(NEWLINE, from); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      yield { line: bytes.toString('utf8', from, to), start: restStart + from, end: restStart + to + 1 }
      from = to + 1
    }
    rest = bytes.subarray(from)
    restStart += from
    if (rest.length > MAX_LINE) throw new JournalError('BAD_JOURNAL', 'the journal has a line without end')
  }
}

const DIFFERENCES: Readonly<Record<keyof JournalHeader, string>> = {
  recipe: 'another recipe',
  edition: 'another edition of the standard',
  version: 'another version of roentgate',
  key: 'another key',
  settings: 'other settings (--pixels, --faces, --patients or --mapping)',
}

function checkHeader(line: string, header: JournalHeader): void {
  const found = parseHeader(line)
  if (found?.journal !== JOURNAL_FORMAT) {
    throw new JournalError('BAD_JOURNAL', 'the journal of the unfinished run cannot be read')
  }
  for (const [name, what] of Object.entries(DIFFERENCES)) {
    if (found[name] !== header[name as keyof JournalHeader]) {
      throw new JournalError('OTHER_RUN', `the unfinished run was made with ${what}`)
    }
  }
}

function parseHeader(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
