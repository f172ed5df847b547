// multipart/related bodies (RFC 2046 5.1.1, RFC 2387, PS3.18 8.6.1.2), read in chunks of any size.
//
//   preamble ─delimiter→ headers ─blank line→ body ─delimiter→ headers … ─close→ epilogue
//
// A delimiter is CRLF "--" boundary. No boundary holds a CR, so only the first byte of a delimiter can start one: what
// of it was seen at the end of a chunk is a number, not a buffer, and when the next chunk disappoints, those bytes are
// written from the delimiter itself. Nothing of a part's body is copied or kept. The CRLF before the first delimiter,
// and the one after a part's headers, count as seen: a body may begin with its delimiter, and a part may be empty.
//
// Lines end in CRLF. What follows a delimiter is "--", or padding and CRLF; anything else is refused, not guessed at.

import { WebError } from './errors.ts'
import { type Finder, finderOf, NOT_FOUND } from './finder.ts'
import { partHeaders } from './part-headers.ts'

export type MultipartLimits = {
  /** TOO_MANY_PARTS: instances in one request. A 4D study has some 20,000. */
  readonly parts: number
  /** HEADER_TOO_LONG: bytes of one part's headers, which is all that is kept in memory. */
  readonly headerBytes: number
  /** BAD_MULTIPART: bytes before the first delimiter. Most send none; more means another boundary than they said. */
  readonly preambleBytes: number
}

export const MULTIPART_LIMITS: MultipartLimits = {
  parts: 50_000,
  headerBytes: 16 * 1024,
  preambleBytes: 16 * 1024,
}

export type MultipartEvent =
  | { readonly kind: 'part-begin'; readonly headers: ReadonlyMap<string, string> }
  /** A view of the pushed chunk: good for as long as the chunk is. Never empty. */
  | { readonly kind: 'part-data'; readonly bytes: Uint8Array }
  | { readonly kind: 'part-end' }
  /** The closing delimiter. What may follow it says nothing. */
  | { readonly kind: 'end' }

export type MultipartReader = {
  /** @throws WebError BAD_MULTIPART, TOO_MANY_PARTS, HEADER_TOO_LONG; and again on each push after one. */
  readonly push: (chunk: Uint8Array) => readonly MultipartEvent[]
  /** No more chunks. @throws WebError TRUNCATED before the closing delimiter. */
  readonly end: () => void
}

type Phase = 'preamble' | 'delimiter' | 'headers' | 'body' | 'epilogue' | 'failed'

type State = {
  readonly finder: Finder
  readonly limits: MultipartLimits
  phase: Phase
  /** Bytes of the delimiter that were seen at the end of what was pushed so far. */
  seen: number
  /** Of those, the ones that were there by convention and are not part of any body. */
  virtual: number
  /** What came after the delimiter. */
  tail: '' | '-' | ' ' | '\r'
  padding: number
  preamble: number
  parts: number
  readonly head: Uint8Array
  headLength: number
}

const CR = 0x0d
const LF = 0x0a
const DASH = 0x2d
const SPACE = 0x20
const TAB = 0x09
/** White space that a gateway may have put after a boundary (RFC 2046 5.1.1): there is none in the wild. */
const MAX_PADDING = 256
/** The CRLF in front of a delimiter. */
const LINE_BREAK = 2

/** A reader of one body. The boundary is that of `multipartType`. */
export function multipartReader(boundary: string, limits: Partial<MultipartLimits> = {}): MultipartReader {
  const all = { ...MULTIPART_LIMITS, ...limits }
  const state: State = {
    finder: finderOf(boundary),
    limits: all,
    phase: 'preamble',
    seen: LINE_BREAK,
    virtual: LINE_BREAK,
    tail: '',
    padding: 0,
    preamble: 0,
    parts: 0,
    head: new Uint8Array(all.headerBytes),
    headLength: 0,
  }
  return {
    push: (chunk) => {
      const events: MultipartEvent[] = []
      try {
        for (let at = 0; at < chunk.length; ) at = step(state, { chunk, at }, events)
      } catch (error) {
        state.phase = 'failed'
        throw error
      }
      return events
    },
    end: () => {
      if (state.phase !== 'epilogue')
        throw new WebError('TRUNCATED', 'the body ends before its closing delimiter')
    },
  }
}

type Input = { readonly chunk: Uint8Array; readonly at: number }

/** Consumes at least one byte; says where the next phase begins. */
function step(state: State, { chunk, at }: Input, events: MultipartEvent[]): number {
  switch (state.phase) {
    case 'preamble':
    case 'body':
      return content(state, { chunk, at }, events)
    case 'delimiter':
      afterDelimiter(state, chunk[at] ?? 0, events)
      return at + 1
    case 'headers':
      return headers(state, { chunk, at }, events)
    case 'epilogue':
      return chunk.length
    case 'failed':
      throw malformed('a body that was refused before')
    default:
      return state.phase satisfies never
  }
}

/** Up to the delimiter, or to the end of the chunk. */
function content(state: State, { chunk, at }: Input, events: MultipartEvent[]): number {
  const { finder } = state
  if (state.seen > 0) {
    const more = finder.matchFrom(chunk, at, state.seen)
    if (state.seen + more === finder.length) return found(state, at + more, events)
    if (at + more === chunk.length) {
      state.seen += more
      return chunk.length
    }
    // It was none: the bytes of the chunk stay where they are, those before it were the delimiter's.
    emit(state, finder.prefix(state.virtual, state.seen), events)
    state.seen = 0
    state.virtual = 0
  }
  const place = finder.search(chunk, at)
  if (place !== NOT_FOUND) {
    emit(state, chunk.subarray(at, place), events)
    return found(state, place + finder.length, events)
  }
  state.seen = finder.partialAtEnd(chunk, at)
  emit(state, chunk.subarray(at, chunk.length - state.seen), events)
  return chunk.length
}

function emit(state: State, bytes: Uint8Array, events: MultipartEvent[]): void {
  if (state.phase === 'body') {
    if (bytes.length > 0) events.push({ kind: 'part-data', bytes })
    return
  }
  state.preamble += bytes.length
  if (state.preamble > state.limits.preambleBytes)
    throw malformed('no delimiter where the body must begin: another boundary than the type says?')
}

function found(state: State, next: number, events: MultipartEvent[]): number {
  if (state.phase === 'body') events.push({ kind: 'part-end' })
  state.phase = 'delimiter'
  state.seen = 0
  state.virtual = 0
  state.tail = ''
  state.padding = 0
  return next
}

function afterDelimiter(state: State, byte: number, events: MultipartEvent[]): void {
  if (state.tail === '-') {
    if (byte !== DASH) throw malformed('a delimiter with one dash after it', state.parts)
    state.phase = 'epilogue'
    events.push({ kind: 'end' })
  } else if (state.tail === '\r') {
    if (byte !== LF) throw malformed('a delimiter without CRLF', state.parts)
    if (state.parts === state.limits.parts) throw new WebError('TOO_MANY_PARTS', 'more parts than allowed')
    state.parts += 1
    state.phase = 'headers'
    state.headLength = 0
  } else if (byte === CR) {
    state.tail = '\r'
  } else if (byte === DASH && state.tail === '') {
    state.tail = '-'
  } else if (byte === SPACE || byte === TAB) {
    state.tail = ' '
    state.padding += 1
    if (state.padding > MAX_PADDING) throw malformed('a delimiter with long padding', state.parts)
  } else {
    throw malformed('a delimiter without CRLF', state.parts)
  }
}

/** Up to the blank line; a part without headers begins with it. */
function headers(state: State, { chunk, at }: Input, events: MultipartEvent[]): number {
  const { head } = state
  for (let next = at; next < chunk.length; next += 1) {
    if (state.headLength === head.length)
      throw new WebError('HEADER_TOO_LONG', 'longer headers than allowed in part', { position: state.parts })
    head[state.headLength] = chunk[next] ?? 0
    state.headLength += 1
    if (chunk[next] === LF && endsBlank(head, state.headLength)) {
      const bytes = head.subarray(0, state.headLength - LINE_BREAK)
      events.push({ kind: 'part-begin', headers: partHeaders(bytes, state.parts) })
      state.phase = 'body'
      state.seen = LINE_BREAK
      state.virtual = LINE_BREAK
      return next + 1
    }
  }
  return chunk.length
}

function endsBlank(head: Uint8Array, length: number): boolean {
  if (head[length - 2] !== CR) return false
  return length === LINE_BREAK || (head[length - 3] === LF && head[length - 4] === CR)
}

function malformed(what: string, part?: number): WebError {
  return new WebError('BAD_MULTIPART', what, part === undefined ? {} : { position: part })
}
