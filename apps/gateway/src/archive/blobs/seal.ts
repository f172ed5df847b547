// Plaintext ─frames─► AES-256-GCM ─► a blob, and the plaintext's SHA-256 from the same pass.
//
//   const sealed = sealBlob({ objectId, keyId, dataKey }, source)
//   await store.put(objectId, sealed)
//   const { sha256, size } = await sealed.done
//
// The object key is derived when sealBlob is called, so that the caller may wipe the data key at once.

import {
  createCipheriv,
  createHash,
  createSecretKey,
  type KeyObject,
  randomBytes,
  webcrypto,
} from 'node:crypto'
import type { KeyId, ObjectId } from '../ids.ts'
import {
  blobSize,
  DEFAULT_FRAME_LOG2,
  encodeHeader,
  frameSeal,
  HEADER_BYTES,
  type Header,
  MAX_FRAME_LOG2,
  MAX_FRAMES,
  MIN_FRAME_LOG2,
  objectKey,
  SALT_BYTES,
  TAG_BYTES,
} from './format.ts'

export type SealOptions = {
  readonly objectId: ObjectId
  readonly keyId: KeyId
  readonly dataKey: Uint8Array
  /** For test vectors alone: two blobs of one id, key and salt would share nonces. */
  readonly salt?: Uint8Array
  readonly frameLog2?: number
}

/** Of the plaintext; `stored` is the size of the blob. */
export type SealResult = { readonly sha256: string; readonly size: number; readonly stored: number }

/** To be iterated once. `done` resolves at its end and rejects if the source fails or nobody reads to the end. */
export type SealedBlob = AsyncIterable<Uint8Array> & { readonly done: Promise<SealResult> }

export function sealBlob(
  options: SealOptions,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): SealedBlob {
  const header = headerOf(options)
  const key = secretOf(options.dataKey, header)
  const { promise, resolve, reject } = Promise.withResolvers<SealResult>()
  // Whoever only iterates gets the failure there.
  promise.catch(() => undefined)
  const iterator = sealFrames({ header, key }, source, resolve)
  return {
    done: promise,
    [Symbol.asyncIterator]: async function* () {
      try {
        yield* iterator
      } catch (error) {
        reject(error)
        throw error
      } finally {
        reject(new Error('the blob was not sealed to its end'))
      }
    },
  }
}

type Sealing = { readonly header: Header; readonly key: KeyObject }

async function* sealFrames(
  { header, key }: Sealing,
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  done: (result: SealResult) => void,
): AsyncGenerator<Uint8Array> {
  const encoded = encodeHeader(header)
  const hash = createHash('sha256')
  let size = 0
  let index = 0
  let stored = HEADER_BYTES
  yield encoded
  for await (const { bytes, last } of framed(source, 2 ** header.frameLog2)) {
    hash.update(bytes)
    size += bytes.length
    const [sealed, tag] = sealFrame({ header: encoded, key, index, last }, bytes)
    stored += sealed.length + tag.length
    index += 1
    yield sealed
    yield tag
  }
  done({ sha256: hash.digest('hex'), size, stored })
}

type Frame = { readonly bytes: Uint8Array; readonly last: boolean }

/** Cut to size. A full frame is held back until it is known whether it is the last. */
async function* framed(
  source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  frame: number,
): AsyncGenerator<Frame> {
  const held = Buffer.allocUnsafe(frame)
  let used = 0
  try {
    for await (const chunk of source) {
      let rest = chunk
      while (rest.length > 0) {
        if (used === frame) {
          yield { bytes: held, last: false }
          used = 0
        }
        // Whole frames of a large chunk are not copied.
        while (used === 0 && rest.length > frame) {
          yield { bytes: rest.subarray(0, frame), last: false }
          rest = rest.subarray(frame)
        }
        const taken = Math.min(frame - used, rest.length)
        held.set(rest.subarray(0, taken), used)
        used += taken
        rest = rest.subarray(taken)
      }
    }
    yield { bytes: held.subarray(0, used), last: true }
  } finally {
    held.fill(0)
  }
}

export type SealedPieces = Omit<SealResult, 'sha256'> & { readonly pieces: readonly Uint8Array[] }

/** The same for what is in memory anyway, as the cipher gave it: no byte is copied. Its hash is hashOfBytes. */
export function sealPieces(options: SealOptions, bytes: Uint8Array): SealedPieces {
  const header = headerOf(options)
  const key = secretOf(options.dataKey, header)
  const frame = 2 ** header.frameLog2
  const encoded = encodeHeader(header)
  const pieces: Uint8Array[] = [encoded]
  let index = 0
  for (let from = 0; index === 0 || from < bytes.length; from += frame) {
    const part = bytes.subarray(from, from + frame)
    pieces.push(...sealFrame({ header: encoded, key, index, last: from + frame >= bytes.length }, part))
    index += 1
  }
  return { pieces, size: bytes.length, stored: blobSize(bytes.length, header.frameLog2) }
}

/** From here on another thread is worth its while. */
const LONG_BYTES = 1 << 17

/** SHA-256; of long ones beside this thread, where it has something else to do meanwhile. */
export async function hashOfBytes(bytes: Uint8Array, hasCompany = true): Promise<Buffer> {
  if (bytes.length < LONG_BYTES || !hasCompany) return createHash('sha256').update(bytes).digest()
  return Buffer.from(await webcrypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>))
}

export type SealedBytes = SealResult & { readonly blob: Buffer }

export function sealBytes(options: SealOptions, bytes: Uint8Array): SealedBytes {
  const { pieces, ...result } = sealPieces(options, bytes)
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  return { ...result, sha256, blob: Buffer.concat(pieces) }
}

/** OpenSSL's from here on, which wipes it when it goes; handing raw bytes to each frame costs more than the frame. */
function secretOf(dataKey: Uint8Array, header: Header): KeyObject {
  const key = objectKey(dataKey, header)
  const secret = createSecretKey(key)
  key.fill(0)
  return secret
}

function headerOf(options: SealOptions): Header {
  const { objectId, keyId, salt, frameLog2 = DEFAULT_FRAME_LOG2 } = options
  if (salt !== undefined && salt.length !== SALT_BYTES) throw new RangeError('a salt has 32 bytes')
  if (!Number.isInteger(frameLog2) || frameLog2 < MIN_FRAME_LOG2 || frameLog2 > MAX_FRAME_LOG2) {
    throw new RangeError('frame size out of range')
  }
  return {
    objectId,
    keyId,
    frameLog2,
    salt: salt === undefined ? randomBytes(SALT_BYTES) : Buffer.from(salt),
  }
}

type FramePlace = {
  readonly header: Buffer
  readonly key: KeyObject
  readonly index: number
  readonly last: boolean
}

/** Ciphertext and tag. */
function sealFrame(
  { header, key, index, last }: FramePlace,
  bytes: Uint8Array,
): readonly [sealed: Uint8Array, tag: Uint8Array] {
  if (index >= MAX_FRAMES) throw new RangeError('an object has more than 2³² frames')
  const { nonce, aad } = frameSeal(header, index, last)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(aad)
  const sealed = cipher.update(bytes)
  cipher.final()
  return [sealed, cipher.getAuthTag()]
}
