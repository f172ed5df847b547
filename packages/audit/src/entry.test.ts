// One entry, one line: both ways by property, and what is refused by table.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { entries } from './arbitrary.test.ts'
import { DETAIL_KEYS, type Entry, entryLine, isInstant, leafHash, MAX_LINE, parseEntry } from './entry.ts'
import { AuditError, type AuditErrorCode } from './errors.ts'
import { EVENTS } from './events.ts'
import { plainEntry } from './forge.ts'

const LINE = entryLine(plainEntry(0))
const FORMAT = readFileSync(new URL('../../../docs/formats/audit.md', import.meta.url), 'utf8')

function refusal(code: AuditErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof AuditError && error.code === code
}

describe('an entry', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(entries(), (entry) => {
        const line = entryLine(entry)
        assert.deepEqual(parseEntry(line), entry)
        assert.deepEqual(parseEntry(Buffer.from(line)), entry)
        assert.equal(line, JSON.stringify(sorted(entry)))
      }),
    )
  })

  it('does not depend on the order in which its members were set', () => {
    const turned = Object.fromEntries(Object.entries(plainEntry(7)).reverse()) as Entry
    assert.equal(entryLine(turned), entryLine(plainEntry(7)))
  })

  const lines: readonly [string, AuditErrorCode, string | Uint8Array][] = [
    ['nothing', 'NOT_JSON', ''],
    ['half a line', 'NOT_JSON', LINE.slice(0, 40)],
    ['a space', 'NOT_CANONICAL', LINE.replace(',', ', ')],
    ['CR', 'NOT_CANONICAL', `${LINE}\r`],
    ['a byte order mark', 'NOT_JSON', `\ufeff${LINE}`],
    ['an escape that needs none', 'NOT_CANONICAL', LINE.replace('ada', '\\u0061da')],
    ['a member twice', 'NOT_CANONICAL', LINE.replace('"v":1', '"v":1,"v":1')],
    ['another order', 'NOT_CANONICAL', LINE.replace(/^\{("action":"R"),(.*)\}$/, '{$2,$1}')],
    ['a fraction', 'NOT_CANONICAL', LINE.replace('"index":0', '"index":0.0')],
    ['an exponent', 'NOT_CANONICAL', LINE.replace('"count":3', '"count":3e0')],
    ['minus zero', 'BAD_MEMBER', LINE.replace('"index":0', '"index":-0')],
    ['a negative index', 'BAD_MEMBER', LINE.replace('"index":0', '"index":-1')],
    ['an index over 2^53', 'BAD_MEMBER', LINE.replace('"index":0', '"index":9007199254740993')],
    ['another version', 'BAD_MEMBER', LINE.replace('"v":1', '"v":2')],
    ['a foreign member', 'BAD_MEMBER', LINE.replace('"v":1', '"v":1,"w":1')],
    ['__proto__', 'BAD_MEMBER', LINE.replace('"action"', '"__proto__":{},"action"')],
    ['a foreign name in detail', 'BAD_MEMBER', LINE.replace('purpose', 'patient-name')],
    ['a name of Object in detail', 'BAD_MEMBER', LINE.replace('purpose', 'constructor')],
    ['an object in detail', 'BAD_MEMBER', LINE.replace('"treatment"', '{}')],
    ['a boolean in detail', 'BAD_MEMBER', LINE.replace('"treatment"', 'true')],
    ['an event that is none', 'BAD_MEMBER', LINE.replace('instances-accessed', 'constructor')],
    ['an action that the event forbids', 'BAD_MEMBER', LINE.replace('"R"', '"E"')],
    ['no outcome', 'BAD_MEMBER', LINE.replace('"outcome":"success",', '')],
    ['a day that is none', 'BAD_MEMBER', LINE.replace('2026-01-01', '2026-02-29')],
    ['a time zone', 'BAD_MEMBER', LINE.replace('.000Z', '+00:00')],
    ['an empty id', 'BAD_MEMBER', LINE.replace('ada@example.org', '')],
    ['a control character', 'BAD_MEMBER', LINE.replace('ada', 'a\\nda')],
    ['a lone surrogate', 'BAD_MEMBER', LINE.replace('ada', '\\ud800')],
    ['a long string', 'BAD_MEMBER', LINE.replace('treatment', 'x'.repeat(257))],
    ['an array', 'BAD_MEMBER', '[]'],
    ['bytes that are no UTF-8', 'NOT_UTF8', Buffer.from(LINE.replace('ada', '\u00ff'), 'latin1')],
    ['more than a line may hold', 'LIMIT_LINE', 'x'.repeat(MAX_LINE + 1)],
  ]
  for (const [what, code, line] of lines) {
    it(`is not ${what}`, () => assert.throws(() => parseEntry(line), refusal(code)))
  }

  it('is not written if it would not be read', () => {
    const bad = plainEntry(0, { actor: { kind: 'person', id: '' } })
    assert.throws(() => entryLine(bad), refusal('BAD_MEMBER'))
    const long = Array.from({ length: 1000 }, () => ({ kind: 'study' as const, id: '\u20ac'.repeat(256) }))
    assert.throws(() => entryLine(plainEntry(0, { objects: long })), refusal('LIMIT_LINE'))
  })

  it('is not quoted by the error that refuses it', () => {
    const secret = LINE.replace('treatment', 'JANE\\nDOE')
    for (const line of [secret, secret.slice(0, -3), secret.replace('purpose', 'JANE^DOE')]) {
      assert.throws(
        () => parseEntry(line),
        (error: Error) => !`${error.stack} ${error.cause}`.includes('JANE'),
      )
    }
  })

  it('hashes as RFC 6962 says', () => {
    const expected = createHash('sha256')
      .update(Buffer.from([0]))
      .update(LINE)
      .digest()
    assert.deepEqual(leafHash(LINE), expected)
    assert.deepEqual(leafHash(Buffer.from(LINE)), expected)
  })
})

describe('an instant', () => {
  it('is what Date writes, for every day', () => {
    const range = { min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T00:00:00Z') }
    fc.assert(fc.property(fc.date({ ...range, noInvalidDate: true }), (at) => isInstant(at.toISOString())))
  })
  for (const at of [
    '2026-02-30',
    '2026-13-01',
    '2026-00-10',
    '2026-04-31',
    '2100-02-29',
    '2026-01-00',
    '0000-01-01',
  ]) {
    it(`is not on ${at}`, () => assert.equal(isInstant(`${at}T00:00:00.000Z`), false))
  }
  for (const time of ['24:00:00', '00:60:00', '23:59:60']) {
    it(`is not at ${time}`, () => assert.equal(isInstant(`2026-01-01T${time}.000Z`), false))
  }
})

describe('the format document', () => {
  it('names every event, and no other', () => {
    const tables = FORMAT.slice(FORMAT.indexOf('### Events'), FORMAT.indexOf('### Names'))
    const named = [...tables.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name)
    assert.deepEqual(named.sort(), Object.keys(EVENTS).sort())
  })
  it('names every detail in its order, and no other', () => {
    const [, list = ''] = /### Names in `detail`\n\n(.+)\n/.exec(FORMAT) ?? []
    assert.deepEqual(
      [...list.matchAll(/`([a-z-]+)`/g)].map(([, name]) => name),
      DETAIL_KEYS,
    )
    assert.deepEqual([...DETAIL_KEYS].sort(), DETAIL_KEYS)
  })
  it('shows an entry that is one', () => {
    const [, example = ''] = /```json\n(.+)\n```/.exec(FORMAT) ?? []
    assert.equal(parseEntry(example).event, 'instances-accessed')
  })
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, sorted((value as Record<string, unknown>)[name])]))
}
