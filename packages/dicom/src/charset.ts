// Bytes of a text value ↔ Unicode, as (0008,0005) Specific Character Set says (PS3.3 C.12.1.1.2, PS3.5 6.1).
//
//   terms ─repertoireOf→ Repertoire ─decode→ { text, clean }
//                                   ─encode→ bytes
//
// Three families: ISO 2022 with its single-byte special case, UTF-8, and GB18030 with GBK. Bad bytes never throw: they
// become U+FFFD and the answer is not clean. Text in plain ASCII, nearly all there is, takes none of this.

import type { CodeSet } from './charset-tables.ts'
import { ASCII, ESCAPES, gbBytes, LATIN1, ROMAJI, reverseOf, TERMS } from './charset-tables.ts'
import type { Vr } from './model.ts'
import { isSingleValued } from './vr.ts'

export type Decoded = { readonly text: string; readonly clean: boolean }

type Iso2022 = {
  readonly kind: 'iso-2022'
  /** In force at the start and after each delimiter. */
  readonly g0: CodeSet
  readonly g1: CodeSet | undefined
  /** For high bytes where nothing is designated: writers that leave out the escape mean the set they listed. */
  readonly assumedG1: CodeSet | undefined
  /** All the sets of all the terms, in their order. */
  readonly listed: readonly CodeSet[]
  /** Whether escape sequences may be written. */
  readonly extended: boolean
  /** False where a term is none that the standard defines. */
  readonly known: boolean
}

type Repertoire =
  | Iso2022
  | { readonly kind: 'utf-8' }
  /** GBK is GB18030 without its four-byte codes. */
  | { readonly kind: 'gb'; readonly fourBytes: boolean }

const ESC = 0x1b
const BACKSLASH = 0x5c
const CARET = 0x5e
const EQUALS = 0x3d
const TILDE = 0x7e
const REPLACEMENT = '\uFFFD'

/** Text of a value. Not clean: bytes that are no character became U+FFFD, or a term is not one of the standard's. */
export function decodeText(bytes: Uint8Array, charset: readonly string[], vr?: Vr): Decoded {
  const plain = plainText(bytes, charset)
  if (plain !== undefined) return { text: plain, clean: true }
  const repertoire = repertoireOf(charset)
  switch (repertoire.kind) {
    case 'utf-8':
      return decodeWeb(bytes, 'utf-8')
    case 'gb':
      return decodeWeb(bytes, 'gb18030')
    case 'iso-2022': {
      if (repertoire.known) return new Iso2022Reader(bytes, repertoire, vr).read()
      const guess = bytes.includes(ESC) ? undefined : strict('utf-8', bytes)
      return { text: guess ?? new Iso2022Reader(bytes, repertoire, vr).read().text, clean: false }
    }
    default:
      return repertoire satisfies never
  }
}

/** Bytes of a text, without padding; undefined where the character set cannot express it. */
export function encodeText(text: string, charset: readonly string[], vr?: Vr): Uint8Array | undefined {
  const plain = plainBytes(text, charset)
  if (plain) return plain
  const repertoire = repertoireOf(charset)
  switch (repertoire.kind) {
    case 'utf-8':
      return /\p{Surrogate}/u.test(text) ? undefined : new TextEncoder().encode(text)
    case 'gb':
      return encodeGb(text, repertoire.fourBytes)
    case 'iso-2022':
      return repertoire.known ? new Iso2022Writer(repertoire, vr).write(text) : undefined
    default:
      return repertoire satisfies never
  }
}

/** The values of a multi-valued VR, undecoded: cut at 0x5C where that is a backslash and no half of a character. */
export function splitValues(bytes: Uint8Array, charset: readonly string[], vr: Vr): readonly Uint8Array[] {
  if (isSingleValued(vr) || !bytes.includes(BACKSLASH)) return [bytes]
  const cuts = backslashes(bytes, repertoireOf(charset), vr)
  return [-1, ...cuts].map((cut, index) => bytes.subarray(cut + 1, cuts[index] ?? bytes.length))
}

function backslashes(bytes: Uint8Array, repertoire: Repertoire, vr: Vr): readonly number[] {
  if (repertoire.kind === 'iso-2022' && bytes.includes(ESC)) {
    const reader = new Iso2022Reader(bytes, repertoire, vr)
    reader.read()
    return reader.backslashes
  }
  const cuts: number[] = []
  const step = repertoire.kind === 'gb' ? gbLength : () => 1
  for (let at = 0; at < bytes.length; at += step(bytes, at)) if (bytes[at] === BACKSLASH) cuts.push(at)
  return cuts
}

/** Every set has ASCII as its lower half, but for the overline of JIS X 0201. */
function plainText(bytes: Uint8Array, charset: readonly string[]): string | undefined {
  let text = ''
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte >= 0x80 || byte === ESC || (byte === TILDE && usesRomaji(charset))) return undefined
    text += String.fromCharCode(byte)
  }
  return text
}

function plainBytes(text: string, charset: readonly string[]): Uint8Array | undefined {
  const bytes = new Uint8Array(text.length)
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code >= 0x80 || code === ESC || (code === TILDE && usesRomaji(charset))) return undefined
    bytes[at] = code
  }
  return bytes
}

function usesRomaji(charset: readonly string[]): boolean {
  if (charset.length === 0) return false
  const repertoire = repertoireOf(charset)
  return repertoire.kind === 'iso-2022' && repertoire.g0 === ROMAJI
}

// ---- terms

/** A data set repeats a handful; a hostile one must not fill memory. */
const MAX_KNOWN = 256
const repertoires = new Map<string, Repertoire>()

function repertoireOf(charset: readonly string[]): Repertoire {
  const key = charset.join('\\')
  const known = repertoires.get(key)
  if (known) return known
  const made = makeRepertoire(key.split('\\').map(parseTerm))
  if (repertoires.size >= MAX_KNOWN) repertoires.clear()
  repertoires.set(key, made)
  return made
}

type Term =
  | { readonly kind: 'sets'; readonly sets: readonly CodeSet[]; readonly extended: boolean }
  | Exclude<Repertoire, Iso2022>
  | undefined

const ISO_IR = /^(?:ISO)?[\s_-]*(2022)?[\s_-]*(?:IR)?[\s_-]*(\d{1,3})$/
const ISO_8859 = /^ISO[\s_-]*8859[\s_-]*(\d{1,2})$/
const IR_OF_8859: readonly (number | undefined)[] = [
  undefined, 100, 101, 109, 110, 144, 127, 126, 138, 148, undefined, 166, undefined, undefined, undefined, 203,
] // biome-ignore format: one row

/** The defined terms, and the misspellings of them that are met. */
function parseTerm(raw: string): Term {
  const term = raw.replaceAll('\0', ' ').trim().toUpperCase()
  if (term === '' || /^(?:US[\s_-]*)?ASCII$/.test(term))
    return { kind: 'sets', sets: [ASCII], extended: false }
  if (/^UTF[\s_-]*8$/.test(term)) return { kind: 'utf-8' }
  if (/^GB[\s_-]*18030$/.test(term)) return { kind: 'gb', fourBytes: true }
  if (/^(?:GBK|GB[\s_-]*2312)$/.test(term)) return { kind: 'gb', fourBytes: false }
  const ir = ISO_IR.exec(term)
  const part = /^LATIN[\s_-]*1$/.test(term) ? '1' : ISO_8859.exec(term)?.[1]
  const number = part === undefined ? Number(ir?.[2]) : (IR_OF_8859[Number(part)] ?? 0)
  if (number === 192) return { kind: 'utf-8' }
  const sets = TERMS.get(number)
  return sets && { kind: 'sets', sets, extended: ir?.[1] !== undefined }
}

function makeRepertoire(terms: readonly Term[]): Repertoire {
  const [first] = terms
  // PS3.3 C.12.1.1.2: these stand alone, whatever is listed after them.
  if (first && first.kind !== 'sets') return first
  const sets = terms.map((term) => (term?.kind === 'sets' ? term.sets : undefined))
  const listed = sets.flatMap((each) => each ?? [])
  const initial = first ? first.sets.filter((set) => set.bytes === 1) : [ASCII, LATIN1]
  const g1 = initial.find((set) => set.half === 'G1')
  return {
    kind: 'iso-2022',
    g0: initial.find((set) => set.half === 'G0') ?? ASCII,
    g1,
    assumedG1: g1 ?? listed.find((set) => set.half === 'G1'),
    listed,
    extended: terms.length > 1 || first?.extended === true,
    known: sets.every((each) => each !== undefined),
  }
}

// ---- UTF-8, GB18030, GBK

function decodeWeb(bytes: Uint8Array, label: 'utf-8' | 'gb18030'): Decoded {
  const text = strict(label, bytes)
  // PS3.5 6.1.3: ESC serves code extension alone, and these sets have none.
  if (text !== undefined) return { text, clean: !bytes.includes(ESC) }
  return { text: new TextDecoder(label, { ignoreBOM: true }).decode(bytes), clean: false }
}

const decoders = new Map<string, TextDecoder>()

function strict(label: string, bytes: Uint8Array): string | undefined {
  const decoder = decoders.get(label) ?? new TextDecoder(label, { fatal: true, ignoreBOM: true })
  decoders.set(label, decoder)
  try {
    return decoder.decode(bytes)
  } catch {
    return undefined
  }
}

/** Bytes of the character at `at`; 1 where the lead byte has no right continuation, as TextDecoder resumes. */
function gbLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0
  const second = bytes[at + 1] ?? 0
  if (lead < 0x81 || lead > 0xfe) return 1
  if (second >= 0x30 && second <= 0x39) {
    const third = bytes[at + 2] ?? 0
    const fourth = bytes[at + 3] ?? 0
    return third >= 0x81 && third <= 0xfe && fourth >= 0x30 && fourth <= 0x39 ? 4 : 1
  }
  return second >= 0x40 && second <= 0xfe && second !== 0x7f ? 2 : 1
}

function encodeGb(text: string, fourBytes: boolean): Uint8Array | undefined {
  const out: number[] = []
  for (const char of text) {
    const bytes = char < '\x80' ? [char.charCodeAt(0)] : gbBytes(char)
    if (!bytes || (bytes.length === 4 && !fourBytes)) return undefined
    out.push(...bytes)
  }
  return Uint8Array.from(out)
}

// ---- ISO 2022

/** PS3.5 6.1.2.5.3: what returns a value to the initial state. */
function isDelimiter(code: number, vr: Vr | undefined): boolean {
  switch (code) {
    case 0x09:
    case 0x0a:
    case 0x0c:
    case 0x0d:
      return true
    case BACKSLASH:
      return vr === undefined || !isSingleValued(vr)
    case CARET:
    case EQUALS:
      return vr === 'PN'
    default:
      return false
  }
}

/** The state machine of PS3.5 6.1.2.5 over one value, read once. */
class Iso2022Reader {
  readonly backslashes: number[] = []
  readonly #bytes: Uint8Array
  readonly #from: Iso2022
  readonly #vr: Vr | undefined
  #g0: CodeSet
  #g1: CodeSet | undefined
  #text = ''
  #clean = true

  constructor(bytes: Uint8Array, from: Iso2022, vr: Vr | undefined) {
    this.#bytes = bytes
    this.#from = from
    this.#vr = vr
    this.#g0 = from.g0
    this.#g1 = from.assumedG1
  }

  read(): Decoded {
    let at = 0
    while (at < this.#bytes.length) at += this.#step(at)
    return { text: this.#text, clean: this.#clean }
  }

  /** Takes one escape, delimiter or character; answers how many bytes it was. */
  #step(at: number): number {
    const byte = this.#bytes[at] ?? 0
    if (byte === ESC) return this.#escape(at)
    if (byte >= 0x80) return byte < 0xa0 ? this.#bad() : this.#character(at, this.#g1)
    const single = this.#g0 === ASCII || this.#g0 === ROMAJI
    if (byte <= 0x20 || byte === 0x7f || (single && isDelimiter(byte, this.#vr))) return this.#plain(at, byte)
    return this.#character(at, this.#g0)
  }

  #plain(at: number, byte: number): number {
    this.#text += String.fromCharCode(byte)
    if (!isDelimiter(byte, this.#vr)) return 1
    if (byte === BACKSLASH) this.backslashes.push(at)
    this.#g0 = this.#from.g0
    this.#g1 = this.#from.assumedG1
    return 1
  }

  #escape(at: number): number {
    for (const length of [2, 3]) {
      const found = ESCAPES.get(String.fromCharCode(...this.#bytes.subarray(at + 1, at + 1 + length)))
      if (!found) continue
      if (found.half === 'G0') this.#g0 = found.set
      else this.#g1 = found.set
      return 1 + length
    }
    return this.#bad()
  }

  #character(at: number, set: CodeSet | undefined): number {
    const first = this.#bytes[at] ?? 0
    if (!set) return this.#bad()
    if (set.bytes === 1) {
      const char = set.cells()[(first & 0x7f) - 0x20]
      return char ? this.#take(char, 1) : this.#bad()
    }
    const second = this.#bytes[at + 1] ?? 0
    const low = second & 0x7f
    if ((first & 0x7f) === 0x20 || (first & 0x7f) === 0x7f) return this.#bad()
    if ((second & 0x80) !== (first & 0x80) || low < 0x21 || low > 0x7e) return this.#unpaired(at, first)
    const char = set.cells()[((first & 0x7f) - 0x21) * 94 + low - 0x21]
    return char ? this.#take(char, 2) : this.#bad(2)
  }

  /** Half a character. Where it looks like a delimiter, the writer forgot to return to ASCII before it. */
  #unpaired(at: number, byte: number): number {
    if (!isDelimiter(byte, this.#vr)) return this.#bad()
    this.#clean = false
    return this.#plain(at, byte)
  }

  #take(char: string, length: number): number {
    this.#text += char
    return length
  }

  #bad(length = 1): number {
    this.#clean = false
    return this.#take(REPLACEMENT, length)
  }
}

/** The same machine the other way: designates what a character needs, and returns before each delimiter and the end. */
class Iso2022Writer {
  readonly #to: Iso2022
  readonly #vr: Vr | undefined
  #g0: CodeSet
  #g1: CodeSet | undefined
  #out: number[] = []

  constructor(to: Iso2022, vr: Vr | undefined) {
    this.#to = to
    this.#vr = vr
    this.#g0 = to.g0
    this.#g1 = to.g1
  }

  write(text: string): Uint8Array | undefined {
    for (const char of text) if (!this.#character(char)) return undefined
    this.#initial()
    return Uint8Array.from(this.#out)
  }

  #character(char: string): boolean {
    const code = char.codePointAt(0) ?? 0
    if (code === ESC) return false
    if (isDelimiter(code, this.#vr)) this.#initial()
    else if (code <= 0x20 || code === 0x7f) this.#designate(this.#to.g0)
    else {
      const set = this.#setFor(char)
      if (set) this.#designate(set)
      return set !== undefined && this.#put(reverseOf(set).get(char) ?? 0, set)
    }
    this.#out.push(code)
    return true
  }

  /** What is in force, then what is in force initially, then what is listed. */
  #setFor(char: string): CodeSet | undefined {
    const active = [this.#g0, this.#g1, this.#to.g0, this.#to.g1]
    const sets = this.#to.extended ? [...active, ...this.#to.listed] : active
    return sets.find((set) => set && reverseOf(set).has(char))
  }

  #put(code: number, set: CodeSet): boolean {
    const high = set.half === 'G1' ? 0x80 : 0
    if (set.bytes === 2) this.#out.push((code >>> 8) | high)
    this.#out.push((code & 0xff) | high)
    return true
  }

  #designate(set: CodeSet): void {
    if (set === this.#g0 || set === this.#g1) return
    this.#out.push(ESC, ...[...set.escape].map((char) => char.charCodeAt(0)))
    if (set.half === 'G0') this.#g0 = set
    else this.#g1 = set
  }

  #initial(): void {
    this.#designate(this.#to.g0)
    if (this.#to.g1) this.#designate(this.#to.g1)
    this.#g1 = this.#to.g1
  }
}
