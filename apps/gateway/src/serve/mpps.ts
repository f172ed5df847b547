// Modality performed procedure step (PS3.4 F.7): N-CREATE, N-SET, N-GET ─► steps ─► status

import { randomUUID } from 'node:crypto'
import { type Dataset, DicomError, dataset } from '@roentgate/dicom'
import { type Answer, FIELD, type Incoming, MAX_IDENTIFIER_BYTES, STATUS, whole } from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import { beginStep, changeStep, type Done, type Sender, stepOf } from '../worklist/steps.ts'
import { readIdentifier, writeIdentifier } from './identifier.ts'

export const MPPS = '1.2.840.10008.3.1.2.3.3'
/** To read what there is; not to change it (PS3.4 F.8). */
export const MPPS_RETRIEVE = '1.2.840.10008.3.1.2.3.4'
const UID = /^[0-9.]{1,64}$/
const MAX_ATTRIBUTES = 1024

/** PS3.7 C, PS3.4 Table F.7.2-2 and F.7.2.2.2. */
const STATUS_OF: Readonly<Record<Done, number>> = {
  done: STATUS.success,
  duplicate: 0x0111,
  unknown: STATUS.noSuchInstance,
  over: STATUS.processingFailure,
  'not-yours': STATUS.notAuthorized,
  'bad-state': 0x0106,
  'no-state': 0x0120,
}
/** "Performed Procedure Step Object may no longer be updated". */
const NO_LONGER = 0xa710
const INVALID_ARGUMENT = 0x0115

export async function* performed(
  incoming: Incoming,
  { archive, sender }: { readonly archive: Archive; readonly sender: Sender },
): AsyncGenerator<Answer> {
  const { command, context, data } = incoming
  const bytes = await whole(data, MAX_IDENTIFIER_BYTES)
  const named = command.affectedInstance ?? command.requestedInstance ?? ''
  const uid = named === '' && command.field === FIELD.nCreate ? newUid() : named
  if (!UID.test(uid)) return yield { status: INVALID_ARGUMENT }
  if (command.field === FIELD.nGet) return yield await got(archive, incoming, uid)
  const step = read(bytes, context.transferSyntax)
  if (step === undefined) return yield { status: INVALID_ARGUMENT }
  const act = command.field === FIELD.nCreate ? beginStep : changeStep
  const done = await act(archive, { uid, step }, sender)
  const fields = { affectedInstance: uid, ...(done === 'over' ? { errorId: NO_LONGER } : {}) }
  yield { status: STATUS_OF[done], fields }
}

/** PS3.5 B.2 */
function newUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`
}

async function got(archive: Archive, { command, context }: Incoming, uid: string): Promise<Answer> {
  const step = await stepOf(archive, uid)
  if (step === undefined) return { status: STATUS.noSuchInstance }
  const wanted = new Set(command.attributes?.slice(0, MAX_ATTRIBUTES))
  const elements = step.elements.filter(({ tag }) => wanted.size === 0 || wanted.has(tag))
  const { encoding, charset } = step
  return {
    status: STATUS.success,
    data: writeIdentifier(dataset(elements, { encoding, charset }), context.transferSyntax),
  }
}

function read(bytes: Uint8Array, syntax: string): Dataset | undefined {
  try {
    return readIdentifier(bytes, syntax)
  } catch (error) {
    if (error instanceof DicomError) return undefined
    throw error
  }
}
