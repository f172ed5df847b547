// Header fields that carry media types (RFC 9110 5.6, 8.3.1; PS3.18 8.7.1).
//
//   text ─mediaTypes→ { type: 'multipart/related', parameters: { type: 'application/dicom', boundary: 'x' } } …
//
// One pass over the characters and no backtracking. Quoted and unquoted values are the same. An unquoted value may hold
// what no token may, a slash above all: half of the clients write type=application/dicom.

export type MediaType = {
  /** Lower case, `type/subtype`; `*` alone stays as it is. */
  readonly type: string
  /** Names in lower case, values as they stand. Of a name that comes twice the first counts. */
  readonly parameters: ReadonlyMap<string, string>
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const ESSENCE = /^(?:\*|[!#$%&'*+\-.^_`|~0-9a-z]+\/[!#$%&'*+\-.^_`|~0-9a-z]+)$/

export function isToken(text: string): boolean {
  return TOKEN.test(text)
}

/** One media type, as in Content-Type; a comma belongs to the value that it stands in. Undefined where there is none. */
export function mediaType(text: string): MediaType | undefined {
  return readType(split(text, ';'))
}

/** A list of them, as in Accept. Those that are malformed are left out (PS3.18 8.7.7). */
export function mediaTypes(text: string): readonly MediaType[] {
  return split(text, ',')
    .map((each) => readType(split(each, ';')))
    .filter((each) => each !== undefined)
}

/** At every separator that is not inside quotes. */
function split(text: string, separator: string): readonly string[] {
  const pieces: string[] = []
  let start = 0
  let quoted = false
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at]
    if (char === '"') quoted = !quoted
    else if (char === '\\' && quoted) at += 1
    else if (char === separator && !quoted) {
      pieces.push(text.slice(start, at))
      start = at + 1
    }
  }
  pieces.push(text.slice(start))
  return pieces
}

function readType([first = '', ...rest]: readonly string[]): MediaType | undefined {
  const type = trim(first).toLowerCase()
  if (!ESSENCE.test(type)) return undefined
  const parameters = new Map<string, string>()
  for (const piece of rest) {
    const equals = piece.indexOf('=')
    // `; ;` and a parameter without a value are no reason to lose the type.
    if (equals === -1) continue
    const name = trim(piece.slice(0, equals)).toLowerCase()
    const value = unquoted(trim(piece.slice(equals + 1)))
    if (!isToken(name) || value === undefined) return undefined
    if (!parameters.has(name)) parameters.set(name, value)
  }
  return { type, parameters }
}

/** Of spaces and tabs, the only white space of a field. A loop: `\s+$` is quadratic. */
function trim(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isBlank(text[start])) start += 1
  while (end > start && isBlank(text[end - 1])) end -= 1
  return text.slice(start, end)
}

function isBlank(char: string | undefined): boolean {
  return char === ' ' || char === '\t'
}

function unquoted(text: string): string | undefined {
  if (!text.startsWith('"')) return /["\x00-\x1f\x7f]/.test(text) ? undefined : text
  if (text.length < 2 || !/^"(?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x20-\x7e])*"$/.test(text)) return undefined
  return text.slice(1, -1).replaceAll(/\\(.)/g, '$1')
}

/** As a token where it is one, else in quotes. The text must not hold control characters. */
export function parameterValue(text: string): string {
  return isToken(text) ? text : `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
