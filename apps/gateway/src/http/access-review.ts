// A review of access at the pages (45 CFR 164.308(a)(4)(ii)(C)): each manager sees the roles of their people, officers those
// of people without one, and keeps or revokes.

import { decideAtPage } from '../policy/doors.ts'
import { PolicyError } from '../policy/errors.ts'
import { closeReview, decideItem, type Item, reviewItems, startReview } from '../policy/reviews.ts'
import { aroundOf } from './banner.ts'
import { type Html, html, page, problem, when } from './html.ts'
import type { Person, Site } from './site.ts'
import { said, sent, storeOf, type Turn, themselves } from './turn.ts'

export async function review(turn: Turn): Promise<unknown> {
  return await sent(turn.reply, await reviewPage(turn.site, themselves(turn)))
}

export async function reviewDecided(turn: Turn): Promise<unknown> {
  const person = themselves(turn)
  const { id = '', decision } = turn.asked.form
  const as = isOfficer(person) ? 'officer' : 'manager'
  const wanted = { by: person.id, decision: decision === 'keep' ? 'keep' : 'revoke', as } as const
  return await changed(turn, async (db) => await decideItem(db, id, wanted))
}

export async function reviewRun(turn: Turn): Promise<unknown> {
  const person = themselves(turn)
  const { what } = turn.asked.form
  return await changed(
    turn,
    async (db) => await (what === 'close' ? closeReview : startReview)(db, person.id),
  )
}

/** Who begins a review decides where there is no manager. */
function isOfficer(person: Person): boolean {
  return decideAtPage(person, 'access-reviews.run').kind === 'allow'
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
      return await reply.redirect('/access-review', 303)
    },
    (what) => reviewPage(site, themselves(turn), what),
  )
}

/** Undefined: none is open. */
async function itemsOf(site: Site): Promise<readonly Item[] | undefined> {
  try {
    return await reviewItems(storeOf(site).db)
  } catch (error) {
    if (error instanceof PolicyError && error.code === 'NO_GRANT') return undefined
    throw error
  }
}

async function reviewPage(site: Site, person: Person, error?: string): Promise<string> {
  const items = await itemsOf(site)
  const officer = isOfficer(person)
  const mine = (items ?? []).filter(
    ({ manager, holder }) =>
      holder !== person.id && (manager === person.id || (officer && manager === undefined)),
  )
  const waits = (items ?? []).filter(({ decision }) => decision === undefined).length
  const run = officer
    ? html`<form method="post" action="/access-review/run"><button name="what" value="${items ? 'close' : 'start'}">${items ? 'Close the review' : 'Begin a review'}</button></form>`
    : html``
  return page(
    'Review of access',
    html`${problem(error)}
${items ? html`<p>${String(waits)} of ${String(items.length)} roles wait for a decision.</p>` : html`<p>No review is open.</p>`}
<ul>${mine.map(itemOf)}</ul>
${run}`,
    aroundOf(site, person),
  )
}

function itemOf({ grant, holder, role, lastUsed, proposal, decision }: Item): Html {
  const used = lastUsed ? `last used ${when(lastUsed)}` : 'never used'
  const form =
    decision === undefined
      ? html`<form method="post" action="/access-review"><input type="hidden" name="id" value="${grant}">
<button class="small" name="decision" value="keep">Keep</button> <button class="small" name="decision" value="revoke">Revoke</button></form>`
      : html` <strong>${decision}</strong>`
  return html`<li>${holder}: ${role}, ${used}${proposal === 'revoke' ? html` — <em>proposed for removal</em>` : html``}${form}</li>`
}
