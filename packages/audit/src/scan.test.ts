// The fast reading says nothing that the full one would not.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { entries } from './arbitrary.test.ts'
import { entryLine, parseEntry } from './entry.ts'
import { plainEntry } from './forge.ts'
import { scanIndex } from './scan.ts'

/** Bytes that make a difference in JSON. */
const PIECES = [
  '"',
  '\\',
  ',',
  '{',
  '}',
  '[',
  ']',
  ':',
  '0',
  '-',
  ' ',
  '\n',
  'e',
  '.',
  'E',
  '1',
  '"v":1',
  'null',
  '\u00e9',
]

function agrees(line: string): void {
  const index = scanIndex(line)
  if (index !== undefined) assert.equal(parseEntry(line).index, index)
}

describe('the scan', () => {
  it('agrees on entries', () => {
    fc.assert(fc.property(entries(), (entry) => agrees(entryLine(entry))))
  })

  it('accepts plain ones', () => {
    assert.equal(scanIndex(entryLine(plainEntry(41))), 41)
    assert.equal(scanIndex(entryLine(plainEntry(0, { objects: [], detail: {} }))), 0)
    const detail = { aet: 'A', bytes: -3, version: '' }
    const objects = [
      { kind: 'study', id: 'a' },
      { kind: 'key', id: 'b', count: 0 },
    ] as const
    assert.equal(scanIndex(entryLine(plainEntry(2, { detail, objects }))), 2)
  })

  it('agrees on lines with something changed', () => {
    const change = fc.record({ at: fc.nat(400), cut: fc.nat(6), piece: fc.constantFrom('', ...PIECES) })
    fc.assert(
      fc.property(entries(), fc.array(change, { minLength: 1, maxLength: 2 }), (entry, changes) => {
        let line = entryLine(entry)
        for (const { at, cut, piece } of changes) {
          const from = at % line.length
          line = line.slice(0, from) + piece + line.slice(from + cut)
        }
        agrees(line)
      }),
      { numRuns: 2000 },
    )
  })

  it('agrees on every change of one place', () => {
    const line = entryLine(plainEntry(3, { detail: { aet: 'X', size: 10 } }))
    for (let at = 0; at < line.length; at++) {
      for (const piece of ['', ...PIECES]) {
        for (const cut of [0, 1, 2]) agrees(line.slice(0, at) + piece + line.slice(at + cut))
      }
    }
  })
})
