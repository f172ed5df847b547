// The second factor: a TOTP of an authenticator app (RFC 6238), or one of ten recovery codes.
//
// Invariants: a code opens once, within its half minute and the one before; a recovery code opens once ever. The secret is
// encrypted under the key of the index, in a cell of its own.

import { createHash, randomInt } from 'node:crypto'
import { generateSecret, generateURI, verify } from 'otplib'
import type { Columns } from '../archive/index/columns.ts'
import type { Tx } from '../db/database.ts'

const ISSUER = 'Roentgate'
const CODE = /^\d{6}$/
/** A clock that is slow, and a code that was typed in slowly. */
const TOLERANCE: [number, number] = [30, 5]
const RECOVERY_CODES = 10
/** Without those that look like others. */
const LETTERS = 'abcdefghjkmnpqrstuvwxyz23456789'
const RECOVERY_LENGTH = 16

export type NewSecond = { readonly secret: string; readonly uri: string }

export function newSecond(person: string): NewSecond {
  const secret = generateSecret()
  return { secret, uri: generateURI({ issuer: ISSUER, label: person, secret }) }
}

/** The step that it is of; undefined where it is none. */
export async function stepOfCode(secret: string, code: string, after = 0): Promise<number | undefined> {
  if (!CODE.test(code)) return undefined
  const result = await verify({ secret, token: code, epochTolerance: TOLERANCE, afterTimeStep: after })
  return result.valid && 'timeStep' in result ? result.timeStep : undefined
}

function cellOf(person: string): { readonly table: 'people'; readonly column: string; readonly row: string } {
  return { table: 'people', column: 'totp', row: person }
}

export async function keepSecond(
  tx: Tx,
  columns: Columns,
  { person, secret, step }: { readonly person: string; readonly secret: string; readonly step: number },
): Promise<void> {
  const row = { person, secret_cipher: columns.seal(cellOf(person), secret), last_step: step }
  await tx
    .insertInto('totp')
    .values(row)
    .onConflict((on) => on.column('person').doUpdateSet({ ...row, made_at: new Date() }))
    .execute()
}

/** How it was shown; undefined: it was not. The row is locked: of two with one code, one is late. */
export async function showSecond(
  tx: Tx,
  columns: Columns,
  { person, code }: { readonly person: string; readonly code: string },
): Promise<'otp' | 'recovery' | undefined> {
  const plain = code.replaceAll(/[\s-]/g, '').toLowerCase()
  const row = await tx
    .selectFrom('totp')
    .select(['secret_cipher', 'last_step'])
    .where('person', '=', person)
    .forUpdate()
    .executeTakeFirst()
  if (row === undefined) return undefined
  if (plain.length === RECOVERY_LENGTH)
    return (await usedRecovery(tx, person, plain)) ? 'recovery' : undefined
  const secret = columns.open(cellOf(person), row.secret_cipher)
  const step = await stepOfCode(secret, plain, row.last_step)
  if (step === undefined) return undefined
  await tx.updateTable('totp').set({ last_step: step }).where('person', '=', person).execute()
  return 'otp'
}

async function usedRecovery(tx: Tx, person: string, code: string): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('recovery_codes')
    .set({ used_at: new Date() })
    .where('person', '=', person)
    .where('hash', '=', recoveryHash(person, code))
    .where('used_at', 'is', null)
    .executeTakeFirst()
  return numUpdatedRows === 1n
}

function recoveryHash(person: string, code: string): Buffer {
  return createHash('sha256').update(`${person}\0${code}`).digest()
}

/** In place of those that there were; to be shown once. */
export async function newRecoveryCodes(tx: Tx, person: string): Promise<readonly string[]> {
  const codes = Array.from({ length: RECOVERY_CODES }, () =>
    Array.from({ length: RECOVERY_LENGTH }, () => LETTERS[randomInt(LETTERS.length)]).join(''),
  )
  await tx.deleteFrom('recovery_codes').where('person', '=', person).execute()
  await tx
    .insertInto('recovery_codes')
    .values(codes.map((code) => ({ person, hash: recoveryHash(person, code) })))
    .execute()
  return codes.map((code) => code.replaceAll(/(.{4})(?=.)/g, '$1-'))
}
