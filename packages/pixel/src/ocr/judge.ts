// A policy as a Find: all text goes, or all but what was read and may stay.

import type { Box } from '@roentgate/dicom'
import type { Find } from '../clean/search.ts'
import { findText, type Sighting } from './find.ts'
import { isHarmless, matchesIdentifier, SURE } from './policy.ts'
import type { Reader } from './reader.ts'
import type { Hints } from './views.ts'

export type Judging = {
  readonly text: 'all' | 'identifiers'
  /** Values of the patient's identifiers. PHI. */
  readonly words: readonly string[]
  readonly hints: Hints
}

export function finder(reader: Reader, { text, words, hints }: Judging): Find {
  return async (raster) => {
    const sightings = await findText(reader, raster, hints)
    if (text === 'all') return sightings.map(({ box }) => box)
    const going: Box[] = []
    for (const sighting of sightings) if (!(await mayStay(reader, sighting, words))) going.push(sighting.box)
    return going
  }
}

async function mayStay(reader: Reader, { view, box }: Sighting, words: readonly string[]): Promise<boolean> {
  const { text, confidence } = await reader.read(view, box)
  return confidence >= SURE && isHarmless(text) && !matchesIdentifier(text, words)
}
