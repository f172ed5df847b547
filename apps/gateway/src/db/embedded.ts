// PostgreSQL as a child of the gateway: started, restarted when it crashes, stopped with it.
//
//   lock folder ─► prepare cluster ─► spawn ─► ready ─► … ─► exit ─► wait, twice as long each time ─► spawn …
//
// Nothing that it acknowledged is lost when it is killed: fsync, synchronous_commit and full_page_writes are on.

import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { PRIVATE_FOLDER } from '../pipeline/atomic.ts'
import { type Cluster, prepareCluster, ROLE } from './cluster.ts'
import { asDbError, DbError } from './errors.ts'
import { lockFolder } from './folder-lock.ts'

/** What node-postgres takes. */
export type Connection = {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

export type EmbeddedEvent =
  | { readonly kind: 'crashed'; readonly restartInMs: number; readonly said: string }
  | { readonly kind: 'stopped' }

export type Embedded = {
  readonly connection: Connection
  /** Of the postmaster that runs now. */
  readonly pid: () => number | undefined
  readonly stop: () => Promise<void>
}

export type EmbeddedOptions = {
  readonly dataFolder: string
  readonly onEvent?: (event: EmbeddedEvent) => void
}

const DATABASE = 'roentgate'
const PORT = 5432
const FIRST_DELAY_MS = 100
const MAX_DELAY_MS = 10_000
/** A server that lived this long starts again without delay. */
const HEALTHY_MS = 60_000
/** Recovery after a crash replays at most max_wal_size; slow disks take minutes. */
const READY_MS = 300_000
const MAX_FIRST_TRIES = 5
const STOP_MS = 30_000
const POLL_MS = 50
/** Of its log, for the one who reads why it did not start. */
const MAX_SAID = 4096

const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '',
  unix_socket_permissions: '0700',
  port: String(PORT),
  max_connections: '20',
  shared_buffers: '64MB',
  max_wal_size: '512MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  restart_after_crash: 'on',
  timezone: 'UTC',
  // Messages of errors and their details quote values: they do not get into a log.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_error_verbosity: 'terse',
  logging_collector: 'off',
}

export async function startEmbedded({ dataFolder, onEvent }: EmbeddedOptions): Promise<Embedded> {
  mkdirSync(dataFolder, { recursive: true, mode: PRIVATE_FOLDER })
  const lock = lockFolder(join(dataFolder, 'database.lock'))
  try {
    const cluster = await prepareCluster(dataFolder)
    const supervisor = new Supervisor(cluster, onEvent ?? (() => undefined))
    const connection = connectionOf(cluster)
    try {
      await supervisor.ready(connection)
      await createDatabase(connection)
    } catch (error) {
      await supervisor.stop()
      throw error
    }
    return {
      connection,
      pid: () => supervisor.pid,
      stop: async () => {
        await supervisor.stop()
        if (!cluster.socket.startsWith(dataFolder)) rmSync(cluster.socket, { recursive: true, force: true })
        lock.release()
      },
    }
  } catch (error) {
    lock.release()
    throw error
  }
}

/** Into the database of the gateway that has this folder, as its lock file tells. */
export function runningConnection(dataFolder: string): Connection {
  const home = join(dataFolder, 'postgres')
  try {
    const [, , , , socket = ''] = readFileSync(join(home, 'cluster/postmaster.pid'), 'utf8').split('\n')
    const password = readFileSync(join(home, 'password'), 'utf8').trim()
    return { host: socket, port: PORT, user: ROLE, password, database: DATABASE }
  } catch (cause) {
    throw new DbError('UNAVAILABLE', 'no database runs in this data folder', { cause })
  }
}

function connectionOf({ socket, password }: Cluster): Connection {
  return { host: socket, port: PORT, user: ROLE, password, database: DATABASE }
}

async function createDatabase(connection: Connection): Promise<void> {
  const client = new pg.Client({ ...connection, database: 'postgres' })
  await client.connect()
  try {
    const found = await client.query('select 1 from pg_database where datname = $1', [DATABASE])
    if (found.rowCount === 0) await client.query(`create database ${DATABASE}`)
  } catch (error) {
    throw asDbError(error)
  } finally {
    await client.end()
  }
}

class Supervisor {
  readonly #cluster: Cluster
  readonly #onEvent: (event: EmbeddedEvent) => void
  readonly #stopping = new AbortController()
  readonly #running: Promise<void>
  #child: ChildProcess | undefined
  #said = ''
  #crashes = 0

  constructor(cluster: Cluster, onEvent: (event: EmbeddedEvent) => void) {
    this.#cluster = cluster
    this.#onEvent = onEvent
    process.on('exit', this.#atExit)
    this.#running = this.#run()
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async ready(connection: Connection): Promise<void> {
    for (const start = performance.now(); performance.now() - start < READY_MS; await sleep(POLL_MS)) {
      if (await answers(connection)) return
      if (this.#crashes >= MAX_FIRST_TRIES) break
    }
    throw new DbError('START_FAILED', 'PostgreSQL does not start', { cause: new Error(this.#said.trim()) })
  }

  /** Fast shutdown: open transactions are rolled back. Harmless when repeated. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#child?.kill('SIGINT')
    const timer = setTimeout(() => this.#child?.kill('SIGQUIT'), STOP_MS)
    await this.#running
    clearTimeout(timer)
    process.off('exit', this.#atExit)
  }

  /** Left to itself it would run on without us. */
  readonly #atExit = (): void => {
    this.#child?.kill('SIGINT')
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    let delay = FIRST_DELAY_MS
    while (!signal.aborted) {
      const start = performance.now()
      await this.#live()
      if (signal.aborted) break
      this.#crashes++
      delay = performance.now() - start > HEALTHY_MS ? FIRST_DELAY_MS : delay
      this.#onEvent({ kind: 'crashed', restartInMs: delay, said: this.#said })
      await sleep(delay, undefined, { signal }).catch(() => undefined)
      delay = Math.min(delay * 2, MAX_DELAY_MS)
    }
    this.#onEvent({ kind: 'stopped' })
  }

  /** One life of the postmaster, in a session of its own: Ctrl-C reaches the gateway alone, which stops it in turn. */
  #live(): Promise<void> {
    const { binaries, account, data, socket } = this.#cluster
    const settings = { ...SETTINGS, unix_socket_directories: `"${socket}"` }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const child = spawn(binaries.postgres, ['-D', data, ...flags], {
      ...account,
      cwd: data,
      env: { LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
    })
    this.#child = child
    this.#said = ''
    child.stderr.on('data', (chunk: Buffer) => {
      this.#said = (this.#said + chunk.toString('utf8')).slice(-MAX_SAID)
    })
    return new Promise((done) => {
      const end = () => {
        this.#child = undefined
        child.stderr.destroy()
        done()
      }
      child.once('error', end)
      // Not 'close': backends that outlive the postmaster keep its standard error open.
      child.once('exit', end)
    })
  }
}

async function answers(connection: Connection): Promise<boolean> {
  const client = new pg.Client({ ...connection, database: 'postgres', connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    await client.query('select 1')
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}
