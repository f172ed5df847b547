// The policy for people: the table, its acts and its views as Markdown. docs/policy.md is this text, and so is what
// `roentgate policy show` prints.

import { ACTIONS, type Action } from './actions.ts'
import { STEP_UP_MS } from './decide.ts'
import { SERVICE_ACTS } from './doors.ts'
import { NEVER } from './never.ts'
import { POLICY, type Row } from './table.ts'
import { VIEWS } from './views.ts'

const MINUTE_MS = 60_000

export function renderedPolicy(): string {
  return `# Policy

Who may do what, for which purpose. What no line allows is denied. Nobody decides on what they asked for. A line with *second
factor* wants one that was shown within ${STEP_UP_MS / MINUTE_MS} minutes. What is under a legal hold is not put into the trash and not destroyed; what is in the
trash or destroyed does not exist for anybody who searches or reads.

A role is for all of the institution, or for a list of studies, a list of patients or a project; outside of that, to who has it
nothing exists.

## What each role may

${[...new Set(POLICY.flatMap(({ who }) => who))].map(ofPrincipal).join('\n')}
## Views

Which part of a study is seen. Who may not see an attribute cannot search by it either.

| view | what is seen | objects |
|---|---|---|
${Object.entries(VIEWS)
  .map(([name, { what, objects }]) => `| ${name} | ${what} | ${objects.replace('-', ' ')} |`)
  .join('\n')}

## What must never be

Held against the lines above whenever the program is tested.

${NEVER.map(({ who, may, purposes, because }) => {
  const whatFor = purposes ? `, for ${purposes.join(' or ')}` : ''
  return `- ${who.join(', ')}${whatFor}: not to ${may.map(sentence).join('; ')} (${because}).`
}).join('\n')}

## Services of nodes

| service | act |
|---|---|
${Object.entries(SERVICE_ACTS)
  .map(
    ([service, act]) =>
      `| ${service} | ${act === 'open' ? 'open to every registered node' : sentence(act)} |`,
  )
  .join('\n')}
`
}

function sentence(act: Action): string {
  return ACTIONS[act]
}

function ofPrincipal(principal: Row['who'][number]): string {
  const rows = POLICY.filter(({ who }) => who.includes(principal))
  const lines = rows.map(({ may, purposes, view, stepUp, because }) => {
    const notes = [
      ...(purposes ? [`for ${purposes.join(' or ')}`] : []),
      ...(view && view !== 'full' ? [`view: ${view}`] : []),
      ...(stepUp ? ['*second factor*'] : []),
    ]
    return `- ${may.map(sentence).join('; ')}${notes.length > 0 ? ` — ${notes.join(', ')}` : ''}. Because ${because}.`
  })
  return `### ${principal}\n\n${lines.join('\n')}\n`
}
