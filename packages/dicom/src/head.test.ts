// The head of a stream: for every length of its beginning, the head that the whole has, or a request for more.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DicomError } from './errors.ts'
import { EXPLICIT, forge, IMPLICIT, JPEG_BASELINE, join, part10, UNDEFINED } from './forge.ts'
import { fromBytes } from './model.ts'
import { readHead } from './read.ts'

const le = forge({ explicit: true, bigEndian: false })
const implicit = forge({ explicit: false, bigEndian: false })
const header = (make: typeof le): Uint8Array =>
  join(
    make.element(0x00080016, 'UI', '1.2\0'),
    make.openSequence(0x00081140, [make.openItem(make.element(0x00081155, 'UI', '1.2\0'))]),
    make.element(0x00100010, 'PN', 'DOE^JANE'),
  )
const frames = le.frames(0x7fe00010, [new Uint8Array(0), new Uint8Array(20)])

const CASES = [
  ['native', part10(EXPLICIT, header(le), le.element(0x7fe00010, 'OW', new Uint8Array(16))), 16],
  [
    'implicit',
    part10(IMPLICIT, header(implicit), implicit.element(0x7fe00010, 'OW', new Uint8Array(16))),
    16,
  ],
  ['fragments', part10(JPEG_BASELINE, header(le), frames), undefined],
] as const

for (const [name, bytes, length] of CASES) {
  test(`${name}: the beginning of a stream is enough, and never mistaken for all of it`, () => {
    const whole = readHead(fromBytes(bytes))
    assert.ok(whole.pixels)
    assert.equal(whole.pixels.length, length)
    assert.equal(whole.file.dataset.elements.length, 3)
    let enough = 0
    for (let size = 140; size < bytes.length; size++) {
      const seen = headOf(bytes.subarray(0, size))
      if (seen?.pixels === undefined) continue
      enough++
      assert.deepEqual(seen.pixels, whole.pixels)
      assert.deepEqual(
        seen.file.dataset.elements.map(({ tag }) => tag),
        whole.file.dataset.elements.map(({ tag }) => tag),
      )
    }
    assert.equal(enough, bytes.length - whole.pixels.at)
  })
}

test('pixel data that lies about its length is none of a head', () => {
  const lying = part10(
    EXPLICIT,
    header(le),
    le.element(0x7fe00010, 'OB', { value: 'x', claims: UNDEFINED - 1 }),
  )
  assert.equal(readHead(fromBytes(lying)).pixels?.length, UNDEFINED - 1)
})

function headOf(bytes: Uint8Array): ReturnType<typeof readHead> | undefined {
  try {
    return readHead(fromBytes(bytes))
  } catch (error) {
    assert.ok(error instanceof DicomError && error.code === 'TRUNCATED', String(error))
    return undefined
  }
}
