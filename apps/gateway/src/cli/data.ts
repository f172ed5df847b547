// The data folder of a command: which one, its archive, and who is at the terminal.

import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { type Archive, openArchive } from '../archive/archive.ts'
import type { Bucket } from '../archive/blobs/bucket.ts'
import { isStoreError } from '../archive/blobs/errors.ts'
import { ArchiveError } from '../archive/errors.ts'
import { BackupError } from '../backup/errors.ts'
import { UNFINISHED } from '../backup/mark.ts'
import { DbError } from '../db/errors.ts'
import { openCustodians } from '../keys/custody.ts'
import { isCustodyError } from '../keys/errors.ts'
import { publishCheckpoint, unsigned } from '../ledger/checkpoint.ts'
import { LedgerError } from '../ledger/errors.ts'
import { ledgerSigner } from '../ledger/signer.ts'
import { fileWitness } from '../ledger/witness-file.ts'
import { PRIVATE_FILE, PRIVATE_FOLDER } from '../pipeline/atomic.ts'
import type { Environment, Invocation } from './program.ts'
import { EXIT, UsageError } from './terminal.ts'

export type DataOptions = { readonly data?: string }

const DEFAULT_FOLDER = 'roentgate-data'
const PASSPHRASE_BYTES = 24

export function dataFolderOf({ data }: DataOptions, { environment }: Invocation): string {
  return resolve(data ?? environment.data ?? DEFAULT_FOLDER)
}

/** Half an archive is none. */
export function assertUsable(dataFolder: string): void {
  if (existsSync(join(dataFolder, UNFINISHED)))
    throw new UsageError(`a restore into ${dataFolder} was begun and not finished: run it again`)
}

export function bucketOf({ bucketUrl, bucketEndpoint }: Environment): Bucket | undefined {
  return bucketUrl ? { url: bucketUrl, ...(bucketEndpoint ? { endpoint: bucketEndpoint } : {}) } : undefined
}

/** Opened for one command; the passphrase is wiped. */
export async function withArchive(
  options: DataOptions,
  invocation: Invocation,
  act: (archive: Archive) => Promise<number>,
): Promise<number> {
  const { environment, terminal } = invocation
  const dataFolder = dataFolderOf(options, invocation)
  assertUsable(dataFolder)
  mkdirSync(dataFolder, { recursive: true, mode: PRIVATE_FOLDER })
  const { custody, databaseUrl: url } = environment
  const bucket = bucketOf(environment)
  const place = { dataFolder, ...(url ? { url } : {}), ...(bucket ? { bucket } : {}) }
  const passphrase = custody ? undefined : passphraseOf(dataFolder, environment.passphraseFile, terminal.err)
  try {
    return await mendable(async () => {
      const keys = custody
        ? { custodians: await openCustodians(custody) }
        : { passphrase: passphrase ?? Buffer.alloc(0) }
      await using archive = await openArchive({ ...place, keys })
      const code = await act(archive)
      return (await signed(archive, dataFolder, invocation)) ? code : EXIT.failed
    })
  } finally {
    passphrase?.fill(0)
  }
}

/** What a command did is signed when it ends, and told to the witness that the environment names. */
async function signed(
  { database, custodians }: Archive,
  dataFolder: string,
  { environment, terminal }: Invocation,
): Promise<boolean> {
  const db = database.kysely
  if ((await unsigned(db)) === 0) return true
  const { witness } = environment
  const witnesses = witness ? [fileWitness({ path: witness, dataFolder })] : []
  const { failures } = await publishCheckpoint(db, await ledgerSigner(db, custodians), witnesses)
  if (failures.length > 0)
    terminal.err(
      'The witness did not take the checkpoint: it gets the next one. Look at ROENTGATE_WITNESS.\n',
    )
  return failures.length === 0
}

/** What the one at the terminal can do something about. */
export async function mendable<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act()
  } catch (error) {
    if (isCustodyError(error)) throw new UsageError(`keys: ${error.message} (${error.code})`)
    const isOurs = error instanceof ArchiveError || error instanceof BackupError || error instanceof DbError
    if (isOurs || error instanceof LedgerError || isStoreError(error, 'IO'))
      throw new UsageError(`${error.message} (${error.code})`)
    throw error
  }
}

/** A file of yours, or one made beside the data: good for a try, and said so. */
function passphraseOf(dataFolder: string, named: string | undefined, say: (text: string) => void): Buffer {
  if (named !== undefined && !existsSync(named)) throw new UsageError(`there is no passphrase file ${named}`)
  const path = named ?? join(dataFolder, 'passphrase')
  if (!existsSync(path)) {
    if (existsSync(join(dataFolder, 'keys.json')))
      throw new UsageError(`the passphrase of ${dataFolder} is elsewhere: set ROENTGATE_PASSPHRASE_FILE`)
    writeFileSync(path, `${randomBytes(PASSPHRASE_BYTES).toString('base64url')}\n`, {
      mode: PRIVATE_FILE,
      flag: 'wx',
    })
    say(
      `Made a passphrase: ${path}. Beside the data it protects nothing: move it, and set ROENTGATE_PASSPHRASE_FILE.\n`,
    )
  }
  return Buffer.from(readFileSync(path, 'utf8').trim())
}

export function actor(): { readonly kind: 'person'; readonly id: string; readonly address: string } {
  return { kind: 'person', id: userInfo().username.slice(0, 64) || 'unknown', address: 'localhost' }
}
