// How long studies are kept, and which ones are due to go.
//
//   due = the latest, over all policies in force that match, of   study date + years,   birth + the age minors are kept until
//
// Invariants: of two laws the longer one holds; a study that no policy matches is never due, nor one under a hold; where
// the birth date is not known the patient counts as born on the day of the study. What is due goes to the trash first
// (trash.ts); nothing here destroys.

import { randomUUID } from 'node:crypto'
import { type Db, transact } from '../db/database.ts'
import { appendEvents } from '../ledger/append.ts'
import type { Archive } from './archive.ts'
import { ArchiveError } from './errors.ts'
import { loaderOf } from './index/found.ts'

export type Policy = {
  readonly name: string
  /** Of any, where it is absent. */
  readonly modality?: string
  /** Whose law it is: for people to read. All policies in force apply. */
  readonly jurisdiction: string
  readonly years: number
  /** Kept until the patient has this age at least. */
  readonly minorsUntilAge?: number
  /** The law or the decision behind it. */
  readonly basis: string
}

export type Due = {
  readonly study: string
  readonly rowId: string
  readonly due: Date
  readonly policy: string
}

const PAGE = 500
/** As 0010,0030 has it. */
const DATE = /^(\d{4})(\d{2})(\d{2})$/

/** In force at once; one of the same name that was in force ends. */
export async function setPolicy(db: Db, policy: Policy, by: string): Promise<void> {
  const { name, modality, jurisdiction, years, minorsUntilAge, basis } = policy
  await transact(db, async (tx) => {
    const row = {
      name,
      modality: modality ?? null,
      jurisdiction,
      years,
      minors_until_age: minorsUntilAge ?? null,
      basis,
      active: true,
    }
    await tx
      .insertInto('retention_policies')
      .values({ id: randomUUID(), ...row })
      .onConflict((on) => on.column('name').doUpdateSet(row))
      .execute()
    await appendEvents(tx, [changed(name, by, 'in force')], new Date())
  })
}

/** @throws ArchiveError NO_POLICY */
export async function endPolicy(db: Db, name: string, by: string): Promise<void> {
  await transact(db, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('retention_policies')
      .set({ active: false })
      .where('name', '=', name)
      .where('active', '=', true)
      .executeTakeFirst()
    if (numUpdatedRows === 0n)
      throw new ArchiveError('NO_POLICY', 'no retention policy of this name is in force')
    await appendEvents(tx, [changed(name, by, 'ended')], new Date())
  })
}

export async function policiesInForce(db: Db): Promise<readonly Policy[]> {
  const rows = await db
    .selectFrom('retention_policies')
    .selectAll()
    .where('active', '=', true)
    .orderBy('name')
    .execute()
  return rows.map(({ name, modality, jurisdiction, years, minors_until_age, basis }) => ({
    name,
    jurisdiction,
    years,
    basis,
    ...(modality === null ? {} : { modality }),
    ...(minors_until_age === null ? {} : { minorsUntilAge: minors_until_age }),
  }))
}

/** Those whose time is over at `now`, in no order. */
export async function* dueStudies({ database, columns }: Archive, now: Date): AsyncGenerator<Due> {
  const db = database.kysely
  const policies = await policiesInForce(db)
  if (policies.length === 0) return
  for (let after: string | undefined; ; ) {
    const query = db
      .selectFrom('studies')
      .select('id')
      .where('trashed_at', 'is', null)
      .where('disposed_at', 'is', null)
      .where('hold_count', '=', 0)
      .orderBy('id')
      .limit(PAGE)
    const ids = (await (after === undefined ? query : query.where('id', '>', after)).execute()).map(
      ({ id }) => id,
    )
    for (const study of await loaderOf({ db, columns }).studies(ids)) {
      const born = dateOf(study.patient.birthDate)
      const term = termOf(policies, { ...study, taken: dateOf(study.date) ?? study.receivedAt, born })
      if (term !== undefined && term.due <= now) yield { study: study.uid, rowId: study.rowId, ...term }
    }
    after = ids.at(-1)
    if (ids.length < PAGE || after === undefined) return
  }
}

export type Subject = {
  readonly modalities: readonly string[]
  readonly taken: Date
  readonly born: Date | undefined
}

/** Undefined: nothing says that it may go. */
export function termOf(
  policies: readonly Policy[],
  { modalities, taken, born }: Subject,
): { readonly due: Date; readonly policy: string } | undefined {
  const terms = policies
    .filter(({ modality }) => modality === undefined || modalities.includes(modality))
    .map(({ name, years, minorsUntilAge }) => {
      const plain = yearsAfter(taken, years)
      const grown = minorsUntilAge === undefined ? plain : yearsAfter(born ?? taken, minorsUntilAge)
      return { due: grown > plain ? grown : plain, policy: name }
    })
  return terms.reduce<(typeof terms)[number] | undefined>(
    (latest, term) => (latest === undefined || term.due > latest.due ? term : latest),
    undefined,
  )
}

/** The 29th of February is the 1st of March where there is none. */
function yearsAfter(date: Date, years: number): Date {
  const later = new Date(date)
  later.setUTCFullYear(later.getUTCFullYear() + years)
  return later
}

/** Undefined for what is no day of the calendar. */
function dateOf(text: string): Date | undefined {
  const [, year, month, day] = DATE.exec(text) ?? []
  if (year === undefined) return undefined
  const date = new Date(`${year}-${month}-${day}T00:00:00Z`)
  return Number.isNaN(date.getTime()) || date.getUTCDate() !== Number(day) ? undefined : date
}

function changed(policy: string, by: string, status: string) {
  return {
    event: 'policy-changed',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [],
    detail: { policy, status },
  } as const
}
