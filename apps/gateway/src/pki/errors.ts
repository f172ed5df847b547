// What can be wrong with the authority.

export type PkiCode = 'EXISTS' | 'NO_AUTHORITY' | 'BAD_NAME' | 'DAMAGED' | 'NOT_OURS'

export class PkiError extends Error {
  readonly code: PkiCode

  constructor(code: PkiCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PkiError'
    this.code = code
  }
}
