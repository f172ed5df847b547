// Bytes → values (PS3.10 7.1).
//
//   [128 preamble "DICM"] [group 0002, explicit little endian] data set in the syntax that (0002,0010) names
//
// All but the data set may be missing in files that exist. The header is loaded by growing prefixes; top-level
// pixel data stays in the source. The reader refuses what it cannot account for byte by byte.

import { DicomError } from './errors.ts'
import { UNDEFINED_LENGTH } from './fragments.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'
import type { ByteSource, Dataset, DicomFile, Element, Encoding, Span, Uid, Warning } from './model.ts'
import { find, fromBytes, tag } from './model.ts'
import { checkOrder } from './order.ts'
import { isZero, Parser } from './parse.ts'
import { type Budget, NeedMore, type Region } from './region.ts'
import { transferSyntax } from './uids.ts'
import { decodeAscii } from './values.ts'
import { vrFromBytes } from './vr.ts'

/** Raw deflate (RFC 1951), as PS3.5 A.5 asks for. Throws where the stream is broken or longer than `maxBytes`. */
export type Inflate = (deflated: Uint8Array, maxBytes: number) => Uint8Array

export type ReadOptions = { readonly inflate?: Inflate; readonly limits?: Partial<Limits> }

const FIRST_REGION = 64 * 1024
const PREAMBLE = 128
const IMPLICIT = '1.2.840.10008.1.2' as Uid
const EXPLICIT = '1.2.840.10008.1.2.1' as Uid
const BIG_ENDIAN = '1.2.840.10008.1.2.2' as Uid
const TRANSFER_SYNTAX_UID = tag(0x00020010)
const META_LENGTH = tag(0x00020000)

type Start = { readonly preamble: Uint8Array | undefined; readonly at: number }
type MetaRead = { readonly meta: Dataset | undefined; readonly end: number }

/**
 * Reads one file. Element values are views on what `source.read` returned.
 * @throws DicomError with a code, the byte offset and the tag; never a value.
 */
export function readFile(source: ByteSource, options: ReadOptions = {}): DicomFile {
  return readFrom(source, options, false).file
}

/** `length`: of the value that begins at `at`; undefined for fragments (PS3.5 A.4). */
export type PixelStart = { readonly at: number; readonly length: number | undefined }

/** `file`: without pixel data, and without what follows it. */
export type Head = { readonly file: DicomFile; readonly pixels: PixelStart | undefined }

/**
 * Reads what comes before top-level pixel data, from a source that holds at least that: the beginning of a stream.
 * A deflated data set has no such beginning: all of it must be there.
 * @throws DicomError TRUNCATED where more of the stream is needed, or none is left.
 */
export function readHead(source: ByteSource, options: ReadOptions = {}): Head {
  return readFrom(source, options, true)
}

/** Where the data set begins, after preamble and group 0002, by the first bytes of a file: what goes over a network.
 * @throws DicomError TRUNCATED where the meta group does not end in them. */
export function dataSetStart(source: ByteSource, options: Pick<ReadOptions, 'limits'> = {}): number {
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const budget: Budget = { elements: 0, header: 0, notSequences: 0, limits, warnings: [] }
  return readMeta(source, findStart(source, budget.warnings).at, budget).end
}

function readFrom(source: ByteSource, options: ReadOptions, isHead: boolean): Head {
  if (source.size === 0) throw new DicomError('EMPTY', 'the file is empty', { offset: 0 })
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const budget: Budget = { elements: 0, header: 0, notSequences: 0, limits, warnings: [] }
  const start = findStart(source, budget.warnings)
  const { meta, end } = readMeta(source, start.at, budget)
  const named = meta && find(meta, TRANSFER_SYNTAX_UID)
  const claimed = named?.value.kind === 'bytes' ? decodeAscii(named.value.bytes).trim() : undefined
  const head = source.read(end, 8)
  const syntax = claimed ? known(claimed) : undefined
  if (syntax?.deflated) {
    const inner = fromBytes(inflate({ source, at: end, limits }, options.inflate))
    return assemble(
      { source: inner, at: 0, encoding: syntax.encoding, isHead: false },
      { start, meta, syntax: syntax.uid },
      budget,
    )
  }
  const guessed = guessEncoding(head, syntax?.encoding)
  if (guessed === undefined) {
    if (source.size - end < 8)
      throw new DicomError('TRUNCATED', 'no data set after the file meta', { offset: end })
    throw new DicomError('NOT_DICOM', 'no data set: not a DICOM file, or one in a form nobody can name', {
      offset: end,
    })
  }
  const agrees = syntax !== undefined && sameEncoding(guessed, syntax.encoding)
  if (!agrees) budget.warnings.push({ code: 'GUESSED_ENCODING', offset: end })
  // Compressed frames in an implicit data set exist: the frames are what the syntax says, and writing makes it explicit.
  const uid = syntax && (agrees || (syntax.encapsulated && !guessed.bigEndian)) ? syntax.uid : uidOf(guessed)
  return assemble({ source, at: end, encoding: guessed, isHead }, { start, meta, syntax: uid }, budget)
}

function known(uid: string): ReturnType<typeof transferSyntax> {
  const syntax = transferSyntax(uid)
  if (syntax) return syntax
  throw new DicomError(
    'UNSUPPORTED_TRANSFER_SYNTAX',
    'a transfer syntax that the standard does not register',
    {
      tag: TRANSFER_SYNTAX_UID,
    },
  )
}

function findStart(source: ByteSource, warnings: Warning[]): Start {
  const head = source.read(0, PREAMBLE + 4)
  if (isDicm(head, PREAMBLE) && !startsWithIdentity(head))
    return { preamble: head.slice(0, PREAMBLE), at: PREAMBLE + 4 }
  warnings.push({ code: 'NO_PREAMBLE', offset: 0 })
  if (isDicm(head, 0)) return { preamble: new Uint8Array(0), at: 4 }
  return { preamble: undefined, at: 0 }
}

/** A data set from byte 0 whose text happens to say DICM at byte 128: no preamble begins with (0008,0005) or (0002,0000). */
function startsWithIdentity(head: Uint8Array): boolean {
  return (
    ['08000500', '08000800', '02000000'].some((start) => hexStart(head) === start) &&
    fits(head, EXPLICIT_ENCODING)
  )
}

function hexStart(head: Uint8Array): string {
  return [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}

function isDicm(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x44 && bytes[at + 1] === 0x49 && bytes[at + 2] === 0x43 && bytes[at + 3] === 0x4d
}

function readMeta(source: ByteSource, at: number, budget: Budget): MetaRead {
  const head = source.read(at, 8)
  if (head[0] !== 0x02 || head[1] !== 0x00 || vrFromBytes(head[4] ?? 0, head[5] ?? 0) === undefined) {
    budget.warnings.push({ code: 'NO_META', offset: at })
    return { meta: undefined, end: at }
  }
  const { elements, end } = loadRegion({ source, base: at, first: 4096 }, budget, (parser) => parser.meta())
  checkOrder(elements, (t) => budget.warnings.push({ code: 'UNSORTED', tag: t, offset: at }), at)
  if (!elements.some((element) => element.tag === META_LENGTH)) {
    budget.warnings.push({ code: 'NO_META_LENGTH', offset: at })
  }
  const encoding: Encoding = { explicit: true, bigEndian: false }
  return { meta: { kind: 'dataset', elements, encoding, charset: [] }, end: at + end }
}

/** Parses over growing prefixes of a region until nothing is missing. */
function loadRegion<T>(
  from: { readonly source: ByteSource; readonly base: number; readonly first: number },
  budget: Budget,
  parse: (parser: Parser) => T,
): T {
  const { source, base } = from
  const available = Math.min(source.size - base, budget.limits.headerBytes - budget.header)
  let size = Math.min(from.first, available)
  for (;;) {
    const region: Region = { bytes: source.read(base, size), base, source }
    if (region.bytes.length < size)
      throw new DicomError('TRUNCATED', 'the file became shorter while it was read', { offset: base })
    const spent = budget.elements
    const attempts = budget.notSequences
    const warned = budget.warnings.length
    try {
      const parser = new Parser(region, budget)
      const parsed = parse(parser)
      budget.header += parser.position
      return parsed
    } catch (error) {
      if (!(error instanceof NeedMore)) throw error
      budget.elements = spent
      budget.notSequences = attempts
      budget.warnings.length = warned
      if (error.bytes > available) {
        throw new DicomError('LIMIT_HEADER', 'more header than one file may have', { offset: base + size })
      }
      size = Math.min(available, Math.max(size * 4, error.bytes + FIRST_REGION))
    }
  }
}

type Body = {
  readonly source: ByteSource
  readonly at: number
  readonly encoding: Encoding
  readonly isHead: boolean
}
type Front = { readonly start: Start; readonly meta: Dataset | undefined; readonly syntax: Uid }

function assemble(body: Body, front: Front, budget: Budget): Head {
  const elements: Element[] = []
  let charset: readonly string[] = []
  let base = body.at
  let trailing: Span | undefined
  let pixels: PixelStart | undefined
  for (;;) {
    const first = base === body.at ? FIRST_REGION : 4096
    const part = loadRegion({ source: body.source, base, first }, budget, (parser) =>
      parser.root({
        encoding: body.encoding,
        charset,
        last: elements.at(-1)?.tag,
        isHead: body.isHead,
      }),
    )
    for (const element of part.elements) elements.push(element)
    charset = part.charset
    if (part.stop.kind === 'after-pixels') {
      base = part.stop.at
      if (base >= body.source.size) break
      continue
    }
    if (part.stop.kind === 'pixels') {
      const { at, length } = part.stop
      pixels = { at, length: length === UNDEFINED_LENGTH ? undefined : length }
    }
    if (part.stop.kind === 'trailing')
      trailing = { offset: part.stop.at, length: body.source.size - part.stop.at }
    break
  }
  checkOrder(elements, (t) => budget.warnings.push({ code: 'UNSORTED', tag: t, offset: body.at }), body.at)
  if (elements.length === 0)
    throw new DicomError('TRUNCATED', 'no element in the data set', { offset: body.at })
  if (trailing) {
    budget.warnings.push({
      code: isZero(body.source, trailing) ? 'TRAILING_PADDING' : 'TRAILING_BYTES',
      offset: trailing.offset,
    })
  }
  const dataset: Dataset = { kind: 'dataset', elements, encoding: body.encoding, charset }
  const file = {
    preamble: front.start.preamble,
    meta: front.meta,
    transferSyntax: front.syntax,
    dataset,
    trailing,
    warnings: budget.warnings,
  }
  return { file, pixels }
}

type Deflated = { readonly source: ByteSource; readonly at: number; readonly limits: Limits }

function inflate({ source, at, limits }: Deflated, run: Inflate | undefined): Uint8Array {
  if (!run)
    throw new DicomError('UNSUPPORTED_TRANSFER_SYNTAX', 'a deflated data set, and no inflater was given', {
      offset: at,
    })
  // No deflater makes its input longer than this.
  const deflated = source.read(at, Math.min(source.size - at, Math.ceil(limits.inflatedBytes * 1.125) + 1024))
  let inflated: Uint8Array
  try {
    inflated = run(deflated, limits.inflatedBytes + 1)
  } catch (cause) {
    const big = cause instanceof RangeError || (cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
    if (big)
      throw new DicomError('LIMIT_INFLATED', 'a deflated data set larger than one may be', { offset: at })
    throw new DicomError(
      'INFLATE_FAILED',
      'the deflated data set is damaged: ask its sender for a whole copy',
      { offset: at },
    )
  }
  if (inflated.length > limits.inflatedBytes) {
    throw new DicomError('LIMIT_INFLATED', 'a deflated data set larger than one may be', { offset: at })
  }
  return inflated
}

const IMPLICIT_ENCODING: Encoding = { explicit: false, bigEndian: false }
const EXPLICIT_ENCODING: Encoding = { explicit: true, bigEndian: false }
const BIG_ENCODING: Encoding = { explicit: true, bigEndian: true }

/** What the first element says; the claim wins wherever it can be true. */
function guessEncoding(head: Uint8Array, claimed: Encoding | undefined): Encoding | undefined {
  if (claimed && fits(head, claimed, LAST_GROUP)) return claimed
  // A first value longer than a guess would believe.
  if (claimed && !claimed.explicit && head.length >= 8 && !fits(head, EXPLICIT_ENCODING, LAST_GROUP))
    return claimed
  return [EXPLICIT_ENCODING, BIG_ENCODING, IMPLICIT_ENCODING].find((encoding) => fits(head, encoding))
}

/** A claimed encoding may begin anywhere; a guess only where data sets really begin. */
const LAST_GROUP = 0xffff
const FIRST_GROUPS = 0x0100

function fits(head: Uint8Array, encoding: Encoding, last = FIRST_GROUPS): boolean {
  if (head.length < 8) return false
  const [a = 0, b = 0] = head
  const group = encoding.bigEndian ? (a << 8) | b : a | (b << 8)
  // The first group of a data set is 0008 but for odd objects (0004 in a DICOMDIR, 0010 or later in fragments).
  if (group === 0 || group > last) return false
  if (encoding.explicit) return vrFromBytes(head[4] ?? 0, head[5] ?? 0) !== undefined
  const length =
    ((head[4] ?? 0) | ((head[5] ?? 0) << 8) | ((head[6] ?? 0) << 16) | ((head[7] ?? 0) << 24)) >>> 0
  return length < 0x10000 || length === 0xffffffff
}

function sameEncoding(a: Encoding, b: Encoding): boolean {
  return a.explicit === b.explicit && a.bigEndian === b.bigEndian
}

function uidOf(encoding: Encoding): Uid {
  if (!encoding.explicit) return IMPLICIT
  return encoding.bigEndian ? BIG_ENDIAN : EXPLICIT
}
