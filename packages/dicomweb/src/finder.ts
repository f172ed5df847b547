// A delimiter in bytes: Horspool's search, which steps over a delimiter's length at a time.
//
// The first byte, CR, occurs nowhere else in the needle. So a candidate is compared from its front: what matches holds
// no other CR, no byte is compared in two candidates, and no input makes the search quadratic.

import { WebError } from './errors.ts'

export const NOT_FOUND = -1

export type Finder = {
  readonly length: number
  /** Where the whole needle stands, or NOT_FOUND. */
  readonly search: (bytes: Uint8Array, from: number) => number
  /** How many bytes from `from` on continue a needle of which `seen` bytes have been seen. */
  readonly matchFrom: (bytes: Uint8Array, from: number, seen: number) => number
  /** How many bytes at the end may be the beginning of a needle. */
  readonly partialAtEnd: (bytes: Uint8Array, from: number) => number
  /** A copy of its own bytes [start, end). */
  readonly prefix: (start: number, end: number) => Uint8Array
}

/** RFC 2046 5.1.1: 1 to 70 characters of bchars, the last no space. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/
const CR = 0x0d

export function isBoundary(text: string): boolean {
  return BOUNDARY.test(text)
}

/** @throws WebError BAD_MULTIPART where the boundary is none. */
export function finderOf(boundary: string): Finder {
  if (!isBoundary(boundary)) throw new WebError('BAD_MULTIPART', 'a boundary that RFC 2046 does not allow')
  const needle = new TextEncoder().encode(`\r\n--${boundary}`)
  const { length } = needle
  const skips = new Uint8Array(256).fill(length)
  for (let at = 0; at < length - 1; at += 1) skips[needle[at] ?? 0] = length - 1 - at
  const last = needle[length - 1]

  const matchFrom = (bytes: Uint8Array, from: number, seen: number): number => {
    let count = 0
    while (
      seen + count < length &&
      from + count < bytes.length &&
      bytes[from + count] === needle[seen + count]
    )
      count += 1
    return count
  }
  return {
    length,
    search: (bytes, from) => {
      const final = bytes.length - 1
      for (let end = from + length - 1; end <= final; ) {
        const byte = bytes[end] ?? 0
        if (
          byte === last &&
          bytes[end - length + 1] === CR &&
          matchFrom(bytes, end - length + 1, 0) === length
        )
          return end - length + 1
        end += skips[byte] ?? 1
      }
      return NOT_FOUND
    },
    matchFrom,
    partialAtEnd: (bytes, from) => {
      const earliest = Math.max(from, bytes.length - length + 1)
      const at = bytes.subarray(earliest).lastIndexOf(CR)
      if (at === -1) return 0
      const count = bytes.length - earliest - at
      return matchFrom(bytes, earliest + at, 0) === count ? count : 0
    },
    prefix: (start, end) => needle.slice(start, end),
  }
}
