// The generated tables against the tables they come from, and the generator against what is checked in.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { test } from 'node:test'
import { METHODS } from '../packages/deid/src/generated/cid7050.ts'
import { PROFILE } from '../packages/deid/src/generated/profile.ts'
import { KNOWLEDGE_BASE, SAFE } from '../packages/deid/src/generated/safe-private.ts'
import { CONCEPTS } from '../packages/deid/src/generated/structured.ts'
import { ELEMENTS, REPEATERS } from '../packages/dicom/src/generated/dictionary.ts'
import { IODS, MODULES, SOP_CLASSES } from '../packages/dicom/src/generated/iod.ts'
import { PRIVATE } from '../packages/dicom/src/generated/private-dictionary.ts'
import { UIDS } from '../packages/dicom/src/generated/uids.ts'

const ROOT = resolve(import.meta.dirname, '..')
const SHARED = resolve(ROOT, process.env.ROENTGATE_SHARED ?? '../shared', 'standard')
const NO_TABLES = 'no tables of the standard beside the checkout'

/** name, table, rows, cells in each row, cells that name a row (0: several rows may share a name) */
const TABLES: readonly (readonly [string, string, number, number, number])[] = [
  ['Table E.1-1', PROFILE, 657, 4, 1],
  ['Table E.3.4-1', CONCEPTS, 211, 6, 4],
  ['Table E.3.10-1', SAFE, 479, 4, 2],
  ['CID 7050', METHODS, 13, 2, 1],
  ['private knowledge base', KNOWLEDGE_BASE, 1911, 4, 2],
  ['elements', ELEMENTS, 5284, 6, 1],
  ['repeating groups', REPEATERS, 88, 6, 1],
  ['UIDs', UIDS, 490, 5, 1],
  ['private elements', PRIVATE, 10650, 5, 2],
  ['SOP classes', SOP_CLASSES, 180, 2, 1],
  ['IODs', IODS, 175, 2, 1],
  ['modules with Types', MODULES, 295, 2, 1],
]

for (const [name, table, count, cells, key] of TABLES) {
  test(`${name}: ${count} rows, each whole, each once`, () => {
    const rows = table.split('\n').map((line) => line.split('\t'))
    assert.equal(rows.length, count)
    assert.deepEqual(
      rows.filter((row) => row.length !== cells),
      [],
    )
    assert.equal(new Set(rows.map((row) => row.slice(0, key).join('\t'))).size, count)
  })
}

test('no element is in the knowledge base that Table E.3.10-1 lists', () => {
  const placeOf = (line: string): string => line.split('\t').slice(0, 2).join('\t')
  const listed = new Set(SAFE.split('\n').map(placeOf))
  assert.deepEqual(
    KNOWLEDGE_BASE.split('\n').filter((line) => listed.has(placeOf(line))),
    [],
  )
})

test('the generated files are up to date', { skip: existsSync(SHARED) ? false : NO_TABLES }, () => {
  execFileSync(process.execPath, [resolve(ROOT, 'tools/standard.ts'), '--check'], { stdio: 'pipe' })
})
