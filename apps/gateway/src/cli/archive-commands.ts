// Commands of the archive. Their code is imported when they run.

import type { Command } from 'commander'
import type { DisposeOptions, PlaceOptions, ReleaseOptions } from './custody.ts'
import type { DataOptions } from './data.ts'
import type { Invocation } from './program.ts'

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
    .option(...DATA)
    .action(async (options: DataOptions) => {
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
  addCustody(program, invocation, ended)
}

function addCustody(program: Command, invocation: Invocation, ended: (code: number) => void): void {
  const hold = program.command('hold').description('legal holds: what is under one is not disposed of')
  hold
    .command('place')
    .argument('<studies...>', 'Study Instance UIDs')
    .requiredOption('--matter <text>', 'what the hold is for')
    .requiredOption('--by <person>', 'its owner')
    .option(...DATA)
    .action(async (studies: readonly string[], options: PlaceOptions) => {
      const { place } = await import('./custody.ts')
      ended(await place(studies, options, invocation))
    })
  hold
    .command('release')
    .argument('<id>', 'the hold')
    .requiredOption('--by <person>', 'who is not its owner')
    .option(...DATA)
    .action(async (id: string, options: ReleaseOptions) => {
      const { release } = await import('./custody.ts')
      ended(await release(id, options, invocation))
    })
  program
    .command('dispose')
    .description('destroy a study for good: its keys, its rows, its blobs; there is no way back')
    .argument('<study>', 'Study Instance UID')
    .requiredOption('--by <person>', 'who orders it')
    .requiredOption('--second <person>', 'who approves it: another person')
    .requiredOption('--reason <text>', 'one line for the certificate')
    .requiredOption('--certificate <file>', 'where the certificate of destruction goes')
    .option(...DATA)
    .action(async (study: string, options: DisposeOptions) => {
      const { dispose } = await import('./custody.ts')
      ended(await dispose(study, options, invocation))
    })
}
