// As much of XML 1.0 as the Native DICOM Model needs: text ─parseXml→ elements. No document that asks for more is read.
//
// There are no document types, hence no entities but the five and none that could grow or fetch; no processing
// instructions but the declaration; names are ASCII and lose their prefix. Comments are skipped, CDATA is text. It goes
// forward only, keeps its own stack, and every length that the document drives has a limit.

import { WebError } from './errors.ts'

export type XmlElement = {
  /** Without prefix. */
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly XmlElement[]
  /** All of it that is directly inside. */
  readonly text: string
  /** Where it begins, in characters. */
  readonly at: number
}

export type XmlLimits = {
  /** LIMIT_XML: the text as a whole, which stays in memory. Metadata of a large study are some 10 MB. */
  readonly characters: number
  /** LIMIT_XML: two elements for each sequence, of which DICOM is read 100 deep, and four inside a name. */
  readonly depth: number
  /** LIMIT_XML: each costs some hundred bytes. */
  readonly elements: number
}

export const XML_LIMITS: XmlLimits = { characters: 32 * 1024 * 1024, depth: 210, elements: 1_000_000 }

type Mutable = {
  -readonly [K in keyof XmlElement]: K extends 'children' ? Mutable[] : XmlElement[K]
} & { readonly qualified: string }
type Reader = {
  readonly text: string
  readonly limits: XmlLimits
  readonly open: Mutable[]
  root: Mutable | undefined
  at: number
  count: number
}

const NOT_XML = /[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u
const DECLARATION =
  /^<\?xml[\t\n ]+version[\t\n ]*=[\t\n ]*["']1\.[0-9]["'](?:[\t\n ]+encoding[\t\n ]*=[\t\n ]*["']([A-Za-z0-9._-]+)["'])?(?:[\t\n ]+standalone[\t\n ]*=[\t\n ]*["'](?:yes|no)["'])?[\t\n ]*\?>/
const NAME = '[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?'
const START = new RegExp(`<(${NAME})`, 'y')
const ATTRIBUTE = new RegExp(`[\\t\\n ]+(${NAME})[\\t\\n ]*=[\\t\\n ]*(?:"([^"<]*)"|'([^'<]*)')`, 'y')
const START_END = /[\t\n ]*(\/?)>/y
const END = new RegExp(`</(${NAME})[\\t\\n ]*>`, 'y')

/** @throws WebError BAD_XML, LIMIT_XML; with the place, never with what stands there. */
export function parseXml(source: string, limits: Partial<XmlLimits> = {}): XmlElement {
  const all = { ...XML_LIMITS, ...limits }
  if (source.length > all.characters) throw new WebError('LIMIT_XML', 'longer XML than allowed')
  const invalid = source.search(NOT_XML)
  if (invalid !== -1) throw bad('a character that XML does not have', invalid)
  // 2.11: line ends are one LF, whatever they were.
  const text = source.replace(/^\uFEFF/, '').replaceAll(/\r\n?/g, '\n')
  const reader: Reader = {
    text,
    limits: all,
    open: [],
    root: undefined,
    at: afterDeclaration(text),
    count: 0,
  }
  while (reader.at < text.length) step(reader)
  if (reader.root === undefined || reader.open.length > 0) throw bad('the text ends too early', text.length)
  return reader.root
}

function afterDeclaration(text: string): number {
  const match = DECLARATION.exec(text)
  if (!match) return 0
  // The text has been decoded; another name would mean that it was decoded wrongly.
  if (match[1] !== undefined && !/^(?:utf-?8|us-ascii)$/i.test(match[1]))
    throw bad('an encoding that is not UTF-8', 0)
  return match[0].length
}

function step(reader: Reader): void {
  const { text, at } = reader
  const next = text.indexOf('<', at)
  if (next !== at) {
    addText(reader, expanded(text.slice(at, next === -1 ? text.length : next), at))
    reader.at = next === -1 ? text.length : next
  } else if (text.startsWith('<!--', at)) {
    const end = text.indexOf('--', at + 4)
    if (end === -1 || text[end + 2] !== '>') throw bad('a comment that is none', at)
    reader.at = end + 3
  } else if (text.startsWith('<![CDATA[', at)) {
    const end = text.indexOf(']]>', at)
    if (end === -1 || reader.open.length === 0) throw bad('a CDATA section that is none', at)
    addText(reader, text.slice(at + 9, end))
    reader.at = end + 3
  } else if (text.startsWith('</', at)) {
    close(reader)
  } else {
    start(reader)
  }
}

function addText(reader: Reader, piece: string): void {
  const parent = reader.open.at(-1)
  if (parent) parent.text += piece
  else if (/[^\t\n ]/.test(piece)) throw bad('text outside of the root', reader.at)
}

function start(reader: Reader): void {
  const { text, at, limits, open } = reader
  const qualified = sticky(START, text, at)?.[1]
  // `<!DOCTYPE` and `<?` end here.
  if (qualified === undefined) throw bad('markup that is not allowed', at)
  reader.at = START.lastIndex
  const attributes = new Map<string, string>()
  for (let match = sticky(ATTRIBUTE, text, reader.at); match; match = sticky(ATTRIBUTE, text, reader.at)) {
    const [whole, name = '', double, single] = match
    if (attributes.has(name)) throw bad('an attribute that comes twice', reader.at)
    attributes.set(name, expanded((double ?? single ?? '').replaceAll(/[\t\n]/g, ' '), reader.at))
    reader.at += whole.length
  }
  const end = sticky(START_END, text, reader.at)
  if (!end) throw bad('a start tag that does not end', reader.at)
  reader.at += end[0].length
  reader.count += 1
  if (reader.count > limits.elements) throw new WebError('LIMIT_XML', 'more elements than allowed')
  if (open.length >= limits.depth)
    throw new WebError('LIMIT_XML', 'elements nested too deep', { position: at })
  const element: Mutable = { name: localName(qualified), qualified, attributes, children: [], text: '', at }
  const parent = open.at(-1)
  if (parent) parent.children.push(element)
  else if (reader.root === undefined) reader.root = element
  else throw bad('a second root', at)
  if (end[1] === '') open.push(element)
}

function close(reader: Reader): void {
  const match = sticky(END, reader.text, reader.at)
  if (!match || reader.open.pop()?.qualified !== match[1])
    throw bad('an end tag that closes nothing', reader.at)
  reader.at += match[0].length
}

function localName(qualified: string): string {
  return qualified.slice(qualified.indexOf(':') + 1)
}

function sticky(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at
  return pattern.exec(text)
}

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['apos', "'"],
  ['gt', '>'],
  ['lt', '<'],
  ['quot', '"'],
])

/** 4.1: one pass, so that what comes out is never expanded again. */
function expanded(text: string, at: number): string {
  if (!text.includes('&')) return text
  return text.replaceAll(
    /&(?:#([0-9]{1,7})|#x([0-9A-Fa-f]{1,6})|([a-z]{2,4}));|&/g,
    (_, decimal, hex, name) => {
      const char = name === undefined ? characterOf(decimal, hex) : PREDEFINED.get(name)
      if (char === undefined) throw bad('a reference that XML does not define', at)
      return char
    },
  )
}

function characterOf(decimal: string | undefined, hex: string | undefined): string | undefined {
  if (decimal === undefined && hex === undefined) return undefined
  const code = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number.parseInt(decimal, 10)
  const char = code <= 0x10ffff ? String.fromCodePoint(code) : ''
  return char === '' || NOT_XML.test(char) ? undefined : char
}

function bad(what: string, at: number): WebError {
  return new WebError('BAD_XML', `${what}: character`, { position: at })
}
