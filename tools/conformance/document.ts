// docs/conformance.md: what the gateway tells its peers (PS3.2), read off its code, and the cases with their outcomes.

import { COMMITMENT } from '../../apps/gateway/src/serve/commitment.ts'
import { TLS_PROFILE } from '../../apps/gateway/src/serve/dicom.ts'
import { sopClassOf } from '../../apps/gateway/src/serve/models.ts'
import { MPPS, MPPS_RETRIEVE } from '../../apps/gateway/src/serve/mpps.ts'
import { isStorage } from '../../apps/gateway/src/serve/negotiate.ts'
import { WORKLIST } from '../../apps/gateway/src/serve/worklist.ts'
import {
  IMPLEMENTATION_CLASS_UID,
  IMPLEMENTATION_VERSION_NAME,
  transferSyntax,
  uid,
  uids,
} from '../../packages/dicom/src/index.ts'
import { DEADLINES, VERIFICATION } from '../../packages/dimse/src/index.ts'
import { MAX_CONTEXTS, MAX_DATA_BYTES, MAX_SYNTAXES } from '../../packages/dimse/src/limits.ts'
import type { Case } from './cases.ts'

export type Outcome =
  | { readonly kind: 'shown'; readonly tests: number }
  | { readonly kind: 'failed' }
  | { readonly kind: 'absent' }

export type Judged = Case & { readonly outcome: Outcome }

const HEAD = `# Conformance

Written by \`npm run conformance\`: the statement is read off the code, the cases by the results of the tests that show them.
`

export function documentOf(cases: readonly Judged[]): string {
  return [HEAD, statement(), casesOf(cases)].join('\n')
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function casesOf(cases: readonly Judged[]): string {
  const rows = cases.map(({ id, what, outcome, missing = '' }) => [id, what, wordOf(outcome), missing])
  return `## Cases

A case is shown when each of its tests ran and passed. What is missing from it stands beside it.

${table(['', 'case', 'tests', 'missing'], rows)}
`
}

function wordOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'shown':
      return `${outcome.tests} passed`
    case 'failed':
      return '**FAILED**'
    default:
      return 'none'
  }
}

function statement(): string {
  const storage = [...uids()].filter((one) => isStorage(one.uid))
  const syntaxes = [...uids()].filter((one) => transferSyntax(one.uid) !== undefined)
  const retrieval = (['patient', 'study'] as const).flatMap((root) =>
    (['find', 'move', 'get'] as const).map((action) => {
      const sopClass = sopClassOf({ root, action })
      return [uid(sopClass)?.name ?? '', sopClass, action === 'find' ? 'SCU, SCP' : rolesOf(root, action)]
    }),
  )
  return `## Statement

| | |
|---|---|
| Implementation Class UID | ${IMPLEMENTATION_CLASS_UID} |
| Implementation Version Name | ${IMPLEMENTATION_VERSION_NAME} |
| Longest P-DATA-TF that is taken | ${MAX_DATA_BYTES} bytes |
| Presentation contexts of an association | ${MAX_CONTEXTS}, each with up to ${MAX_SYNTAXES} transfer syntaxes |
| Asynchronous operations | 1 invoked, 1 performed |
| Deadlines | a PDU that has begun ${DEADLINES.pduMs / 1000} s, silence ${DEADLINES.idleMs / 1000} s, ARTIM ${DEADLINES.artimMs / 1000} s |
| TLS | ${TLS_PROFILE.minVersion} and later; client certificates are required; no renegotiation, no compression, no resumption |
| Suites | ${TLS_PROFILE.ciphers.split(':').join(', ')} |

### Services

${table(
  ['SOP Class', 'UID', 'role'],
  [
    ['Verification SOP Class', VERIFICATION, 'SCU, SCP'],
    ...retrieval,
    [uid(COMMITMENT)?.name ?? '', COMMITMENT, 'SCP'],
    [uid(WORKLIST)?.name ?? '', WORKLIST, 'SCU, SCP'],
    [uid(MPPS)?.name ?? '', MPPS, 'SCP'],
    [uid(MPPS_RETRIEVE)?.name ?? '', MPPS_RETRIEVE, 'SCP'],
    [`Storage: the ${storage.length} classes below`, '', 'SCU, SCP'],
  ],
)}

Messages are spoken in Explicit and Implicit VR Little Endian. Answers to a query are in a character set that its identifier
names, if that has all of the text, else in UTF-8. Relational queries and combined dates
and times are agreed to where they are proposed (PS3.4 C.5.1.1).
An instance is stored in the transfer syntax that it comes in: the first of its presentation context that is listed here, but
Explicit VR Little Endian before Implicit where both are proposed. It is
sent in that one, or, decompressed where it must be, in Explicit or Implicit VR Little Endian.

### Statuses of C-STORE

| | |
|---|---|
| 0000 | durable, indexed, in the ledger; the same bytes again change nothing |
| B000 | kept beside another instance of the same SOP Instance UID with other bytes |
| A700 | nothing was stored: send it again |
| A900 | SOP Class or Instance of command and data set differ |
| C000 | no data set, or one beyond the limits |

### Transfer syntaxes of storage

${table(
  ['name', 'UID'],
  syntaxes.map((one) => [one.name, one.uid]),
)}

### Storage classes

${table(
  ['name', 'UID'],
  storage.map((one) => [one.retired ? `${one.name} (retired)` : one.name, one.uid]),
)}
`
}

function rolesOf(root: 'patient' | 'study', action: 'move' | 'get'): string {
  return root === 'study' && action === 'move' ? 'SCU, SCP' : 'SCP'
}
