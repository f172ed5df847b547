// The answer to a store request (PS3.18 10.5.3, Annex I): what became of each part ─storeResponse→ status and data set

import type { JsonDataset, JsonElement, Tag, Vr } from '@roentgate/dicom'
import { hex8, Tags } from '@roentgate/dicom'

export type StoreOutcome =
  | {
      readonly kind: 'stored'
      readonly sopClassUid: string
      readonly sopInstanceUid: string
      readonly retrieveUrl?: string
      /** Of Table I.2-1. */
      readonly warning?: number
    }
  | {
      readonly kind: 'failed'
      readonly sopClassUid: string
      readonly sopInstanceUid: string
      /** Of Table I.2-2. */
      readonly failure: number
    }
  /** A part that names no instance: no DICOM, or without its UIDs. */
  | { readonly kind: 'unreadable'; readonly failure: number }

/** Table I.2-1: Warning Reason (0008,1196). */
export const WARNING_REASON = {
  coerced: 0xb000,
  elementsDiscarded: 0xb006,
  doesNotMatchSopClass: 0xb007,
} as const

/** Table I.2-2: Failure Reason (0008,1197); the first of its range. PS3.7 Annex C for those that it takes from there. */
export const FAILURE_REASON = {
  processingFailure: 0x0110,
  sopClassNotSupported: 0x0122,
  notAuthorized: 0x0124,
  outOfResources: 0xa700,
  doesNotMatchSopClass: 0xa900,
  cannotUnderstand: 0xc000,
  transferSyntaxNotSupported: 0xc122,
} as const

export type StoreStatus = 200 | 202 | 400 | 409 | 503
export type StoreResponse = { readonly status: StoreStatus; readonly dataset: JsonDataset }

/** `retrieveUrl`: of the study, where all that was stored is of one. */
export function storeResponse(outcomes: readonly StoreOutcome[], retrieveUrl?: string): StoreResponse {
  const stored = outcomes.filter((each) => each.kind === 'stored')
  const failed = outcomes.filter((each) => each.kind === 'failed')
  const unreadable = outcomes.filter((each) => each.kind === 'unreadable')
  const dataset = object([
    [Tags.RetrieveURL, text('UR', stored.length === 0 ? undefined : retrieveUrl)],
    [Tags.FailedSOPSequence, items(failed.map((each) => [...sopOf(each), reasonOf(each.failure)]))],
    [Tags.ReferencedSOPSequence, items(stored.map(storedItem))],
    [Tags.OtherFailuresSequence, items(unreadable.map((each) => [reasonOf(each.failure)]))],
  ])
  return { status: statusOf(outcomes), dataset }
}

/** Table 10.5.3-1; and 8.5 for a server that has no room, so that the client comes again. */
function statusOf(outcomes: readonly StoreOutcome[]): StoreStatus {
  const isAny = (kind: StoreOutcome['kind']): boolean => outcomes.some((each) => each.kind === kind)
  if (isAny('stored')) {
    const isClean = outcomes.every((each) => each.kind === 'stored' && each.warning === undefined)
    return isClean ? 200 : 202
  }
  if (outcomes.length > 0 && outcomes.every(isOutOfResources)) return 503
  return isAny('failed') ? 409 : 400
}

function isOutOfResources(outcome: StoreOutcome): boolean {
  return outcome.kind !== 'stored' && outcome.failure >> 8 === FAILURE_REASON.outOfResources >> 8
}

type Entry = readonly [Tag, JsonElement | undefined]

function storedItem(outcome: Extract<StoreOutcome, { readonly kind: 'stored' }>): readonly Entry[] {
  const { warning } = outcome
  return [
    ...sopOf(outcome),
    [Tags.RetrieveURL, text('UR', outcome.retrieveUrl)],
    [Tags.WarningReason, warning === undefined ? undefined : { vr: 'US', Value: [warning] }],
  ]
}

type Sop = { readonly sopClassUid: string; readonly sopInstanceUid: string }

function sopOf({ sopClassUid, sopInstanceUid }: Sop): readonly Entry[] {
  return [
    [Tags.ReferencedSOPClassUID, text('UI', sopClassUid)],
    [Tags.ReferencedSOPInstanceUID, text('UI', sopInstanceUid)],
  ]
}

function reasonOf(failure: number): Entry {
  return [Tags.FailureReason, { vr: 'US', Value: [failure] }]
}

/** Type 2: there, if empty. */
function text(vr: Vr, value: string | undefined): JsonElement {
  return value === undefined || value === '' ? { vr } : { vr, Value: [value] }
}

function items(all: readonly (readonly Entry[])[]): JsonElement | undefined {
  return all.length === 0 ? undefined : { vr: 'SQ', Value: all.map(object) }
}

function object(entries: readonly Entry[]): JsonDataset {
  return Object.fromEntries(
    entries.flatMap(([t, element]) => (element === undefined ? [] : [[hex8(t), element]])),
  )
}
