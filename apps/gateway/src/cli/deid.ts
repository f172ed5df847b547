// roentgate deid IN... OUT

import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { TooManyInputs } from '../pipeline/census.ts'
import { JournalError } from '../pipeline/journal.ts'
import { type ProjectKey, randomKey } from '../pipeline/key.ts'
import { RecipeRefused, type RunEnd, type RunRequest, run } from '../pipeline/run.ts'
import type { RunSettings } from '../pipeline/types.ts'
import { checkOut, checkOutside, checkRoots, splitPaths } from './places.ts'
import type { Invocation } from './program.ts'
import { progressOn } from './progress.ts'
import { patientsOf, projectKey, recipeOf } from './settings.ts'
import { printStopped, printSummary } from './summary.ts'
import { EXIT, type Terminal, UsageError } from './terminal.ts'
import { VERSION } from './version.ts'

export type DeidOptions = {
  readonly recipe: string
  readonly key?: string
  readonly mapping?: string
  readonly report?: string
  readonly jobs?: number
  readonly resume?: boolean
  readonly dryRun?: boolean
  readonly pixels?: RunSettings['pixels']
  readonly faces?: NonNullable<RunSettings['faces']>
  readonly review?: string
  readonly patients?: string
}

export async function deid(
  paths: readonly string[],
  options: DeidOptions,
  with_: Invocation,
): Promise<number> {
  const dryRun = options.dryRun ?? false
  const resume = options.resume ?? false
  const { roots, out } = splitPaths(paths, dryRun)
  checkRoots(roots)
  if (dryRun) return dry(roots, options, with_)
  if (out === undefined) throw new UsageError('no folder to make was named')
  checkOut(out, { roots, resume })
  const keyPath = options.key ?? `${resolve(out)}.key`
  checkOutside(keyPath, out, 'the key')
  if (options.mapping !== undefined) checkOutside(options.mapping, out, 'the mapping')
  if (options.review !== undefined) checkOutside(options.review, out, 'the review folder')
  const recipe = recipeOf(options.recipe)
  const patientTable = patientsOf(options.patients)
  const key = projectKey(keyPath)
  sayKey(with_.terminal, key)
  const request = requestOf(
    { roots, options, terminal: with_.terminal },
    {
      out: resolve(out),
      recipe,
      key: key.key,
      patientTable,
      pixels: options.pixels ?? 'clean',
      dryRun,
      mapping: options.mapping !== undefined,
      ...(options.faces ? { faces: options.faces } : {}),
      ...(options.review ? { review: resolve(options.review) } : {}),
    },
  )
  const end = await runKindly({ ...request, resume, signal: with_.signal }, with_.terminal)
  if (end.kind === 'stopped') return printStopped(with_.terminal, end)
  const { writeReports } = await import('../report/write.ts')
  const report = writeReports({ end, settings: request.settings, folder: out, copy: options.report })
  printSummary(with_.terminal, { end, report, key, mapping: options.mapping })
  return exitCode(end)
}

export function exitCode(end: Extract<RunEnd, { kind: 'complete' }>): number {
  const { outcomes } = end.totals
  if (outcomes.failed > 0) return EXIT.failed
  return outcomes.quarantined > 0 ? EXIT.withheld : EXIT.done
}

type Asked = { readonly roots: readonly string[]; readonly options: DeidOptions; readonly terminal: Terminal }

function requestOf({ roots, options }: Asked, settings: RunSettings): RunRequest {
  const jobs = options.jobs ?? availableParallelism()
  const { mapping } = options
  return {
    roots,
    settings,
    jobs,
    resume: false,
    version: VERSION,
    ...(mapping === undefined ? {} : { mapping: resolve(mapping) }),
  }
}

/** What the user can mend is said in one line; what is our fault keeps its stack. */
export async function runKindly(request: RunRequest, terminal: Terminal): Promise<RunEnd> {
  const progress = progressOn(terminal)
  try {
    return await run({ ...request, progress: progress.show })
  } catch (error) {
    if (error instanceof RecipeRefused || error instanceof TooManyInputs) throw new UsageError(error.message)
    if (error instanceof JournalError) {
      throw new UsageError(`${error.message}: repeat it as it was, or start again in another folder`)
    }
    throw error
  } finally {
    progress.clear()
  }
}

function sayKey(terminal: Terminal, key: ProjectKey): void {
  if (key.made) {
    terminal.err(`Made a new key: ${key.path}\n`)
    terminal.err(
      'It is the way back from pseudonyms to patients, and to the same pseudonyms next time: keep it safe.\n',
    )
  }
  if (key.exposed) {
    terminal.err(`Warning: others on this machine can read ${key.path}; run: chmod 600 ${key.path}\n`)
  }
}

async function dry(roots: readonly string[], options: DeidOptions, with_: Invocation): Promise<number> {
  const { terminal, signal } = with_
  const key = options.key === undefined ? randomKey() : projectKey(options.key).key
  const settings: RunSettings = {
    out: '',
    recipe: recipeOf(options.recipe),
    key,
    patientTable: patientsOf(options.patients),
    pixels: options.pixels ?? 'clean',
    dryRun: true,
    mapping: false,
    ...(options.faces ? { faces: options.faces } : {}),
  }
  const { mapping: _, ...unmapped } = options
  const { explainFile, printPlan, printTables } = await import('./dry-run.ts')
  const request = requestOf({ roots, options: unmapped, terminal }, settings)
  const end = await runKindly({ ...request, signal }, terminal)
  if (end.kind === 'stopped') return printStopped(terminal, end)
  const lines = await explainFile(roots, settings)
  if (lines === undefined) printTables(terminal, end)
  else printPlan(terminal, lines, end)
  if (options.report !== undefined) {
    const { writeReports } = await import('../report/write.ts')
    writeReports({ end, settings, folder: undefined, copy: join(resolve(options.report)) })
  }
  return exitCode(end)
}
