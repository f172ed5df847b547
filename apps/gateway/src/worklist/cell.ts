// A data set in one encrypted cell of the database.   data set ─► explicit VR little endian, base64 ─► cell ─► data set

import type { Dataset } from '@roentgate/dicom'
import type { Cell, Columns } from '../archive/index/columns.ts'
import { readIdentifier, writeIdentifier } from '../serve/identifier.ts'

const EXPLICIT = '1.2.840.10008.1.2.1'

export function sealCell(columns: Columns, cell: Omit<Cell, 'column'>, item: Dataset): Buffer {
  const bytes = writeIdentifier(item, EXPLICIT)
  return columns.seal({ ...cell, column: 'data' }, Buffer.from(bytes).toString('base64'))
}

export function openCell(columns: Columns, cell: Omit<Cell, 'column'>, sealed: Uint8Array): Dataset {
  return readIdentifier(Buffer.from(columns.open({ ...cell, column: 'data' }, sealed), 'base64'), EXPLICIT)
}

/** In the encoding of cells: elements of two data sets go together in one encoding alone. */
export function asKept(from: Dataset): Dataset {
  return readIdentifier(writeIdentifier(from, EXPLICIT), EXPLICIT)
}
