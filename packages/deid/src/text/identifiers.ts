// What is known of a patient, compiled once and found in many texts.
//
//   PatientIdentifier[] ─compileIdentifiers→ Identifiers        text ─findIdentifiers→ spans
//
// Both sides are folded and cut into tokens. Names, institutions, addresses and dates are sequences of tokens in a
// trie; numbers and codes are a trie of characters, so that '0099 4471' is 00994471. Plain words, short codes and
// years count only where the text says what they are: needless destruction is a failure too.

import { dateSpellings } from '../dates.ts'
import { fold, foldText, unfolded } from './fold.ts'
import { nameForms, sequenceRule } from './name-forms.ts'
import { type TextSpan, withoutOverlaps } from './spans.ts'
import { endOf, gapAfter, isIdeographic, startOf, type Tokens, tokenize } from './tokens.ts'
import { isPlainWord } from './vocabulary.ts'

export type IdentifierKind =
  | 'name'
  | 'id'
  | 'date'
  | 'accession'
  | 'phone'
  | 'address'
  | 'person'
  | 'institution'
  | 'uid'
  | 'other'

/** PHI. `value` is decoded to Unicode. */
export type Identifier = { readonly kind: IdentifierKind; readonly value: string }

type Rule = 'always' | 'context' | 'exact'
/** Where two identifiers have one form, the rule that asks for less wins. */
const WEIGHT: Readonly<Record<Rule, number>> = { context: 1, exact: 2, always: 3 }
type Leaf = { readonly kind: IdentifierKind; readonly rule: Rule }
type Trie = { readonly next: Map<string, Trie>; leaf?: Leaf }

export type Identifiers = {
  readonly words: Trie
  readonly codes: Trie
  readonly uids: ReadonlySet<string>
}

/** More tokens than any form of a name or an address has. */
const MAX_TOKENS = 24
const MAX_NAME_GAP = 4
const MAX_CODE_GAP = 2
/** Shorter codes are too many other things: a matrix, a slice, an angle. */
const MIN_CODE = 4
const MIN_LOOSE_CODE = 6
const MIN_PHONE = 7

export function compileIdentifiers(list: readonly Identifier[]): Identifiers {
  const words: Trie = { next: new Map() }
  const codes: Trie = { next: new Map() }
  const uids = new Set<string>()
  for (const { kind, value } of list) {
    switch (kind) {
      case 'name':
      case 'person':
        for (const form of nameForms(value)) plant(words, form.words, { kind, rule: form.rule })
        break
      case 'date':
        for (const spelling of dateSpellings(value))
          plant(words, tokenize(spelling).words, { kind, rule: 'exact' })
        break
      case 'institution':
      case 'address':
        plantPlaces(words, codes, { kind, value })
        break
      case 'phone':
        for (const code of phoneCodes(value)) plant(codes, code, { kind, rule: 'always' })
        break
      case 'uid':
        uids.add(value.replace(/[\0\s]+/g, ''))
        break
      case 'id':
      case 'accession':
        plantCodes(codes, { kind, value })
        break
      case 'other':
        if (/\d/.test(value) && value.length <= 40) plantCodes(codes, { kind, value })
        else plantPlaces(words, codes, { kind, value })
        break
      default:
        kind satisfies never
    }
  }
  return { words, codes, uids }
}

/** Places of known identifiers, in order, none overlapping, in offsets of the text given. */
export function findIdentifiers(identifiers: Identifiers, text: string): readonly TextSpan[] {
  const { words, codes, uids } = identifiers
  if (text.length < 2 || (words.next.size === 0 && codes.next.size === 0 && uids.size === 0)) return []
  const folded = fold(text)
  const tokens = tokenize(folded.text)
  const place: Place = {
    tokens,
    before: (at) => text.slice(Math.max(0, unfolded(folded, at) - 32), unfolded(folded, at)),
  }
  const spans: TextSpan[] = []
  const add = (found: Found | undefined) => {
    if (found === undefined) return
    const start = unfolded(folded, found.start)
    const end = unfolded(folded, endOf(tokens, found.last))
    spans.push({ start, end, kind: found.kind })
  }
  for (let i = 0; i < tokens.words.length; i++) {
    add(findWords(words, place, i))
    add(findCode(codes, place, i))
  }
  if (uids.size > 0) spans.push(...findUids(uids, text))
  return withoutOverlaps(spans)
}

type Place = { readonly tokens: Tokens; readonly before: (at: number) => string }
type Found = { readonly start: number; readonly last: number; readonly kind: IdentifierKind }

function findWords(root: Trie, place: Place, first: number): Found | undefined {
  const { tokens } = place
  const start = startOf(tokens, first)
  let node = root.next.get(tokens.words[first] ?? '')
  let found: Found | undefined
  for (let last = first; node !== undefined; last++) {
    const leaf = node.leaf
    if (leaf !== undefined && wordsCount(leaf, place, [first, last])) found = { start, last, kind: leaf.kind }
    const gap = gapAfter(tokens, last)
    if (node.next.size === 0 || gap.length > MAX_NAME_GAP || /[\\\n]/.test(gap)) break
    node = node.next.get(tokens.words[last + 1] ?? '')
  }
  return found
}

function wordsCount(leaf: Leaf, place: Place, [first, last]: readonly [number, number]): boolean {
  if (leaf.rule === 'always') return true
  const { tokens } = place
  const start = startOf(tokens, first)
  const end = endOf(tokens, last)
  if (leaf.rule === 'context') return isNameSetting(place, start, end)
  if (isInsideNumber(tokens.text, start, end)) return false
  // A known date: blanks between bare two-digit numbers, or four digits in all, are other numbers.
  const literal = tokens.text.slice(start, end)
  if (/[a-z]/.test(literal)) return true
  return literal.replace(/\D/g, '').length > 4 && !(/\s/.test(literal) && !/\d{4}/.test(literal))
}

const TITLE =
  /(?:^|[^\p{L}])(?:Mrs?|M[st]|Miss|Mme|Mlle|Herrn?|Frau|Dr|Prof|Sra?|MRS|MISS|HERR|FRAU|(?:mr|ms|dr|MR|MS|DR|PROF)(?=\.))\.?\s{1,2}$/u
const LABEL =
  /(?:patient|pat|pt|name|nom|nombre|nome|naam|surname|vorname|nachname|apellidos?)(?:'s)?(?:\s?name)?\.?\s?[:=#]\s{0,2}$|patient(?:'?s)?[\s_-]name\s{1,2}$/i

function isNameSetting(place: Place, start: number, end: number): boolean {
  const { text } = place.tokens
  if (text.charAt(start - 1) === '^' || text.charAt(end) === '^' || text.slice(start, end).includes('^'))
    return true
  const before = place.before(start)
  return TITLE.test(before) || LABEL.test(before)
}

function findCode(root: Trie, place: Place, first: number): Found | undefined {
  if (root.next.size === 0) return undefined
  const start = startOf(place.tokens, first)
  const found = walkCode(root, place, [first, start])
  const zeros = /^0+(?=\d)/.exec(place.tokens.words[first] ?? '')?.[0].length ?? 0
  return found ?? (zeros > 0 ? walkCode(root, place, [first, start + zeros]) : undefined)
}

function walkCode(root: Trie, place: Place, [first, from]: readonly [number, number]): Found | undefined {
  const { tokens } = place
  let node: Trie | undefined = root
  let found: Found | undefined
  let loose = false
  for (let last = first; last < tokens.words.length && last < first + MAX_TOKENS; last++) {
    const end = endOf(tokens, last)
    for (let at = last === first ? from : startOf(tokens, last); at < end && node !== undefined; at++) {
      node = node.next.get(tokens.text.charAt(at))
    }
    if (node === undefined) break
    const leaf: Leaf | undefined = node.leaf
    if (leaf !== undefined && codeCounts(leaf, place, { from, end, loose })) {
      found = { start: startOf(tokens, first), last, kind: leaf.kind }
    }
    const gap = gapAfter(tokens, last)
    if (gap.length > MAX_CODE_GAP || !/^[ \-_/.()+#:]*$/.test(gap)) break
    loose = loose || gap !== ''
  }
  return found
}

type Walked = { readonly from: number; readonly end: number; readonly loose: boolean }

const CODE_LABEL =
  /(?:(?:^|[^a-z])(?:mrn|pid|id|pat(?:ient)?(?:\s?(?:id|no|nr|number|code))?|acc(?:ession)?(?:\s?(?:no|nr|number))?|case no|chart|record)|#)[\s.:#=_-]{0,3}$/i

function codeCounts(leaf: Leaf, place: Place, { from, end, loose }: Walked): boolean {
  const { text } = place.tokens
  const digits = end - from
  if (leaf.rule === 'context' && !CODE_LABEL.test(place.before(from))) return false
  if (leaf.rule === 'exact' && loose) return false
  if (digits < MIN_LOOSE_CODE || loose) return !isInsideNumber(text, from, end)
  return !isInsideUid(text, from)
}

/** A decimal, or an arc of a UID. */
function isInsideNumber(text: string, start: number, end: number): boolean {
  return /\d\.$/.test(text.slice(Math.max(0, start - 2), start)) || /^\.\d/.test(text.slice(end, end + 2))
}

const UID_RUN = /(?<![\d.])[0-2](?:\.\d+){3,}/g

function isInsideUid(text: string, at: number): boolean {
  if (text.charAt(at - 1) !== '.') return false
  for (const match of text.matchAll(UID_RUN)) {
    if (match.index <= at && at < match.index + match[0].length) return true
  }
  return false
}

function findUids(uids: ReadonlySet<string>, text: string): readonly TextSpan[] {
  const spans: TextSpan[] = []
  for (const match of text.matchAll(/(?<![\d.])[0-2](?:\.\d+){2,}/g)) {
    if (uids.has(match[0]))
      spans.push({ start: match.index, end: match.index + match[0].length, kind: 'uid' })
  }
  return spans
}

function plant(root: Trie, keys: Iterable<string>, leaf: Leaf): void {
  let node = root
  let depth = 0
  for (const key of keys) {
    if (++depth > 64) return
    let next = node.next.get(key)
    if (next === undefined) {
      next = { next: new Map() }
      node.next.set(key, next)
    }
    node = next
  }
  if (node !== root && WEIGHT[leaf.rule] > (node.leaf === undefined ? 0 : WEIGHT[node.leaf.rule]))
    node.leaf = leaf
}

/** The whole, its parts between commas, and each part without its house number or its generic words. */
function plantPlaces(words: Trie, codes: Trie, { kind, value }: Identifier): void {
  for (const part of [value, ...value.split(/[\^,;\n\\]+/)]) {
    const tokens = tokenize(foldText(part)).words.slice(0, MAX_TOKENS)
    const named = tokens.filter((token) => !isPlainWord(token) && !/^\d+$/.test(token))
    const spoken = named.length > 0 || tokens.length > 2
    if (tokens.length > 1 && spoken && sequenceRule(tokens) === 'always')
      plant(words, tokens, { kind, rule: 'always' })
    // 上海: a place's name is no plain word of any report, however short.
    if (tokens.every(isIdeographic) && tokens.join('').length > 1)
      plant(words, tokens, { kind, rule: 'always' })
    if (kind === 'address') plantAddress(words, codes, tokens)
    const [only] = named
    const single = kind !== 'address' || tokens.length === 1 || tokens.length - named.length === 0
    if (
      named.length === 1 &&
      only !== undefined &&
      single &&
      only.length >= MIN_CODE &&
      !isIdeographic(only)
    ) {
      plant(words, [only], { kind, rule: 'always' })
    } else if (named.length > 1 && kind === 'institution') plant(words, named, { kind, rule: 'always' })
  }
}

function plantAddress(words: Trie, codes: Trie, tokens: readonly string[]): void {
  const street = tokens.filter(
    (token, index) => !(/^\d+$/.test(token) && (index === 0 || index === tokens.length - 1)),
  )
  if (street.length > 1 && street.some((token) => !isPlainWord(token))) {
    plant(words, street, { kind: 'address', rule: 'always' })
  }
  const zip = tokens.find((token) => /^\d{5}$/.test(token))
  if (zip !== undefined) plant(codes, zip, { kind: 'address', rule: 'exact' })
}

function plantCodes(codes: Trie, { kind, value }: Identifier): void {
  const tokens = tokenize(foldText(value)).words
  const code = tokens.join('')
  plant(codes, code, { kind, rule: codeRule(code, tokens) })
  if (/^\d{6,}$/.test(code)) {
    const stripped = code.replace(/^0+/, '')
    if (stripped !== '') plant(codes, stripped, { kind, rule: stripped.length >= 5 ? 'always' : 'context' })
  } else if (/\d/.test(code)) {
    const run = tokens.filter((token) => /^\d{3,}$/.test(token)).sort((a, b) => b.length - a.length)[0]
    if (run !== undefined)
      plant(codes, run, { kind, rule: run.length >= MIN_LOOSE_CODE ? 'always' : 'context' })
  }
}

function codeRule(code: string, tokens: readonly string[]): Rule {
  if (code.length < MIN_CODE || (!/\d/.test(code) && tokens.every(isPlainWord))) return 'context'
  // Years and matrix sizes.
  if (/^(?:1[89]\d\d|20\d\d|1024|2048|4096|8192)$/.test(code)) return 'context'
  return code.length >= MIN_LOOSE_CODE || tokens.length > 1 ? 'always' : 'exact'
}

function phoneCodes(value: string): readonly string[] {
  const digits = value.replace(/\D/g, '')
  if (digits.length < MIN_PHONE) return []
  const national = digits.length > 10 ? digits.slice(-10) : digits
  const trunk = digits.replace(/^0+/, '')
  const local = national.length === 10 ? [national.slice(3)] : []
  return [digits, national, ...(trunk.length >= MIN_PHONE ? [trunk] : []), ...local]
}
