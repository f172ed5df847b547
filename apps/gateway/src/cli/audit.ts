// roentgate audit verify | search | export

import { closeSync, existsSync, openSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import { formatVerifierKey, sentence, splitCheckpoints } from '@roentgate/audit'
import { transact } from '../db/database.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { fileWitness, ledgerSigner, publishCheckpoint } from '../ledger/checkpoint.ts'
import { ledgerLines, searchLedger, verifyDatabase } from '../ledger/read.ts'
import { PRIVATE_FILE } from '../pipeline/atomic.ts'
import { actor, type DataOptions, withArchive } from './archive.ts'
import type { Invocation } from './program.ts'
import { EXIT, UsageError } from './terminal.ts'

export type AuditOptions = DataOptions & { readonly witness?: readonly string[] }
export type SearchOptions = DataOptions & {
  readonly event?: string
  readonly actor?: string
  readonly object?: string
  readonly from?: string
  readonly to?: string
  readonly limit: number
}

export async function auditVerify(
  { witness = [], ...options }: AuditOptions,
  invocation: Invocation,
): Promise<number> {
  for (const path of witness) if (!existsSync(path)) throw new UsageError(`there is no witness file ${path}`)
  return await withArchive(options, invocation, async ({ database, provider }) => {
    const { key } = await ledgerSigner(database.kysely, provider)
    const notes = witness.map((path) => splitCheckpoints(readFileSync(path, 'utf8')))
    const verdict = await verifyDatabase(database.kysely, key, notes)
    invocation.terminal.out(`${sentence(verdict)}\n`)
    if (witness.length === 0) {
      invocation.terminal.err(
        'No witness was named: who administers the database could have rewritten all of it. Name one with --witness.\n',
      )
    }
    return verdict.kind === 'intact' || verdict.kind === 'unsigned-tail' ? EXIT.done : EXIT.failed
  })
}

export async function auditCheckpoint(
  { witness = [], ...options }: AuditOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async ({ database, provider }) => {
    const signer = await ledgerSigner(database.kysely, provider)
    const size = await publishCheckpoint(database.kysely, signer, witness.map(fileWitness))
    const said = size === undefined ? 'Nothing new to sign' : `Signed at ${size} entries`
    invocation.terminal.out(`${said}; key ${formatVerifierKey(signer.key)}\n`)
    return EXIT.done
  })
}

export async function auditSearch(
  { data, ...search }: SearchOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(data === undefined ? {} : { data }, invocation, async ({ database }) => {
    const found = await searchLedger(database.kysely, search)
    for (const { index, at, event, outcome, actor: who, objects, detail } of found) {
      const what = objects
        .map(({ kind, id, count }) => `${kind} ${id}${count ? ` ×${count}` : ''}`)
        .join(', ')
      const more = Object.entries(detail)
        .map(([name, value]) => `${name}=${value}`)
        .join(' ')
      invocation.terminal.out(
        `${index}  ${at}  ${event}  ${outcome}  ${who.kind} ${who.id}  ${what}  ${more}\n`,
      )
    }
    await record(database.kysely, { event: 'audit-log-used', action: 'R', detail: { count: found.length } })
    return EXIT.done
  })
}

/** Everything that the stand-alone verifier wants, but for what the witnesses have. */
export async function auditExport(
  path: string,
  options: DataOptions,
  invocation: Invocation,
): Promise<number> {
  if (existsSync(path)) throw new UsageError(`${path} is there already: name another`)
  return await withArchive(options, invocation, async ({ database, provider }) => {
    const signer = await ledgerSigner(database.kysely, provider)
    await record(database.kysely, { event: 'ledger-exported', action: 'R', detail: {} })
    await publishCheckpoint(database.kysely, signer, [])
    const fd = openSync(path, 'wx', PRIVATE_FILE)
    try {
      for await (const line of ledgerLines(database.kysely)) writeSync(fd, `${line}\n`)
    } finally {
      closeSync(fd)
    }
    const notes = await database.kysely.selectFrom('checkpoints').select('text').orderBy('size').execute()
    writeFileSync(`${path}.checkpoints`, notes.map(({ text }) => text).join(''), { mode: PRIVATE_FILE })
    writeFileSync(`${path}.key`, `${formatVerifierKey(signer.key)}\n`)
    invocation.terminal.out(
      `Written: ${path}, its own checkpoints and its public key. Check it with\n  roentgate-audit-verify ${path} --key ${path}.key --own ${path}.checkpoints --witness FILE\n`,
    )
    return EXIT.done
  })
}

type Said = Pick<NewEvent, 'event' | 'action' | 'detail'>

async function record(db: Parameters<typeof transact>[0], said: Said): Promise<void> {
  const event: NewEvent = { ...said, outcome: 'success', actor: actor(), objects: [] }
  await transact(db, (tx) => appendEvents(tx, [event], new Date()))
}
