// What can be wrong with a role that is asked for or decided on.

export type PolicyCode =
  | 'BAD_GRANT'
  | 'NO_GRANT'
  | 'NO_LIST'
  | 'EXISTS'
  | 'OWN_REQUEST'
  | 'BAD_REASON'
  | 'NO_PATIENT'
  | 'DENIED'
  | 'STEP_UP'
  | 'UNDECIDED'

export class PolicyError extends Error {
  readonly code: PolicyCode
  constructor(code: PolicyCode, what: string) {
    super(what)
    this.name = 'PolicyError'
    this.code = code
  }
}
