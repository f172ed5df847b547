// Each rule, on a small tree that breaks it and on one that does not.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { importFindings } from './imports.ts'
import { syntaxFindings } from './syntax.ts'
import { textFindings } from './text.ts'
import { formatFinding, makeTree } from './tree.ts'

const ROOT = '/tidy'

function findings(files: Readonly<Record<string, string>>): readonly string[] {
  const tree = makeTree(
    ROOT,
    Object.entries(files).map(([path, text]) => ({ path, text })),
  )
  return [...textFindings(tree), ...syntaxFindings(tree), ...importFindings(tree)].map(formatFinding)
}

const lines = (count: number): string => '  0\n'.repeat(count)
const MANIFEST = JSON.stringify({ name: '@roentgate/deid', dependencies: { yaml: '2' } })

/** [title, path, text, what is found: '' is nothing]. */
const CASES: readonly (readonly [string, string, string, string])[] = [
  ['a tidy file', 'tools/a.ts', '// a\nexport const a = 1\n', ''],
  ['500 lines', 'tools/a.ts', `// a\n${lines(499)}`, ''],
  ['501 lines', 'tools/a.ts', `// a\n${lines(500)}`, 'tools/a.ts:501: 501 lines, 500 are allowed'],
  ['no opening comment', 'tools/a.ts', 'const a = 1\n', 'tools/a.ts:1: a file opens with a comment that says what it is'],
  ['a banned name', 'tools/string-utils.ts', '// a\n', 'tools/string-utils.ts:1: the name string-utils says nothing'],
  ['a banned folder', 'tools/common/main.ts', '// a\n', 'tools/common/main.ts:1: the name common says nothing'],
  ['a word that contains one', 'tools/commonplace.ts', '// a\n', ''],
  ['70 lines', 'tools/a.ts', `// a\nfunction f() {\n${lines(68)}}\nf()\n`, ''],
  ['71 lines', 'tools/a.ts', `// a\nfunction f() {\n${lines(69)}}\n`, 'tools/a.ts:2: a function of 71 lines, 70 are allowed'],
  ['a long arrow', 'tools/a.ts', `// a\nconst f = () => {\n${lines(70)}}\n`, 'tools/a.ts:2: a function of 72 lines, 70 are allowed'],
  ['braces in text', 'tools/a.ts', '// a\nconst f = () => "{{" + /[}]/.source + `}`\n', ''],
  ['a long suite', 'tools/a.ts', `// a\ndescribe('x', () => {\n${lines(90)}})\n`, ''],
  ['a long test', 'tools/a.ts', `// a\ntest('x', () => {\n${lines(90)}})\n`, 'tools/a.ts:2: a function of 92 lines, 70 are allowed'],
  ['three parameters', 'tools/a.ts', '// a\nfunction f(a, b, c) {}\n', ''],
  ['four parameters', 'tools/a.ts', '// a\nfunction f(a, b, c, d) {}\n', 'tools/a.ts:2: 4 parameters: after 3 comes an object'],
  ['a callback takes what it gets', 'tools/a.ts', '// a\n[].reduce((a, b, c, d) => a)\n', ''],
  ['a default export', 'tools/a.ts', '// a\nexport default 1\n', 'tools/a.ts:2: a default export'],
  ['a default function', 'tools/a.ts', '// a\nexport default function f() {}\n', 'tools/a.ts:2: a default export'],
  ['a configuration', 'tools/a.config.ts', '// a\nexport default 1\n', ''],
  ['a top-level let', 'tools/a.ts', '// a\nlet a = 1\n', 'tools/a.ts:2: state of a module: a top-level let or var'],
  ['a let inside', 'tools/a.ts', '// a\n{ let a = 1 }\nfor (let i = 0; ; ) {}\n', ''],
  ['any', 'tools/a.ts', '// a\nconst a = 1 as any\n', 'tools/a.ts:2: any: say what it is, or unknown'],
  ['the word any', 'tools/a.ts', '// any\nconst any = "as any"\n', ''],
  ['only', 'tools/a.ts', '// a\ntest.only("x", f)\n', 'tools/a.ts:2: test.only silences every other test'],
  ['the environment', 'apps/gateway/src/index.ts', '// a\nf(process.env)\n', 'apps/gateway/src/index.ts:2: process.env is read by apps/gateway/src/main.ts alone'],
  ['the environment in main', 'apps/gateway/src/main.ts', '// a\nf(process.env.X)\n', ''],
  ['the environment, in words', 'apps/gateway/src/index.ts', '// process.env\nf("process.env")\n', ''],
  ['a clock in a pure package', 'packages/deid/src/index.ts', '// a\nf(Date.now())\n', 'packages/deid/src/index.ts:2: Date.now in a pure package: make it a parameter'],
  ['a pure package waits', 'packages/deid/src/index.ts', '// a\nexport async function f() {}\n', 'packages/deid/src/index.ts:2: a pure package does not wait'],
  ['a test in one waits', 'packages/deid/src/a.test.ts', '// a\nexport async function f() {}\n', ''],
  ['Node in a pure package', 'packages/deid/src/index.ts', "// a\nimport 'node:fs'\n", 'packages/deid/src/index.ts:2: node:fs in a pure package'],
  ['a hash in audit', 'packages/audit/src/index.ts', "// a\nimport 'node:crypto'\n", ''],
  ['more of Node in audit', 'packages/audit/src/index.ts', "// a\nimport 'node:fs'\n", 'packages/audit/src/index.ts:2: node:fs in a pure package'],
  ['audit waits', 'packages/audit/src/index.ts', "// a\nexport async function f() {}\n", 'packages/audit/src/index.ts:2: a pure package does not wait'],
  ['its program', 'packages/audit/bin/a.js', "// a\nimport 'node:fs'\n", ''],
  ['Node in its test', 'packages/deid/src/a.test.ts', "// a\nimport 'node:fs'\n", ''],
  ['down', 'packages/deid/src/index.ts', "// a\nexport * from '@roentgate/dicom'\n", ''],
  ['up', 'packages/dicom/src/index.ts', "// a\nimport type { A } from '@roentgate/deid'\n", 'packages/dicom/src/index.ts:2: packages/dicom may not import @roentgate/deid'],
  ['a dependency', 'packages/deid/src/index.ts', "// a\nimport { parse } from 'yaml'\n", ''],
  ['no dependency', 'packages/deid/src/index.ts', "// a\nimport 'left-pad'\n", 'packages/deid/src/index.ts:2: left-pad is not a dependency of packages/deid'],
  ['into another package', 'packages/deid/src/index.ts', "// a\nimport '../../dicom/src/read.ts'\n", 'packages/deid/src/index.ts:2: reaches out of packages/deid: import the package by its name'],
  ['dead', 'packages/deid/src/plan.ts', '// a\n', 'packages/deid/src/plan.ts:1: nobody imports this file'],
  ['generated, and says so', 'packages/deid/src/generated/index.ts', '// generated by tools/standard.ts; do not edit\nlet a: any\n', 'packages/deid/src/generated/index.ts:1: nobody imports this file'],
] // biome-ignore format: one table

for (const [title, path, text, expected] of CASES) {
  test(`tidy: ${title}`, () => {
    const found = findings({ [path]: text, 'packages/deid/package.json': MANIFEST })
    assert.deepEqual(found, expected === '' ? [] : [expected])
  })
}

test('tidy: what is reached by an import, a dynamic import or a URL is alive', () => {
  const found = findings({
    'packages/deid/src/index.ts': "// a\nexport * from './a.ts'\n",
    'packages/deid/src/a.ts':
      "// a\nimport './b.ts'\nimport type { C } from './c.ts'\nconst d = new URL('./d.ts', import.meta.url)\n",
    'packages/deid/src/b.ts': "// a\nconst e = () => import('./e.ts')\n",
    'packages/deid/src/c.ts': '// a\n',
    'packages/deid/src/d.ts': '// a\n',
    'packages/deid/src/e.ts': '// a\n',
  })
  assert.deepEqual(found, [])
})

test('tidy: a path of one machine, and paths that are everywhere', () => {
  const home = ['', 'home', 'someone', 'x'].join('/')
  assert.deepEqual(findings({ 'README.md': `one\nsee ${home}\n` }), ['README.md:2: a path of one machine'])
  assert.deepEqual(findings({ 'README.md': `https://example.org${home} and a${home} and /usr/bin\n` }), [])
})
