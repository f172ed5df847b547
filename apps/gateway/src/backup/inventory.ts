// Where each blob of a backup is: one line a blob, in the order of their ids.
//
//   id bundle offset length sha256

import { BackupError } from './errors.ts'

export type Place = {
  readonly id: string
  /** An object of the target that holds many blobs, one after the other. */
  readonly bundle: string
  readonly offset: number
  readonly length: number
  /** Of the blob, which is ciphertext. */
  readonly sha256: string
}

const LINE = /^([0-9a-f-]{36}) ([0-9a-f-]{36}) (\d{1,16}) (\d{1,16}) ([0-9a-f]{64})$/

export function placeLine({ id, bundle, offset, length, sha256 }: Place): string {
  return `${id} ${bundle} ${offset} ${length} ${sha256}`
}

export function parsePlace(line: string): Place {
  const [, id = '', bundle = '', offset, length, sha256 = ''] = LINE.exec(line) ?? []
  if (id === '') throw new BackupError('DAMAGED', 'the inventory is not one')
  return { id, bundle, offset: Number(offset), length: Number(length), sha256 }
}
