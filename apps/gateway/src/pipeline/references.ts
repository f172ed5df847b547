// Dangling references across the release: an instance that refers to one of the same input which did not come out
// does not come out either, and so on until nothing changes. References to what was never in the input stay.

export type Node = {
  readonly index: number
  readonly instance: string | undefined
  readonly released: boolean
  readonly references: readonly string[]
}

export class ReferenceGraph {
  readonly #instances = new Map<string, number>()
  readonly #withheld: number[] = []
  readonly #released = new Set<number>()
  readonly #references = new Map<number, readonly string[]>()

  add({ index, instance, released, references }: Node): void {
    if (instance !== undefined && instance !== '') this.#instances.set(instance, index)
    if (!released) {
      this.#withheld.push(index)
      return
    }
    this.#released.add(index)
    if (references.length > 0) this.#references.set(index, references)
  }

  /** Released ones that must be withheld. */
  dangling(): ReadonlySet<number> {
    const referrers = new Map<number, number[]>()
    for (const [index, references] of this.#references) {
      for (const reference of references) {
        const target = this.#instances.get(reference)
        if (target === undefined || target === index) continue
        const list = referrers.get(target)
        if (list === undefined) referrers.set(target, [index])
        else list.push(index)
      }
    }
    const dangling = new Set<number>()
    const queue = [...this.#withheld]
    for (let target = queue.pop(); target !== undefined; target = queue.pop()) {
      for (const index of referrers.get(target) ?? []) {
        if (!this.#released.has(index) || dangling.has(index)) continue
        dangling.add(index)
        queue.push(index)
      }
    }
    return dangling
  }
}
