// About oneself: roles, sessions, second factor, passkeys.

import { IdentityError } from '../identity/errors.ts'
import { passkeysOf, registerPasskey, registrationOptions, removePasskey } from '../identity/passkeys.ts'
import { byCode, revokeSessions, sessionsOf, signOut, stepUp } from '../identity/sessions.ts'
import { STEP_UP_MS } from '../policy/decide.ts'
import { decideAtPage } from '../policy/doors.ts'
import { aroundOf } from './banner.ts'
import { waiting } from './emergency.ts'
import { accountPage } from './pages.ts'
import { partyOf } from './sign-in.ts'
import { type Person, type Site, setCookie } from './site.ts'
import { answered, mended, sent, storeOf, type Turn } from './turn.ts'

export async function toAccount({ reply }: Turn): Promise<unknown> {
  return await reply.redirect('/account', 303)
}

export async function account({ site, person, reply }: Turn): Promise<unknown> {
  if (person === undefined) return await reply.redirect('/sign-in', 303)
  return await sent(reply, await accountText(site, person))
}

async function accountText(site: Site, person: Person, error?: string): Promise<string> {
  const store = storeOf(site)
  const sessions = await sessionsOf(store, person.id, site.limits)
  const passkeys = await passkeysOf(store.db, person.id)
  const isElsewhere = person.authentication.methods.includes('ext')
  const reviews = decideAtPage(person, 'break-glass.review').kind !== 'deny' ? await waiting(site) : 0
  return accountPage({
    person,
    sessions,
    passkeys,
    isElsewhere,
    reviews,
    around: aroundOf(site, person),
    ...(error ? { error } : {}),
  })
}

export async function steppedUp({ site, asked, person, reply }: Turn): Promise<unknown> {
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

export async function endOne({ site, asked, person, reply }: Turn): Promise<unknown> {
  const { id = '' } = asked.parameters
  if (person && /^[0-9a-f-]{36}$/.test(id))
    await revokeSessions(storeOf(site), { person: person.id, id, by: person.id })
  return await reply.redirect('/account', 303)
}

export async function endOthers({ site, person, reply }: Turn): Promise<unknown> {
  if (person) {
    const store = storeOf(site)
    for (const { id } of await sessionsOf(store, person.id, site.limits))
      if (id !== person.session) await revokeSessions(store, { person: person.id, id, by: person.id })
  }
  return await reply.redirect('/account', 303)
}

export async function signedOut({ site, asked, reply }: Turn): Promise<unknown> {
  await signOut(storeOf(site), asked.session, asked.address)
  setCookie(reply, site, { name: 'session' })
  return await reply.redirect('/sign-in', 303)
}

/** Who has the session alone, and not the person, adds no key to the account. */
function assertFresh({ authentication: { at } }: Person): void {
  if (Date.now() - at.getTime() > STEP_UP_MS)
    throw new IdentityError('BAD_CODE', 'show your second factor again first: it was a while ago')
}

export async function passkeyOptions({ site, asked, person, reply }: Turn): Promise<unknown> {
  return await answered(reply, async () => {
    if (person === undefined) return undefined
    assertFresh(person)
    const of = { person: person.id, session: person.session, party: partyOf(asked) }
    return await registrationOptions(storeOf(site).db, of)
  })
}

export async function passkeyMade({ site, asked, person, reply }: Turn): Promise<unknown> {
  return await answered(reply, async () => {
    if (person === undefined) return undefined
    assertFresh(person)
    const { name, response } = asked.json
    const of = { person: person.id, session: person.session, party: partyOf(asked) }
    await registerPasskey(storeOf(site).db, of, { name: String(name ?? ''), response })
    return undefined
  })
}

export async function passkeyGone({ site, asked, person, reply }: Turn): Promise<unknown> {
  if (person) await removePasskey(storeOf(site).db, person.id, asked.form.id ?? '')
  return await reply.redirect('/account', 303)
}

/** To an app or a script: who it is to us. */
export async function whoami({ subject, reply }: Turn): Promise<unknown> {
  if (subject === undefined || subject.kind === 'node' || subject.kind === 'operator')
    return await reply.status(401).send()
  const { kind, id, grants } = subject
  const roles = grants.map(({ role, scope, until, emergency }) => ({
    role,
    scope: scope.kind,
    ...(until ? { until: until.toISOString() } : {}),
    ...(emergency ? { emergency } : {}),
  }))
  return await reply.send({
    kind,
    id,
    roles,
    ...('token' in subject && subject.token ? { token: subject.token } : {}),
  })
}
