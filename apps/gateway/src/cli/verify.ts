// roentgate verify OUT --source IN --key FILE

import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { readManifest, type Verification, VerifyError, verifyRelease } from '../pipeline/verify-release.ts'
import { checkRoots } from './places.ts'
import type { Invocation } from './program.ts'
import { projectKey, recipeOf } from './settings.ts'
import { counted, EXIT, paletteOf, type Terminal, UsageError } from './terminal.ts'

export type VerifyOptions = {
  readonly source: readonly string[]
  readonly key: string
  readonly recipe?: string
  readonly jobs?: number
}

/** Of findings shown; more of them say the same. */
const SHOWN = 20

export async function verify(
  out: string,
  options: VerifyOptions,
  { terminal, signal }: Invocation,
): Promise<number> {
  checkRoots(options.source)
  if (!existsSync(options.key)) throw new UsageError(`there is no key ${options.key}`)
  try {
    const { header } = await readManifest(out)
    const verification = await verifyRelease({
      out: resolve(out),
      roots: options.source,
      settings: {
        out: resolve(out),
        recipe: recipeOf(options.recipe ?? header.recipe.name),
        key: projectKey(options.key).key,
        patientTable: [],
        pixels: header.pixels,
        ...(header.faces ? { faces: header.faces } : {}),
        dryRun: false,
        mapping: false,
      },
      jobs: options.jobs ?? availableParallelism(),
      signal,
    })
    if (signal.aborted) return EXIT.interrupted
    return printVerification(terminal, verification)
  } catch (error) {
    if (error instanceof VerifyError) throw new UsageError(error.message)
    throw error
  }
}

export function printVerification(terminal: Terminal, { checked, findings }: Verification): number {
  const { green, red, bold } = paletteOf(terminal)
  if (findings.length === 0) {
    terminal.out(`${green('Verified')}: ${counted(checked, 'instance')} read again, nothing found.\n`)
    return EXIT.done
  }
  terminal.out(`${red(counted(findings.length, 'finding'))} in ${counted(checked, 'instance')}:\n`)
  for (const { code, what, output } of findings.slice(0, SHOWN)) {
    terminal.out(`  ${bold(code)}  ${what}\n      ${output}\n`)
  }
  if (findings.length > SHOWN) terminal.out(`  and ${findings.length - SHOWN} more\n`)
  return EXIT.failed
}
