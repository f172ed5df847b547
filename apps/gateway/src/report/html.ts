// report.html: one file that needs nothing else, no script, no network; readable by a person who was not there.

import { OUTCOMES, type Outcome } from '../pipeline/outcomes.ts'
import type { AttributeRow } from '../pipeline/totals.ts'
import type { Report } from './data.ts'
import { STYLE } from './style.ts'

/** Already HTML. */
type Html = { readonly html: string }
type Piece = string | number | Html | readonly Html[]

/** Escapes whatever is not Html yet. */
function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Html {
  return { html: parts.reduce((text, part, at) => text + render(pieces[at - 1] ?? '') + part) }
}

function render(piece: Piece): string {
  if (typeof piece === 'number') return number(piece)
  if (typeof piece === 'string') return escaped(piece)
  return 'html' in piece ? piece.html : piece.map((each) => each.html).join('')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '')
}

const counting = new Intl.NumberFormat('en')

function number(value: number): string {
  return counting.format(value)
}

const NONE: Html = { html: '' }

export function renderReport(report: Report): string {
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>De-identification report</title><style>${{ html: STYLE }}</style></head>
<body><header><div><p class="brand">Roentgate ${report.dryRun ? 'dry run' : 'de-identification report'}</p>
<h1>${headline(report)}</h1><p>${subline(report)}</p></div></header>
<main>${summary(report)}${settings(report)}${reasons(report)}${methods(report)}${safeHarbor(report)}${notSearched(report)}${attributes(report)}${inventory(report)}</main>
<footer>This report holds no value of any patient’s data. It says what a program did; it is no legal advice, and no
determination under 45 CFR 164.514(b).</footer></body></html>
`
  return page.html
}

function headline({ outcomes, dryRun }: Report): string {
  const would = dryRun ? 'would be ' : ''
  const released = `${number(outcomes.released)} ${outcomes.released === 1 ? 'instance' : 'instances'} ${would}released`
  const withheld = outcomes.quarantined + outcomes.failed
  if (withheld === 0) return released
  return `${released}, ${number(withheld)} ${would}withheld`
}

function subline({ release, edition, dryRun }: Report): string {
  const parts = [
    `${number(release.patients)} ${release.patients === 1 ? 'patient' : 'patients'}`,
    `${number(release.studies)} ${release.studies === 1 ? 'study' : 'studies'}`,
    `${number(release.series)} series`,
    size(release.bytes),
  ]
  const what = release.patients === 0 ? '' : `${parts.join(', ')}. `
  if (dryRun)
    return `By PS3.15 Annex E, Table E.1-1 of edition ${edition}. Nothing was written, so nothing was verified.`
  return `${what}De-identified by PS3.15 Annex E, Table E.1-1 of edition ${edition}; every released file was read again and searched.`
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB']

function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${UNITS[power]}`
}

const MEANINGS: Readonly<Record<Outcome, string>> = {
  released: 'released',
  quarantined: 'quarantined',
  failed: 'failed',
  duplicate: 'copies of released ones',
  ignored: 'ignored, no instances',
}

function summary({ outcomes, inputs }: Report): Html {
  const seen = OUTCOMES.filter(
    (outcome) => outcomes[outcome] > 0 || outcome === 'released' || outcome === 'quarantined',
  )
  const cards = seen.map(
    (outcome) =>
      html`<div class="card"><b>${outcomes[outcome]}</b><span><i class="${outcome}"></i>${MEANINGS[outcome]}</span></div>`,
  )
  const bars = OUTCOMES.filter((outcome) => outcomes[outcome] > 0).map(
    (outcome) => html`<span class="${outcome}" style="flex:${String(outcomes[outcome])}"></span>`,
  )
  const text = seen.map((outcome) => `${number(outcomes[outcome])} ${MEANINGS[outcome]}`).join(', ')
  return html`<div class="cards"><div class="card"><b>${inputs}</b><span>files looked at</span></div>${cards}</div>
<div class="bar" role="img" aria-label="${text}">${bars}</div>`
}

const PIXELS = {
  'as-is': 'passed as they are (--pixels as-is)',
  quarantine: 'quarantined',
  clean: 'searched, and text blanked',
} as const

function settings({ recipe, edition, key, version, pixels }: Report): Html {
  const options = recipe.options.length === 0 ? 'none' : recipe.options.join(', ')
  const passed = PIXELS[pixels]
  return html`<h2>How it was done</h2><dl>
<dt>Recipe</dt><dd><strong>${recipe.name}</strong>${recipe.safeHarbor ? html` <span class="tag g">Safe Harbor rules</span>` : NONE}<small>${recipe.description}</small></dd>
<dt>Recipe digest</dt><dd><code>${recipe.digest}</code></dd>
<dt>Options of the profile</dt><dd>${options}</dd>
<dt>Standard</dt><dd>DICOM PS3.15 Annex E, edition ${edition}</dd>
<dt>Key</dt><dd><code>${key}</code><small>names the project key; it is not the key</small></dd>
<dt>Pixels that may carry text</dt><dd>${passed}</dd>
<dt>Program</dt><dd>roentgate ${version}</dd></dl>`
}

const TAGS: Readonly<Record<string, readonly [string, string]>> = {
  quarantined: ['w', 'quarantined'],
  failed: ['b', 'failed'],
  warning: ['s', 'warning'],
  duplicate: ['s', 'copy'],
  ignored: ['s', 'ignored'],
}

function reasons({ reasons: all }: Report): Html {
  if (all.length === 0) return NONE
  const rows = ['failed', 'quarantined', 'warning', 'duplicate', 'ignored'].flatMap((outcome) =>
    all
      .filter((reason) => reason.outcome === outcome)
      .map(({ code, what, count, advice }) => {
        const [kind = 's', label = outcome] = TAGS[outcome] ?? []
        const help = outcome === 'warning' && !ADVISED.has(code) ? '' : advice
        return html`<tr><td class="n">${count}</td><td><span class="tag ${kind}">${label}</span></td><th scope="row"><code>${code}</code><small>${what}</small></th><td>${help}</td></tr>`
      }),
  )
  return html`<h2>What did not come out, and what to do</h2>
<p class="lead">A file that fails one check is withheld as a whole. Files are counted under each of their reasons; which
files they are, <code>--mapping</code> tells.</p>
${table(['n:Files', 'Outcome', 'Reason', 'What to do'], rows)}`
}

/** Warnings that ask for something. */
const ADVISED: ReadonlySet<string> = new Set(['PATIENT_ID_COLLISION'])

function methods({ methods: all }: Report): Html {
  if (all.length === 0) return NONE
  const rows = all.map(
    ({ code, meaning, instances }) =>
      html`<tr><th scope="row"><code>${code}</code></th><td>${meaning}</td><td class="n">${instances}</td></tr>`,
  )
  return html`<h2>Methods that the instances carry</h2>
<p class="lead">De-identification Method Code Sequence (0012,0064), CID 7050. A code stands for what really ran on that instance.</p>
${table(['Code', 'Meaning', 'n:Instances'], rows)}`
}

function safeHarbor({ safeHarbor: all, recipe }: Report): Html {
  const rows = all.map(({ letter, name, note, done, kept }) => {
    const names = kept.slice(0, 4).map((each) => `${each.name} ${each.attribute}`)
    const more = kept.length > 4 ? ` and ${kept.length - 4} more` : ''
    const keptText = kept.length === 0 ? NONE : html`<small>Kept: ${names.join('; ')}${more}</small>`
    return html`<tr><th scope="row">(${letter})</th><td>${name}${note === '' ? NONE : html`<small>${note}</small>`}${keptText}</td>
${times(done.removed)}${times(done.replaced)}${times(done.cleaned)}${times(done.kept)}</tr>`
  })
  const claim = recipe.safeHarbor
    ? 'The recipe applies the rules for these identifiers to attributes and their text.'
    : 'The recipe does not claim Safe Harbor; the table shows what it did about each identifier all the same.'
  return html`<h2>The 18 identifiers of Safe Harbor</h2>
<p class="lead">45 CFR 164.514(b)(2)(i)(A) to (R), and how often an attribute that can hold each was removed, replaced,
searched and cleaned, or kept. ${claim} Safe Harbor asks for more than this: no actual knowledge that what remains could
identify somebody, (b)(2)(ii).</p>
${table(['', 'Identifier', 'n:Removed', 'n:Replaced', 'n:Cleaned', 'n:Kept'], rows)}`
}

/** Nothing is easier to read over than a column of zeros. */
function times(count: number): Html {
  return count === 0 ? html`<td class="n none">–</td>` : html`<td class="n">${count}</td>`
}

function notSearched({ notSearched: all }: Report): Html {
  return html`<h2>What was not searched</h2>
<p class="lead">Nobody looked for identifiers in these. Whether that matters depends on the images and on who gets them.</p>
<ul class="plain">${all.map((each) => html`<li>${each}</li>`)}</ul>`
}

function attributes({ attributes: all }: Report): Html {
  if (all.length === 0) return NONE
  const rows = all.map(
    (row) => html`<tr>${attributeCells(row)}<td>${row.because}</td><td class="n">${row.count}</td></tr>`,
  )
  return html`<h2>What was done to each attribute</h2>
<p class="lead">Over the released instances. X removed, Z emptied or replaced, D replaced by a dummy, U replaced by a
pseudonymous UID, C searched and cleaned, K kept.</p>
<details${all.length <= OPEN_ROWS ? { html: ' open' } : NONE}><summary>${all.length} rows<small>attribute × action × reason</small></summary>
${table(['Attribute', 'Name', 'VR', 'Action', 'Because', 'n:Times'], rows)}</details>`
}

/** A longer table starts folded. */
const OPEN_ROWS = 100

function inventory({ inventory: all }: Report): Html {
  if (all.length === 0) return NONE
  const parts = all.map(({ scanner, instances, released, attributes: own }) => {
    const rows = own.map((row) => html`<tr>${attributeCells(row)}<td class="n">${row.instances}</td></tr>`)
    return html`<details><summary>${scannerName(scanner)}<small>${instances} ${instances === 1 ? 'instance' : 'instances'}, ${released} released${own.length === 0 ? '' : `, ${own.length} distinct attributes`}</small></summary>
${rows.length === 0 ? NONE : table(['Attribute', 'Name', 'VR', 'Action', 'n:Instances'], rows)}</details>`
  })
  return html`<h2>Inventory</h2><p class="lead">Which kinds of scanner were seen, and which attributes they wrote.</p>${parts}`
}

function scannerName(scanner: string): string {
  const parts = scanner.split('|').map((part) => part.trim())
  const known = parts.filter((part) => part !== '')
  return known.length === 0 ? 'Scanner not stated' : known.join(' · ')
}

function attributeCells({ attribute, name, vr, action }: AttributeRow): Html {
  return html`<th scope="row"><code>${attribute}</code></th><td>${name}</td><td>${vr}</td><td>${action}</td>`
}

/** Headings that begin with `n:` stand over numbers. */
function table(headings: readonly string[], rows: readonly Html[]): Html {
  const cells = headings.map((heading) =>
    heading.startsWith('n:')
      ? html`<th scope="col" class="n">${heading.slice(2)}</th>`
      : html`<th scope="col">${heading}</th>`,
  )
  return html`<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>${rows}</tbody></table></div>`
}
