// Roles at the pages: the policy to be read, roles asked for by who wants them, decided on by somebody else who may.

import { ACTIONS } from '../policy/actions.ts'
import { decideGrant, type Held, listGrants, requestGrant, revokeGrant } from '../policy/grants.ts'
import { POLICY } from '../policy/table.ts'
import { VIEWS } from '../policy/views.ts'
import { aroundOf } from './banner.ts'
import { type Html, html, page, problem } from './html.ts'
import type { Person, Site } from './site.ts'
import { said, sent, storeOf, type Turn, themselves } from './turn.ts'

/** The table itself, as a table. */
export async function policy(turn: Turn): Promise<unknown> {
  const rows = POLICY.map(
    ({ who, may, purposes, view, stepUp, because }) => html`<tr>
<td>${who.join(', ')}</td>
<td>${may.map((act) => ACTIONS[act]).join('; ')}${stepUp ? html`, with a second factor shown just before` : html``}</td>
<td>${purposes?.join(', ') ?? 'any purpose'}</td>
<td>${view === undefined ? '' : VIEWS[view].what}</td>
<td>${because}</td>
</tr>`,
  )
  const text = page(
    'The policy',
    html`<p>Who may do what, for which purpose, and what they see then. What no line allows is denied. Nobody decides on what they asked for.</p>
<table class="wide">
<thead><tr><th scope="col">who</th><th scope="col">may</th><th scope="col">for</th><th scope="col">sees</th><th scope="col">because</th></tr></thead>
<tbody>${rows}</tbody>
</table>`,
    aroundOf(turn.site, themselves(turn)),
  )
  return await sent(turn.reply, text)
}

export async function roles(turn: Turn): Promise<unknown> {
  return await sent(turn.reply, await rolesPage(turn.site, themselves(turn)))
}

/** For the institution; for a list it is `roentgate grant request`. */
export async function roleAsked(turn: Turn): Promise<unknown> {
  const { site, asked, reply } = turn
  const { id: holder } = themselves(turn)
  const { role = '', reason = '' } = asked.form
  return await said(
    reply,
    async () => {
      const scope = { kind: 'institution' } as const
      await requestGrant(storeOf(site).db, { holder, role, scope, reason }, holder)
      return await sent(reply, donePage('Asked for', 'somebody else decides on it'))
    },
    async (what) => donePage('That did not work', what),
  )
}

function donePage(title: string, what: string): string {
  return page(
    title,
    html`<p>${what.slice(0, 1).toUpperCase()}${what.slice(1)}.</p><p><a href="/account">To your account</a></p>`,
  )
}

export async function roleDecided(turn: Turn): Promise<unknown> {
  const { id = '', granted } = turn.asked.form
  const person = themselves(turn)
  return await changed(
    turn,
    async (db) => await decideGrant(db, id, { by: person.id, granted: granted === 'yes' }),
  )
}

export async function roleRevoked(turn: Turn): Promise<unknown> {
  const { id = '' } = turn.asked.form
  const person = themselves(turn)
  return await changed(turn, async (db) => await revokeGrant(db, id, person.id))
}

async function changed(
  turn: Turn,
  act: (db: ReturnType<typeof storeOf>['db']) => Promise<unknown>,
): Promise<unknown> {
  const { site, reply } = turn
  return await said(
    reply,
    async () => {
      await act(storeOf(site).db)
      return await reply.redirect('/roles', 303)
    },
    (what) => rolesPage(site, themselves(turn), what),
  )
}

async function rolesPage(site: Site, person: Person, error?: string): Promise<string> {
  const all = await listGrants(storeOf(site).db)
  const waits = all.filter(({ state }) => state === 'requested')
  const held = all.filter(
    ({ state, until }) => state === 'granted' && (until === undefined || until > new Date()),
  )
  return page(
    'Roles',
    html`${problem(error)}
<h2>That wait for a decision</h2>
${waits.length > 0 ? html`<ul>${waits.map(waiting)}</ul>` : html`<p>None.</p>`}
<h2>That count</h2>
<ul>${held.map(counting)}</ul>`,
    aroundOf(site, person),
  )
}

function whatOf({ holder, role, scope, until }: Held): string {
  const whatFor = scope.kind === 'institution' ? 'the institution' : `a list of ${scope.kind}`
  return `${holder}: ${role} for ${whatFor}${until ? `, until ${until.toISOString().slice(0, 10)}` : ''}`
}

function waiting(grant: Held): Html {
  return html`<li>${whatOf(grant)}, asked for by ${grant.requestedBy}: ${grant.reason}
<form method="post" action="/roles/decide"><input type="hidden" name="id" value="${grant.id}">
<button class="small" name="granted" value="yes">Approve</button> <button class="small" name="granted" value="no">Deny</button></form></li>`
}

function counting(grant: Held): Html {
  return html`<li>${whatOf(grant)}
<form method="post" action="/roles/revoke"><input type="hidden" name="id" value="${grant.id}"><button class="small">Revoke</button></form></li>`
}
