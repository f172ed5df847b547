// Passkeys (WebAuthn Level 3) as the second factor:  options with a challenge ─► authenticator ─► signature, checked here
//
// Invariants: a challenge is of one session, and is used once; the origin and the relying party are those that this site
// answers to, not what a request says; an authenticator whose counter goes back is refused.

import {
  type AuthenticationResponseJSON,
  generateAuthenticationOptions,
  generateRegistrationOptions,
  type RegistrationResponseJSON,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from '@simplewebauthn/server'
import { z } from 'zod'
import { type Db, type Tx, transact } from '../db/database.ts'
import { appendEvents } from '../ledger/append.ts'
import { IdentityError } from './errors.ts'

/** Who we are to an authenticator. */
export type Party = { readonly id: string; readonly origin: string }
export type Passkey = {
  readonly id: string
  readonly name: string
  readonly madeAt: Date
  readonly usedAt: Date | undefined
}

const MAX_PASSKEYS = 10
const MAX_NAME = 60
const BASE64URL = z.string().regex(/^[A-Za-z0-9_-]{1,8192}$/)
const TRANSPORTS = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const
const COMMON = {
  id: BASE64URL,
  rawId: BASE64URL,
  type: z.literal('public-key'),
  clientExtensionResults: z.object({}).catchall(z.unknown()),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).optional(),
}
const REGISTRATION = z.object({
  ...COMMON,
  response: z.object({
    clientDataJSON: BASE64URL,
    attestationObject: BASE64URL,
    transports: z.array(z.enum(TRANSPORTS)).max(TRANSPORTS.length).optional(),
  }),
})
const AUTHENTICATION = z.object({
  ...COMMON,
  response: z.object({
    clientDataJSON: BASE64URL,
    authenticatorData: BASE64URL,
    signature: BASE64URL,
    userHandle: BASE64URL.optional(),
  }),
})

async function keep(db: Db, session: string, challenge: string): Promise<void> {
  await db.updateTable('sessions').set({ challenge }).where('id', '=', session).execute()
}

/** Taken: it is not there for a second answer. */
async function takeChallenge(db: Db, session: string): Promise<string> {
  return await transact(db, async (tx) => {
    const row = await tx
      .selectFrom('sessions')
      .select('challenge')
      .where('id', '=', session)
      .forUpdate()
      .executeTakeFirst()
    await tx.updateTable('sessions').set({ challenge: null }).where('id', '=', session).execute()
    if (!row?.challenge)
      throw new IdentityError('BAD_CODE', 'start again: nothing was asked of an authenticator')
    return row.challenge
  })
}

type Of = { readonly person: string; readonly session: string; readonly party: Party }

/** For navigator.credentials.create. */
export async function registrationOptions(db: Db, { person, session, party }: Of) {
  const own = await passkeysOf(db, person)
  if (own.length >= MAX_PASSKEYS)
    throw new IdentityError('BAD_CODE', `an account has at most ${MAX_PASSKEYS} passkeys`)
  const options = await generateRegistrationOptions({
    rpName: 'Roentgate',
    rpID: party.id,
    userName: person,
    attestationType: 'none',
    excludeCredentials: own.map(({ id }) => ({ id })),
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
  })
  await keep(db, session, options.challenge)
  return options
}

/** @throws IdentityError BAD_CODE */
export async function registerPasskey(
  db: Db,
  { person, session, party }: Of,
  { name, response }: { readonly name: string; readonly response: unknown },
): Promise<void> {
  const expectedChallenge = await takeChallenge(db, session)
  const parsed = REGISTRATION.safeParse(response)
  const label = name.trim()
  if (!parsed.success || label === '' || label.length > MAX_NAME)
    throw new IdentityError('BAD_CODE', `a passkey has a name of 1 to ${MAX_NAME} characters`)
  const { verified, registrationInfo } = await verifyRegistrationResponse({
    response: parsed.data as RegistrationResponseJSON,
    expectedChallenge,
    expectedOrigin: party.origin,
    expectedRPID: party.id,
    requireUserVerification: true,
  }).catch(refused)
  if (!verified || registrationInfo === undefined) throw refusal()
  const { id, publicKey, counter, transports = [] } = registrationInfo.credential
  await transact(db, async (tx) => {
    const row = {
      id,
      person,
      public_key: Buffer.from(publicKey),
      counter,
      transports: [...transports],
      name: label,
    }
    await tx.insertInto('passkeys').values(row).execute()
    await told(tx, person, 'passkey added')
  })
}

function refusal(): IdentityError {
  return new IdentityError('BAD_CODE', 'the answer of the authenticator does not hold')
}

function refused(): never {
  throw refusal()
}

async function told(tx: Tx, person: string, status: string): Promise<void> {
  const event = {
    event: 'user-security-changed',
    action: 'E',
    outcome: 'success',
    actor: { kind: 'person', id: person },
    objects: [],
    detail: { subject: person, status },
  } as const
  await appendEvents(tx, [event], new Date())
}

/** For navigator.credentials.get; undefined: there is no passkey. */
export async function authenticationOptions(db: Db, { person, session, party }: Of) {
  const own = await passkeysOf(db, person)
  if (own.length === 0) return undefined
  const options = await generateAuthenticationOptions({
    rpID: party.id,
    allowCredentials: own.map(({ id }) => ({ id })),
    userVerification: 'required',
  })
  await keep(db, session, options.challenge)
  return options
}

/** Whether it is one of this person's, and signed what was asked. */
export async function showPasskey(
  db: Db,
  { person, session, party }: Of,
  response: unknown,
): Promise<boolean> {
  const expectedChallenge = await takeChallenge(db, session)
  const parsed = AUTHENTICATION.safeParse(response)
  if (!parsed.success) return false
  return await transact(db, async (tx) => {
    const row = await tx
      .selectFrom('passkeys')
      .select(['id', 'public_key', 'counter'])
      .where('id', '=', parsed.data.id)
      .where('person', '=', person)
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined) return false
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: parsed.data as AuthenticationResponseJSON,
      expectedChallenge,
      expectedOrigin: party.origin,
      expectedRPID: party.id,
      credential: { id: row.id, publicKey: new Uint8Array(row.public_key), counter: row.counter },
      requireUserVerification: true,
    }).catch(() => ({ verified: false, authenticationInfo: undefined }))
    if (!verified || authenticationInfo === undefined) return false
    const used = { counter: authenticationInfo.newCounter, used_at: new Date() }
    await tx.updateTable('passkeys').set(used).where('id', '=', row.id).execute()
    return true
  })
}

export async function passkeysOf(db: Db, person: string): Promise<readonly Passkey[]> {
  const rows = await db
    .selectFrom('passkeys')
    .select(['id', 'name', 'made_at', 'used_at'])
    .where('person', '=', person)
    .orderBy('made_at')
    .execute()
  return rows.map(({ id, name, made_at, used_at }) => ({
    id,
    name,
    madeAt: made_at,
    usedAt: used_at ?? undefined,
  }))
}

export async function removePasskey(db: Db, person: string, id: string): Promise<void> {
  await transact(db, async (tx) => {
    const gone = await tx
      .deleteFrom('passkeys')
      .where('person', '=', person)
      .where('id', '=', id)
      .returning('id')
      .execute()
    if (gone.length > 0) await told(tx, person, 'passkey removed')
  })
}
