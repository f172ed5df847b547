// --mapping DIR: who became whom. The only place where a value from a data set reaches the disk, because the user
// asked for it; mode 0600 in a folder of mode 0700, never under OUT.
//
//   uid_mapping.csv, patid_mapping.csv   id_old,id_new        sorted, distinct, RFC 4180
//   files.csv                            input,entry,outcome,output,reasons
//   mapping.spool.jsonl                  while the run lasts, so that a resumed one is complete

import { chmodSync, closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type AtomicFile, openAtomic, PRIVATE_FILE, PRIVATE_FOLDER, writeAll } from './atomic.ts'

type Pair = readonly [string, string]
type SpoolLine = { readonly f: string; readonly uids: readonly Pair[]; readonly patients: readonly Pair[] }

export class MappingSpool {
  readonly #folder: string
  readonly #path: string
  readonly #fd: number
  readonly #known = new Set<string>()

  constructor(folder: string, resume: boolean) {
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER })
    chmodSync(folder, PRIVATE_FOLDER)
    this.#folder = folder
    this.#path = join(folder, 'mapping.spool.jsonl')
    if (resume && existsSync(this.#path)) for (const { f } of readSpool(this.#path)) this.#known.add(f)
    this.#fd = openSync(this.#path, resume ? 'a' : 'w', PRIVATE_FILE)
  }

  /** Is the mapping of this source on disk already? */
  has(fingerprint: string): boolean {
    return this.#known.has(fingerprint)
  }

  append(lines: string): void {
    if (lines !== '') writeAll(this.#fd, Buffer.from(lines))
  }

  writeTables(): void {
    const uids = new Map<string, string>()
    const patients = new Map<string, string>()
    for (const line of readSpool(this.#path)) {
      for (const [before, after] of line.uids) uids.set(before, after)
      for (const [before, after] of line.patients) patients.set(before, after)
    }
    writeTable(join(this.#folder, 'uid_mapping.csv'), uids)
    writeTable(join(this.#folder, 'patid_mapping.csv'), patients)
  }

  openFiles(): AtomicFile {
    const file = openAtomic(join(this.#folder, 'files.csv'), PRIVATE_FILE)
    file.write(csvLine(['input', 'entry', 'outcome', 'output', 'reasons']))
    return file
  }

  /** Once the tables are written and nothing is left to resume. */
  discard(): void {
    rmSync(this.#path, { force: true })
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd)
  }
}

function* readSpool(path: string): Generator<SpoolLine> {
  for (const line of readFileSync(path, 'utf8').split('\n')) {
    const parsed = parseLine(line)
    if (parsed !== undefined) yield parsed
  }
}

/** A torn last line belongs to an instance that the journal does not know, either. */
function parseLine(line: string): SpoolLine | undefined {
  if (line === '') return undefined
  try {
    return JSON.parse(line) as SpoolLine
  } catch {
    return undefined
  }
}

function writeTable(path: string, pairs: ReadonlyMap<string, string>): void {
  using file = openAtomic(path, PRIVATE_FILE)
  file.write(csvLine(['id_old', 'id_new']))
  for (const before of [...pairs.keys()].sort()) file.write(csvLine([before, pairs.get(before) ?? '']))
  file.commit()
}

/** RFC 4180 2: quotes where they are needed, doubled inside; CR LF. */
export function csvLine(fields: readonly string[]): string {
  return `${fields.map(csvField).join(',')}\r\n`
}

function csvField(value: string): string {
  return /[",\r\n]|^\s|\s$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value
}

/** RFC 4180 rows; a byte order mark and either line end are accepted. */
export function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  let row: string[] = []
  const field = /("(?:[^"]|"")*"|(?!")[^,\r\n]*)(,|\r\n|\n|\r|$)/gy
  const body = text.replace(/^\uFEFF/, '')
  while (field.lastIndex < body.length) {
    const match = field.exec(body)
    if (match === null) throw new SyntaxError(`row ${rows.length + 1}: a quote is not closed`)
    const [, value = '', end] = match
    row.push(value.startsWith('"') ? value.slice(1, -1).replaceAll('""', '"') : value)
    if (end === ',' && field.lastIndex < body.length) continue
    if (end === ',') row.push('')
    rows.push(row)
    row = []
  }
  return rows.filter((each) => each.length > 1 || each[0] !== '')
}
