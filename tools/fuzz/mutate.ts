// Broken files out of whole ones. Everything comes out of one seed, so that a number names a case.

/** A stream of pseudo-random numbers (mulberry32); `below(n)` is an integer in [0, n). */
export type Random = { readonly below: (bound: number) => number }

export function random(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return { below: (bound) => (bound <= 1 ? 0 : next() % bound) }
}

/** The case `index` of a campaign: neighbours share nothing. */
export function randomOf(seed: number, index: number): Random {
  return random(Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35))
}

export type Mutation = (bytes: Uint8Array, dice: Random, corpus: readonly Uint8Array[]) => Uint8Array

/** Inputs grow by splices and copies; past this they say nothing new and cost time. */
const MAX_BYTES = 64 * 1024
const MAX_COPIES = 64

const LENGTHS = [
  0, 1, 2, 3, 4, 7, 8, 12, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
  0xfffffffe, 0xffffffff,
] // biome-ignore format: one row

const ITEM = [0xfe, 0xff, 0x00, 0xe0]
const ITEM_END = [0xfe, 0xff, 0x0d, 0xe0, 0, 0, 0, 0]
const SEQUENCE_END = [0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]
const UNDEFINED = [0xff, 0xff, 0xff, 0xff]

/** Structure in both encodings: what a parser must not trust. */
const TOKENS: readonly (readonly number[])[] = [
  [...ITEM, ...UNDEFINED],
  [...ITEM, 0, 0, 0, 0],
  [...ITEM, 16, 0, 0, 0],
  ITEM_END,
  SEQUENCE_END,
  [0xff, 0xfe, 0xe0, 0x00, ...UNDEFINED],
  [0xff, 0xfe, 0xe0, 0xdd, 0, 0, 0, 0],
  [0x40, 0x00, 0x30, 0xa7, 0x53, 0x51, 0, 0, ...UNDEFINED, ...ITEM, ...UNDEFINED],
  [0x40, 0x00, 0x30, 0xa7, ...UNDEFINED, ...ITEM, ...UNDEFINED],
  [0x40, 0x00, 0x30, 0xa7, 0x55, 0x4e, 0, 0, ...UNDEFINED, ...ITEM, ...UNDEFINED],
  [0x40, 0x00, 0x30, 0xa7, 0x55, 0x4e, 0, 0, 24, 0, 0, 0],
  [0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, ...UNDEFINED, ...ITEM, 0, 0, 0, 0],
  [0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x57, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4],
  [0x08, 0x00, 0x05, 0x00, 0x43, 0x53, 0x10, 0x00],
  [0x09, 0x00, 0x10, 0x00, 0x4c, 0x4f, 0x04, 0x00, 0x41, 0x43, 0x4d, 0x45],
]

const flip: Mutation = (bytes, dice) => {
  const out = bytes.slice()
  for (let count = dice.below(8); count >= 0; count -= 1) {
    const at = dice.below(out.length)
    out[at] = (out[at] ?? 0) ^ (1 << dice.below(8))
  }
  return out
}

const overwrite: Mutation = (bytes, dice) => {
  const out = bytes.slice()
  for (let count = dice.below(4); count >= 0; count -= 1) out[dice.below(out.length)] = dice.below(256)
  return out
}

/** A length, in either width and order, where one may stand: most values are even, so are most places. */
const length: Mutation = (bytes, dice) => {
  const out = bytes.slice()
  const at = dice.below(out.length) & ~1
  const value = dice.below(4) === 0 ? dice.below(out.length * 2) : (LENGTHS[dice.below(LENGTHS.length)] ?? 0)
  const view = new DataView(out.buffer, out.byteOffset, out.length)
  const little = dice.below(4) !== 0
  if (dice.below(2) === 0 && at + 4 <= out.length) view.setUint32(at, value, little)
  else if (at + 2 <= out.length) view.setUint16(at, value & 0xffff, little)
  return out
}

const truncate: Mutation = (bytes, dice) => bytes.slice(0, dice.below(bytes.length))

const remove: Mutation = (bytes, dice) => {
  const at = dice.below(bytes.length)
  return joined([bytes.subarray(0, at), bytes.subarray(at + 1 + dice.below(64))])
}

const splice: Mutation = (bytes, dice, corpus) => {
  const other = corpus[dice.below(corpus.length)] ?? bytes
  return joined([bytes.subarray(0, dice.below(bytes.length)), other.subarray(dice.below(other.length))])
}

const duplicate: Mutation = (bytes, dice) => {
  const at = dice.below(bytes.length) & ~1
  const chunk = bytes.subarray(at, at + 1 + dice.below(256))
  const copies = Array.from({ length: 1 + (dice.below(4) === 0 ? dice.below(MAX_COPIES) : 0) }, () => chunk)
  return joined([bytes.subarray(0, at), ...copies, bytes.subarray(at)])
}

const insert: Mutation = (bytes, dice) => {
  const at = dice.below(bytes.length) & ~1
  const token = Uint8Array.from(TOKENS[dice.below(TOKENS.length)] ?? [])
  const copies = Array.from({ length: 1 + (dice.below(8) === 0 ? dice.below(MAX_COPIES) : 0) }, () => token)
  return joined([bytes.subarray(0, at), ...copies, bytes.subarray(at)])
}

/** A VR, known or not, where four bytes look like a tag. */
const retype: Mutation = (bytes, dice) => {
  const out = bytes.slice()
  const vrs = ['SQ', 'UN', 'OB', 'OW', 'UT', 'LO', 'US', 'AT', 'FD', 'OV', '  ']
  const vr = vrs[dice.below(vrs.length)] ?? 'UN'
  const at = dice.below(out.length) & ~1
  out[at] = vr.charCodeAt(0)
  if (at + 1 < out.length) out[at + 1] = vr.charCodeAt(1)
  return out
}

const MUTATIONS = [
  flip,
  overwrite,
  length,
  length,
  truncate,
  remove,
  splice,
  duplicate,
  insert,
  insert,
  retype,
]

/** One to four mutations of one file. */
export function mutated(corpus: readonly Uint8Array[], dice: Random): Uint8Array {
  let bytes = corpus[dice.below(corpus.length)] ?? new Uint8Array(0)
  for (let count = dice.below(4); count >= 0; count -= 1) {
    const mutation = MUTATIONS[dice.below(MUTATIONS.length)] ?? flip
    if (bytes.length > 0) bytes = mutation(bytes, dice, corpus).subarray(0, MAX_BYTES)
  }
  return bytes
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(chunks))
}
