// Signs what the ledger is now, and tells those that the administrator does not control.
//
//   lock ─► head ─► does it extend the last one? ─► sign ─► insert into checkpoints ─► every witness ─► commit
//
// One gateway at a time, as a witness that hears of size 12 before size 10 has proof of a rollback. If the transaction
// fails after a witness heard, the witness knows more than we do, which harms nothing.

import {
  formatVerifierKey,
  isSameHash,
  openCheckpoint,
  parseVerifierKey,
  root,
  type Signer,
  seedSigner,
  signCheckpoint,
  type TreeHead,
  type VerifierKey,
  type Witness,
} from '@roentgate/audit'
import { sql } from 'kysely'
import type { Db } from '../db/database.ts'
import { readHead } from './append.ts'
import { LedgerError } from './errors.ts'
import { proveConsistency } from './proofs.ts'

export type NamedWitness = Witness & { readonly name: string }

export type Published = {
  readonly text: string
  readonly size: number
  /** Witnesses that did not take it; they are to get this one or a later one. */
  readonly failures: readonly { readonly witness: string; readonly error: unknown }[]
}

/** 'RGck'; see migrate.ts. */
const LOCK = sql.lit(0x5247_636b)
/** A witness that takes longer holds up the checkpoints of the others. */
const WITNESS_MS = 20_000

/** The signer whose name is this ledger's, with its key made known to verifiers. */
export async function openSigner(db: Db, seed: Uint8Array): Promise<Signer> {
  const signer = seedSigner(await originOf(db), seed)
  await db
    .insertInto('ledger_keys')
    .values({ key: formatVerifierKey(signer.key) })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  return signer
}

export async function originOf(db: Db): Promise<string> {
  const { id } = await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()
  return `roentgate/${id}`
}

/** As the database has them: for whoever administers it they prove nothing. */
export async function ownKeys(db: Db): Promise<readonly VerifierKey[]> {
  const rows = await db.selectFrom('ledger_keys').select('key').orderBy('since').execute()
  return rows.map(({ key }) => parseVerifierKey(key))
}

export async function ownCheckpoints(db: Db): Promise<readonly string[]> {
  const rows = await db.selectFrom('checkpoints').select('text').orderBy('size').execute()
  return rows.map(({ text }) => text)
}

/** Entries after the last checkpoint, whichever gateway published it. */
export async function unsigned(db: Db): Promise<number> {
  const { size } = await readHead(db, 'look')
  const last = await db
    .selectFrom('checkpoints')
    .select((all) => all.fn.max('size').as('size'))
    .executeTakeFirst()
  return size - (last?.size ?? 0)
}

/** Of a size that has one already: the same again, to witnesses that may have it. */
export async function publishCheckpoint(
  db: Db,
  signer: Signer,
  witnesses: readonly NamedWitness[],
): Promise<Published> {
  return await db.transaction().execute(async (tx) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(tx)
    const { text, size } = await currentCheckpoint(tx, signer)
    const outcomes = await Promise.allSettled(witnesses.map((witness) => inTime(witness.publish(text))))
    const failures = outcomes.flatMap((outcome, i) =>
      outcome.status === 'fulfilled' ? [] : [{ witness: witnesses[i]?.name ?? '', error: outcome.reason }],
    )
    return { text, size, failures }
  })
}

async function currentCheckpoint(db: Db, signer: Signer): Promise<{ text: string; size: number }> {
  const frontier = await readHead(db, 'look')
  const head = { size: frontier.size, root: root(frontier) }
  const last = await lastCheckpoint(db)
  if (last !== undefined) {
    await mustExtend(db, last, head)
    if (last.size === head.size) return last
  }
  const text = signCheckpoint({ origin: signer.key.name, ...head, time: new Date().toISOString() }, signer)
  await db.insertInto('checkpoints').values({ size: head.size, text }).execute()
  return { text, size: head.size }
}

type Last = TreeHead & { readonly text: string }

async function lastCheckpoint(db: Db): Promise<Last | undefined> {
  const query = db.selectFrom('checkpoints').select('text').orderBy('size', 'desc').limit(1)
  const row = await query.executeTakeFirst()
  if (row === undefined) return undefined
  return { ...openCheckpoint(row.text, await ownKeys(db)), text: row.text }
}

/** Our signature is not to be had for a ledger that is another than we signed before. */
async function mustExtend(db: Db, last: TreeHead, head: TreeHead): Promise<void> {
  if (last.size <= head.size) {
    const { first, second } = await proveConsistency(db, last.size, head.size)
    if (isSameHash(first.root, last.root) && isSameHash(second.root, head.root)) return
  }
  throw new LedgerError('BROKEN_TREE', 'the ledger is not an extension of its last checkpoint')
}

async function inTime(act: Promise<void>): Promise<void> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new LedgerError('WITNESS_FAILED', 'the witness did not answer in time')),
    WITNESS_MS,
  )
  try {
    await Promise.race([act, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
