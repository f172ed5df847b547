// PS3.5 6.2 and 7.1.2: which VRs carry a 32-bit length, which hold text, how wide their numbers are.

import type { Vr } from './model.ts'
import { VRS } from './model.ts'

/** PS3.5 Table 7.1-1: two reserved bytes and a 32-bit length. */
const LONG: ReadonlySet<string> = new Set([
  'OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV',
]) // biome-ignore format: one row

/** Bytes of one number; 1 where there is no byte order. */
const WIDTH: Readonly<Partial<Record<Vr, 1 | 2 | 4 | 8>>> = {
  AT: 2, FD: 8, FL: 4, OD: 8, OF: 4, OL: 4, OV: 8, OW: 2, SL: 4, SS: 2, SV: 8, UL: 4, US: 2, UV: 8,
} // biome-ignore format: one row

/** PS3.5 6.1.2.3: the VRs that (0008,0005) governs. */
const CHARSET: ReadonlySet<string> = new Set(['SH', 'LO', 'ST', 'LT', 'UC', 'UT', 'PN'])

const TEXT: ReadonlySet<string> = new Set([
  'AE', 'AS', 'CS', 'DA', 'DS', 'DT', 'IS', 'LO', 'LT', 'PN', 'SH', 'ST', 'TM', 'UC', 'UI', 'UR', 'UT',
]) // biome-ignore format: one row

/** Text VRs in which a backslash is an ordinary character (PS3.5 6.4). */
const SINGLE: ReadonlySet<string> = new Set(['ST', 'LT', 'UT', 'UR'])

const byBytes = new Map<number, Vr>(VRS.map((vr) => [vr.charCodeAt(0) | (vr.charCodeAt(1) << 8), vr]))

/** The VR that two bytes spell, or undefined. */
export function vrFromBytes(first: number, second: number): Vr | undefined {
  return byBytes.get(first | (second << 8))
}

export function hasLongLength(vr: Vr): boolean {
  return LONG.has(vr)
}

export function numberWidth(vr: Vr): 1 | 2 | 4 | 8 {
  return WIDTH[vr] ?? 1
}

export function isText(vr: Vr): boolean {
  return TEXT.has(vr)
}

export function usesCharset(vr: Vr): boolean {
  return CHARSET.has(vr)
}

export function isSingleValued(vr: Vr): boolean {
  return SINGLE.has(vr)
}

/** The byte that fills an odd value (PS3.5 6.2): NUL for UI and bytes, space for text. */
export function paddingByte(vr: Vr): number {
  return vr === 'UI' || !TEXT.has(vr) ? 0 : 0x20
}
