// Signing in at another provider: there by a form of ours, back with a code (identity/elsewhere.ts).

import { beginThere, comeBack } from '../identity/elsewhere.ts'
import { IdentityError } from '../identity/errors.ts'
import { html, page } from './html.ts'
import { begun } from './sign-in.ts'
import { type Site, setCookie } from './site.ts'
import { sent, storeOf, type Turn, themselves } from './turn.ts'

export const BACK = '/sign-in/back'

export async function elsewhereBegun(turn: Turn): Promise<unknown> {
  const { provider = '' } = turn.asked.form
  return await away(turn, { provider, ...(turn.asked.waits ? { waits: turn.asked.waits } : {}) })
}

/** The factors once more, there. */
export async function elsewhereAgain(turn: Turn): Promise<unknown> {
  const { id, session } = themselves(turn)
  const row = await storeOf(turn.site)
    .db.selectFrom('people_elsewhere')
    .select('provider')
    .where('person', '=', id)
    .executeTakeFirst()
  return await away(turn, { provider: row?.provider ?? '', session })
}

type Away = { readonly provider: string; readonly waits?: string; readonly session?: string }

/** By a page of ours: a form may not lead to another site (form-action), a link may. */
async function away({ site, reply }: Turn, wanted: Away): Promise<unknown> {
  const { url, flow } = await beginThere(storeOf(site), { ...wanted, redirect: `${urlOf(site)}${BACK}` })
  setCookie(reply, site, { name: 'elsewhere', token: flow })
  return await sent(reply, onward('Signing in', url))
}

export async function elsewhereBack({ site, asked, request, reply }: Turn): Promise<unknown> {
  const { address, agent } = asked
  const flow = request.cookies[site.cookies.elsewhere]
  setCookie(reply, site, { name: 'elsewhere' })
  const url = new URL(request.url, urlOf(site))
  const come = await comeBack(storeOf(site), { flow, url, address, agent })
  if (come.kind === 'step-up') return await sent(reply, onward('Shown', '/account'))
  const next = come.waits === '' ? '/account' : `/allow/${come.waits}`
  if (come.kind === 'session') {
    await begun({ site, reply, asked }, come.token)
    return await sent(reply, onward('Signed in', next))
  }
  setCookie(reply, site, { name: 'pending', token: come.token })
  const waits = come.waits === '' ? '' : `?waits=${come.waits}`
  return await sent(reply, onward('Second factor', `/sign-in/second${waits}`))
}

function urlOf({ url }: Site): string {
  if (url === undefined) throw new IdentityError('ELSEWHERE', 'this site does not know its own address')
  return url
}

/** A page in between: a cookie of ours goes along with what a page of ours asks for, not with what another site does. */
function onward(title: string, url: string): string {
  return page(title, html`<p><a href="${url}">Go on</a></p>`, { onward: url })
}
