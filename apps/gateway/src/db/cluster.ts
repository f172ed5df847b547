// The folder of the embedded PostgreSQL, made once and found in order again after any crash.
//
//   DATA/database.lock          held while a gateway runs
//   DATA/postgres/              0700, of the account that PostgreSQL runs under
//     password                  0600, random, of the one role; the socket asks for it (SCRAM)
//     cluster/                  PGDATA; made as cluster.new and renamed, so that it is whole or absent
//     socket/                   the only way in: no TCP port is opened

import { spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../pipeline/atomic.ts'
import { type Account, databaseAccount, giveTo, letThrough } from './account.ts'
import { type Binaries, binariesIn, findBinaries } from './binaries.ts'
import { DbError } from './errors.ts'

export type Cluster = {
  readonly binaries: Binaries
  readonly account: Account
  readonly data: string
  readonly socket: string
  readonly password: string
}

export const ROLE = 'roentgate'
/** sun_path holds 104 bytes on macOS, 108 on Linux, its zero included. */
const MAX_SOCKET_PATH = 103
const SOCKET_FILE = '.s.PGSQL.5432'
const ORPHAN_PATIENCE_MS = 60_000
const POLL_MS = 50

/** The lock on the folder is held by the caller. */
export async function prepareCluster(dataFolder: string): Promise<Cluster> {
  const account = databaseAccount()
  const home = join(dataFolder, 'postgres')
  ownFolder(home, account)
  letThrough(dataFolder, account)
  const binaries = reachable(findBinaries(), { home, account })
  const data = join(home, 'cluster')
  const cluster: Cluster = {
    binaries,
    account,
    data,
    socket: socketFolder(home, account),
    password: password(join(home, 'password'), account),
  }
  if (existsSync(data)) await clearAway(cluster)
  else await initialise(cluster, join(home, 'password'))
  return cluster
}

function ownFolder(path: string, account: Account): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER })
  chmodSync(path, PRIVATE_FOLDER)
  giveTo(path, account)
}

function password(path: string, account: Account): string {
  if (!existsSync(path)) {
    writeFileSync(path, randomBytes(24).toString('base64url'), { mode: PRIVATE_FILE })
    giveTo(path, account)
  }
  return readFileSync(path, 'utf8').trim()
}

function socketFolder(home: string, account: Account): string {
  const beside = join(home, 'socket')
  const fits = Buffer.byteLength(join(beside, SOCKET_FILE)) <= MAX_SOCKET_PATH
  const path = fits ? beside : mkdtempSync(join(tmpdir(), 'roentgate-'))
  ownFolder(path, account)
  return path
}

/** Installed under a folder that the account may not enter, such as root's home: a copy where it may. */
function reachable(
  installed: Binaries,
  { home, account }: { readonly home: string; readonly account: Account },
): Binaries {
  const succeeds = (program: string, ...args: readonly string[]) =>
    spawnSync(program, args, { ...account, cwd: '/', stdio: 'ignore' }).status === 0
  if (!succeeds('/bin/sh', '-c', 'cd "$0"', home)) {
    throw new DbError('START_FAILED', 'the account that PostgreSQL runs under cannot enter the data folder')
  }
  if (succeeds(installed.postgres, '--version')) return installed
  const copy = join(home, 'programs')
  rmSync(copy, { recursive: true, force: true })
  cpSync(installed.folder, copy, { recursive: true, verbatimSymlinks: true })
  if (succeeds(binariesIn(copy).postgres, '--version')) return binariesIn(copy)
  throw new DbError('START_FAILED', "PostgreSQL's programs do not run")
}

async function initialise(cluster: Cluster, passwordFile: string): Promise<void> {
  const { data, account, binaries } = cluster
  const unfinished = `${data}.new`
  rmSync(unfinished, { recursive: true, force: true })
  const flags = ['--encoding=UTF8', '--locale=C', '--data-checksums', '--no-instructions']
  const access = ['--auth=scram-sha-256', `--username=${ROLE}`, `--pwfile=${passwordFile}`]
  const child = spawn(binaries.initdb, [`--pgdata=${unfinished}`, ...flags, ...access], {
    ...account,
    cwd: join(data, '..'),
    env: { LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const said: Buffer[] = []
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk))
  const status = await new Promise<number | null>((done, failed) => {
    child.on('error', failed)
    child.on('close', done)
  })
  if (status !== 0) {
    const cause = new Error(Buffer.concat(said).toString('utf8').trim())
    throw new DbError('START_FAILED', 'initdb failed', { cause })
  }
  renameSync(unfinished, data)
}

/**
 * A gateway that was killed leaves its PostgreSQL running. Since we hold the lock, nobody uses it: it is shut down.
 * A process id that another program has by now is replaced with ours, which PostgreSQL, our child, takes for stale;
 * the file itself must stay, as with it goes the check for backends that still have the shared memory.
 */
async function clearAway({ data }: Cluster): Promise<void> {
  const path = join(data, 'postmaster.pid')
  if (!existsSync(path)) return
  const text = readFileSync(path, 'utf8')
  const [first = '', ...rest] = text.split('\n')
  const pid = Number(first)
  const isPid = Number.isInteger(pid) && pid > 1
  if (isPid && !isAlive(pid)) return
  if (!isPid || !runsCluster(pid, data)) {
    // A power cut may leave it empty; then nothing of that boot is alive.
    if (text.trim() === '') rmSync(path)
    else writeFileSync(path, [String(process.pid), ...rest].join('\n'))
    return
  }
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    process.kill(pid, signal)
    if (await ends(pid)) return
  }
  throw new DbError('START_FAILED', 'the PostgreSQL of an earlier run does not end')
}

async function ends(pid: number): Promise<boolean> {
  for (let waited = 0; waited < ORPHAN_PATIENCE_MS; waited += POLL_MS) {
    if (!isAlive(pid)) return true
    await sleep(POLL_MS)
  }
  return false
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch {
    return false
  }
  const stat = `/proc/${pid}/stat`
  // A zombie in a container without an init is gone for all purposes.
  return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, 'latin1'))
}

function runsCluster(pid: number, data: string): boolean {
  const file = `/proc/${pid}/cmdline`
  const line = existsSync(file)
    ? readFileSync(file, 'utf8')
    : spawnSync('/bin/ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout
  return line.includes('postgres') && line.includes(data)
}
