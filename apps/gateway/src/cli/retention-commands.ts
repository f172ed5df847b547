// Commands about how long things are kept: holds, policies, the trash. Their code is imported when they run.

import { type Command, InvalidArgumentError } from 'commander'
import { DATA, days } from './archive-commands.ts'
import type { DataOptions } from './data.ts'
import type { Invocation } from './program.ts'
import type { EmptyOptions, PersonOptions, PlaceOptions, PolicyOptions, PutOptions } from './retention.ts'

type Ended = (code: number) => void

/** No law asks for more. */
const MAX_YEARS = 200

export function addRetention(program: Command, invocation: Invocation, ended: Ended): void {
  addHolds(program, invocation, ended)
  addPolicies(program, invocation, ended)
  addTrash(program, invocation, ended)
}

function addHolds(program: Command, invocation: Invocation, ended: Ended): void {
  const hold = program.command('hold').description('legal holds: what is under one is not disposed of')
  hold
    .command('place')
    .argument('<studies...>', 'Study Instance UIDs')
    .requiredOption('--matter <text>', 'what the hold is for')
    .requiredOption('--by <person>', 'its owner')
    .option(...DATA)
    .action(async (studies: readonly string[], options: PlaceOptions) => {
      const { place } = await import('./retention.ts')
      ended(await place(studies, options, invocation))
    })
  hold
    .command('release')
    .argument('<id>', 'the hold')
    .requiredOption('--by <person>', 'who is not its owner')
    .option(...DATA)
    .action(async (id: string, options: PersonOptions) => {
      const { release } = await import('./retention.ts')
      ended(await release(id, options, invocation))
    })
}

function addPolicies(program: Command, invocation: Invocation, ended: Ended): void {
  const retention = program.command('retention').description('how long studies are kept')
  retention
    .command('set')
    .description('a policy; of all that match a study, the one that keeps it longest holds')
    .argument('<name>')
    .requiredOption('--years <n>', 'from the date of the study', years)
    .requiredOption('--by <person>', 'who decides it')
    .option('--modality <code>', 'only studies with this modality')
    .option('--minors-until <age>', 'kept at least until the patient has this age', years)
    .option('--jurisdiction <text>', 'whose law it is', '')
    .option('--basis <text>', 'the law or decision behind it', '')
    .option(...DATA)
    .action(async (name: string, options: PolicyOptions) => {
      const { setRetention } = await import('./retention.ts')
      ended(await setRetention(name, options, invocation))
    })
  retention
    .command('end')
    .argument('<name>')
    .requiredOption('--by <person>', 'who decides it')
    .option(...DATA)
    .action(async (name: string, options: PersonOptions) => {
      const { endRetention } = await import('./retention.ts')
      ended(await endRetention(name, options, invocation))
    })
  retention
    .command('due')
    .description('the policies in force, and the studies whose time is over')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { showDue } = await import('./retention.ts')
      ended(await showDue(options, invocation))
    })
  retention
    .command('run')
    .description('put what is due into the trash')
    .requiredOption('--by <person>', 'who orders it')
    .option(...DATA)
    .action(async (options: PersonOptions) => {
      const { run } = await import('./retention.ts')
      ended(await run(options, invocation))
    })
}

function addTrash(program: Command, invocation: Invocation, ended: Ended): void {
  const trash = program.command('trash').description('what is out of sight, and goes after a time of grace')
  trash
    .command('put')
    .argument('<study>', 'Study Instance UID')
    .requiredOption('--by <person>', 'who orders it')
    .requiredOption('--reason <text>', 'for the ledger')
    .option(...DATA)
    .action(async (study: string, options: PutOptions) => {
      const { put } = await import('./retention.ts')
      ended(await put(study, options, invocation))
    })
  trash
    .command('take')
    .description('take a study out of the trash again')
    .argument('<study>', 'Study Instance UID')
    .requiredOption('--by <person>', 'who orders it')
    .option(...DATA)
    .action(async (study: string, options: PersonOptions) => {
      const { take } = await import('./retention.ts')
      ended(await take(study, options, invocation))
    })
  trash
    .command('list')
    .description('what is in it, and since when')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { list } = await import('./retention.ts')
      ended(await list(options, invocation))
    })
  trash
    .command('empty')
    .description('destroy for good what has been in it long enough')
    .requiredOption('--by <person>', 'who orders it')
    .requiredOption('--second <person>', 'who approves it: another person')
    .requiredOption('--certificate <file>', 'where the certificates of destruction go')
    .option('--grace <days>', 'how long is long enough (default: 30)', days)
    .option(...DATA)
    .action(async (options: EmptyOptions) => {
      const { empty } = await import('./retention.ts')
      ended(await empty(options, invocation))
    })
}

function years(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= MAX_YEARS) return value
  throw new InvalidArgumentError(`a number of years from 0 to ${MAX_YEARS} is wanted`)
}
