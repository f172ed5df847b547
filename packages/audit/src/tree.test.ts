// The tree against the vectors of Certificate Transparency, and against RFC 6962's own recursive definition.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { leafHash } from './entry.ts'
import { AuditError } from './errors.ts'
import { leavesOf } from './forge.ts'
import {
  append,
  consistencyProof,
  EMPTY,
  frontierBytes,
  inclusionProof,
  parseFrontier,
  root,
  verifyConsistency,
  verifyInclusion,
} from './tree.ts'

const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
const HASHES = LEAVES.map((leaf) => leafHash(Buffer.from(leaf, 'hex')))
const sizes = fc.integer({ min: 1, max: 70 })

function sha256(...parts: readonly Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Section 2.1, word for word. */
function MTH(leaves: readonly Uint8Array[]): Uint8Array {
  const [only] = leaves
  if (only === undefined) return sha256()
  if (leaves.length === 1) return only
  const k = split(leaves.length)
  return sha256(Buffer.from([1]), MTH(leaves.slice(0, k)), MTH(leaves.slice(k)))
}

/** Section 2.1.1. */
function PATH(m: number, leaves: readonly Uint8Array[]): readonly Uint8Array[] {
  if (leaves.length === 1) return []
  const k = split(leaves.length)
  return m < k
    ? [...PATH(m, leaves.slice(0, k)), MTH(leaves.slice(k))]
    : [...PATH(m - k, leaves.slice(k)), MTH(leaves.slice(0, k))]
}

/** Section 2.1.2. */
function SUBPROOF(m: number, leaves: readonly Uint8Array[], isWhole: boolean): readonly Uint8Array[] {
  if (m === leaves.length) return isWhole ? [] : [MTH(leaves)]
  const k = split(leaves.length)
  return m <= k
    ? [...SUBPROOF(m, leaves.slice(0, k), isWhole), MTH(leaves.slice(k))]
    : [...SUBPROOF(m - k, leaves.slice(k), false), MTH(leaves.slice(0, k))]
}

function split(n: number): number {
  let k = 1
  while (k * 2 < n) k *= 2
  return k
}

function forest(size: number): readonly Uint8Array[] {
  return Array.from({ length: size }, (_, i) => leafHash(`leaf ${i}`))
}

function grown(leaves: readonly Uint8Array[]) {
  return leaves.reduce(append, EMPTY)
}

describe('the root', () => {
  for (const [size, expected] of ROOTS.entries()) {
    it(`of the first ${size} vectors`, () => {
      assert.equal(root(grown(HASHES.slice(0, size))).toString('hex'), expected)
    })
  }
  it('is that of the recursive definition', () => {
    for (let size = 0; size < 130; size++) assert.deepEqual(root(grown(forest(size))), MTH(forest(size)))
  })
})

describe('a frontier', () => {
  it('survives being stored', () => {
    fc.assert(
      fc.property(fc.nat(200), (size) => {
        const frontier = grown(forest(size))
        assert.deepEqual(frontierBytes(parseFrontier(frontierBytes(frontier))), frontierBytes(frontier))
        assert.deepEqual(
          root(append(parseFrontier(frontierBytes(frontier)), leafHash('x'))),
          root(append(frontier, leafHash('x'))),
        )
      }),
    )
  })
  it('is not changed by append', () => {
    const frontier = grown(forest(7))
    const before = frontierBytes(frontier)
    append(frontier, leafHash('x'))
    assert.deepEqual(frontierBytes(frontier), before)
  })
  it('is refused with another number of hashes', () => {
    const bytes = frontierBytes(grown(forest(7)))
    for (const bad of [
      bytes.subarray(0, -1),
      bytes.subarray(0, 7),
      Buffer.concat([bytes, bytes]),
      Buffer.alloc(8, 255),
    ]) {
      assert.throws(
        () => parseFrontier(bad),
        (error: AuditError) => error.code === 'BAD_FRONTIER',
      )
    }
  })
})

describe('an inclusion proof', () => {
  it('is that of the recursive definition, and holds', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size, at) => {
        const index = at % size
        const leaves = forest(size)
        const proof = inclusionProof(index, size, leavesOf(leaves))
        assert.deepEqual(proof, PATH(index, leaves))
        const claim = { index, leaf: leafHash(`leaf ${index}`), proof, head: { size, root: MTH(leaves) } }
        assert.ok(verifyInclusion(claim))
        assert.ok(!verifyInclusion({ ...claim, leaf: leafHash('other') }))
        assert.ok(!verifyInclusion({ ...claim, index: index + 1 }) || size === 1)
        assert.ok(!verifyInclusion({ ...claim, proof: [...proof, leafHash('more')] }))
        assert.ok(proof.length === 0 || !verifyInclusion({ ...claim, proof: proof.slice(1) }))
        assert.ok(!verifyInclusion({ ...claim, head: { size, root: leafHash('other') } }))
      }),
    )
  })
  it('is the one of the vectors', () => {
    const proof = inclusionProof(5, 8, leavesOf(HASHES)).map((one) => Buffer.from(one).toString('hex'))
    assert.deepEqual(proof, [
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
  })
  it('is not given of what is not there', () => {
    for (const [index, size] of [
      [0, 0],
      [8, 8],
      [-1, 8],
      [0.5, 8],
    ] as const) {
      assert.throws(() => inclusionProof(index, size, leavesOf(HASHES)), AuditError)
    }
  })
})

describe('a consistency proof', () => {
  it('is that of the recursive definition, and holds', () => {
    fc.assert(
      fc.property(sizes, fc.nat(), (size, at) => {
        const first = (at % size) + 1
        const leaves = forest(size)
        const proof = consistencyProof(first, size, leavesOf(leaves))
        assert.deepEqual(proof, SUBPROOF(first, leaves, true))
        const claim = {
          first: { size: first, root: MTH(leaves.slice(0, first)) },
          second: { size, root: MTH(leaves) },
          proof,
        }
        assert.ok(verifyConsistency(claim))
        assert.ok(!verifyConsistency({ ...claim, proof: [...proof, leafHash('more')] }))
        assert.ok(!verifyConsistency({ ...claim, first: { size: first, root: leafHash('other') } }))
        assert.ok(!verifyConsistency({ ...claim, second: { size, root: leafHash('other') } }))
        assert.ok(proof.length === 0 || !verifyConsistency({ ...claim, proof: proof.slice(1) }))
      }),
    )
  })
  it('from nothing is empty, and holds for the empty root alone', () => {
    const second = { size: 3, root: MTH(forest(3)) }
    assert.deepEqual(consistencyProof(0, 3, leavesOf(forest(3))), [])
    assert.ok(verifyConsistency({ first: { size: 0, root: root(EMPTY) }, second, proof: [] }))
    assert.ok(!verifyConsistency({ first: { size: 0, root: leafHash('x') }, second, proof: [] }))
  })
  it('does not run backwards', () => {
    assert.throws(() => consistencyProof(4, 3, leavesOf(HASHES)), AuditError)
    const head = { size: 3, root: MTH(forest(3)) }
    assert.ok(!verifyConsistency({ first: { ...head, size: 4 }, second: head, proof: [] }))
  })
  it('takes hashes of 32 bytes alone', () => {
    const head = { size: 2, root: MTH(forest(2)) }
    assert.ok(!verifyConsistency({ first: { ...head, size: 1 }, second: head, proof: [Buffer.alloc(33)] }))
    assert.ok(!verifyInclusion({ index: 0, leaf: leafHash('leaf 0'), proof: [Buffer.alloc(64)], head }))
  })
})
