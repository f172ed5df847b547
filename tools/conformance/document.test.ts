// docs/conformance.md says what the code says: its statement is up to date, and it has every case, none of them failed.

import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CASES } from './cases.ts'
import { documentOf } from './document.ts'

const text = readFileSync(new URL('../../docs/conformance.md', import.meta.url), 'utf8')

test('the statement in docs is that of the code: npm run conformance', () => {
  const judged = CASES.map((one) => ({ ...one, outcome: { kind: 'absent' as const } }))
  const [now] = documentOf(judged).split('## Cases')
  assert.equal(text.split('## Cases')[0], now)
})

test('every case is there once, with what is missing from it, and none failed', () => {
  assert.equal(new Set(CASES.map(({ id }) => id)).size, CASES.length)
  for (const { id, what, missing = '', shown } of CASES) {
    const row =
      text.split('\n').find((line) => line.startsWith(`| ${id} | ${what} |`)) ??
      assert.fail(`no row for ${id}`)
    assert.ok(row.endsWith(`| ${missing} |`), row)
    assert.match(row, shown.length > 0 ? / \d+ passed / : / none /)
    for (const { file } of shown) assert.ok(existsSync(new URL(`../../${file}`, import.meta.url)), file)
  }
  assert.ok(!text.includes('FAILED'))
})
