// roentgate audit checkpoint | verify | search | export FILE
//
// Each use of the ledger is an entry of it (PS3.15 A.5.3.2, Audit Log Used); a ledger that was tampered with is left as it
// was found.

import { existsSync, readFileSync } from 'node:fs'
import {
  AuditError,
  checkpointsInSyslog,
  type EventName,
  eventRow,
  formatVerifierKey,
  parseEntry,
  parseVerifierKey,
  sentence,
  splitCheckpoints,
  type VerifierKey,
} from '@roentgate/audit'
import { type Database, type Db, openBeside, openDatabase, transact } from '../db/database.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { ownKeys, publishCheckpoint } from '../ledger/checkpoint.ts'
import { LedgerError } from '../ledger/errors.ts'
import { exportFhir, exportLedger } from '../ledger/export.ts'
import { type Search, search } from '../ledger/read.ts'
import { ledgerSigner } from '../ledger/signer.ts'
import { type Judgement, verifyDatabase } from '../ledger/verify.ts'
import { fileWitness } from '../ledger/witness-file.ts'
import { actor, assertUsable, type DataOptions, dataFolderOf, mendable, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, paletteOf, type Terminal, UsageError } from './terminal.ts'

export type AuditCheckpointOptions = DataOptions & { readonly witness?: readonly string[] }
export type AuditExportOptions = DataOptions & { readonly fhir?: boolean }
export type AuditVerifyOptions = DataOptions & { readonly witness?: readonly string[]; readonly key?: string }
export type AuditSearchOptions = DataOptions & {
  readonly from?: Date
  readonly to?: Date
  readonly event?: string
  readonly actor?: string
  readonly object?: string
  readonly limit: number
  readonly after?: string
  readonly json?: boolean
}

/** As roentgate-audit-verify has it. */
const NO_VERDICT = 2

export async function auditCheckpoint(
  { witness = [], ...options }: AuditCheckpointOptions,
  invocation: Invocation,
): Promise<number> {
  const { terminal } = invocation
  const dataFolder = dataFolderOf(options, invocation)
  return await withArchive(options, invocation, async ({ database, custodians }) => {
    const witnesses = witness.map((path) => fileWitness({ path, dataFolder }))
    const signer = await ledgerSigner(database.kysely, custodians)
    const { size, failures } = await publishCheckpoint(database.kysely, signer, witnesses)
    terminal.out(
      `Signed at ${counted(size, 'entry', 'entries')}; the key, to be noted down elsewhere:\n${formatVerifierKey(signer.key)}\n`,
    )
    for (const failure of failures) terminal.err(`${failure.witness} did not take it.\n`)
    return failures.length > 0 ? EXIT.failed : EXIT.done
  })
}

export async function auditVerify(options: AuditVerifyOptions, invocation: Invocation): Promise<number> {
  const { terminal } = invocation
  const paths = options.witness ?? []
  const witnesses = paths.map(witnessNotes)
  for (const [i, notes] of witnesses.entries()) {
    if (notes.length === 0) terminal.err(`${paths[i]} holds no checkpoint: it speaks for nothing.\n`)
  }
  const given = options.key === undefined ? undefined : keysIn(options.key)
  await using database = await openedReadOnly(options, invocation)
  const db = database.kysely
  try {
    const judgement = await verifyDatabase(db, { keys: given ?? (await ownKeys(db)), witnesses })
    if (witnesses.length === 0) {
      terminal.err(
        'No witness was asked (--witness FILE): whoever changed the ledger may have signed it again.\n',
      )
    }
    if (given === undefined) terminal.err('The key is the one that the database names (--key FILE).\n')
    return await concluded(db, judgement, terminal)
  } catch (error) {
    if (!(error instanceof AuditError || error instanceof LedgerError)) throw error
    terminal.err(`NO VERDICT: ${error.message} (${error.code})\n`)
    return NO_VERDICT
  }
}

async function concluded(db: Db, { verdict, differences }: Judgement, terminal: Terminal): Promise<number> {
  const { green, red } = paletteOf(terminal)
  const isFine = verdict.kind === 'intact' || verdict.kind === 'unsigned-tail'
  terminal.out(`${isFine ? green(sentence(verdict)) : red(sentence(verdict))}\n`)
  if (differences.length > 0) {
    terminal.out(`${red('TABLES DIFFER')}: not those of the lines: ${differences.join(', ')}.\n`)
  }
  if (!isFine || differences.length > 0) return EXIT.failed
  await recordUse(db, { event: 'ledger-verified', detail: { status: verdict.kind, size: verdict.size } })
  return EXIT.done
}

export async function auditSearch(options: AuditSearchOptions, invocation: Invocation): Promise<number> {
  const { terminal } = invocation
  const { data, limit, after, json, event, ...rest } = options
  if (event !== undefined && eventRow(event) === undefined)
    throw new UsageError('there is no event of that name')
  const wanted: Search = { ...rest, ...(event === undefined ? {} : { event: event as EventName }) }
  await using database = await openedReadOnly(options, invocation)
  const page = { limit, ...(after === undefined ? {} : { after }) }
  const found = await mendable(() => search(database.kysely, wanted, page))
  for (const line of found.lines) terminal.out(`${json ? line : shown(line)}\n`)
  if (found.next !== undefined) terminal.err(`There is more: --after ${found.next}\n`)
  await recordUse(database.kysely, { event: 'audit-log-used', detail: { count: found.lines.length } })
  return EXIT.done
}

export async function auditExport(
  path: string,
  options: AuditExportOptions,
  invocation: Invocation,
): Promise<number> {
  if (existsSync(path)) throw new UsageError(`${path} is there already: name another`)
  await using database = await openedReadOnly(options, invocation)
  if (options.fhir) {
    const count = await exportFhir(database.kysely, path)
    await recordUse(database.kysely, { event: 'ledger-exported', detail: { count } })
    invocation.terminal.out(`${counted(count, 'AuditEvent')}, one a line\n`)
    return EXIT.done
  }
  const { entries, checkpoints } = await exportLedger(database.kysely, path)
  await recordUse(database.kysely, { event: 'ledger-exported', detail: { count: entries } })
  const said = `${counted(entries, 'entry', 'entries')}, ${counted(checkpoints, 'checkpoint')}`
  invocation.terminal.out(
    `${said}. To be judged elsewhere:\n  roentgate-audit-verify ${path} --key ${path}.keys --witness FILE --own ${path}.checkpoints\n`,
  )
  return EXIT.done
}

/** Without the keys: who reads the ledger needs no custodian. */
export async function openedReadOnly(options: DataOptions, invocation: Invocation): Promise<Database> {
  const { databaseUrl: url } = invocation.environment
  if (url !== undefined) return await mendable(() => openDatabase({ url }))
  const dataFolder = dataFolderOf(options, invocation)
  assertUsable(dataFolder)
  if (!existsSync(dataFolder)) throw new UsageError(`there is no data folder ${dataFolder}`)
  return await mendable(() => openBeside(dataFolder))
}

async function recordUse(db: Db, use: Pick<NewEvent, 'event' | 'detail'>): Promise<void> {
  const event: NewEvent = { action: 'R', outcome: 'success', actor: actor(), objects: [], ...use }
  await transact(db, (tx) => appendEvents(tx, [event], new Date()))
}

/** A witness's own file, or a collector's with other messages around them. */
function witnessNotes(path: string): readonly string[] {
  const text = readText(path)
  const collected = checkpointsInSyslog(text)
  return collected.length > 0 ? collected : splitCheckpoints(text)
}

function keysIn(path: string): readonly VerifierKey[] {
  const lines = readText(path).split('\n')
  const keys = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  if (keys.length === 0) throw new UsageError(`${path} holds no key`)
  try {
    return keys.map(parseVerifierKey)
  } catch (error) {
    if (error instanceof AuditError) throw new UsageError(`${path}: ${error.message}`)
    throw error
  }
}

function readText(path: string): string {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  return readFileSync(path, 'utf8')
}

function shown(line: string): string {
  try {
    return described(line)
  } catch (error) {
    if (!(error instanceof AuditError)) throw error
    return `not an entry (${error.code}): roentgate audit verify`
  }
}

function described(line: string): string {
  const { index, at, event, action, outcome, actor, objects } = parseEntry(line)
  const things = objects.map(
    ({ kind, id, count }) => `${kind} ${id}${count === undefined ? '' : ` (${count})`}`,
  )
  const who = `${actor.kind} ${actor.id}${actor.address === undefined ? '' : ` at ${actor.address}`}`
  return [String(index), at, event, action, outcome, who, things.join(', ')].join('  ').trimEnd()
}
