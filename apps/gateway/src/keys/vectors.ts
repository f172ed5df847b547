// The published vectors of keys, made from fixed values: a key file, wraps by each of its versions.  values ─► JSON

import { createHash } from 'node:crypto'
import type { KeyId } from '../archive/ids.ts'
import { aesWrap } from './aes-wrap.ts'
import { deriveFileKey, type Kek, keyFileText, SCRYPT, sealKeyFile } from './keyfile.ts'
import { keyAad } from './keyring.ts'
import { wrapAad } from './passphrase.ts'
import { wrappedText } from './provider.ts'

export type WrapVector = { readonly keyId: string; readonly dataKey: string; readonly wrapped: string }

export type KeyVectors = {
  readonly passphrase: string
  readonly keyFile: unknown
  readonly wraps: readonly WrapVector[]
}

const PASSPHRASE = 'Zwölf Boxkämpfer jagen Viktor'
const FILE_ID = '5b1f6c1e-8d27-4f0a-9c3b-2a7e64d0f918'
const KEK_IDS = ['0f3a5d62-1c48-4e97-8b20-6d9e31f4a7c5', '9c27e1b4-7f60-4a3d-a518-e05b8c6d2f93']
const KEY_IDS = ['c4d8a1f0-2b57-4396-9e0d-7a61b3f85c24', '3e90b7d5-64fa-4c12-8d79-f1a05e2c6b38']
const CREATED = Date.UTC(2026, 0, 1)

export async function keyVectors(): Promise<KeyVectors> {
  const salt = fixed('salt')
  const keks = KEK_IDS.map((id, i): Kek => ({ id, created: CREATED + i, key: fixed(`kek ${i}`) }))
  const fileKey = await deriveFileKey(Buffer.from(PASSPHRASE), salt, SCRYPT)
  const nonce = fixed('nonce').subarray(0, 12)
  const file = sealKeyFile({ id: FILE_ID, cost: SCRYPT, salt, keks, nonce }, fileKey)
  const wraps = keks.map((kek, i) => {
    const keyId = KEY_IDS[i] ?? ''
    const dataKey = fixed(`wrapped ${i}`)
    const key = { key: kek.key, aad: wrapAad(kek.id, keyAad(keyId as KeyId)) }
    const bytes = aesWrap(key, dataKey, fixed(`wrap nonce ${i}`).subarray(0, 12))
    const wrapped = wrappedText({ provider: `passphrase:${FILE_ID}`, kek: kek.id, bytes })
    return { keyId, dataKey: dataKey.toString('hex'), wrapped }
  })
  return { passphrase: PASSPHRASE, keyFile: JSON.parse(keyFileText(file)), wraps }
}

function fixed(label: string): Buffer {
  return createHash('sha256').update(`roentgate key vector ${label}`).digest()
}
