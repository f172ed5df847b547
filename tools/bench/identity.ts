// How many people sign in a second, with password and second factor, and how many sessions are looked up: an embedded
// PostgreSQL, as the pages do it, without the pages.

import { createHash, randomUUID } from 'node:crypto'
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import { generate } from 'otplib'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { enrol, invite } from '../../apps/gateway/src/identity/people.ts'
import { newSecond } from '../../apps/gateway/src/identity/second-factor.ts'
import {
  byCode,
  finishSignIn,
  LIMITS,
  showPassword,
  whoIs,
} from '../../apps/gateway/src/identity/sessions.ts'
import { openAccess, type Presented } from '../../apps/gateway/src/oidc/access.ts'
import { addApp } from '../../apps/gateway/src/oidc/clients.ts'
import { keepConsent } from '../../apps/gateway/src/oidc/consents.ts'
import { openProofs } from '../../apps/gateway/src/oidc/proofs.ts'
import { type SigningKey, signingKeys } from '../../apps/gateway/src/oidc/signing.ts'
import { grantsOf } from '../../apps/gateway/src/policy/grants.ts'
import { machine, table } from './document.ts'
import { BenchError, median } from './measure.ts'

const PEOPLE = 40
const AT_ONCE = 8
const CHECKS = 4000
const PASSWORD = 'violet anchor seven lamps'
const CLIENT = { address: '127.0.0.1', agent: 'bench' }

type Account = { readonly id: string; readonly secret: string }

export async function benchIdentity(scratch: string, rounds: number): Promise<string> {
  chmodSync(scratch, 0o711)
  await using archive = await openArchive({
    dataFolder: join(scratch, 'identity'),
    keys: { passphrase: Buffer.from('bench') },
  })
  const accounts: Account[] = []
  for (let n = 0; n < PEOPLE; n++) accounts.push(await account(archive, `person.${n}`))
  const signing: number[] = []
  const checking: number[] = []
  const tokens = await doors(archive, accounts)
  const bound: number[] = []
  for (let round = 0; round < rounds; round++) {
    // A code opens once, and a round is shorter than its half minute.
    await archive.database.kysely.updateTable('totp').set({ last_step: 0 }).execute()
    const sessions: string[] = []
    signing.push(await perSecond(accounts, async (one) => void sessions.push(await signIn(archive, one))))
    const asked = Array.from({ length: CHECKS }, (_, n) => sessions[n % sessions.length] ?? '')
    checking.push(await perSecond(asked, (token) => check(archive, token)))
    const shown = await tokens.prepared(CHECKS)
    bound.push(await perSecond(shown, async (one) => void (await tokens.access.subjectOf(one))))
  }
  return `## identity: signing in

${PEOPLE} people sign in with a password (argon2id) and a code, ${AT_ONCE} at once; then ${CHECKS} lookups of their sessions with roles,
${AT_ONCE} at once; then ${CHECKS} checks of access tokens, each with a proof of its own (DPoP, ES256), its consent, session and roles read
from the database. Every sign-in is in the ledger. Median of ${rounds} rounds. ${machine()}.

${table(
  ['', 'a second'],
  [
    ['sign-ins', median(signing).toFixed(0)],
    ['sessions looked up', median(checking).toFixed(0)],
    ['tokens checked', median(bound).toFixed(0)],
  ],
)}`
}

async function account({ database, columns }: Archive, id: string): Promise<Account> {
  const db = database.kysely
  const token = await invite(db, { id, name: id }, 'bench')
  const { secret } = newSecond(id)
  await enrol(db, columns, { token, password: PASSWORD, secret, code: await generate({ secret }) })
  return { id, secret }
}

async function signIn({ database, columns }: Archive, { id, secret }: Account): Promise<string> {
  const store = { db: database.kysely, columns }
  const token = await showPassword(store, { person: id, password: PASSWORD, ...CLIENT })
  return await finishSignIn(store, { token, show: byCode(store, await generate({ secret })), ...CLIENT })
}

async function check({ database, columns }: Archive, token: string): Promise<void> {
  const db = database.kysely
  const subject = await whoIs({ db, columns }, token, { grantsOf: (id) => grantsOf(db, id) })
  if (subject === undefined) throw new BenchError('a session that is not there')
}

async function perSecond<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<number> {
  const begun = performance.now()
  const queue = all.values()
  const work = async (): Promise<void> => {
    for (const one of queue) await act(one)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return (all.length / (performance.now() - begun)) * 1000
}

const ISSUER = 'https://gateway.example'
const URL_ASKED = `${ISSUER}/dicomweb/studies`
const AUDIENCE = `${ISSUER}/dicomweb`
const SCOPE = 'user/ImagingStudy.rs'

/** As the pages make them, without the pages: what is measured is the check. */
async function doors(archive: Archive, accounts: readonly Account[]) {
  const { database, columns } = archive
  const db = database.kysely
  const viewer = { id: 'viewer', name: 'Viewer', redirects: ['https://v.example/'], scopes: [SCOPE] }
  await addApp(db, viewer, 'bench')
  const keys = await signingKeys({ db, columns })
  const proof = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(proof.publicKey)
  const jkt = await calculateJwkThumbprint(jwk)
  const tokens: string[] = []
  for (const one of accounts) tokens.push(await tokenOf(archive, one, { key: keys[0], jkt }))
  const doorsOf = { db, issuer: ISSUER, audience: AUDIENCE, limits: LIMITS, proofs: openProofs() }
  const access = openAccess({ ...doorsOf, keys: () => Promise.resolve(keys) })
  const prepared = async (count: number): Promise<readonly Presented[]> => {
    const all: Presented[] = []
    for (let n = 0; n < count; n++) {
      const token = tokens[n % tokens.length] ?? ''
      const ath = createHash('sha256').update(token).digest('base64url')
      const claims = { jti: randomUUID(), htm: 'GET', htu: URL_ASKED, ath }
      const header = { alg: 'ES256', typ: 'dpop+jwt', jwk }
      const made = await new SignJWT(claims).setProtectedHeader(header).setIssuedAt().sign(proof.privateKey)
      const authorization = `DPoP ${token}`
      all.push({ authorization, proof: made, method: 'GET', url: URL_ASKED, certificate: undefined })
    }
    return all
  }
  return { access, prepared }
}

type Making = { readonly key: SigningKey | undefined; readonly jkt: string }

/** Of a consent within a session of theirs. */
async function tokenOf(archive: Archive, one: Account, { key, jkt }: Making): Promise<string> {
  if (key === undefined) throw new BenchError('there is no key')
  const db = archive.database.kysely
  await db.updateTable('totp').set({ last_step: 0 }).where('person', '=', one.id).execute()
  await signIn(archive, one)
  const { id: session } = await db
    .selectFrom('sessions')
    .select('id')
    .where('person', '=', one.id)
    .where('ended_at', 'is', null)
    .orderBy('begun_at', 'desc')
    .executeTakeFirstOrThrow()
  const grant = randomUUID()
  await keepConsent(db, { grantId: grant, session, client: 'app:viewer', patient: undefined })
  return await new SignJWT({ scope: SCOPE, client_id: 'app:viewer', grant, cnf: { jkt } })
    .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key.kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(one.id)
    .setJti(randomUUID())
    .setIssuedAt()
    .setExpirationTime('10m')
    .sign(await importJWK(key.jwk, 'ES256'))
}
