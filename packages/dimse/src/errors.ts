// What can go wrong with an association. No text holds a value from a data set, nor what a peer calls itself.

export type DimseCode =
  | 'BAD_PDU' // bytes that are no PDU of PS3.8 9.3
  | 'LIMIT_PDU' // a length beyond what one may have
  | 'LIMIT_ITEMS' // more contexts, syntaxes or items than one may have
  | 'BAD_COMMAND' // a command set that is none
  | 'UNEXPECTED' // a PDU that the state of the association does not allow
  | 'REJECTED' // by the peer, with its reason
  | 'ABORTED' // by the peer, or by us
  | 'CLOSED' // the transport went
  | 'TIMEOUT' // a deadline of a phase
  | 'NO_CONTEXT' // no accepted presentation context for that
  | 'REFUSED_STATUS' // the peer answered with a failure

export class DimseError extends Error {
  readonly code: DimseCode
  /** Of a rejection or an abort: result, source, reason as the PDU has them; of an answer: its status. */
  readonly detail: Readonly<Record<string, number>>

  constructor(code: DimseCode, message: string, detail: Readonly<Record<string, number>> = {}) {
    super(message)
    this.name = 'DimseError'
    this.code = code
    this.detail = detail
  }
}
