// Emergency access (45 CFR 164.312(a)(2)(ii)):  reason, second factor ─► one patient, 60 minutes ─► alert ─► review by another
//
// While it is open it is a role like any other, for that patient alone (grantsOf gives it); what is done with it is in the
// ledger as all else, after an entry that says that it was opened. It stays on the list until somebody else has said
// whether it was right.

import type { Selectable } from 'kysely'
import { uuid7 } from '../archive/index/uuid.ts'
import { type Db, type Tx, transact } from '../db/database.ts'
import type { BreakGlass } from '../db/schema.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { decide, isLive } from './decide.ts'
import { PolicyError } from './errors.ts'
import type { Role, Subject } from './subject.ts'

const OPEN_MS = 60 * 60_000
const MIN_REASON = 10
const MAX_REASON = 500
/** For whom an emergency may be opened: those who may open one at all (the row `emergency`). */
const TREATING: readonly Role[] = ['radiologist', 'technologist', 'referring-clinician']

export type Opening = {
  readonly subject: Extract<Subject, { kind: 'person' }>
  /** patients.id */
  readonly patient: string
  readonly reason: string
  readonly at: Date
}

/** @throws PolicyError DENIED, STEP_UP: a second factor is to be shown first; BAD_REASON, NO_PATIENT */
export async function openBreakGlass(
  db: Db,
  { subject, patient, reason, at }: Opening,
): Promise<{ readonly id: string; readonly until: Date }> {
  const asked = { subject, action: 'break-glass.open', purpose: 'treatment', at } as const
  const decision = decide({ ...asked, thing: { kind: 'system' } })
  if (decision.kind === 'step-up')
    throw new PolicyError('STEP_UP', 'an emergency is opened with a second factor, shown now')
  const held = subject.grants.find(
    (grant) => TREATING.includes(grant.role) && !grant.emergency && isLive(grant, at),
  )
  if (decision.kind === 'deny' || held === undefined) {
    await transact(db, (tx) => appendEvents(tx, [denied(subject.id)], at))
    throw new PolicyError('DENIED', 'an emergency is opened by those who treat')
  }
  if (reason.trim().length < MIN_REASON || reason.length > MAX_REASON)
    throw new PolicyError('BAD_REASON', `a reason has ${MIN_REASON} to ${MAX_REASON} characters`)
  const id = uuid7(at.getTime())
  const until = new Date(at.getTime() + OPEN_MS)
  await transact(db, async (tx) => {
    const there = await tx.selectFrom('patients').select('id').where('id', '=', patient).executeTakeFirst()
    if (there === undefined) throw new PolicyError('NO_PATIENT', 'there is no such patient')
    const row = { id, person: subject.id, role: held.role, patient_id: patient, reason, opened_at: at, until }
    await tx.insertInto('break_glass').values(row).execute()
    await appendEvents(tx, [eventOf('break-glass', { id, by: subject.id, patient, status: 'opened' })], at)
  })
  return { id, until }
}

function denied(by: string): NewEvent {
  return {
    event: 'access-denied',
    action: 'E',
    outcome: 'minor',
    actor: { kind: 'person', id: by },
    objects: [],
    detail: { policy: 'break-glass.open' },
  }
}

type Told = { readonly id: string; readonly by: string; readonly patient: string; readonly status: string }

function eventOf(
  event: 'break-glass' | 'emergency-override-stopped',
  { id, by, patient, status }: Told,
): NewEvent {
  return {
    event,
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: by },
    objects: [{ kind: 'patient', id: patient }],
    detail: { grant: id, status },
  }
}

/** Before its time. @throws PolicyError NO_GRANT */
export async function endBreakGlass(db: Db, id: string, by: string): Promise<void> {
  await transact(db, async (tx) => {
    const row = await locked(tx, id)
    const now = new Date()
    if (row.ended_at !== null || row.until <= now) throw new PolicyError('NO_GRANT', 'it is over already')
    await tx.updateTable('break_glass').set({ ended_at: now }).where('id', '=', id).execute()
    const told = { id, by, patient: row.patient_id, status: 'ended' }
    await appendEvents(tx, [eventOf('emergency-override-stopped', told)], now)
  })
}

export type Verdict = {
  readonly by: string
  readonly verdict: 'justified' | 'unjustified'
  readonly note: string
}

/** Ends it, too. @throws PolicyError NO_GRANT, OWN_REQUEST, BAD_REASON */
export async function reviewBreakGlass(db: Db, id: string, { by, verdict, note }: Verdict): Promise<void> {
  if (note.trim() === '' || note.length > MAX_REASON)
    throw new PolicyError('BAD_REASON', 'a review says why, in a line')
  await transact(db, async (tx) => {
    const row = await locked(tx, id)
    if (row.person === by) throw new PolicyError('OWN_REQUEST', 'nobody reviews what they opened')
    if (row.verdict !== null) throw new PolicyError('NO_GRANT', 'it was reviewed already')
    const now = new Date()
    const reviewed = { verdict, note, reviewed_by: by, reviewed_at: now }
    const ended_at = row.ended_at ?? (row.until < now ? row.until : now)
    await tx
      .updateTable('break_glass')
      .set({ ...reviewed, ended_at })
      .where('id', '=', id)
      .execute()
    const told = { id, by, patient: row.patient_id, status: verdict }
    await appendEvents(tx, [eventOf('emergency-override-stopped', told)], now)
  })
}

async function locked(tx: Tx, id: string) {
  const row = await tx
    .selectFrom('break_glass')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()
  if (row === undefined) throw new PolicyError('NO_GRANT', 'there is no emergency access of this id')
  return row
}

/** Newest first; those that wait for a review, or all. */
export async function listBreakGlass(
  db: Db,
  which: 'waiting' | 'all',
): Promise<readonly Selectable<BreakGlass>[]> {
  const all = db.selectFrom('break_glass').selectAll().orderBy('opened_at', 'desc')
  return await (which === 'waiting' ? all.where('verdict', 'is', null) : all).execute()
}
