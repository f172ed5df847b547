// ZIP archives as inputs. The main thread reads the central directory (yauzl); a worker reads an entry by its place.
// Names of entries are for --mapping's files.csv only: nothing is ever written under them.

import { closeSync, openSync, readSync } from 'node:fs'
import { crc32, inflateRawSync } from 'node:zlib'
import type { Entry, ZipFile } from 'yauzl'
import type { Input, Reason, ZipPlace } from '../pipeline/types.ts'

/** An entry is inflated in memory: what is larger has to be unpacked by its owner. */
export const MAX_ENTRY_BYTES = 1024 ** 3
/** Deflate reaches 1032 : 1 at most; an archive that claims more in sum reuses its bytes, which only bombs do. */
export const MAX_RATIO = 1100
/** More than any study export; a hostile directory of empty entries stops here. */
export const MAX_ENTRIES = 2_000_000
/** APPNOTE.TXT 4.3.7. */
const LOCAL_HEADER = 30
const LOCAL_SIGNATURE = 0x04034b50
const STORED = 0
const DEFLATED = 8

export type ZipSighting =
  | { readonly kind: 'input'; readonly input: Omit<Input, 'index'> }
  | {
      readonly kind: 'settled'
      readonly input: Omit<Input, 'index'>
      readonly outcome: 'failed' | 'ignored' | 'quarantined'
      readonly reason: Reason
    }

export function isZipName(path: string): boolean {
  return path.slice(-4).toLowerCase() === '.zip'
}

/** Folders are skipped; everything else is one sighting. A broken archive is one, too. */
export async function* zipEntries(path: string): AsyncGenerator<ZipSighting> {
  let entries = 0
  let inflated = 0
  try {
    const { openPromise } = await import('yauzl')
    const archive: ZipFile = await openPromise(path, { decodeStrings: false, validateEntrySizes: true })
    try {
      for await (const entry of archive.eachEntry()) {
        const name = nameOf(entry)
        if (name.endsWith('/')) continue
        entries++
        const refusal = refused(entry, name)
        if (refusal === undefined) inflated += entry.uncompressedSize
        const reason =
          refusal ??
          (entries > MAX_ENTRIES || inflated > archive.fileSize * MAX_RATIO
            ? { code: 'ZIP_LIMIT', what: 'the archive claims more than an archive of its size can hold' }
            : undefined)
        if (reason === undefined) {
          yield { kind: 'input', input: { path, entry: name, zip: placeOf(entry) } }
        } else {
          yield { kind: 'settled', input: { path, entry: name }, outcome: 'quarantined', reason }
        }
        if (reason?.code === 'ZIP_LIMIT') return
      }
    } finally {
      archive.close()
    }
  } catch (error) {
    yield { kind: 'settled', input: { path }, outcome: 'failed', reason: archiveFailed(error) }
  }
}

/** yauzl leaves names as bytes under decodeStrings: false, so that a hostile name cannot stop the archive. */
function nameOf(entry: Entry): string {
  const raw: unknown = entry.fileName
  return Buffer.isBuffer(raw) ? raw.toString('utf8') : String(raw)
}

function placeOf(entry: Entry): ZipPlace {
  return {
    offset: entry.relativeOffsetOfLocalHeader,
    packed: entry.compressedSize,
    size: entry.uncompressedSize,
    method: entry.compressionMethod,
    crc: entry.crc32,
  }
}

function refused(entry: Entry, name: string): Reason | undefined {
  if (isZipName(name)) return { code: 'ZIP_NESTED', what: 'an archive in an archive is not opened' }
  if ((entry.generalPurposeBitFlag & 1) !== 0) {
    return { code: 'ZIP_ENCRYPTED', what: 'the entry is encrypted' }
  }
  if (entry.compressionMethod !== STORED && entry.compressionMethod !== DEFLATED) {
    return { code: 'ZIP_METHOD', what: 'compressed by a method other than deflate' }
  }
  if (entry.uncompressedSize > MAX_ENTRY_BYTES) {
    return { code: 'ZIP_LIMIT_ENTRY', what: `an entry above ${MAX_ENTRY_BYTES} bytes: unpack it first` }
  }
  if (entry.uncompressedSize > (entry.compressedSize + 1) * MAX_RATIO) {
    return { code: 'ZIP_RATIO', what: `inflates to more than ${MAX_RATIO} times its size` }
  }
  return undefined
}

function archiveFailed(error: unknown): Reason {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined
  if (code !== undefined) return { code: 'READ_FAILED', what: `the system could not read it (${code})` }
  return { code: 'ZIP_BROKEN', what: 'named .zip, but its directory cannot be read' }
}

export class ZipError extends Error {
  readonly code: 'ZIP_BROKEN' | 'ZIP_CHECKSUM'
  constructor(code: 'ZIP_BROKEN' | 'ZIP_CHECKSUM', what: string) {
    super(what)
    this.name = 'ZipError'
    this.code = code
  }
}

/** The bytes of one entry; synchronous, for a worker. Inflates no more than the directory declares. */
export function readZipEntry(path: string, place: ZipPlace): Buffer {
  const fd = openSync(path, 'r')
  try {
    const header = readExactly(fd, place.offset, LOCAL_HEADER)
    if (header.readUInt32LE(0) !== LOCAL_SIGNATURE) throw new ZipError('ZIP_BROKEN', 'no local file header')
    const data = place.offset + LOCAL_HEADER + header.readUInt16LE(26) + header.readUInt16LE(28)
    const packed = readExactly(fd, data, place.packed)
    const bytes = place.method === DEFLATED ? inflate(packed, place.size) : packed
    if (bytes.length !== place.size || crc32(bytes) !== place.crc) {
      throw new ZipError('ZIP_CHECKSUM', 'the entry is not what the archive says')
    }
    return bytes
  } finally {
    closeSync(fd)
  }
}

function inflate(packed: Buffer, size: number): Buffer {
  try {
    return inflateRawSync(packed, { maxOutputLength: Math.max(1, size) })
  } catch (cause) {
    throw new ZipError(
      'ZIP_BROKEN',
      `the entry does not inflate${cause instanceof RangeError ? ' to its size' : ''}`,
    )
  }
}

function readExactly(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const count = readSync(fd, bytes, done, length - done, offset + done)
    if (count === 0) throw new ZipError('ZIP_BROKEN', 'the archive ends inside an entry')
    done += count
  }
  return bytes
}
