// How the gateway presents itself to peers, by the options of a command: title, certificate, whom it trusts.

import { existsSync, readFileSync, type Stats, unwatchFile, watchFile } from 'node:fs'
import type { Archive } from '../archive/archive.ts'
import type { Identity } from '../pki/ca.ts'
import type { Self } from '../serve/peer.ts'
import { type DataOptions, dataFolderOf } from './data.ts'
import type { Invocation } from './program.ts'
import { UsageError } from './terminal.ts'
import { IMPLEMENTATION } from './version.ts'

export type SelfOptions = DataOptions & {
  readonly aeTitle: string
  readonly cert?: string
  readonly certKey?: string
  readonly ca?: string
  readonly crl?: string
  readonly plain?: boolean
}

const WATCH_MS = 2000

/** @throws UsageError where there is no certificate and --plain was not said */
export async function selfOf(archive: Archive, options: SelfOptions, invocation: Invocation): Promise<Self> {
  const tls = options.plain ? undefined : await identityOf(archive, options, invocation)
  return { aeTitle: options.aeTitle, implementation: IMPLEMENTATION, ...(tls ? { tls } : {}) }
}

async function identityOf(archive: Archive, options: SelfOptions, invocation: Invocation): Promise<Identity> {
  const { cert, certKey, ca, crl } = options
  if (cert === undefined && certKey === undefined && ca === undefined) {
    const { gatewayIdentity } = await import('../pki/ca.ts')
    const identity = await gatewayIdentity(archive, dataFolderOf(options, invocation))
    if (identity) return identity
    throw new UsageError(
      'TLS wants an authority: roentgate ca init, or --cert, --cert-key and --ca of your own; --plain on loopback is for tests',
    )
  }
  if (cert === undefined || certKey === undefined || ca === undefined)
    throw new UsageError('--cert, --cert-key and --ca go together')
  return {
    cert: textIn(cert),
    key: textIn(certKey),
    ca: textIn(ca),
    ...(crl === undefined ? {} : { crl: textIn(crl) }),
  }
}

function textIn(path: string): string {
  if (!existsSync(path)) throw new UsageError(`there is no file ${path}`)
  return readFileSync(path, 'utf8')
}

/** Calls `renew` with what the files say after each change of one of them, until it is ended. What cannot be read, or is
 * half written, changes nothing. */
export async function watchIdentity(
  archive: Archive,
  { options, invocation }: { readonly options: SelfOptions; readonly invocation: Invocation },
  renew: (identity: Identity) => void,
): Promise<() => void> {
  if (options.plain) return () => undefined
  const { identityFiles } = await import('../pki/ca.ts')
  const named = [options.cert, options.certKey, options.ca, options.crl].filter((one) => one !== undefined)
  const paths = named.length > 0 ? named : identityFiles(dataFolderOf(options, invocation))
  // A file that is not there is reported once, as it was.
  const changed = (now: Stats, before: Stats): void => {
    if (now.mtimeMs === before.mtimeMs && now.ino === before.ino) return
    void identityOf(archive, options, invocation)
      .then(renew)
      .catch(() =>
        invocation.terminal.err('The certificates changed, and cannot be used: those before stay.\n'),
      )
  }
  for (const path of paths) watchFile(path, { interval: WATCH_MS, persistent: false }, changed)
  return () => {
    for (const path of paths) unwatchFile(path, changed)
  }
}
