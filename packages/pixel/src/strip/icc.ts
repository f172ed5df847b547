// An ICC profile without its words (ICC.1:2022 7, 10): descriptions, copyright, device names, sequences and what nobody
// knows are blanked where they stand; curves, matrices and tables stay. Bytes that no tag claims are zeroed.
//
//   0 header (128)   128 count   132 { signature offset size }*   tag data: type (4) reserved (4) content

const HEADER = 128
/** More tags than a profile has. */
const MAX_TAGS = 200

/** Types that are numbers and nothing else (10.2 and on). */
const NUMERIC: ReadonlySet<string> = new Set([
  'XYZ ', 'curv', 'para', 'sf32', 'uf32', 'ui08', 'ui16', 'ui32', 'ui64', 'mft1', 'mft2', 'mAB ', 'mBA ', 'sig ', 'view', 'meas', 'chrm', 'clro', 'cicp', 'mpet', 'fl16', 'fl32', 'dtim', 'vcgt',
]) // biome-ignore format: one table

/** The same array where there was nothing to blank. What is no profile at all comes back as nothing but zeros. */
export function blankedProfile(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = bytes.length >= HEADER + 4 ? view.getUint32(HEADER) : 0
  const isProfile = bytes.length >= HEADER + 4 && latin1(bytes, 36) === 'acsp'
  if (!isProfile || count > MAX_TAGS || HEADER + 4 + count * 12 > bytes.length) return out
  const table = HEADER + 4 + count * 12
  out.set(bytes.subarray(0, table))
  for (let at = HEADER + 4; at < table; at += 12) {
    const offset = view.getUint32(at + 4)
    const size = view.getUint32(at + 8)
    if (offset < table || offset + size > bytes.length || size < 8) continue
    const content = bytes.subarray(offset, offset + size)
    out.set(NUMERIC.has(latin1(content, 0)) ? content : blanked(content), offset)
  }
  if (out.every((byte, at) => byte === bytes[at])) return bytes
  // 7.2.18: the profile's MD5, which is no longer its; zero says that it was not computed.
  out.fill(0, 84, 100)
  return out
}

/** A tag of the same type and size that says nothing. */
function blanked(content: Uint8Array): Uint8Array {
  const out = new Uint8Array(content.length)
  out.set(content.subarray(0, 4))
  const type = latin1(content, 0)
  if (type === 'text') out.fill(0x20, 8, out.length - 1)
  // One record that names an empty string (10.15).
  if (type === 'mluc' && out.length >= 28)
    out.set([0, 0, 0, 1, 0, 0, 0, 12, 0x65, 0x6e, 0x55, 0x53, 0, 0, 0, 0, 0, 0, 0, 28], 8)
  // A count of one: the terminating zero (ICC.1:2001 6.5.17).
  if (type === 'desc' && out.length >= 13) out[11] = 1
  return out
}

function latin1(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4))
}
