// Puts report.json and report.html where they belong.

import { extname, join, resolve } from 'node:path'
import { writeAtomic } from '../pipeline/atomic.ts'
import type { RunEnd } from '../pipeline/run.ts'
import type { RunSettings } from '../pipeline/types.ts'
import { type Report, reportOf } from './data.ts'
import { renderReport } from './html.ts'

export type Reporting = {
  readonly end: Extract<RunEnd, { kind: 'complete' }>
  readonly settings: RunSettings
  /** OUT; none in a dry run. */
  readonly folder: string | undefined
  /** --report: JSON where it says .json, HTML otherwise. */
  readonly copy: string | undefined
}

/** The path of the report to look at. */
export function writeReports({ end, settings, folder, copy }: Reporting): string {
  const report = reportOf(end, settings)
  if (copy !== undefined) writeAtomic(resolve(copy), textOf(report, copy))
  if (folder === undefined) return copy ?? ''
  writeAtomic(join(folder, 'report.json'), textOf(report, '.json'))
  const html = join(folder, 'report.html')
  writeAtomic(html, textOf(report, html))
  return html
}

function textOf(report: Report, path: string): string {
  const isJson = extname(path).toLowerCase() === '.json' || path === '.json'
  return isJson ? `${JSON.stringify(report, null, 1)}\n` : renderReport(report)
}
