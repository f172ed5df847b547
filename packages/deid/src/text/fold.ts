// text ─fold→ a form in which one name has one spelling, and the way back to the original offsets.
//
// Lower case; diacritics, width and NFC/NFD gone (Müller, MULLER, ＭÜＬＬＥＲ → muller); ł ø đ ß æ œ þ and final ς in their
// plain forms; hiragana as katakana; an apostrophe within a word dropped (O'Brien → obrien), but not a possessive's.

export type Folded = {
  readonly text: string
  /** Offset in the original of each folded character, and one more for the end; absent: the same offsets. */
  readonly map: Uint32Array | undefined
}

const SPECIAL: ReadonlyMap<string, string> = new Map([
  ['ł', 'l'],
  ['ø', 'o'],
  ['đ', 'd'],
  ['ð', 'd'],
  ['ħ', 'h'],
  ['ı', 'i'],
  ['ß', 'ss'],
  ['æ', 'ae'],
  ['œ', 'oe'],
  ['þ', 'th'],
  ['ς', 'σ'],
])
const APOSTROPHES = "'’ʼ`´"
const ASCII = /^[\0-\x7f]*$/

export function fold(text: string): Folded {
  if (ASCII.test(text) && !text.includes("'") && !text.includes('`')) {
    return { text: text.toLowerCase(), map: undefined }
  }
  const map: number[] = []
  let folded = ''
  let at = 0
  for (const character of text) {
    const plain = APOSTROPHES.includes(character)
      ? foldApostrophe(text, at, character)
      : foldCharacter(character)
    for (let i = 0; i < plain.length; i++) map.push(at)
    folded += plain
    at += character.length
  }
  map.push(text.length)
  return { text: folded, map: Uint32Array.from(map) }
}

export function foldText(text: string): string {
  return fold(text).text
}

/** Where folded offset `at` lies in the original. */
export function unfolded({ map }: Folded, at: number): number {
  return map === undefined ? at : (map[at] ?? map[map.length - 1] ?? 0)
}

/** Between two letters it belongs to the word, unless all that follows is the s of a possessive. */
function foldApostrophe(text: string, at: number, character: string): string {
  const before = text.charAt(at - 1)
  const after = text.slice(at + character.length, at + character.length + 2)
  if (!/\p{L}/u.test(before) || !/^\p{L}/u.test(after)) return ' '
  return /^s(?!\p{L})/iu.test(after) ? ' ' : ''
}

function foldCharacter(character: string): string {
  const code = character.charCodeAt(0)
  if (code < 0x80) return character.toLowerCase()
  const plain = character
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
  let out = ''
  for (const part of plain) out += foldPart(part)
  return out
}

function foldPart(part: string): string {
  const code = part.charCodeAt(0)
  // Hiragana to katakana: the same sounds, 0x60 further.
  if (code >= 0x3041 && code <= 0x3096) return String.fromCharCode(code + 0x60)
  // 'İ'.toLowerCase() leaves a combining dot.
  return SPECIAL.get(part) ?? (code === 0x307 ? '' : part)
}
