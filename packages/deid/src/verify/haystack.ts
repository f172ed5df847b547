// Finding needles: in decoded text, value by value, and in raw bytes, in the encodings that bytes could be in.

import type { Needle, NeedleKind } from './needles.ts'
import { fold } from './needles.ts'

export type Hit = { readonly kind: NeedleKind; readonly channel: 'text' | 'bytes' | 'utf-16' | 'base64' }

export type Haystack = {
  /** A decoded value. */
  readonly inText: (text: string) => NeedleKind | undefined
  /** A decoded value as a whole, nothing inside it. */
  readonly whole: (text: string) => NeedleKind | undefined
  /** Raw bytes, one character a byte. */
  readonly inBytes: (latin1: string) => Hit | undefined
}

const NEVER = /[^\s\S]/

export function haystackOf(needles: readonly Needle[]): Haystack {
  const whole = new Map<string, NeedleKind>()
  for (const needle of needles) if (needle.form === 'whole') whole.set(needle.text, needle.kind)
  const searched = needles.filter((needle) => needle.form !== 'whole')
  const kindOf = (found: string): NeedleKind =>
    searched.find((needle) => needle.text === found)?.kind ?? 'other'
  // Compiled when first asked for: not every haystack meets bytes.
  const compiled: { text?: RegExp; bytes?: (latin1: string) => Hit | undefined } = {}
  const inside = (folded: string): NeedleKind | undefined => {
    compiled.text ??= searched.length === 0 ? NEVER : new RegExp(alternatives(searched), 'u')
    const match = compiled.text.exec(folded)
    return match ? kindOf(match[0]) : undefined
  }
  return {
    inText: remembering((value) => {
      const folded = fold(value).trim()
      return whole.get(folded) ?? (folded === '' ? undefined : inside(folded))
    }),
    whole: (value) => whole.get(fold(value).trim()),
    inBytes: (latin1) => {
      compiled.bytes ??= bytePattern(searched)
      return compiled.bytes(latin1)
    },
  }
}

/** Distinct texts of a patient remembered: most stand in every instance of a series. */
const MAX_REMEMBERED = 4096
const MAX_LENGTH = 1024

function remembering(
  search: (text: string) => NeedleKind | undefined,
): (text: string) => NeedleKind | undefined {
  const known = new Map<string, NeedleKind | undefined>()
  return (text) => {
    if (text.length > MAX_LENGTH) return search(text)
    const before = known.get(text)
    if (before !== undefined || known.has(text)) return before
    if (known.size >= MAX_REMEMBERED) known.clear()
    const found = search(text)
    known.set(text, found)
    return found
  }
}

function alternatives(needles: readonly Needle[]): string {
  const longestFirst = [...needles].sort((a, b) => b.text.length - a.text.length)
  return longestFirst
    .map(({ text, form }) =>
      form === 'inside' ? literal(text) : `(?<![\\p{L}\\p{N}])${literal(text)}(?![\\p{L}\\p{N}])`,
    )
    .join('|')
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, (character) => `\\${character}`)
}

/** Long enough that chance does not make it in binary data. */
const MIN_BYTES = 6
const DISTINCTIVE = 8

function bytePattern(needles: readonly Needle[]): (latin1: string) => Hit | undefined {
  const forms: { readonly pattern: string; readonly kind: NeedleKind; readonly channel: Hit['channel'] }[] =
    []
  for (const { text, kind } of needles) {
    const utf8 = latin1Of(new TextEncoder().encode(text))
    if (utf8.length < MIN_BYTES) continue
    // A long name is found inside anything; digits meet digits by chance, and short names are parts of words.
    const distinctive = text.length >= DISTINCTIVE && !/\d/.test(text)
    const bounded = distinctive ? literal(utf8) : `(?<![A-Za-z0-9.])${literal(utf8)}(?![A-Za-z0-9])`
    forms.push({ pattern: bounded, kind, channel: 'bytes' })
    for (const little of [true, false])
      forms.push({ pattern: literal(utf16(text, little)), kind, channel: 'utf-16' })
    // The case in a base64 text is the case that was encoded: as written in DICOM names, capitals and title case.
    for (const spelling of new Set([text, text.toUpperCase(), titled(text)])) {
      for (const shifted of base64Forms(spelling))
        forms.push({ pattern: literal(shifted), kind, channel: 'base64' })
    }
  }
  const plain = compile(
    forms.filter((form) => form.channel !== 'base64'),
    'i',
  )
  const base64 = compile(
    forms.filter((form) => form.channel === 'base64'),
    '',
  )
  return (latin1) => plain(latin1) ?? base64(latin1)
}

type Form = { readonly pattern: string; readonly kind: NeedleKind; readonly channel: Hit['channel'] }

function compile(forms: readonly Form[], flags: string): (latin1: string) => Hit | undefined {
  if (forms.length === 0) return () => undefined
  const all = new RegExp(forms.map((form) => form.pattern).join('|'), flags)
  return (latin1) => {
    const match = all.exec(latin1)
    if (!match) return undefined
    const form = forms.find((candidate) => new RegExp(candidate.pattern, flags).test(latin1))
    return { kind: form?.kind ?? 'other', channel: form?.channel ?? 'bytes' }
  }
}

function latin1Of(bytes: Uint8Array): string {
  let out = ''
  for (const byte of bytes) out += character(byte)
  return out
}

/** As latin1() in walk.ts maps bytes: x-user-defined. */
function character(byte: number): string {
  return String.fromCharCode(byte < 0x80 ? byte : byte + 0xf700)
}

function utf16(text: string, little: boolean): string {
  let out = ''
  for (let at = 0; at < text.length; at += 1) {
    const unit = text.charCodeAt(at)
    const [low, high] = [character(unit & 0xff), character(unit >> 8)]
    out += little ? low + high : high + low
  }
  return out
}

function titled(text: string): string {
  return text.replace(/(?<![\p{L}])\p{L}/gu, (letter) => letter.toUpperCase())
}

/** What of a base64 text is the same wherever in the stream the needle starts. */
function base64Forms(text: string): readonly string[] {
  const bytes = new TextEncoder().encode(text)
  if (bytes.length < MIN_BYTES + 1) return []
  return [0, 1, 2].map((shift) => {
    const shifted = new Uint8Array(bytes.length + shift)
    shifted.set(bytes, shift)
    const encoded = btoa(String.fromCharCode(...shifted))
    const from = Math.ceil((shift * 8) / 6)
    const to = Math.floor((shifted.length * 8) / 6)
    return encoded.slice(from, to)
  })
}
