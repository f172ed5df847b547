// Values that identify a person, as the database holds them. Format: docs/formats/index.md.
//
//   index key ─HKDF→ a key for each column and use
//   cipher:  01 | nonce 12 | AES-256-GCM(padded text; AAD = table | column | row id) | tag 16
//   blind:   HMAC-SHA-256(value), for equality
//   tokens:  HMAC-SHA-256(component | prefix), 64 bits each, for the starts of names
//
// Invariants: a cell opens in its own place only; equal values of two columns have unrelated blinds; who has the
// database without the key can try no candidate.

import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { IndexError } from './errors.ts'
import { prefixesOf, wantedPrefixes } from './names.ts'

export type Cell = {
  readonly table:
    | 'patients'
    | 'studies'
    | 'series'
    | 'worklist'
    | 'performed_steps'
    | 'people'
    | 'oidc_records'
    | 'signing_keys'
    | 'identity_providers'
  readonly column: string
  readonly row: string
}

export type Columns = {
  readonly seal: (cell: Cell, text: string) => Buffer
  readonly open: (cell: Cell, sealed: Uint8Array) => string
  readonly blind: (column: string, value: string) => Buffer
  /** Of a name as stored: every prefix, and padding. Signed 64-bit integers as text. */
  readonly nameTokens: (name: string) => readonly string[]
  /** That a name must have all of to match; none if the pattern starts with a wildcard. */
  readonly patternTokens: (pattern: string) => readonly string[]
}

const KEY_BYTES = 32
const VERSION = 1
const NONCE_BYTES = 12
const TAG_BYTES = 16
/** Texts are padded to a multiple of this, so that lengths say little (ISO/IEC 7816-4: 80, then zeros). */
const BLOCK = 32
/** Tokens are padded to a multiple of this, so that their number says little about a name's length. */
const TOKEN_BLOCK = 16

export function openColumns(indexKey: Uint8Array): Columns {
  if (indexKey.length !== KEY_BYTES) throw new IndexError('BAD_KEY', `an index key has ${KEY_BYTES} bytes`)
  // A KeyObject: handing raw bytes to each call costs five times the call.
  const derive = (use: string): KeyObject =>
    createSecretKey(
      Buffer.from(hkdfSync('sha256', indexKey, new Uint8Array(0), `roentgate/index/1 ${use}`, KEY_BYTES)),
    )
  const keys = new Map<string, KeyObject>()
  const keyFor = (use: string): KeyObject => {
    const key = keys.get(use) ?? derive(use)
    keys.set(use, key)
    return key
  }
  const token = (prefix: string): string =>
    mac(keyFor('tokens patients.name'), prefix).readBigInt64BE(0).toString()
  return {
    seal: (cell, text) =>
      seal({ key: keyFor(`cipher ${cell.table}.${cell.column}`), aad: aadOf(cell) }, text),
    open: (cell, sealed) =>
      open({ key: keyFor(`cipher ${cell.table}.${cell.column}`), aad: aadOf(cell) }, sealed),
    blind: (column, value) => mac(keyFor(`blind ${column}`), value),
    nameTokens: (name) => padded(prefixesOf(name).map(token)),
    patternTokens: (pattern) => wantedPrefixes(pattern).map(token),
  }
}

function mac(key: KeyObject, value: string): Buffer {
  return createHmac('sha256', key).update(value, 'utf8').digest()
}

/** No part holds a zero byte, so that two places never read the same. */
function aadOf({ table, column, row }: Cell): Buffer {
  return Buffer.from([table, column, row].join('\0'), 'utf8')
}

type Lock = { readonly key: KeyObject; readonly aad: Buffer }

function seal({ key, aad }: Lock, text: string): Buffer {
  const bytes = Buffer.from(text, 'utf8')
  const plain = Buffer.alloc((Math.floor(bytes.length / BLOCK) + 1) * BLOCK)
  bytes.copy(plain)
  plain[bytes.length] = 0x80
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(aad)
  const body = cipher.update(plain)
  cipher.final()
  return Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.getAuthTag()])
}

function open({ key, aad }: Lock, sealed: Uint8Array): string {
  const tagAt = sealed.length - TAG_BYTES
  const bodyAt = 1 + NONCE_BYTES
  if (sealed[0] !== VERSION || tagAt < bodyAt + BLOCK) throw badCell()
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, bodyAt), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(aad).setAuthTag(sealed.subarray(tagAt))
  const plain = decipher.update(sealed.subarray(bodyAt, tagAt))
  try {
    decipher.final()
  } catch {
    throw badCell()
  }
  const end = plain.lastIndexOf(0x80)
  return plain.toString('utf8', 0, end)
}

function badCell(): IndexError {
  return new IndexError('BAD_CELL', 'a cell of the index does not open')
}

function padded(tokens: readonly string[]): readonly string[] {
  const distinct = new Set(tokens)
  while (distinct.size % TOKEN_BLOCK !== 0) distinct.add(randomBytes(8).readBigInt64BE(0).toString())
  return [...distinct].sort()
}
