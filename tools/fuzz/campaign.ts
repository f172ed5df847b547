// One fuzz campaign over the reader: cases [from, to) of a seed, and what each must hold.
//
//   mutated input ─readFile→ DicomError | file ─every value, write, readFile, write→ the same bytes
//
// Broken is: another error, more than a second, more bytes asked of the source than the limits allow.

import { inflateRawSync } from 'node:zlib'
import {
  type ByteSource,
  concat,
  type Dataset,
  DicomError,
  type DicomFile,
  fromBytes,
  type Limits,
  numbers,
  readFile,
  strings,
  text,
  transferSyntax,
  writeFile,
} from '@roentgate/dicom'
import { type Corpus, corpus, deflatedFile } from './corpus.ts'
import { mutated, randomOf } from './mutate.ts'

/** Small, so that all of them are met. */
export const LIMITS: Limits = {
  depth: 16,
  elements: 400,
  headerBytes: 6000,
  inflatedBytes: 6000,
  fragments: 8,
  multiplicity: 1000,
}

/** One read may be the header, or a deflated stream that is allowed to be a little longer than what it holds. */
export const MAX_READ = Math.ceil(LIMITS.inflatedBytes * 1.125) + 1024
/** All reads of one input: prefixes of the header grow fourfold, fragments are walked in windows. */
export const MAX_TOTAL = 4 * 1024 * 1024
export const MAX_MILLISECONDS = 1000

export type Broken = { readonly index: number; readonly what: string }
export type Tally = {
  cases: number
  accepted: number
  /** DicomError code → how often. */
  readonly refused: Record<string, number>
  slowest: number
  mostRead: number
  mostInAll: number
  readonly broken: Broken[]
}

export type Range = {
  readonly seed: number
  readonly from: number
  readonly to: number
  readonly step: number
}

export function campaign(range: Range, progress: (index: number) => void): Tally {
  const files = corpus()
  const tally: Tally = {
    cases: 0,
    accepted: 0,
    refused: {},
    slowest: 0,
    mostRead: 0,
    mostInAll: 0,
    broken: [],
  }
  for (let index = range.from; index < range.to; index += range.step) {
    progress(index)
    runCase(inputOf(range.seed, index, files), index, tally)
    if (tally.broken.length >= 20) break
  }
  return tally
}

/** The bytes of one case, to look at or to keep as a regression. */
export function inputOf(seed: number, index: number, files: Corpus = corpus()): Uint8Array {
  const dice = randomOf(seed, index)
  if (dice.below(10) === 0) return deflatedFile(mutated(files.deflated, dice))
  return mutated(files.files, dice)
}

function runCase(bytes: Uint8Array, index: number, tally: Tally): void {
  const reads = { most: 0, total: 0 }
  const started = performance.now()
  try {
    const file = read(counted(bytes, reads))
    touch(file)
    tally.accepted += 1
  } catch (error) {
    if (error instanceof DicomError) tally.refused[error.code] = (tally.refused[error.code] ?? 0) + 1
    else tally.broken.push({ index, what: error instanceof Error ? `${error.stack}` : 'something thrown' })
  }
  const took = performance.now() - started
  tally.cases += 1
  tally.slowest = Math.max(tally.slowest, took)
  tally.mostRead = Math.max(tally.mostRead, reads.most)
  tally.mostInAll = Math.max(tally.mostInAll, reads.total)
  if (took > MAX_MILLISECONDS) tally.broken.push({ index, what: `took ${Math.round(took)} ms` })
  if (reads.most > MAX_READ) tally.broken.push({ index, what: `read ${reads.most} bytes at once` })
  if (reads.total > MAX_TOTAL) tally.broken.push({ index, what: `read ${reads.total} bytes in all` })
}

function counted(bytes: Uint8Array, reads: { most: number; total: number }): ByteSource {
  const source = fromBytes(bytes)
  return {
    size: source.size,
    read: (offset, length) => {
      if (!(offset >= 0 && length >= 0)) throw new RangeError(`read of ${length} bytes at ${offset}`)
      const out = source.read(offset, length)
      // What was asked for and is not there costs nothing, but what a file on disk would allocate does.
      reads.most = Math.max(reads.most, Math.min(length, source.size))
      reads.total += out.length
      return out
    },
  }
}

function read(source: ByteSource): DicomFile {
  const inflate = (deflated: Uint8Array, maxOutputLength: number) =>
    inflateRawSync(deflated, { maxOutputLength })
  return readFile(source, { inflate, limits: LIMITS })
}

/** All that others do with an accepted file. */
function touch(file: DicomFile): void {
  if (file.meta) decode(file.meta)
  decode(file.dataset)
  if (transferSyntax(file.transferSyntax)?.deflated) return
  const once = concat([...writeFile(file)])
  const again = read(fromBytes(once))
  const twice = concat([...writeFile(again)])
  if (Buffer.compare(once, twice) !== 0) throw new Error('written twice, differs')
  if (again.dataset.elements.length !== file.dataset.elements.length)
    throw new Error('written, lost elements')
}

function decode(dataset: Dataset): void {
  for (const element of dataset.elements) {
    text(dataset, element)
    strings(dataset, element, LIMITS.multiplicity)
    numbers(dataset, element, LIMITS.multiplicity)
    if (element.value.kind === 'items') for (const item of element.value.items) decode(item)
  }
}
