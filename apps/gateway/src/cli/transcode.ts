// roentgate transcode IN OUT --to SYNTAX

import { existsSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { DicomError, type LosslessSyntax, newFile, readFile, writeFile } from '@roentgate/dicom'
import { type Codecs, openCodecs, PixelError, transcoded } from '@roentgate/pixel'
import { findInputs } from '../ingress/folder.ts'
import { inflate } from '../pipeline/inflate.ts'
import { openInput } from '../pipeline/input.ts'
import type { Input } from '../pipeline/types.ts'
import { checkRoots } from './places.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

export type TranscodeOptions = { readonly to: LosslessSyntax }

export async function transcode(
  { from, to }: { readonly from: string; readonly to: string },
  options: TranscodeOptions,
  { terminal, signal }: Invocation,
): Promise<number> {
  checkRoots([from])
  if (existsSync(to)) throw new UsageError(`${to} is there already: name another`)
  const single = statSync(from).isFile() && !from.toLowerCase().endsWith('.zip')
  let codecs = await openCodecs()
  const count = { written: 0, refused: 0 }
  for await (const found of findInputs([from])) {
    if (signal.aborted) return EXIT.interrupted
    if (found.kind !== 'input') continue
    const { input } = found
    const path = single ? resolve(to) : join(resolve(to), relative(from, input.path), input.entry ?? '')
    if (codecs.isBroken()) codecs = await openCodecs()
    const problem = one({ input, path, to: options.to }, codecs)
    if (problem === undefined) count.written++
    else {
      count.refused++
      terminal.err(`${input.entry ? `${input.path}, ${input.entry}` : input.path}: ${problem}\n`)
    }
  }
  terminal.out(`${counted(count.written, 'file')} written, ${counted(count.refused, 'file')} left out.\n`)
  return count.refused > 0 ? EXIT.withheld : EXIT.done
}

type Task = { readonly input: Input; readonly path: string; readonly to: LosslessSyntax }

/** Why it was left out. */
function one({ input, path, to }: Task, codecs: Codecs): string | undefined {
  const unfinished = `${path}.${process.pid}.tmp`
  try {
    using source = openInput(input, 'whole')
    const { dataset, transferSyntax } = transcoded(readFile(source, { inflate }), to, codecs)
    const file = newFile({ dataset, transferSyntax })
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(unfinished, '')
    for (const chunk of writeFile(file, { deflate: deflateRawSync }))
      writeFileSync(unfinished, chunk, { flag: 'a' })
    renameSync(unfinished, path)
    return undefined
  } catch (error) {
    rmSync(unfinished, { force: true })
    if (error instanceof DicomError || error instanceof PixelError) return `${error.code}: ${error.message}`
    throw error
  }
}
