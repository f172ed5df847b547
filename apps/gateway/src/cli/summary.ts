// What a run says at its end: counts, top reasons, where things are, what to do next. No value, no input path.

import type { ProjectKey } from '../pipeline/key.ts'
import type { RunEnd } from '../pipeline/run.ts'
import type { Totals } from '../pipeline/totals.ts'
import { adviceFor } from '../report/advice.ts'
import { counted, EXIT, paletteOf, type Terminal } from './terminal.ts'

type Complete = Extract<RunEnd, { kind: 'complete' }>
type Stopped = Extract<RunEnd, { kind: 'stopped' }>

/** Of reasons shown; the report has all. */
const TOP = 6

export type Summary = {
  readonly end: Complete
  /** Path of report.html. */
  readonly report: string
  readonly key: ProjectKey
  readonly mapping: string | undefined
}

export function printSummary(terminal: Terminal, { end, report, key, mapping }: Summary): void {
  const { bold } = paletteOf(terminal)
  const { totals, skipped } = end
  printOutcomes(terminal, totals, '')
  if (skipped > 0)
    terminal.out(`${counted(skipped, 'instance')} of these were done before and were left as they are.\n`)
  terminal.out(`\n${bold('Report')}  ${report}\n${bold('Key')}     ${key.path}\n`)
  if (mapping !== undefined)
    terminal.out(`${bold('Mapping')} ${mapping} (names patients: keep it as safe as the key)\n`)
  const withheld = totals.outcomes.quarantined + totals.outcomes.failed
  if (withheld > 0 && mapping === undefined) {
    terminal.out(
      'To see which files these are, run it into a new folder with --mapping DIR: files.csv lists them.\n',
    )
  }
  if (totals.outcomes.failed > 0)
    terminal.out('What failed can be tried again: add --resume to the same command.\n')
}

export function printOutcomes(terminal: Terminal, totals: Totals, would: string): void {
  const { bold, dim, green, amber, red } = paletteOf(terminal)
  const { outcomes } = totals
  const verb = would === '' ? '' : `${would} `
  const release =
    totals.patients === 0
      ? ''
      : dim(
          `  ${counted(totals.patients, 'patient')}, ${counted(totals.studies, 'study', 'studies')}, ${counted(totals.series, 'series', 'series')}`,
        )
  terminal.out(`${bold(counted(totals.inputs, 'file'))}\n`)
  terminal.out(`  ${green(`${outcomes.released} ${verb}released`)}${release}\n`)
  if (outcomes.duplicate > 0) terminal.out(`  ${outcomes.duplicate} were copies of these\n`)
  if (outcomes.quarantined > 0) terminal.out(`  ${amber(`${outcomes.quarantined} ${verb}quarantined`)}\n`)
  if (outcomes.failed > 0) terminal.out(`  ${red(`${outcomes.failed} failed`)}\n`)
  if (outcomes.ignored > 0) terminal.out(`  ${outcomes.ignored} ignored: no DICOM instances\n`)
  const shown = totals.reasons.filter(({ outcome }) => outcome === 'quarantined' || outcome === 'failed')
  if (shown.length === 0) return
  terminal.out('\n')
  for (const { code, what, count } of shown.slice(0, TOP)) {
    terminal.out(`  ${String(count).padStart(5)}  ${bold(code)}  ${what}\n         ${dim(adviceFor(code))}\n`)
  }
  if (shown.length > TOP)
    terminal.out(`         and ${counted(shown.length - TOP, 'other reason')}: see the report\n`)
}

export function printStopped(terminal: Terminal, { why, done }: Stopped): number {
  const kept = done > 0 ? ` ${counted(done, 'instance')} are done and stay.` : ''
  if (why === 'interrupted') {
    terminal.err(`Interrupted.${kept} To go on, add --resume to the same command.\n`)
    return EXIT.interrupted
  }
  terminal.err(
    `The disk is full: nothing half-written was left.${kept} Make room, then add --resume to the same command.\n`,
  )
  return EXIT.failed
}
