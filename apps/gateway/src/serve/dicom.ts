// The gateway's DICOM port: who may, for what, and what becomes of it.
//
//   A-ASSOCIATE ─► node registry ─► contexts of the services that it has ─► C-ECHO, C-STORE
//
// Every refusal is an entry of the ledger (PS3.15 A.5.3.11), with what did not hold; every association too.

import type { X509Certificate } from 'node:crypto'
import type { TlsOptions } from 'node:tls'
import { transferSyntax, uid } from '@roentgate/dicom'
import {
  type Answer,
  type AssociateRequest,
  type Decision,
  FIELD,
  type Handler,
  type Listener,
  listen,
  type Peer,
  REFUSAL,
  STATUS,
  VERIFICATION,
} from '@roentgate/dimse'
import type { Archive } from '../archive/archive.ts'
import { openIntake } from '../archive/ingest/intake.ts'
import { transact } from '../db/database.ts'
import { appendEvents, type NewEvent } from '../ledger/append.ts'
import { fingerprintOf, type Judged, judge, type Node } from '../nodes/registry.ts'
import { type Implementation, store } from './store.ts'

export type DicomPort = {
  readonly host: string
  readonly port: number
  readonly aeTitle: string
  readonly implementation: Implementation
  /** Without it the port is in the clear: loopback, for tests. */
  readonly tls?: TlsOptions
  readonly onEvent?: (event: PortEvent) => void
}

export type PortEvent =
  | { readonly kind: 'refused'; readonly why: string }
  | { readonly kind: 'failed'; readonly error: unknown }

const SYSTEM = { kind: 'system', id: 'dicom-port' } as const

/** BCP 195, PS3.15 B.12: 1.3, and 1.2 with forward secrecy and authenticated encryption alone. */
export const TLS_PROFILE = {
  minVersion: 'TLSv1.2',
  ciphers:
    'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256',
  honorCipherOrder: true,
  requestCert: true,
  rejectUnauthorized: true,
} as const satisfies TlsOptions

export async function openDicomPort(archive: Archive, port: DicomPort): Promise<Listener> {
  const intake = openIntake(archive)
  const { implementation, onEvent } = port
  const record = async (event: NewEvent): Promise<void> => {
    try {
      await transact(archive.database.kysely, (tx) => appendEvents(tx, [event], new Date()))
    } catch (error) {
      onEvent?.({ kind: 'failed', error })
      throw error
    }
  }
  const handlerFor = (node: Node, address: string): Handler => {
    const sender = { kind: 'node', id: node.ae, address } as const
    return (incoming) => {
      const { field } = incoming.command
      if (field === FIELD.cEcho) return only({ status: STATUS.success })
      if (field === FIELD.cStore && node.services.includes('store'))
        return store(incoming, intake, { sender, implementation })
      return only({ status: STATUS.notAuthorized })
    }
  }
  const decide = async (request: AssociateRequest, peer: Peer): Promise<Decision> => {
    const judged: Judged | { kind: 'stranger'; why: 'called' } =
      request.calledAe === port.aeTitle
        ? await judge(archive.database.kysely, {
            ae: request.callingAe,
            address: peer.address,
            fingerprint: shown(peer.certificate, port.tls !== undefined),
          })
        : { kind: 'stranger', why: 'called' }
    if (judged.kind === 'stranger') {
      await record(refusal(judged.why, peer))
      onEvent?.({ kind: 'refused', why: judged.why })
      const isCalled = judged.why === 'called'
      return { kind: 'refuse', refusal: isCalled ? REFUSAL.calledAe : REFUSAL.callingAe }
    }
    return {
      kind: 'accept',
      contexts: request.contexts.map((one) => answered(one, judged.node)),
      handler: handlerFor(judged.node, peer.address),
    }
  }
  return await listen({
    host: port.host,
    port: port.port,
    implementation,
    decide,
    ...(port.tls ? { tls: { ...TLS_PROFILE, ...port.tls } } : {}),
  })
}

async function* only(answer: Answer): AsyncGenerator<Answer> {
  yield answer
}

/** '' where TLS was spoken without a certificate: no node has that. */
function shown(certificate: X509Certificate | undefined, isTls: boolean): string | undefined {
  if (!isTls) return undefined
  return certificate ? fingerprintOf(certificate.fingerprint256) : ''
}

/** The first transfer syntax that the peer names and the standard knows: what comes is kept as it came. */
function answered(
  { id, abstractSyntax, transferSyntaxes }: AssociateRequest['contexts'][number],
  node: Node,
) {
  const first = transferSyntaxes[0] ?? ''
  const isAllowed =
    (abstractSyntax === VERIFICATION && node.services.includes('echo')) ||
    (isStorage(abstractSyntax) && node.services.includes('store'))
  if (!isAllowed) return { id, result: 3, transferSyntax: first } as const
  const known = transferSyntaxes.find((one) => transferSyntax(one) !== undefined)
  return known === undefined
    ? ({ id, result: 4, transferSyntax: first } as const)
    : ({ id, result: 0, transferSyntax: known } as const)
}

function isStorage(abstractSyntax: string): boolean {
  const entry = uid(abstractSyntax)
  return abstractSyntax.startsWith('1.2.840.10008.5.1.4.') && entry?.name.includes('Storage') === true
}

function refusal(why: string, { address }: Peer): NewEvent {
  return {
    event: 'node-authentication',
    action: 'E',
    outcome: 'serious',
    actor: SYSTEM,
    objects: [],
    detail: { reason: why, peer: address },
  }
}
