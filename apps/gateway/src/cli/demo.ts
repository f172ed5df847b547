// roentgate demo: a synthetic study through the same door as a real one, and what to try next.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { syntheticStudy } from '../demo/synthetic.ts'
import { deid } from './deid.ts'
import type { Invocation } from './program.ts'
import { EXIT, paletteOf, UsageError } from './terminal.ts'
import { verify } from './verify.ts'

/** Says that the folder is ours: without it nothing is removed. */
const MARK = '.roentgate-demo'
export const STUDY = { seed: 20240312, slices: 12, rows: 256, columns: 256, frames: 12 }

export async function demo(folder: string, invocation: Invocation): Promise<number> {
  const { terminal } = invocation
  const { bold, dim } = paletteOf(terminal)
  takeFolder(folder)
  const source = join(folder, 'in')
  terminal.out(
    `${bold('1. A study of nobody')}: a chest CT and a heart ultrasound, synthetic, into ${source}\n`,
  )
  writeStudy(source)
  terminal.out(
    `${dim('   The patient is named in tags, private tags, nested sequences, text, and in the ultrasound’s picture.')}\n\n`,
  )
  const code = await deidentified({ folder, first: 2 }, invocation)
  terminal.out('\nNow with images of yours:\n')
  terminal.out('  npx roentgate deid FOLDER --dry-run                      what would be done, and why\n')
  terminal.out('  npx roentgate deid FOLDER OUT --recipe safe-harbor       do it\n')
  terminal.out('  npx roentgate deid --help                                all options\n')
  return code
}

/** FOLDER/in into FOLDER/out, and verified; the steps are numbered from `first`. */
export async function deidentified(
  { folder, first }: { readonly folder: string; readonly first: number },
  invocation: Invocation,
): Promise<number> {
  const { terminal } = invocation
  const { bold, dim } = paletteOf(terminal)
  const [source, out, key] = [join(folder, 'in'), join(folder, 'out'), join(folder, 'out.key')]
  terminal.out(
    `${bold(`${first}. De-identified`)} with the recipe for research: roentgate deid ${source} ${out} --recipe research\n\n`,
  )
  const code = await deid(
    [source, out],
    { recipe: 'research', key, mapping: join(folder, 'mapping') },
    invocation,
  )
  if (code !== EXIT.done && code !== EXIT.withheld) return code
  terminal.out(
    `\nThe ultrasound had the name burned into its picture: it was found, blanked on every frame, and looked for again in\nwhat was written. ${dim('(--pixels quarantine holds such images back instead.)')}\n\n`,
  )
  terminal.out(
    `${bold(`${first + 1}. Verified`)} again from the files alone: roentgate verify ${out} --source ${source} --key ${key}\n\n`,
  )
  const verified = await verify(out, { source: [source], key }, invocation)
  terminal.out(`\nOpen the report: ${bold(join(out, 'report.html'))}\n`)
  return verified
}

/** Empty, or one that a demonstration made, which is emptied: `ours` are its files. @throws UsageError */
export function takeFolder(
  folder: string,
  ours: readonly string[] = ['in', 'out', 'mapping', 'out.key'],
): void {
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true })
  else if (
    existsSync(join(folder, MARK)) &&
    readFileSync(join(folder, MARK), 'utf8').startsWith('roentgate')
  ) {
    for (const name of ours) rmSync(join(folder, name), { recursive: true, force: true })
  } else if (readdirSync(folder).length > 0) {
    throw new UsageError(`${relative('.', folder) || folder} holds files of yours: name another folder`)
  }
  writeFileSync(join(folder, MARK), 'roentgate demo: this folder is made anew each time\n')
}

function writeStudy(folder: string): void {
  for (const { name, bytes } of syntheticStudy(STUDY).files) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), bytes)
  }
}
