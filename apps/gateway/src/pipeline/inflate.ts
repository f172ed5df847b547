// Deflate for packages/dicom, which has none of its own.

import { inflateRawSync } from 'node:zlib'

/** Raw deflate with a ceiling (PS3.5 A.5). */
export function inflate(deflated: Uint8Array, maxBytes: number): Uint8Array {
  return inflateRawSync(deflated, { maxOutputLength: maxBytes })
}
