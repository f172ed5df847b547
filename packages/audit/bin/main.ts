// roentgate-audit-verify LEDGER --key KEY --witness FILE… [--own FILE]:  files ─verify→ a verdict for people, exit code
//
// Needs Node and this package's folder, nothing else. 0: nothing speaks against the ledger, 1: something does,
// 2: no verdict.

import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { AuditError } from '../src/errors.ts'
import {
  type Checkpoint,
  type Evidence,
  ledgerCheck,
  lineSplitter,
  openCheckpoint,
  parseVerifierKey,
  sentence,
  splitCheckpoints,
  type Verdict,
  type VerifierKey,
} from '../src/index.ts'

const USAGE = 'usage: roentgate-audit-verify LEDGER --key KEY --witness FILE… [--own FILE] [--json]'
const CHUNK = 1 << 20
const FINE = 0
const TAMPERED = 1
const NO_VERDICT = 2

/** What stands in the way of a verdict, said in its text. */
class Obstacle extends Error {}

async function main(): Promise<void> {
  try {
    const options = read()
    const keys = options.keys.flatMap(keysOf)
    if (keys.length === 0) throw new Obstacle('there is no key')
    const evidence: Evidence = {
      witnesses: options.witnesses.map((path) => checkpointsOf(path, keys)),
      own: options.own.flatMap((path) => checkpointsOf(path, keys)),
    }
    if (evidence.witnesses.every((list) => list.length === 0)) {
      throw new Obstacle('no witness has a checkpoint: nothing to judge the ledger by')
    }
    report(await judge(options.ledger, evidence), options.isJson)
  } catch (error) {
    const isExpected = error instanceof Obstacle || error instanceof AuditError || isSystemError(error)
    if (!isExpected) throw error
    console.error(`NO VERDICT: ${(error as Error).message}`)
    process.exitCode = NO_VERDICT
  }
}

type Options = {
  readonly ledger: string
  readonly keys: readonly string[]
  readonly witnesses: readonly string[]
  readonly own: readonly string[]
  readonly isJson: boolean
}

function read(): Options {
  const parsed = parsedArguments()
  const { key = [], witness = [], own = [], json = false } = parsed.values
  const [ledger, ...more] = parsed.positionals
  if (ledger === undefined || key.length === 0 || witness.length === 0) throw new Obstacle(USAGE)
  // `--witness A B`: what follows the ledger are further witnesses.
  return { ledger, keys: key, witnesses: [...witness, ...more], own, isJson: json }
}

function parsedArguments() {
  const list = { type: 'string', multiple: true } as const
  try {
    return parseArgs({
      allowPositionals: true,
      options: { key: list, witness: list, own: list, json: { type: 'boolean' } },
    })
  } catch (error) {
    throw new Obstacle(`${(error as Error).message}\n${USAGE}`)
  }
}

/** A key itself, or a file with one a line. */
function keysOf(text: string): readonly VerifierKey[] {
  const lines = existsSync(text) ? readFileSync(text, 'utf8').split('\n') : [text]
  return lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map(parseVerifierKey)
}

function checkpointsOf(path: string, keys: readonly VerifierKey[]): readonly Checkpoint[] {
  return splitCheckpoints(readFileSync(path, 'utf8')).map((note, i) => {
    try {
      return openCheckpoint(note, keys)
    } catch (error) {
      if (!(error instanceof AuditError)) throw error
      throw new Obstacle(`${path}, checkpoint ${i + 1}: ${error.message} (${error.code})`)
    }
  })
}

async function judge(path: string, evidence: Evidence): Promise<Verdict> {
  const check = ledgerCheck(evidence)
  const lines = lineSplitter()
  for await (const chunk of createReadStream(path, { highWaterMark: CHUNK })) {
    for (const line of lines.push(chunk as Buffer)) {
      if (check.push(line) === 'enough') return check.verdict()
    }
  }
  if (lines.rest().byteLength > 0) check.torn()
  return check.verdict()
}

function report(verdict: Verdict, isJson: boolean): void {
  const isFine = verdict.kind === 'intact' || verdict.kind === 'unsigned-tail'
  console.log(isJson ? JSON.stringify(verdict, hashesAsHex) : sentence(verdict))
  process.exitCode = isFine ? FINE : TAMPERED
}

/** A Buffer has become an object of `type` and `data` when the replacer sees it. */
function hashesAsHex(this: Record<string, unknown>, key: string, value: unknown): unknown {
  const raw = this[key]
  return raw instanceof Uint8Array ? Buffer.from(raw).toString('hex') : value
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error
}

await main()
