// What stands around parts: the media type of a multipart body, the lines before a part, the line after the last.
//
//   multipartContentType({ type, boundary })   Content-Type of the message
//   partHead({ boundary, contentType })        before each part: CRLF --boundary CRLF fields CRLF CRLF
//   closing(boundary)                          after the last:   CRLF --boundary-- CRLF
//
// Whatever is written into a field has been checked: no CR, LF or other control character, ASCII alone.

import { WebError } from './errors.ts'
import { mediaType, parameterValue } from './fields.ts'
import { isBoundary } from './finder.ts'

export type MultipartType = {
  readonly boundary: string
  /** Of the parts, in lower case; undefined where the sender does not say. */
  readonly type: string | undefined
  readonly transferSyntax: string | undefined
}

/**
 * A Content-Type of a request.
 * @throws WebError BAD_MULTIPART where it is not multipart/related or its boundary is none; NO_BOUNDARY.
 */
export function multipartType(contentType: string): MultipartType {
  const parsed = mediaType(contentType)
  if (parsed?.type !== 'multipart/related')
    throw new WebError('BAD_MULTIPART', 'a media type that is not multipart/related')
  const boundary = parsed.parameters.get('boundary')
  if (boundary === undefined || boundary === '')
    throw new WebError('NO_BOUNDARY', 'a multipart media type without a boundary')
  if (!isBoundary(boundary)) throw new WebError('BAD_MULTIPART', 'a boundary that RFC 2046 does not allow')
  const type = parsed.parameters.get('type')
  // `type="application/dicom; transfer-syntax=…"` is in the wild; the type is what stands before.
  const inner = type === undefined ? undefined : mediaType(type)
  return {
    boundary,
    type: inner?.type,
    transferSyntax: parsed.parameters.get('transfer-syntax') ?? inner?.parameters.get('transfer-syntax'),
  }
}

export type NewMultipartType = {
  readonly type: string
  readonly boundary: string
  readonly transferSyntax?: string
}

/** @throws WebError BAD_HEADER. */
export function multipartContentType({ type, boundary, transferSyntax }: NewMultipartType): string {
  const syntax =
    transferSyntax === undefined ? '' : `; transfer-syntax=${parameterValue(visible(transferSyntax))}`
  return `multipart/related; type="${essence(type)}"; boundary=${parameterValue(ofBoundary(boundary))}${syntax}`
}

export type NewPart = {
  readonly boundary: string
  /** With its parameters: `application/dicom; transfer-syntax=1.2.840.10008.1.2.1`. */
  readonly contentType: string
  readonly location?: string
}

/** @throws WebError BAD_HEADER where a value could end its field. */
export function partHead({ boundary, contentType, location }: NewPart): Uint8Array {
  const fields = [
    `Content-Type: ${visible(contentType)}`,
    ...(location === undefined ? [] : [`Content-Location: ${visible(location)}`]),
  ]
  return encoder.encode(`\r\n--${ofBoundary(boundary)}\r\n${fields.join('\r\n')}\r\n\r\n`)
}

/** @throws WebError BAD_HEADER where the boundary is none. */
export function closing(boundary: string): Uint8Array {
  return encoder.encode(`\r\n--${ofBoundary(boundary)}--\r\n`)
}

const encoder = new TextEncoder()

function visible(text: string): string {
  if (/^[\x20-\x7e]+$/.test(text)) return text
  throw new WebError('BAD_HEADER', 'a value that cannot stand in a header field')
}

function essence(type: string): string {
  const parsed = mediaType(type)
  if (parsed !== undefined && parsed.parameters.size === 0) return parsed.type
  throw new WebError('BAD_HEADER', 'a type of parts that is no media type')
}

function ofBoundary(boundary: string): string {
  if (isBoundary(boundary)) return boundary
  throw new WebError('BAD_HEADER', 'a boundary that RFC 2046 does not allow')
}
