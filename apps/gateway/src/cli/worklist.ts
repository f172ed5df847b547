// roentgate worklist add | list | remove

import { type Dataset, DicomError, readFile } from '@roentgate/dicom'
import { findInputs } from '../ingress/folder.ts'
import { inflate } from '../pipeline/inflate.ts'
import { openInput } from '../pipeline/input.ts'
import { WorklistError } from '../worklist/errors.ts'
import { addItems, MAX_ITEMS, plannedSteps, removeItems } from '../worklist/items.ts'
import { actor, type DataOptions, withArchive } from './data.ts'
import { checkRoots } from './places.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

export async function addToWorklist(
  paths: readonly string[],
  options: DataOptions,
  invocation: Invocation,
): Promise<number> {
  checkRoots(paths)
  const { terminal } = invocation
  return await withArchive(options, invocation, async (archive) => {
    let [added, refused] = [0, 0]
    for await (const found of findInputs(paths)) {
      if (found.kind !== 'input') continue
      if (added === MAX_ITEMS) throw new UsageError(`a worklist has at most ${MAX_ITEMS} steps`)
      try {
        await addItems(archive, [itemIn(found.input)], actor())
        added++
      } catch (error) {
        if (!(error instanceof WorklistError || error instanceof DicomError)) throw error
        refused++
        terminal.err(`${found.input.path}: ${error.message} (${error.code})\n`)
      }
    }
    terminal.out(`${counted(added, 'step')} planned, ${counted(refused, 'file')} left out.\n`)
    return refused > 0 ? EXIT.withheld : EXIT.done
  })
}

function itemIn(input: Parameters<typeof openInput>[0]): Dataset {
  using source = openInput(input, 'whole')
  return readFile(source, { inflate }).dataset
}

export async function listWorklist(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    const steps = await plannedSteps(archive)
    for (const { id, day, time, station, modality, state } of steps)
      invocation.terminal.out(
        `${id}  ${day.padEnd(10)} ${time.slice(0, 4).padEnd(4)}  ${modality.padEnd(4)} ${station.padEnd(16)} ${state}\n`,
      )
    invocation.terminal.out(`${counted(steps.length, 'step')}.\n`)
    return EXIT.done
  })
}

export async function removeFromWorklist(
  ids: readonly string[],
  options: DataOptions,
  invocation: Invocation,
): Promise<number> {
  if (!ids.every((id) => /^[0-9a-f-]{36}$/.test(id)))
    throw new UsageError('steps are named as roentgate worklist list names them')
  return await withArchive(options, invocation, async (archive) => {
    const count = await removeItems(archive, ids, actor())
    invocation.terminal.out(`${counted(count, 'step')} removed.\n`)
    return count === ids.length ? EXIT.done : EXIT.withheld
  })
}
