// All text of a frame: every view, at the scales at which text of 8 to 40 pixels is seen, in the frame's own pixels.

import type { FoundText, GreyImage, Raster } from '../model.ts'
import { DETECTING } from './detect.ts'
import type { Reader } from './reader.ts'
import { cropOf } from './recognise.ts'
import { type Hints, views } from './views.ts'

/** Where a text was found, and the view in which it is best seen. */
export type Sighting = FoundText & { readonly view: GreyImage }

/** Frames larger than this are cut into tiles for the scale of 1 and above. */
const TILE = 1024
/** Texts across the edge of a tile are whole in its neighbour. */
const OVERLAP = 128
/** The view of the full range is also looked at twice as large: letters of 8 pixels. */
const SCALES = [1, 2] as const

export async function findText(
  reader: Reader,
  raster: Raster,
  hints: Hints = {},
): Promise<readonly Sighting[]> {
  const found: Sighting[] = []
  for (const view of views(raster, hints)) {
    for (const scale of SCALES) {
      for (const tile of tilesOf(view, TILE / scale)) {
        const how = { ...DETECTING, scale }
        for (const each of await reader.detect(tile.image, how)) {
          const box = { ...each.box, x: each.box.x + tile.x, y: each.box.y + tile.y }
          found.push({ ...each, box, view })
        }
      }
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
