// Which custodians an installation has, as a file says:
//
//   { "custodians": [ … ],            one, or several of whom none can unwrap a key without the others (dual.ts)
//     "before": [ [ … ], … ] }        those that keys move away from: they unwrap until `keys rotate` has wrapped all anew
//
// Invariant: the file names where secrets are, and holds none. They are read when they are needed, so that whoever
// renews them need not restart us.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { dualProvider } from './dual.ts'
import { CustodyError } from './errors.ts'
import { createKeyFile, openKeyFileProvider } from './passphrase.ts'
import type { KeyProvider } from './provider.ts'

/** The first one wraps; the others only unwrap. */
export type Custodians = readonly [KeyProvider, ...KeyProvider[]]

const PATH = z.string().min(1)
const CUSTODIAN = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('passphrase'), path: PATH, passphraseFile: PATH }),
  z.strictObject({
    kind: z.literal('pkcs11'),
    module: PATH,
    token: z.string().min(1),
    label: z.string().min(1).default('roentgate'),
    pinFile: PATH,
    mechanism: z.enum(['gcm', 'kwp']).optional(),
  }),
  z.strictObject({
    kind: z.literal('aws-kms'),
    key: z.string().min(1),
    region: z.string().optional(),
    endpoint: z.url().optional(),
  }),
  z.strictObject({
    kind: z.literal('vault'),
    address: z.url(),
    key: z.string().min(1),
    mount: z.string().optional(),
    namespace: z.string().optional(),
    tokenFile: PATH,
  }),
])
const SET = z.array(CUSTODIAN).min(1).max(8)
const CUSTODY = z.strictObject({ custodians: SET, before: z.array(SET).default([]) })

type Custodian = z.infer<typeof CUSTODIAN>

/** Paths in the file are taken from where it lies. @throws CustodyError */
export async function openCustodians(path: string): Promise<Custodians> {
  const { custodians, before } = parsed(path)
  const folder = dirname(resolve(path))
  const opened: KeyProvider[] = []
  try {
    const current = await openSet(custodians, folder, opened)
    const older: KeyProvider[] = []
    for (const set of before) older.push(await openSet(set, folder, opened))
    return [current, ...older]
  } catch (error) {
    await Promise.allSettled(opened.map((provider) => provider.close()))
    throw error
  }
}

export async function closeCustodians(custodians: Custodians): Promise<void> {
  await Promise.all(custodians.map((provider) => provider.close()))
}

function parsed(path: string): z.infer<typeof CUSTODY> {
  const found = CUSTODY.safeParse(json(path))
  if (found.success) return found.data
  const [issue] = found.error.issues
  const where = issue?.path.join('.') || 'the file'
  throw new CustodyError('FORMAT', `the file of custodians: ${where}: ${issue?.message ?? 'not understood'}`)
}

function json(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new CustodyError('FORMAT', 'the file of custodians cannot be read as JSON', { cause })
  }
}

async function openSet(
  set: readonly Custodian[],
  folder: string,
  opened: KeyProvider[],
): Promise<KeyProvider> {
  const providers: KeyProvider[] = []
  for (const custodian of set) {
    const provider = await openOne(custodian, folder)
    opened.push(provider)
    providers.push(provider)
  }
  const [only] = providers
  if (providers.length === 1 && only !== undefined) return only
  try {
    return dualProvider(providers)
  } catch (cause) {
    throw new CustodyError('FORMAT', 'the file of custodians: one is named twice', { cause })
  }
}

/** What is not used is not loaded: the SDK of a cloud, the library of a token. */
async function openOne(custodian: Custodian, folder: string): Promise<KeyProvider> {
  switch (custodian.kind) {
    case 'passphrase':
      return await openFile(resolve(folder, custodian.path), resolve(folder, custodian.passphraseFile))
    case 'pkcs11': {
      const { openPkcs11Provider } = await import('./pkcs11.ts')
      const { kind, pinFile, mechanism, ...rest } = custodian
      const pin = async () => secretIn(resolve(folder, pinFile))
      return await openPkcs11Provider({ ...rest, pin, ...(mechanism ? { mechanism } : {}) })
    }
    case 'aws-kms': {
      const { kmsProvider } = await import('./aws-kms.ts')
      const { key, region, endpoint } = custodian
      const client = { ...(region ? { region } : {}), ...(endpoint ? { endpoint } : {}) }
      return kmsProvider({ key, client })
    }
    case 'vault': {
      const { vaultProvider } = await import('./vault.ts')
      const { address, key, mount, namespace, tokenFile } = custodian
      const token = async () => secretIn(resolve(folder, tokenFile))
      const optional = { ...(mount ? { mount } : {}), ...(namespace ? { namespace } : {}) }
      return vaultProvider({ address, key, token, ...optional })
    }
  }
}

async function openFile(path: string, passphraseFile: string): Promise<KeyProvider> {
  const passphrase = Buffer.from(secretIn(passphraseFile))
  try {
    const options = { path, passphrase }
    return existsSync(path) ? await openKeyFileProvider(options) : await createKeyFile(options)
  } finally {
    passphrase.fill(0)
  }
}

function secretIn(path: string): string {
  try {
    const text = readFileSync(path, 'utf8').trim()
    if (text !== '') return text
  } catch (cause) {
    throw new CustodyError('UNAVAILABLE', 'the file of a secret cannot be read', { cause })
  }
  throw new CustodyError('UNAVAILABLE', 'the file of a secret is empty')
}
