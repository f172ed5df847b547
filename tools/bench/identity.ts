// How many people sign in a second, with password and second factor, and how many sessions are looked up: an embedded
// PostgreSQL, as the pages do it, without the pages.

import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { generate } from 'otplib'
import { type Archive, openArchive } from '../../apps/gateway/src/archive/archive.ts'
import { enrol, invite } from '../../apps/gateway/src/identity/people.ts'
import { newSecond } from '../../apps/gateway/src/identity/second-factor.ts'
import { byCode, finishSignIn, showPassword, whoIs } from '../../apps/gateway/src/identity/sessions.ts'
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
  for (let round = 0; round < rounds; round++) {
    // A code opens once, and a round is shorter than its half minute.
    await archive.database.kysely.updateTable('totp').set({ last_step: 0 }).execute()
    const tokens: string[] = []
    signing.push(await perSecond(accounts, async (one) => void tokens.push(await signIn(archive, one))))
    const asked = Array.from({ length: CHECKS }, (_, n) => tokens[n % tokens.length] ?? '')
    checking.push(await perSecond(asked, (token) => check(archive, token)))
  }
  return `## identity: signing in

${PEOPLE} people sign in with a password (argon2id) and a code, ${AT_ONCE} at once; then ${CHECKS} lookups of their sessions with roles,
${AT_ONCE} at once. Every sign-in is in the ledger. Median of ${rounds} rounds. ${machine()}.

${table(
  ['', 'a second'],
  [
    ['sign-ins', median(signing).toFixed(0)],
    ['sessions looked up', median(checking).toFixed(0)],
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
