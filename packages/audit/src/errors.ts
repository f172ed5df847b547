// The one error of this package. Its text names the member or the line, never a value.

/** Closed set; tests assert on it, callers switch on it. */
export type AuditErrorCode =
  | 'NOT_UTF8' // bytes that are no text
  | 'NOT_JSON' // text that is no JSON object
  | 'BAD_MEMBER' // a member that is missing, unknown, or has a value that the format forbids
  | 'NOT_CANONICAL' // the same entry has another spelling, and that is the only one
  | 'NO_LF' // the last line is not closed
  | 'LIMIT_LINE'
  | 'LIMIT_CHECKPOINT'
  | 'BAD_FRONTIER' // bytes that are no frontier
  | 'BAD_RANGE' // a proof was asked of leaves that are not there
  | 'BAD_KEY' // not a key in note format, or its hash is of another key
  | 'BAD_CHECKPOINT' // not the text of a checkpoint
  | 'BAD_SIGNATURE' // by a key that we know, and it does not verify
  | 'UNSIGNED' // no signature by a key of the origin's name
  | 'BAD_HEADER' // a syslog header field that RFC 5424 forbids

export class AuditError extends Error {
  readonly code: AuditErrorCode
  /** The member of the entry, where there is one. */
  readonly member: string | undefined

  constructor(code: AuditErrorCode, what: string, options: { member?: string; cause?: unknown } = {}) {
    super(what, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'AuditError'
    this.code = code
    this.member = options.member
  }
}
