// The one error of this package. Its text says what is wrong with a request and where, never what the request says.

/** Closed set; tests assert on it, callers switch on it. */
export type WebErrorCode =
  | 'NO_BOUNDARY' // a multipart type without the one parameter that it needs
  | 'BAD_MULTIPART' // bytes that are no multipart body (RFC 2046 5.1), or a type that is not multipart/related
  | 'TRUNCATED' // the body ends before its closing delimiter
  | 'TOO_MANY_PARTS'
  | 'HEADER_TOO_LONG' // the headers of one part
  | 'BAD_HEADER' // a value of ours that cannot stand in a header field
  | 'BAD_ACCEPT' // more media ranges than one may have; what is merely unknown or malformed is ignored
  | 'BAD_QUERY' // a query parameter that PS3.18 8.3.4 does not allow
  | 'BAD_PATH' // a segment of a resource's path that is none
  | 'BAD_XML' // not XML, or not the Native DICOM Model
  | 'LIMIT_XML' // too long, too deep or too many

export type WebErrorAt = {
  /** Which of the request's parameters, from 1; or which part, line or character. */
  readonly position?: number
  readonly cause?: unknown
}

export class WebError extends Error {
  readonly code: WebErrorCode
  readonly position: number | undefined

  constructor(code: WebErrorCode, what: string, at: WebErrorAt = {}) {
    const where = at.position === undefined ? '' : ` at ${at.position}`
    super(`${what}${where}`, at.cause === undefined ? undefined : { cause: at.cause })
    this.name = 'WebError'
    this.code = code
    this.position = at.position
  }
}
