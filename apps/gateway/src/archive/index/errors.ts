// What can go wrong with the index besides the database.

export type IndexCode =
  /** A matching value that its VR does not allow. `field` says which. */
  | 'BAD_QUERY'
  /** Too many rows would have to be decrypted: narrow it with a date, an ID or the start of a name. */
  | 'TOO_BROAD'
  /** A cell that this key does not open: another key, a moved cell, or a changed one. */
  | 'BAD_CELL'
  | 'BAD_KEY'
  | 'TOO_MANY_FACTS'

export class IndexError extends Error {
  readonly code: IndexCode
  readonly field: string | undefined
  constructor(code: IndexCode, what: string, field?: string) {
    super(what)
    this.name = 'IndexError'
    this.code = code
    this.field = field
  }
}

/** A study was destroyed between the look at its key and the commit. */
export class KeyGone extends Error {
  constructor() {
    super('the study was destroyed while its instances arrived: send them again')
    this.name = 'KeyGone'
  }
}
