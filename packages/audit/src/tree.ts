// The Merkle tree of RFC 6962 section 2.1 over leaf hashes: what is there, what is in it, what it grew from.
//
//   Frontier ─append→ Frontier ─root→ hash      hashes of the perfect subtrees, left to right, one for each set bit of size
//
// Sizes go to 2⁵³ − 1, so halves are taken by division: bit operators would cut them to 32 bits.

import { AuditError } from './errors.ts'
import { prefixed, sha256 } from './sha256.ts'

export const HASH_BYTES = 32
const NODE_PREFIX = 1
const SIZE_BYTES = 8

export type Frontier = { readonly size: number; readonly hashes: readonly Uint8Array[] }
export type LeafAt = (index: number) => Uint8Array
export type TreeHead = { readonly size: number; readonly root: Uint8Array }

export const EMPTY: Frontier = { size: 0, hashes: [] }

/** Amortised one node hash a leaf. */
export function append(frontier: Frontier, leaf: Uint8Array): Frontier {
  let top: Uint8Array = leaf
  let kept = frontier.hashes.length
  for (let rest = frontier.size; rest % 2 === 1; rest = half(rest)) {
    kept--
    top = nodeHash(hashAt(frontier.hashes, kept), top)
  }
  const hashes = frontier.hashes.slice(0, kept)
  hashes.push(top)
  return { size: frontier.size + 1, hashes }
}

export function root({ hashes }: Frontier): Buffer {
  let top = hashes.at(-1)
  if (top === undefined) return sha256('')
  for (let i = hashes.length - 2; i >= 0; i--) top = nodeHash(hashAt(hashes, i), top)
  return Buffer.from(top)
}

/** size (8 bytes, big-endian) ‖ hashes. */
export function frontierBytes({ size, hashes }: Frontier): Buffer {
  const head = Buffer.alloc(SIZE_BYTES)
  head.writeBigUInt64BE(BigInt(size))
  return Buffer.concat([head, ...hashes])
}

export function parseFrontier(bytes: Uint8Array): Frontier {
  const data = Buffer.from(bytes)
  if (data.length < SIZE_BYTES) throw new AuditError('BAD_FRONTIER', 'the frontier has no size')
  const size = Number(data.readBigUInt64BE())
  const count = Number.isSafeInteger(size) ? setBits(size) : -1
  if (data.length !== SIZE_BYTES + count * HASH_BYTES) {
    throw new AuditError('BAD_FRONTIER', 'the frontier does not have one hash for each set bit of its size')
  }
  const hashes = Array.from({ length: count }, (_, i) => {
    const from = SIZE_BYTES + i * HASH_BYTES
    return data.subarray(from, from + HASH_BYTES)
  })
  return { size, hashes }
}

/** Leaves `from` to `to` − 1. */
export type LeafRange = { readonly from: number; readonly to: number }

/** 2.1.1: PATH(index, D[size]), lowest level first. Reads every leaf once. */
export function inclusionProof(index: number, size: number, leafAt: LeafAt): readonly Uint8Array[] {
  return inclusionRanges(index, size).map((range) => rangeRoot(range, leafAt))
}

/** The leaves under each hash of the proof, for who keeps subtrees and need not read all leaves. */
export function inclusionRanges(index: number, size: number): readonly LeafRange[] {
  if (!isSize(index) || !isSize(size) || index >= size)
    throw new AuditError('BAD_RANGE', 'no such leaf in this tree')
  const ranges: LeafRange[] = []
  let from = 0
  let to = size
  while (to - from > 1) {
    const middle = from + largestPowerBelow(to - from)
    if (index < middle) {
      ranges.push({ from: middle, to })
      to = middle
    } else {
      ranges.push({ from, to: middle })
      from = middle
    }
  }
  return ranges.reverse()
}

export type Inclusion = {
  readonly index: number
  readonly leaf: Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly head: TreeHead
}

/** RFC 9162 2.1.3.2. */
export function verifyInclusion({ index, leaf, proof, head }: Inclusion): boolean {
  if (!isSize(index) || !isSize(head.size) || index >= head.size || !areHashes(proof)) return false
  let node = index
  let last = head.size - 1
  let top: Uint8Array = leaf
  for (const sibling of proof) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      top = nodeHash(sibling, top)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      top = nodeHash(top, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && isSameHash(top, head.root)
}

/** 2.1.2: PROOF(first, D[second]). Empty for equal sizes and for a first of 0, which everything grew from. */
export function consistencyProof(first: number, second: number, leafAt: LeafAt): readonly Uint8Array[] {
  return consistencyRanges(first, second).map((range) => rangeRoot(range, leafAt))
}

/** As inclusionRanges. */
export function consistencyRanges(first: number, second: number): readonly LeafRange[] {
  if (!isSize(first) || !isSize(second) || first > second)
    throw new AuditError('BAD_RANGE', 'no growth from the one size to the other')
  if (first === 0) return []
  const ranges: LeafRange[] = []
  let from = 0
  let to = second
  let size = first
  let isWhole = true
  while (size !== to - from) {
    const k = largestPowerBelow(to - from)
    if (size <= k) {
      ranges.push({ from: from + k, to })
      to = from + k
    } else {
      ranges.push({ from, to: from + k })
      from += k
      size -= k
      isWhole = false
    }
  }
  if (!isWhole) ranges.push({ from, to })
  return ranges.reverse()
}

export type Consistency = {
  readonly first: TreeHead
  readonly second: TreeHead
  readonly proof: readonly Uint8Array[]
}

/** RFC 9162 2.1.4.2. A first size of 0 is consistent with all if its root is that of nothing. */
export function verifyConsistency({ first, second, proof }: Consistency): boolean {
  if (!isSize(first.size) || !isSize(second.size) || first.size > second.size || !areHashes(proof))
    return false
  if (first.size === 0) return proof.length === 0 && isSameHash(first.root, root(EMPTY))
  if (first.size === second.size) return proof.length === 0 && isSameHash(first.root, second.root)
  let node = first.size - 1
  let last = second.size - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  // A first size that is a power of two is itself a node of the second tree.
  const path = node === 0 ? [first.root, ...proof] : proof
  const [seed, ...rest] = path
  if (seed === undefined) return false
  let before = seed
  let after = seed
  for (const sibling of rest) {
    if (last === 0) return false
    if (node % 2 === 1 || node === last) {
      before = nodeHash(sibling, before)
      after = nodeHash(sibling, after)
      while (node % 2 === 0 && node !== 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      after = nodeHash(after, sibling)
    }
    node = half(node)
    last = half(last)
  }
  return last === 0 && isSameHash(before, first.root) && isSameHash(after, second.root)
}

/** SHA-256(01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  return prefixed(NODE_PREFIX, left, right)
}

export function isSameHash(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function rangeRoot({ from, to }: LeafRange, leafAt: LeafAt): Buffer {
  let frontier = EMPTY
  for (let i = from; i < to; i++) frontier = append(frontier, leafAt(i))
  return root(frontier)
}

/** Of n ≥ 2. */
function largestPowerBelow(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

function setBits(n: number): number {
  let count = 0
  for (let rest = n; rest > 0; rest = half(rest)) count += rest % 2
  return count
}

function half(n: number): number {
  return Math.floor(n / 2)
}

function isSize(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0
}

/** A proof may come from anywhere: what is not 32 bytes is no hash, and 65 of two others would look like a node. */
function areHashes(proof: readonly Uint8Array[]): boolean {
  return proof.every((one) => one.byteLength === HASH_BYTES)
}

function hashAt(hashes: readonly Uint8Array[], index: number): Uint8Array {
  const found = hashes[index]
  if (found === undefined) throw new AuditError('BAD_FRONTIER', 'the frontier lacks a hash')
  return found
}
