// A PostgreSQL of the system's in a folder of its own, for a test: `initdb`, `postgres`, and the URL of its socket.
// Where the test is root it runs under the account that the gateway would take.

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { databaseAccount, giveTo } from '../../apps/gateway/src/db/account.ts'

export type Server = { readonly url: string; readonly stop: () => Promise<void> }

const READY_TRIES = 200

export async function startServer(programs: string): Promise<Server> {
  const account = databaseAccount()
  const folder = mkdtempSync(join(tmpdir(), 'rg-pg-'))
  giveTo(folder, account)
  const data = join(folder, 'data')
  const options = { ...account, cwd: folder, env: { LC_ALL: 'C' } }
  const flags = ['-D', data, '-U', 'tester', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
  const made = spawnSync(join(programs, 'initdb'), flags, { ...options, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const settings = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${folder}`, '-c', 'fsync=off']
  const child = spawn(join(programs, 'postgres'), ['-D', data, ...settings], { ...options, stdio: 'ignore' })
  const ended = new Promise((done) => child.once('exit', done))
  for (let i = 0; !isReady(programs, folder); i++) {
    if (i === READY_TRIES || child.exitCode !== null) throw new Error('the server does not start')
    await sleep(50)
  }
  return {
    url: `postgres:///postgres?host=${encodeURIComponent(folder)}&user=tester`,
    stop: async () => {
      child.kill('SIGINT')
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function isReady(programs: string, folder: string): boolean {
  return spawnSync(join(programs, 'pg_isready'), ['-q', '-h', folder]).status === 0
}
