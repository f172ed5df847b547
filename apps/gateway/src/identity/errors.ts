// What can go wrong with people and their credentials. No text holds a password, a code or a token.

export type IdentityCode =
  | 'BAD_PERSON'
  /** There is one of this ID, or there was: IDs are not given twice. */
  | 'TAKEN'
  | 'NO_PERSON'
  /** Used, expired, or never made. */
  | 'BAD_LINK'
  | 'WEAK_PASSWORD'
  | 'BAD_CODE'
  /** Password or second factor, or both, or nobody of this ID: it is not said which. */
  | 'REFUSED'
  | 'WAIT'
  /** There is none of this ID, or none that may be seen: it is not said which. */
  | 'BAD_PATIENT'
  | 'BAD_CLIENT'
  | 'NO_CLIENT'
  /** Somebody who signs in elsewhere, and is not known or not with two factors there. */
  | 'ELSEWHERE'

export class IdentityError extends Error {
  readonly code: IdentityCode
  /** Of WAIT. */
  readonly seconds: number | undefined
  constructor(code: IdentityCode, what: string, seconds?: number) {
    super(what)
    this.name = 'IdentityError'
    this.code = code
    this.seconds = seconds
  }
}
