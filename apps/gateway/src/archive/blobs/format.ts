// The layout of a blob, without its cipher; docs/formats/store.md is the word.
//
//   magic 6 ‖ version 1 ‖ log₂ F 1 ‖ object id 16 ‖ study-key id 16 ‖ salt 32 ‖ zero 8 ‖ frames (F + 16 each, last ≤)

import { hkdfSync } from 'node:crypto'
import { type KeyId, type ObjectId, uuidBytes, uuidText } from '../ids.ts'
import { corrupt } from './errors.ts'

export const HEADER_BYTES = 80
export const TAG_BYTES = 16
export const SALT_BYTES = 32
export const DATA_KEY_BYTES = 32
export const NONCE_BYTES = 12
/** 64 KiB: a tag for each is 0.02 %, and one of them is little to read for a byte. */
export const DEFAULT_FRAME_LOG2 = 16
export const MIN_FRAME_LOG2 = 12
export const MAX_FRAME_LOG2 = 20
/** The frame index has 32 bits. */
export const MAX_FRAMES = 0x1_0000_0000

const MAGIC = Buffer.from('RGBLOB', 'ascii')
const VERSION = 1
const INFO = Buffer.from('roentgate blob v1', 'ascii')

export type Header = {
  readonly objectId: ObjectId
  readonly keyId: KeyId
  readonly salt: Buffer
  readonly frameLog2: number
}

export function encodeHeader(header: Header): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES)
  MAGIC.copy(bytes, 0)
  bytes[6] = VERSION
  bytes[7] = header.frameLog2
  uuidBytes(header.objectId).copy(bytes, 8)
  uuidBytes(header.keyId).copy(bytes, 24)
  header.salt.copy(bytes, 40)
  return bytes
}

/** Not authenticated yet: every frame's tag covers it. */
export function decodeHeader(bytes: Uint8Array): Header {
  if (bytes.length < HEADER_BYTES) throw corrupt('shorter than its header')
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, HEADER_BYTES)
  if (!buffer.subarray(0, 6).equals(MAGIC)) throw corrupt('no blob at all')
  if (buffer[6] !== VERSION) throw corrupt('unknown version')
  const frameLog2 = buffer.readUInt8(7)
  if (frameLog2 < MIN_FRAME_LOG2 || frameLog2 > MAX_FRAME_LOG2) throw corrupt('impossible frame size')
  if (buffer.readBigUInt64BE(72) !== 0n) throw corrupt('reserved bytes are not zero')
  return {
    objectId: uuidText(buffer.subarray(8, 24)) as ObjectId,
    keyId: uuidText(buffer.subarray(24, 40)) as KeyId,
    salt: Buffer.from(buffer.subarray(40, 72)),
    frameLog2,
  }
}

export type Geometry = {
  /** Plaintext bytes a frame. */
  readonly frame: number
  readonly frames: number
  /** Of the plaintext. */
  readonly size: number
}

/** The one geometry that a blob of so many bytes can have. */
export function geometryOf(blobSize: number, frameLog2: number): Geometry {
  const frame = 2 ** frameLog2
  const body = blobSize - HEADER_BYTES
  const frames = Math.ceil(body / (frame + TAG_BYTES))
  if (frames < 1 || frames > MAX_FRAMES) throw corrupt('no frames')
  const last = body - (frames - 1) * (frame + TAG_BYTES) - TAG_BYTES
  if (last < 0 || (last === 0 && frames > 1)) throw corrupt('cut within its last frame')
  return { frame, frames, size: body - frames * TAG_BYTES }
}

export function blobSize(plaintext: number, frameLog2: number = DEFAULT_FRAME_LOG2): number {
  return HEADER_BYTES + plaintext + TAG_BYTES * Math.max(1, Math.ceil(plaintext / 2 ** frameLog2))
}

/** Bytes [start, end) of the plaintext. */
export type Range = { readonly start: number; readonly end: number }

export type FrameSpan = {
  /** Index of the first frame, and of the one after the last. */
  readonly first: number
  readonly after: number
  /** Where those frames lie in the blob. */
  readonly offset: number
  readonly length: number
}

/** The frames that hold a range, and no other; nothing for an empty range. */
export function frameSpan({ frame, frames, size }: Geometry, { start, end }: Range): FrameSpan {
  const stored = frame + TAG_BYTES
  const first = Math.floor(start / frame)
  const after = end <= start ? first : Math.ceil(end / frame)
  const offset = HEADER_BYTES + first * stored
  const stop = after === frames ? HEADER_BYTES + size + frames * TAG_BYTES : HEADER_BYTES + after * stored
  return { first, after, offset, length: after === first ? 0 : stop - offset }
}

export function objectKey(dataKey: Uint8Array, { objectId, keyId, salt }: Header): Buffer {
  if (dataKey.length !== DATA_KEY_BYTES) throw new RangeError('a data key has 32 bytes')
  const info = Buffer.concat([INFO, uuidBytes(objectId), uuidBytes(keyId)])
  return Buffer.from(hkdfSync('sha256', dataKey, salt, info, DATA_KEY_BYTES))
}

export type FrameSeal = { readonly nonce: Buffer; readonly aad: Buffer }

/** Nonce: 7 zero bytes, the index, 1 for the last. AAD: the header and the nonce. */
export function frameSeal(header: Buffer, index: number, last: boolean): FrameSeal {
  const aad = Buffer.alloc(HEADER_BYTES + NONCE_BYTES)
  header.copy(aad, 0)
  aad.writeUInt32BE(index, HEADER_BYTES + 7)
  aad[HEADER_BYTES + 11] = last ? 1 : 0
  return { aad, nonce: aad.subarray(HEADER_BYTES) }
}
