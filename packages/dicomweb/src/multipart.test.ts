// Bodies cut at every byte, bodies that look like their delimiter, and bodies that are none.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { WebError } from './errors.ts'
import { type MultipartEvent, type MultipartLimits, multipartReader } from './multipart.ts'
import { closing, partHead } from './multipart-type.ts'

type Part = { readonly headers: Readonly<Record<string, string>>; readonly body: string }

const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'))

/** The parts, from chunks; asserts that events come in order and that no data event is empty. */
function partsOf(
  chunks: readonly Uint8Array[],
  boundary = 'b',
  limits: Partial<MultipartLimits> = {},
): readonly Part[] {
  const reader = multipartReader(boundary, limits)
  const parts: Part[] = []
  let open: { headers: ReadonlyMap<string, string>; body: Buffer[] } | undefined
  let ended = false
  const take = (event: MultipartEvent): void => {
    assert.equal(ended, false)
    if (event.kind === 'part-begin') {
      assert.equal(open, undefined)
      open = { headers: event.headers, body: [] }
    } else if (event.kind === 'part-data') {
      assert.ok(event.bytes.length > 0)
      open?.body.push(Buffer.from(event.bytes))
    } else if (event.kind === 'part-end') {
      assert.ok(open)
      parts.push({
        headers: Object.fromEntries(open.headers),
        body: Buffer.concat(open.body).toString('latin1'),
      })
      open = undefined
    } else ended = true
  }
  for (const chunk of chunks) for (const event of reader.push(chunk)) take(event)
  reader.end()
  assert.equal(ended, true)
  return parts
}

const parts = (text: string, boundary?: string): readonly Part[] => partsOf([latin1(text)], boundary)
const bodies = (text: string, boundary?: string): readonly string[] =>
  parts(text, boundary).map(({ body }) => body)

function cut(bytes: Uint8Array, size: number): readonly Uint8Array[] {
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
    bytes.subarray(at * size, (at + 1) * size),
  )
}

const EXAMPLE = [
  'preamble, which is ignored\r\n',
  '--b \t\r\nContent-Type: application/dicom\r\nContent-Location: http://example.org/1\r\n\r\n',
  'one\r\n--\r\n-b\r--b\n--b\r\r\n\r\n--a\r\n--',
  '\r\n--b\r\n\r\n',
  '\r\n--b\r\nContent-Type:text/plain;\r\n\tcharset=utf-8\r\n\r\n',
  'three\r\n\r\n--b--\r\nepilogue\r\n--b\r\n',
].join('')
const EXPECTED: readonly Part[] = [
  {
    headers: { 'content-type': 'application/dicom', 'content-location': 'http://example.org/1' },
    body: 'one\r\n--\r\n-b\r--b\n--b\r\r\n\r\n--a\r\n--',
  },
  { headers: {}, body: '' },
  { headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'three\r\n' },
]

describe('a body in chunks', () => {
  it('as a whole', () => assert.deepEqual(parts(EXAMPLE), EXPECTED))
  it('cut in two at every byte', () => {
    const bytes = latin1(EXAMPLE)
    for (let at = 0; at <= bytes.length; at += 1)
      assert.deepEqual(partsOf([bytes.subarray(0, at), bytes.subarray(at)]), EXPECTED, `at ${at}`)
  })
  it('cut in three at every two bytes', () => {
    const bytes = latin1(EXAMPLE.slice(0, 150).concat('\r\n--b--'))
    const expected = partsOf([bytes])
    for (let first = 0; first <= bytes.length; first += 1)
      for (let second = first; second <= bytes.length; second += 1) {
        const chunks = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
        assert.deepEqual(partsOf(chunks), expected)
      }
  })
  it('in chunks of every size', () => {
    const bytes = latin1(EXAMPLE)
    for (let size = 1; size < bytes.length; size += 1)
      assert.deepEqual(partsOf(cut(bytes, size)), EXPECTED, `${size}`)
  })
  it('what is written is what is read, whatever is in it', () => {
    const piece = fc.constantFrom('\r\n--', '\r\n', '\r', '--', '-', 'b', 'bb', '\r\n--b', '\n', 'x', '')
    const body = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''))
    const boundary = fc.constantFrom('bbbc', '--', "=_'()+,./:?", 'x'.repeat(70))
    fc.assert(
      fc.property(fc.array(body, { maxLength: 4 }), boundary, fc.nat(40), (written, mark, size) => {
        fc.pre(written.every((each) => !`\r\n${each}`.includes(`\r\n--${mark}`)))
        const head = partHead({ boundary: mark, contentType: 'a/b' })
        const bytes = Buffer.concat([...written.flatMap((each) => [head, latin1(each)]), closing(mark)])
        const read = partsOf(cut(bytes, size + 1), mark)
        assert.deepEqual(
          read.map((part) => part.body),
          written,
        )
      }),
      { numRuns: 500 },
    )
  })
  it('data are views of the chunk', () => {
    const chunk = latin1('--b\r\n\r\nlong enough\r\n--b--')
    const data = multipartReader('b')
      .push(chunk)
      .find((event) => event.kind === 'part-data')
    assert.equal(data?.bytes.buffer, chunk.buffer)
  })
})

describe('forms that are allowed', () => {
  it('a first delimiter at the first byte, or after a CRLF', () => {
    assert.deepEqual(bodies('--b\r\n\r\nx\r\n--b--'), ['x'])
    assert.deepEqual(bodies('\r\n--b\r\n\r\nx\r\n--b--'), ['x'])
  })
  it('a part whose blank line belongs to the delimiter', () => {
    assert.deepEqual(parts('--b\r\nA: 1\r\n\r\n--b--'), [{ headers: { a: '1' }, body: '' }])
  })
  it('no parts', () => assert.deepEqual(parts('--b--'), []))
  it('a line of the preamble that only ends in the delimiter', () => {
    assert.deepEqual(bodies('x--b\r\n--b\r\n\r\nx\r\n--b--'), ['x'])
  })
  it('names in any case, UTF-8 in values, nothing in a value', () => {
    const text = Buffer.from('--b\r\nCONTENT-type:a/b\r\nX:\r\nY: ü\r\n\r\n\r\n--b--').toString('latin1')
    assert.deepEqual(parts(text)[0]?.headers, { 'content-type': 'a/b', x: '', y: 'ü' })
  })
})

describe('what is refused', () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ['nothing', '', 'TRUNCATED'],
    ['text', 'hello', 'TRUNCATED'],
    ['no closing delimiter', '--b\r\n\r\nx', 'TRUNCATED'],
    ['the end in the middle of headers', '--b\r\nA: 1\r\n', 'TRUNCATED'],
    ['a closing delimiter with one dash', '--b\r\n\r\nx\r\n--b-', 'TRUNCATED'],
    ['one dash', '--b\r\n\r\nx\r\n--b-\r\n', 'BAD_MULTIPART'],
    ['a delimiter with LF alone', '--b\n\r\nx\r\n--b--', 'BAD_MULTIPART'],
    ['LF alone before a delimiter', '--b\r\n\r\nx\n--b--', 'TRUNCATED'],
    ['CR alone', '--b\rx', 'BAD_MULTIPART'],
    ['a line that begins as a delimiter and goes on', '--b\r\n\r\nx\r\n--bx\r\n', 'BAD_MULTIPART'],
    ['dashes after padding', '--b --', 'BAD_MULTIPART'],
    ['padding without end', `--b${' '.repeat(300)}\r\n`, 'BAD_MULTIPART'],
    ['a long preamble', `${'x'.repeat(20_000)}\r\n--b\r\n`, 'BAD_MULTIPART'],
    ['a header that is no field', '--b\r\nhello\r\n\r\n', 'BAD_MULTIPART'],
    ['a header without a name', '--b\r\n: x\r\n\r\n', 'BAD_MULTIPART'],
    ['a space before the colon', '--b\r\nA : x\r\n\r\n', 'BAD_MULTIPART'],
    ['a folded line at first', '--b\r\n A: x\r\n\r\n', 'BAD_MULTIPART'],
    ['the same field twice', '--b\r\nA: x\r\na: y\r\n\r\n', 'BAD_MULTIPART'],
    ['LF alone in headers', '--b\r\nA: x\nB: y\r\n\r\n', 'BAD_MULTIPART'],
    ['NUL in headers', '--b\r\nA: \0\r\n\r\n', 'BAD_MULTIPART'],
    ['headers that are no UTF-8', '--b\r\nA: \xff\r\n\r\n', 'BAD_MULTIPART'],
    ['headers without end', `--b\r\n${'A'.repeat(20_000)}`, 'HEADER_TOO_LONG'],
    ['a delimiter where headers must be', '--b\r\n--b\r\n\r\n', 'BAD_MULTIPART'],
  ]
  for (const [name, text, code] of cases)
    it(name, () => {
      for (const size of [1, 7, 100_000]) {
        assert.throws(
          () => partsOf(cut(latin1(text), size)),
          (error: unknown) =>
            error instanceof WebError && error.code === code && !error.message.includes('hello'),
        )
      }
    })
  it('more parts than allowed', () => {
    const text = `${'--b\r\n\r\n\r\n'.repeat(3)}--b--`
    assert.equal(partsOf([latin1(text)], 'b', { parts: 3 }).length, 3)
    assert.throws(() => partsOf([latin1(text)], 'b', { parts: 2 }), { code: 'TOO_MANY_PARTS' })
  })
  it('headers up to the limit', () => {
    const text = '--b\r\nA: 12\r\n\r\nx\r\n--b--'
    assert.equal(partsOf([latin1(text)], 'b', { headerBytes: 9 }).length, 1)
    assert.throws(() => partsOf([latin1(text)], 'b', { headerBytes: 8 }), { code: 'HEADER_TOO_LONG' })
  })
  it('a body that was refused stays refused', () => {
    const reader = multipartReader('b')
    assert.throws(() => reader.push(latin1('--b\n')), { code: 'BAD_MULTIPART' })
    assert.throws(() => reader.push(latin1('--b\r\n')), { code: 'BAD_MULTIPART' })
    assert.throws(() => reader.end(), { code: 'TRUNCATED' })
  })
  it('a boundary that is none', () => {
    for (const boundary of ['', ' ', 'x ', 'x\r\n', 'ü', '"', 'x'.repeat(71)])
      assert.throws(() => multipartReader(boundary), { code: 'BAD_MULTIPART' }, boundary)
  })
  it('any bytes are parts or a WebError', () => {
    const piece = fc.constantFrom('\r\n--b', '--b', '\r\n', '\r', '\n', '--', ' ', 'A: 1', ':', 'x', '\0')
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 25 }), fc.nat(9), (pieces, size) => {
        const bytes = latin1(pieces.join(''))
        const outcome = (chunks: readonly Uint8Array[]): unknown => {
          try {
            return partsOf(chunks)
          } catch (error) {
            assert.ok(error instanceof WebError, String(error))
            return error.code
          }
        }
        assert.deepEqual(outcome(cut(bytes, size + 1)), outcome([bytes]))
      }),
      { numRuns: 2000 },
    )
  })
})

describe('time', () => {
  const MEBI = 1024 * 1024
  /** Far below what is measured, some GB/s: it is to fail for a search that is quadratic, not on a busy machine. */
  const MIN_BYTES_PER_SECOND = 50e6
  const boundary = '-'.repeat(69)
  const cases: readonly (readonly [string, (at: number) => number])[] = [
    ['noise', (at) => Math.imul(at, 2654435761) >>> 24],
    ['dashes', () => 0x2d],
    ['CR', () => 0x0d],
    ['CR LF dashes', (at) => [0x0d, 0x0a, 0x2d, 0x2d][at % 4] ?? 0],
    ['nearly the delimiter', (at) => [0x0d, 0x0a][at % 71] ?? 0x2d],
  ]
  for (const [name, byteAt] of cases)
    it(name, () => {
      const chunk = Uint8Array.from({ length: MEBI }, (_, at) => byteAt(at))
      const reader = multipartReader(boundary)
      reader.push(latin1(`--${boundary}\r\n\r\nx`))
      const started = performance.now()
      for (let round = 0; round < 16; round += 1) reader.push(chunk)
      const seconds = (performance.now() - started) / 1000
      assert.ok((16 * MEBI) / seconds > MIN_BYTES_PER_SECOND, `${(16 * MEBI) / seconds} B/s`)
    })
})
