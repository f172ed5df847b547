// Sums over a run, for report and terminal: free of PHI, independent of order and of the number of workers.

import type { RowLine, SetLine } from './journal-lines.ts'
import { OUTCOMES, type Outcome } from './outcomes.ts'
import type { AttributeCount, PixelWork, Reason } from './types.ts'

type Row = AttributeCount

/** What became of one input. */
export type Final = {
  readonly index: number
  readonly outcome: Outcome
  readonly reasons: readonly Reason[]
  readonly warnings: readonly Reason[]
  readonly output?: string
  readonly sha256?: string
  readonly bytes?: number
  readonly sourceDigest?: string
  readonly pixels?: PixelWork
  readonly methods: readonly string[]
  readonly scanner?: string
  readonly sopClass?: string
  readonly transferSyntax?: string
  readonly set?: string
}

export type ReasonCount = Reason & { readonly outcome: Outcome | 'warning'; readonly count: number }
export type AttributeRow = Row & { readonly instances: number }
export type Scanner = {
  readonly scanner: string
  readonly instances: number
  readonly released: number
  readonly attributes: readonly AttributeRow[]
}
export type Totals = {
  readonly outcomes: Readonly<Record<Outcome, number>>
  readonly inputs: number
  readonly patients: number
  readonly studies: number
  readonly series: number
  readonly bytes: number
  readonly methods: ReadonlyMap<string, number>
  readonly sopClasses: ReadonlyMap<string, number>
  readonly transferSyntaxes: ReadonlyMap<string, number>
  readonly reasons: readonly ReasonCount[]
  readonly attributes: readonly AttributeRow[]
  readonly inventory: readonly Scanner[]
}

type Usage = { released: number; all: number }
type Sum = { readonly row: Row; count: number; instances: number }

export class Tally {
  readonly #outcomes: Record<Outcome, number> = {
    released: 0,
    quarantined: 0,
    failed: 0,
    duplicate: 0,
    ignored: 0,
  }
  readonly #folders = [new Set<string>(), new Set<string>(), new Set<string>()] as const
  readonly #methods = new Map<string, number>()
  readonly #sopClasses = new Map<string, number>()
  readonly #transferSyntaxes = new Map<string, number>()
  readonly #reasons = new Map<string, ReasonCount>()
  /** set → scanner → how often. */
  readonly #usage = new Map<string, Map<string, Usage>>()
  #bytes = 0

  add(final: Final): void {
    const { outcome } = final
    this.#outcomes[outcome]++
    for (const reason of distinct(final.reasons)) this.#addReason(reason, outcome)
    for (const warning of distinct(final.warnings)) this.#addReason(warning, 'warning')
    if (outcome === 'released') this.#addReleased(final)
    if (final.set === undefined) return
    const scanners = this.#usage.get(final.set) ?? new Map<string, Usage>()
    this.#usage.set(final.set, scanners)
    const usage = scanners.get(final.scanner ?? '') ?? { released: 0, all: 0 }
    scanners.set(final.scanner ?? '', usage)
    usage.all++
    if (outcome === 'released') usage.released++
  }

  #addReason({ code, what }: Reason, outcome: Outcome | 'warning'): void {
    const key = `${outcome} ${code}`
    const known = this.#reasons.get(key)
    // Texts of one code can differ in their details: the first in code unit order stands for all.
    const text = known === undefined || what < known.what ? what : known.what
    this.#reasons.set(key, { code, what: text, outcome, count: (known?.count ?? 0) + 1 })
  }

  #addReleased(final: Final): void {
    this.#bytes += final.bytes ?? 0
    for (const method of final.methods) increment(this.#methods, method)
    if (final.sopClass !== undefined) increment(this.#sopClasses, final.sopClass)
    if (final.transferSyntax !== undefined) increment(this.#transferSyntaxes, final.transferSyntax)
    const path = final.output ?? ''
    let at = path.indexOf('/')
    for (const folders of this.#folders) {
      if (at < 0) return
      folders.add(path.slice(0, at))
      at = path.indexOf('/', at + 1)
    }
  }

  /** `lines` are the journal's: rows and sets among them. */
  close(lines: Iterable<string>): Totals {
    const { attributes, inventory } = this.#expand(lines)
    const [patients, studies, series] = this.#folders
    return {
      outcomes: this.#outcomes,
      inputs: OUTCOMES.reduce((sum, outcome) => sum + this.#outcomes[outcome], 0),
      patients: patients.size,
      studies: studies.size,
      series: series.size,
      bytes: this.#bytes,
      methods: sorted(this.#methods),
      sopClasses: sorted(this.#sopClasses),
      transferSyntaxes: sorted(this.#transferSyntaxes),
      reasons: [...this.#reasons.values()].sort(byCount),
      attributes,
      inventory,
    }
  }

  #expand(lines: Iterable<string>): Pick<Totals, 'attributes' | 'inventory'> {
    const rows = new Map<string, Row>()
    const released = new Map<string, Sum>()
    const scanners = new Map<string, { instances: number; released: number; sums: Map<string, Sum> }>()
    for (const line of lines) {
      if (line.startsWith('{"row":')) {
        const { row, is } = JSON.parse(line) as RowLine
        const [attribute, name, vr, action, because] = is
        rows.set(row, { attribute, name, vr, action, because, count: 0 })
      }
      if (!line.startsWith('{"set":')) continue
      const { set, of } = JSON.parse(line) as SetLine
      for (const [scanner, usage] of this.#usage.get(set) ?? []) {
        const totals = scanners.get(scanner) ?? { instances: 0, released: 0, sums: new Map() }
        scanners.set(scanner, totals)
        totals.instances += usage.all
        totals.released += usage.released
        for (const [name, count] of of) {
          const row = rows.get(name)
          if (row === undefined) continue
          addTo(totals.sums, row, { count: count * usage.all, instances: usage.all })
          if (usage.released > 0) {
            addTo(released, row, { count: count * usage.released, instances: usage.released })
          }
        }
      }
    }
    const inventory = [...scanners.entries()]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([scanner, { sums, ...counts }]) => ({ scanner, ...counts, attributes: rowsOf(sums) }))
    return { attributes: rowsOf(released), inventory }
  }
}

function addTo(sums: Map<string, Sum>, row: Row, by: { count: number; instances: number }): void {
  const key = `${row.attribute}\u0000${row.vr}\u0000${row.action}\u0000${row.because}`
  const sum = sums.get(key) ?? { row, count: 0, instances: 0 }
  sums.set(key, sum)
  sum.count += by.count
  sum.instances += by.instances
}

function rowsOf(sums: ReadonlyMap<string, Sum>): readonly AttributeRow[] {
  return [...sums.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { row, count, instances }]) => ({ ...row, count, instances }))
}

/** A file counts once under each code. */
function distinct(reasons: readonly Reason[]): Iterable<Reason> {
  return new Map(reasons.map((reason) => [reason.code, reason])).values()
}

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

function sorted(counts: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  return new Map([...counts.entries()].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function byCount(a: ReasonCount, b: ReasonCount): number {
  return b.count - a.count || (`${a.outcome}${a.code}` < `${b.outcome}${b.code}` ? -1 : 1)
}
