// The coded character sets of PS3.3 C.12.1.1.2, with their escape sequences (Tables C.12-2 to C.12-4).
//
//   CodeSet.cells: 7-bit code → character. One byte: code - 0x20. Two bytes: (first - 0x21) * 94 + second - 0x21.
//   '' is a code that the set does not assign.
//
// Large tables come from TextDecoder, once, when first asked for. Its labels are WHATWG's: iso-8859-1, -9 and -11 mean
// Windows code pages there, so those three are made here.

export type CodeSet = {
  readonly name: string
  readonly bytes: 1 | 2
  /** The half of the code table that PS3.3 gives it. */
  readonly half: 'G0' | 'G1'
  /** What follows ESC to designate it. */
  readonly escape: string
  readonly cells: () => readonly string[]
}

const ROW = 94
const REPLACEMENT = '\uFFFD'

function lazy<T>(make: () => T): () => T {
  const made: T[] = []
  return () => {
    const known = made[0]
    if (known !== undefined) return known
    const fresh = make()
    made.push(fresh)
    return fresh
  }
}

function single(name: string, sequence: string, code: (seven: number) => number): CodeSet {
  const cells = (): string[] =>
    Array.from({ length: 96 }, (_, index) => {
      const point = code(index + 0x20)
      return point === 0 ? '' : String.fromCodePoint(point)
    })
  return {
    name,
    bytes: 1,
    half: sequence.startsWith('(') ? 'G0' : 'G1',
    escape: sequence,
    cells: lazy(cells),
  }
}

function iso8859(name: string, final: string, part: number): CodeSet {
  const cells = (): string[] => {
    const high = Uint8Array.from({ length: 96 }, (_, index) => index + 0xa0)
    return [...new TextDecoder(`iso-8859-${part}`).decode(high)].map((char) =>
      char === REPLACEMENT ? '' : char,
    )
  }
  return { name, bytes: 1, half: 'G1', escape: `-${final}`, cells: lazy(cells) }
}

type Double = {
  readonly label: string
  readonly prefix?: number
  readonly corrections?: Readonly<Record<string, string>>
}

function double(name: string, sequence: string, from: Double): CodeSet {
  return {
    name,
    bytes: 2,
    half: sequence.includes(')') ? 'G1' : 'G0',
    escape: sequence,
    cells: lazy(() => grid(from)),
  }
}

/** Every code of a 94 × 94 set, one a line so that an unassigned one cannot disturb its neighbours. */
function grid({ label, prefix, corrections = {} }: Double): string[] {
  const bytes: number[] = []
  for (let first = 0xa1; first <= 0xfe; first += 1) {
    for (let second = 0xa1; second <= 0xfe; second += 1) {
      if (prefix !== undefined) bytes.push(prefix)
      bytes.push(first, second, 0x0a)
    }
  }
  const lines = new TextDecoder(label).decode(Uint8Array.from(bytes)).split('\n')
  return Array.from({ length: ROW * ROW }, (_, index) =>
    assigned(corrections[lines[index] ?? ''] ?? lines[index]),
  )
}

/** Private use is where the web's tables put what the standard leaves open. */
function assigned(char: string | undefined): string {
  if (char === undefined || char === REPLACEMENT || [...char].length !== 1) return ''
  return char >= '\uE000' && char <= '\uF8FF' ? '' : char
}

const TURKISH: Readonly<Record<number, number>> = {
  80: 0x11e, 93: 0x130, 94: 0x15e, 112: 0x11f, 125: 0x131, 126: 0x15f,
} // biome-ignore format: one row

/** The web's EUC-JP takes Microsoft's reading of six signs; JIS X 0208 as Unicode maps it has these. */
const JIS_SIGNS: Readonly<Record<string, string>> = {
  '\uFF5E': '\u301C', '\u2225': '\u2016', '\uFF0D': '\u2212', '\uFFE0': '\u00A2', '\uFFE1': '\u00A3', '\uFFE2': '\u00AC',
} // biome-ignore format: one row

function thai(seven: number): number {
  if (seven === 0x20) return 0xa0
  return (seven >= 0x21 && seven <= 0x5a) || (seven >= 0x5f && seven <= 0x7b) ? 0xe00 + seven - 0x20 : 0
}

export const ASCII = single('ISO-IR 6', '(B', (seven) => seven)
/** JIS X 0201 romaji. 0x5C is a yen sign there, but in DICOM it is the delimiter first (PS3.3 C.12.1.1.2). */
export const ROMAJI = single('ISO-IR 14', '(J', (seven) => (seven === 0x7e ? 0x203e : seven))
export const KATAKANA = single('ISO-IR 13', ')I', (seven) =>
  seven >= 0x21 && seven <= 0x5f ? 0xff61 + seven - 0x21 : 0,
)
export const LATIN1 = single('ISO-IR 100', '-A', (seven) => seven + 0x80)
export const JIS_X_0208 = double('ISO-IR 87', '$B', { label: 'euc-jp', corrections: JIS_SIGNS })
export const JIS_X_0212 = double('ISO-IR 159', '$(D', { label: 'euc-jp', prefix: 0x8f })
export const KS_X_1001 = double('ISO-IR 149', '$)C', { label: 'euc-kr' })
export const GB_2312 = double('ISO-IR 58', '$)A', { label: 'gb18030' })

/** By ISO-IR number: what each defined term brings (PS3.3 Tables C.12-2 to C.12-4). */
export const TERMS: ReadonlyMap<number, readonly CodeSet[]> = new Map([
  [6, [ASCII]],
  [100, [ASCII, LATIN1]],
  [101, [ASCII, iso8859('ISO-IR 101', 'B', 2)]],
  [109, [ASCII, iso8859('ISO-IR 109', 'C', 3)]],
  [110, [ASCII, iso8859('ISO-IR 110', 'D', 4)]],
  [144, [ASCII, iso8859('ISO-IR 144', 'L', 5)]],
  [127, [ASCII, iso8859('ISO-IR 127', 'G', 6)]],
  [126, [ASCII, iso8859('ISO-IR 126', 'F', 7)]],
  [138, [ASCII, iso8859('ISO-IR 138', 'H', 8)]],
  [148, [ASCII, single('ISO-IR 148', '-M', (seven) => TURKISH[seven] ?? seven + 0x80)]],
  [203, [ASCII, iso8859('ISO-IR 203', 'b', 15)]],
  [166, [ASCII, single('ISO-IR 166', '-T', thai)]],
  [13, [ROMAJI, KATAKANA]],
  [87, [JIS_X_0208]],
  [159, [JIS_X_0212]],
  [149, [KS_X_1001]],
  [58, [GB_2312]],
])

export type Designation = { readonly set: CodeSet; readonly half: 'G0' | 'G1' }

/** Not in the standard, but written: the 1978 JIS, the long form of the 1983 one, and sets in the other half. */
const TOLERATED: readonly (readonly [string, CodeSet, 'G0' | 'G1'])[] = [
  ['$@', JIS_X_0208, 'G0'],
  ['$(B', JIS_X_0208, 'G0'],
  ['$)B', JIS_X_0208, 'G1'],
  ['$A', GB_2312, 'G0'],
  ['$(C', KS_X_1001, 'G0'],
  ['(I', KATAKANA, 'G0'],
  [')J', ROMAJI, 'G1'],
  [')B', ASCII, 'G1'],
]

export const ESCAPES: ReadonlyMap<string, Designation> = new Map<string, Designation>([
  ...[...TERMS.values()].flat().map((set): [string, Designation] => [set.escape, { set, half: set.half }]),
  ...TOLERATED.map(([sequence, set, half]): [string, Designation] => [sequence, { set, half }]),
])

/** How to say each character of a set: its 7-bit code, the second byte low. */
export function reverseOf(set: CodeSet): ReadonlyMap<string, number> {
  const known = reversed.get(set)
  if (known) return known
  const map = new Map<string, number>()
  set.cells().forEach((char, index) => {
    if (char === '' || map.has(char)) return
    map.set(
      char,
      set.bytes === 1 ? index + 0x20 : ((Math.floor(index / ROW) + 0x21) << 8) | ((index % ROW) + 0x21),
    )
  })
  reversed.set(set, map)
  return map
}

const reversed = new WeakMap<CodeSet, ReadonlyMap<string, number>>()

// ---- GB18030: two bytes by table, four by table below U+10000 and by arithmetic above

const GB_SUPPLEMENTARY = 189000
const GB_BASIC = 39420

/** The four bytes of a linear code. */
function gbFour(linear: number): readonly number[] {
  return [
    0x81 + Math.floor(linear / 12600),
    0x30 + (Math.floor(linear / 1260) % 10),
    0x81 + (Math.floor(linear / 10) % 126),
    0x30 + (linear % 10),
  ]
}

function gbCodes(): readonly (readonly number[])[] {
  const codes: (readonly number[])[] = []
  for (let lead = 0x81; lead <= 0xfe; lead += 1) {
    for (let trail = 0x40; trail <= 0xfe; trail += 1) if (trail !== 0x7f) codes.push([lead, trail])
  }
  for (let linear = 0; linear < GB_BASIC; linear += 1) codes.push(gbFour(linear))
  return codes
}

const gbReverse = lazy(() => {
  const codes = gbCodes()
  const lines = new TextDecoder('gb18030')
    .decode(Uint8Array.from(codes.flatMap((code) => [...code, 0x0a])))
    .split('\n')
  const map = new Map<string, readonly number[]>()
  codes.forEach((code, index) => {
    const char = lines[index] ?? ''
    if ([...char].length === 1 && (char !== REPLACEMENT || code.length === 4) && !map.has(char))
      map.set(char, code)
  })
  return map
})

/** The bytes of one character beyond ASCII in GB18030: two or four. */
export function gbBytes(char: string): readonly number[] | undefined {
  const point = char.codePointAt(0) ?? 0
  return point < 0x10000 ? gbReverse().get(char) : gbFour(point - 0x10000 + GB_SUPPLEMENTARY)
}
