// npm run conformance: runs the tests that show the cases, and writes docs/conformance.md by their results.
//
// A case is shown when each of its titles has tests, and all of them ran and passed; what was skipped was not shown.

import { writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath } from 'node:url'
import { CASES, type Case } from './cases.ts'
import { documentOf, type Outcome } from './document.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const DOCUMENT = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url))

type Result = { readonly name: string; readonly file: string; readonly passed: boolean }

async function results(files: readonly string[]): Promise<readonly Result[]> {
  const all: Result[] = []
  const stream = run({ files: files.map((file) => `${ROOT}${file}`), cwd: ROOT, concurrency: 1 })
  stream.on('test:pass', ({ name, file = '', skip }) => {
    all.push({ name, file: relative(ROOT, file), passed: skip === undefined || skip === false })
  })
  stream.on('test:fail', ({ name, file = '' }) =>
    all.push({ name, file: relative(ROOT, file), passed: false }),
  )
  for await (const _ of stream);
  return all
}

function outcomeOf({ shown }: Case, all: readonly Result[]): Outcome {
  if (shown.length === 0) return { kind: 'absent' }
  const each = shown.map(({ file, title }) => all.filter((one) => one.file === file && title.test(one.name)))
  const isShown = each.every((some) => some.length > 0 && some.every(({ passed }) => passed))
  return isShown
    ? { kind: 'shown', tests: each.reduce((sum, { length }) => sum + length, 0) }
    : { kind: 'failed' }
}

const files = [...new Set(CASES.flatMap(({ shown }) => shown.map(({ file }) => file)))]
const all = await results(files)
const outcomes = CASES.map((one) => ({ ...one, outcome: outcomeOf(one, all) }))
writeFileSync(DOCUMENT, documentOf(outcomes))
const failed = outcomes.filter(({ outcome }) => outcome.kind === 'failed')
for (const { id } of failed) console.error(`${id}: not shown`)
console.log(
  `${all.length} tests, ${outcomes.length} cases, ${failed.length} not shown: ${relative('.', DOCUMENT)}`,
)
process.exitCode = failed.length > 0 ? 1 : 0
