// Writing an output so that nobody ever sees half of one: temporary file, re-read and verified from disk, then renamed.

import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync, writevSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { type Haystack, type Recipe, type Violation, verifyInstance } from '@roentgate/deid'
import {
  concat,
  DicomError,
  type DicomFile,
  readFile,
  transferSyntax,
  type Uid,
  writeFile,
} from '@roentgate/dicom'
import type { Clock } from './clock.ts'
import { inflate } from './inflate.ts'
import { type OpenFile, openFile } from './sources.ts'
import type { Reason } from './types.ts'

export type Written = { readonly path: string; readonly sha256: string; readonly bytes: number }

type Against = {
  readonly source: DicomFile
  readonly recipe: Recipe
  readonly haystack: Haystack
  readonly pixelsCleaned?: boolean
}

export type Draft = {
  readonly verify: (against: Against) => readonly Violation[]
  /** The file as it was written, for a look at its pixels; closed when that is over. */
  readonly reread: <T>(look: (output: DicomFile) => Promise<T>) => Promise<T>
  readonly publish: () => Written
  readonly discard: () => void
}

type Target = {
  readonly out: string
  readonly directory: readonly string[]
  readonly name: string
  readonly file: DicomFile
}

const PLAIN = '1.2.840.10008.1.2.1' as Uid
const made = new Set<string>()
const MAX_REMEMBERED = 10_000

export function writeDraft(target: Target, clock: Clock): Draft {
  const directory = join(target.out, ...target.directory)
  ensureDirectory(directory)
  const temporary = join(directory, `.${target.name}.${process.pid}.tmp`)
  try {
    writeChunks(temporary, target.file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
  clock.lap('write')
  const state: { sha256?: string; bytes?: number } = {}
  return {
    verify: (against) => {
      using output = openFile(temporary, 'whole')
      state.sha256 = sha256(output)
      state.bytes = output.size
      clock.lap('hash')
      return verified(output, against)
    },
    reread: async (look) => {
      using output = openFile(temporary, 'whole')
      return await look(readFile(output, { inflate }))
    },
    publish: () => {
      const path = [...target.directory, target.name].join('/')
      renameSync(temporary, join(directory, target.name))
      return { path, sha256: state.sha256 ?? '', bytes: state.bytes ?? 0 }
    },
    discard: () => rmSync(temporary, { force: true }),
  }
}

function ensureDirectory(directory: string): void {
  if (made.has(directory)) return
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  if (made.size > MAX_REMEMBERED) made.clear()
  made.add(directory)
}

function writeChunks(path: string, file: DicomFile): void {
  const descriptor = openSync(path, 'wx', 0o644)
  try {
    // What comes before the pixels waits for their first piece: a file of ordinary size is one write.
    let held: Uint8Array | undefined
    let first = true
    for (const chunk of writeFile(file, { deflate: deflateRawSync, passing: true })) {
      if (first) held = chunk
      else {
        writeAll(descriptor, held ? [held, chunk] : [chunk])
        held = undefined
      }
      first = false
    }
    if (held) writeAll(descriptor, [held])
  } finally {
    closeSync(descriptor)
  }
}

/** All in one call where the system takes all, as it does but on a full disk. */
function writeAll(descriptor: number, chunks: readonly Uint8Array[]): void {
  let left = writevSync(descriptor, chunks)
  for (const chunk of chunks) {
    const done = Math.min(left, chunk.length)
    left -= done
    for (let at = done; at < chunk.length; ) at += writeSync(descriptor, chunk, at, chunk.length - at)
  }
}

function sha256(output: OpenFile): string {
  const hash = createHash('sha256')
  for (const piece of output.pieces()) hash.update(piece)
  return hash.digest('hex')
}

function verified(output: OpenFile, against: Against): readonly Violation[] {
  let file: DicomFile
  try {
    file = readFile(output, { inflate })
  } catch (error) {
    if (!(error instanceof DicomError)) throw error
    return [{ code: 'UNREADABLE', what: 'what was written does not read back' }]
  }
  return verifyInstance({
    ...against,
    output: file,
    header: headerBytes(output, file),
    equal: (a, b) => Buffer.compare(a, b) === 0,
  })
}

/** Everything but top-level pixel data. A deflated data set is searched inflated, as readFile saw it. */
export function headerBytes(output: OpenFile, file: DicomFile): Uint8Array {
  if (transferSyntax(file.transferSyntax)?.deflated)
    return concat([...writeFile({ ...file, transferSyntax: PLAIN })])
  const parts: Uint8Array[] = []
  let at = 0
  for (const { value } of file.dataset.elements) {
    if (value.kind !== 'bulk' && value.kind !== 'fragments') continue
    parts.push(output.read(at, value.span.offset - at))
    at = value.span.offset + value.span.length
  }
  parts.push(output.read(at, output.size - at))
  return concat(parts)
}

/** An output that was released before: still the bytes of the manifest, and still clean. */
export function verifyOutput(path: string, digest: string, against: Against): readonly Reason[] {
  using output = openFile(path, 'whole')
  if (sha256(output) !== digest)
    return [{ code: 'OUTPUT_DIFFERS', what: 'the output is not the file that was released' }]
  return verified(output, against)
}
