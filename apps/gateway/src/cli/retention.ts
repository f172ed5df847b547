// roentgate hold | retention | trash, roentgate keys destroy: what keeps a study, and what ends it.

import { closeSync, existsSync, fsyncSync, openSync, writeSync } from 'node:fs'
import type { Archive } from '../archive/archive.ts'
import { certificateKey, disposeStudy } from '../archive/dispose.ts'
import { ArchiveError } from '../archive/errors.ts'
import { placeHold, releaseHold } from '../archive/holds.ts'
import { dueStudies, endPolicy, type Policy, policiesInForce, setPolicy } from '../archive/retention.ts'
import { GRACE_DAYS, graceEnd, putInTrash, runRetention, takeFromTrash, trashed } from '../archive/trash.ts'
import { withLedgerSeed } from '../ledger/signer.ts'
import { PRIVATE_FILE } from '../pipeline/atomic.ts'
import { type DataOptions, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

export type PersonOptions = DataOptions & { readonly by: string }
export type PlaceOptions = PersonOptions & { readonly matter: string }
export type PutOptions = PersonOptions & { readonly reason: string }
export type PolicyOptions = PersonOptions & {
  readonly years: number
  readonly modality?: string
  readonly minorsUntil?: number
  readonly jurisdiction: string
  readonly basis: string
}
export type EmptyOptions = PersonOptions & {
  readonly second: string
  readonly certificate: string
  readonly grace?: number
}
export type DestroyOptions = EmptyOptions & { readonly reason: string }

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
  { by, ...options }: PersonOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async ({ database }) => {
    await releaseHold(database.kysely, id, by)
    invocation.terminal.out(`Hold ${id} is released.\n`)
    return EXIT.done
  })
}

export async function setRetention(
  name: string,
  { by, years, modality, minorsUntil, jurisdiction, basis, ...options }: PolicyOptions,
  invocation: Invocation,
): Promise<number> {
  const policy: Policy = {
    name,
    years,
    jurisdiction,
    basis,
    ...(modality === undefined ? {} : { modality }),
    ...(minorsUntil === undefined ? {} : { minorsUntilAge: minorsUntil }),
  }
  return await withArchive(options, invocation, async ({ database }) => {
    await setPolicy(database.kysely, policy, by)
    invocation.terminal.out(`In force: ${sentenceOf(policy)}\n`)
    return EXIT.done
  })
}

export async function endRetention(
  name: string,
  { by, ...options }: PersonOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async ({ database }) => {
    await endPolicy(database.kysely, name, by)
    return EXIT.done
  })
}

function sentenceOf({ name, modality, years, minorsUntilAge, jurisdiction, basis }: Policy): string {
  const what = modality === undefined ? 'every study' : `studies with ${modality}`
  const minors = minorsUntilAge === undefined ? '' : `, and until the patient is ${minorsUntilAge}`
  const why = [jurisdiction, basis].filter((text) => text !== '').join(', ')
  return `${name}: ${what} for ${counted(years, 'year')}${minors}${why === '' ? '' : ` (${why})`}`
}

export async function showDue(options: DataOptions, invocation: Invocation): Promise<number> {
  const { out } = invocation.terminal
  return await withArchive(options, invocation, async (archive) => {
    const policies = await policiesInForce(archive.database.kysely)
    for (const policy of policies) out(`${sentenceOf(policy)}\n`)
    if (policies.length === 0) out('No policy is in force: nothing is ever due.\n')
    let count = 0
    for await (const { study, due, policy } of dueStudies(archive, new Date())) {
      out(`${study}  due since ${due.toISOString().slice(0, 10)}  ${policy}\n`)
      count++
    }
    out(`${counted(count, 'study', 'studies')} due.\n`)
    return EXIT.done
  })
}

export async function run({ by, ...options }: PersonOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    const count = await runRetention(archive, by)
    invocation.terminal.out(`${counted(count, 'study', 'studies')} put into the trash.\n`)
    return EXIT.done
  })
}

export async function put(
  study: string,
  { by, reason, ...options }: PutOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    await putInTrash(archive, study, { by, reason })
    return EXIT.done
  })
}

export async function take(
  study: string,
  { by, ...options }: PersonOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    await takeFromTrash(archive, study, by)
    return EXIT.done
  })
}

export async function list(options: DataOptions, invocation: Invocation): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    const found = await trashed(archive, new Date())
    for (const { study, since } of found) invocation.terminal.out(`${study}  since ${since.toISOString()}\n`)
    invocation.terminal.out(`${counted(found.length, 'study', 'studies')} in the trash.\n`)
    return EXIT.done
  })
}

/** A certificate is on disk before the next study goes. */
export async function empty(
  { by, second, certificate, grace = GRACE_DAYS, ...options }: EmptyOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    using certificates = certificateFile(certificate)
    const reason = 'in the trash beyond its time of grace'
    const key = await keyOf(archive)
    const trashedBy = graceEnd(new Date(), grace)
    let gone = 0
    let kept = 0
    for (const { study } of await trashed(archive, trashedBy)) {
      try {
        certificates.add(await disposeStudy(archive, { study, by, second, reason, trashedBy }, key))
        gone++
      } catch (error) {
        if (!(error instanceof ArchiveError) || error.code === 'SECOND_PERSON') throw error
        invocation.terminal.err(`${study}: ${error.message}\n`)
        kept++
      }
    }
    invocation.terminal.out(
      `${counted(gone, 'study', 'studies')} destroyed, ${kept} kept; the certificates are in ${certificate}.\n`,
    )
    return kept > 0 ? EXIT.withheld : EXIT.done
  })
}

export async function destroy(
  study: string,
  { by, second, reason, certificate, ...options }: DestroyOptions,
  invocation: Invocation,
): Promise<number> {
  return await withArchive(options, invocation, async (archive) => {
    using certificates = certificateFile(certificate)
    certificates.add(await disposeStudy(archive, { study, by, second, reason }, await keyOf(archive)))
    invocation.terminal.out(`Destroyed; the certificate is ${certificate}.\n`)
    return EXIT.done
  })
}

function keyOf({ database, custodians }: Archive) {
  return withLedgerSeed(database.kysely, custodians, certificateKey)
}

type CertificateFile = Disposable & { readonly add: (texts: readonly string[]) => void }

/** Made before anything is destroyed: what cannot be written is said first. */
function certificateFile(path: string): CertificateFile {
  if (existsSync(path)) throw new UsageError(`${path} is there already: name another`)
  const fd = openSync(path, 'wx', PRIVATE_FILE)
  return {
    add: (texts) => {
      writeSync(fd, texts.map((text) => `${text}\n`).join(''))
      fsyncSync(fd)
    },
    [Symbol.dispose]: () => closeSync(fd),
  }
}
