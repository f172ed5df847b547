// Style as a test: every rule of CONTRIBUTING.md that a program can judge.  files ─rules→ findings, exit code 1 if any
//
//   npm run check        among the other steps
//   node tools/tidy.ts   alone

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { importFindings } from './tidy/imports.ts'
import { syntaxFindings } from './tidy/syntax.ts'
import { textFindings } from './tidy/text.ts'
import { type Finding, formatFinding, readTree } from './tidy/tree.ts'

const ROOT = resolve(import.meta.dirname, '..')

function main(): void {
  const tree = readTree(ROOT)
  const findings = [...textFindings(tree), ...syntaxFindings(tree), ...importFindings(tree), ...staleTables()]
  for (const finding of findings) console.error(formatFinding(finding))
  const verdict = findings.length === 0 ? 'tidy' : `${findings.length} findings`
  console.log(`${tree.sources.length} sources, ${tree.files.length} files: ${verdict}`)
  process.exitCode = findings.length === 0 ? 0 : 1
}

/** Generated files are compared with what their generator says today, where its input is at hand. */
function staleTables(): readonly Finding[] {
  const generator = join(ROOT, 'tools/standard.ts')
  const shared = resolve(ROOT, process.env.ROENTGATE_SHARED ?? '../shared')
  if (!existsSync(generator) || !existsSync(join(shared, 'standard'))) return []
  const run = spawnSync(process.execPath, [generator, '--check'], { cwd: ROOT, encoding: 'utf8' })
  if (run.status === 0) return []
  const said = `${run.stdout}${run.stderr}`.trim().split('\n').slice(-5).join(' | ')
  return [{ path: 'tools/standard.ts', line: 1, what: `generated files are not up to date: ${said}` }]
}

main()
