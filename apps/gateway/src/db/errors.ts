// What can go wrong with the database, as one error with a code. PostgreSQL's own messages quote values ("Key (pid)=(…)
// already exists"), so they end here: only SQLSTATE and the names of tables and constraints go on.

export type DbCode =
  /** No connection, or it broke: what was in flight may or may not have been committed. */
  | 'UNAVAILABLE'
  /** Deadlock or serialisation failure, rolled back: run the transaction again. */
  | 'CONTENTION'
  | 'CONSTRAINT'
  | 'QUERY'
  /** Another gateway has this data folder. */
  | 'LOCKED'
  | 'NO_BINARY'
  | 'NO_ACCOUNT'
  | 'START_FAILED'
  | 'INSECURE_URL'
  | 'OLD_SERVER'
  /** A newer program has migrated this database. */
  | 'NEWER_SCHEMA'

type Details = {
  readonly sqlState?: string | undefined
  readonly table?: string | undefined
  readonly constraint?: string | undefined
  readonly cause?: unknown
}

export class DbError extends Error {
  readonly code: DbCode
  readonly sqlState: string | undefined
  readonly table: string | undefined
  readonly constraint: string | undefined
  constructor(code: DbCode, what: string, details: Details = {}) {
    super(what, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'DbError'
    this.code = code
    this.sqlState = details.sqlState
    this.table = details.table
    this.constraint = details.constraint
  }
}

/** Of sockets, and of node-postgres, which gives some of its errors no code. */
const LOST = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
])
const LOST_MESSAGE =
  /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after)/
/** Class 08, the shutdowns and "starting up" of class 57, too many connections. */
const LOST_STATE = /^(?:08|57P0[123]|53300)/
/** Serialisation failure, deadlock, lock not available. */
const CONTENTION = /^(?:40001|40P01|55P03)$/

export function asDbError(error: unknown): DbError {
  if (error instanceof DbError) return error
  const { code, table, constraint, message } = error as {
    readonly code?: string
    readonly table?: string
    readonly constraint?: string
    readonly message?: string
  }
  const state = code !== undefined && /^[0-9A-Z]{5}$/.test(code) && !LOST.has(code) ? code : undefined
  if (state === undefined) {
    const isLost = LOST.has(code ?? '') || LOST_MESSAGE.test(message ?? '')
    if (isLost) return new DbError('UNAVAILABLE', 'no connection to the database')
    return new DbError('QUERY', 'the database driver failed')
  }
  const details = { sqlState: state, table, constraint }
  if (LOST_STATE.test(state)) return new DbError('UNAVAILABLE', 'the database broke the connection', details)
  if (CONTENTION.test(state)) return new DbError('CONTENTION', `transaction rolled back (${state})`, details)
  const where = [table, constraint].filter((name) => name !== undefined).join('.')
  const what = `${state}${where === '' ? '' : ` at ${where}`}`
  if (state.startsWith('23')) return new DbError('CONSTRAINT', `a constraint is violated: ${what}`, details)
  return new DbError('QUERY', `the database refused a query: ${what}`, details)
}
