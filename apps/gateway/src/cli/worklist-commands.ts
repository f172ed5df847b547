// Commands of the modality worklist. Their code is imported when they run.

import type { Command } from 'commander'
import { DATA } from './archive-commands.ts'
import type { DataOptions } from './data.ts'
import type { Invocation } from './program.ts'

export function addWorklist(program: Command, invocation: Invocation, ended: (code: number) => void): void {
  const worklist = program.command('worklist').description('what modalities are to do, asked for by C-FIND')
  worklist
    .command('add')
    .description(
      'scheduled procedure steps from DICOM files, as wlmscpfs reads them; again: in their new form',
    )
    .argument('<paths...>', 'files and folders')
    .option(...DATA)
    .action(async (paths: readonly string[], options: DataOptions) => {
      const { addToWorklist } = await import('./worklist.ts')
      ended(await addToWorklist(paths, options, invocation))
    })
  worklist
    .command('list')
    .description('when, where and in which state; nothing of a patient')
    .option(...DATA)
    .action(async (options: DataOptions) => {
      const { listWorklist } = await import('./worklist.ts')
      ended(await listWorklist(options, invocation))
    })
  worklist
    .command('remove')
    .description('steps that are not to be done any more')
    .argument('<ids...>', 'as the list names them')
    .option(...DATA)
    .action(async (ids: readonly string[], options: DataOptions) => {
      const { removeFromWorklist } = await import('./worklist.ts')
      ended(await removeFromWorklist(ids, options, invocation))
    })
}
