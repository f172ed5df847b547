// The project key: 32 random bytes, from which every pseudonym and every shift of dates comes. Whoever holds it can
// tell whether a known patient is in a release; whoever loses it can never make the same pseudonyms again.
//
//   # roentgate project key …
//   64 hex digits (or 43 or 44 characters of base64)

import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { PRIVATE_FILE, writeAll } from './atomic.ts'

const KEY_BYTES = 32
/** A comment and a line; anything longer is some other file. */
const MAX_FILE = 4096
const READABLE_BY_OTHERS = 0o077

const COMMENT = `# roentgate project key. Keep it secret and keep a copy: with it, the same patient gets the same pseudonym again,
# and a pseudonym can be traced back. It is the only way back. Never give it away with the images.
`

export class KeyError extends Error {
  readonly code: 'KEY_UNREADABLE' | 'KEY_MALFORMED'
  constructor(code: 'KEY_UNREADABLE' | 'KEY_MALFORMED', what: string) {
    super(what)
    this.name = 'KeyError'
    this.code = code
  }
}

export type ProjectKey = {
  readonly path: string
  /** Hex. */
  readonly key: string
  readonly made: boolean
  /** Others on this machine can read the file. */
  readonly exposed: boolean
}

/** Reads the key, or makes one where there is no file. An existing file is never written to. */
export function openKey(path: string): ProjectKey {
  const made = makeKey(path)
  if (made !== undefined) return { path, key: made, made: true, exposed: false }
  try {
    const { size, mode } = statSync(path)
    if (size > MAX_FILE) throw new KeyError('KEY_MALFORMED', `${path} is too long to be a key`)
    const key = parseKey(readFileSync(path, 'utf8'))
    if (key === undefined) {
      throw new KeyError('KEY_MALFORMED', `${path} holds no key: 32 bytes in hex or base64 are wanted`)
    }
    const exposed = process.platform !== 'win32' && (mode & READABLE_BY_OTHERS) !== 0
    return { path, key, made: false, exposed }
  } catch (error) {
    if (error instanceof KeyError) throw error
    throw new KeyError('KEY_UNREADABLE', `the key ${path} cannot be read${codeOf(error)}`)
  }
}

/** Undefined where the file exists. */
function makeKey(path: string): string | undefined {
  let fd: number
  try {
    mkdirSync(dirname(path), { recursive: true })
    fd = openSync(path, 'wx', PRIVATE_FILE)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined
    throw new KeyError('KEY_UNREADABLE', `no key can be made at ${path}${codeOf(error)}`)
  }
  try {
    const key = randomKey()
    writeAll(fd, Buffer.from(`${COMMENT}${key}\n`))
    fsyncSync(fd)
    return key
  } finally {
    closeSync(fd)
  }
}

export function randomKey(): string {
  return randomBytes(KEY_BYTES).toString('hex')
}

export function parseKey(text: string): string | undefined {
  const lines = text.split(/\r?\n/).map((line) => line.trim())
  const values = lines.filter((line) => line !== '' && !line.startsWith('#'))
  const [value] = values
  if (value === undefined || values.length > 1) return undefined
  if (/^[0-9a-f]{64}$/i.test(value)) return value.toLowerCase()
  if (!/^[A-Za-z0-9+/_-]{43}=?$/.test(value)) return undefined
  return Buffer.from(value, 'base64').toString('hex')
}

/** Names the key without telling anything of it. */
export function keyId(key: string): string {
  return keyedDigest(key, 'key-id').slice(0, 16)
}

export function keyedDigest(key: string, text: string): string {
  return createHmac('sha256', macKey(key)).update(text).digest('hex')
}

const last: { hex?: string; key?: KeyObject } = {}

/** As an object, made once: handing the bytes to each HMAC costs more than a short HMAC itself. */
export function macKey(hex: string): KeyObject {
  if (last.key !== undefined && last.hex === hex) return last.key
  last.key = createSecretKey(hex, 'hex')
  last.hex = hex
  return last.key
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
}
