// The custodian that is a hardware security module (HSM), by PKCS#11. The KEK is made in the token and never leaves it.
//
//   gcm   nonce ─CKM_AES_GCM in the token, aad─► 01 ‖ nonce ‖ ciphertext ‖ tag
//   kwp   CKM_AES_KEY_WRAP_PAD (RFC 5649) of a session object ─► 02 ‖ HMAC(data key, aad) ‖ wrapped
//
// GCM where the token has it, as only that binds the aad itself; with KWP an HMAC under the data key does, which says
// nothing about a random key. Versions are objects labelled LABEL vN-xxxxxxxx; the highest one wraps. A lost session is
// opened again by the next call. Calls block this thread: a token answers in milliseconds, and the keyring asks seldom.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { CustodyError } from './errors.ts'
import {
  type Attributes,
  ckr,
  listed,
  loadPkcs11,
  type Pkcs11Library,
  type Slot,
  type TokenKey,
  type TokenSession,
} from './pkcs11-library.ts'
import {
  asDataKey,
  assertOwn,
  DATA_KEY_BYTES,
  type KeyProvider,
  type Status,
  type Wrapped,
} from './provider.ts'

export type Pkcs11Options = {
  /** Path of the vendor's library. */
  readonly module: string
  readonly token: string
  /** Of our keys on the token; one is made when there is none. */
  readonly label: string
  /** Asked for at each login. */
  readonly pin: () => Promise<string>
  /** For a token whose choice is not the right one. */
  readonly mechanism?: 'gcm' | 'kwp'
}

const DOMAIN = Buffer.from('roentgate wrap v1', 'ascii')
const GCM = 1
const KWP = 2
const NONCE_BYTES = 12
const TAG_BYTES = 16
const TAG_BITS = 128
const MAC_BYTES = 32
const ID_BYTES = 4
/** PKCS#11 2.40: CKO_SECRET_KEY, CKK_GENERIC_SECRET, CKK_AES, CKM_AES_KEY_GEN, RW_SESSION | SERIAL_SESSION. */
const SECRET_KEY = 4
const GENERIC_SECRET = 0x10
const AES = 0x1f
const READ_WRITE = 2 | 4
const KEY_WRAP_PAD = 'AES_KEY_WRAP_PAD'
const KEY_GEN = 'AES_KEY_GEN'

/** An error of the token → what it means to us; the rest is UNAVAILABLE, and the session is opened anew. */
const DENIED = /^CKR_(?:PIN_|USER_|ACTION_PROHIBITED|KEY_FUNCTION_NOT_PERMITTED)/
const DAMAGED =
  /^CKR_(?:ENCRYPTED_DATA_|WRAPPED_KEY_|AEAD_DECRYPT_FAILED|GENERAL_ERROR|FUNCTION_FAILED|DATA_INVALID|DATA_LEN_RANGE)/
const UNSUPPORTED = /^CKR_(?:MECHANISM_|FUNCTION_NOT_SUPPORTED|TEMPLATE_|ATTRIBUTE_)/

type Kek = { readonly kek: string; readonly version: number; readonly key: TokenKey }
type Live = { readonly session: TokenSession; readonly keks: readonly Kek[]; readonly mode: number }
type Hsm = Pkcs11Options & { readonly library: Pkcs11Library; readonly slot: Slot; live?: Live | undefined }

export async function openPkcs11Provider(options: Pkcs11Options): Promise<KeyProvider> {
  const library = await loadPkcs11()
  const hsm: Hsm = { ...options, library, slot: findSlot(library, options) }
  const id = `pkcs11:${options.token}/${options.label}`
  const use = <R>(doing: 'wrap' | 'unwrap', act: (live: Live) => R): Promise<R> => using(hsm, doing, act)
  await use('wrap', (live) => {
    if (live.keks.length === 0) hsm.live = { ...live, keks: [generate(live.session, options.label, 1)] }
  })
  return {
    kind: 'pkcs11',
    id,
    describe: () => use('wrap', (live) => statusOf(hsm, live, id)),
    wrap: (dataKey, aad) => use('wrap', (live) => wrap(hsm, live, { id, dataKey, aad })),
    unwrap: async (wrapped, aad) => {
      assertOwn(wrapped, id)
      return await use('unwrap', (live) => asDataKey(unwrap(hsm, live, { wrapped, aad })))
    },
    rotate: async () => {
      await use('wrap', (live) => {
        // Looked up again: another process may have rotated.
        const keks = find(live.session, options.label)
        const fresh = generate(live.session, options.label, (keks.at(-1)?.version ?? 0) + 1)
        hsm.live = { ...live, keks: [...keks, fresh] }
      })
      return await use('wrap', (live) => statusOf(hsm, live, id))
    },
    close: async () => {
      // Without logging out: the login belongs to all sessions of this process with the token.
      hsm.live?.session.close()
      hsm.live = undefined
    },
  }
}

function findSlot(library: Pkcs11Library, { module: path, token }: Pkcs11Options): Slot {
  try {
    const module = library.Module.load(path)
    try {
      module.initialize()
    } catch (error) {
      if (ckr(error) !== 'CKR_CRYPTOKI_ALREADY_INITIALIZED') throw error
    }
    const slot = listed(module.getSlots(true)).find((one) => one.getToken().label.trim() === token)
    if (slot !== undefined) return slot
  } catch (cause) {
    throw new CustodyError('UNAVAILABLE', 'the PKCS#11 module cannot be used', { cause })
  }
  throw new CustodyError('UNAVAILABLE', 'no token of that label is present')
}

async function using<R>(hsm: Hsm, doing: 'wrap' | 'unwrap', act: (live: Live) => R): Promise<R> {
  try {
    hsm.live ??= await login(hsm)
    return act(hsm.live)
  } catch (cause) {
    const code = ckr(cause)
    if (code === '') throw cause
    if (DENIED.test(code)) throw new CustodyError('DENIED', `the token refuses: ${code}`, { cause })
    if (UNSUPPORTED.test(code)) throw new CustodyError('UNSUPPORTED', `the token cannot: ${code}`, { cause })
    if (doing === 'unwrap' && DAMAGED.test(code)) {
      throw new CustodyError('CORRUPT', 'the token does not take the wrap for authentic', { cause })
    }
    hsm.live = undefined
    throw new CustodyError('UNAVAILABLE', `the token does not answer: ${code}`, { cause })
  }
}

async function login({ slot, pin, label, mechanism }: Hsm): Promise<Live> {
  const word = await pin()
  const session = slot.open(READ_WRITE)
  try {
    session.login(word)
  } catch (error) {
    if (ckr(error) !== 'CKR_USER_ALREADY_LOGGED_IN') {
      session.close()
      throw error
    }
  }
  const names = new Set(listed(slot.getMechanisms()).map(({ name }) => name))
  const gcm = mechanism === undefined ? names.has('AES_GCM') : mechanism === 'gcm'
  if (!names.has(gcm ? 'AES_GCM' : KEY_WRAP_PAD)) {
    throw new CustodyError(
      'UNSUPPORTED',
      'the token has neither AES-GCM nor AES key wrap, or not the one asked for',
    )
  }
  return { session, keks: find(session, label), mode: gcm ? GCM : KWP }
}

/** Oldest first. Two processes that rotate at once make two of one number; both keep them apart by the rest of the name. */
function find(session: TokenSession, label: string): readonly Kek[] {
  const objects = listed(session.find({ class: SECRET_KEY, keyType: AES, token: true }))
  const keks = objects.flatMap((object): readonly Kek[] => {
    const key = object.toType()
    const name = key.label.startsWith(`${label} `) ? key.label.slice(label.length + 1) : ''
    const version = /^v(\d{1,9})-[0-9a-f]{8}$/.exec(name)?.[1]
    return version === undefined ? [] : [{ kek: name, version: Number(version), key }]
  })
  return keks.toSorted((a, b) => a.version - b.version || (a.kek < b.kek ? -1 : 1))
}

function generate(session: TokenSession, label: string, version: number): Kek {
  const id = randomBytes(ID_BYTES)
  const kek = `v${version}-${id.toString('hex')}`
  const key = session.generateKey(KEY_GEN, {
    class: SECRET_KEY,
    keyType: AES,
    valueLen: DATA_KEY_BYTES,
    label: `${label} ${kek}`,
    id,
    token: true,
    private: true,
    sensitive: true,
    extractable: false,
    modifiable: false,
    encrypt: true,
    decrypt: true,
    wrap: true,
    unwrap: true,
  })
  return { kek, version, key }
}

type Wrap = { readonly id: string; readonly dataKey: Buffer; readonly aad: Buffer }

function wrap({ library }: Hsm, { session, keks, mode }: Live, { id, dataKey, aad }: Wrap): Wrapped {
  const newest = keks.at(-1)
  if (newest === undefined) throw new CustodyError('UNKNOWN_KEK', 'the token has no key of ours')
  const { kek, key } = newest
  const bound = Buffer.concat([DOMAIN, Buffer.from(kek, 'utf8'), aad])
  if (mode === GCM) {
    const nonce = randomBytes(NONCE_BYTES)
    const params = new library.AesGcmParams(nonce, bound, TAG_BITS)
    const into = Buffer.alloc(dataKey.length + 2 * TAG_BYTES)
    const sealed = session.createCipher({ name: 'AES_GCM', params }, key).once(dataKey, into)
    return { provider: id, kek, bytes: Buffer.concat([Buffer.from([GCM]), nonce, sealed]) }
  }
  const object = session.create({ ...TRANSIENT, value: dataKey }).toType()
  try {
    const wrapped = session.wrapKey(KEY_WRAP_PAD, key, object)
    return { provider: id, kek, bytes: Buffer.concat([Buffer.from([KWP]), macOf(dataKey, bound), wrapped]) }
  } finally {
    object.destroy()
  }
}

/** A data key on its way through the token. */
const TRANSIENT: Attributes = {
  class: SECRET_KEY,
  keyType: GENERIC_SECRET,
  token: false,
  private: true,
  sensitive: false,
  extractable: true,
}

type Unwrap = { readonly wrapped: Wrapped; readonly aad: Buffer }

function unwrap(hsm: Hsm, live: Live, { wrapped, aad }: Unwrap): Buffer {
  const { kek, bytes } = wrapped
  const key = keyOf(hsm, live, kek)
  const bound = Buffer.concat([DOMAIN, Buffer.from(kek, 'utf8'), aad])
  const body = bytes.subarray(1)
  if (bytes[0] === GCM && body.length > NONCE_BYTES + TAG_BYTES) {
    const params = new hsm.library.AesGcmParams(body.subarray(0, NONCE_BYTES), bound, TAG_BITS)
    const into = Buffer.alloc(body.length)
    const cipher = live.session.createDecipher({ name: 'AES_GCM', params }, key)
    const opened = Buffer.from(cipher.once(body.subarray(NONCE_BYTES), into))
    into.fill(0)
    return opened
  }
  if (bytes[0] === KWP && body.length > MAC_BYTES) {
    const object = live.session.unwrapKey(KEY_WRAP_PAD, key, body.subarray(MAC_BYTES), TRANSIENT).toType()
    const dataKey = object.getAttribute({ value: null }).value ?? Buffer.alloc(0)
    object.destroy()
    if (timingSafeEqual(macOf(dataKey, bound), body.subarray(0, MAC_BYTES))) return dataKey
    dataKey.fill(0)
    throw new CustodyError('CORRUPT', 'the wrap belongs to another key')
  }
  throw new CustodyError('CORRUPT', 'not a wrap of a token')
}

function keyOf(hsm: Hsm, live: Live, wanted: string): TokenKey {
  const known = live.keks.find(({ kek }) => kek === wanted)
  if (known !== undefined) return known.key
  const keks = find(live.session, hsm.label)
  hsm.live = { ...live, keks }
  const fresh = keks.find(({ kek }) => kek === wanted)
  if (fresh === undefined) throw new CustodyError('UNKNOWN_KEK', 'the token has no such version')
  return fresh.key
}

function macOf(dataKey: Buffer, bound: Buffer): Buffer {
  return createHmac('sha256', dataKey).update(bound).digest()
}

function statusOf({ slot, token, label }: Hsm, { keks, mode }: Live, id: string): Status {
  const { manufacturerID, model } = slot.getToken()
  const how = mode === GCM ? 'AES-GCM' : 'AES key wrap'
  return {
    kind: 'pkcs11',
    id,
    kek: keks.at(-1)?.kek ?? '',
    versions: keks.map(({ kek }) => ({ kek })),
    where: `token ${token} (${manufacturerID.trim()} ${model.trim()}), key ${label}, ${how}`,
  }
}
