// Commands of those who watch over access. Their code is imported when they run.

import { Argument, type Command, Option } from 'commander'
import { DATA } from './archive-commands.ts'
import type { DataOptions } from './data.ts'
import type { ListOptions, VerdictOptions } from './oversight.ts'
import type { Invocation } from './program.ts'

type Ended = (code: number) => void
type By = DataOptions & { readonly by: string }

export function addOversight(program: Command, invocation: Invocation, ended: Ended): void {
  const emergency = program.command('break-glass').description('what was opened in an emergency')
  emergency
    .command('list')
    .description('those that wait for a review')
    .option('--all', 'the others, too')
    .option(...DATA)
    .action(async (options: ListOptions) => {
      const { emergencies } = await import('./oversight.ts')
      ended(await emergencies(options, invocation))
    })
  emergency
    .command('review')
    .description('say whether it was right; it ends with that')
    .argument('<id>', 'as the list names it')
    .addOption(
      new Option('--verdict <verdict>', 'whether it was')
        .choices(['justified', 'unjustified'])
        .makeOptionMandatory(),
    )
    .requiredOption('--note <text>', 'why')
    .requiredOption('--by <person>', 'who says so: not who opened it')
    .option(...DATA)
    .action(async (id: string, options: VerdictOptions) => {
      const { reviewEmergency } = await import('./oversight.ts')
      ended(await reviewEmergency(id, options, invocation))
    })
  addReviews(program, invocation, ended)
}

function addReviews(program: Command, invocation: Invocation, ended: Ended): void {
  const review = program.command('access-review').description('who may do what, looked at again')
  review
    .command('start')
    .description('a list of every role that counts, and when it was last used')
    .requiredOption('--by <person>', 'who starts it')
    .option(...DATA)
    .action(async (options: By) => {
      const { start } = await import('./oversight.ts')
      ended(await start(options, invocation))
    })
  review
    .command('list')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { items } = await import('./oversight.ts')
      ended(await items(options, invocation))
    })
  review
    .command('decide')
    .description('keep a role, or revoke it at once')
    .argument('<id>', 'of the role')
    .addArgument(new Argument('<decision>', 'what becomes of it').choices(['keep', 'revoke']))
    .requiredOption('--by <person>', 'who decides: not whose role it is')
    .option(...DATA)
    .action(async (id: string, decision: 'keep' | 'revoke', options: By) => {
      const { decideOn } = await import('./oversight.ts')
      ended(await decideOn(id, decision, { options, invocation }))
    })
  review
    .command('close')
    .description('when every role was decided on')
    .requiredOption('--by <person>', 'who closes it')
    .option(...DATA)
    .action(async (options: By) => {
      const { close } = await import('./oversight.ts')
      ended(await close(options, invocation))
    })
}
