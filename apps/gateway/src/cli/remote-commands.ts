// Commands that ask something of a peer. Their code is imported when they run.

import { type Command, Option } from 'commander'
import { DATA } from './archive-commands.ts'
import type { Invocation } from './program.ts'
import type { MoveOptions, QueryOptions, SendOptions } from './remote.ts'
import type { SelfOptions } from './self.ts'

type Ended = (code: number) => void

export function addRemote(
  program: Command,
  node: Command,
  { invocation, ended }: { invocation: Invocation; ended: Ended },
): void {
  asSelf(
    node.command('test').description('C-ECHO to a node that listens').argument('<ae>', 'its AE title'),
  ).action(async (ae: string, options: SelfOptions) => {
    const { testNode } = await import('./remote.ts')
    ended(await testNode(ae, options, invocation))
  })
  asSelf(
    program
      .command('send')
      .description('studies of the archive to a node, by C-STORE')
      .argument('<ae>', 'its AE title')
      .requiredOption('--study <uid...>', 'Study Instance UIDs'),
  ).action(async (ae: string, options: SendOptions) => {
    const { send } = await import('./remote.ts')
    ended(await send(ae, options, invocation))
  })
  asSelf(
    program
      .command('query')
      .description('what a node has, by C-FIND')
      .argument('<ae>', 'its AE title')
      .addOption(
        new Option('--level <level>', 'of what is looked for')
          .choices(['PATIENT', 'STUDY', 'SERIES', 'IMAGE'])
          .default('STUDY'),
      )
      .addOption(
        new Option('--root <root>', 'information model')
          .choices(['patient', 'study', 'worklist'])
          .default('study'),
      )
      .option('--key <key...>', 'KEYWORD to be told, KEYWORD=VALUE to be matched; SEQUENCE.KEYWORD too'),
  ).action(async (ae: string, options: QueryOptions) => {
    const { query } = await import('./remote.ts')
    ended(await query(ae, options, invocation))
  })
  asSelf(
    program
      .command('move')
      .description('lets a node send studies to another, or to us, by C-MOVE')
      .argument('<ae>', 'its AE title')
      .requiredOption('--to <ae>', 'where they go: an AE title that it knows')
      .requiredOption('--study <uid...>', 'Study Instance UIDs'),
  ).action(async (ae: string, options: MoveOptions) => {
    const { move } = await import('./remote.ts')
    ended(await move(ae, options, invocation))
  })
}

/** Who we are to peers: as it is asked for and as it is served. */
export function asSelf(command: Command): Command {
  return command
    .option('--ae-title <title>', 'what peers call us', 'ROENTGATE')
    .option('--cert <file>', 'our certificate, PEM (default: that of roentgate ca)')
    .option('--cert-key <file>', 'its key, PEM')
    .option('--ca <file>', 'who signs the certificates of the nodes, PEM')
    .option('--crl <file>', 'what they revoked, PEM')
    .option('--plain', 'without TLS, on loopback alone: for tests')
    .option(...DATA)
}
