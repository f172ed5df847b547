// Commands of the archive. Their code is imported when they run.

import { type Command, InvalidArgumentError } from 'commander'
import type { ScrubOptions } from './archive.ts'
import type { DataOptions } from './data.ts'
import type { SigningOptions } from './keys.ts'
import type { Invocation } from './program.ts'
import type { DestroyOptions } from './retention.ts'

export const DATA = [
  '--data <dir>',
  'the data folder (default: ROENTGATE_DATA, else roentgate-data)',
] as const

export function addArchive(program: Command, invocation: Invocation, ended: (code: number) => void): void {
  program
    .command('import')
    .description('take files, folders and ZIP archives into the archive: encrypted, indexed, in the ledger')
    .argument('<paths...>', 'what to take in; it stays where it is')
    .option(...DATA)
    .action(async (paths: readonly string[], options: DataOptions) => {
      const { importAll } = await import('./archive.ts')
      ended(await importAll(paths, options, invocation))
    })
  program
    .command('scrub')
    .description('read and hash every instance of the archive again')
    .option('--older-than <days>', 'only what was not read for so long; for a timer that goes round', days)
    .option(...DATA)
    .action(async (options: ScrubOptions) => {
      const { scrubAll } = await import('./archive.ts')
      ended(await scrubAll(options, invocation))
    })
  program
    .command('retrieve')
    .description('write one instance of the archive, byte for byte as it came')
    .argument('<uid>', 'its SOP Instance UID')
    .argument('<file>', 'the file to make')
    .option(...DATA)
    .action(async (uid: string, file: string, options: DataOptions) => {
      const { retrieve } = await import('./archive.ts')
      ended(await retrieve({ uid, file }, options, invocation))
    })
  const keys = program.command('keys').description('the keys that the archive is encrypted with')
  keys
    .command('status')
    .description('custodian, versions, and how many keys there are')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { keyStatus } = await import('./keys.ts')
      ended(await keyStatus(options, invocation))
    })
  keys
    .command('rotate')
    .description('a new key-encryption key; every data key is wrapped anew, no blob is rewritten')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { rotateKeys } = await import('./keys.ts')
      ended(await rotateKeys(options, invocation))
    })
  keys
    .command('rotate-signing')
    .description('replace the key that tokens are signed with; it is done every 90 days by itself')
    .option('--distrust', 'what was signed before is not believed any more: after a theft')
    .requiredOption('--by <person>', 'who decides it')
    .option(...DATA)
    .action(async (options: SigningOptions) => {
      const { rotateSigning } = await import('./keys.ts')
      ended(await rotateSigning(options, invocation))
    })
  keys
    .command('destroy')
    .description('destroy a study for good, at once: its keys, its rows, its blobs; there is no way back')
    .argument('<study>', 'Study Instance UID')
    .requiredOption('--by <person>', 'who orders it')
    .requiredOption('--second <person>', 'who approves it: another person')
    .requiredOption('--reason <text>', 'one line for the certificate')
    .requiredOption('--certificate <file>', 'where the certificate of destruction goes')
    .option(...DATA)
    .action(async (study: string, options: DestroyOptions) => {
      const { destroy } = await import('./retention.ts')
      ended(await destroy(study, options, invocation))
    })
}

export function days(text: string): number {
  const value = Number(text)
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0) return value
  throw new InvalidArgumentError('a number of days is wanted')
}
