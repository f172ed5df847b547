// Modality worklist (PS3.4 K): C-FIND over the steps that are still to be done.
//
//   keys ─► every open step, decrypted ─► those that match, as they were asked for ─► ledger: who asked, how many

import { type Dataset, DicomError, lookup } from '@roentgate/dicom'
import { type Answer, type Incoming, MAX_IDENTIFIER_BYTES, STATUS, whole } from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import type { NewEvent } from '../ledger/append.ts'
import { WorklistError } from '../worklist/errors.ts'
import { openItems } from '../worklist/items.ts'
import { answerOf, matches, problemOf } from '../worklist/matching.ts'
import { readIdentifier, writeIdentifier } from './identifier.ts'

export const WORKLIST = '1.2.840.10008.5.1.4.31'

export type Asking = {
  readonly archive: Archive
  readonly sender: NewEvent['actor']
  readonly record: (event: NewEvent) => Promise<void>
}

export async function* worklist(incoming: Incoming, asking: Asking): AsyncGenerator<Answer> {
  const { context, data, signal } = incoming
  const keys = readKeys(await whole(data, MAX_IDENTIFIER_BYTES), context.transferSyntax)
  if (keys === undefined) return yield { status: STATUS.cannotUnderstand }
  const problem = problemOf(keys)
  if (problem) {
    const comment = `not a value of its VR: ${lookup(problem.tag)?.keyword ?? ''}`.slice(0, 64)
    return yield { status: STATUS.mismatch, fields: { comment } }
  }
  let items: readonly Dataset[]
  try {
    items = await openItems(asking.archive)
  } catch (error) {
    if (!(error instanceof WorklistError)) throw error
    return yield { status: STATUS.outOfResources, fields: { comment: error.message.slice(0, 64) } }
  }
  let count = 0
  for (const item of items) {
    if (signal.aborted) break
    if (!matches(item, keys)) continue
    count++
    const data = writeIdentifier(answerOf(item, keys), context.transferSyntax)
    yield { status: STATUS.pending, data }
  }
  await asking.record({
    event: 'query',
    action: 'E',
    outcome: 'success',
    actor: asking.sender,
    objects: [{ kind: 'query', id: 'worklist' }],
    detail: { method: 'C-FIND', count },
  })
  yield { status: signal.aborted ? STATUS.cancel : STATUS.success }
}

function readKeys(bytes: Uint8Array, syntax: string): Dataset | undefined {
  try {
    return readIdentifier(bytes, syntax)
  } catch (error) {
    if (error instanceof DicomError) return undefined
    throw error
  }
}
