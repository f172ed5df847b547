// deid --dry-run: for one file every element, for more the table of what would happen to which attribute and why,
// and the inventory of the corpus. Tab-separated columns would wrap: widths are fitted.

import { statSync } from 'node:fs'
import { isZipName } from '../ingress/zip.ts'
import { Pool } from '../jobs/pool.ts'
import { INSTANCE_MODULE, type RunEnd } from '../pipeline/run.ts'
import type { PlanLine, RunSettings } from '../pipeline/types.ts'
import { printOutcomes } from './summary.ts'
import { counted, paletteOf, type Terminal } from './terminal.ts'

type Complete = Extract<RunEnd, { kind: 'complete' }>

/** The plan of the only file, or undefined where there is more than one. */
export async function explainFile(
  roots: readonly string[],
  settings: RunSettings,
): Promise<readonly PlanLine[] | undefined> {
  const [path, second] = roots
  if (path === undefined || second !== undefined || isZipName(path) || !statSync(path).isFile())
    return undefined
  const pool = new Pool(1, { settings, instance: INSTANCE_MODULE })
  try {
    const task = { input: { index: 0, path }, patientKey: '', identifiers: [] }
    const reply = await pool.ask({ kind: 'explain', task })
    return reply.kind === 'explained' ? reply.lines : []
  } finally {
    await pool.close()
  }
}

const HEADINGS = ['attribute', 'name', 'VR', 'action', 'because']

export function printPlan(terminal: Terminal, lines: readonly PlanLine[], end: Complete): void {
  printRecipe(terminal, end)
  printColumns(terminal, [
    HEADINGS,
    ...lines.map(({ path, name, vr, action, because }) => [path, name, vr, action, because]),
  ])
  printOutcomes(terminal, end.totals, 'would be')
}

export function printTables(terminal: Terminal, end: Complete): void {
  const { bold } = paletteOf(terminal)
  const { totals } = end
  printRecipe(terminal, end)
  terminal.out(`${bold('What would be done')}\n`)
  const rows = totals.attributes.map(({ attribute, name, vr, action, because, count }) => [
    attribute,
    name,
    vr,
    action,
    because,
    String(count),
  ])
  printColumns(terminal, [[...HEADINGS, 'count'], ...rows])
  terminal.out(`\n${bold('Inventory')}\n`)
  for (const { scanner, instances, attributes } of totals.inventory) {
    terminal.out(`\n${scanner === '' ? 'scanner not stated' : scanner}: ${counted(instances, 'instance')}\n`)
    printColumns(
      terminal,
      attributes.map(({ attribute, name, action, count }) => [attribute, name, action, String(count)]),
    )
  }
  terminal.out('\n')
  printOutcomes(terminal, totals, 'would be')
}

function printRecipe(terminal: Terminal, { description: { recipe, edition } }: Complete): void {
  terminal.out(
    `Recipe ${recipe.name} (${recipe.digest.slice(0, 12)}), PS3.15 Table E.1-1 edition ${edition}\n\n`,
  )
}

/** A column wider than this would push the next one out of sight. */
const MAX_WIDTH = 56

function printColumns(terminal: Terminal, rows: readonly (readonly string[])[]): void {
  const widths: number[] = []
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.min(MAX_WIDTH, Math.max(widths[column] ?? 0, cell.length))
    }
  }
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0),
    )
    terminal.out(`${cells.join('  ')}\n`)
  }
}
