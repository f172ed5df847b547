// A ledger's bytes into lines:  chunk ─push→ lines without their LF, whole ones only; rest() is what has no LF yet.

import { MAX_LINE } from './entry.ts'

export type Splitter = {
  readonly push: (chunk: Uint8Array) => Iterable<Uint8Array>
  readonly rest: () => Uint8Array
}

const LF = 0x0a

export function lineSplitter(): Splitter {
  let held: Uint8Array = new Uint8Array(0)
  function* push(chunk: Uint8Array): Iterable<Uint8Array> {
    const data = held.byteLength === 0 ? chunk : Buffer.concat([held, chunk])
    let from = 0
    for (let end = data.indexOf(LF); end >= 0; end = data.indexOf(LF, from)) {
      yield data.subarray(from, end)
      from = end + 1
    }
    // A copy: whoever reads may fill the chunk again. (Buffer's own slice would be none.)
    held = new Uint8Array(data.subarray(from))
    if (held.byteLength <= MAX_LINE) return
    // Too long for a line whatever follows: handed on, so that it is refused, and memory stays bounded.
    const tooLong = held
    held = new Uint8Array(0)
    yield tooLong
  }
  return { push, rest: () => held }
}
