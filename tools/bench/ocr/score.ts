// Found boxes against what was drawn. A character is found where nine tenths of its ink lie under the boxes' union.

import type { FoundText, Raster } from '@roentgate/pixel'
import type { Character } from './scene.ts'

const COVERED = 0.9

/** One where a box covers a pixel. */
export function covered({ rows, columns }: Raster, found: readonly Pick<FoundText, 'box'>[]): Uint8Array {
  const mask = new Uint8Array(rows * columns)
  for (const { box } of found)
    for (let y = box.y; y < box.y + box.height; y++)
      mask.fill(1, y * columns + box.x, y * columns + box.x + box.width)
  return mask
}

export function isFound(mask: Uint8Array, columns: number, character: Character): boolean {
  const { x, y, width, height, coverage } = character
  let ink = 0
  let hit = 0
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) {
      if ((coverage[row * width + column] ?? 0) < 64) continue
      ink++
      hit += mask[(y + row) * columns + x + column] ?? 0
    }
  return hit >= COVERED * ink
}

export function share(mask: Uint8Array): number {
  let sum = 0
  for (const each of mask) sum += each
  return sum / mask.length
}
