// Performed procedure steps (PS3.4 F.7): what a modality says that it does, and did.
//
//   N-CREATE ─► IN PROGRESS ─N-SET─► … ─N-SET─► COMPLETED | DISCONTINUED, and then nothing more
//
// Only the node that began a step changes it. Each change is an entry of the ledger, without a value but UIDs and state.

import {
  type Dataset,
  dataset,
  type Element,
  find,
  make,
  string,
  strings,
  Tags,
  UTF8,
  usesCharset,
} from '@roentgate/dicom'
import type { Archive } from '../archive/archive.ts'
import { type Tx, transact } from '../db/database.ts'
import type { StepState } from '../db/schema.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { asKept, openCell, sealCell } from './cell.ts'
import { progressed, type StepKey } from './items.ts'

export type Sender = NewEvent['actor']
/** What was asked, and what became of it. */
export type Done = 'done' | 'duplicate' | 'unknown' | 'over' | 'not-yours' | 'bad-state' | 'no-state'

const STATES: ReadonlyMap<string, StepState> = new Map([
  ['IN PROGRESS', 'in-progress'],
  ['COMPLETED', 'completed'],
  ['DISCONTINUED', 'discontinued'],
])
const UID = /^[0-9.]{1,64}$/

export async function beginStep(
  archive: Archive,
  { uid, step }: { readonly uid: string; readonly step: Dataset },
  sender: Sender,
): Promise<Done> {
  const text = string(step, Tags.PerformedProcedureStepStatus)
  if (text === undefined) return 'no-state'
  if (STATES.get(text) !== 'in-progress') return 'bad-state'
  return await transact(archive.database.kysely, async (tx) => {
    const { numInsertedOrUpdatedRows } = await tx
      .insertInto('performed_steps')
      .values({
        sop_uid: uid,
        ae: sender.id,
        state: 'in-progress',
        step_cipher: sealCell(archive.columns, cellOf(uid), step),
      })
      .onConflict((on) => on.doNothing())
      .executeTakeFirst()
    if (numInsertedOrUpdatedRows === 0n) return 'duplicate'
    await recorded({ tx, archive, sender, action: 'C' }, { uid, step, state: 'in-progress' })
    return 'done'
  })
}

/** Attributes replace those that are there, sequences as a whole (PS3.4 F.7.2.2.2). */
export async function changeStep(
  archive: Archive,
  { uid, step: changes }: { readonly uid: string; readonly step: Dataset },
  sender: Sender,
): Promise<Done> {
  const text = string(changes, Tags.PerformedProcedureStepStatus)
  const state = text === undefined ? 'in-progress' : STATES.get(text)
  if (state === undefined) return 'bad-state'
  return await transact(archive.database.kysely, async (tx) => {
    const row = await tx
      .selectFrom('performed_steps')
      .select(['ae', 'state', 'step_cipher'])
      .where('sop_uid', '=', uid)
      .forUpdate()
      .executeTakeFirst()
    if (row === undefined) return 'unknown'
    if (row.ae !== sender.id) return 'not-yours'
    if (row.state !== 'in-progress') return 'over'
    const was = openCell(archive.columns, cellOf(uid), row.step_cipher)
    const step = merged(was, asKept(changes))
    await tx
      .updateTable('performed_steps')
      .set({ state, changed_at: new Date(), step_cipher: sealCell(archive.columns, cellOf(uid), step) })
      .where('sop_uid', '=', uid)
      .execute()
    await recorded({ tx, archive, sender, action: 'U' }, { uid, step, state })
    return 'done'
  })
}

function merged(step: Dataset, changes: Dataset): Dataset {
  const isOne = step.charset.join() === changes.charset.join()
  const [was, is] = [step, changes].map((one) => (isOne ? one : inUtf8(one)))
  const all = new Map<number, Element>(was?.elements.map((one) => [one.tag, one]))
  for (const one of is?.elements ?? []) all.set(one.tag, one)
  return dataset([...all.values()], { encoding: step.encoding, charset: was?.charset ?? [] })
}

/** Its texts in the one character set that has all of any other. */
function inUtf8(from: Dataset): Dataset {
  const context = { encoding: from.encoding, charset: [UTF8] }
  const owner = dataset([], context)
  const elements = from.elements
    .filter(({ tag }) => tag !== Tags.SpecificCharacterSet)
    .map((element): Element => {
      const { tag, vr, value } = element
      if (value.kind === 'items') return make(owner, tag, vr, value.items.map(inUtf8))
      return usesCharset(vr) ? make(owner, tag, vr, strings(from, element).join('\\')) : element
    })
  return dataset([...elements, make(owner, Tags.SpecificCharacterSet, 'CS', UTF8)], context)
}

/** Undefined: there is none. */
export async function stepOf({ database, columns }: Archive, uid: string): Promise<Dataset | undefined> {
  const row = await database.kysely
    .selectFrom('performed_steps')
    .select('step_cipher')
    .where('sop_uid', '=', uid)
    .executeTakeFirst()
  return row && openCell(columns, cellOf(uid), row.step_cipher)
}

function cellOf(uid: string): { readonly table: 'performed_steps'; readonly row: string } {
  return { table: 'performed_steps', row: uid }
}

type Recording = {
  readonly tx: Tx
  readonly archive: Archive
  readonly sender: Sender
  readonly action: 'C' | 'U'
}
type Change = { readonly uid: string; readonly step: Dataset; readonly state: StepState }

async function recorded(
  { tx, archive, sender, action }: Recording,
  { uid, step, state }: Change,
): Promise<void> {
  const steps = scheduledOf(step)
  await progressed(tx, archive.columns, { steps, state })
  const studies = [...new Set(steps.map(({ study }) => study))].filter((one) => UID.test(one))
  const event: NewEvent = {
    event: 'procedure-record',
    action,
    outcome: 'success',
    actor: sender,
    objects: [{ kind: 'record', id: uid }, ...studies.map((id) => ({ kind: 'study' as const, id }))],
    detail: { status: state },
  }
  await appendEvents(tx, [event], new Date())
}

/** Of the steps that it was planned as. */
function scheduledOf(step: Dataset): readonly StepKey[] {
  const sequence = find(step, Tags.ScheduledStepAttributesSequence)
  const items = sequence?.value.kind === 'items' ? sequence.value.items : []
  return items.map((item) => ({
    study: string(item, Tags.StudyInstanceUID) ?? '',
    step: string(item, Tags.ScheduledProcedureStepID) ?? '',
  }))
}
