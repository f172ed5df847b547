// Names of what the archive keeps: random UUIDs in lower case, so that a name says nothing and is a safe file name.

import { randomInt, randomUUID } from 'node:crypto'

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

/** As many batches lie in one folder, without many of them being made and flushed (directory.ts). */
const SHARE = 256
const FOLDER_DIGITS = 4
const SUFFIX_DIGITS = 8
const SUFFIXES = 2 ** 32

export type ObjectIds = (count: number) => readonly ObjectId[]

/**
 * Ids of one writer, a batch at a time. Those of a batch differ in their last eight digits only, which makes them a pack;
 * batches differ at random, but for the first four digits, which stay for a while.
 */
export function objectIds(): ObjectIds {
  let folder = ''
  let left = 0
  return (count) => {
    const first = newObjectId()
    if (left === 0) {
      folder = first.slice(0, FOLDER_DIGITS)
      left = SHARE
    }
    left -= 1
    const common = folder + first.slice(FOLDER_DIGITS, -SUFFIX_DIGITS)
    const suffixes = new Set<number>()
    while (suffixes.size < count) suffixes.add(randomInt(SUFFIXES))
    return [...suffixes].map(
      (suffix) => (common + suffix.toString(16).padStart(SUFFIX_DIGITS, '0')) as ObjectId,
    )
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
