// Pieces one after the other, read as one ByteSource. A piece is bytes that are held, or bytes that are made when they
// are asked for: the last one made is kept, for who reads on.

import type { ByteSource } from '@roentgate/dicom'

export type Piece = Uint8Array | { readonly length: number; readonly read: () => Uint8Array }

type Chain = {
  readonly pieces: readonly Piece[]
  readonly starts: readonly number[]
  readonly size: number
  readonly last: { index: number; bytes: Uint8Array }
}

export function chained(pieces: readonly Piece[]): ByteSource {
  const starts: number[] = []
  let size = 0
  for (const piece of pieces) {
    starts.push(size)
    size += piece.length
  }
  const chain: Chain = { pieces, starts, size, last: { index: -1, bytes: new Uint8Array(0) } }
  return { size, read: (offset, length) => readChain(chain, offset, length) }
}

function readChain(chain: Chain, offset: number, length: number): Uint8Array {
  const { starts, size, pieces } = chain
  const end = Math.min(size, offset + length)
  let index = lastAtMost(starts, offset)
  const from = offset - (starts[index] ?? 0)
  const first = pieces[index]
  if (first && end - offset <= first.length - from)
    return bytesOf(chain, index).subarray(from, from + Math.max(0, end - offset))
  const out = new Uint8Array(Math.max(0, end - offset))
  for (let at = offset; at < end && index < pieces.length; index++) {
    const begin = at - (starts[index] ?? 0)
    const part = bytesOf(chain, index).subarray(begin, begin + end - at)
    out.set(part, at - offset)
    at += part.length
  }
  return out
}

function bytesOf({ pieces, last }: Chain, index: number): Uint8Array {
  const piece = pieces[index]
  if (piece === undefined) return new Uint8Array(0)
  if (piece instanceof Uint8Array) return piece
  if (last.index !== index) {
    last.bytes = piece.read()
    last.index = index
  }
  return last.bytes
}

function lastAtMost(starts: readonly number[], offset: number): number {
  let low = 0
  let high = starts.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((starts[middle] ?? 0) <= offset) low = middle
    else high = middle - 1
  }
  return low
}
