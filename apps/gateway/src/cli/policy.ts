// roentgate policy show, check | grant request, approve, deny, revoke, list | scope add, list

import { existsSync, readFileSync } from 'node:fs'
import { listNodes } from '../nodes/registry.ts'
import { PolicyError } from '../policy/errors.ts'
import { findingsOf } from '../policy/findings.ts'
import { decideGrant, listGrants, requestGrant, revokeGrant } from '../policy/grants.ts'
import { listLists, makeList } from '../policy/lists.ts'
import { renderedPolicy } from '../policy/rendered.ts'
import type { Scope } from '../policy/subject.ts'
import { type DataOptions, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

type By = DataOptions & { readonly by: string }
export type RequestOptions = By & {
  readonly scope: string
  readonly reason: string
  readonly until?: string
}
export type DecideOptions = By & { readonly granted: boolean }
export type ScopeOptions = By & { readonly kind: 'studies' | 'patients'; readonly members: string }

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export async function show({ terminal }: Invocation): Promise<number> {
  terminal.out(renderedPolicy())
  return EXIT.done
}

/** Exits with 1 where there is a finding. */
export async function check(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async ({ database }) => {
    const findings = findingsOf(await listNodes(database.kysely))
    for (const { kind, where, what } of findings)
      invocation.terminal.out(`${kind.padEnd(18)}  ${where.padEnd(20)}  ${what}\n`)
    invocation.terminal.out(`${counted(findings.length, 'finding')}.\n`)
    return findings.length === 0 ? EXIT.done : EXIT.failed
  })
}

export async function request(
  { holder, role }: { readonly holder: string; readonly role: string },
  { by, scope, reason, until, ...data }: RequestOptions,
  invocation: Invocation,
): Promise<number> {
  const end = until === undefined ? undefined : new Date(`${until}T23:59:59`)
  if (end && Number.isNaN(end.getTime())) throw new UsageError('--until takes a day, such as 2027-06-30')
  return await mended(() =>
    withArchive(data, invocation, async ({ database }) => {
      const db = database.kysely
      const grant = { holder, role, scope: await scopeOf(db, scope), reason, ...(end ? { until: end } : {}) }
      const id = await requestGrant(db, grant, by)
      invocation.terminal.out(
        `Asked for: ${id}. Somebody else decides: roentgate grant approve ${id} --by …\n`,
      )
      return EXIT.done
    }),
  )
}

async function scopeOf(db: Parameters<typeof listLists>[0], text: string): Promise<Scope> {
  if (text === 'institution') return { kind: 'institution' }
  const found = (await listLists(db)).filter(({ id, name }) =>
    UUID.test(text) ? id === text : name === text,
  )
  const [list, ...more] = found
  if (list === undefined || more.length > 0)
    throw new UsageError(
      '--scope takes institution, or the name or id of one list: roentgate scope list shows them',
    )
  return { kind: list.kind, id: list.id }
}

export async function decide(
  id: string,
  { by, granted, ...data }: DecideOptions,
  invocation: Invocation,
): Promise<number> {
  return await mended(() =>
    withArchive(data, invocation, async ({ database }) => {
      await decideGrant(database.kysely, id, { by, granted })
      return EXIT.done
    }),
  )
}

export async function revoke(id: string, { by, ...data }: By, invocation: Invocation): Promise<number> {
  return await mended(() =>
    withArchive(data, invocation, async ({ database }) => {
      await revokeGrant(database.kysely, id, by)
      return EXIT.done
    }),
  )
}

export async function grants(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async ({ database }) => {
    const db = database.kysely
    const names = new Map((await listLists(db)).map(({ id, name }) => [id, name]))
    const all = await listGrants(db)
    for (const { id, holder, role, scope, state, until, requestedBy, decidedBy } of all) {
      const whatFor =
        scope.kind === 'institution' ? scope.kind : `${scope.kind} ${names.get(scope.id) ?? scope.id}`
      invocation.terminal.out(
        `${[
          id,
          holder.padEnd(16),
          role.padEnd(22),
          whatFor,
          state,
          ...(until ? [`until ${until.toISOString().slice(0, 10)}`] : []),
          `asked for by ${requestedBy}`,
          ...(decidedBy ? [`decided by ${decidedBy}`] : []),
        ].join('  ')}\n`,
      )
    }
    invocation.terminal.out(`${counted(all.length, 'role')}.\n`)
    return EXIT.done
  })
}

export async function addScope(
  name: string,
  { by, kind, members, ...data }: ScopeOptions,
  invocation: Invocation,
): Promise<number> {
  if (!existsSync(members)) throw new UsageError(`there is no file ${members}`)
  const lines = readFileSync(members, 'utf8')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
  return await mended(() =>
    withArchive(data, invocation, async ({ database, columns }) => {
      const id = await makeList({ db: database.kysely, columns }, { kind, name, members: lines }, by)
      invocation.terminal.out(`${id}  ${name}: ${counted(lines.length, 'member')}.\n`)
      return EXIT.done
    }),
  )
}

export async function scopes(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async ({ database }) => {
    const lists = await listLists(database.kysely)
    for (const { id, kind, name, count } of lists)
      invocation.terminal.out(`${id}  ${kind.padEnd(8)}  ${name}: ${counted(count, 'member')}\n`)
    invocation.terminal.out(`${counted(lists.length, 'list')}.\n`)
    return EXIT.done
  })
}

export async function mended(act: () => Promise<number>): Promise<number> {
  try {
    return await act()
  } catch (error) {
    if (error instanceof PolicyError) throw new UsageError(`${error.message} (${error.code})`)
    throw error
  }
}
