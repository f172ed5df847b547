// Names of what the archive keeps: random UUIDs in lower case, so that a name says nothing and is a safe file name.

import { randomUUID } from 'node:crypto'

declare const brand: unique symbol
export type ObjectId = string & { readonly [brand]: 'ObjectId' }
/** Of a data key: one a study. */
export type KeyId = string & { readonly [brand]: 'KeyId' }

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
export const UUID_BYTES = 16

export function isUuid(text: string): boolean {
  return UUID.test(text)
}

export function newObjectId(): ObjectId {
  return randomUUID() as ObjectId
}

/** As many share their first digits as a folder takes without many of them being made and flushed (directory.ts). */
const SHARE = 1024
const SHARED_DIGITS = 4

/** Ids of one writer, one after the other: random but for the first four digits, which stay for a while. */
export function objectIds(): () => ObjectId {
  let prefix = ''
  let left = 0
  return () => {
    const id = newObjectId()
    if (left === 0) {
      prefix = id.slice(0, SHARED_DIGITS)
      left = SHARE
    }
    left -= 1
    return (prefix + id.slice(SHARED_DIGITS)) as ObjectId
  }
}

export function newKeyId(): KeyId {
  return randomUUID() as KeyId
}

/** For an id that comes from outside: a URL, a row, a file name. */
export function parseObjectId(text: string): ObjectId | undefined {
  return isUuid(text) ? (text as ObjectId) : undefined
}

export function parseKeyId(text: string): KeyId | undefined {
  return isUuid(text) ? (text as KeyId) : undefined
}

export function uuidBytes(id: string): Buffer {
  const bytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  if (bytes.length !== UUID_BYTES) throw new RangeError('not a UUID')
  return bytes
}

export function uuidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join(
    '-',
  )
}
