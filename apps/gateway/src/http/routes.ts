// Every route, with who may ask it. One that is not here does not exist.

import type { FastifyReply } from 'fastify'
import { toString as qrOf } from 'qrcode'
import { IdentityError } from '../identity/errors.ts'
import {
  authenticationOptions,
  passkeysOf,
  registerPasskey,
  registrationOptions,
  removePasskey,
  showPasskey,
} from '../identity/passkeys.ts'
import { enrol } from '../identity/people.ts'
import { newSecond } from '../identity/second-factor.ts'
import {
  byCode,
  finishSignIn,
  pendingOf,
  revokeSessions,
  type Show,
  sessionsOf,
  showPassword,
  signOut,
  stepUp,
} from '../identity/sessions.ts'
import { STEP_UP_MS } from '../policy/decide.ts'
import { markUsed } from '../policy/grants.ts'
import { accountPage, codesPage, enrolPage, secondPage, signInPage } from './pages.ts'
import { type Asked, type Person, type Site, setCookie } from './site.ts'

export type Turn = {
  readonly site: Site
  readonly asked: Asked
  readonly reply: FastifyReply
  /** Of a session; there where `access` says so. */
  readonly person?: Person
}

export type Route = {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** `public`: nobody is known yet. `session`: who has signed in, about themselves. */
  readonly access: 'public' | 'session'
  readonly because: string
  readonly handle: (turn: Turn) => Promise<unknown>
}

export const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/', access: 'session', because: 'the way to the account', handle: toAccount },
  { method: 'GET', path: '/sign-in', access: 'public', because: 'before one is known', handle: signInForm },
  { method: 'POST', path: '/sign-in', access: 'public', because: 'before one is known', handle: signIn },
  {
    method: 'GET',
    path: '/sign-in/second',
    access: 'public',
    because: 'the password was shown',
    handle: secondForm,
  },
  {
    method: 'POST',
    path: '/sign-in/second',
    access: 'public',
    because: 'the password was shown',
    handle: second,
  },
  {
    method: 'POST',
    path: '/sign-in/second/options',
    access: 'public',
    because: 'the password was shown',
    handle: passkeyWanted,
  },
  {
    method: 'POST',
    path: '/sign-in/second/passkey',
    access: 'public',
    because: 'the password was shown',
    handle: passkeyShown,
  },
  { method: 'GET', path: '/enrol', access: 'public', because: 'a one-time link opens it', handle: enrolForm },
  { method: 'POST', path: '/enrol', access: 'public', because: 'a one-time link opens it', handle: enrolled },
  { method: 'GET', path: '/account', access: 'session', because: 'about oneself', handle: account },
  {
    method: 'POST',
    path: '/account/step-up',
    access: 'session',
    because: 'about oneself',
    handle: steppedUp,
  },
  {
    method: 'POST',
    path: '/account/sessions/end',
    access: 'session',
    because: 'about oneself',
    handle: endOthers,
  },
  {
    method: 'POST',
    path: '/account/sessions/:id/end',
    access: 'session',
    because: 'about oneself',
    handle: endOne,
  },
  {
    method: 'POST',
    path: '/account/passkeys/options',
    access: 'session',
    because: 'about oneself',
    handle: passkeyOptions,
  },
  {
    method: 'POST',
    path: '/account/passkeys',
    access: 'session',
    because: 'about oneself',
    handle: passkeyMade,
  },
  {
    method: 'POST',
    path: '/account/passkeys/remove',
    access: 'session',
    because: 'about oneself',
    handle: passkeyGone,
  },
  { method: 'POST', path: '/sign-out', access: 'session', because: 'about oneself', handle: signedOut },
]

async function toAccount({ reply }: Turn): Promise<unknown> {
  return await reply.redirect('/account', 303)
}

async function sent(reply: FastifyReply, text: string, status = 200): Promise<unknown> {
  return await reply.status(status).type('text/html; charset=utf-8').send(text)
}

const storeOf = ({ archive }: Site) => ({ db: archive.database.kysely, columns: archive.columns })

/** What can be mended by the one at the form is said on the form. */
async function mended(
  reply: FastifyReply,
  act: () => Promise<unknown>,
  again: (what: string) => Promise<string>,
) {
  try {
    return await act()
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    if (error.seconds !== undefined) reply.header('retry-after', String(error.seconds))
    const what = error.seconds === undefined ? error.message : `${error.message}: ${error.seconds} seconds`
    return await sent(reply, await again(what), error.code === 'WAIT' ? 429 : 400)
  }
}

async function signInForm({ reply }: Turn): Promise<unknown> {
  return await sent(reply, signInPage())
}

async function signIn({ site, asked, reply }: Turn): Promise<unknown> {
  const { address, agent, form } = asked
  const { person = '', password = '' } = form
  return await mended(
    reply,
    async () => {
      const shown = { person: person.trim().toLowerCase(), password, address, agent }
      setCookie(reply, site, { name: 'pending', token: await showPassword(storeOf(site), shown) })
      return await reply.redirect('/sign-in/second', 303)
    },
    async (what) => signInPage(what),
  )
}

async function secondForm({ asked, reply }: Turn): Promise<unknown> {
  return await sent(reply, secondPage(asked.party !== undefined))
}

async function second({ site, asked, reply }: Turn): Promise<unknown> {
  const { address, agent, form, pending } = asked
  const store = storeOf(site)
  return await mended(
    reply,
    async () => {
      const shown = { token: pending, show: byCode(store, form.code ?? ''), address, agent }
      await begun({ site, reply }, await finishSignIn(store, shown))
      return await reply.redirect('/account', 303)
    },
    async (what) => secondPage(asked.party !== undefined, what),
  )
}

/** Roles count as used from here on; a review of access asks when that was last. */
async function begun({ site, reply }: Pick<Turn, 'site' | 'reply'>, token: string): Promise<void> {
  setCookie(reply, site, { name: 'pending' })
  setCookie(reply, site, { name: 'session', token })
  const person = await site.person(token)
  if (person) await markUsed(storeOf(site).db, person.id)
}

async function enrolView(secret: string): Promise<{ readonly secret: string; readonly qr: string }> {
  const uri = `otpauth://totp/Roentgate?secret=${secret}&issuer=Roentgate`
  return { secret, qr: await qrOf(uri, { type: 'svg', margin: 0 }) }
}

async function enrolForm({ reply }: Turn): Promise<unknown> {
  return await sent(reply, enrolPage(await enrolView(newSecond('').secret)))
}

/** What authenticator apps take, and as long as ours are. */
const SECRET = /^[A-Z2-7]{32,}$/

async function enrolled({ site, asked, reply }: Turn): Promise<unknown> {
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

async function account({ site, person, reply }: Turn): Promise<unknown> {
  if (person === undefined) return await reply.redirect('/sign-in', 303)
  return await sent(reply, await accountText(site, person))
}

async function accountText(site: Site, person: Person, error?: string): Promise<string> {
  const store = storeOf(site)
  const sessions = await sessionsOf(store, person.id, site.limits)
  const passkeys = await passkeysOf(store.db, person.id)
  return accountPage({ person, sessions, passkeys, ...(error ? { error } : {}) })
}

async function steppedUp({ site, asked, person, reply }: Turn): Promise<unknown> {
  if (person === undefined) return await reply.redirect('/sign-in', 303)
  const { session: token, form, address } = asked
  const store = storeOf(site)
  return await mended(
    reply,
    async () => {
      await stepUp(store, { token, show: byCode(store, form.code ?? ''), address }, site.limits)
      return await reply.redirect('/account', 303)
    },
    (what) => accountText(site, person, what),
  )
}

async function endOne({ site, asked, person, reply }: Turn): Promise<unknown> {
  const { id = '' } = asked.parameters
  if (person && /^[0-9a-f-]{36}$/.test(id))
    await revokeSessions(storeOf(site), { person: person.id, id, by: person.id })
  return await reply.redirect('/account', 303)
}

async function endOthers({ site, person, reply }: Turn): Promise<unknown> {
  if (person) {
    const store = storeOf(site)
    for (const { id } of await sessionsOf(store, person.id, site.limits))
      if (id !== person.session) await revokeSessions(store, { person: person.id, id, by: person.id })
  }
  return await reply.redirect('/account', 303)
}

async function signedOut({ site, asked, reply }: Turn): Promise<unknown> {
  await signOut(storeOf(site), asked.session, asked.address)
  setCookie(reply, site, { name: 'session' })
  return await reply.redirect('/sign-in', 303)
}

/** To a script of ours: text, which it shows. */
async function answered(reply: FastifyReply, act: () => Promise<unknown>): Promise<unknown> {
  try {
    return await reply.type('application/json; charset=utf-8').send((await act()) ?? {})
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    const status = error.code === 'WAIT' ? 429 : 400
    return await reply.status(status).type('text/plain; charset=utf-8').send(error.message)
  }
}

function partyOf({ party }: Asked): NonNullable<Asked['party']> {
  if (party === undefined)
    throw new IdentityError(
      'BAD_CODE',
      'passkeys work where this site is asked by the name of its certificate',
    )
  return party
}

async function passkeyWanted({ site, asked, reply }: Turn): Promise<unknown> {
  return await answered(reply, async () => {
    const { db } = storeOf(site)
    const of = { ...(await pendingOf(db, asked.pending)), party: partyOf(asked) }
    const options = await authenticationOptions(db, of)
    if (options === undefined) throw new IdentityError('BAD_CODE', 'this account has no passkey: use a code')
    return options
  })
}

async function passkeyShown({ site, asked, reply }: Turn): Promise<unknown> {
  return await answered(reply, async () => {
    const { address, agent, pending, json } = asked
    const store = storeOf(site)
    const party = partyOf(asked)
    const show: Show = async (of) =>
      (await showPasskey(store.db, { ...of, party }, json.response)) ? 'hwk' : undefined
    await begun({ site, reply }, await finishSignIn(store, { token: pending, show, address, agent }))
  })
}

/** Who has the session alone, and not the person, adds no key to the account. */
function assertFresh({ authentication: { at } }: Person): void {
  if (Date.now() - at.getTime() > STEP_UP_MS)
    throw new IdentityError('BAD_CODE', 'show your second factor again first: it was a while ago')
}

async function passkeyOptions({ site, asked, person, reply }: Turn): Promise<unknown> {
  return await answered(reply, async () => {
    if (person === undefined) return undefined
    assertFresh(person)
    const of = { person: person.id, session: person.session, party: partyOf(asked) }
    return await registrationOptions(storeOf(site).db, of)
  })
}

async function passkeyMade({ site, asked, person, reply }: Turn): Promise<unknown> {
  return await answered(reply, async () => {
    if (person === undefined) return undefined
    assertFresh(person)
    const { name, response } = asked.json
    const of = { person: person.id, session: person.session, party: partyOf(asked) }
    await registerPasskey(storeOf(site).db, of, { name: String(name ?? ''), response })
    return undefined
  })
}

async function passkeyGone({ site, asked, person, reply }: Turn): Promise<unknown> {
  if (person) await removePasskey(storeOf(site).db, person.id, asked.form.id ?? '')
  return await reply.redirect('/account', 303)
}
