// All text of a frame: every view, at the scales at which text of 8 to 40 pixels is seen, in the frame's own pixels.

import type { FoundText, GreyImage, Raster } from '../model.ts'
import { DETECTING } from './detect.ts'
import type { Reader } from './reader.ts'
import { cropOf } from './recognise.ts'
import { type Hints, type View, views } from './views.ts'

/** Where a text was found, and the view in which it is best seen. */
export type Sighting = FoundText & { readonly view: GreyImage }

/** Frames larger than this are cut into tiles for the scale of 1 and above. */
const TILE = 1024
/** Texts across the edge of a tile are whole in its neighbour. */
const OVERLAP = 128
/** Letters of 8 pixels are seen at twice their size; there noise looks like letters too, and organs like words. */
type Look = {
  readonly scale: number
  readonly minScore: number /** Of a box, in pixels of the frame. */
  readonly thickest: number
}
const NATURAL: Look = { scale: 1, minScore: 0.35, thickest: 96 }
/** Of large frames only: film marks and headings. */
const FAR: Look = { scale: 0.5, minScore: 0.5, thickest: 192 }
const LARGE = 1400
const LOOKS: Readonly<Record<View['kind'], readonly Look[]>> = {
  full: [NATURAL, { scale: 2, minScore: 0.5, thickest: 56 }],
  middle: [
    { ...NATURAL, thickest: 72 },
    { scale: 1.5, minScore: 0.5, thickest: 56 },
  ],
  smooth: [{ ...NATURAL, thickest: 72 }],
  tail: [{ scale: 1, minScore: 0.6, thickest: 56 }],
  chroma: [{ scale: 1, minScore: 0.6, thickest: 56 }],
}

export async function findText(
  reader: Reader,
  raster: Raster,
  hints: Hints = {},
): Promise<readonly Sighting[]> {
  const found: Sighting[] = []
  for (const { kind, image } of views(raster, hints)) {
    for (const look of LOOKS[kind]) found.push(...(await lookAt(reader, image, look)))
    const large = Math.max(image.width, image.height) > LARGE
    if (large && kind !== 'tail' && kind !== 'chroma') found.push(...(await lookAt(reader, image, FAR)))
  }
  return found
}

async function lookAt(reader: Reader, view: GreyImage, look: Look): Promise<readonly Sighting[]> {
  const found: Sighting[] = []
  for (const tile of tilesOf(view, Math.floor(TILE / look.scale))) {
    const how = { ...DETECTING, scale: look.scale, minScore: look.minScore }
    for (const each of await reader.detect(tile.image, how)) {
      if (Math.min(each.box.width, each.box.height) > look.thickest) continue
      const box = { ...each.box, x: each.box.x + tile.x, y: each.box.y + tile.y }
      found.push({ ...each, box, view })
    }
  }
  return found
}

type Tile = { readonly image: GreyImage; readonly x: number; readonly y: number }

function* tilesOf(image: GreyImage, side: number): Generator<Tile> {
  if (image.width <= side * 1.5 && image.height <= side * 1.5) {
    yield { image, x: 0, y: 0 }
    return
  }
  for (let y = 0; ; y += side - OVERLAP) {
    for (let x = 0; ; x += side - OVERLAP) {
      const box = { x, y, width: Math.min(side, image.width - x), height: Math.min(side, image.height - y) }
      yield { image: cropOf(image, box), x, y }
      if (x + side >= image.width) break
    }
    if (y + side >= image.height) break
  }
}
