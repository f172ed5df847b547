// What the parser and the loader of its regions say to each other: how much is loaded, what may be spent, where it ended.

import type { Limits } from './limits.ts'
import type { ByteSource, Encoding, Tag, Warning } from './model.ts'

/** Thrown to the region loader: parse again with at least this many bytes of the region. */
export class NeedMore {
  readonly bytes: number
  constructor(bytes: number) {
    this.bytes = bytes
  }
}

/** What one file may spend, shared by all its regions. */
export type Budget = {
  elements: number
  /** Bytes of the regions that are done. */
  header: number
  /** Unknown values that began like sequences and were none. */
  notSequences: number
  readonly limits: Limits
  readonly warnings: Warning[]
}

export type Region = {
  readonly bytes: Uint8Array
  /** Where `bytes[0]` lies in the source. */
  readonly base: number
  readonly source: ByteSource
}

export type Stop =
  | { readonly kind: 'end'; readonly at: number }
  /** Top-level pixel data ended at `at` in the source, beyond what is loaded. */
  | { readonly kind: 'after-pixels'; readonly at: number }
  /** What follows at `at` is no element. */
  | { readonly kind: 'trailing'; readonly at: number }
  /** Only with `isHead`: the value of pixel data begins at `at`. */
  | { readonly kind: 'pixels'; readonly at: number; readonly length: number }

export type RootStart = {
  readonly encoding: Encoding
  readonly charset: readonly string[]
  /** The tag before this region, where pixel data beyond the last one was skipped. */
  readonly last: Tag | undefined
  /** Ends where pixel data begins, and does not look at it. */
  readonly isHead: boolean
}
