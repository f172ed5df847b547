// The reader with its real networks: one word, drawn pixel by pixel.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GreyImage } from '../model.ts'
import { openReader } from './reader.ts'

/** Five columns by seven rows a letter, each row's bits from the left. */
const LETTERS: Readonly<Record<string, readonly number[]>> = {
  S: [14, 17, 16, 14, 1, 17, 14],
  M: [17, 27, 21, 17, 17, 17, 17],
  I: [14, 4, 4, 4, 4, 4, 14],
  T: [31, 4, 4, 4, 4, 4, 4],
  H: [17, 17, 17, 31, 17, 17, 17],
}

function drawn(word: string, scale: number): GreyImage {
  const image = { width: 320, height: 160, data: new Uint8Array(320 * 160).fill(20) }
  for (const [place, letter] of [...word].entries())
    for (let y = 0; y < 7 * scale; y++)
      for (let x = 0; x < 5 * scale; x++)
        if (((LETTERS[letter]?.[Math.floor(y / scale)] ?? 0) >> (4 - Math.floor(x / scale))) & 1)
          image.data[(60 + y) * 320 + 60 + place * 6 * scale + x] = 230
  return image
}

test('a word is found where it stands, and read', async () => {
  const reader = await openReader()
  try {
    const image = drawn('SMITH', 4)
    const found = await reader.detect(image)
    assert.equal(found.length, 1)
    const { box } = found[0] ?? assert.fail()
    assert.ok(box.x <= 60 && box.y <= 60, 'the first letter is covered')
    assert.ok(box.x + box.width >= 60 + 29 * 4 && box.y + box.height >= 60 + 28, 'the last letter is covered')
    const { text, confidence } = await reader.read(image, box)
    assert.equal(text, 'SMITH')
    assert.ok(confidence > 0.8)
  } finally {
    await reader.dispose()
  }
})
