// roentgate backup TARGET, roentgate restore TARGET

import { existsSync, readFileSync } from 'node:fs'
import { AuditError, parseVerifierKey, type VerifierKey } from '@roentgate/audit'
import type { Archive, ArchivePlace } from '../archive/archive.ts'
import { backUp } from '../backup/backup.ts'
import { backups, check, prune } from '../backup/read.ts'
import { restore } from '../backup/restore.ts'
import { openTarget, type Target } from '../backup/target.ts'
import { openCustodians } from '../keys/custody.ts'
import { ledgerSigner } from '../ledger/signer.ts'
import { actor, bucketOf, type DataOptions, dataFolderOf, mendable, withArchive } from './data.ts'
import type { Invocation } from './program.ts'
import { counted, EXIT, UsageError } from './terminal.ts'

export type BackupOptions = DataOptions & {
  readonly list?: boolean
  readonly check?: boolean
  readonly keep?: number
}
export type RestoreOptions = DataOptions & { readonly backup?: string; readonly key?: string }

export async function backup(
  place: string,
  { list, check: isCheck, keep, ...options }: BackupOptions,
  invocation: Invocation,
): Promise<number> {
  const { out } = invocation.terminal
  return await withArchive(options, invocation, async (archive) => {
    await using target = await targetAt(place, invocation)
    const keys = [(await ledgerSigner(archive.database.kysely, archive.custodians)).key]
    if (list || isCheck) return await look(target, { keys, isCheck: isCheck === true }, invocation)
    const code = await run(archive, { target, dataFolder: dataFolderOf(options, invocation) }, invocation)
    if (keep !== undefined) {
      const gone = await prune(target, keys, keep)
      out(`${counted(gone.backups, 'older backup')} and ${counted(gone.objects, 'object')} removed.\n`)
    }
    return code
  })
}

async function targetAt(place: string, { environment }: Invocation): Promise<Target> {
  const endpoint = environment.bucketEndpoint
  return await openTarget({ url: place, ...(endpoint ? { endpoint } : {}) })
}

type Run = { readonly target: Target; readonly dataFolder: string }

async function run(archive: Archive, { target, dataFolder }: Run, { terminal }: Invocation): Promise<number> {
  const { name, manifest, copied, missing } = await backUp(archive, target, { dataFolder, by: actor() })
  terminal.out(`${name}: ${counted(manifest.blobs, 'blob')}, ${copied} of them copied now\n`)
  if (missing === 0) return EXIT.done
  terminal.err(`${counted(missing, 'blob')} that the index names are not in the store: roentgate scrub\n`)
  return EXIT.failed
}

type Look = { readonly keys: readonly VerifierKey[]; readonly isCheck: boolean }

async function look(target: Target, { keys, isCheck }: Look, { terminal }: Invocation): Promise<number> {
  for (const { name, manifest } of await backups(target, keys)) {
    if (isCheck) await check(target, manifest)
    terminal.out(
      `${name}  ${counted(manifest.blobs, 'blob')}  ${manifest.bytes} bytes${isCheck ? '  whole' : ''}\n`,
    )
  }
  return EXIT.done
}

export async function restoreFrom(
  place: string,
  { backup: wanted, key, ...options }: RestoreOptions,
  invocation: Invocation,
): Promise<number> {
  const { terminal, environment } = invocation
  const trusted = key === undefined ? undefined : keysIn(key)
  if (trusted === undefined)
    terminal.err(
      'No key was named (--key FILE): the backup is checked against the key that it names itself.\n',
    )
  const dataFolder = dataFolderOf(options, invocation)
  const { databaseUrl: url } = environment
  const bucket = bucketOf(environment)
  return await mendable(async () => {
    await using target = await targetAt(place, invocation)
    const { manifest, blobs, scrubbed } = await restore(
      target,
      {
        dataFolder,
        keys: () => keysFor(invocation),
        ...(url ? { url } : {}),
        ...(bucket ? { bucket } : {}),
      },
      { by: actor(), ...(wanted ? { backup: wanted } : {}), ...(trusted ? { trusted } : {}) },
    )
    terminal.out(
      `Restored the backup of ${manifest.at}: ${counted(blobs, 'blob')}, ${counted(scrubbed.intact, 'instance')} read and hashed, the ledger as it was signed.\n`,
    )
    return EXIT.done
  })
}

async function keysFor({ environment }: Invocation): Promise<ArchivePlace['keys']> {
  const { custody, passphraseFile } = environment
  if (custody) return { custodians: await openCustodians(custody) }
  if (passphraseFile === undefined || !existsSync(passphraseFile))
    throw new UsageError('the passphrase of the backup is wanted: set ROENTGATE_PASSPHRASE_FILE')
  return { passphrase: Buffer.from(readFileSync(passphraseFile, 'utf8').trim()) }
}

function keysIn(path: string): readonly VerifierKey[] {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  const lines = readFileSync(path, 'utf8').split('\n')
  try {
    return lines.filter((line) => line.trim() !== '' && !line.startsWith('#')).map(parseVerifierKey)
  } catch (error) {
    if (error instanceof AuditError) throw new UsageError(`${path}: ${error.message}`)
    throw error
  }
}
