// The order of elements in one data set (PS3.5 7.1): read in any, but each attribute once.

import { DicomError } from './errors.ts'
import type { Element, Tag } from './model.ts'

/** Tags ascend and stand once in a data set (PS3.5 7.1); the first duty is the reader's, the second a refusal. */
export function checkOrder(elements: readonly Element[], unsorted: (t: Tag) => void, offset: number): void {
  let last = -1
  let sorted = true
  for (const element of elements) {
    if (element.tag <= last) sorted = false
    last = element.tag
  }
  if (sorted) return
  const seen = new Set<Tag>()
  for (const element of elements) {
    if (seen.has(element.tag)) {
      throw new DicomError('DUPLICATE_TAG', 'an attribute stands twice in one data set', {
        tag: element.tag,
        offset,
      })
    }
    seen.add(element.tag)
  }
  const first = elements[0]
  if (first) unsorted(first.tag)
}
