// What can be wrong with a blob or with the place where it is kept. No text holds more than our own random ids.

/**
 * NOT_FOUND  no blob of this id
 * CORRUPT    authentication failed, or the bytes cannot be a blob: changed, cut, exchanged
 * EXISTS     the id is taken; nothing was overwritten
 * IO         the disk or the network failed; `cause` says how (ENOSPC, EIO, …)
 * CLOSED     the store or the handle was closed before
 */
export type StoreCode = 'NOT_FOUND' | 'CORRUPT' | 'EXISTS' | 'IO' | 'CLOSED'

export class StoreError extends Error {
  readonly code: StoreCode

  constructor(code: StoreCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StoreError'
    this.code = code
  }
}

export function isStoreError(error: unknown, code?: StoreCode): error is StoreError {
  return error instanceof StoreError && (code === undefined || error.code === code)
}

export function corrupt(what: string, cause?: unknown): StoreError {
  return new StoreError(
    'CORRUPT',
    `the blob is damaged: ${what}`,
    cause === undefined ? undefined : { cause },
  )
}

/** The system's code of a failed call: ENOENT, EEXIST, ENOSPC. */
export function systemCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : ''
}

/** A failed call of the system, unless it is one of ours already. */
export function ioError(doing: string, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause
  const code = systemCode(cause)
  return new StoreError('IO', `${doing} failed${code === '' ? '' : `: ${code}`}`, { cause })
}
