// The custodian that is a file and a passphrase: for one machine, and as the second custodian of another one.
//
// Invariants: a version is on disk, durably, before it wraps anything; the file is replaced as a whole, by one process at
// a time (a lock file beside it); the passphrase itself is not kept, only what scrypt made of it.

import { randomBytes, randomUUID } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { isUuid, uuidBytes } from '../archive/ids.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER, writeAtomic } from '../pipeline/atomic.ts'
import { aesUnwrap, aesWrap } from './aes-wrap.ts'
import { CustodyError } from './errors.ts'
import {
  deriveFileKey,
  FILE_SALT_BYTES,
  type FileKey,
  KEK_BYTES,
  type Kek,
  type KeyFile,
  keyFileText,
  openKeyFile,
  parseKeyFile,
  SCRYPT,
  type ScryptCost,
  sealKeyFile,
} from './keyfile.ts'
import { asDataKey, assertOwn, type KeyProvider, type Status, type Wrapped } from './provider.ts'

const WRAP_DOMAIN = Buffer.from('roentgate wrap v1', 'ascii')

export type PassphraseOptions = {
  readonly path: string
  /** Stays the caller's, who wipes it. */
  readonly passphrase: Buffer
  readonly now?: () => number
  /** Raised, where the machine has the memory. Tests lower it. */
  readonly cost?: ScryptCost
}

export type PassphraseProvider = KeyProvider & {
  readonly changePassphrase: (passphrase: Buffer) => Promise<void>
}

/** A new file with one KEK. EXISTS where there is one: nothing would be left of what it wrapped. */
export async function createKeyFile(options: PassphraseOptions): Promise<PassphraseProvider> {
  const { path, passphrase, now = Date.now, cost = SCRYPT } = options
  if (passphrase.length === 0) throw new CustodyError('WRONG_PASSPHRASE', 'the passphrase is empty')
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER })
  using _ = lock(path)
  if (existsSync(path)) throw new CustodyError('EXISTS', 'there is a key file already')
  const salt = randomBytes(FILE_SALT_BYTES)
  const fileKey = await deriveFileKey(passphrase, salt, cost)
  const keks = [newKek(now())]
  const file = sealKeyFile({ id: randomUUID(), cost, salt, keks }, fileKey)
  save(path, file)
  return providerOf({ path, now, file, fileKey, keks })
}

export async function openKeyFileProvider(options: PassphraseOptions): Promise<PassphraseProvider> {
  const { path, passphrase, now = Date.now } = options
  const file = load(path)
  const fileKey = await deriveFileKey(passphrase, file.salt, file.cost)
  return providerOf({ path, now, file, fileKey, keks: openKeyFile(file, fileKey) })
}

type Held = {
  readonly path: string
  readonly now: () => number
  file: KeyFile
  fileKey: FileKey
  keks: readonly Kek[]
  closed?: boolean
}

function providerOf(held: Held): PassphraseProvider {
  const id = `passphrase:${held.file.id}`
  const open = () => {
    if (held.closed === true) throw new CustodyError('CLOSED', 'the key file is closed')
  }
  return {
    kind: 'passphrase',
    id,
    describe: async () => statusOf(held, id),
    wrap: async (dataKey, aad) => {
      open()
      const kek = currentOf(held.keks)
      const bytes = aesWrap({ key: kek.key, aad: wrapAad(kek.id, aad) }, dataKey)
      return { provider: id, kek: kek.id, bytes }
    },
    unwrap: async (wrapped, aad) => {
      open()
      assertOwn(wrapped, id)
      const kek = kekOf(held, wrapped)
      return asDataKey(aesUnwrap({ key: kek.key, aad: wrapAad(kek.id, aad) }, wrapped.bytes))
    },
    rotate: async () => {
      open()
      using _ = lock(held.path)
      reload(held)
      const keks = [...held.keks, newKek(held.now())]
      const { id: fileId, cost, salt } = held.file
      const file = sealKeyFile({ id: fileId, cost, salt, keks }, held.fileKey)
      save(held.path, file)
      held.file = file
      held.keks = keks
      return statusOf(held, id)
    },
    changePassphrase: async (passphrase) => {
      open()
      await changePassphrase(held, passphrase)
    },
    close: async () => {
      held.closed = true
      held.fileKey.key.fill(0)
      for (const { key } of held.keks) key.fill(0)
    },
  }
}

async function changePassphrase(held: Held, passphrase: Buffer): Promise<void> {
  if (passphrase.length === 0) throw new CustodyError('WRONG_PASSPHRASE', 'the passphrase is empty')
  using _ = lock(held.path)
  reload(held)
  const salt = randomBytes(FILE_SALT_BYTES)
  const { id, cost } = held.file
  const fileKey = await deriveFileKey(passphrase, salt, cost)
  const file = sealKeyFile({ id, cost, salt, keks: held.keks }, fileKey)
  save(held.path, file)
  held.fileKey.key.fill(0)
  held.file = file
  held.fileKey = fileKey
}

/** Another process may have rotated, which we follow, or changed the passphrase, which we do not know then. */
function reload(held: Held): void {
  const file = load(held.path)
  if (file.id !== held.file.id) throw new CustodyError('CORRUPT', 'the key file is another one now')
  const keks = openKeyFile(file, held.fileKey)
  for (const { key } of held.keks) key.fill(0)
  held.file = file
  held.keks = keks
}

function kekOf(held: Held, { kek: wanted }: Wrapped): Kek {
  const find = () => held.keks.find(({ id }) => id === wanted)
  const found = find()
  if (found !== undefined) return found
  if (isUuid(wanted)) reload(held)
  const fresh = find()
  if (fresh === undefined) throw new CustodyError('UNKNOWN_KEK', 'the key file has no such version')
  return fresh
}

function statusOf({ keks, path }: Held, id: string): Status {
  return {
    kind: 'passphrase',
    id,
    kek: currentOf(keks).id,
    versions: keks.map((kek) => ({ kek: kek.id, created: new Date(kek.created) })),
    where: `key file ${basename(path)}`,
  }
}

/** "roentgate wrap v1" ‖ KEK id ‖ aad */
export function wrapAad(kek: string, aad: Uint8Array): Buffer {
  return Buffer.concat([WRAP_DOMAIN, uuidBytes(kek), aad])
}

function currentOf(keks: readonly Kek[]): Kek {
  const kek = keks.at(-1)
  if (kek === undefined) throw new CustodyError('FORMAT', 'a key file without keys')
  return kek
}

function newKek(created: number): Kek {
  return { id: randomUUID(), created, key: randomBytes(KEK_BYTES) }
}

function load(path: string): KeyFile {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new CustodyError('UNAVAILABLE', 'the key file cannot be read', { cause })
  }
  return parseKeyFile(text)
}

function save(path: string, file: KeyFile): void {
  try {
    writeAtomic(path, keyFileText(file), PRIVATE_FILE)
    const folder = openSync(dirname(path), 'r')
    fsyncSync(folder)
    closeSync(folder)
  } catch (cause) {
    throw new CustodyError('UNAVAILABLE', 'the key file cannot be written', { cause })
  }
}

/** Against a second process that changes the same file: one of two new versions would be lost with all it wrapped. */
function lock(path: string): Disposable {
  const file = `${path}.lock`
  try {
    closeSync(openSync(file, 'wx', PRIVATE_FILE))
  } catch (cause) {
    throw new CustodyError('UNAVAILABLE', 'the key file is being changed (its .lock file is there)', {
      cause,
    })
  }
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) }
}
