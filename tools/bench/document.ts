// docs/benchmarks.md: each benchmark owns the lines between its markers and replaces them when it is run again.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, release, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

const DOCUMENT = fileURLToPath(new URL('../../docs/benchmarks.md', import.meta.url))

const HEAD = `# Benchmarks

Every number here was written by \`npm run bench -- NAME\`, which makes its own data, runs all rivals in turn, and
replaces its section. Rivals come by \`bash tools/peers.sh\`. Results differ from machine to machine: what matters
are the ratios.
`

export function writeSection(name: string, body: string): void {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const before = existsSync(DOCUMENT) ? readFileSync(DOCUMENT, 'utf8') : HEAD
  const section = `${open}\n${body.trim()}\n${close}`
  const [from, to] = [before.indexOf(open), before.indexOf(close)]
  const after =
    from >= 0 && to > from
      ? before.slice(0, from) + section + before.slice(to + close.length)
      : `${before.trimEnd()}\n\n${section}\n`
  writeFileSync(DOCUMENT, after)
}

export function machine(): string {
  const [first] = cpus()
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  const model = first?.model.trim() ?? 'unknown processor'
  return `${cpus().length} cores of ${model}, ${memory} GiB, Linux ${release()}, Node ${process.versions.node}`
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'))
  return [line(head), line(rule), ...rows.map(line)].join('\n')
}
