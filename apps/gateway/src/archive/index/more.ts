// What a study and a series say of themselves beyond the attributes that have columns: answered and matched as those are,
// kept together in one encrypted cell.   texts ─► JSON ─► cell ─► texts

import type { Cell, Columns } from './columns.ts'

/** By keyword, as in the data set; what is absent there is absent here. */
export type Texts = Readonly<Record<string, string>>
export type More = { readonly texts: Texts; readonly requests: readonly Texts[] }

export const STUDY_MORE = ['StudyID', 'NameOfPhysiciansReadingStudy'] as const
export const SERIES_MORE = [
  'SeriesDate',
  'SeriesTime',
  'ProtocolName',
  'Laterality',
  'PerformedProcedureStepStartDate',
  'PerformedProcedureStepStartTime',
] as const
/** Of the items of Request Attributes Sequence (PS3.4 C.6.1.1.4, PS3.18 Table 10.6.1-5). */
export const REQUEST = ['ScheduledProcedureStepID', 'RequestedProcedureID'] as const
/** Of one series; a data set that says more is not searched for those. */
export const MAX_REQUESTS = 16
export const NOTHING_MORE: More = { texts: {}, requests: [] }

/** Null where there is nothing to keep. */
export function sealMore(
  columns: Columns,
  cell: Omit<Cell, 'column'>,
  more: More | undefined,
): Buffer | null {
  if (more === undefined || (Object.keys(more.texts).length === 0 && more.requests.length === 0)) return null
  return columns.seal({ ...cell, column: 'more' }, JSON.stringify(more))
}

export function openMore(columns: Columns, cell: Omit<Cell, 'column'>, sealed: Uint8Array | null): More {
  return sealed === null
    ? NOTHING_MORE
    : (JSON.parse(columns.open({ ...cell, column: 'more' }, sealed)) as More)
}
