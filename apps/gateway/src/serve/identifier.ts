// Data sets of messages: identifiers of queries, their answers, actions.   bytes ─► Dataset ─► bytes

import {
  concat,
  type Dataset,
  DicomError,
  dataset,
  type Element,
  encodeText,
  find,
  fromBytes,
  lookup,
  make,
  type NewValue,
  newFile,
  readFile,
  sequence,
  strings,
  type Tag,
  Tags,
  transferSyntax,
  type Uid,
  UTF8,
  writeFile,
} from '@roentgate/dicom'
import { inflate } from '../pipeline/inflate.ts'

/** @throws DicomError */
export function readIdentifier(bytes: Uint8Array, syntax: string): Dataset {
  if (bytes.length === 0) return dataset([])
  // A file around it says how it is encoded.
  const head = newFile({ dataset: dataset([]), transferSyntax: syntax as Uid, preamble: new Uint8Array(128) })
  return readFile(fromBytes(concat([...writeFile(head), bytes])), { inflate }).dataset
}

export function writeIdentifier(from: Dataset, syntax: string): Uint8Array {
  const file = {
    preamble: undefined,
    meta: undefined,
    transferSyntax: syntax as Uid,
    dataset: from,
    trailing: undefined,
    warnings: [],
  }
  return concat([...writeFile(file)])
}

/** Trimmed text of a key as it was asked for, values joined by a backslash; '' for universal matching. */
export function keyText(from: Dataset, tag: Tag): string {
  return valuesOf(from, tag).join('\\')
}

export function valuesOf(from: Dataset, tag: Tag): readonly string[] {
  const element = find(from, tag)
  return element ? strings(from, element).filter((one) => one !== '') : []
}

export function itemsOf(from: Dataset, tag: Tag): readonly Dataset[] {
  const element = find(from, tag)
  return element?.value.kind === 'items' ? element.value.items : []
}

export type Pair = readonly [tag: Tag, value: NewValue]

/** In a character set that the peer named if that has all of it, else in UTF-8 (PS3.4 C.2.2.2: the answer says which). */
export function identifier(pairs: readonly Pair[], syntax: string, wanted: readonly string[] = []): Dataset {
  const encoding = transferSyntax(syntax)?.encoding
  if (encoding === undefined) throw new DicomError('UNSUPPORTED_TRANSFER_SYNTAX', 'no such transfer syntax')
  const texts = pairs.flatMap(([, value]) => (typeof value === 'string' ? [value] : []))
  const fits = (charset: readonly string[]): boolean =>
    texts.every((text) => encodeText(text, charset, 'PN') !== undefined)
  const charset = [[], wanted].find(fits) ?? [UTF8]
  const owner = dataset([], { encoding, charset })
  const elements = pairs.map(([tag, value]): Element => {
    const vr = lookup(tag)?.vrs[0] ?? 'UN'
    return vr === 'SQ' && value.length === 0 ? sequence(tag, []) : make(owner, tag, vr, value)
  })
  if (charset.length > 0) elements.push(make(owner, Tags.SpecificCharacterSet, 'CS', charset))
  return dataset(elements, { encoding, charset })
}
