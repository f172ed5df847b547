// README and guide against the program: every option that there is, and none that there is not; links that lead on.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { test } from 'node:test'

const ROOT = resolve(import.meta.dirname, '..')
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  'docs/formats/recipe.md',
  'docs/formats/release.md',
  'docs/formats/store.md',
  'docs/formats/audit.md',
  'docs/formats/backup.md',
  'docs/guide/research-coordinator.md',
  'docs/guide/imaging-administrator.md',
  'docs/guide/privacy-officer.md',
]

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

function optionsIn(text: string): ReadonlySet<string> {
  return new Set([...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([option]) => option))
}

test('the README shows every option of the command', () => {
  const program = readdirSync(join(ROOT, 'apps/gateway/src/cli'))
    .filter((name) => name === 'program.ts' || name.endsWith('-commands.ts'))
    .map((name) => read(`apps/gateway/src/cli/${name}`))
    .join('\n')
  const declared = optionsIn([...program.matchAll(/'(--[^' ]+) ?[^']*'/g)].map((match) => match[1]).join(' '))
  const shown = optionsIn(read('README.md'))
  assert.ok(declared.size > 5)
  assert.deepEqual(
    [...declared].filter((option) => !shown.has(option)),
    [],
  )
  for (const page of [
    'README.md',
    'docs/guide/research-coordinator.md',
    'docs/guide/imaging-administrator.md',
    'docs/guide/privacy-officer.md',
  ]) {
    assert.deepEqual(
      [...optionsIn(read(page))].filter((option) => !declared.has(option)),
      [],
      page,
    )
  }
})

for (const page of PAGES) {
  test(`the links of ${page} lead somewhere`, () => {
    for (const [, target = ''] of read(page).matchAll(/\]\(([^)#]+)\)/g)) {
      if (/^https?:/.test(target)) continue
      assert.ok(existsSync(join(ROOT, dirname(page), target)), target)
    }
  })
}

test('scripts that the documentation names exist', () => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Readonly<Record<string, string>> }
  for (const page of PAGES) {
    for (const [, script = ''] of read(page).matchAll(/npm run ([a-z]+)/g)) assert.ok(scripts[script], script)
    if (/npm start/.test(read(page))) assert.ok(scripts.start)
  }
})
