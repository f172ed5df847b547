// Scopes of tokens: what a token is for, at most, whatever its owner may. Those of SMART App Launch 2.2 for imaging, in the
// spelling of its first version too, and ours for DICOMweb (docs/guide/apps.md).

import type { Action } from './actions.ts'

export type TokenScope = {
  readonly acts: readonly Action[]
  /** To a person who is asked to allow it. */
  readonly what: string
}

const LOOKING = 'look studies up'
const OPENING = 'open images and documents'
const SUFFIXES = {
  rs: { acts: ['studies.search', 'studies.read'], what: `${LOOKING}, and ${OPENING}` },
  r: { acts: ['studies.read'], what: OPENING },
  s: { acts: ['studies.search'], what: LOOKING },
  read: { acts: ['studies.search', 'studies.read'], what: `${LOOKING}, and ${OPENING}` },
} as const satisfies Readonly<Record<string, TokenScope>>
const CONTEXTS = {
  patient: 'of one patient',
  user: 'that you may see',
  system: 'that it may see',
} as const

function* smart(): Generator<[string, TokenScope]> {
  for (const [context, whose] of Object.entries(CONTEXTS)) {
    for (const [suffix, { acts, what }] of Object.entries(SUFFIXES)) {
      const scope = { acts, what: `${what} ${whose}` }
      // In its first version all resources had one word; of ours they are the studies.
      if (suffix !== 'read') yield [`${context}/ImagingStudy.${suffix}`, scope]
      yield [`${context}/*.${suffix}`, scope]
    }
  }
}

export const TOKEN_SCOPES: ReadonlyMap<string, TokenScope> = new Map<string, TokenScope>([
  ...smart(),
  ['patient/ImagingStudy.read', { ...SUFFIXES.read, what: `${SUFFIXES.read.what} ${CONTEXTS.patient}` }],
  ['user/ImagingStudy.read', { ...SUFFIXES.read, what: `${SUFFIXES.read.what} ${CONTEXTS.user}` }],
  ['user/AuditEvent.s', { acts: ['audit.read'], what: 'search the ledger' }],
  ['dicomweb:search', { acts: ['studies.search', 'projects.read'], what: `${LOOKING} over DICOMweb` }],
  ['dicomweb:read', { acts: ['studies.read', 'projects.read'], what: `${OPENING} over DICOMweb` }],
  ['dicomweb:store', { acts: ['studies.store'], what: 'add instances to the archive' }],
  ['dicom:send', { acts: ['studies.send'], what: 'have studies sent to a registered node' }],
])

export function isOfPatient(scope: string): boolean {
  return scope.startsWith('patient/')
}

/** One with a colon or a slash that is not of the list is for no act. */
export function isInScopes(scopes: readonly string[], action: Action): boolean {
  return scopes.some((scope) => TOKEN_SCOPES.get(scope)?.acts.includes(action) === true)
}
