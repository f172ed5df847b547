// roentgate hold place | release, roentgate dispose: what keeps a study, and what ends it.

import { existsSync, writeFileSync } from 'node:fs'
import { certificateKey, disposeStudy } from '../archive/dispose.ts'
import { placeHold, releaseHold } from '../archive/holds.ts'
import { withLedgerSeed } from '../ledger/signer.ts'
import { PRIVATE_FILE } from '../pipeline/atomic.ts'
import { type DataOptions, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { EXIT, UsageError } from './terminal.ts'

export type PlaceOptions = DataOptions & { readonly matter: string; readonly by: string }
export type ReleaseOptions = DataOptions & { readonly by: string }
export type DisposeOptions = DataOptions & {
  readonly by: string
  readonly second: string
  readonly reason: string
  readonly certificate: string
}

export async function place(
  studies: readonly string[],
  { matter, by, ...options }: PlaceOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async ({ database }) => {
    const id = await placeHold(database.kysely, { matter, owner: by, studies })
    invocation.terminal.out(`Hold ${id}\n`)
    return EXIT.done
  })
}

export async function release(
  id: string,
  { by, ...options }: ReleaseOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async ({ database }) => {
    await releaseHold(database.kysely, id, by)
    invocation.terminal.out(`Hold ${id} is released.\n`)
    return EXIT.done
  })
}

export async function dispose(
  study: string,
  { by, second, reason, certificate, ...options }: DisposeOptions,
  invocation: Invocation,
): Promise<number> {
  if (existsSync(certificate)) throw new UsageError(`${certificate} is there already: name another`)
  return await withArchive(options, invocation, async (archive) => {
    const { database, custodians } = archive
    const key = await withLedgerSeed(database.kysely, custodians, certificateKey)
    const texts = await disposeStudy(archive, { study, by, second, reason }, key)
    writeFileSync(certificate, `${texts.join('\n')}\n`, { mode: PRIVATE_FILE, flag: 'wx' })
    invocation.terminal.out(`Destroyed; the certificate is ${certificate}.\n`)
    return EXIT.done
  })
}
