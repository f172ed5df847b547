// The published vectors, made from fixed keys: docs/formats/store-vectors.json.  values ─sealBytes─► JSON
//
//   node tools/store-vectors.ts      writes them; vectors.test.ts checks that the file is what this makes

import { createHash } from 'node:crypto'
import type { KeyId, ObjectId } from '../ids.ts'
import { sealBytes } from './seal.ts'

export type BlobVector = {
  readonly name: string
  readonly dataKey: string
  readonly salt: string
  readonly objectId: string
  readonly keyId: string
  readonly frame: number
  readonly length: number
  readonly plaintextSha256: string
  readonly size: number
  readonly sha256: string
  /** Base64, where it is short. */
  readonly blob?: string
}

/** Base64 of more than this would be a file of numbers that nobody reads. */
const SHORT = 12_000
const FRAME = 65_536

const CASES: readonly (readonly [name: string, length: number, frame: number])[] = [
  ['empty', 0, 16],
  ['one byte', 1, 16],
  ['a small object', 9_000, 16],
  ['exactly one small frame', 4096, 12],
  ['two small frames and a byte', 8193, 12],
  ['one byte less than a frame', FRAME - 1, 16],
  ['exactly one frame', FRAME, 16],
  ['a frame and a byte', FRAME + 1, 16],
  ['exactly three frames', 3 * FRAME, 16],
  ['several frames', 300_000, 16],
]

export function blobVectors(): readonly BlobVector[] {
  return CASES.map(([name, length, frame], i) => {
    const dataKey = fixed(`data key ${i}`)
    const salt = fixed(`salt ${i}`)
    const objectId = fixedUuid(`object ${i}`)
    const keyId = fixedUuid(`key ${i}`)
    const plaintext = patternOf(length)
    const { blob, sha256 } = sealBytes(
      { dataKey, salt, frameLog2: frame, objectId: objectId as ObjectId, keyId: keyId as KeyId },
      plaintext,
    )
    return {
      name,
      dataKey: dataKey.toString('hex'),
      salt: salt.toString('hex'),
      objectId,
      keyId,
      frame,
      length,
      plaintextSha256: sha256,
      size: blob.length,
      sha256: createHash('sha256').update(blob).digest('hex'),
      ...(blob.length > SHORT ? {} : { blob: blob.toString('base64') }),
    }
  })
}

export function patternOf(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = (i * 7 + (i >> 8)) & 0xff
  return bytes
}

function fixed(label: string): Buffer {
  return createHash('sha256').update(`roentgate vector ${label}`).digest()
}

function fixedUuid(label: string): string {
  const hex = fixed(label).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
