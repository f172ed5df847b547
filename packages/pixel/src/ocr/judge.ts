// A policy as a Find: all text goes, or all but what was read and may stay.

import type { Box } from '@roentgate/dicom'
import type { Find } from '../clean/search.ts'
import { findText } from './find.ts'
import type { Hints } from './planes.ts'
import { isHarmless, matchesIdentifier, SURE } from './policy.ts'
import type { Reader } from './reader.ts'
import { type View, views } from './views.ts'

export type Judging = {
  readonly text: 'all' | 'identifiers'
  /** Values of the patient's identifiers. PHI. */
  readonly words: readonly string[]
  readonly hints: Hints
}

/** Readings a frame; what is beyond goes unread. */
const MOST_READINGS = 64

export function finder(reader: Reader, { text, words, hints }: Judging): Find {
  return async (raster, sight) => {
    const found = await findText(
      reader,
      raster,
      sight === 'projection' ? { ...hints, projection: true } : hints,
    )
    const boxes = found.map(({ box }) => box)
    if (text === 'all' || boxes.length === 0) return boxes
    const plain = views(raster, hints)[0]
    const going: Box[] = []
    for (const [index, box] of boxes.entries()) {
      const stays =
        plain !== undefined && index < MOST_READINGS && (await mayStay(reader, { plain, box, words }))
      if (!stays) going.push(box)
    }
    return going
  }
}

type Sight = { readonly plain: View; readonly box: Box; readonly words: readonly string[] }

async function mayStay(reader: Reader, { plain, box, words }: Sight): Promise<boolean> {
  const { text, confidence } = await reader.read(plain, box)
  return confidence >= SURE && isHarmless(text) && !matchesIdentifier(text, words)
}
