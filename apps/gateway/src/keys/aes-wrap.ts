// A key wrapped by a key: nonce 12 ‖ AES-256-GCM ciphertext ‖ tag 16.
//
// GCM and not AES-KWP (RFC 5649): KWP has no associated data, so that a wrap could be moved to another study's row
// without notice. The nonce is random; a KEK that wraps 2³² keys is beyond any archive.

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { CustodyError } from './errors.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

export type AesKey = { readonly key: Uint8Array; readonly aad: Uint8Array }

/** `nonce` is given by test vectors alone. */
export function aesWrap(
  { key, aad }: AesKey,
  secret: Uint8Array,
  nonce: Buffer = randomBytes(NONCE_BYTES),
): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(aad)
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
}

export function aesUnwrap({ key, aad }: AesKey, wrapped: Uint8Array): Buffer {
  if (wrapped.length < NONCE_BYTES + TAG_BYTES) throw new CustodyError('CORRUPT', 'the wrap is too short')
  const tagAt = wrapped.length - TAG_BYTES
  const nonce = wrapped.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(wrapped.subarray(tagAt))
  const secret = decipher.update(wrapped.subarray(NONCE_BYTES, tagAt))
  try {
    decipher.final()
  } catch {
    secret.fill(0)
    throw new CustodyError('CORRUPT', 'the wrap is not authentic')
  }
  return secret
}
