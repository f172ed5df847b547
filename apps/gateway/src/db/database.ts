// The gateway's database: an embedded PostgreSQL in the data folder, or a server of one's own by its URL. What comes
// after the connection is the same for both: the same pool, the same migrations, the same queries.
//
//   await using database = await openDatabase({ dataFolder })
//   await transact(database.kysely, async (tx) => { … })

import { Kysely, PostgresDialect, sql, type Transaction } from 'kysely'
import type pg from 'pg'
import {
  type Connection,
  type Embedded,
  type EmbeddedEvent,
  runningConnection,
  startEmbedded,
} from './embedded.ts'
import { DbError } from './errors.ts'
import { migrate } from './migrate.ts'
import { openPool } from './pool.ts'
import type { Schema } from './schema.ts'

export type Place =
  | { readonly dataFolder: string; readonly onEvent?: (event: EmbeddedEvent) => void }
  | { readonly url: string }
  /** The embedded one of a gateway that runs (runningConnection). */
  | { readonly connection: Connection }

/** Also what takes a transaction. */
export type Db = Kysely<Schema>
export type Tx = Transaction<Schema>

export type Database = {
  readonly kysely: Db
  /** Undefined where the server is one's own. */
  readonly embedded: Embedded | undefined
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}

/** Debian 12 has 15; what we use is in 14 too, which nobody tests. */
const OLDEST_SERVER = 150_000
/** A transaction that lost this often against others is not going to win. */
const MAX_TRIES = 8

export async function openDatabase(place: Place): Promise<Database> {
  const embedded = 'dataFolder' in place ? await startEmbedded(place) : undefined
  const config = configOf(place, embedded)
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool: openPool({ ...config }) }) })
  const close = async () => {
    await kysely.destroy()
    await embedded?.stop()
  }
  try {
    await checkServer(kysely)
    await migrate(kysely)
  } catch (error) {
    await close()
    throw error
  }
  return { kysely, embedded, close, [Symbol.asyncDispose]: close }
}

/** Runs `act` in a transaction, again from its start if it lost against another one: `act` has no other effects. */
export async function transact<T>(db: Db, act: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().execute(act)
    } catch (error) {
      const isLost = error instanceof DbError && error.code === 'CONTENTION'
      if (!isLost || attempt === MAX_TRIES) throw error
    }
  }
}

/** The embedded one: started, or, where another process has it, asked beside that one. */
export async function openBeside(dataFolder: string): Promise<Database> {
  try {
    return await openDatabase({ dataFolder })
  } catch (error) {
    if (!(error instanceof DbError) || error.code !== 'LOCKED') throw error
    return await openDatabase({ connection: runningConnection(dataFolder) })
  }
}

function configOf(place: Place, embedded: Embedded | undefined): pg.PoolConfig | undefined {
  if ('url' in place) return checkedUrl(place.url)
  return 'connection' in place ? place.connection : embedded?.connection
}

/** Patient data crosses a network only when encrypted, to a server whose certificate was checked. */
function checkedUrl(text: string): pg.PoolConfig {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^postgres(?:ql)?:$/.test(url.protocol)) {
    throw new DbError('INSECURE_URL', 'the URL of the database does not start with postgres://')
  }
  const host = url.searchParams.get('host') ?? url.hostname
  const isHere = host.startsWith('/') || ['', 'localhost', '127.0.0.1', '[::1]'].includes(host)
  if (!isHere && url.searchParams.get('sslmode') !== 'verify-full') {
    throw new DbError('INSECURE_URL', 'a database on another machine needs sslmode=verify-full in its URL')
  }
  return { connectionString: text }
}

async function checkServer(db: Db): Promise<void> {
  const { rows } = await sql<{ version: number; encoding: string }>`
    select current_setting('server_version_num')::int as version,
      current_setting('server_encoding') as encoding`.execute(db)
  const [server] = rows
  if (server === undefined || server.version < OLDEST_SERVER) {
    throw new DbError('OLD_SERVER', 'PostgreSQL 15 or newer is needed')
  }
  if (server.encoding !== 'UTF8') throw new DbError('OLD_SERVER', "the database's encoding must be UTF8")
}
