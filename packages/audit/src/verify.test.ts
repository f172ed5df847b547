// What someone who holds the machine may try, and the verdict on it.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Checkpoint } from './checkpoint.ts'
import { entryLine, leafHash, MAX_LINE } from './entry.ts'
import { AuditError } from './errors.ts'
import { plainEntry, plainLines } from './forge.ts'
import { lineSplitter } from './lines.ts'
import { append, EMPTY, root } from './tree.ts'
import { type Evidence, type Line, ledgerCheck, type Verdict, verifyLedger } from './verify.ts'

const LINES = plainLines(60)
const WITNESS = [0, 1, 10, 20, 20, 37, 60].map((size) => checkpointOf(LINES, size))
const WITNESSED: Evidence = { witnesses: [WITNESS] }

function checkpointOf(lines: readonly string[], size: number): Checkpoint {
  const frontier = lines.slice(0, size).reduce((grown, line) => append(grown, leafHash(line)), EMPTY)
  return { origin: 'example.org/ledger', size, root: root(frontier) }
}

function verdictOf(lines: readonly Line[], evidence: Evidence = WITNESSED): Verdict {
  const check = ledgerCheck(evidence)
  for (const line of lines) if (check.push(line) === 'enough') break
  return check.verdict()
}

function without(at: number, count = 1): readonly string[] {
  return [...LINES.slice(0, at), ...LINES.slice(at + count)]
}

/** A careful forger: a good entry with the right index. */
function edited(at: number, lines = LINES): readonly string[] {
  return lines.with(at, entryLine(plainEntry(at, { outcome: 'serious' })))
}

function renumbered(lines: readonly string[]): readonly string[] {
  return lines.map((line, index) => entryLine({ ...JSON.parse(line), index }))
}

describe('an honest ledger', () => {
  it('is intact', () => {
    assert.deepEqual(verdictOf(LINES), { kind: 'intact', size: 60, root: WITNESS.at(-1)?.root })
  })
  it('is intact as bytes, and as a stream', async () => {
    async function* stream() {
      for (const line of LINES) yield Buffer.from(line)
    }
    assert.equal((await verifyLedger(stream(), WITNESSED)).kind, 'intact')
  })
  it('may be longer than what was signed', () => {
    const longer = plainLines(63)
    const verdict = verdictOf(longer)
    assert.deepEqual(verdict, {
      kind: 'unsigned-tail',
      size: 63,
      signed: 60,
      root: checkpointOf(longer, 63).root,
    })
  })
  it('may be empty', () => {
    assert.equal(verdictOf([], { witnesses: [[checkpointOf([], 0)]] }).kind, 'intact')
    assert.equal(verdictOf([], { witnesses: [] }).kind, 'intact')
  })
  it('may have several witnesses at different sizes', () => {
    const witnesses = [WITNESS, [3, 44].map((size) => checkpointOf(LINES, size)), []]
    assert.equal(verdictOf(LINES, { witnesses, own: WITNESS }).kind, 'intact')
  })
  it('may hold text that is not ASCII', () => {
    const lines = [entryLine(plainEntry(0, { actor: { kind: 'person', id: 'J\u00fcrgen "J\\"' } }))]
    const evidence = { witnesses: [[checkpointOf(lines, 1)]] }
    assert.equal(verdictOf(lines, evidence).kind, 'intact')
    assert.equal(
      verdictOf(
        lines.map((line) => Buffer.from(line)),
        evidence,
      ).kind,
      'intact',
    )
  })
})

describe('a forged ledger', () => {
  it('with an entry deleted has a gap', () => {
    assert.deepEqual(verdictOf(without(25)), { kind: 'gap', line: 26, expected: 25, found: 26 })
    assert.deepEqual(verdictOf(without(0, 3)), { kind: 'gap', line: 1, expected: 0, found: 3 })
  })
  it('with an entry deleted and the rest renumbered is rewritten', () => {
    const verdict = verdictOf(renumbered(without(25)))
    assert.equal(verdict.kind, 'rewritten')
  })
  it('with an entry edited is rewritten, between two checkpoints', () => {
    assert.deepEqual(verdictOf(edited(25)), {
      kind: 'rewritten',
      after: 20,
      before: 37,
      signed: WITNESS[5]?.root,
      computed: checkpointOf(edited(25), 37).root,
    })
  })
  it('with an entry edited after the last checkpoint is not found: nobody vouched for it', () => {
    const longer = plainLines(63)
    assert.equal(verdictOf(edited(61, longer)).kind, 'unsigned-tail')
  })
  it('with entries swapped is reordered', () => {
    const swapped = LINES.with(25, LINES[30] ?? '').with(30, LINES[25] ?? '')
    assert.deepEqual(verdictOf(swapped), { kind: 'reordered', line: 26, expected: 25, found: 30 })
  })
  it('with an entry moved back is reordered', () => {
    assert.equal(verdictOf([...without(5), LINES[5] ?? '']).kind, 'reordered')
  })
  it('with an entry twice is reordered', () => {
    const doubled = [...LINES.slice(0, 8), LINES[7] ?? '', ...LINES.slice(8)]
    assert.deepEqual(verdictOf(doubled), { kind: 'reordered', line: 9, expected: 8, found: 7 })
  })
  it('that ends early is truncated', () => {
    assert.deepEqual(verdictOf(LINES.slice(0, 50)), { kind: 'truncated', signed: 60, found: 50 })
    assert.deepEqual(verdictOf([]), { kind: 'truncated', signed: 60, found: 0 })
  })
  it('with something that is no entry is malformed', () => {
    assert.deepEqual(verdictOf(LINES.with(9, '{}')), { kind: 'malformed', line: 10, code: 'BAD_MEMBER' })
    assert.deepEqual(verdictOf(LINES.with(9, '')), { kind: 'malformed', line: 10, code: 'NOT_JSON' })
    const long = Buffer.alloc(MAX_LINE + 1, 'x')
    assert.deepEqual(verdictOf([long]), { kind: 'malformed', line: 1, code: 'LIMIT_LINE' })
  })
  it('with a last line torn off is malformed', () => {
    const check = ledgerCheck(WITNESSED)
    for (const line of LINES.slice(0, 30)) check.push(line)
    check.torn()
    assert.deepEqual(check.verdict(), { kind: 'malformed', line: 31, code: 'NO_LF' })
  })
  it('brought back from an old copy is rolled back', () => {
    const old = { witnesses: [WITNESS], own: WITNESS.slice(0, 5) }
    assert.deepEqual(verdictOf(LINES.slice(0, 20), old), {
      kind: 'rolled-back',
      how: 'old-copy',
      from: 60,
      to: 20,
    })
  })
  it('that went on from an old copy is rolled back: its checkpoints contradict each other', () => {
    const other = [...LINES.slice(0, 20), ...edited(20).slice(20, 40)]
    const after = [...WITNESS, checkpointOf(other, 40)]
    assert.deepEqual(verdictOf(other, { witnesses: [after] }), {
      kind: 'rolled-back',
      how: 'backwards',
      from: 60,
      to: 40,
    })
    const fork = { witnesses: [WITNESS, [checkpointOf(edited(20), 60)]] }
    assert.deepEqual(verdictOf(LINES, fork), { kind: 'rolled-back', how: 'fork', from: 60, to: 60 })
  })
  it('is not judged by the checkpoints of another', () => {
    const others = WITNESS.map((one) => ({ ...one, origin: 'example.org/other' }))
    assert.throws(() => verdictOf(LINES, { witnesses: [WITNESS, others] }), AuditError)
  })
  it('is always found, whatever the change of one byte', () => {
    const bytes = Buffer.from(`${LINES.join('\n')}\n`)
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(bytes)
        changed[at] = (changed[at] ?? 0) ^ flip
        const lines = lineSplitter()
        const check = ledgerCheck(WITNESSED)
        for (const line of lines.push(changed)) check.push(line)
        if (lines.rest().byteLength > 0) check.torn()
        const { kind } = check.verdict()
        assert.ok(kind !== 'intact' && kind !== 'unsigned-tail', kind)
      }),
    )
  })
})

describe('lines', () => {
  it('are the same however the bytes come', () => {
    const bytes = Buffer.from(`${LINES.slice(0, 5).join('\n')}\nrest`)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 40 }), (cuts) => {
        const lines = lineSplitter()
        const found: string[] = []
        let from = 0
        for (const cut of [...cuts, bytes.length]) {
          const chunk = Buffer.from(bytes.subarray(from, from + cut))
          for (const line of lines.push(chunk)) found.push(Buffer.from(line).toString())
          chunk.fill(0)
          from += cut
        }
        assert.deepEqual(found, LINES.slice(0, 5))
        assert.equal(Buffer.from(lines.rest()).toString(), 'rest')
      }),
    )
  })
  it('are given up when they are too long to be any', () => {
    const lines = lineSplitter()
    const [line] = lines.push(Buffer.alloc(MAX_LINE + 1, 'x'))
    assert.equal(line?.byteLength, MAX_LINE + 1)
    assert.equal(lines.rest().byteLength, 0)
  })
})
