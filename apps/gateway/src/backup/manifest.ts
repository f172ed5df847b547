// What a backup is, signed by the key that signs the ledger (docs/formats/backup.md).
//
//   "roentgate backup v1" LF  canonical JSON LF  LF  — name signature LF        a C2SP signed note, as checkpoints are

import { openNote, type Signer, type VerifierKey, withSignature } from '@roentgate/audit'
import { z } from 'zod'
import { BackupError } from './errors.ts'

const DIGEST = z.string().regex(/^[0-9a-f]{64}$/)
const OBJECT = z.strictObject({ id: z.uuid(), sha256: DIGEST, size: z.int().nonnegative() })

const MANIFEST = z.strictObject({
  version: z.literal(1),
  /** Of the ledger, which is that of its key. */
  origin: z.string(),
  /** The key of the ledger, for who has not noted it down. */
  key: z.string(),
  at: z.iso.datetime(),
  migrations: z.array(z.string()),
  /** The dump is sealed as a blob is, under a key of its own, wrapped by the custodian. */
  dump: OBJECT.extend({ keyId: z.uuid(), wrapped: z.string() }),
  inventory: OBJECT,
  /** Of the data folder: the key file where a passphrase is the custodian, the certificate authority. Secrets in them are
   *  sealed already. */
  files: z.array(OBJECT.extend({ path: z.string().regex(/^(?:keys\.json|ca\/[\w.-]+)$/) })),
  blobs: z.int().nonnegative(),
  bytes: z.int().nonnegative(),
  /** Of the ledger, published before the dump. */
  checkpoint: z.string(),
})

export type Manifest = z.infer<typeof MANIFEST>
export type StoredObject = z.infer<typeof OBJECT>

const TITLE = 'roentgate backup v1'

export function signManifest(manifest: Manifest, signer: Signer): string {
  const text = `${TITLE}\n${JSON.stringify(manifest)}\n`
  return withSignature(text, signer.key, signer.sign(Buffer.from(text)))
}

/** @throws BackupError FORGED */
export function openManifest(note: string, keys: readonly VerifierKey[]): Manifest {
  const text = opened(note, keys)
  const [title, json = ''] = text.split('\n')
  const found = title === TITLE ? MANIFEST.safeParse(parsed(json)) : undefined
  if (!found?.success) throw new BackupError('FORGED', 'a manifest of another kind')
  return found.data
}

/** The key that a manifest itself names: it proves that the backup is of one piece, not whose it is. */
export function claimedKey(note: string): string {
  const found = MANIFEST.safeParse(parsed(note.split('\n')[1] ?? ''))
  if (!found.success) throw new BackupError('FORGED', 'a manifest of another kind')
  return found.data.key
}

function opened(note: string, keys: readonly VerifierKey[]): string {
  try {
    const { text, signedBy } = openNote(note, keys)
    if (signedBy.length > 0) return text
  } catch (cause) {
    throw new BackupError('FORGED', 'the manifest is not what was signed', { cause })
  }
  throw new BackupError('FORGED', 'the manifest is not signed by the key')
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
