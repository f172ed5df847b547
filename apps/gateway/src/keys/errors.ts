// What can be wrong with a key, its wrap or its custodian. No text holds a key, a passphrase or a token.

/**
 * NOT_FOUND         no data key of this id: never made, or destroyed
 * EXISTS            the id is taken
 * CORRUPT           a wrap or a key file is not authentic, or belongs to another key
 * FORMAT            not a wrap or key file that we know
 * WRONG_PASSPHRASE
 * UNKNOWN_PROVIDER  no custodian here can unwrap it
 * UNKNOWN_KEK       the custodian does not have that version of its key
 * DENIED            the custodian refuses: token, PIN or policy
 * UNAVAILABLE       the custodian does not answer; another try may do
 * UNSUPPORTED       this custodian cannot do that
 * CLOSED
 */
export type CustodyCode =
  | 'NOT_FOUND'
  | 'EXISTS'
  | 'CORRUPT'
  | 'FORMAT'
  | 'WRONG_PASSPHRASE'
  | 'UNKNOWN_PROVIDER'
  | 'UNKNOWN_KEK'
  | 'DENIED'
  | 'UNAVAILABLE'
  | 'UNSUPPORTED'
  | 'CLOSED'

export class CustodyError extends Error {
  readonly code: CustodyCode

  constructor(code: CustodyCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CustodyError'
    this.code = code
  }
}

export function isCustodyError(error: unknown, code?: CustodyCode): error is CustodyError {
  return error instanceof CustodyError && (code === undefined || error.code === code)
}
