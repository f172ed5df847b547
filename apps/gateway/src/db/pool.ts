// Connections for Kysely, with two differences to node-postgres's pool: every failure is a DbError, and a connection
// that cannot be had is tried again for a while, as nothing has been sent on it yet (a restart takes about a second).

import { setTimeout as sleep } from 'node:timers/promises'
import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { asDbError } from './errors.ts'

/** Below max_connections less those reserved for superusers and for psql beside us. */
const MAX_CONNECTIONS = 14
const CONNECT_MS = 10_000
const PATIENCE_MS = 15_000
const RETRY_MS = 100

/** No others can be prepared, or are worth it. */
const MAY_BE_NAMED = /^\s*(?:\/\*[^*]*\*\/\s*)?(?:select|with|insert|update|delete)\b/i

/** Before a statement of no answer that its transaction ends with: it and the commit, which fails with it, are sent together. */
export const THEN_COMMIT = '/* then commit */ '

const { DATE, INT8 } = pg.types.builtins

/** Counts and sizes are below 2⁵³. A date is the text of a day, as node-postgres would move it to a time zone. */
const PARSERS = new Map<number, (text: string) => unknown>([
  [INT8, Number],
  [DATE, (text) => text],
])
const types = {
  getTypeParser: (id: number, format?: 'text' | 'binary') =>
    (format !== 'binary' ? PARSERS.get(id) : undefined) ?? pg.types.getTypeParser(id, format as 'text'),
}

export function openPool(config: pg.PoolConfig): PostgresPool {
  const pool = new pg.Pool({
    ...config,
    max: MAX_CONNECTIONS,
    connectionTimeoutMillis: CONNECT_MS,
    application_name: 'roentgate',
    pipeline: true,
    types: types as pg.CustomTypesConfig,
  })
  // Of idle connections; the pool drops them and makes others.
  pool.on('error', () => undefined)
  const closing = new AbortController()
  return {
    options: pool.options,
    connect: async () => guarded(await patientConnect(pool, closing.signal)),
    end: async () => {
      closing.abort()
      await pool.end()
    },
  } as PostgresPool
}

async function patientConnect(pool: pg.Pool, closing: AbortSignal): Promise<pg.PoolClient> {
  for (const start = performance.now(); ; await sleep(RETRY_MS)) {
    try {
      return await pool.connect()
    } catch (cause) {
      const error = asDbError(cause)
      const isLate = performance.now() - start > PATIENCE_MS || closing.aborted
      if (error.code !== 'UNAVAILABLE' || isLate) throw error
    }
  }
}

/** Sent ahead of the first statement of its transaction, which waits for both: one round trip less. */
const BEGIN = 'begin'
/** What a transaction does it does by unique keys: a plan for all values is as good, and is made once a connection. */
const BEGINNING = 'begin; set local plan_cache_mode = force_generic_plan'
const NOTHING = { command: 'SELECT', rowCount: null, rows: [] }

/** By text. Statements of variable length have many; those that come first are those that come often. */
const names = new Map<string, string>()
const MAX_NAMES = 256

/** A statement with a name is parsed and planned once a connection: for short ones that is most of their time. */
function named(text: string): { readonly name?: string } {
  const name =
    names.get(text) ?? (names.size < MAX_NAMES && MAY_BE_NAMED.test(text) ? `r${names.size}` : undefined)
  if (name === undefined) return {}
  names.set(text, name)
  return { name }
}

function guarded(client: pg.PoolClient): PostgresPoolClient {
  const ignore = () => undefined
  // A connection that breaks while it is checked out and idle reports here; the next query on it fails anyway.
  client.on('error', ignore)
  // Sent, and answered for by the next.
  const ahead: { waiting?: Promise<unknown> } = {}
  const sendAhead = (answer: Promise<unknown>): object => {
    ahead.waiting = answer
    answer.catch(ignore)
    return NOTHING
  }
  return {
    query: async (text: string, values: readonly unknown[]) => {
      const { waiting } = ahead
      delete ahead.waiting
      try {
        if (text === BEGIN) return sendAhead(client.query(BEGINNING))
        const answer = client.query({ ...named(text), text, values: [...values] })
        if (text.startsWith(THEN_COMMIT)) return sendAhead(Promise.all([waiting, answer]))
        answer.catch(ignore)
        await waiting
        return await answer
      } catch (error) {
        throw asDbError(error)
      }
    },
    release: (destroy?: boolean) => {
      client.off('error', ignore)
      client.release(destroy)
    },
  } as unknown as PostgresPoolClient
}
