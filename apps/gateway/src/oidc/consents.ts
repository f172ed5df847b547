// What a person allowed an app:  session ─► consent (of one patient, or not) ─► tokens
//
// Invariant: no token outlives the session that it was allowed in. Ending the session, revoking the app, or using a code or
// a refresh token twice ends the consent, and with it every token of it at its next use.

import { sql } from 'kysely'
import { type Db, transact } from '../db/database.ts'
import { LIMITS, type Limits } from '../identity/sessions.ts'
import { appendEvents } from '../ledger/append.ts'

export type Consent = {
  readonly session: string
  readonly person: string
  readonly client: string
  /** patients.id, of scopes that begin with patient/. */
  readonly patient: string | undefined
  readonly shownAt: Date
  readonly lastAt: Date
  readonly methods: readonly string[]
}

export async function keepConsent(
  db: Db,
  consent: { readonly grantId: string } & Pick<Consent, 'session' | 'client' | 'patient'>,
): Promise<void> {
  const { grantId, session, client, patient } = consent
  await db
    .insertInto('consents')
    .values({ grant_id: grantId, session, client, patient: patient ?? null })
    .execute()
}

/** Undefined: revoked, or the session, the app or the account is over. */
export async function consentOf(
  db: Db,
  grantId: string,
  { idleMs, absoluteMs }: Limits = LIMITS,
): Promise<Consent | undefined> {
  const row = await db
    .selectFrom('consents as c')
    .innerJoin('sessions as s', 's.id', 'c.session')
    .innerJoin('people as p', 'p.id', 's.person')
    .innerJoin('clients as a', 'a.id', 'c.client')
    .select(['c.session', 's.person', 'c.client', 'c.patient', 's.shown_at', 's.last_at', 's.methods'])
    .where('c.grant_id', '=', grantId)
    .where('c.revoked_at', 'is', null)
    .where('s.ended_at', 'is', null)
    .where('s.begun_at', '>', new Date(Date.now() - absoluteMs))
    .where('s.last_at', '>', new Date(Date.now() - idleMs))
    .where('p.state', '=', 'active')
    .where('a.revoked_at', 'is', null)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { shown_at: shownAt, last_at: lastAt, patient, ...rest } = row
  return { ...rest, patient: patient ?? undefined, shownAt, lastAt }
}

/** A person works with an app: their session is not idle. Not more often than a session's own pages write it. */
export async function touchSession(db: Db, session: string): Promise<void> {
  await sql`update sessions set last_at = now() where id = ${session} and ended_at is null and last_at < now() - interval '30 seconds'`.execute(
    db,
  )
}

/** Once; what is revoked already stays as it was. */
export async function revokeConsent(db: Db, grantId: string): Promise<void> {
  await transact(db, async (tx) => {
    const row = await tx
      .updateTable('consents')
      .set({ revoked_at: new Date() })
      .where('grant_id', '=', grantId)
      .where('revoked_at', 'is', null)
      .returning(['session', 'client'])
      .executeTakeFirst()
    if (row === undefined) return
    const { person } = await tx
      .selectFrom('sessions')
      .select('person')
      .where('id', '=', row.session)
      .executeTakeFirstOrThrow()
    const event = {
      event: 'user-security-changed',
      action: 'E',
      outcome: 'success',
      actor: { kind: 'system', id: 'gateway' },
      objects: [],
      detail: { subject: person, status: 'tokens revoked', rule: row.client },
    } as const
    await appendEvents(tx, [event], new Date())
  })
}
