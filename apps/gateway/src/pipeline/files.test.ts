// What a run keeps on disk beside images: key, journal, tables, atomic files.

import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openAtomic } from './atomic.ts'
import { Journal, JournalError, type JournalHeader } from './journal.ts'
import { entryLine } from './journal-lines.ts'
import { KeyError, keyId, openKey, parseKey } from './key.ts'
import { csvLine, parseCsv } from './mapping.ts'

const root = mkdtempSync(join(tmpdir(), 'roentgate-files-'))
after(() => rmSync(root, { recursive: true, force: true }))

test('a key is made once, private, and read again', () => {
  const path = join(root, 'new', 'a.key')
  const made = openKey(path)
  assert.equal(made.made, true)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const text = readFileSync(path, 'utf8')
  assert.match(text, /^# /)
  assert.deepEqual(openKey(path), { path, key: made.key, made: false, exposed: false })
  assert.equal(readFileSync(path, 'utf8'), text)
  chmodSync(path, 0o644)
  assert.equal(openKey(path).exposed, true)
})

test('keys in hex and base64, and what is none', () => {
  const hex = 'ab'.repeat(32)
  const base64 = Buffer.from(hex, 'hex').toString('base64')
  assert.equal(parseKey(`# x\n\n${hex.toUpperCase()}\n`), hex)
  assert.equal(parseKey(base64), hex)
  assert.equal(parseKey(base64.replace('=', '')), hex)
  for (const bad of ['', '# only', hex.slice(2), `${hex}\n${hex}`, 'password'])
    assert.equal(parseKey(bad), undefined)
  const path = join(root, 'bad.key')
  writeFileSync(path, 'password')
  assert.throws(
    () => openKey(path),
    (error) => error instanceof KeyError && !error.message.includes('password'),
  )
})

test('a key id tells nothing of the key', () => {
  assert.match(keyId('00'.repeat(32)), /^[0-9a-f]{16}$/)
  assert.notEqual(keyId('00'.repeat(32)), keyId('01'.repeat(32)))
})

test('an atomic file is there as a whole or not at all', () => {
  const path = join(root, 'atomic')
  {
    using file = openAtomic(path)
    file.write('half')
  }
  assert.equal(existsSync(path), false)
  {
    using file = openAtomic(path, 0o600)
    file.write('whole')
    file.commit()
  }
  assert.equal(readFileSync(path, 'utf8'), 'whole')
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

const HEADER: JournalHeader = { recipe: 'r', edition: 'e', version: 'v', key: 'k', settings: 's' }
const result = {
  outcome: 'failed',
  reasons: [],
  warnings: [],
  methods: [],
  references: [],
  nanos: {},
} as const

test('a torn journal loses its last line only', () => {
  const path = join(root, 'j', 'journal.jsonl')
  {
    using journal = Journal.create(path, HEADER)
    journal.append(Buffer.from(entryLine({ f: 'a', set: 's', r: result })))
    journal.append(Buffer.from(entryLine({ f: 'b', set: 's', r: result }).slice(0, 20)))
    journal.flush()
  }
  const { journal, known } = Journal.reopen(path, HEADER)
  using open = journal
  assert.deepEqual([...known.keys()], ['a'])
  const place = known.get('a')
  assert.ok(place)
  assert.equal(open.read(place).f, 'a')
  const line = entryLine({ f: 'c', set: 's', r: result })
  const start = open.append(Buffer.from(line))
  open.flush()
  assert.equal(open.read({ start, end: start + line.length }).f, 'c')
  assert.equal([...open.lines()].length, 3)
})

test('a journal of another run is refused, and says what differs', () => {
  const path = join(root, 'other', 'journal.jsonl')
  Journal.create(path, HEADER)[Symbol.dispose]()
  assert.throws(
    () => Journal.reopen(path, { ...HEADER, key: 'other' }),
    (error) =>
      error instanceof JournalError && error.code === 'OTHER_RUN' && /another key/.test(error.message),
  )
  writeFileSync(path, '')
  assert.throws(() => Journal.reopen(path, HEADER), JournalError)
})

test('CSV both ways', () => {
  const rows = [
    ['id_old', 'id_new'],
    ['a,b', 'say "x"'],
    [' blank ', 'line\r\nbreak'],
    ['', 'last'],
  ]
  assert.deepEqual(parseCsv(rows.map(csvLine).join('')), rows)
  assert.deepEqual(parseCsv('\uFEFFa,b\nc,\n\n'), [
    ['a', 'b'],
    ['c', ''],
  ])
  assert.throws(() => parseCsv('a,"b'), SyntaxError)
})
