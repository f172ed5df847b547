// roentgate person invite, list, suspend, activate, remove, recover | sessions revoke

import type { Archive } from '../archive/archive.ts'
import { IdentityError } from '../identity/errors.ts'
import { invite, listPeople, recover, setState } from '../identity/people.ts'
import { revokeSessions } from '../identity/sessions.ts'
import { type DataOptions, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

export type By = DataOptions & { readonly by: string }
export type InviteOptions = By & { readonly name: string; readonly url?: string; readonly manager?: string }
export type LinkOptions = By & { readonly url?: string }

const SOMEWHERE = 'https://GATEWAY'

export async function withPeople(
  options: DataOptions,
  invocation: Invocation,
  act: (archive: Archive) => Promise<number>,
): Promise<number> {
  try {
    return await withArchive(options, invocation, act)
  } catch (error) {
    if (error instanceof IdentityError) throw new UsageError(`${error.message} (${error.code})`)
    throw error
  }
}

export async function invitePerson(
  id: string,
  { by, name, manager, url = SOMEWHERE, ...data }: InviteOptions,
  invocation: Invocation,
): Promise<number> {
  return await withPeople(data, invocation, async ({ database }) => {
    const token = await invite(database.kysely, { id, name, ...(manager ? { manager } : {}) }, by)
    invocation.terminal.out(`For 72 hours, once, for ${id} alone: ${url}/enrol#${token}\n`)
    return EXIT.done
  })
}

export async function recoverPerson(
  id: string,
  { by, url = SOMEWHERE, ...data }: LinkOptions,
  invocation: Invocation,
): Promise<number> {
  return await withPeople(data, invocation, async ({ database }) => {
    const token = await recover(database.kysely, id, by)
    invocation.terminal.out(`For an hour, once, for ${id} alone: ${url}/enrol#${token}\n`)
    return EXIT.done
  })
}

export async function changePerson(
  id: string,
  state: 'active' | 'suspended' | 'removed',
  { options: { by, ...data }, invocation }: { readonly options: By; readonly invocation: Invocation },
): Promise<number> {
  return await withPeople(data, invocation, async ({ database }) => {
    await setState(database.kysely, id, { state, by })
    return EXIT.done
  })
}

export async function people(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withPeople(options, invocation, async ({ database }) => {
    const all = await listPeople(database.kysely)
    for (const { id, name, state, createdAt } of all)
      invocation.terminal.out(
        `${id.padEnd(20)}  ${state.padEnd(9)}  since ${createdAt.toISOString().slice(0, 10)}  ${name}\n`,
      )
    invocation.terminal.out(`${counted(all.length, 'person', 'people')}.\n`)
    return EXIT.done
  })
}

export async function endSessions(id: string, { by, ...data }: By, invocation: Invocation): Promise<number> {
  return await withPeople(data, invocation, async ({ database, columns }) => {
    const count = await revokeSessions({ db: database.kysely, columns }, { person: id, by })
    invocation.terminal.out(`${counted(count, 'session')} ended.\n`)
    return EXIT.done
  })
}
