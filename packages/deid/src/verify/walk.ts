// The written file as verify sees it: every element with its place, decoded on its own terms.

import type { Dataset, Element, Tag, Vr } from '@roentgate/dicom'
import { formatTag, lookup } from '@roentgate/dicom'

export type Place = {
  readonly dataset: Dataset
  readonly element: Element
  /** Enclosing sequences, then the attribute; item positions are not part of it. */
  readonly path: readonly Tag[]
  /** The VR that the element has, or that its attribute should have where it says UN. */
  readonly vr: Vr
}

export function* places(dataset: Dataset, path: readonly Tag[] = []): Generator<Place> {
  for (const element of dataset.elements) {
    const here = [...path, element.tag]
    yield {
      dataset,
      element,
      path: here,
      vr: element.vr === 'UN' ? (lookup(element.tag)?.vr ?? 'UN') : element.vr,
    }
    if (element.value.kind !== 'items') continue
    for (const item of element.value.items) yield* places(item, here)
  }
}

export function where(path: readonly Tag[]): string {
  return path.map((t) => formatTag(t)).join('.')
}

/** One character a byte, so that a regular expression can run over bytes. */
export function latin1(bytes: Uint8Array): string {
  const parts: string[] = []
  for (let at = 0; at < bytes.length; at += CHUNK) parts.push(decoder.decode(bytes.subarray(at, at + CHUNK)))
  return parts.join('')
}

/** UTF-16 code units from bytes interleaved with zeros would be slower; x-user-defined maps 80-FF to F780-F7FF. */
const decoder = new TextDecoder('x-user-defined')
const CHUNK = 1024 * 1024
