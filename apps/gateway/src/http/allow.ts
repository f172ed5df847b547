// An app asks a person:  /allow/:uid ─► signed in? ─► what it asks for ─► allowed, for this session ─► back to the app
//
// What the app asks for is read from the provider, never from the form. A scope of one patient wants that patient, who is
// looked up among those that the person may see.

import type { FastifyReply, FastifyRequest } from 'fastify'
import { patientBlind } from '../archive/index/facts.ts'
import { IdentityError } from '../identity/errors.ts'
import { keepConsent } from '../oidc/consents.ts'
import type { OpenProvider } from '../oidc/provider.ts'
import { scopesFor } from '../policy/decide.ts'
import { isOfPatient, TOKEN_SCOPES } from '../policy/scopes.ts'
import { visibleStudies } from '../policy/visible.ts'
import { html, page, problem } from './html.ts'
import type { Person, Site } from './site.ts'
import { sent, type Turn } from './turn.ts'

type Details = {
  readonly uid: string
  readonly client: string
  readonly name: string
  readonly scopes: readonly string[]
  readonly resource: string
}

const GONE = 'the app did not ask for anything here, or it took too long: start again in the app'

export async function allowForm(turn: Turn): Promise<unknown> {
  const { site, request, reply, asked } = turn
  const person = await site.person(asked)
  const details = await detailsOf(site, request, reply)
  return await sent(reply, allowPage(viewOf(details, person)))
}

export async function allowed(turn: Turn): Promise<unknown> {
  const { site, request, reply, asked } = turn
  const { form } = asked
  const person = await site.person(asked)
  const provider = providerOf(site)
  const details = await detailsOf(site, request, reply)
  if (form.no !== undefined) {
    const denied = { error: 'access_denied', error_description: 'the person did not allow it' }
    return await onward({ provider, request, reply }, denied)
  }
  if (person === undefined) return await reply.redirect(`/sign-in?waits=${details.uid}`, 303)
  const wanted = details.scopes.filter((scope) => TOKEN_SCOPES.has(scope))
  try {
    const patient = wanted.some(isOfPatient) ? await patientOf(site, person, form.patient ?? '') : undefined
    const grantId = await grantOf(await provider.current(), details, { person, wanted })
    const { kysely } = site.archive.database
    await keepConsent(kysely, { grantId, session: person.session, client: details.client, patient })
    const { methods: amr, at } = person.authentication
    const login = {
      accountId: person.id,
      acr: 'urn:roentgate:mfa',
      amr: [...amr],
      ts: Math.floor(at.getTime() / 1000),
      remember: false,
    }
    return await onward({ provider, request, reply }, { login, consent: { grantId } })
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return await sent(reply, allowPage({ ...viewOf(details, person), error: error.message }), 400)
  }
}

function providerOf({ oidc }: Site): OpenProvider {
  if (oidc === undefined) throw new IdentityError('BAD_CLIENT', GONE)
  return oidc.provider
}

async function detailsOf(site: Site, request: FastifyRequest, reply: FastifyReply): Promise<Details> {
  const provider = await providerOf(site).current()
  const details = await provider.interactionDetails(request.raw, reply.raw).catch(() => undefined)
  if (details === undefined) throw new IdentityError('BAD_CLIENT', GONE)
  const { client_id, scope, resource } = details.params
  const client = await provider.Client.find(String(client_id))
  if (client === undefined) throw new IdentityError('BAD_CLIENT', GONE)
  return {
    uid: details.uid,
    client: client.clientId,
    name: client.clientName ?? client.clientId,
    scopes: String(scope ?? '').split(' '),
    resource: typeof resource === 'string' ? resource : providerOf(site).audience,
  }
}

function viewOf({ uid, name, scopes }: Details, person: Person | undefined) {
  return {
    uid,
    name,
    asks: scopes.flatMap((scope) => TOKEN_SCOPES.get(scope)?.what ?? []),
    wantsPatient: scopes.some(isOfPatient),
    ...(person ? { person: person.id } : {}),
  }
}

type Allowing = { readonly person: Person; readonly wanted: readonly string[] }

async function grantOf(
  provider: Awaited<ReturnType<OpenProvider['current']>>,
  { client, scopes, resource }: Details,
  { person, wanted }: Allowing,
): Promise<string> {
  const grant = new provider.Grant({ accountId: person.id, clientId: client })
  // The provider knows only what the app was registered for: it asks for nothing else here.
  grant.addOIDCScope(scopes.join(' '))
  grant.addResourceScope(resource, wanted.join(' '))
  return await grant.save()
}

/** patients.id. One that the person may not see is as one that is not there. @throws IdentityError BAD_PATIENT */
async function patientOf({ archive }: Site, subject: Person, id: string): Promise<string> {
  const at = new Date()
  const scopes = scopesFor({ subject, action: 'studies.search', purpose: 'treatment', at }, 'full')
  const row = await archive.database.kysely
    .selectFrom('patients as p')
    .select('p.id')
    .where('p.pid_blind', '=', patientBlind(archive.columns, id.trim()))
    .where((on) =>
      on.exists(
        on
          .selectFrom('studies as s')
          .select('s.id')
          .whereRef('s.patient_id', '=', 'p.id')
          .where(visibleStudies(scopes) as never),
      ),
    )
    .executeTakeFirst()
  if (id.trim() === '' || row === undefined)
    throw new IdentityError('BAD_PATIENT', 'there is no patient of this ID whose studies you may see')
  return row.id
}

type Onward = {
  readonly provider: OpenProvider
  readonly request: FastifyRequest
  readonly reply: FastifyReply
}

/** By a page of ours: a form may not lead to another site (form-action), a link may. */
async function onward(
  { provider, request, reply }: Onward,
  result: Parameters<OpenResult>[2],
): Promise<unknown> {
  const current = await provider.current()
  const url = await current.interactionResult(request.raw, reply.raw, result, {
    mergeWithLastSubmission: false,
  })
  return await sent(reply, onwardPage(url))
}
type OpenResult = Awaited<ReturnType<OpenProvider['current']>>['interactionResult']

type AllowView = ReturnType<typeof viewOf> & { readonly person?: string; readonly error?: string }

function allowPage({ uid, name, asks, wantsPatient, person, error }: AllowView): string {
  const who = person
    ? html`<p>You are signed in as <strong>${person}</strong>.</p>`
    : html`<p>You sign in next, unless you have.</p>`
  const patient = wantsPatient
    ? html`<label for="patient">Patient ID of the patient whom it is about</label>
<input id="patient" name="patient" autocomplete="off" maxlength="64">`
    : html``
  return page(
    `${name} asks you`,
    html`${problem(error)}
<p><strong>${name}</strong> wants to act for you, until you sign out. It wants to</p>
<ul>${asks.map((one) => html`<li>${one}</li>`)}</ul>
${who}
<form method="post" action="/allow/${uid}">
${patient}
<button name="yes" value="1">Allow</button>
<button name="no" value="1" class="plain" formnovalidate>Not now</button>
</form>`,
  )
}

function onwardPage(url: string): string {
  return page('Back to the app', html`<p><a href="${url}">Go on</a></p>`, { onward: url })
}
