// The repository as tidy sees it: the files that git knows (or would), their text, and the syntax trees of sources.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { SourceFile } from 'typescript/unstable/ast'
import type { FileSystem } from 'typescript/unstable/fs'
import { API } from 'typescript/unstable/sync'

export type Finding = { readonly path: string; readonly line: number; readonly what: string }

/** Paths are relative to the root, with slashes. */
export type TextFile = { readonly path: string; readonly text: string }
export type Source = TextFile & { readonly syntax: SourceFile }
export type Tree = {
  readonly files: readonly TextFile[]
  /** TypeScript and JavaScript. */
  readonly sources: readonly Source[]
}

const SOURCE = /\.(?:ts|js)$/
const NOT_WALKED = new Set(['node_modules', '.git', 'coverage'])
/** Larger files are data. */
const MAX_BYTES = 4_000_000

export function readTree(root: string): Tree {
  const paths = listed(root) ?? walked(root, '')
  const files: TextFile[] = []
  for (const path of paths) {
    const full = join(root, path)
    if (!existsSync(full) || !statSync(full).isFile() || statSync(full).size > MAX_BYTES) continue
    const bytes = readFileSync(full)
    if (!bytes.includes(0)) files.push({ path, text: bytes.toString('utf8') })
  }
  return makeTree(root, files)
}

export function makeTree(root: string, files: readonly TextFile[]): Tree {
  const code = files.filter(({ path }) => SOURCE.test(path))
  return { files, sources: parse(root, code) }
}

function listed(root: string): readonly string[] | undefined {
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard']
  const run = spawnSync('git', args, { cwd: root, encoding: 'utf8', maxBuffer: 64 << 20 })
  return run.status === 0 ? run.stdout.split('\0').filter((path) => path !== '') : undefined
}

function walked(root: string, folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`
    if (!entry.isDirectory()) return [path]
    return NOT_WALKED.has(entry.name) ? [] : walked(root, path)
  })
}

/** Syntax only: no libraries, no resolution. The texts are ours, so that a test can bring its own. */
function parse(root: string, files: readonly TextFile[]): readonly Source[] {
  const config = join(root, 'tsconfig.tidy.json')
  const compilerOptions = {
    noLib: true,
    noResolve: true,
    allowJs: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  }
  const texts = new Map(files.map(({ path, text }) => [join(root, path), text]))
  texts.set(config, JSON.stringify({ compilerOptions, files: files.map(({ path }) => path) }))
  const fs: FileSystem = {
    readFile: (name) => texts.get(name) ?? null,
    fileExists: (name) => texts.has(name),
  }
  const api = new API({ cwd: root, fs })
  try {
    const project = api.updateSnapshot({ openProjects: [config] }).getProject(config)
    return files.map((file) => {
      const syntax = project?.program.getSourceFile(join(root, file.path))
      if (syntax === undefined) throw new Error(`${file.path} was not parsed`)
      return { ...file, syntax }
    })
  } finally {
    api.close()
  }
}

export function formatFinding({ path, line, what }: Finding): string {
  return `${path}:${line}: ${what}`
}

export function isTest(path: string): boolean {
  return path.endsWith('.test.ts') || path.startsWith('test/')
}

export function isGenerated(path: string): boolean {
  return path.includes('/generated/')
}
