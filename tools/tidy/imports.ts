// Who may import whom, and who is imported by nobody.
//
//   dicom ← deid, dicomweb ← gateway      (arrows point to what is imported; a package never reaches into another's files)

import {
  isCallExpression,
  isExportDeclaration,
  isImportDeclaration,
  isImportTypeNode,
  isLiteralTypeNode,
  isStringLiteral,
  type Node,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { PURE } from './syntax.ts'
import { type Finding, isGenerated, isTest, type Source, type Tree } from './tree.ts'

/** Package folder → the workspace packages that it may import. Nobody else may be imported by anybody. */
export const MAY_IMPORT: ReadonlyMap<string, readonly string[]> = new Map([
  ['packages/dicom', []],
  ['packages/audit', []],
  ['packages/dimse', ['@roentgate/dicom']],
  ['packages/deid', ['@roentgate/dicom']],
  ['packages/dicomweb', ['@roentgate/dicom']],
  ['packages/pixel', ['@roentgate/dicom']],
  [
    'apps/gateway',
    [
      '@roentgate/audit',
      '@roentgate/deid',
      '@roentgate/dicom',
      '@roentgate/dicomweb',
      '@roentgate/dimse',
      '@roentgate/pixel',
    ],
  ],
  ['apps/console', ['@roentgate/dicom']],
])

/** What of Node a pure package may use all the same: a hash and a signature are functions of their input. */
const PURE_NODE: ReadonlyMap<string, readonly string[]> = new Map([['packages/audit', ['node:crypto']]])

/** Where programs and packages begin: imported by nobody and yet alive. */
const ENTRIES = [
  /^(?:packages|apps)\/[^/]+\/src\/index\.ts$/,
  /^apps\/[^/]+\/src\/main\.ts$/,
  /^(?:packages|apps)\/[^/]+\/bin\/[^/]+\.js$/,
  /^tools\/[^/]+\.ts$/,
  /^tools\/[^/]+\/main\.ts$/,
  /\.test\.ts$/,
  /\.config\.(?:ts|js)$/,
]

type Reference = { readonly to: string; readonly line: number }
type Manifest = {
  readonly name?: string
  readonly exports?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
}

export function importFindings(tree: Tree): readonly Finding[] {
  const references = new Map(tree.sources.map((source) => [source.path, referencesOf(source)]))
  const findings: Finding[] = []
  for (const [path, list] of references) {
    if (isGenerated(path)) continue
    const manifest = manifestOf(tree, path)
    for (const { to, line } of list) {
      const what = judge(path, to, manifest)
      if (what !== undefined) findings.push({ path, line, what })
    }
  }
  return [...findings, ...deadSources(tree, references)]
}

/** Imports, dynamic ones too, and `new URL('./worker.ts', import.meta.url)`: any literal that looks like a module. */
function referencesOf({ syntax }: Source): readonly Reference[] {
  const found: Reference[] = []
  const visit = (node: Node): void => {
    const isModule =
      isStringLiteral(node) && (/^\.\.?\/.*\.(?:ts|js|json)$/.test(node.text) || isSpecifier(node))
    if (isModule && isStringLiteral(node)) {
      const { line } = syntax.getLineAndCharacterOfPosition(node.getStart(syntax))
      found.push({ to: node.text, line: line + 1 })
    }
    node.forEachChild(visit)
  }
  visit(syntax)
  return found
}

function isSpecifier({ parent }: Node): boolean {
  if (isCallExpression(parent)) return parent.expression.kind === SyntaxKind.ImportKeyword
  return (
    isImportDeclaration(parent) ||
    isExportDeclaration(parent) ||
    (isLiteralTypeNode(parent) && isImportTypeNode(parent.parent))
  )
}

function judge(path: string, to: string, manifest: Manifest | undefined): string | undefined {
  const home = packageOf(path)
  if (home === undefined) return undefined
  if (to.startsWith('.')) {
    const target = resolved(path, to)
    return target.startsWith(`${home}/`)
      ? undefined
      : `reaches out of ${home}: import the package by its name`
  }
  if (to.startsWith('node:')) {
    const isFree = !PURE.test(path) || isTest(path) || PURE_NODE.get(home)?.includes(to) === true
    return isFree ? undefined : `${to} in a pure package`
  }
  const name = to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/')
  if (name.startsWith('@roentgate/')) {
    const allowed = MAY_IMPORT.get(home) ?? []
    return name === manifest?.name || allowed.includes(name) ? undefined : `${home} may not import ${name}`
  }
  if (isTest(path)) return undefined
  return manifest?.dependencies?.[name] === undefined ? `${name} is not a dependency of ${home}` : undefined
}

function deadSources(tree: Tree, references: ReadonlyMap<string, readonly Reference[]>): readonly Finding[] {
  const alive = new Set<string>()
  const queue = [...references.keys()].filter(
    (path) => ENTRIES.some((entry) => entry.test(path)) || isExported(tree, path),
  )
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (alive.has(path)) continue
    alive.add(path)
    for (const { to } of references.get(path) ?? []) {
      const target = to.startsWith('.') ? resolved(path, to) : undefined
      if (target !== undefined && references.has(target)) queue.push(target)
    }
  }
  const dead = [...references.keys()].filter((path) => !alive.has(path))
  return dead.map((path) => ({ path, line: 1, what: 'nobody imports this file' }))
}

/** A package may have more doors than its index. */
function isExported(tree: Tree, path: string): boolean {
  const home = packageOf(path)
  const doors = Object.values(manifestOf(tree, path)?.exports ?? {})
  return home !== undefined && doors.some((door) => `${home}/${door.replace('./', '')}` === path)
}

function packageOf(path: string): string | undefined {
  return /^(?:packages|apps)\/[^/]+/.exec(path)?.[0]
}

function manifestOf(tree: Tree, path: string): Manifest | undefined {
  const home = packageOf(path)
  const file = tree.files.find((one) => home !== undefined && one.path === `${home}/package.json`)
  return file === undefined ? undefined : (JSON.parse(file.text) as Manifest)
}

function resolved(from: string, to: string): string {
  return new URL(to, `file:///${from}`).pathname.slice(1)
}
