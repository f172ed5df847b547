// PN ─nameForms→ the token sequences by which its bearer may be called in a text.
//
// Every component group; every order of family, given and middle name; initials; single components. A single
// component that is plain language or very short needs a setting that says it is a name ('context'), and so does a
// sequence made of nothing but words that describe images (a phantom called HEAD^CT). Prefixes and suffixes (Dr, Jr)
// are no part of a form.

import { foldText } from './fold.ts'
import { isIdeographic, tokenize } from './tokens.ts'
import { IMAGING_WORDS, isPlainWord } from './vocabulary.ts'

export type Form = { readonly words: readonly string[]; readonly rule: 'always' | 'context' }

type Name = { readonly family: Words; readonly given: Words; readonly middle: Words }
type Words = readonly string[]

/** A name of more words than this is a sentence; its first ones are used. */
const MAX_WORDS = 8
const MIN_JOINED = 6
const MIN_PIECE = 4

export function nameForms(value: string): readonly Form[] {
  const forms = new Map<string, Form>()
  const add = (form: Form) => {
    const key = form.words.join(' ')
    if (key !== '' && forms.get(key)?.rule !== 'always') forms.set(key, form)
  }
  for (const group of value.split('=')) {
    for (const spelling of spellings(group)) {
      const name = readName(spelling)
      for (const words of sequences(name)) add({ words, rule: sequenceRule(words) })
      for (const form of singles(name)) add(form)
    }
  }
  return [...forms.values()]
}

/** A sequence that nobody would write but as a name. */
export function sequenceRule(words: Words): Form['rule'] {
  const image = words.some((word) => IMAGING_WORDS.has(word))
  return image && words.every((word) => IMAGING_WORDS.has(word) || isImagingCode(word)) ? 'context' : 'always'
}

function isImagingCode(word: string): boolean {
  return (word.length <= 2 || /^\d+$/.test(word)) && !isIdeographic(word)
}

/** Umlauts as they are, as two letters, and two letters as umlauts: Müller, Mueller and Muller are one. */
function spellings(group: string): readonly string[] {
  const plain = group.normalize('NFC')
  const expanded = plain.replace(/[äöüÄÖÜ]/g, (c) => `${foldText(c)}e`)
  const contracted = plain.replace(/(?<=\p{L})([aou])e(?=\p{L})/giu, '$1')
  const nordic = plain.replace(/[øØ]/g, 'oe').replace(/[åÅ]/g, 'aa')
  return [...new Set([plain, expanded, contracted, nordic])]
}

function readName(group: string): Name {
  const words = (part: string | undefined): Words => tokenize(foldText(part ?? '')).words.slice(0, MAX_WORDS)
  const components = group.split('^')
  if (components.length > 1) {
    const [given = [], ...more] = [words(components[1])]
    const [first, ...rest] = splitGiven(given, more.flat())
    return {
      family: words(components[0]),
      given: first ?? [],
      middle: [...rest.flat(), ...words(components[2])],
    }
  }
  const [before = '', after] = group.split(',', 2)
  if (after !== undefined) {
    const [first, ...rest] = splitGiven(words(after), [])
    return { family: words(before), given: first ?? [], middle: rest.flat() }
  }
  const all = words(group)
  if (all.length < 2 || isIdeographic(all[0] ?? '')) return { family: all, given: [], middle: [] }
  return { family: all.slice(-1), given: all.slice(0, 1), middle: all.slice(1, -1) }
}

/** 'Mary Ann' is a given and a middle name; an ideographic given name is one. */
function splitGiven(given: Words, rest: Words): readonly Words[] {
  if (given.length < 2 || isIdeographic(given[0] ?? '')) return [given, rest]
  return [given.slice(0, 1), [...given.slice(1), ...rest]]
}

function sequences(name: Name): readonly Words[] {
  const { family, given, middle } = name
  const found: Words[] = []
  const parts = [family, given, middle].filter((part) => part.length > 0)
  for (const a of parts) {
    for (const b of parts) {
      if (a === b) continue
      found.push([...a, ...b])
      for (const c of parts) if (c !== a && c !== b) found.push([...a, ...b, ...c])
    }
  }
  for (const piece of family.length > 1 ? family : []) {
    if (piece.length >= 3 && given.length > 0) found.push([piece, ...given], [...given, piece])
  }
  return [...found, ...withInitials(name)]
}

function withInitials({ family, given, middle }: Name): readonly Words[] {
  const last = family[family.length - 1]
  const first = given[0]
  if (first === undefined || last === undefined || isIdeographic(first) || isIdeographic(last)) return []
  const g = first.slice(0, 1)
  const m = middle[0]?.slice(0, 1)
  const found: Words[] = []
  if (m !== undefined && m !== '') {
    found.push([...given, m, ...family], [...family, ...given, m])
    if (!isPlainWord(last) || family.length > 1) {
      found.push([g, m, ...family], [...family, g, m], [g + m, ...family], [...family, g + m])
    }
  }
  // 'A head' and 'T long' are no names; 'J doe' is.
  if (!isPlainWord(last) || family.length > 1) found.push([g, ...family], [...family, g])
  const joined = [family.join('') + first, first + family.join(''), g + family.join(''), family.join('') + g]
  for (const word of joined) if (word.length >= MIN_JOINED && !isPlainWord(word)) found.push([word])
  return found
}

function singles({ family, given, middle }: Name): readonly Form[] {
  const forms: Form[] = []
  for (const part of [family, given, middle]) {
    if (part.length === 0) continue
    forms.push({ words: part, rule: singleRule(part) })
    if (part.length < 2 || isIdeographic(part[0] ?? '')) continue
    forms.push({ words: [part.join('')], rule: singleRule([part.join('')]) })
    for (const piece of part) {
      if (piece.length >= MIN_PIECE && !isPlainWord(piece))
        forms.push({ words: [piece], rule: singleRule([piece]) })
    }
  }
  return forms
}

function singleRule(words: Words): Form['rule'] {
  const [first = ''] = words
  // One ideograph is a word; two kana are a syllable or two.
  if (isIdeographic(first))
    return words.length >= (/^[\u30a1-\u30fc]/.test(first) ? 3 : 2) ? 'always' : 'context'
  return words.every((word) => isPlainWord(word) || /^\d+$/.test(word)) ? 'context' : 'always'
}
