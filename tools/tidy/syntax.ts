// What takes a syntax tree: lengths of functions, parameters, mutable state of a module, the environment, purity.

import {
  type FunctionLikeDeclaration,
  isArrowFunction,
  isCallExpression,
  isExportAssignment,
  isFunctionDeclaration,
  isFunctionExpression,
  isFunctionLikeDeclaration,
  isIdentifier,
  isPropertyAccessExpression,
  isVariableStatement,
  type Node,
  NodeFlags,
  SyntaxKind,
} from 'typescript/unstable/ast'
import { type Finding, isGenerated, isTest, type Source, type Tree } from './tree.ts'

const MAX_FUNCTION_LINES = 70
const MAX_PARAMETERS = 3
/** `make(owner, tag, vr, value)` is an element in the order in which PS3.5 7.1 writes it; names would only repeat that. */
const IN_WIRE_ORDER: ReadonlySet<string> = new Set(['make', 'element'])
/** These hold tests as a file does. */
const SUITES = new Set(['describe', 'suite'])
/** Node loads these by their default export. */
const CONFIGURATION = /\.config\.(?:ts|js)$/
const READS_ENVIRONMENT = /^(?:apps\/gateway\/src\/main\.ts$|tools\/|test\/)/
/** Time, randomness, keys, disk and network are parameters here. */
export const PURE = /^packages\/(?:dicom|dicomweb|deid|audit)\/src\//
/** It hands over the lines of its parameter as they come, and does nothing else. */
const MAY_WAIT: ReadonlySet<string> = new Set(['packages/audit/src/verify.ts'])
const AMBIENT = new Set(['Date.now', 'Math.random', 'process.env', 'performance.now', 'globalThis.crypto'])

type Judge = { readonly source: Source; readonly report: (node: Node, what: string) => void }

export function syntaxFindings({ sources }: Tree): readonly Finding[] {
  return sources.filter(({ path }) => !isGenerated(path)).flatMap(judgeSource)
}

function judgeSource(source: Source): readonly Finding[] {
  const findings: Finding[] = []
  const judge: Judge = {
    source,
    report: (node, what) => findings.push({ path: source.path, line: firstLine(source, node), what }),
  }
  for (const statement of source.syntax.statements) topLevel(judge, statement)
  const visit = (node: Node): void => {
    if (isFunctionLikeDeclaration(node)) judgeFunction(judge, node)
    if (isPropertyAccessExpression(node)) judgeAccess(judge, node.getText(source.syntax), node)
    if (node.kind === SyntaxKind.AnyKeyword) judge.report(node, 'any: say what it is, or unknown')
    if (node.kind === SyntaxKind.AwaitExpression) judgeWaiting(judge, node)
    node.forEachChild(visit)
  }
  visit(source.syntax)
  return findings
}

function topLevel(judge: Judge, statement: Node): void {
  if (isVariableStatement(statement)) {
    const { flags } = statement.declarationList
    if ((flags & NodeFlags.Const) === 0 && (flags & NodeFlags.Using) === 0) {
      judge.report(statement, 'state of a module: a top-level let or var')
    }
  }
  const isDefault =
    isExportAssignment(statement) ||
    (isFunctionDeclaration(statement) &&
      statement.modifiers?.some((modifier) => modifier.kind === SyntaxKind.DefaultKeyword) === true)
  if (isDefault && !CONFIGURATION.test(judge.source.path)) judge.report(statement, 'a default export')
}

function judgeFunction(judge: Judge, node: FunctionLikeDeclaration): void {
  const from = firstLine(judge.source, node)
  const lines = lineAt(judge.source, node.end) - from + 1
  if (lines > MAX_FUNCTION_LINES && !isSuite(node)) {
    judge.report(node, `a function of ${lines} lines, ${MAX_FUNCTION_LINES} are allowed`)
  }
  const isCallback = (isArrowFunction(node) || isFunctionExpression(node)) && isCallExpression(node.parent)
  const count = node.parameters?.length ?? 0
  if (count > MAX_PARAMETERS && !isCallback && !IN_WIRE_ORDER.has(nameOf(node))) {
    judge.report(node, `${count} parameters: after ${MAX_PARAMETERS} comes an object`)
  }
  const modifiers = 'modifiers' in node ? node.modifiers : undefined
  if (modifiers?.some((modifier) => modifier.kind === SyntaxKind.AsyncKeyword) === true)
    judgeWaiting(judge, node)
}

function nameOf(node: FunctionLikeDeclaration): string {
  const named = 'name' in node && node.name !== undefined ? node : node.parent
  return 'name' in named && named.name !== undefined
    ? (named.name as { getText: () => string }).getText()
    : ''
}

function isSuite(node: FunctionLikeDeclaration): boolean {
  if (!isCallExpression(node.parent)) return false
  const { expression } = node.parent
  return isIdentifier(expression) && SUITES.has(expression.text)
}

function judgeAccess(judge: Judge, text: string, node: Node): void {
  const { path } = judge.source
  if (text === 'process.env' && !READS_ENVIRONMENT.test(path) && !isTest(path)) {
    judge.report(node, 'process.env is read by apps/gateway/src/main.ts alone')
  } else if (AMBIENT.has(text) && PURE.test(path) && !isTest(path)) {
    judge.report(node, `${text} in a pure package: make it a parameter`)
  }
  if (/^(?:test|it|describe|suite)\.only$/.test(text)) judge.report(node, `${text} silences every other test`)
}

function judgeWaiting(judge: Judge, node: Node): void {
  const { path } = judge.source
  if (!PURE.test(path) || isTest(path) || MAY_WAIT.has(path)) return
  judge.report(node, 'a pure package does not wait')
}

function firstLine(source: Source, node: Node): number {
  return lineAt(source, node.getStart(source.syntax))
}

function lineAt({ syntax }: Source, position: number): number {
  return syntax.getLineAndCharacterOfPosition(position).line + 1
}
