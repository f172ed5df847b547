// Commands about people who sign in. Their code is imported when they run.

import type { Command } from 'commander'
import { DATA } from './archive-commands.ts'
import type { DataOptions } from './data.ts'
import type { By, InviteOptions, LinkOptions } from './people.ts'
import type { Invocation } from './program.ts'

type Ended = (code: number) => void

const URL_OPTION = ['--url <url>', 'where the pages are, for the link: https://gateway.example:8443'] as const

export function addPeople(program: Command, invocation: Invocation, ended: Ended): void {
  const person = program.command('person').description('people who sign in')
  person
    .command('invite')
    .description('a link for somebody new, which works once')
    .argument('<id>', 'user ID, theirs for good: ana.keller')
    .requiredOption('--name <text>', 'what they are called')
    .option('--manager <person>', 'user ID of who answers for their roles in a review of access')
    .option(...URL_OPTION)
    .requiredOption('--by <person>', 'who invites')
    .option(...DATA)
    .action(async (id: string, options: InviteOptions) => {
      const { invitePerson } = await import('./people.ts')
      ended(await invitePerson(id, options, invocation))
    })
  person
    .command('recover')
    .description('a link for one who lost password or second factor; their sessions end')
    .argument('<id>', 'user ID')
    .option(...URL_OPTION)
    .requiredOption('--by <person>', 'who gives it: another person')
    .option(...DATA)
    .action(async (id: string, options: LinkOptions) => {
      const { recoverPerson } = await import('./people.ts')
      ended(await recoverPerson(id, options, invocation))
    })
  for (const [name, state, what] of [
    ['suspend', 'suspended', 'nobody signs in with it, for now; sessions end'],
    ['activate', 'active', 'takes a suspension back'],
    ['remove', 'removed', 'for good: the ID is not given again'],
  ] as const) {
    person
      .command(name)
      .description(what)
      .argument('<id>', 'user ID')
      .requiredOption('--by <person>', 'who decides it')
      .option(...DATA)
      .action(async (id: string, options: By) => {
        const { changePerson } = await import('./people.ts')
        ended(await changePerson(id, state, { options, invocation }))
      })
  }
  person
    .command('list')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { people } = await import('./people.ts')
      ended(await people(options, invocation))
    })
  program
    .command('sessions')
    .description('of people who have signed in')
    .command('revoke')
    .description('end all sessions of a person')
    .argument('<id>', 'user ID')
    .requiredOption('--by <person>', 'who ends them')
    .option(...DATA)
    .action(async (id: string, options: By) => {
      const { endSessions } = await import('./people.ts')
      ended(await endSessions(id, options, invocation))
    })
}
