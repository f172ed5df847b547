// What can go wrong with the ledger besides the database and the format.

export type LedgerCode =
  /** ledger_head is not of this ledger's entries: nothing is appended to what was changed by hand. */
  | 'BROKEN_HEAD'
  /** A subtree or an entry that a proof needs is not there. */
  | 'BROKEN_TREE'
  | 'TOO_MANY_EVENTS'
  /** An entry or a size that the ledger has not reached. */
  | 'NO_SUCH_ENTRY'
  /** The witness's file would lie in the data folder, and go where that goes. */
  | 'WITNESS_INSIDE'
  /** A witness, or a collector, could not be reached or read. */
  | 'WITNESS_FAILED'
  | 'SINK_FAILED'
  /** Nothing to judge by. */
  | 'NO_CHECKPOINT'
  | 'BAD_CURSOR'

export class LedgerError extends Error {
  readonly code: LedgerCode
  constructor(code: LedgerCode, what: string, options?: ErrorOptions) {
    super(what, options)
    this.name = 'LedgerError'
    this.code = code
  }
}
