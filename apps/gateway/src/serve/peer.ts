// Associations that we ask for: of a node, over TLS with our certificate, and with nobody who shows another one than the
// node's.

import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { ConnectionOptions, PeerCertificate } from 'node:tls'
import { type Association, connect, type Handler, type Role, type Wanted } from '@roentgate/dimse'
import { NodeError } from '../nodes/errors.ts'
import { fingerprintOf, isCertifiedBy, type Node, namesIn, type Shown } from '../nodes/registry.ts'
import type { Implementation } from './part10.ts'

/** How we present ourselves. Without `tls` nothing is sent but to loopback. */
export type Self = {
  readonly aeTitle: string
  readonly implementation: Implementation
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string; readonly crl?: string }
}

export type Reachable = Node & Required<Pick<Node, 'listens'>>

export type Calling = {
  readonly contexts: readonly Wanted[]
  readonly handler?: Handler
  readonly roles?: readonly Role[]
}

/** @throws DimseError; NodeError where it would go in the clear to another machine */
export async function call(
  self: Self,
  { ae, listens, ...node }: Reachable,
  calling: Calling,
): Promise<Association> {
  if (!self.tls && !isLoopback(listens.host))
    throw new NodeError('INSECURE', 'without TLS nothing is sent to another machine')
  return await connect({
    ...listens,
    ...calling,
    callingAe: self.aeTitle,
    calledAe: ae,
    implementation: self.implementation,
    ...(self.tls ? { tls: { ...self.tls, ...pinned(node) } } : {}),
  })
}

/** Who the peer is, is said by its certificate, not by the name under which it was reached. */
function pinned(node: Pick<Node, 'fingerprints' | 'names'>): ConnectionOptions {
  return {
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    checkServerIdentity: (_host: string, { fingerprint256, subjectaltname }: PeerCertificate) =>
      isCertifiedBy(node, { fingerprint: fingerprintOf(fingerprint256), names: namesIn(subjectaltname) })
        ? undefined
        : new Error('another certificate than those of the node'),
  }
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** Of nobody where no certificate was shown. */
export function shownBy(certificate: X509Certificate | undefined): Shown {
  return {
    fingerprint: certificate ? fingerprintOf(certificate.fingerprint256) : '',
    names: namesIn(certificate?.subjectAltName),
  }
}
