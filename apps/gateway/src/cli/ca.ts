// roentgate ca init | issue | revoke

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Archive } from '../archive/archive.ts'
import { transact } from '../db/database.ts'
import { appendEvents } from '../ledger/append.ts'
import { PRIVATE_FILE } from '../pipeline/atomic.ts'
import { initAuthority, issue, revoke } from '../pki/ca.ts'
import { PkiError } from '../pki/errors.ts'
import { actor, type DataOptions, dataFolderOf, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { EXIT, UsageError } from './terminal.ts'

export type InitOptions = DataOptions & { readonly name: string; readonly host?: readonly string[] }
export type IssueOptions = DataOptions & { readonly host?: readonly string[]; readonly out: string }

/** Where DCMTK and we look for a peer's name on this machine. */
const LOCAL = ['localhost', '127.0.0.1']

export async function init(options: InitOptions, invocation: Invocation): Promise<number> {
  const { name, host = [], ...data } = options
  return await mended(data, invocation, async (archive) => {
    const dataFolder = dataFolderOf(data, invocation)
    await initAuthority(archive, dataFolder, { name, hosts: [...LOCAL, ...host] })
    await record(archive, 'authority made')
    invocation.terminal.out(`The authority is ${dataFolder}/ca/ca.pem: every node trusts it.\n`)
  })
}

export async function issueFor(name: string, options: IssueOptions, invocation: Invocation): Promise<number> {
  const { host = [], out, ...data } = options
  const paths = [`${out}.pem`, `${out}.key`, `${out}.ca.pem`]
  for (const path of paths) if (existsSync(path)) throw new UsageError(`${path} is there already`)
  return await mended(data, invocation, async (archive) => {
    const { certificate, key, ca } = await issue(archive, dataFolderOf(data, invocation), {
      name,
      hosts: host,
    })
    writeFileSync(`${out}.key`, key, { mode: PRIVATE_FILE, flag: 'wx' })
    writeFileSync(`${out}.pem`, certificate, { flag: 'wx' })
    writeFileSync(`${out}.ca.pem`, ca, { flag: 'wx' })
    await record(archive, 'certificate issued')
    invocation.terminal.out(`Carry ${paths.join(', ')} to the node, and remove the key here.\n`)
  })
}

export async function revokeOf(path: string, options: DataOptions, invocation: Invocation): Promise<number> {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  return await mended(options, invocation, async (archive) => {
    await revoke(archive, dataFolderOf(options, invocation), readFileSync(path, 'utf8'))
    await record(archive, 'certificate revoked')
    invocation.terminal.out('Revoked. A gateway that runs takes notice within seconds.\n')
  })
}

async function mended(
  options: DataOptions,
  invocation: Invocation,
  act: (archive: Archive) => Promise<void>,
): Promise<number> {
  try {
    return await withArchive(options, invocation, async (archive) => {
      await act(archive)
      return EXIT.done
    })
  } catch (error) {
    if (error instanceof PkiError) throw new UsageError(`${error.message} (${error.code})`)
    throw error
  }
}

async function record({ database }: Archive, status: string): Promise<void> {
  const event = {
    event: 'certificate-changed',
    action: 'E',
    outcome: 'success',
    actor: actor(),
    objects: [],
    detail: { status },
  } as const
  await transact(database.kysely, (tx) => appendEvents(tx, [event], new Date()))
}
