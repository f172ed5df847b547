// How long each stage of an instance took, for the bench and the journal.

/** Nanoseconds by stage, added up. */
export class Clock {
  #last = process.hrtime.bigint()
  readonly nanos: Record<string, number> = {}

  lap(stage: string): void {
    const now = process.hrtime.bigint()
    this.nanos[stage] = (this.nanos[stage] ?? 0) + Number(now - this.#last)
    this.#last = now
  }
}
