// Commands about who may do what. Their code is imported when they run.

import { type Command, Option } from 'commander'
import { DATA } from './archive-commands.ts'
import type { DataOptions } from './data.ts'
import type { DecideOptions, RequestOptions, ScopeOptions } from './policy.ts'
import type { Invocation } from './program.ts'

type Ended = (code: number) => void

export function addPolicy(program: Command, invocation: Invocation, ended: Ended): void {
  const policy = program.command('policy').description('who may do what, for which purpose')
  policy
    .command('show')
    .description('all of it, for people to read')
    .action(async () => {
      const { show } = await import('./policy.ts')
      ended(await show(invocation))
    })
  policy
    .command('check')
    .description('what shows more than the minimum: in the policy, and by what nodes are for')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { check } = await import('./policy.ts')
      ended(await check(options, invocation))
    })
  addGrants(program, invocation, ended)
  addScopes(program, invocation, ended)
}

function addGrants(program: Command, invocation: Invocation, ended: Ended): void {
  const grant = program.command('grant').description('roles that people and services have')
  grant
    .command('request')
    .description('ask for a role for somebody; somebody else decides')
    .argument('<holder>', 'user ID of who is to have it')
    .argument('<role>', 'as roentgate policy show names it')
    .requiredOption('--scope <scope>', 'institution, or the name or id of a list')
    .requiredOption('--reason <text>', 'why')
    .option('--until <day>', 'the last day that it counts: 2027-06-30')
    .requiredOption('--by <person>', 'who asks')
    .option(...DATA)
    .action(async (holder: string, role: string, options: RequestOptions) => {
      const { request } = await import('./policy.ts')
      ended(await request({ holder, role }, options, invocation))
    })
  for (const [name, granted] of [
    ['approve', true],
    ['deny', false],
  ] as const) {
    grant
      .command(name)
      .argument('<id>', 'of the request')
      .requiredOption('--by <person>', 'who decides: neither who asked nor who is to have it')
      .option(...DATA)
      .action(async (id: string, options: Omit<DecideOptions, 'granted'>) => {
        const { decide } = await import('./policy.ts')
        ended(await decide(id, { ...options, granted }, invocation))
      })
  }
  grant
    .command('revoke')
    .description('take a role away; it counts no more from the next act on')
    .argument('<id>', 'of the role')
    .requiredOption('--by <person>', 'who takes it')
    .option(...DATA)
    .action(async (id: string, options: Omit<DecideOptions, 'granted'>) => {
      const { revoke } = await import('./policy.ts')
      ended(await revoke(id, options, invocation))
    })
  grant
    .command('list')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { grants } = await import('./policy.ts')
      ended(await grants(options, invocation))
    })
}

function addScopes(program: Command, invocation: Invocation, ended: Ended): void {
  const scope = program.command('scope').description('lists of studies or patients that a role can be for')
  scope
    .command('add')
    .argument('<name>', 'of the list')
    .addOption(new Option('--kind <kind>', 'of what').choices(['studies', 'patients']).default('studies'))
    .requiredOption('--members <file>', 'Study Instance UIDs or patient IDs, one a line')
    .requiredOption('--by <person>', 'who makes it')
    .option(...DATA)
    .action(async (name: string, options: ScopeOptions) => {
      const { addScope } = await import('./policy.ts')
      ended(await addScope(name, options, invocation))
    })
  scope
    .command('list')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { scopes } = await import('./policy.ts')
      ended(await scopes(options, invocation))
    })
}
