// PostgreSQL refuses to run as root. Where the gateway is root, as in most containers, its database runs under the
// system's `postgres` account, made if there is none; elsewhere under the gateway's own.

import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, readFileSync, statSync } from 'node:fs'
import { DbError } from './errors.ts'

/** Empty: as we are. */
export type Account = { readonly uid: number; readonly gid: number } | Record<string, never>

const NAME = 'postgres'
const USERADD = '/usr/sbin/useradd'

export function databaseAccount(): Account {
  if (process.getuid?.() !== 0) return {}
  const known = lookUp()
  if (known !== undefined) return known
  spawnSync(USERADD, ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME])
  const made = lookUp()
  if (made === undefined) {
    throw new DbError(
      'NO_ACCOUNT',
      `PostgreSQL does not run as root and there is no account ${NAME}: add one, or run the gateway as another user`,
    )
  }
  return made
}

function lookUp(): Account | undefined {
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name, , uid, gid] = line.split(':')
    if (name === NAME && Number(uid) > 0) return { uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

export function giveTo(path: string, account: Account): void {
  if ('uid' in account) chownSync(path, account.uid, account.gid)
}

/** The account may pass through the gateway's folder, and may not list it. */
export function letThrough(folder: string, account: Account): void {
  if (!('uid' in account)) return
  const { mode, uid } = statSync(folder)
  if ((mode & 0o001) !== 0 || uid === account.uid) return
  chownSync(folder, uid, account.gid)
  chmodSync(folder, (mode & 0o700) | 0o010)
}
