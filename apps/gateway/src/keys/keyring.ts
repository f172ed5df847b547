// The data keys in use.   get: memory, or table ─Wrapped─► the provider that wrapped it ─► 32 bytes
//
// Invariants: every get hands out a copy, which its receiver wipes; what leaves memory is wiped; concurrent gets of one
// key unwrap it once; a key that was destroyed is not handed out afterwards by this process, not even by a get that was
// under way. Other processes forget it within `lifetime`.

import { randomBytes } from 'node:crypto'
import { type KeyId, newKeyId, uuidBytes } from '../archive/ids.ts'
import { CustodyError, isCustodyError } from './errors.ts'
import type { KeyTable } from './key-table.ts'
import { DATA_KEY_BYTES, type KeyProvider, type Wrapped } from './provider.ts'

const DOMAIN = Buffer.from('roentgate study key v1', 'ascii')
/** Studies in use at a time; each costs 32 bytes and an entry. */
const CAPACITY = 4096
/** How long a key that another process destroyed may still be used here. */
const LIFETIME_MS = 60_000

export type KeyringOptions = {
  readonly table: KeyTable
  /** The first one wraps new keys; the others only unwrap, while keys move from them. */
  readonly providers: readonly [KeyProvider, ...KeyProvider[]]
  readonly capacity?: number
  readonly lifetime?: number
  readonly now?: () => number
}

export type NewKey = { readonly keyId: KeyId; readonly dataKey: Buffer }

export type Rewrapped = { readonly rewrapped: number; readonly current: number; readonly gone: number }
export type Destroyed = { readonly keyId: KeyId; readonly existed: boolean }

export type Keyring = AsyncDisposable & {
  /** NOT_FOUND for a key that was destroyed. */
  readonly get: (keyId: KeyId) => Promise<Buffer>
  /** Stored, then returned. */
  readonly create: () => Promise<NewKey>
  /** Wrapped for a table that is not ours to write yet: a transaction inserts it with what it belongs to. */
  readonly make: () => Promise<NewKey & { readonly wrapped: Wrapped }>
  /** Every key that is not wrapped by the current version of `target` is unwrapped, wrapped, and tried, before its row
   *  is replaced. No blob is touched. Safe to repeat after an interruption. */
  readonly rewrapAll: (target: KeyProvider, progress?: (done: number) => void) => Promise<Rewrapped>
  /** Crypto-shredding: without the key the blobs are noise. Backups of the table have their own retention. */
  readonly destroy: (keyId: KeyId) => Promise<Destroyed>
  /** Drops all keys from memory; the table and the providers stay the caller's. */
  readonly close: () => Promise<void>
}

type Entry = { readonly dataKey: Buffer; readonly until: number }

type Flight = { readonly loading: Promise<Buffer>; waiting: number }

type Ring = {
  readonly table: KeyTable
  readonly providers: readonly [KeyProvider, ...KeyProvider[]]
  readonly capacity: number
  readonly lifetime: number
  readonly now: () => number
  /** Least recently used first: a Map keeps the order of insertion. */
  readonly entries: Map<KeyId, Entry>
  readonly underWay: Map<KeyId, Flight>
  /** Destroyed while the process ran. Ids are never used again, so that this only grows by acts of people. */
  readonly destroyed: Set<KeyId>
  closed: boolean
}

export function openKeyring(options: KeyringOptions): Keyring {
  const { table, providers, capacity = CAPACITY, lifetime = LIFETIME_MS, now = Date.now } = options
  const ring: Ring = {
    table,
    providers,
    capacity,
    lifetime,
    now,
    entries: new Map(),
    underWay: new Map(),
    destroyed: new Set(),
    closed: false,
  }
  const close = async () => {
    ring.closed = true
    for (const keyId of [...ring.entries.keys()]) forget(ring, keyId)
  }
  return {
    get: (keyId) => get(ring, keyId),
    make: () => make(ring),
    create: async () => {
      const { keyId, dataKey, wrapped } = await make(ring)
      await table.insert(keyId, wrapped)
      remember(ring, keyId, dataKey)
      return { keyId, dataKey }
    },
    rewrapAll: (target, progress) => rewrapAll(ring, target, progress),
    destroy: async (keyId) => {
      ring.destroyed.add(keyId)
      forget(ring, keyId)
      try {
        return { keyId, existed: await table.remove(keyId) }
      } catch (error) {
        // Still there, as far as anybody knows.
        ring.destroyed.delete(keyId)
        throw error
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}

/** What a wrap of this key is bound to. */
export function keyAad(keyId: KeyId): Buffer {
  return Buffer.concat([DOMAIN, uuidBytes(keyId)])
}

async function make(ring: Ring): Promise<NewKey & { readonly wrapped: Wrapped }> {
  if (ring.closed) throw new CustodyError('CLOSED', 'the keyring is closed')
  const keyId = newKeyId()
  const dataKey = randomBytes(DATA_KEY_BYTES)
  const wrapped = await ring.providers[0].wrap(dataKey, keyAad(keyId))
  return { keyId, dataKey, wrapped }
}

async function get(ring: Ring, keyId: KeyId): Promise<Buffer> {
  if (ring.closed) throw new CustodyError('CLOSED', 'the keyring is closed')
  const entry = ring.entries.get(keyId)
  if (entry !== undefined && ring.now() < entry.until) {
    ring.entries.delete(keyId)
    ring.entries.set(keyId, entry)
    return Buffer.from(entry.dataKey)
  }
  forget(ring, keyId)
  const flight = ring.underWay.get(keyId) ?? {
    loading: load(ring, keyId).finally(() => ring.underWay.delete(keyId)),
    waiting: 0,
  }
  ring.underWay.set(keyId, flight)
  flight.waiting += 1
  const shared = await flight.loading
  const copy = Buffer.from(shared)
  flight.waiting -= 1
  if (flight.waiting === 0) shared.fill(0)
  return copy
}

/** For all who wait; the last of them wipes it. */
async function load(ring: Ring, keyId: KeyId): Promise<Buffer> {
  const wrapped = await ring.table.load(keyId)
  if (wrapped === undefined) throw new CustodyError('NOT_FOUND', 'no such key')
  const dataKey = await unwrap(ring.providers, keyId, wrapped)
  if (ring.destroyed.has(keyId) || ring.closed) {
    dataKey.fill(0)
    throw new CustodyError('NOT_FOUND', 'no such key')
  }
  remember(ring, keyId, dataKey)
  return dataKey
}

async function unwrap(providers: readonly KeyProvider[], keyId: KeyId, wrapped: Wrapped): Promise<Buffer> {
  const provider = providers.find(({ id }) => id === wrapped.provider)
  if (provider === undefined)
    throw new CustodyError('UNKNOWN_PROVIDER', 'no custodian here can unwrap the key')
  return await provider.unwrap(wrapped, keyAad(keyId))
}

function remember(ring: Ring, keyId: KeyId, dataKey: Buffer): void {
  ring.entries.set(keyId, { dataKey: Buffer.from(dataKey), until: ring.now() + ring.lifetime })
  for (const oldest of ring.entries.keys()) {
    if (ring.entries.size <= ring.capacity) break
    forget(ring, oldest)
  }
}

function forget(ring: Ring, keyId: KeyId): void {
  ring.entries.get(keyId)?.dataKey.fill(0)
  ring.entries.delete(keyId)
}

async function rewrapAll(
  ring: Ring,
  target: KeyProvider,
  progress?: (done: number) => void,
): Promise<Rewrapped> {
  const { kek } = await target.describe()
  const providers = [target, ...ring.providers.filter(({ id }) => id !== target.id)]
  let rewrapped = 0
  let current = 0
  let gone = 0
  for await (const keyId of ring.table.list()) {
    const wrapped = await ring.table.load(keyId)
    if (wrapped === undefined) gone += 1
    else if (wrapped.provider === target.id && wrapped.kek === kek) current += 1
    else if (await rewrap(ring, keyId, { wrapped, providers, target })) rewrapped += 1
    else gone += 1
    progress?.(rewrapped + current + gone)
  }
  return { rewrapped, current, gone }
}

type Move = {
  readonly wrapped: Wrapped
  readonly providers: readonly KeyProvider[]
  readonly target: KeyProvider
}

/** False for a key that was destroyed meanwhile. */
async function rewrap(ring: Ring, keyId: KeyId, { wrapped, providers, target }: Move): Promise<boolean> {
  const dataKey = await unwrap(providers, keyId, wrapped)
  try {
    const fresh = await target.wrap(dataKey, keyAad(keyId))
    const tried = await target.unwrap(fresh, keyAad(keyId))
    const same = tried.equals(dataKey)
    tried.fill(0)
    if (!same) throw new CustodyError('CORRUPT', 'the new custodian does not give the key back')
    await ring.table.update(keyId, fresh)
    return true
  } catch (error) {
    if (isCustodyError(error, 'NOT_FOUND')) return false
    throw error
  } finally {
    dataKey.fill(0)
  }
}
