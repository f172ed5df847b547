// What the archive will not do, and why. No value from a data set; a UID is named by who asked.

export type ArchiveCode =
  | 'NO_STUDY'
  | 'NO_HOLD'
  | 'NO_POLICY'
  | 'ON_HOLD' // a legal hold is in force
  | 'SECOND_PERSON' // one person cannot do it alone

export class ArchiveError extends Error {
  readonly code: ArchiveCode

  constructor(code: ArchiveCode, message: string) {
    super(message)
    this.name = 'ArchiveError'
    this.code = code
  }
}
