// The certificate that somebody showed on a port that asks for one (RFC 8705).

import { createHash, type X509Certificate } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'

/** Undefined where the port asks for none, or none of our authority was shown. */
export function certificateOf({ socket }: Pick<IncomingMessage, 'socket'>): X509Certificate | undefined {
  const { authorized, getPeerX509Certificate } = socket as Partial<TLSSocket>
  if (authorized !== true || getPeerX509Certificate === undefined) return undefined
  return getPeerX509Certificate.call(socket)
}

/** By a name of its own, not by a wildcard. */
export function isNamed(certificate: X509Certificate | undefined, name: string): boolean {
  if (certificate === undefined) return false
  const names = (certificate.subjectAltName ?? '').split(', ')
  return names.includes(`DNS:${name}`)
}

/** RFC 8705 3.1: SHA-256 of the DER, as base64url. */
export function thumbprintOf({ raw }: Pick<X509Certificate, 'raw'>): string {
  return createHash('sha256').update(raw).digest('base64url')
}
