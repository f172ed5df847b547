// The pages of signing in, as HTML without scripts but one: every value is escaped where it is put in.

import type { Passkey } from '../identity/passkeys.ts'
import type { OpenSession } from '../identity/sessions.ts'
import { ROLES } from '../policy/subject.ts'
import { type Around, html, page, problem, sentence, when } from './html.ts'
import type { Person } from './site.ts'

export function messagePage(title: string, what: string): string {
  return page(title, html`<p>${sentence(what)}</p><p><a href="/">To the start</a></p>`)
}

export type SignInView = {
  /** What waits for the person behind it: /allow/WAITS. */
  readonly waits?: string | undefined
  /** Where they may sign in besides. */
  readonly elsewhere?: readonly { readonly id: string; readonly name: string }[]
  readonly error?: string
}

export function signInPage({ waits = '', elsewhere = [], error }: SignInView = {}): string {
  const others = elsewhere.map(
    ({ id, name }) => html`<form method="post" action="/sign-in/elsewhere">
<input type="hidden" name="provider" value="${id}"><input type="hidden" name="waits" value="${waits}">
<button>Sign in with ${name}</button>
</form>`,
  )
  return page(
    'Sign in',
    html`${problem(error)}
${others}
<form method="post" action="/sign-in">
<input type="hidden" name="waits" value="${waits}">
<label for="person">User ID</label>
<input id="person" name="person" autocomplete="username" autocapitalize="none" spellcheck="false" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Go on</button>
</form>`,
  )
}

export type SecondView = {
  /** The site is asked by a name that passkeys can be of. */
  readonly hasPasskeys: boolean
  readonly waits?: string | undefined
  readonly error?: string
}

export function secondPage({ hasPasskeys, waits = '', error }: SecondView): string {
  const passkey = hasPasskeys
    ? html`<form method="post" action="/sign-in/second/passkey" data-passkey="get" data-options="/sign-in/second/options" data-then="${waits === '' ? '/account' : `/allow/${waits}`}">
<p class="problem" role="alert" hidden></p>
<button>Use a passkey</button>
</form>`
    : html``
  return page(
    'Second factor',
    html`${problem(error)}
<form method="post" action="/sign-in/second">
<input type="hidden" name="waits" value="${waits}">
<label for="code">Code of your authenticator app, or a recovery code</label>
<input id="code" name="code" inputmode="text" autocomplete="one-time-code" autocapitalize="none" spellcheck="false" required autofocus>
<button>Sign in</button>
</form>
${passkey}`,
    { script: '/passkeys.js' },
  )
}

export type EnrolView = {
  readonly secret: string
  readonly qr: string
  readonly token?: string
  readonly error?: string
}

/** `qr`: an SVG that was made here. */
export function enrolPage({ secret, qr, token = '', error }: EnrolView): string {
  const groups = secret.replaceAll(/(.{4})(?=.)/g, '$1 ')
  return page(
    'Set up your account',
    html`${problem(error)}
<form method="post" action="/enrol" id="enrol">
<input type="hidden" name="token" id="token" value="${token}">
<input type="hidden" name="secret" value="${secret}">
<fieldset>
<legend>1. A password</legend>
<label for="password">At least 12 characters: some words that do not belong together</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="12" required>
</fieldset>
<fieldset>
<legend>2. A second factor</legend>
<p>Scan this with an authenticator app, or type the key in.</p>
<div class="qr">${{ html: qr }}</div>
<p><code>${groups}</code></p>
<label for="code">The code that the app shows</label>
<input id="code" name="code" inputmode="numeric" autocomplete="one-time-code" pattern="[0-9 ]*" required>
</fieldset>
<button>Open the account</button>
</form>
<noscript><p class="problem">This page needs its script to read the link that you opened.</p></noscript>`,
    { script: '/enrol.js' },
  )
}

export function codesPage(person: string, codes: readonly string[]): string {
  return page(
    'Recovery codes',
    html`<p>Your user ID is <strong>${person}</strong>. Each of these codes opens your account once, without the app. They are not shown again: print them, or keep them in a safe place.</p>
<ul class="codes">${codes.map((code) => html`<li><code>${code}</code></li>`)}</ul>
<p><a class="button" href="/sign-in">Sign in</a></p>`,
  )
}

/** Who has no role yet is asked for by somebody who has. */
const ASK = html`<form method="post" action="/roles/ask">
<details>
<summary>Ask for a role</summary>
<label for="role">Role, for the institution</label>
<select id="role" name="role">${ROLES.filter((one) => one !== 'service').map((one) => html`<option>${one}</option>`)}</select>
<label for="why">Why</label>
<input id="why" name="reason" maxlength="500" required>
<button>Ask</button>
</details>
</form>`

export type AccountView = {
  readonly person: Person
  readonly sessions: readonly OpenSession[]
  readonly passkeys: readonly Passkey[]
  /** They sign in at another provider. */
  readonly isElsewhere: boolean
  /** Emergencies that wait for their review. */
  readonly reviews: number
  readonly around: Around
  readonly error?: string
}

export function accountPage(view: AccountView): string {
  const { person, sessions, passkeys, isElsewhere, reviews, around, error } = view
  const keys = passkeys.map(
    ({ id, name, usedAt }) => html`<li>${name}, ${usedAt ? `last used ${when(usedAt)}` : 'not used yet'}
<form method="post" action="/account/passkeys/remove"><input type="hidden" name="id" value="${id}"><button class="small">Remove</button></form></li>`,
  )
  const roles = person.grants.map(({ role, scope, until }) => {
    const whatFor = scope.kind === 'institution' ? 'for the institution' : `for ${scope.kind}`
    return html`<li>${role} ${whatFor}${until ? ` until ${until.toISOString().slice(0, 10)}` : ''}</li>`
  })
  const rows = sessions.map(
    ({ id, address, agent, begunAt, lastAt }) => html`<tr>
<td>${when(begunAt)}</td><td>${when(lastAt)}</td><td>${address}</td><td>${agent}</td>
<td>${id === person.session ? html`this one` : html`<form method="post" action="/account/sessions/${id}/end"><button class="small">End</button></form>`}</td>
</tr>`,
  )
  return page(
    person.id,
    html`${problem(error)}
${reviews > 0 ? html`<p class="problem"><a href="/break-glass/reviews">${counted(reviews, 'emergency access waits', 'emergency accesses wait')} for a review</a></p>` : html``}
<h2>Roles</h2>
${roles.length > 0 ? html`<ul>${roles}</ul>` : html`<p>None yet: somebody asks for one, and another approves it.</p>`}
${person.grants.length > 0 ? ASK : html``}
<p><a href="/policy">The policy</a> says what each role may. Officers: <a href="/roles">roles</a>, <a href="/access-review">review of access</a>.</p>
<h2>Sessions</h2>
<table>
<thead><tr><th scope="col">begun</th><th scope="col">last used</th><th scope="col">from</th><th scope="col">with</th><th scope="col"></th></tr></thead>
<tbody>${rows}</tbody>
</table>
<form method="post" action="/account/sessions/end"><button class="small">End all others</button></form>
<h2>Second factor</h2>
<p>${person.authentication.at.getTime() === 0 ? 'Not shown yet where you are now' : `Shown ${when(person.authentication.at)}`}. Some acts want it within the last five minutes.</p>
${isElsewhere ? html`<form method="post" action="/account/step-up/elsewhere"><button>Show it again where you sign in</button></form>` : html``}
<form method="post" action="/account/step-up">
<label for="code">Code</label>
<input id="code" name="code" inputmode="text" autocomplete="one-time-code" required>
<button>Show it again</button>
</form>
<h2>Passkeys</h2>
${keys.length > 0 ? html`<ul>${keys}</ul>` : html`<p>None yet. A passkey is a second factor that cannot be given to a false site.</p>`}
<form method="post" action="/account/passkeys" data-passkey="create" data-options="/account/passkeys/options">
<p class="problem" role="alert" hidden></p>
<label for="name">Name of the device</label>
<input id="name" name="name" maxlength="60" required>
<button>Add a passkey</button>
</form>
<h2>In an emergency</h2>
<p><a href="/break-glass">Open the records of one patient</a></p>
<form method="post" action="/sign-out"><button>Sign out</button></form>`,
    { script: '/passkeys.js', ...around },
  )
}

function counted(count: number, one: string, more: string): string {
  return `${count} ${count === 1 ? one : more}`
}
