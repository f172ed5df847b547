// The worklist: scheduled procedure steps as data sets, encrypted.   file ─► checked ─► row ─► data sets to search
//
// Invariants: a step is there once, however often it is added; what is over is forgotten.

import { type Dataset, find, string, Tags } from '@roentgate/dicom'
import { sql } from 'kysely'
import type { Archive } from '../archive/archive.ts'
import { dayOf } from '../archive/index/facts.ts'
import { uuid7 } from '../archive/index/uuid.ts'
import { type Tx, transact } from '../db/database.ts'
import type { StepState } from '../db/schema.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { openCell, sealCell } from './cell.ts'
import { WorklistError } from './errors.ts'

/** After the day that a step is planned for; without one, after it was added. */
const KEPT_DAYS = 30
/** Of one query, decrypted and looked at one by one; a site plans some hundred a day. */
export const MAX_ITEMS = 20_000
const UNIT = '\u001f'

export type StepKey = { readonly study: string; readonly step: string }

/** @throws WorklistError BAD_ITEM */
export async function addItems(
  { database, columns }: Archive,
  items: readonly Dataset[],
  by: NewEvent['actor'],
): Promise<void> {
  const rows = items.map((item) => {
    const step = stepOf(item)
    const id = uuid7(Date.now())
    const day = dayOf(string(step, Tags.ScheduledProcedureStepStartDate) ?? '')
    return {
      id,
      step_blind: stepBlind(columns, keyOf(item, step)),
      station: string(step, Tags.ScheduledStationAETitle) ?? '',
      modality: string(step, Tags.Modality) ?? '',
      starts_on: day ?? null,
      starts_at: string(step, Tags.ScheduledProcedureStepStartTime) ?? '',
      item_cipher: sealCell(columns, { table: 'worklist', row: id }, item),
      expires_at: sql<Date>`coalesce(${day ?? null}::date, current_date) + make_interval(days => ${KEPT_DAYS})`,
    }
  })
  await transact(database.kysely, async (tx) => {
    await tx.deleteFrom('worklist').where('expires_at', '<=', new Date()).execute()
    for (const row of rows) await tx.deleteFrom('worklist').where('step_blind', '=', row.step_blind).execute()
    if (rows.length > 0) await tx.insertInto('worklist').values(rows).execute()
    await appendEvents(tx, [orderEvent('C', by, rows.length)], new Date())
  })
}

function orderEvent(action: 'C' | 'D', actor: NewEvent['actor'], count: number): NewEvent {
  return {
    event: 'order-record',
    action,
    outcome: 'success',
    actor,
    objects: [{ kind: 'record', id: 'worklist', count }],
    detail: {},
  }
}

/** PS3.4 Table K.6-1: one step an item, with what a modality must know of it. */
function stepOf(item: Dataset): Dataset {
  const sequence = find(item, Tags.ScheduledProcedureStepSequence)
  const [step, ...more] = sequence?.value.kind === 'items' ? sequence.value.items : []
  if (step === undefined || more.length > 0)
    throw new WorklistError('BAD_ITEM', 'a Scheduled Procedure Step Sequence with one item is wanted')
  const missing = [
    [string(step, Tags.ScheduledProcedureStepID), 'Scheduled Procedure Step ID'],
    [string(item, Tags.StudyInstanceUID), 'Study Instance UID'],
    [string(item, Tags.PatientID), 'Patient ID'],
  ].find(([value]) => (value ?? '') === '')
  if (missing) throw new WorklistError('BAD_ITEM', `an item without ${missing[1]}`)
  return step
}

function keyOf(item: Dataset, step: Dataset): StepKey {
  return {
    study: string(item, Tags.StudyInstanceUID) ?? '',
    step: string(step, Tags.ScheduledProcedureStepID) ?? '',
  }
}

function stepBlind(columns: Archive['columns'], { study, step }: StepKey): Buffer {
  return columns.blind('worklist.step', `${study}${UNIT}${step}`)
}

/** Those that are still to be done, earliest first. @throws WorklistError TOO_MANY */
export async function openItems({ database, columns }: Archive): Promise<readonly Dataset[]> {
  const rows = await database.kysely
    .selectFrom('worklist')
    .select(['id', 'item_cipher'])
    .where('state', '=', 'scheduled')
    .where('expires_at', '>', new Date())
    .orderBy('starts_on')
    .orderBy('starts_at')
    .orderBy('id')
    .limit(MAX_ITEMS + 1)
    .execute()
  if (rows.length > MAX_ITEMS)
    throw new WorklistError('TOO_MANY', `more than ${MAX_ITEMS} steps are open: remove those that are over`)
  return rows.map(({ id, item_cipher }) => openCell(columns, { table: 'worklist', row: id }, item_cipher))
}

/** What a modality began or ended is not to be done again. */
export async function progressed(
  tx: Tx,
  columns: Archive['columns'],
  { steps, state }: { readonly steps: readonly StepKey[]; readonly state: StepState },
): Promise<void> {
  if (steps.length === 0) return
  const blinds = steps.map((key) => stepBlind(columns, key))
  await tx.updateTable('worklist').set({ state }).where('step_blind', 'in', blinds).execute()
}

export type Planned = {
  readonly id: string
  readonly station: string
  readonly modality: string
  readonly day: string
  readonly time: string
  readonly state: StepState
}

/** Without anything of a patient. */
export async function plannedSteps({ database }: Archive): Promise<readonly Planned[]> {
  const rows = await database.kysely
    .selectFrom('worklist')
    .select(['id', 'station', 'modality', 'starts_on', 'starts_at', 'state'])
    .orderBy('starts_on')
    .orderBy('starts_at')
    .orderBy('id')
    .execute()
  return rows.map(({ starts_on, starts_at, ...row }) => ({ ...row, day: starts_on ?? '', time: starts_at }))
}

/** The number of those that were there. */
export async function removeItems(
  { database }: Archive,
  ids: readonly string[],
  by: NewEvent['actor'],
): Promise<number> {
  return await transact(database.kysely, async (tx) => {
    const gone = await tx.deleteFrom('worklist').where('id', 'in', ids).returning('id').execute()
    if (gone.length > 0) await appendEvents(tx, [orderEvent('D', by, gone.length)], new Date())
    return gone.length
  })
}
