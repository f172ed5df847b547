// The header fields of one part (RFC 822 as RFC 2046 uses it): names in lower case, folded lines made one.

import { WebError } from './errors.ts'
import { isToken } from './fields.ts'

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * `bytes` is nothing, or lines that each end in CRLF.
 * @throws WebError BAD_MULTIPART where a line is no field, or one comes twice: two readers would disagree on it.
 */
export function partHeaders(bytes: Uint8Array, part: number): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const lines = textOf(bytes, part)
    .replaceAll(/\r\n[ \t]/g, ' ')
    .split('\r\n')
    .slice(0, -1)
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, Math.max(colon, 0)).toLowerCase()
    if (!isToken(name)) throw bad('a line that is no header field', part)
    if (fields.has(name)) throw bad('the same header field twice', part)
    const value = line.slice(colon + 1).trim()
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw bad('a control character in a header field', part)
    fields.set(name, value)
  }
  return fields
}

function textOf(bytes: Uint8Array, part: number): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new WebError('BAD_MULTIPART', 'header fields that are no UTF-8 in part', { position: part, cause })
  }
}

function bad(what: string, part: number): WebError {
  return new WebError('BAD_MULTIPART', `${what} in part`, { position: part })
}
