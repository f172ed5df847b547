// Emergency access at the pages: opened for one patient with a reason, shown on every page while it is open, told to the
// privacy official, closed by their review (policy/break-glass.ts).

import type { Selectable } from 'kysely'
import { patientBlind } from '../archive/index/facts.ts'
import type { BreakGlass } from '../db/schema.ts'
import { endBreakGlass, listBreakGlass, openBreakGlass, reviewBreakGlass } from '../policy/break-glass.ts'
import { PolicyError } from '../policy/errors.ts'
import { aroundOf } from './banner.ts'
import { html, page, problem, when } from './html.ts'
import type { Person, Site } from './site.ts'
import { said, sent, type Turn, themselves } from './turn.ts'

export async function emergencyForm({ site, reply, ...turn }: Turn): Promise<unknown> {
  const person = themselves(turn)
  return await sent(reply, await openPage(site, person))
}

export async function emergencyOpened({ site, reply, asked: { form }, ...turn }: Turn): Promise<unknown> {
  const person = themselves(turn)
  const { patient = '', reason = '' } = form
  return await said(
    reply,
    async () => {
      const db = site.archive.database.kysely
      const id = await patientIdOf(site, patient)
      await openBreakGlass(db, { subject: person, patient: id, reason, at: new Date() })
      return await reply.redirect('/break-glass', 303)
    },
    (error) => openPage(site, person, error),
  )
}

export async function emergencyEnded({ site, reply, asked: { form }, ...turn }: Turn): Promise<unknown> {
  const person = themselves(turn)
  return await said(
    reply,
    async () => {
      const db = site.archive.database.kysely
      const mine = (await listBreakGlass(db, 'all')).find(
        ({ id, person: by }) => id === form.id && by === person.id,
      )
      if (mine === undefined)
        throw new PolicyError('NO_GRANT', 'there is no emergency access of yours with this id')
      await endBreakGlass(db, mine.id, person.id)
      return await reply.redirect('/break-glass', 303)
    },
    (error) => openPage(site, person, error),
  )
}

export async function emergencyList({ site, reply, ...turn }: Turn): Promise<unknown> {
  const person = themselves(turn)
  return await sent(reply, await reviewPage(site, person))
}

export async function emergencyReviewed({ site, reply, asked: { form }, ...turn }: Turn): Promise<unknown> {
  const person = themselves(turn)
  const { id = '', note = '' } = form
  const verdict = form.verdict === 'justified' ? 'justified' : 'unjustified'
  return await said(
    reply,
    async () => {
      await reviewBreakGlass(site.archive.database.kysely, id, { by: person.id, verdict, note })
      return await reply.redirect('/break-glass/reviews', 303)
    },
    (error) => reviewPage(site, person, error),
  )
}

/** How many wait for somebody to say whether they were right. */
export async function waiting({ archive }: Site): Promise<number> {
  return (await listBreakGlass(archive.database.kysely, 'waiting')).length
}

/** patients.id; in an emergency it is said whether there is such a patient. */
async function patientIdOf({ archive }: Site, id: string): Promise<string> {
  const row = await archive.database.kysely
    .selectFrom('patients')
    .select('id')
    .where('pid_blind', '=', patientBlind(archive.columns, id.trim()))
    .executeTakeFirst()
  if (id.trim() === '' || row === undefined)
    throw new PolicyError('NO_PATIENT', 'there is no patient of this ID')
  return row.id
}

async function openPage(site: Site, person: Person, error?: string): Promise<string> {
  const all = await listBreakGlass(site.archive.database.kysely, 'all')
  const now = new Date()
  const mine = all.filter((one) => one.person === person.id && one.ended_at === null && one.until > now)
  const rows = mine.map(
    ({ id, opened_at, until, reason }) => html`<li>Since ${when(opened_at)}, until ${when(until)}: ${reason}
<form method="post" action="/break-glass/end"><input type="hidden" name="id" value="${id}"><button class="small">End now</button></form></li>`,
  )
  return page(
    'Emergency access',
    html`${problem(error)}
<p>It opens the records of one patient to you for 60 minutes, to look at and nothing else. The privacy official is told, and says afterwards whether it was right. Show your second factor first, on <a href="/account">your account</a>.</p>
${rows.length > 0 ? html`<h2>Open now</h2><ul>${rows}</ul>` : html``}
<form method="post" action="/break-glass">
<label for="patient">Patient ID</label>
<input id="patient" name="patient" autocomplete="off" maxlength="64" required>
<label for="reason">Why it cannot wait</label>
<textarea id="reason" name="reason" rows="3" minlength="10" maxlength="500" required></textarea>
<button>Open the records</button>
</form>`,
    aroundOf(site, person),
  )
}

async function reviewPage(site: Site, person: Person, error?: string): Promise<string> {
  const all = await listBreakGlass(site.archive.database.kysely, 'waiting')
  return page(
    'Emergency accesses that wait for a review',
    html`${problem(error)}
${all.length > 0 ? all.map(reviewForm) : html`<p>None.</p>`}`,
    aroundOf(site, person),
  )
}

function reviewForm({
  id,
  person,
  role,
  opened_at,
  until,
  ended_at,
  reason,
  patient_id,
}: Selectable<BreakGlass>) {
  return html`<form method="post" action="/break-glass/reviews" class="review">
<h2>${person}, ${role}</h2>
<p>${when(opened_at)} to ${when(ended_at ?? until)}, patient ${patient_id}</p>
<blockquote>${reason}</blockquote>
<input type="hidden" name="id" value="${id}">
<label for="verdict-${id}">Was it right?</label>
<select id="verdict-${id}" name="verdict"><option value="justified">It was justified</option><option value="unjustified">It was not justified</option></select>
<label for="note-${id}">Why</label>
<input id="note-${id}" name="note" maxlength="500" required>
<button>Close the review</button>
</form>`
}
