// Attribute statistics, said once: slices of a series have the same rows with the same counts, so a row and a set of
// rows are journal lines of their own, and an instance names its set.
//
//   {"row":"3f9c.1","is":[attribute, name, vr, action, because]}
//   {"set":"3f9c:1","of":[["3f9c.1", 1], …]}

import type { AttributeCount } from '../pipeline/types.ts'

/** Which scanner it was, the instance says. */
type Row = Omit<AttributeCount, 'scanner'>

/** Sets remembered; beyond it all are forgotten and said again: more lines, the same sums. */
const MAX_SETS = 512
const MAX_ROWS = 20_000

export class AttributeSets {
  readonly #prefix: string
  #rows = new Map<string, string>()
  #sets = new Map<string, string>()
  /** By the array itself: instances of a series count as one array. */
  #same = new WeakMap<readonly Row[], string>()
  #count = 0

  /** `prefix` is unique to this worker, so that names never clash in one journal. */
  constructor(prefix: string) {
    this.#prefix = prefix
  }

  /** The name of the set, and the lines that must precede its first use. */
  name(attributes: readonly Row[]): { readonly set: string; readonly lines: string } {
    const same = this.#same.get(attributes)
    if (same !== undefined) return { set: same, lines: '' }
    if (this.#sets.size >= MAX_SETS) this.#sets.clear()
    if (this.#rows.size >= MAX_ROWS) {
      this.#rows.clear()
      this.#sets.clear()
    }
    const named = this.#named(attributes)
    this.#same.set(attributes, named.set)
    return named
  }

  #named(attributes: readonly Row[]): { readonly set: string; readonly lines: string } {
    let lines = ''
    let key = ''
    for (const { attribute, name, vr, action, because, count } of attributes) {
      const rowKey = `${attribute}\t${vr}\t${action}\t${because}`
      let row = this.#rows.get(rowKey)
      if (row === undefined) {
        row = `${this.#prefix}.${(this.#count++).toString(36)}`
        this.#rows.set(rowKey, row)
        lines += `${JSON.stringify({ row, is: [attribute, name, vr, action, because] })}\n`
      }
      key += `["${row}",${count}],`
    }
    const known = this.#sets.get(key)
    if (known !== undefined) return { set: known, lines }
    const set = `${this.#prefix}:${(this.#count++).toString(36)}`
    this.#sets.set(key, set)
    return { set, lines: `${lines}{"set":"${set}","of":[${key.slice(0, -1)}]}\n` }
  }
}
