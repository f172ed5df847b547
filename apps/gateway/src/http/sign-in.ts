// Signing in with a password and a second factor, and setting an account up.

import { toString as qrOf } from 'qrcode'
import { listElsewhere } from '../identity/elsewhere.ts'
import { IdentityError } from '../identity/errors.ts'
import { authenticationOptions, showPasskey } from '../identity/passkeys.ts'
import { enrol } from '../identity/people.ts'
import { newSecond } from '../identity/second-factor.ts'
import { byCode, finishSignIn, pendingOf, type Show, showPassword } from '../identity/sessions.ts'
import { markUsed } from '../policy/grants.ts'
import { codesPage, enrolPage, secondPage, signInPage } from './pages.ts'
import { type Asked, setCookie } from './site.ts'
import { answered, mended, sent, storeOf, type Turn } from './turn.ts'

export async function signInForm({ site, asked: { waits }, reply }: Turn): Promise<unknown> {
  return await sent(reply, signInPage({ waits, elsewhere: await listElsewhere(storeOf(site).db) }))
}

export async function signIn({ site, asked, reply }: Turn): Promise<unknown> {
  const { address, agent, form, waits } = asked
  const { person = '', password = '' } = form
  return await mended(
    reply,
    async () => {
      const shown = { person: person.trim().toLowerCase(), password, address, agent }
      setCookie(reply, site, { name: 'pending', token: await showPassword(storeOf(site), shown) })
      return await reply.redirect(waits ? `/sign-in/second?waits=${waits}` : '/sign-in/second', 303)
    },
    async (error) => signInPage({ waits, elsewhere: await listElsewhere(storeOf(site).db), error }),
  )
}

export async function secondForm({ asked, reply }: Turn): Promise<unknown> {
  return await sent(reply, secondPage({ hasPasskeys: asked.party !== undefined, waits: asked.waits }))
}

export async function second({ site, asked, reply }: Turn): Promise<unknown> {
  const { address, agent, form, pending } = asked
  const store = storeOf(site)
  return await mended(
    reply,
    async () => {
      const shown = { token: pending, show: byCode(store, form.code ?? ''), address, agent }
      await begun({ site, reply, asked }, await finishSignIn(store, shown))
      return await reply.redirect(asked.waits ? `/allow/${asked.waits}` : '/account', 303)
    },
    async (error) => secondPage({ hasPasskeys: asked.party !== undefined, waits: asked.waits, error }),
  )
}

/** Roles count as used from here on; a review of access asks when that was last. */
export async function begun(
  { site, reply, asked }: Pick<Turn, 'site' | 'reply' | 'asked'>,
  token: string,
): Promise<void> {
  setCookie(reply, site, { name: 'pending' })
  setCookie(reply, site, { name: 'session', token })
  const person = await site.person({ ...asked, session: token })
  if (person) await markUsed(storeOf(site).db, person.id)
}

async function enrolView(secret: string): Promise<{ readonly secret: string; readonly qr: string }> {
  const uri = `otpauth://totp/Roentgate?secret=${secret}&issuer=Roentgate`
  return { secret, qr: await qrOf(uri, { type: 'svg', margin: 0 }) }
}

export async function enrolForm({ reply }: Turn): Promise<unknown> {
  return await sent(reply, enrolPage(await enrolView(newSecond('').secret)))
}

/** What authenticator apps take, and as long as ours are. */
const SECRET = /^[A-Z2-7]{32,}$/

export async function enrolled({ site, asked, reply }: Turn): Promise<unknown> {
  const { token = '', password = '', secret = '', code = '' } = asked.form
  if (!SECRET.test(secret)) throw new IdentityError('BAD_CODE', 'open the link again')
  return await mended(
    reply,
    async () => {
      const { db, columns } = storeOf(site)
      const enrolment = { token, password, secret, code: code.replaceAll(' ', '') }
      const { person, codes } = await enrol(db, columns, enrolment)
      return await sent(reply, codesPage(person, codes))
    },
    async (error) => enrolPage({ ...(await enrolView(secret)), token, error }),
  )
}

export async function passkeyWanted({ site, asked, reply }: Turn): Promise<unknown> {
  return await answered(reply, async () => {
    const { db } = storeOf(site)
    const of = { ...(await pendingOf(db, asked.pending)), party: partyOf(asked) }
    const options = await authenticationOptions(db, of)
    if (options === undefined) throw new IdentityError('BAD_CODE', 'this account has no passkey: use a code')
    return options
  })
}

export async function passkeyShown({ site, asked, reply }: Turn): Promise<unknown> {
  return await answered(reply, async () => {
    const { address, agent, pending, json } = asked
    const store = storeOf(site)
    const party = partyOf(asked)
    const show: Show = async (of) =>
      (await showPasskey(store.db, { ...of, party }, json.response)) ? 'hwk' : undefined
    await begun({ site, reply, asked }, await finishSignIn(store, { token: pending, show, address, agent }))
  })
}

export function partyOf({ party }: Asked): NonNullable<Asked['party']> {
  if (party === undefined)
    throw new IdentityError(
      'BAD_CODE',
      'passkeys work where this site is asked by the name of its certificate',
    )
  return party
}
