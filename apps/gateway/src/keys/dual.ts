// Two custodians, or more: no one of them can unwrap a key, and all but one of them together know nothing of it.
//
//   data key = part 1 ⊕ part 2 ⊕ …      each part random by itself, each wrapped by its own provider
//
// A split and not a nested wrap: nested, the inner custodian's compromise and a copy of the outer one's answer are
// enough, and the order of the two would matter in an incident.

import { randomBytes } from 'node:crypto'
import { CustodyError } from './errors.ts'
import { asDataKey, assertOwn, type KeyProvider, parseWrapped, type Status, wrappedText } from './provider.ts'

const PART = Buffer.from('part', 'ascii')
/** A ceremony of more is one that nobody can hold. */
const MAX_CUSTODIANS = 8

export function dualProvider(custodians: readonly KeyProvider[]): KeyProvider {
  const ids = custodians.map(({ id }) => id)
  const distinct = new Set(ids).size === ids.length
  if (ids.length < 2 || ids.length > MAX_CUSTODIANS || !distinct) {
    throw new RangeError('two to eight different custodians')
  }
  const id = `dual:${ids.join('+')}`
  const describe = async () =>
    statusOf(id, await Promise.all(custodians.map((custodian) => custodian.describe())))
  return {
    kind: 'dual',
    id,
    describe,
    wrap: async (dataKey, aad) => {
      const parts = split(dataKey, custodians.length)
      try {
        const wraps = await Promise.all(
          custodians.map((one, i) => one.wrap(at(parts, i), partAad(aad, i, parts.length))),
        )
        const bytes = Buffer.from(wraps.map(wrappedText).join('\n'), 'utf8')
        return { provider: id, kek: joined(wraps.map(({ kek }) => kek)), bytes }
      } finally {
        for (const part of parts) part.fill(0)
      }
    },
    unwrap: async (wrapped, aad) => {
      assertOwn(wrapped, id)
      const wraps = wrapped.bytes.toString('utf8').split('\n').map(parseWrapped)
      if (wraps.length !== custodians.length)
        throw new CustodyError('CORRUPT', 'a part of the key is missing')
      const results = await Promise.allSettled(
        custodians.map((one, i) => one.unwrap(at(wraps, i), partAad(aad, i, wraps.length))),
      )
      return combined(results)
    },
    rotate: async () => {
      // One after the other: a failure leaves those before it rotated, which does no harm.
      for (const custodian of custodians) await custodian.rotate()
      return await describe()
    },
    close: async () => {
      await Promise.all(custodians.map((custodian) => custodian.close()))
    },
  }
}

function split(dataKey: Buffer, count: number): readonly Buffer[] {
  const parts = Array.from({ length: count - 1 }, () => randomBytes(dataKey.length))
  return [...parts, xor([dataKey, ...parts])]
}

function combined(results: readonly PromiseSettledResult<Buffer>[]): Buffer {
  const parts = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  try {
    for (const result of results) if (result.status === 'rejected') throw result.reason
    return asDataKey(xor(parts))
  } finally {
    for (const part of parts) part.fill(0)
  }
}

function xor(parts: readonly Buffer[]): Buffer {
  const sum = Buffer.from(at(parts, 0))
  for (const part of parts.slice(1)) {
    if (part.length !== sum.length) throw new CustodyError('CORRUPT', 'parts of different lengths')
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) ^ (part[i] ?? 0)
  }
  return sum
}

/** aad ‖ "part" ‖ number ‖ how many: a part is good in its own place only. */
function partAad(aad: Buffer, index: number, count: number): Buffer {
  return Buffer.concat([aad, PART, Buffer.from([index, count])])
}

function statusOf(id: string, statuses: readonly Status[]): Status {
  const kek = joined(statuses.map((status) => status.kek))
  const where = statuses.map((status) => status.where).join(' and ')
  return { kind: 'dual', id, kek, versions: [{ kek }], where }
}

function joined(keks: readonly string[]): string {
  return keks.join('+')
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new RangeError('no such part')
  return item
}
