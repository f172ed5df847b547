// folded text ─tokenize→ words, numbers, and single ideographs, with their places.
//
// A word ends where a number begins (MRN558201 is two tokens). Scripts without word boundaries give one token per
// character (Hangul: per syllable, whose jamo folding has taken apart), so that a name is found inside a sentence.

export type Tokens = {
  readonly text: string
  readonly words: readonly string[]
  /** Folded offsets: start of i at 2i, end at 2i + 1. */
  readonly bounds: readonly number[]
}

type Class = 'gap' | 'letter' | 'digit' | 'ideograph' | 'initial' | 'jamo'

export function tokenize(text: string): Tokens {
  const words: string[] = []
  const bounds: number[] = []
  let start = 0
  let running: Class = 'gap'
  for (let at = 0; at <= text.length; at++) {
    const kind = at < text.length ? classOf(text, at) : 'gap'
    const joins =
      (kind === running && (kind === 'letter' || kind === 'digit' || kind === 'jamo' || kind === 'gap')) ||
      (kind === 'jamo' && running === 'initial')
    if (joins) continue
    // The second half of a surrogate pair belongs to the first.
    if (running === 'ideograph' && isLowSurrogate(text.charCodeAt(at)) && at - start === 1) continue
    if (running === 'initial' && kind === 'jamo') continue
    if (running !== 'gap') {
      words.push(text.slice(start, at))
      bounds.push(start, at)
    }
    start = at
    running = kind
  }
  return { text, words, bounds }
}

export function startOf(tokens: Tokens, index: number): number {
  return tokens.bounds[2 * index] ?? 0
}

export function endOf(tokens: Tokens, index: number): number {
  return tokens.bounds[2 * index + 1] ?? 0
}

/** What stands between a token and the next. */
export function gapAfter(tokens: Tokens, index: number): string {
  return tokens.text.slice(endOf(tokens, index), startOf(tokens, index + 1))
}

export function isIdeographic(word: string): boolean {
  return word !== '' && ['ideograph', 'initial', 'jamo'].includes(classOf(word, 0))
}

function classOf(text: string, at: number): Class {
  const code = text.charCodeAt(at)
  if (code < 0x80) {
    if (code >= 0x30 && code <= 0x39) return 'digit'
    return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) ? 'letter' : 'gap'
  }
  if (code >= 0x1100 && code <= 0x115f) return 'initial'
  if (code >= 0x1160 && code <= 0x11ff) return 'jamo'
  if ((code >= 0x30a1 && code <= 0x30fa) || code === 0x30fc || code === 0x3005) return 'ideograph'
  if ((code >= 0x3400 && code <= 0x9fff) || (code >= 0xf900 && code <= 0xfaff)) return 'ideograph'
  if (code >= 0xd800 && code <= 0xdbff) return 'ideograph'
  return /[\p{L}\p{N}]/u.test(text.charAt(at)) ? 'letter' : 'gap'
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}
