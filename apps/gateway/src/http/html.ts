// HTML by a template: every value is escaped where it is put in; and the frame of a page.

export type Html = { readonly html: string }

/** Text is escaped; what was made by this is not escaped again. */
export function html(
  parts: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  const texts = values.map((value) => {
    if (typeof value === 'string') return escaped(value)
    return 'html' in value ? value.html : value.map((one) => one.html).join('')
  })
  return { html: parts.map((part, place) => part + (texts[place] ?? '')).join('') }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (sign) => ENTITIES[sign] ?? '')
}

export type Around = {
  readonly script?: string
  /** Of what is out of the ordinary: it stands above all else. */
  readonly banner?: string
  /** Where the browser goes on to, by itself. */
  readonly onward?: string
  /** Of a session: seconds without a request, after which it ends by itself. */
  readonly idle?: number
}

export function page(title: string, body: Html, { script, banner, onward, idle = 0 }: Around = {}): string {
  const scripts = script ? html`<script src="${script}" defer></script>` : html``
  const lasts = String(idle)
  const warning =
    idle > 0
      ? html`<p class="banner" id="idle" role="alert" hidden>You are signed out in <span></span> seconds, as nothing happens here. <button class="small" id="stay" type="button">Stay</button></p>`
      : html``
  const watch = idle > 0 ? html`<script src="/idle.js" defer></script>` : html``
  const above = banner ? html`<p class="banner" role="status">${banner}</p>` : html``
  const refresh = onward ? html`<meta http-equiv="refresh" content="0;url=${onward}">` : html``
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Roentgate</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/style.css">
${scripts}${watch}
${refresh}
</head>
<body data-idle="${lasts}">
${warning}${above}
<header><p class="brand">Roentgate</p></header>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`.html
}

export function problem(text: string | undefined): Html {
  return text === undefined ? html`` : html`<p class="problem" role="alert">${sentence(text)}</p>`
}

/** As errors are worded, in the middle of a line, to one of its own. */
export function sentence(text: string): string {
  const end = /[.?!]$/.test(text) ? '' : '.'
  return text.slice(0, 1).toUpperCase() + text.slice(1) + end
}

export function when(at: Date): string {
  return `${at.toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
