// The 128 bytes before DICM may be a program (CVE-2019-11687). Such a preamble is zeroed and what it was is recorded;
// every other one, TIFF's included, stays byte for byte.

export const PREAMBLE_BYTES = 128

const PROGRAMS: readonly (readonly [string, readonly number[]])[] = [
  ['MZ', [0x4d, 0x5a]],
  ['ELF', [0x7f, 0x45, 0x4c, 0x46]],
  ['script', [0x23, 0x21]],
  ['Mach-O', [0xfe, 0xed, 0xfa, 0xce]],
  ['Mach-O', [0xfe, 0xed, 0xfa, 0xcf]],
  ['Mach-O', [0xce, 0xfa, 0xed, 0xfe]],
  ['Mach-O', [0xcf, 0xfa, 0xed, 0xfe]],
  ['Java or fat Mach-O', [0xca, 0xfe, 0xba, 0xbe]],
  ['WebAssembly', [0x00, 0x61, 0x73, 0x6d]],
]

/** What kind of program the file would be; undefined for none. */
export function programOf(head: Uint8Array): string | undefined {
  const isPart10 =
    Buffer.from(head.subarray(PREAMBLE_BYTES, PREAMBLE_BYTES + 4)).toString('latin1') === 'DICM'
  if (!isPart10) return undefined
  return PROGRAMS.find(([, magic]) => magic.every((byte, at) => head[at] === byte))?.[0]
}
