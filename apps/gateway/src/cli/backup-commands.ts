// Commands of backups. Their code is imported when they run.

import { type Command, InvalidArgumentError } from 'commander'
import { DATA } from './archive-commands.ts'
import type { BackupOptions, RestoreOptions } from './backup.ts'
import type { Invocation } from './program.ts'

export function addBackup(program: Command, invocation: Invocation, ended: (code: number) => void): void {
  program
    .command('backup')
    .description(
      'copy the archive, its index and its ledger, encrypted; what is there already is not copied again',
    )
    .argument('<target>', 'a folder on another disk, or s3://bucket/prefix/')
    .option('--list', 'only say what is there')
    .option('--check', 'read all of every backup again, and compare')
    .option('--keep <n>', 'afterwards remove all but the newest n', count)
    .option(...DATA)
    .action(async (target: string, options: BackupOptions) => {
      const { backup } = await import('./backup.ts')
      ended(await backup(target, options, invocation))
    })
  program
    .command('restore')
    .description('bring a backup into an empty place, and verify all of it')
    .argument('<target>', 'where the backups are')
    .option('--backup <name>', 'which one (default: the newest)')
    .option('--key <file>', "the ledger's verifier key as it was noted down")
    .option(...DATA)
    .action(async (target: string, options: RestoreOptions) => {
      const { restoreFrom } = await import('./backup.ts')
      ended(await restoreFrom(target, options, invocation))
    })
}

function count(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('a number from 1 on is wanted')
}
