// What can be wrong with an item of the worklist, before it is one. Without values.

export type WorklistCode = 'BAD_ITEM' | 'TOO_MANY'

export class WorklistError extends Error {
  readonly code: WorklistCode
  constructor(code: WorklistCode, what: string) {
    super(what)
    this.name = 'WorklistError'
    this.code = code
  }
}
