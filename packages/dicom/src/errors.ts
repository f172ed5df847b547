// The one error of this package. Its text names the field and the place, never a value from a data set.

import { formatTag, type Tag } from './model.ts'

/** Closed set; tests assert on it, callers switch on it. */
export type DicomErrorCode =
  | 'NOT_DICOM' // no DICM prefix and no plausible data set
  | 'EMPTY' // zero bytes
  | 'TRUNCATED' // a length runs past the end of its container
  | 'BAD_VR' // two bytes where a VR must stand are none
  | 'BAD_LENGTH' // a length that its VR or its container forbids
  | 'BAD_TAG' // a delimiter or a group where none may stand
  | 'DUPLICATE_TAG' // the same tag twice in one data set
  | 'BAD_META' // group 0002 is missing what PS3.10 7.1 requires
  | 'UNSUPPORTED_TRANSFER_SYNTAX'
  | 'INFLATE_FAILED' // a deflated data set that does not inflate
  | 'LIMIT_DEPTH'
  | 'LIMIT_ELEMENTS'
  | 'LIMIT_HEADER'
  | 'LIMIT_INFLATED'
  | 'LIMIT_MULTIPLICITY'
  | 'LIMIT_FRAGMENTS'
  | 'UNKNOWN_KEYWORD' // a name that the dictionary does not hold
  | 'BAD_VALUE' // a value that its VR forbids
  | 'NOT_ENCODABLE' // text that no permitted character set can express
  | 'BAD_JSON' // not the DICOM JSON model (PS3.18 F)

export type DicomErrorAt = { readonly tag?: Tag; readonly offset?: number; readonly cause?: unknown }

export class DicomError extends Error {
  readonly code: DicomErrorCode
  /** Byte offset in the file, where known. */
  readonly offset: number | undefined
  readonly tag: Tag | undefined

  constructor(code: DicomErrorCode, what: string, at: DicomErrorAt = {}) {
    const where = [
      at.tag === undefined ? '' : ` at ${formatTag(at.tag)}`,
      at.offset === undefined ? '' : ` at byte ${at.offset}`,
    ].join('')
    super(`${what}${where}`, at.cause === undefined ? undefined : { cause: at.cause })
    this.name = 'DicomError'
    this.code = code
    this.offset = at.offset
    this.tag = at.tag
  }
}
