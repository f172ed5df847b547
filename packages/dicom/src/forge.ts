// Files made byte by byte, for tests: it shares no code with the writer, and it may lie about any length.
//
//   const le = forge({ explicit: true, bigEndian: false })
//   part10(EXPLICIT, le.element(0x00100010, 'PN', 'A^B '), le.sequence(0x00081140, [le.item()]))

import type { Encoding } from './model.ts'

export const IMPLICIT = '1.2.840.10008.1.2'
export const EXPLICIT = '1.2.840.10008.1.2.1'
export const DEFLATED = '1.2.840.10008.1.2.1.99'
export const BIG_ENDIAN = '1.2.840.10008.1.2.2'
export const JPEG_BASELINE = '1.2.840.10008.1.2.4.50'
export const UNDEFINED = 0xffffffff

type Content = string | Uint8Array
/** A value under a length that is not its own. */
type Claim = { readonly value: Content; readonly claims: number }

export type Forge = {
  readonly u16: (value: number) => Uint8Array
  readonly u32: (value: number) => Uint8Array
  readonly element: (t: number, vr: string, value?: Content | Claim) => Uint8Array
  readonly item: (...content: readonly Uint8Array[]) => Uint8Array
  /** Of undefined length, closed by its delimiter. */
  readonly openItem: (...content: readonly Uint8Array[]) => Uint8Array
  readonly sequence: (t: number, items: readonly Uint8Array[]) => Uint8Array
  readonly openSequence: (t: number, items: readonly Uint8Array[], vr?: string) => Uint8Array
  /** Encapsulated pixel data of these items, the offset table first. */
  readonly frames: (t: number, items: readonly Uint8Array[]) => Uint8Array
  /** FFFE,E000 | E00D | E0DD and its length. */
  readonly delimiter: (element: number, length: number) => Uint8Array
}

const LONG = /^(?:O[BDFLVW]|S[QV]|U[CNRTV])$/

export function forge({ explicit, bigEndian }: Encoding): Forge {
  const u16 = (value: number) => number(value, 2, bigEndian)
  const u32 = (value: number) => number(value, 4, bigEndian)
  const delimiter = (element: number, length: number) => join(u16(0xfffe), u16(element), u32(length))
  const head = (t: number, vr: string, length: number): Uint8Array => {
    const tagBytes = join(u16(t >>> 16), u16(t & 0xffff))
    if (!explicit) return join(tagBytes, u32(length))
    if (LONG.test(vr)) return join(tagBytes, ascii(vr), u16(0), u32(length))
    return join(tagBytes, ascii(vr), u16(length))
  }
  const element: Forge['element'] = (t, vr, content = '') => {
    const isClaim = typeof content === 'object' && 'claims' in content
    const value = isClaim ? content.value : content
    const bytes = typeof value === 'string' ? ascii(value) : value
    return join(head(t, vr, isClaim ? content.claims : bytes.length), bytes)
  }
  const open = (t: number, vr: string, items: readonly Uint8Array[]) =>
    join(head(t, vr, UNDEFINED), ...items, delimiter(0xe0dd, 0))
  return {
    u16,
    u32,
    delimiter,
    element,
    item: (...content) => join(delimiter(0xe000, join(...content).length), ...content),
    openItem: (...content) => join(delimiter(0xe000, UNDEFINED), ...content, delimiter(0xe00d, 0)),
    sequence: (t, items) => element(t, 'SQ', join(...items)),
    openSequence: (t, items, vr = 'SQ') => open(t, vr, items),
    frames: (t, items) =>
      open(
        t,
        'OB',
        items.map((item) => join(delimiter(0xe000, item.length), item)),
      ),
  }
}

/** Preamble, group 0002 and what follows. */
export function part10(transferSyntax: string, ...body: readonly Uint8Array[]): Uint8Array {
  const le = forge({ explicit: true, bigEndian: false })
  const meta = le.element(0x00020010, 'UI', even(transferSyntax, '\0'))
  const length = le.element(0x00020000, 'UL', le.u32(meta.length))
  return join(new Uint8Array(128), ascii('DICM'), length, meta, ...body)
}

export function even(value: string, padding = ' '): string {
  return value.length % 2 === 0 ? value : value + padding
}

export function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

export function join(...chunks: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    out.set(chunk, at)
    at += chunk.length
  }
  return out
}

function number(value: number, width: 2 | 4, bigEndian: boolean): Uint8Array {
  const out = new Uint8Array(width)
  const view = new DataView(out.buffer)
  if (width === 2) view.setUint16(0, value, !bigEndian)
  else view.setUint32(0, value, !bigEndian)
  return out
}
