// Every bound of the reader, with its reason. Exceeding one is a DicomError with the code beside it.

export type Limits = {
  /** LIMIT_DEPTH: nested sequences. The deepest real IOD (enhanced SR in a KOS) stays under 20. */
  readonly depth: number
  /** LIMIT_ELEMENTS: elements and items in one file; an SR or a slide annotation reaches 200,000. */
  readonly elements: number
  /** LIMIT_HEADER: bytes of everything but top-level pixel data, which is the memory that one file may cost. */
  readonly headerBytes: number
  /** LIMIT_INFLATED: a deflated data set is inflated as a whole; a bomb stops here. */
  readonly inflatedBytes: number
  /** LIMIT_FRAGMENTS: encapsulated fragments of one pixel data element. */
  readonly fragments: number
  /** LIMIT_MULTIPLICITY: values of one element that a caller asked to be split. */
  readonly multiplicity: number
}

export const DEFAULT_LIMITS: Limits = {
  depth: 100,
  elements: 2_000_000,
  headerBytes: 128 * 1024 * 1024,
  inflatedBytes: 256 * 1024 * 1024,
  fragments: 2_000_000,
  multiplicity: 16_000_000,
}
