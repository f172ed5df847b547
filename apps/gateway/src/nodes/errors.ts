// What can be wrong with a node's registration.

export type NodeCode = 'BAD_NODE' | 'EXISTS' | 'NO_NODE' | 'INSECURE'

export class NodeError extends Error {
  readonly code: NodeCode

  constructor(code: NodeCode, message: string) {
    super(message)
    this.name = 'NodeError'
    this.code = code
  }
}
