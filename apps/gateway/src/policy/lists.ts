// Lists of studies and of patients: what a role can be for.   UIDs, patient IDs ─► rows ─► members

import type { Columns } from '../archive/index/columns.ts'
import { patientBlind } from '../archive/index/facts.ts'
import { uuid7 } from '../archive/index/uuid.ts'
import { type Db, type Tx, transact } from '../db/database.ts'
import type { ScopeLists } from '../db/schema.ts'
import { appendEvents } from '../ledger/append.ts'
import { PolicyError } from './errors.ts'

export type NewList = {
  readonly kind: 'studies' | 'patients'
  readonly name: string
  /** Study Instance UIDs, or patient IDs of any issuer. */
  readonly members: readonly string[]
}

/** The list's id. @throws PolicyError EXISTS, NO_LIST where a member is not in the archive */
export async function makeList(
  { db, columns }: { readonly db: Db; readonly columns: Columns },
  { kind, name, members }: NewList,
  by: string,
): Promise<string> {
  const id = uuid7(Date.now())
  await transact(db, async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('scope_lists')
      .values({ id, kind, name, created_by: by })
      .onConflict((on) => on.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows === 0n) throw new PolicyError('EXISTS', 'there is a list of this name')
    const rows = kind === 'studies' ? await studies(tx, members) : await patients(tx, columns, members)
    if (rows.length > 0)
      await tx
        .insertInto('scope_members')
        .values(rows.map((member) => ({ list_id: id, member })))
        .execute()
    const event = {
      event: 'policy-changed',
      action: 'E',
      outcome: 'success',
      actor: { kind: 'person', id: by },
      objects: [{ kind: 'record', id, count: rows.length }],
      detail: { status: 'list made', item: kind },
    } as const
    await appendEvents(tx, [event], new Date())
  })
  return id
}

async function studies(tx: Tx, uids: readonly string[]): Promise<readonly string[]> {
  const wanted = [...new Set(uids)]
  if (wanted.length === 0) return []
  const rows = await tx.selectFrom('studies').select('id').where('study_uid', 'in', wanted).execute()
  if (rows.length < wanted.length)
    throw new PolicyError('NO_LIST', 'a study of the list is not in the archive')
  return rows.map(({ id }) => id)
}

/** One ID may be of several issuers: all of them. */
async function patients(tx: Tx, columns: Columns, ids: readonly string[]): Promise<readonly string[]> {
  const blinds = [...new Set(ids)].map((id) => patientBlind(columns, id))
  if (blinds.length === 0) return []
  const rows = await tx
    .selectFrom('patients')
    .select(['id', 'pid_blind'])
    .where('pid_blind', 'in', blinds)
    .execute()
  const found = new Set(rows.map(({ pid_blind }) => pid_blind.toString('hex')))
  if (found.size < blinds.length)
    throw new PolicyError('NO_LIST', 'a patient of the list is not in the archive')
  return rows.map(({ id }) => id)
}

export type List = Pick<ScopeLists, 'id' | 'kind' | 'name'> & { readonly count: number }

export async function listLists(db: Db): Promise<readonly List[]> {
  return await db
    .selectFrom('scope_lists')
    .leftJoin('scope_members', 'list_id', 'id')
    .select((on) => ['id', 'kind', 'name', on.fn.count<number>('member').as('count')])
    .groupBy(['id', 'kind', 'name'])
    .orderBy('kind')
    .orderBy('name')
    .execute()
}
